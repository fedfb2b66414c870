//! Frauds of parties (PT-01): someone goes on acting without a licence that holds.

use crate::behaviour::fraud::MARKETS;
use crate::error::Result;
use crate::story::delivery::Stage;
use crate::story::script::Script;
use crate::world::DAY_SECS;
use crate::world::party::{licence, licences_of};
use model::registry::{LicenceStatus, Role, Validity};

/// A licence was revoked.
pub(crate) fn revoked(s: &mut Script<'_>) -> Result<()> {
    act_without(s, "revoked", Some(LicenceStatus::Revoked))
}

/// A licence is suspended.
pub(crate) fn suspended(s: &mut Script<'_>) -> Result<()> {
    act_without(s, "suspended", Some(LicenceStatus::Suspended))
}

/// A licence ran out some days ago and was not renewed.
pub(crate) fn expired(s: &mut Script<'_>) -> Result<()> {
    act_without(s, "expired", None)
}

/// Someone's licence ends; days later it receives a pack that an honest wholesaler sent.
fn act_without(s: &mut Script<'_>, variant: &'static str, then: Option<LicenceStatus>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 3, MARKETS)?;
    let role = if s.one_in(2) { Role::Dispenser } else { Role::Wholesaler };
    let party = s.newcomer(role, stock.route.market, Validity::ALWAYS)?;
    let ends = (s.now + 3 * DAY_SECS).div_euclid(DAY_SECS) * DAY_SECS;
    s.rows.licences.retain(|row| row.party != party.gln);
    let before = Validity { from_secs: i64::MIN, to_secs: ends, known_from_secs: i64::MIN };
    let after = Validity { from_secs: ends, to_secs: i64::MAX, known_from_secs: ends };
    for kind in licences_of(role) {
        s.rows.licences.push(licence(&party, *kind, LicenceStatus::Active, before));
        s.rows.licences.extend(then.map(|status| licence(&party, *kind, status, after)));
    }
    let mut packs = stock.packs;
    let Some(mut target) = packs.pop() else { return Ok(()) };
    // While the licence holds, it trades like others.
    if let Some(mut earlier) = packs.pop() {
        // The licence ends two days from here at the earliest: that is time enough for one delivery.
        s.ship(&mut earlier, &stock.holder, &party);
        s.wait_hours(4..10);
        s.receive(&mut earlier, &party);
    }
    s.now = s.now.max(ends + DAY_SECS);
    s.wait_hours(10..60);
    s.deliver_plainly(&mut target, &stock.holder, &party);
    s.plant("PT-01", variant, target.subject(), &[]);
    for mut pack in packs {
        s.deliver(&mut pack, &stock.holder, &stock.route.pharmacy);
    }
    Ok(())
}

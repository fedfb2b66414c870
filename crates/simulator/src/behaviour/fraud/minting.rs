//! Frauds of minting (MI-01): who has no right to give a product's identities does so on the authoritative contract.

use crate::behaviour::fraud::MARKETS;
use crate::error::Result;
use crate::keys::KeyName;
use crate::story::goods::Route;
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::DAY_SECS;
use alloy_primitives::Address;
use model::registry::{Delegation, Role, Validity};

/// A wallet that nobody knows mints a pack for itself.
pub(crate) fn stranger(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(MARKETS)?;
    let (key, address) = s.stranger()?;
    beside_honest_packs(s, &route, |s| forge(s, &route, Some(key), address, "stranger"))
}

/// A wholesaler mints a pack of a product that it only trades.
pub(crate) fn wholesaler(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(MARKETS)?;
    beside_honest_packs(s, &route, |s| forge(s, &route, None, route.wholesaler.address, "wholesaler"))
}

/// A contract maker goes on minting after its delegation has ended.
pub(crate) fn lapsed_delegation(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(MARKETS)?;
    let agent = s.newcomer(Role::ContractMaker, route.maker.country, Validity::ALWAYS)?;
    let ends = (s.now + 6 * DAY_SECS).div_euclid(DAY_SECS) * DAY_SECS;
    s.rows.delegations.push(Delegation {
        principal: route.maker.gln,
        agent: agent.gln,
        gtin: Some(s.world.products[route.product].gtin),
        lot_pattern: None,
        site: None,
        validity: Validity { from_secs: i64::MIN, to_secs: ends, known_from_secs: i64::MIN },
    });
    let lot = s.lot(&route, "D", Expiry::Far)?;
    s.at_work(agent.country);
    s.commission(&agent, &lot, 3)?;
    s.now = ends;
    s.wait_hours(30..80);
    s.at_work(agent.country);
    let print = s.print(&lot)?;
    s.declare(&lot, 1);
    let mut logs = Vec::new();
    let forged = s.mint(agent.address, &lot, print, &mut logs);
    s.send(&agent, lot.contract.chain, logs);
    s.plant("MI-01", "lapsed-delegation", forged.subject(), &["MI-09"]);
    Ok(())
}

/// The maker commissions some packs, days pass, and then the forgery happens.
fn beside_honest_packs(
    s: &mut Script<'_>,
    route: &Route,
    forgery: impl FnOnce(&mut Script<'_>) -> Result<()>,
) -> Result<()> {
    let lot = s.lot(route, "L", Expiry::Far)?;
    s.at_work(route.maker.country);
    s.commission(&route.maker, &lot, 3)?;
    s.wait_days(1..5);
    forgery(s)
}

/// `minter` mints one pack of a lot that the registry holds, signed by its key or as the route's wholesaler.
fn forge(
    s: &mut Script<'_>,
    route: &Route,
    key: Option<KeyName>,
    minter: Address,
    variant: &'static str,
) -> Result<()> {
    let lot = s.lot(route, "L", Expiry::Far)?;
    s.declare(&lot, 1);
    let print = s.print(&lot)?;
    let mut logs = Vec::new();
    let mut forged = s.mint(minter, &lot, print, &mut logs);
    match key {
        Some(key) => s.send_as(key, lot.contract.chain, logs),
        None => s.send(&route.wholesaler, lot.contract.chain, logs),
    }
    s.plant("MI-01", variant, forged.subject(), &["PT-01", "SQ-01", "SQ-03"]);
    // The wholesaler brings its forgery into the trade.
    if key.is_none() && s.one_in(2) {
        s.wait_hours(4..30);
        s.deliver_plainly(&mut forged, &route.wholesaler, &route.pharmacy);
    }
    Ok(())
}

//! Lawful ends: expired, damaged, sampled, sold in parts.

use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::delivery::Stage;
use crate::story::issuing::{Expiry, day_number, day_of};
use crate::story::script::Script;
use crate::world::DAY_SECS;
use crate::world::country::{BR, CH, CountryId, DE, FR, IT, US};
use model::event::Reason;
use model::registry::{Extension, Validity};
use rand::Rng;

const ANYWHERE: &[CountryId] = &[US, DE, FR, IT, CH, BR];

/// Days after which a lot expires in which a stock has certainly reached its pharmacy.
const SHORT_DATED_DAYS: i64 = 11;

/// Packs expire on the shelf, go to the reverse distributor, and are destroyed there; one is destroyed on the spot.
pub(crate) fn expired(s: &mut Script<'_>) -> Result<()> {
    let begun = s.now;
    let stock = s.stock_expiring(Stage::Pharmacy, 4, ANYWHERE, Expiry::InDays(SHORT_DATED_DAYS))?;
    let route = stock.route;
    // Two days past the last day, wherever that is.
    s.now = s.now.max(begun + (SHORT_DATED_DAYS + 3) * DAY_SECS);
    for (n, mut pack) in stock.packs.into_iter().enumerate() {
        s.wait_hours(2..20);
        s.at_work(route.market);
        if n == 0 {
            s.decommission(&mut pack, &route.pharmacy, Reason::Expired);
            s.wait_hours(2..20);
            s.destroy(&mut pack, &route.pharmacy);
            continue;
        }
        s.send_back(&mut pack, &route.pharmacy, &route.disposer);
        s.wait_hours(8..60);
        s.receive(&mut pack, &route.disposer);
        s.wait_hours(8..60);
        s.destroy(&mut pack, &route.disposer);
    }
    Ok(())
}

/// An authority extends a lot's expiry before it is reached; its packs are sold after the day that is printed on them.
pub(crate) fn extended(s: &mut Script<'_>) -> Result<()> {
    let begun = s.now;
    let stock = s.stock_expiring(Stage::Pharmacy, 3, ANYWHERE, Expiry::InDays(SHORT_DATED_DAYS))?;
    s.rows.extensions.push(Extension {
        gtin: stock.lot.gtin,
        lot: stock.lot.code,
        expiry_day: day_number(day_of(begun + 200 * DAY_SECS)),
        validity: Validity::ALWAYS,
    });
    s.now = s.now.max(begun + (SHORT_DATED_DAYS + 3) * DAY_SECS);
    s.sell_off(&stock.route.pharmacy, stock.packs);
    Ok(())
}

/// A pack is taken out by mistake, or for a look, and put back within ten days by the same pharmacy.
pub(crate) fn reactivated(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 3, ANYWHERE)?;
    let pharmacy = stock.route.pharmacy;
    let mut packs = stock.packs;
    let reasons = [Reason::Unspecified, Reason::CheckedOut, Reason::Sample];
    for (pack, reason) in packs.iter_mut().zip(reasons) {
        s.at_work(pharmacy.country);
        s.decommission(pack, &pharmacy, reason);
    }
    s.wait_days(1..8);
    s.at_work(pharmacy.country);
    for pack in &packs {
        s.reactivate(pack, &pharmacy);
    }
    // A sample is not sold afterwards.
    packs.pop();
    s.sell_off(&pharmacy, packs);
    Ok(())
}

/// A hospital pharmacy supplies a pack unit by unit until it is empty, another until it closes it.
pub(crate) fn in_parts(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 3, ANYWHERE)?;
    let pharmacy = stock.route.pharmacy;
    let units = s.world.products[stock.route.product].units;
    for (n, mut pack) in stock.packs.into_iter().enumerate() {
        let mut left = units;
        let closes_early = n == 0;
        while left > 0 {
            s.wait_hours(4..30);
            s.at_work(pharmacy.country);
            if closes_early && left < units {
                s.dispense(std::slice::from_mut(&mut pack), &pharmacy);
                break;
            }
            let part = s.rng.random_range(1..=left.min(units / 2));
            s.dispense_units(&mut pack, &pharmacy, part);
            left -= part;
        }
    }
    Ok(())
}

/// A wholesaler finds packs damaged and destroys them.
pub(crate) fn damaged(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 4, ANYWHERE)?;
    let holder = stock.holder;
    let mut packs = stock.packs;
    let rest = packs.split_off(2);
    for pack in &mut packs {
        s.at_work(holder.country);
        s.decommission(pack, &holder, Reason::Damaged);
        s.wait_hours(10..60);
        s.destroy(pack, &holder);
    }
    for mut pack in rest {
        s.deliver(&mut pack, &holder, &stock.route.pharmacy);
    }
    Ok(())
}

/// A wholesaler misses packs, reports them stolen, finds them a day later, and sells them.
pub(crate) fn not_stolen(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 3, ANYWHERE)?;
    let (holder, pharmacy, chain) = (stock.holder, stock.route.pharmacy, stock.lot.contract.chain);
    let mut packs = stock.packs;
    for pack in &packs {
        s.send(&holder, chain, vec![log::theft_reported(pack.token(), holder.address, s.now)]);
    }
    s.wait_hours(20..40);
    for pack in &packs {
        s.send(&holder, chain, vec![log::theft_withdrawn(pack.token(), holder.address, s.now)]);
    }
    s.wait_hours(10..30);
    for pack in &mut packs {
        s.deliver_plainly(pack, &holder, &pharmacy);
    }
    s.sell_off(&pharmacy, packs);
    Ok(())
}

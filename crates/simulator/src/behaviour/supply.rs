//! The supply: what a lot's packs do when all goes as it should. Most of the world is this.

use crate::error::Result;
use crate::story::goods::{Item, Route};
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::country::{BR, CH, DE, FR, IT, US};
use crate::world::party::Actor;
use rand::Rng;
use rand::seq::SliceRandom;

/// Logs that a hundred packs of the supply make at least. Each is minted, commissioned and packed (300 logs); nine in
/// ten are sold, and their token follows them (180); two in three are unpacked (133, of which chance may take a third).
pub(crate) const LOGS_PER_100_PACKS_MIN: u64 = 570;

/// A lot is made, palletised, sent to a wholesaler, split into cases for pharmacies, and sold.
pub(crate) fn lot(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(&[US, DE, FR, IT, CH, BR])?;
    let lot = s.lot(&route, "L", Expiry::Far)?;
    s.at_work(route.maker.country);
    let packs = s.commission(&route.maker, &lot, s.packs)?;
    s.wait_hours(1..6);
    let loads = s.palletise(&route.maker, packs)?;
    let from = s.now;
    for mut load in loads {
        s.now = from;
        s.wait_hours(4..48);
        s.deliver(&mut load, &route.maker, &route.wholesaler);
        s.wait_hours(2..24);
        let cases = open_pallet(s, load, &route.wholesaler);
        distribute(s, cases, &route)?;
    }
    Ok(())
}

/// A pallet is unpacked, or its cases are just taken from it; a single case is what it is.
fn open_pallet(s: &mut Script<'_>, load: Item, holder: &Actor) -> Vec<Item> {
    if load.inside.iter().all(|inside| inside.inside.is_empty()) {
        return vec![load];
    }
    if s.one_in(3) { load.inside } else { s.unpack(load, holder) }
}

/// Each case goes its own way: to a pharmacy, or through another wholesaler first.
fn distribute(s: &mut Script<'_>, mut cases: Vec<Item>, route: &Route) -> Result<()> {
    cases.shuffle(&mut s.rng);
    let from = s.now;
    for mut case in cases {
        s.now = from;
        s.wait_hours(2..96);
        let mut holder = route.wholesaler;
        if s.one_in(6) {
            s.deliver(&mut case, &holder, &route.second_wholesaler);
            s.wait_hours(4..40);
            holder = route.second_wholesaler;
        }
        let next: usize = s.rng.random_range(0..10_000);
        let pharmacy = s.world.actor(model::registry::Role::Dispenser, route.market, next)?;
        s.deliver(&mut case, &holder, &pharmacy);
        shelve(s, case, &pharmacy);
    }
    Ok(())
}

/// A pharmacy opens a case, or sells straight from it, over the following days; a tenth stays on the shelf.
fn shelve(s: &mut Script<'_>, case: Item, pharmacy: &Actor) {
    s.wait_hours(1..12);
    let mut packs = if s.one_in(3) { case.inside } else { s.unpack(case, pharmacy) };
    packs.shuffle(&mut s.rng);
    let shelf = packs.len() / 10;
    packs.truncate(packs.len() - shelf);
    let size = if s.world.scale.daily_uploads { packs.len().div_ceil(2).max(1) } else { 1 };
    for sold in packs.chunks_mut(size) {
        s.wait_hours(3..28);
        s.at_work(pharmacy.country);
        s.dispense(sold, pharmacy);
    }
}

//! Frauds of aggregation (AG-01): someone handles a pack that is inside a case which another holds.

use crate::behaviour::fraud::REPORTED_HOPS;
use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::goods::{Item, Route};
use crate::story::issuing::Expiry;
use crate::story::script::Script;

/// A case on a pallet, both with the route's wholesaler.
fn pallet(s: &mut Script<'_>) -> Result<Option<(Route, Item)>> {
    let route = s.route(REPORTED_HOPS)?;
    let lot = s.lot(&route, "L", Expiry::Far)?;
    s.at_work(route.maker.country);
    let mut cases = Vec::new();
    for _ in 0..2 {
        let packs = s.commission(&route.maker, &lot, 4)?;
        cases.extend(s.pack(&route.maker, packs)?);
    }
    let Some(mut pallet) = s.pack(&route.maker, cases)? else { return Ok(None) };
    s.wait_hours(5..30);
    s.deliver_plainly(&mut pallet, &route.maker, &route.wholesaler);
    s.wait_hours(10..60);
    Ok(Some((route, pallet)))
}

/// A pack out of the case, if there is one.
fn victim(pallet: &Item) -> Option<Item> {
    pallet.inside.first()?.inside.first().cloned()
}

/// The rest goes its honest way: the case without the victim is opened where the wholesaler sends it.
fn go_on(s: &mut Script<'_>, route: &Route, mut pallet: Item) {
    if pallet.inside.len() < 2 {
        return;
    }
    let case = pallet.inside.swap_remove(1);
    s.wait_hours(10..40);
    let mut case = case;
    s.deliver_plainly(&mut case, &route.wholesaler, &route.pharmacy);
    let packs = s.unpack(case, &route.pharmacy);
    s.sell_off(&route.pharmacy, packs);
}

/// AG-01: a wholesaler that does not hold the pallet ships a pack out of it.
pub(crate) fn moved(s: &mut Script<'_>) -> Result<()> {
    let Some((route, pallet)) = pallet(s)? else { return Ok(()) };
    let Some(pack) = victim(&pallet) else { return Ok(()) };
    let thief = route.second_wholesaler;
    s.at_work(thief.country);
    let step = log::shipped(pack.token(), thief.address, route.second_pharmacy.address, s.now);
    s.send(&thief, pack.contract.chain, vec![step]);
    s.plant("AG-01", "moved", pack.subject(), &["SQ-03", "SQ-02"]);
    go_on(s, &route, pallet);
    Ok(())
}

/// AG-01: a pharmacy dispenses a pack that is in a case in a wholesaler's warehouse.
pub(crate) fn dispensed(s: &mut Script<'_>) -> Result<()> {
    let Some((route, pallet)) = pallet(s)? else { return Ok(()) };
    let Some(pack) = victim(&pallet) else { return Ok(()) };
    let seller = route.second_pharmacy;
    s.at_work(seller.country);
    let step = log::dispensed(pack.token(), seller.address, s.now, &seller.site.to_string());
    s.send(&seller, pack.contract.chain, vec![step]);
    s.plant("AG-01", "dispensed", pack.subject(), &["SQ-03", "SQ-04"]);
    go_on(s, &route, pallet);
    Ok(())
}

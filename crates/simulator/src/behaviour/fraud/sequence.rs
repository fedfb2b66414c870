//! Frauds of sequence: steps that cannot follow what went before (SQ-01, SQ-03, SQ-04).

use crate::behaviour::fraud::REPORTED_HOPS;
use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::custody::own;
use crate::story::delivery::{Stage, Stock};
use crate::story::goods::Item;
use crate::story::script::Script;
use crate::world::party::Actor;

/// A stock at a stage, its last pack apart: that one is the victim.
fn victim(s: &mut Script<'_>, stage: Stage) -> Result<Option<(Stock, Item)>> {
    let mut stock = s.stock(stage, 3, REPORTED_HOPS)?;
    Ok(stock.packs.pop().map(|pack| (stock, pack)))
}

/// The pharmacy sells the other packs, which the wholesaler delivers where they are not there yet.
fn sell_others(s: &mut Script<'_>, stock: Stock) {
    let pharmacy = stock.route.pharmacy;
    let mut packs = stock.packs;
    if stock.holder != pharmacy {
        for pack in &mut packs {
            s.deliver_plainly(pack, &stock.holder, &pharmacy);
        }
    }
    s.sell_off(&pharmacy, packs);
}

/// A shipping by someone whom the contract should have refused: nothing about the goods changes.
fn ship_unlawfully(s: &mut Script<'_>, pack: &Item, by: &Actor, to: &Actor) {
    s.at_work(by.country);
    s.send(by, pack.contract.chain, vec![log::shipped(pack.token(), by.address, to.address, s.now)]);
}

/// A receipt that the contract should have refused: the token goes with it.
fn receive_unlawfully(s: &mut Script<'_>, pack: &mut Item, by: &Actor) {
    s.at_work(by.country);
    let mut logs = Vec::with_capacity(2);
    own(pack, by.address, &mut logs);
    logs.push(log::received(pack.token(), by.address, s.now, &by.site.to_string()));
    s.send(by, pack.contract.chain, logs);
}

/// SQ-01: a pharmacy receives what nobody shipped, before or after.
pub(crate) fn no_shipping(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = victim(s, Stage::Wholesaler)? else { return Ok(()) };
    // Whatever was shipped before lies more than a day back.
    s.wait_hours(30..60);
    receive_unlawfully(s, &mut pack, &stock.route.second_pharmacy);
    s.plant("SQ-01", "no-shipping", pack.subject(), &[]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-01: a pack is shipped to one pharmacy and received by another.
pub(crate) fn wrong_receiver(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = victim(s, Stage::Wholesaler)? else { return Ok(()) };
    s.at_work(stock.holder.country);
    s.ship(&mut pack, &stock.holder, &stock.route.pharmacy);
    s.wait_hours(8..40);
    receive_unlawfully(s, &mut pack, &stock.route.second_pharmacy);
    s.plant("SQ-01", "wrong-receiver", pack.subject(), &["SQ-02"]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-03: a wholesaler that never had a pack ships it.
pub(crate) fn stranger(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, pack)) = victim(s, Stage::Wholesaler)? else { return Ok(()) };
    s.wait_hours(4..40);
    ship_unlawfully(s, &pack, &stock.route.second_wholesaler, &stock.route.second_pharmacy);
    s.plant("SQ-03", "stranger", pack.subject(), &["SQ-02"]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-03: a wholesaler ships a pack a second time, after its buyer has received it.
pub(crate) fn former_holder(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, pack)) = victim(s, Stage::Pharmacy)? else { return Ok(()) };
    s.wait_hours(4..40);
    ship_unlawfully(s, &pack, &stock.route.wholesaler, &stock.route.second_pharmacy);
    s.plant("SQ-03", "former-holder", pack.subject(), &["SQ-02"]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-04: a pack that was never withdrawn is reactivated.
pub(crate) fn reactivate_active(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, pack)) = victim(s, Stage::Pharmacy)? else { return Ok(()) };
    s.at_work(stock.holder.country);
    s.reactivate(&pack, &stock.holder);
    s.plant("SQ-04", "reactivate-active", pack.subject(), &["ST-06"]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-04: a pharmacy dispenses what it has just shipped back.
pub(crate) fn dispense_in_transit(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = victim(s, Stage::Pharmacy)? else { return Ok(()) };
    let pharmacy = stock.route.pharmacy;
    s.at_work(pharmacy.country);
    s.ship(&mut pack, &pharmacy, &stock.route.wholesaler);
    s.wait_hours(2..20);
    s.at_work(pharmacy.country);
    s.dispense(std::slice::from_mut(&mut pack), &pharmacy);
    s.plant("SQ-04", "dispense-in-transit", pack.subject(), &["SQ-02"]);
    sell_others(s, stock);
    Ok(())
}

/// SQ-04: a wholesaler ships to a second pharmacy what is under way to a first.
pub(crate) fn ship_twice(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = victim(s, Stage::Wholesaler)? else { return Ok(()) };
    s.at_work(stock.holder.country);
    s.ship(&mut pack, &stock.holder, &stock.route.pharmacy);
    s.wait_hours(3..12);
    ship_unlawfully(s, &pack, &stock.holder, &stock.route.second_pharmacy);
    s.plant("SQ-04", "ship-twice", pack.subject(), &["SQ-02"]);
    s.wait_hours(4..20);
    s.receive(&mut pack, &stock.route.pharmacy);
    sell_others(s, stock);
    Ok(())
}

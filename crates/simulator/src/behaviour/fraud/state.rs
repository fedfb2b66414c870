//! Frauds of state: what is dispensed, destroyed, withdrawn, recalled or expired goes on (ST-01, ST-03, ST-04, ST-05).

use crate::behaviour::fraud::MARKETS;
use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::delivery::{Stage, Stock};
use crate::story::goods::Item;
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::DAY_SECS;
use crate::world::party::Actor;
use model::event::Reason;

/// Days after which a lot expires in which a stock has certainly reached its pharmacy.
const SHORT_DATED_DAYS: i64 = 11;

/// A stock at a pharmacy, one pack of it apart.
fn shelf(s: &mut Script<'_>) -> Result<Option<(Stock, Item)>> {
    let mut stock = s.stock(Stage::Pharmacy, 3, MARKETS)?;
    Ok(stock.packs.pop().map(|pack| (stock, pack)))
}

/// ST-01: a second pharmacy dispenses a pack that a first has dispensed.
pub(crate) fn other_pharmacy(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = shelf(s)? else { return Ok(()) };
    let (first, second) = (stock.route.pharmacy, stock.route.second_pharmacy);
    s.at_work(first.country);
    s.dispense(std::slice::from_mut(&mut pack), &first);
    s.wait_hours(12..90);
    s.at_work(second.country);
    dispense_again(s, &pack, &second);
    s.plant("ST-01", "other-pharmacy", pack.subject(), &["ID-08"]);
    s.sell_off(&first, stock.packs);
    Ok(())
}

/// ST-01: a pharmacy scans out the same pack twice within hours.
pub(crate) fn repeat(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = shelf(s)? else { return Ok(()) };
    let pharmacy = stock.route.pharmacy;
    s.at_work(pharmacy.country);
    s.dispense(std::slice::from_mut(&mut pack), &pharmacy);
    s.wait_hours(1..5);
    dispense_again(s, &pack, &pharmacy);
    s.plant("ST-01", "repeat", pack.subject(), &[]);
    s.sell_off(&pharmacy, stock.packs);
    Ok(())
}

fn dispense_again(s: &mut Script<'_>, pack: &Item, by: &Actor) {
    let again = log::dispensed(pack.token(), by.address, s.now, &by.site.to_string());
    s.send(by, pack.contract.chain, vec![again]);
}

/// ST-03: what a reverse distributor has destroyed, it ships.
pub(crate) fn after_destroying(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = shelf(s)? else { return Ok(()) };
    let (pharmacy, disposer) = (stock.route.pharmacy, stock.route.disposer);
    s.at_work(pharmacy.country);
    s.send_back(&mut pack, &pharmacy, &disposer);
    s.wait_hours(8..50);
    s.receive(&mut pack, &disposer);
    s.wait_hours(4..30);
    s.destroy(&mut pack, &disposer);
    s.wait_hours(10..60);
    s.at_work(disposer.country);
    let ghost = if s.one_in(2) {
        log::shipped(pack.token(), disposer.address, stock.route.second_wholesaler.address, s.now)
    } else {
        log::inspected(pack.token(), disposer.address, s.now)
    };
    s.send(&disposer, pack.contract.chain, vec![ghost]);
    s.plant("ST-03", "after-destroying", pack.subject(), &["SQ-02"]);
    s.sell_off(&pharmacy, stock.packs);
    Ok(())
}

/// ST-03: what a pharmacy has withdrawn as damaged, it ships on.
pub(crate) fn after_inactive(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = shelf(s)? else { return Ok(()) };
    let pharmacy = stock.route.pharmacy;
    s.at_work(pharmacy.country);
    s.decommission(&mut pack, &pharmacy, Reason::Damaged);
    s.wait_hours(10..60);
    s.at_work(pharmacy.country);
    s.ship(&mut pack, &pharmacy, &stock.route.second_wholesaler);
    s.plant("ST-03", "after-inactive", pack.subject(), &["SQ-02"]);
    s.sell_off(&pharmacy, stock.packs);
    Ok(())
}

/// ST-04: a recalled pack is dispensed.
pub(crate) fn recalled_dispensed(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = shelf(s)? else { return Ok(()) };
    let pharmacy = stock.route.pharmacy;
    s.recall_lot(&stock.lot);
    s.at_work(pharmacy.country);
    s.dispense(std::slice::from_mut(&mut pack), &pharmacy);
    s.plant("ST-04", "dispensed", pack.subject(), &[]);
    withdraw(s, &pharmacy, stock.packs);
    Ok(())
}

/// ST-04: a wholesaler ships a recalled pack onward.
pub(crate) fn recalled_moved(s: &mut Script<'_>) -> Result<()> {
    let mut stock = s.stock(Stage::Wholesaler, 3, MARKETS)?;
    let Some(mut pack) = stock.packs.pop() else { return Ok(()) };
    let wholesaler = stock.holder;
    s.recall_lot(&stock.lot);
    s.at_work(wholesaler.country);
    let to = if s.one_in(2) { stock.route.pharmacy } else { stock.route.second_wholesaler };
    s.ship(&mut pack, &wholesaler, &to);
    s.plant("ST-04", "moved", pack.subject(), &["SQ-02"]);
    withdraw(s, &wholesaler, stock.packs);
    Ok(())
}

/// Recalled packs are held and destroyed, as they should be.
fn withdraw(s: &mut Script<'_>, holder: &Actor, packs: Vec<Item>) {
    for mut pack in packs {
        s.wait_hours(2..10);
        s.at_work(holder.country);
        s.quarantine(&pack, holder);
        s.wait_hours(5..30);
        s.destroy(&mut pack, holder);
    }
}

/// A stock that has expired on the shelf, one pack of it apart, days after its last day.
fn stale(s: &mut Script<'_>, stage: Stage) -> Result<Option<(Stock, Item)>> {
    let begun = s.now;
    let mut stock = s.stock_expiring(stage, 3, MARKETS, Expiry::InDays(SHORT_DATED_DAYS))?;
    s.now = s.now.max(begun + (SHORT_DATED_DAYS + 3) * DAY_SECS);
    s.wait_hours(2..40);
    s.at_work(stock.holder.country);
    Ok(stock.packs.pop().map(|pack| (stock, pack)))
}

/// ST-05: a pharmacy dispenses an expired pack.
pub(crate) fn expired_dispensed(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = stale(s, Stage::Pharmacy)? else { return Ok(()) };
    s.dispense(std::slice::from_mut(&mut pack), &stock.holder);
    s.plant("ST-05", "dispensed", pack.subject(), &[]);
    dispose(s, stock);
    Ok(())
}

/// ST-05: a wholesaler ships an expired pack to a pharmacy.
pub(crate) fn expired_moved(s: &mut Script<'_>) -> Result<()> {
    let Some((stock, mut pack)) = stale(s, Stage::Wholesaler)? else { return Ok(()) };
    s.ship(&mut pack, &stock.holder, &stock.route.pharmacy);
    s.plant("ST-05", "moved", pack.subject(), &["SQ-02"]);
    dispose(s, stock);
    Ok(())
}

/// The other expired packs go where they belong.
fn dispose(s: &mut Script<'_>, stock: Stock) {
    for mut pack in stock.packs {
        s.wait_hours(2..10);
        s.send_back(&mut pack, &stock.holder, &stock.route.disposer);
        s.wait_hours(8..40);
        s.receive(&mut pack, &stock.route.disposer);
        s.wait_hours(3..20);
        s.destroy(&mut pack, &stock.route.disposer);
    }
}

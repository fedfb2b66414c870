//! Lawful movements that a naive reader would flag.

use crate::error::Result;
use crate::story::delivery::{Stage, Stock};
use crate::story::goods::Item;
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::DAY_SECS;
use crate::world::country::{BR, CH, CountryId, DE, FR, IT, US};
use crate::world::party::{Actor, licence};
use model::registry::{LicenceStatus, LicenceType, Role, Validity};

const ANYWHERE: &[CountryId] = &[US, DE, FR, IT, CH, BR];

/// Received first, shipped afterwards with an earlier time.
pub(crate) fn uploaded_late(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 4, ANYWHERE)?;
    let pharmacy = stock.route.pharmacy;
    let mut packs = stock.packs;
    for pack in &mut packs {
        s.wait_hours(1..10);
        s.deliver_uploaded_late(pack, &stock.holder, &pharmacy);
    }
    s.sell_off(&pharmacy, packs);
    Ok(())
}

/// Shipped to the wrong pharmacy, voided, shipped to the right one.
pub(crate) fn voided(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 4, ANYWHERE)?;
    let (wrong, right) = (stock.route.second_pharmacy, stock.route.pharmacy);
    let mut packs = stock.packs;
    for pack in &mut packs {
        s.deliver_after_void(pack, &stock.holder, &wrong, &right);
    }
    s.sell_off(&right, packs);
    Ok(())
}

/// The holder of a case ships or sells what is in it, with no unpacking on the chain.
pub(crate) fn taken_from_case(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(ANYWHERE)?;
    let lot = s.lot(&route, "L", Expiry::Far)?;
    s.at_work(route.maker.country);
    let packs = s.commission(&route.maker, &lot, 6)?;
    let Some(mut case) = s.pack(&route.maker, packs)? else { return Ok(()) };
    s.wait_hours(6..30);
    s.deliver_plainly(&mut case, &route.maker, &route.wholesaler);
    s.wait_hours(3..20);
    let mut rest = case.inside.split_off(2);
    for pack in &mut case.inside {
        s.deliver_plainly(pack, &route.wholesaler, &route.pharmacy);
        s.wait_hours(4..30);
        s.dispense(std::slice::from_mut(pack), &route.pharmacy);
    }
    std::mem::swap(&mut case.inside, &mut rest);
    s.deliver_plainly(&mut case, &route.wholesaler, &route.second_pharmacy);
    s.sell_off(&route.second_pharmacy, case.inside);
    Ok(())
}

/// A logistics company takes a maker's goods in, keeps them, and ships them to the buyer; it never owns them.
pub(crate) fn held_by_agent(s: &mut Script<'_>) -> Result<()> {
    let (mut stock, agent) = with_agent(s, Stage::Maker)?;
    let route = stock.route;
    for pack in &mut stock.packs {
        s.deliver_plainly(pack, &route.maker, &agent);
        s.wait_days(1..3);
        s.deliver_plainly(pack, &agent, &route.wholesaler);
        s.wait_hours(5..40);
        s.deliver_plainly(pack, &route.wholesaler, &route.pharmacy);
    }
    s.sell_off(&route.pharmacy, stock.packs);
    Ok(())
}

/// A logistics company receives and ships in its own name what its principal holds.
pub(crate) fn declared_by_agent(s: &mut Script<'_>) -> Result<()> {
    let (mut stock, agent) = with_agent(s, Stage::Maker)?;
    let route = stock.route;
    for pack in &mut stock.packs {
        s.at_work(route.maker.country);
        s.ship(pack, &route.maker, &route.wholesaler);
        s.wait_hours(5..40);
        s.receive_for(pack, &agent, route.wholesaler.address);
        s.wait_hours(20..60);
        s.deliver_plainly(pack, &agent, &route.pharmacy);
    }
    s.sell_off(&route.pharmacy, stock.packs);
    Ok(())
}

/// A stock whose maker and wholesaler are served by the same logistics company: both are in its country.
fn with_agent(s: &mut Script<'_>, stage: Stage) -> Result<(Stock, Actor)> {
    let stock = s.stock(stage, 3, &[US, IT, CH, BR])?;
    let agent = s.world.actor(Role::Logistics, stock.route.market, 0)?;
    Ok((stock, agent))
}

/// A pharmacy sends packs back to where it had them from; they are verified and sold elsewhere.
pub(crate) fn saleable_return(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 4, ANYWHERE)?;
    let route = stock.route;
    let mut packs = stock.packs;
    let unmarked = s.one_in(3);
    for pack in &mut packs {
        s.at_work(route.market);
        if unmarked {
            s.ship(pack, &route.pharmacy, &route.wholesaler);
        } else {
            s.send_back(pack, &route.pharmacy, &route.wholesaler);
        }
        s.wait_hours(6..40);
        s.receive(pack, &route.wholesaler);
        s.wait_hours(2..20);
        s.inspect(pack, &route.wholesaler);
        s.wait_hours(2..20);
        s.deliver_plainly(pack, &route.wholesaler, &route.second_pharmacy);
    }
    s.sell_off(&route.second_pharmacy, packs);
    Ok(())
}

/// A pharmacy that is entered in the registry in the middle of the story gets its first packs days later.
pub(crate) fn newcomer(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 4, ANYWHERE)?;
    let opened = s.now - s.now.rem_euclid(DAY_SECS);
    let validity = Validity { from_secs: opened, to_secs: i64::MAX, known_from_secs: opened };
    let pharmacy = s.newcomer(Role::Dispenser, stock.route.market, validity)?;
    s.wait_days(3..6);
    sell_through(s, stock.packs, &stock.holder, &pharmacy)
}

/// A pharmacy's licence ends while it holds packs; the next one begins at the same moment.
pub(crate) fn renewed_licence(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 5, ANYWHERE)?;
    let pharmacy = s.newcomer(Role::Dispenser, stock.route.market, Validity::ALWAYS)?;
    let renewal = (s.now + 4 * DAY_SECS).div_euclid(DAY_SECS) * DAY_SECS;
    s.rows.licences.retain(|licence| licence.party != pharmacy.gln);
    for (from_secs, to_secs) in [(i64::MIN, renewal), (renewal, i64::MAX)] {
        let validity = Validity { from_secs, to_secs, known_from_secs: i64::MIN };
        let row = licence(&pharmacy, LicenceType::Dispensing, LicenceStatus::Active, validity);
        s.rows.licences.push(row);
    }
    sell_through(s, stock.packs, &stock.holder, &pharmacy)
}

fn sell_through(s: &mut Script<'_>, mut packs: Vec<Item>, from: &Actor, pharmacy: &Actor) -> Result<()> {
    for pack in &mut packs {
        s.deliver_plainly(pack, from, pharmacy);
        s.wait_hours(4..40);
        s.dispense(std::slice::from_mut(pack), pharmacy);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::contract::gs1_pack as log;
    use crate::world::World;

    #[test]
    fn an_agent_never_owns_what_it_holds() {
        let world = World::new(&Config::new(5)).unwrap();
        let mut s = Script::new(&world, 1, crate::world::START_SECS, 0);
        held_by_agent(&mut s).unwrap();
        let agents: Vec<_> = ANYWHERE
            .iter()
            .map(|at| world.actor(Role::Logistics, *at, 0).unwrap().address.into_word())
            .collect();
        let transfer = log::transfer(
            log::Token { contract: world.contracts.packs.address, id: alloy_primitives::U256::ZERO },
            alloy_primitives::Address::ZERO,
            alloy_primitives::Address::ZERO,
        );
        let logs = s.drafts.iter().flat_map(|draft| &draft.logs);
        let owners =
            logs.filter(|l| l.data.topics()[0] == transfer.data.topics()[0]).map(|l| l.data.topics()[2]);
        assert!(owners.into_iter().all(|owner| !agents.contains(&owner)));
        assert!(s.rows.lots.iter().all(|lot| lot.quantity == Some(3)), "{:?}", s.rows.lots);
    }
}

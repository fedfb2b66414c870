//! Lawful ways for an identity to come into being other than its owner's own minting.

use crate::contract::gs1_pack as log;
use crate::error::Result;
use crate::story::delivery::Stage;
use crate::story::goods::Item;
use crate::story::issuing::Expiry;
use crate::story::script::Script;
use crate::world::CONTRACT_LOT_PREFIX;
use crate::world::contracts::ContractRef;
use crate::world::country::{CH, DE, FR, IT, US};
use alloy_primitives::{Address, Log};
use model::event::Reason;
use rand::Rng;

/// A contract maker commissions under a delegation, ships to the product's owner, who sells on.
pub(crate) fn under_delegation(s: &mut Script<'_>) -> Result<()> {
    let delegations = &s.world.registry.delegations;
    let delegation = delegations[s.rng.random_range(0..delegations.len())].clone();
    let product =
        s.world.products.iter().position(|product| Some(product.gtin) == delegation.gtin).unwrap_or(0);
    let market = s.world.products[product].markets[0];
    let route = s.route_of(product, market)?;
    let agent = s.world.actor_by_gln(delegation.agent).unwrap_or(route.maker);
    let lot = s.lot(&route, CONTRACT_LOT_PREFIX, Expiry::Far)?;
    s.at_work(agent.country);
    let packs = s.commission(&agent, &lot, 6)?;
    let Some(mut case) = s.pack(&agent, packs)? else { return Ok(()) };
    s.wait_hours(4..30);
    s.deliver(&mut case, &agent, &route.maker);
    s.wait_hours(10..40);
    s.deliver(&mut case, &route.maker, &route.wholesaler);
    s.wait_hours(4..30);
    s.deliver(&mut case, &route.wholesaler, &route.pharmacy);
    let packs = s.unpack(case, &route.pharmacy);
    s.sell_off(&route.pharmacy, packs);
    Ok(())
}

/// Packs commissioned on the first version of the registry are burnt there and minted on the new one by their maker.
pub(crate) fn migrated(s: &mut Script<'_>) -> Result<()> {
    let route = s.route(&[US, DE, FR, CH])?;
    let mut lot = s.lot(&route, "M", Expiry::Far)?;
    lot.contract = s.world.contracts.packs_v1;
    s.at_work(route.maker.country);
    let mut packs = s.commission(&route.maker, &lot, 5)?;
    s.wait_days(2..6);
    s.at_work(route.maker.country);
    for pack in &mut packs {
        let gone = [
            log::decommissioned(pack.token(), route.maker.address, Reason::Migrated, s.now),
            log::transfer(pack.token(), route.maker.address, Address::ZERO),
        ];
        s.send(&route.maker, lot.contract.chain, gone.to_vec());
    }
    s.wait_hours(1..8);
    let successor = s.world.contracts.packs;
    let mut logs = Vec::with_capacity(packs.len() * 2);
    for pack in &mut packs {
        logs.extend(reborn_on(s, successor, pack, route.maker.address));
    }
    s.send(&route.maker, successor.chain, logs);
    lot.contract = successor;
    s.wait_hours(8..40);
    let stock = s.bring(route, lot, packs, Stage::Pharmacy)?;
    s.sell_off(&route.pharmacy, stock.packs);
    Ok(())
}

/// A pack is locked on the first chain, wrapped on the second by its holder, and sold there.
pub(crate) fn bridged(s: &mut Script<'_>) -> Result<()> {
    let Some(bridge) = s.world.contracts.bridged else { return Ok(()) };
    let stock = s.stock(Stage::Wholesaler, 3, &[US, DE, IT, CH])?;
    let (route, holder) = (stock.route, stock.holder);
    let mut packs = stock.packs;
    for pack in &mut packs {
        s.decommission(pack, &holder, Reason::Bridged);
    }
    s.wait_secs(1_200..9_000);
    for pack in &mut packs {
        let logs = reborn_on(s, bridge, pack, holder.address);
        s.send(&holder, bridge.chain, logs);
    }
    for pack in &mut packs {
        s.wait_hours(6..40);
        s.deliver_plainly(pack, &holder, &route.pharmacy);
        s.wait_hours(8..60);
        s.dispense(std::slice::from_mut(pack), &route.pharmacy);
    }
    Ok(())
}

/// A pack gets a new token of another contract, owned by `holder`, under the identity that it has: the logs of its minting.
fn reborn_on(s: &mut Script<'_>, contract: ContractRef, pack: &mut Item, holder: Address) -> Vec<Log> {
    let Some(print) = pack.print.clone() else { return Vec::new() };
    (pack.contract, pack.id, pack.owner) = (contract, s.new_id(), holder);
    let minted = log::transfer(pack.token(), Address::ZERO, holder);
    vec![minted, print.told(|name| log::commissioned(pack.token(), holder, name, s.now))]
}

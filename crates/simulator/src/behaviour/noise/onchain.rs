//! Noise of the chain itself: token housekeeping, plain tokens, quantities.

use crate::contract::gs1_pack::{self, Token};
use crate::contract::tokens::{self, Movement};
use crate::error::Result;
use crate::keys::{KeyName, derive};
use crate::story::delivery::Stage;
use crate::story::script::Script;
use crate::world::country::{BR, CH, CountryId, DE, FR, IT, US};
use crate::world::party::{Actor, Signer};
use alloy_primitives::{Address, U256};
use model::registry::Role;
use rand::Rng;

const ANYWHERE: &[CountryId] = &[US, DE, FR, IT, CH, BR];

/// Owners approve operators, move tokens to themselves, and the administrator refreshes all metadata and grants a role.
pub(crate) fn token_housekeeping(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 3, ANYWHERE)?;
    let (holder, contract) = (stock.holder, stock.lot.contract);
    let (_, operator) = s.stranger()?;
    for pack in &stock.packs {
        s.send(
            &holder,
            contract.chain,
            vec![gs1_pack::transfer(pack.token(), holder.address, holder.address)],
        );
        let approval = tokens::approval(contract.address, holder.address, operator, pack.id);
        s.send(&holder, contract.chain, vec![approval]);
    }
    for approved in [true, false] {
        let log = tokens::approval_for_all(contract.address, holder.address, operator, approved);
        s.send(&holder, contract.chain, vec![log]);
        s.wait_hours(1..20);
    }
    s.send_as(KeyName::Admin, contract.chain, vec![tokens::all_metadata_updated(contract.address)]);
    s.sell_off(&holder, stock.packs);
    Ok(())
}

/// The deployment of a contract: its owner is set and its administrator gets the roles.
pub(crate) fn deployment(s: &mut Script<'_>, chain: usize, contract: Address) {
    let admin = s.world.contracts.admin;
    let role =
        |name: &str| if name.is_empty() { Default::default() } else { alloy_primitives::keccak256(name) };
    let mut logs = vec![tokens::ownership_transferred(contract, Address::ZERO, admin)];
    logs.extend(
        ["", "MINTER_ROLE", "PAUSER_ROLE"]
            .map(|name| tokens::role_granted(contract, role(name), admin, admin)),
    );
    s.send_as(KeyName::Admin, chain, logs);
}

/// A party of a role that signs with one key: a plain token's reader takes the sender for the actor.
fn single_key(s: &mut Script<'_>, role: Role, country: CountryId) -> Result<Actor> {
    let first: usize = s.rng.random_range(0..100);
    let mut actor = s.world.actor(role, country, first)?;
    if matches!(actor.signer, Signer::Multisig(..)) {
        actor = s.world.actor(role, country, first + 1)?;
    }
    Ok(actor)
}

/// Vials made for one patient each are plain tokens: minted, passed on in one step, burnt when used.
pub(crate) fn vials(s: &mut Script<'_>) -> Result<()> {
    let country = ANYWHERE[s.rng.random_range(0..ANYWHERE.len())];
    let maker = single_key(s, Role::Manufacturer, country)?;
    let wholesaler = single_key(s, Role::Wholesaler, country)?;
    let pharmacy = single_key(s, Role::Dispenser, country)?;
    let contract = s.world.contracts.vials;
    for _ in 0..4 {
        let token = Token { contract: contract.address, id: s.new_id() };
        s.at_work(country);
        let hands = [Address::ZERO, maker.address, wholesaler.address, pharmacy.address, Address::ZERO];
        let senders = [maker, maker, wholesaler, pharmacy];
        for (pair, sender) in hands.windows(2).zip(senders) {
            s.send_own(&sender, contract.chain, vec![gs1_pack::transfer(token, pair[0], pair[1])]);
            s.wait_hours(5..40);
        }
    }
    Ok(())
}

/// Quantities of a lot are minted, moved in singles and batches, and used up; no balance goes below zero.
pub(crate) fn lot_quantities(s: &mut Script<'_>) -> Result<()> {
    let country = ANYWHERE[s.rng.random_range(0..ANYWHERE.len())];
    let maker = single_key(s, Role::Manufacturer, country)?;
    let wholesaler = single_key(s, Role::Wholesaler, country)?;
    let contract = s.world.contracts.lots;
    let lots = [s.new_id(), s.new_id(), s.new_id()];
    let movement =
        |by: &Actor, from, to| Movement { contract: contract.address, operator: by.address, from, to };
    s.at_work(country);
    let entries: Vec<(U256, u64)> = lots.iter().map(|id| (*id, 1_000)).collect();
    let minted = tokens::transfer_batch(movement(&maker, Address::ZERO, maker.address), &entries);
    s.send_own(&maker, contract.chain, vec![minted]);
    for id in lots {
        let uri = format!("https://lots.example/{}", derive(s.world.seed, &id.to_string()));
        s.send_own(&maker, contract.chain, vec![tokens::uri(contract.address, id, &uri)]);
        s.wait_hours(3..30);
        let sold = s.rng.random_range(100..900);
        let moved = tokens::transfer_single(movement(&maker, maker.address, wholesaler.address), id, sold);
        s.send_own(&maker, contract.chain, vec![moved]);
        s.wait_hours(8..60);
        let used =
            tokens::transfer_single(movement(&wholesaler, wholesaler.address, Address::ZERO), id, sold / 2);
        s.send_own(&wholesaler, contract.chain, vec![used]);
    }
    Ok(())
}

//! Frauds of identity: clones (ID-01) and identities that come back from the dead (MI-03).

use crate::behaviour::fraud::MARKETS;
use crate::contract::gs1_pack::{self as log, Token};
use crate::error::Result;
use crate::story::delivery::{Stage, Stock};
use crate::story::goods::Item;
use crate::story::script::Script;
use crate::world::contracts::ContractRef;
use crate::world::party::Actor;
use alloy_primitives::Address;
use model::event::Reason;

/// `by` mints another token with the print of a pack.
fn mint_again(s: &mut Script<'_>, pack: &Item, by: &Actor, contract: ContractRef) {
    let Some(print) = &pack.print else { return };
    let token = Token { contract: contract.address, id: s.new_id() };
    let named = print.told(|name| log::commissioned(token, by.address, name, s.now));
    s.send(by, contract.chain, vec![log::transfer(token, Address::ZERO, by.address), named]);
}

/// ID-01: the maker's own key mints a serial that is alive on a shelf.
pub(crate) fn same_contract(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 3, MARKETS)?;
    let contract = stock.lot.contract;
    clone_one(s, stock, contract, "same-contract")
}

/// ID-01: the serial appears a second time on the partners' registry.
pub(crate) fn partner_contract(s: &mut Script<'_>) -> Result<()> {
    let stock = s.stock(Stage::Wholesaler, 3, MARKETS)?;
    let contract = s.world.contracts.partner;
    clone_one(s, stock, contract, "partner-contract")
}

/// ID-01: the serial appears on the second chain, and was never locked on the first.
pub(crate) fn other_chain(s: &mut Script<'_>) -> Result<()> {
    let Some(contract) = s.world.contracts.bridged else { return Ok(()) };
    let stock = s.stock(Stage::Pharmacy, 3, MARKETS)?;
    clone_one(s, stock, contract, "other-chain")
}

fn clone_one(s: &mut Script<'_>, stock: Stock, contract: ContractRef, variant: &'static str) -> Result<()> {
    let maker = stock.route.maker;
    let mut packs = stock.packs;
    let Some(target) = packs.pop() else { return Ok(()) };
    s.at_work(maker.country);
    mint_again(s, &target, &maker, contract);
    s.plant("ID-01", variant, target.subject(), &["ID-08"]);
    s.wait_hours(5..30);
    if stock.holder == stock.route.pharmacy {
        s.sell_off(&stock.holder, packs);
    }
    Ok(())
}

/// MI-03: a serial that was withdrawn as damaged is commissioned again.
pub(crate) fn after_decommissioning(s: &mut Script<'_>) -> Result<()> {
    raise_from_the_dead(s, "after-decommissioning", |s, pack, holder| {
        s.decommission(pack, holder, Reason::Damaged)
    })
}

/// MI-03: a serial whose pack was destroyed, and whose token was burnt, is commissioned again.
pub(crate) fn after_destroying(s: &mut Script<'_>) -> Result<()> {
    raise_from_the_dead(s, "after-destroying", |s, pack, holder| s.destroy(pack, holder))
}

fn raise_from_the_dead(
    s: &mut Script<'_>,
    variant: &'static str,
    end: fn(&mut Script<'_>, &mut Item, &Actor),
) -> Result<()> {
    let stock = s.stock(Stage::Pharmacy, 3, MARKETS)?;
    let (maker, pharmacy, contract) = (stock.route.maker, stock.route.pharmacy, stock.lot.contract);
    let mut packs = stock.packs;
    let Some(mut target) = packs.pop() else { return Ok(()) };
    end(s, &mut target, &pharmacy);
    s.wait_hours(20..90);
    s.at_work(maker.country);
    mint_again(s, &target, &maker, contract);
    s.plant("MI-03", variant, target.subject(), &["ID-01", "ID-08"]);
    s.sell_off(&pharmacy, packs);
    Ok(())
}

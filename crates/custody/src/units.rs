//! Units: the ledger of tokens that are held in quantities by several owners (ERC-1155).
//!
//! A token stands for a lot, or for nothing that anyone named yet; who has how many of it follows the chain's own words,
//! transfer by transfer. Steps of custody are about single items and leave it alone.
//!
//! A standard contract cannot move more than the holder has, but a hostile one can log it, and a history that begins
//! after the first mint looks the same. The receiver gets what the log says, as an owner always follows the chain; the
//! holder's balance ends at zero and never below, and one that would pass 2²⁵⁶ − 1 stays there. Where the contract's
//! history is complete from our first block this is inflation and MI-05 raises it; where it is not, the missing units
//! are taken for older than our first block, and nobody is accused.

use crate::decode::Profiles;
use crate::decode::profile::Standard;
use crate::numbers::Numbers;
use crate::rows::Rows;
use crate::state::{ChainState, HolderId, TokenId};
use model::chain::{ChainId, LogPosition};
use model::event::{Event, EventKind};
use model::{Address, U256};
use serde::{Deserialize, Serialize};

/// What someone has of a token. There is one for each token and holder with more than nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// How many units, above zero.
    pub units: U256,
    /// The event since which there are so many.
    pub from: LogPosition,
    /// The same as block time, Unix seconds.
    pub from_secs: i64,
}

/// Units that an event moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whom they leave; `None` for a mint.
    pub from: Option<Address>,
    /// Whom they reach; `None` for a burn.
    pub to: Option<Address>,
    /// How many.
    pub units: U256,
    /// Is the history of their contract complete from our first block?
    pub complete_history: bool,
}

/// What `event` moves, if its token is held in quantities.
pub fn moved(profiles: &Profiles, chain: ChainId, event: &Event) -> Option<Moved> {
    let (units, from, to) = (event.quantity?, event.from?, event.to?);
    let contract = profiles.watched(chain, event.token_contract, event.position.block);
    let profile = contract.map(|contract| &contract.profile);
    let in_units = match event.kind {
        EventKind::TransferQuantity => true,
        EventKind::Commissioning | EventKind::Accepting | EventKind::Decommissioning => {
            profile.is_some_and(|profile| profile.standard == Standard::Erc1155)
        }
        _ => false,
    };
    let someone = |address: Address| Some(address).filter(|address| !address.is_zero());
    in_units.then(|| Moved {
        from: someone(from),
        to: someone(to),
        units,
        complete_history: profile.is_some_and(|profile| profile.observability.complete_history),
    })
}

/// How many units of `token` an address has.
pub fn held(state: &ChainState, token: TokenId, address: Address) -> U256 {
    let holder = state.holders.find(&address);
    let balance = holder.and_then(|holder| state.balances.get(&(token, holder)));
    balance.map_or(U256::ZERO, |balance| balance.units)
}

/// What is impossible in a movement, in words: more than the holder has, or more than anyone can have.
pub fn impossible(state: &ChainState, token: Option<TokenId>, moved: &Moved) -> Option<String> {
    let held = |address| token.map_or(U256::ZERO, |token| held(state, token, address));
    if let Some(from) = moved.from {
        let has = held(from);
        if has < moved.units {
            return Some(format!("{} units leave {from}, who has {has}", moved.units));
        }
    }
    let to = moved.to.filter(|to| Some(*to) != moved.from)?;
    let has = held(to);
    let sum = has.checked_add(moved.units);
    sum.is_none().then(|| format!("{} units reach {to}, who has {has}: more than 2^256 - 1", moved.units))
}

/// Takes a movement into the ledger. Gives the numbers of the event, with its token.
pub fn take(
    state: &mut ChainState,
    event: &Event,
    (moved, numbers): (&Moved, Numbers),
    rows: &mut Rows,
) -> Numbers {
    if moved.units.is_zero() || moved.from == moved.to {
        return numbers;
    }
    let numbers = numbers.with_token(state, event);
    let Some(token) = numbers.token else { return numbers };
    if let Some(holder) = moved.from.and_then(|from| state.holders.find(&from)) {
        change(state, (token, holder), |units| units.saturating_sub(moved.units), event, rows);
    }
    if let Some(holder) = moved.to.and_then(|to| state.holders.find(&to)) {
        change(state, (token, holder), |units| units.saturating_add(moved.units), event, rows);
    }
    let gone = moved.to.is_none() && balances(state, token).next().is_none();
    let block = event.position.block;
    state.tokens.change(token, |entry| {
        entry.in_units = true;
        entry.updated = event.position;
        if moved.from.is_none() {
            entry.minted_block = entry.minted_block.or(Some(block));
        }
        entry.burnt_block = gone.then_some(block);
    });
    numbers
}

/// Who has how much of `token`.
pub fn balances(state: &ChainState, token: TokenId) -> impl Iterator<Item = (HolderId, &Balance)> {
    let all = (token, HolderId::MIN)..=(token, HolderId::MAX);
    state.balances.range(all).map(|((_, holder), balance)| (*holder, balance))
}

fn change(
    state: &mut ChainState,
    (token, holder): (TokenId, HolderId),
    units: impl FnOnce(U256) -> U256,
    event: &Event,
    rows: &mut Rows,
) {
    let old = state.balances.get(&(token, holder)).copied();
    let before = old.map_or(U256::ZERO, |old| old.units);
    let after = units(before);
    if after == before {
        return;
    }
    let balance = Balance { units: after, from: event.position, from_secs: event.block_time_secs };
    let new = Some(balance).filter(|balance| !balance.units.is_zero());
    rows.units_changed(state, (token, holder), old.as_ref(), new.as_ref(), event);
    state.balances.set((token, holder), new);
}

#[cfg(test)]
mod tests;

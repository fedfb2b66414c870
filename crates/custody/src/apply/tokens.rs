//! Tokens: what the chain itself says of them. The owner on the chain always follows the chain, whatever custody says.

use super::{Named, Setting};
use crate::cases::SubjectKey;
use crate::explain::{self, By};
use crate::lineage::{Descent, End, Link};
use crate::numbers::Numbers;
use crate::rows::Rows;
use crate::rules;
use crate::state::{ChainState, ItemId, TokenId};
use crate::timers;
use crate::units;
use model::Address;
use model::event::{Event, EventKind, Reason};
use model::item::ItemKey;
use model::registry::AnnouncementKind;

/// What happens to tokens, whatever custody says: the owner on the chain always follows the chain.
pub(super) fn take(state: &mut ChainState, event: &Event, named: &mut Named, rows: &mut Rows) {
    if !named.believed {
        return;
    }
    if let Some(moved) = &named.units {
        named.numbers = units::take(state, event, (moved, named.numbers), rows);
        return;
    }
    let moves = match event.kind {
        EventKind::Transfer => true,
        EventKind::Commissioning | EventKind::Accepting | EventKind::Decommissioning => {
            event.from.is_some() && event.to.is_some()
        }
        _ => false,
    };
    if moves {
        named.numbers = named.numbers.with_token(state, event);
        take_transfer(state, event, &named.numbers, rows);
    }
    let reason = event.reason.unwrap_or(Reason::Unspecified);
    let leaves =
        event.kind == EventKind::Decommissioning && matches!(reason, Reason::Migrated | Reason::Bridged);
    if let (true, Some(token)) = (leaves, named.numbers.token) {
        state.tokens.change(token, |entry| {
            entry.burnt_block = entry.burnt_block.or(Some(event.position.block));
            entry.updated = event.position;
        });
        if let Some(item) = named.item {
            old_token_ended(state, item, event);
        }
    }
}

fn take_transfer(state: &mut ChainState, event: &Event, numbers: &Numbers, rows: &mut Rows) {
    let Some(token) = numbers.token else { return };
    let (position, secs) = (event.position, event.block_time_secs);
    let old = state.tokens.get(token);
    let owner = numbers.to;
    if owner == old.owner && owner.is_some() {
        return;
    }
    state.tokens.change(token, |entry| {
        entry.owner = owner;
        entry.owned_from = position;
        entry.owned_from_secs = secs;
        entry.updated = position;
        if event.from == Some(Address::ZERO) {
            entry.minted_block = entry.minted_block.or(Some(position.block));
            entry.burnt_block = None;
        }
        if owner.is_none() {
            entry.burnt_block = Some(position.block);
        }
    });
    if let Some(item) = old.item {
        if owner.is_none() {
            old_token_ended(state, item, event);
        }
        // The item's row shows the owner: it is written again.
        state.items.change(item, |_| {});
        rows.owner_ends(state, item, token, &old, event);
        rows.owner_begins(state, item, token);
    }
}

/// May metadata say which item the event's token stands for? Not where steps told another story of it.
pub(super) fn may_be_named(state: &ChainState, event: &Event, named: &Named) -> bool {
    let told = named.numbers.token.and_then(|token| state.tokens.get(token).item);
    super::claimed_key(event).is_some() && told.is_none_or(|item| state.items.get(item).steps == 0)
}

/// Makes the event's token an alias of the item.
pub(super) fn bind(
    state: &mut ChainState,
    setting: &Setting<'_>,
    event: &Event,
    (item, named): (ItemId, &Named),
    rows: &mut Rows,
) {
    let Some(token) = named.numbers.token else { return };
    let entry = state.tokens.get(token);
    let commissioned = (event.kind == EventKind::Commissioning).then_some(event.position);
    if entry.item == Some(item) && commissioned.is_none() {
        return;
    }
    state.tokens.change(token, |entry| {
        if entry.item.is_some_and(|before| before != item) {
            entry.owned_from = event.position;
            entry.owned_from_secs = event.block_time_secs;
        }
        entry.item = Some(item);
        entry.commissioned = entry.commissioned.or(commissioned);
        entry.updated = event.position;
    });
    if entry.item != Some(item) {
        descent(state, setting, event, (item, token, entry.item), rows);
        if let Some(before) = entry.item {
            rows.owner_ends(state, before, token, &entry, event);
            state.items.change(before, |_| {});
        }
        rows.owner_begins(state, item, token);
        for (holder, balance) in units::balances(state, token) {
            rows.units_renamed(state, (token, holder), entry.item, balance, event);
        }
    }
    match state.items.get(item).token {
        None => state.items.change(item, |entry| entry.token = Some(token)),
        Some(first) if first != token => state.aliases.set((item, token), Some(())),
        Some(_) => {}
    }
}

/// Tells where the item or its name came from, when `token` begins to stand for it and no longer for `before`.
fn descent(
    state: &ChainState,
    setting: &Setting<'_>,
    event: &Event,
    (item, token, before): (ItemId, TokenId, Option<ItemId>),
    rows: &mut Rows,
) {
    let result = End::of(state, item, Some(token));
    if let Some(before) = before {
        let unnamed = matches!(state.items.key(before), ItemKey::Token(_));
        let link = if unnamed { Link::Named } else { Link::Relabelled };
        let source = End::of(state, before, Some(token));
        rows.lineage.tell(Descent::new(event, link, result.clone(), Some(source)));
    }
    let place = |token: TokenId| (state.chain, *state.contracts.key(state.tokens.key(token).0));
    let announced = |other: &TokenId| {
        let kind = setting.registry.announced(place(*other), place(token), event.judged_at_secs());
        kind.map(|kind| (*other, kind))
    };
    let mut others = state.tokens_of(item).filter(|other| *other != token);
    if let Some((other, kind)) = others.find_map(|other| announced(&other)) {
        let link = match kind {
            AnnouncementKind::Migration => Link::Migrated,
            AnnouncementKind::Bridge => Link::Bridged,
        };
        let source = End::of(state, item, Some(other));
        rows.lineage.tell(Descent::new(event, link, result, Some(source)));
    }
}

/// A second token of the item may have waited for this one to end.
fn old_token_ended(state: &mut ChainState, item: ItemId, event: &Event) {
    let subject = SubjectKey::Item(item);
    timers::stop(state, rules::ID_01, subject);
    explain::explain_rule(state, subject, rules::ID_01, By::Log(event.position));
}

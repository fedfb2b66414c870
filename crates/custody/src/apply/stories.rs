//! Stories: a step of custody goes on with the story that it fits, or begins a branch beside it.

use super::late;
use crate::machine::{Illegal, Verdict};
use crate::numbers::Numbers;
use crate::rows::Rows;
use crate::state::{
    BRANCHES_MAX, Branch, ChainState, HolderId, ItemId, Packing, Shipment, State, Story, Tenure,
};
use model::event::{Event, EventKind};

/// Takes a step into the item's stories.
pub(super) fn take(
    state: &mut ChainState,
    event: &Event,
    (item, numbers): (ItemId, &Numbers),
    verdict: &Verdict,
    rows: &mut Rows,
) {
    let commissioned = event.kind == EventKind::Commissioning && verdict.illegal.is_none();
    let (maker, secs) = (verdict.next.possessor, event.judged_at_secs());
    let again = verdict.illegal == Some(Illegal::DispensedAgain);
    state.items.change(item, |entry| {
        entry.steps = entry.steps.saturating_add(1);
        entry.repeats = if again { entry.repeats.saturating_add(1) } else { entry.repeats };
        if commissioned {
            entry.maker = maker;
            entry.commissioned_secs = Some(secs);
        }
    });
    match verdict.illegal {
        None => {
            follow(state, event, (item, numbers), verdict, rows);
            late::settle(state, event, item, rows);
        }
        Some(_) => branch_off(state, event, (item, numbers), verdict, rows),
    }
}

/// A legal step: the story goes on.
fn follow(
    state: &mut ChainState,
    event: &Event,
    (item, numbers): (ItemId, &Numbers),
    verdict: &Verdict,
    rows: &mut Rows,
) {
    let old = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = numbers.place.or(next.place);
    let declarer = declarer_after(state, (item, verdict.branch), Some(&old), (event, numbers));
    change_story(state, (item, verdict.branch), Some(&old), (next, declarer), event, rows);
}

/// Who declares a story after `event`: the one who acts, since the first of his steps without another's between.
fn declarer_after(
    state: &ChainState,
    (item, branch): (ItemId, u32),
    old: Option<&Story>,
    (event, numbers): (&Event, &Numbers),
) -> Option<Tenure> {
    let told = old.filter(|story| story.state != State::Unknown);
    let before = told.and_then(|story| state.declarer(item, branch, story));
    match numbers.actor {
        Some(holder) if before.is_none_or(|before| before.holder != holder) => {
            Some(Tenure { holder, from: event.position, from_secs: event.judged_at_secs() })
        }
        _ => before,
    }
}

/// Sets a story, with the open shipment and packing that go with it.
pub(super) fn change_story(
    state: &mut ChainState,
    (item, branch): (ItemId, u32),
    old: Option<&Story>,
    (mut next, declarer): (Story, Option<Tenure>),
    event: &Event,
    rows: &mut Rows,
) {
    declare(state, (item, branch), old, (&mut next, declarer), event, rows);
    rows.story_changed(state, (item, branch), old, &next, event);
    state.set_story(item, branch, next);
    let (position, secs) = (event.position, event.judged_at_secs());
    let moved = next.last == position;
    if next.state.is_moving() && moved {
        let shipment = next.possessor.map(|consignor| Shipment {
            consignor,
            consignee: next.consignee,
            shipped: position,
            shipped_secs: secs,
        });
        state.shipments.set((item, branch), shipment);
    } else if !next.state.is_moving() && old.is_some_and(|old| old.state.is_moving()) {
        state.shipments.set((item, branch), None);
    }
    if branch == 0 && old.and_then(|old| old.parent) != next.parent {
        let packing = next.parent.map(|parent| Packing { parent, packed: position, packed_secs: secs });
        state.packings.set(item, packing);
    }
}

/// Sets who declares a story: beside it where that is not just who has it.
fn declare(
    state: &mut ChainState,
    (item, branch): (ItemId, u32),
    old: Option<&Story>,
    (next, declarer): (&mut Story, Option<Tenure>),
    event: &Event,
    rows: &mut Rows,
) {
    let told = old.filter(|story| story.state != State::Unknown);
    let before = told.and_then(|story| state.declarer(item, branch, story));
    rows.declarer_changed(state, (item, branch), before, declarer, event);
    next.declared_apart = declarer != next.possession();
    if next.declared_apart || old.is_some_and(|old| old.declared_apart) {
        state.declarers.set((item, branch), declarer.filter(|_| next.declared_apart));
    }
}

/// An illegal step: the actor's story becomes a branch, unless it only repeats the one that it contradicts.
fn branch_off(
    state: &mut ChainState,
    event: &Event,
    (item, numbers): (ItemId, &Numbers),
    verdict: &Verdict,
    rows: &mut Rows,
) {
    let against = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = numbers.place;
    let tells_nothing_new =
        (against.state, against.possessor, against.consignee) == (next.state, next.possessor, next.consignee);
    if tells_nothing_new {
        return;
    }
    let last = state.branch_numbers(item).last().unwrap_or(0);
    let branch = (last + 1).min(BRANCHES_MAX);
    let old = (branch == last).then(|| state.story(item, branch));
    if old.is_none() {
        state.items.change(item, |entry| entry.branches += 1);
    }
    if old.is_none() {
        let (begun, begun_secs) = (event.position, event.judged_at_secs());
        let rightful = rightful(state, item, &against, verdict.illegal);
        let (kind, actor) = (event.kind, numbers.actor);
        let begins = Branch { story: next, kind, holder: next.possessor, begun, begun_secs, actor, rightful };
        state.branches.set((item, branch), Some(begins));
    }
    let declarer = declarer_after(state, (item, branch), old.as_ref(), (event, numbers));
    change_story(state, (item, branch), old.as_ref(), (next, declarer), event, rows);
}

/// Who could have taken a step that was refused for who took it: who had the item by the story, or was to receive it,
/// and who owns it.
fn rightful(
    state: &ChainState,
    item: ItemId,
    against: &Story,
    illegal: Option<Illegal>,
) -> [Option<HolderId>; 2] {
    let around = state.outermost(against).map_or(*against, |item| state.items.get(item).story);
    match illegal {
        Some(Illegal::NotHolder) => [around.possessor, state.owner_of(item)],
        Some(Illegal::NotParentsHolder) => [around.possessor, None],
        Some(Illegal::WrongReceiver(consignee)) => [Some(consignee), None],
        _ => [None, None],
    }
}

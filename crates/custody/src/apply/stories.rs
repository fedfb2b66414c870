//! Stories: a step of custody goes on with the story that it fits, or begins a branch beside it.

use super::late;
use crate::machine::{Illegal, Verdict};
use crate::rows::Rows;
use crate::state::{BRANCHES_MAX, Branch, ChainState, ItemId, Packing, Shipment, Story};
use model::event::{Event, EventKind};

/// Takes a step into the item's stories.
pub(super) fn take(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
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
            follow(state, event, item, verdict, rows);
            late::settle(state, event, item, rows);
        }
        Some(_) => branch_off(state, event, item, verdict, rows),
    }
}

fn place_of(state: &ChainState, event: &Event) -> Option<u32> {
    event.place.and_then(|place| state.places.find(&place))
}

/// A legal step: the story goes on.
fn follow(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
    let old = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = place_of(state, event).or(next.place);
    change_story(state, (item, verdict.branch), Some(&old), next, event, rows);
}

/// Sets a story, with the open shipment and packing that go with it.
pub(super) fn change_story(
    state: &mut ChainState,
    (item, branch): (ItemId, u32),
    old: Option<&Story>,
    next: Story,
    event: &Event,
    rows: &mut Rows,
) {
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

/// An illegal step: the actor's story becomes a branch, unless it only repeats the one that it contradicts.
fn branch_off(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
    let against = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = place_of(state, event);
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
        let begins = Branch { story: next, kind: event.kind, holder: next.possessor, begun, begun_secs };
        state.branches.set((item, branch), Some(begins));
    }
    change_story(state, (item, branch), old.as_ref(), next, event, rows);
}

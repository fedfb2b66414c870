//! Late uploads: a step that comes after those which follow it shows that they were no contradiction.
//!
//! Someone acts who, by what was uploaded so far, could not: the step begins a branch and may raise an alert. When the
//! missing shipping, receiving or voiding comes, declared no later than that step, the branch was the story all along: it takes
//! the story's place, and the alert is explained.

use super::stories;
use crate::cases::SubjectKey;
use crate::explain::{self, By};
use crate::rows::Rows;
use crate::rules;
use crate::state::{Branch, ChainState, ItemId, Shipment, State, Story, Tenure};
use crate::timers;
use model::event::{Event, EventKind};

/// Takes the branch that `event`, the last step of the item's story, explains for the story.
pub(super) fn settle(state: &mut ChainState, event: &Event, item: ItemId, rows: &mut Rows) {
    let story = state.items.get(item).story;
    if state.items.get(item).branches == 0 || story.last != event.position {
        return;
    }
    let told =
        |number: &u32| state.branches.get(&(item, *number)).is_some_and(|b| explains(event, &story, b));
    let Some(number) = state.branch_numbers(item).find(told) else { return };
    let Some(branch) = take_place(state, (item, number), |_| (), event, rows) else { return };
    let subject = SubjectKey::Item(item);
    let waits = state.pending.get(&(subject, rules::SQ_01.to_owned()));
    if waits.is_some_and(|timer| timer.position == branch.begun) {
        timers::stop(state, rules::SQ_01, subject);
    }
    explain::explain_event(state, subject, branch.begun, By::Log(event.position));
}

/// A branch takes the story's place, as `correct` says that it was; its own intervals end at `event`. Gives the branch.
pub(crate) fn take_place(
    state: &mut ChainState,
    (item, number): (ItemId, u32),
    correct: impl FnOnce(&mut Story),
    event: &Event,
    rows: &mut Rows,
) -> Option<Branch> {
    let story = state.items.get(item).story;
    let branch = end_branch(state, (item, number), event, rows)?;
    let (declarer, sending) = (branch.declarer, branch.sending);
    let mut told = branch.branch.story;
    correct(&mut told);
    let goes_on = continued(state, item, &story, (told, declarer));
    let consignor = goes_on.0.possessor;
    stories::change_story(state, (item, 0), Some(&story), goes_on, event, rows);
    state.story_changed_at(item, event.position);
    if let Some(sending) = sending {
        // Who had it when it was sent is who the story says.
        let shipment = Shipment { consignor: consignor.unwrap_or(sending.consignor), ..sending };
        state.shipments.set((item, 0), Some(shipment));
        rows.shipment_moves(state, item, &shipment);
    }
    Some(branch.branch)
}

/// A branch that is no more, and what stood beside it.
#[derive(Debug)]
struct Ended {
    branch: Branch,
    declarer: Option<Tenure>,
    sending: Option<Shipment>,
}

/// Ends a branch at `event`.
fn end_branch(
    state: &mut ChainState,
    (item, number): (ItemId, u32),
    event: &Event,
    rows: &mut Rows,
) -> Option<Ended> {
    let branch = state.branches.get(&(item, number)).copied()?;
    let declarer = state.declarer(item, number, &branch.story);
    rows.branch_ends(state, (item, number), &branch.story, event);
    rows.declarer_changed(state, (item, number), declarer, None, event);
    state.branches.set((item, number), None);
    if branch.story.declared_apart {
        state.declarers.set((item, number), None);
    }
    let sending = state.shipments.get(&(item, number)).copied();
    state.shipments.set((item, number), None);
    state.items.change(item, |entry| entry.branches = entry.branches.saturating_sub(1));
    Some(Ended { branch, declarer, sending })
}

/// Ends a branch that told nothing but what the story goes on with.
pub(crate) fn drop_branch(
    state: &mut ChainState,
    (item, number): (ItemId, u32),
    event: &Event,
    rows: &mut Rows,
) {
    end_branch(state, (item, number), event, rows);
}

/// The branch as the story goes on with it: who had the item by the late step has it since then.
fn continued(
    state: &ChainState,
    item: ItemId,
    story: &Story,
    (branch, declarer): (Story, Option<Tenure>),
) -> (Story, Option<Tenure>) {
    let mut next = branch;
    if branch.possessor == story.possessor {
        (next.held_from, next.held_from_secs) = (story.held_from, story.held_from_secs);
    }
    let before = state.declarer(item, 0, story);
    let same = before.map(|before| before.holder) == declarer.map(|declarer| declarer.holder);
    (next, if same { before } else { declarer })
}

/// Does the story after `event` lead to what the branch began with?
fn explains(event: &Event, story: &Story, branch: &Branch) -> bool {
    let receives = |kind| matches!(kind, EventKind::Receiving | EventKind::Accepting);
    let holder = branch.holder.is_some() && event.judged_at_secs() <= branch.begun_secs;
    match event.kind {
        EventKind::Shipping | EventKind::Returning => {
            holder && story.state.is_moving() && story.consignee == branch.holder && receives(branch.kind)
        }
        kind if receives(kind) || kind == EventKind::VoidShipping => {
            let commissions = branch.kind == EventKind::Commissioning;
            holder && story.state == State::Active && story.possessor == branch.holder && !commissions
        }
        _ => false,
    }
}

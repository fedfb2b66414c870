//! Branches that a version of the registry makes lawful: whoever acted did so for the one who had the item.
//!
//! Where the story did not go on since, the branch was the story all along and takes its place, as after a late upload.
//! Where it did, both were told; then only the case is closed.

use super::Late;
use crate::apply::late::take_place;
use crate::cases::{self, SubjectKey};
use crate::explain::{self, By};
use crate::rows::Rows;
use crate::state::{Branch, ChainState, ItemId, Story};
use model::event::EventKind;
use std::sync::Arc;

/// Closes the cases of branches that are lawful by the version and were not by the one before.
pub(super) fn settle(state: &mut ChainState, late: &Late<'_>, rows: &mut Rows) {
    if !may_act_otherwise(late) {
        return;
    }
    let lawful = state.branches.iter().filter(|((item, _), branch)| is_lawful(state, late, *item, branch));
    let lawful: Vec<((ItemId, u32), Branch)> = lawful.map(|(key, branch)| (*key, *branch)).collect();
    for ((item, number), branch) in lawful {
        let story = state.items.get(item).story;
        let around = state.outermost(&story).map_or(story, |around| state.items.get(around).story);
        let is_next = story.last < branch.begun;
        if is_next && !fits(branch.kind, &around) {
            // It contradicts the story whoever acts.
            continue;
        }
        if is_next {
            let event = super::event(late, branch.story.last_secs);
            take_place(state, (item, number), |told| correct(told, &branch, &story), &event, rows);
        }
        explain::explain_event(state, SubjectKey::Item(item), branch.begun, By::Registry(late.block));
    }
}

/// Did who may act for whom change?
fn may_act_otherwise(late: &Late<'_>) -> bool {
    let (old, new) = (&late.old.version().rows, &late.new.version().rows);
    !Arc::ptr_eq(old, new)
        && (old.agreements != new.agreements || old.wallets != new.wallets || old.parties != new.parties)
}

fn is_lawful(state: &ChainState, late: &Late<'_>, item: ItemId, branch: &Branch) -> bool {
    let Some(actor) = branch.actor.map(|holder| *state.holders.key(holder)) else { return false };
    let told_of = state.explainable.get(&(SubjectKey::Item(item), branch.begun));
    let gtin = state.items.key(item).gtin();
    branch.rightful.iter().flatten().any(|holder| {
        let pair = (actor, *state.holders.key(*holder));
        late.new.stands_for(state.chain, pair, gtin, branch.begun_secs)
    }) && told_of.is_some_and(|case| cases::stands(state, *case))
}

/// Can a step of that kind follow the story, whoever takes it?
fn fits(kind: EventKind, around: &Story) -> bool {
    match kind {
        EventKind::Receiving => true,
        EventKind::VoidShipping => around.state.is_moving(),
        _ => !around.state.is_moving(),
    }
}

/// Who acts for another has nothing: it is the other's as before, or the one's whom it was sent to. Only what is
/// received out of a parent, or handed over, is in the hands of the one who is named.
fn correct(told: &mut Story, branch: &Branch, story: &Story) {
    let named = match branch.kind {
        EventKind::Accepting => true,
        EventKind::Receiving => story.parent.is_some(),
        _ => false,
    };
    let since_then = told.held_from == branch.begun && told.possessor == branch.holder;
    if let (Some(rightful), true, false) = (branch.rightful[0], since_then, named) {
        told.possessor = Some(rightful);
    }
}

//! Explaining: what came later shows that a finding was none. Its case is closed as explained, never erased.
//!
//! An explained root makes room: the highest case that still stands under it becomes the root of the episode. Where
//! none stands the episode ends, and a storm of which every member was explained is explained with the last.

use crate::cases::{self, CaseEntry, Episode, SubjectKey};
use crate::state::ChainState;
use model::alert::{CaseKey, ExplainedAs, Standing};
use model::chain::LogPosition;

/// What explains a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A step that came late.
    Log(LogPosition),
    /// A version of the registry, in force from this block on.
    Registry(u64),
}

impl By {
    fn updated(self) -> (u64, u32) {
        match self {
            Self::Log(position) => (position.block, position.log),
            Self::Registry(block) => (block, 0),
        }
    }

    fn explained_as(self) -> ExplainedAs {
        match self {
            Self::Log(_) => ExplainedAs::DataUpload,
            Self::Registry(_) => ExplainedAs::RegistryCorrected,
        }
    }
}

/// Closes the case that the event at `raised` raised about `subject`, if it is one that may be explained; `by` is
/// what explains it.
pub fn explain_event(state: &mut ChainState, subject: SubjectKey, raised: LogPosition, by: By) {
    if let Some(case) = state.explainable.get(&(subject, raised)).copied() {
        state.explainable.set((subject, raised), None);
        explain(state, case, by);
    }
}

/// Closes the cases of `rule` about `subject` that may be explained; `by` is what explains them.
pub fn explain_rule(state: &mut ChainState, subject: SubjectKey, rule: &str, by: By) {
    let first = LogPosition { block: 0, log: 0, sub: 0 };
    let last = LogPosition { block: u64::MAX, log: u32::MAX, sub: u32::MAX };
    let of_rule = |case: &CaseKey| state.cases.get(case).is_some_and(|entry| entry.alert.rule == rule);
    let raised: Vec<LogPosition> = state
        .explainable
        .range((subject, first)..=(subject, last))
        .filter(|(_, case)| of_rule(case))
        .map(|((_, raised), _)| *raised)
        .collect();
    for position in raised {
        explain_event(state, subject, position, by);
    }
}

/// Closes a case, whichever it is; `by` is what explains it.
pub fn explain_case(state: &mut ChainState, key: CaseKey, by: By) {
    let Some(entry) = state.cases.get(&key) else { return };
    let told_of = (entry.subject, entry.alert.position);
    if state.explainable.get(&told_of) == Some(&key) {
        state.explainable.set(told_of, None);
    }
    explain(state, key, by);
}

fn explain(state: &mut ChainState, key: CaseKey, by: By) {
    let Some(mut entry) = state.cases.get(&key).cloned() else { return };
    entry.alert.standing = Standing::Explained;
    entry.alert.explained_as = Some(by.explained_as());
    entry.updated = by.updated();
    entry.rests_on = entry.rests_on.max(entry.updated.0);
    if let By::Log(position) = by {
        entry.alert.evidence.push(state.evidence(position));
        entry.alert.evidence.sort_unstable();
        entry.alert.evidence.dedup();
    }
    state.cases.set(key, Some(entry.clone()));
    if state.episodes.get(&entry.subject).is_some_and(|episode| episode.root == key) {
        root_explained(state, &entry, by);
    }
}

fn root_explained(state: &mut ChainState, root: &CaseEntry, by: By) {
    let key = root.alert.case_key;
    let standing = |entry: &&CaseEntry| entry.alert.standing != Standing::Explained;
    let own = |entry: &&CaseEntry| entry.subject == root.subject;
    let heir = cases::hanging_under(state, key)
        .filter(standing)
        .filter(own)
        .min_by_key(|entry| (entry.rank, entry.alert.position, entry.alert.case_key))
        .cloned();
    match heir {
        Some(heir) => inherit(state, root.clone(), heir),
        None => {
            state.episodes.set(root.subject, None);
            if let Some(above) = root.alert.root {
                member_explained(state, above, by);
            }
        }
    }
}

/// The heir stands where the root stood, and the root hangs under it with the others.
fn inherit(state: &mut ChainState, root: CaseEntry, mut heir: CaseEntry) {
    let (root_key, heir_key, updated) = (root.alert.case_key, heir.alert.case_key, root.updated);
    state.hanging.set((root_key, heir_key), None);
    heir.updated = updated;
    heir.rests_on = heir.rests_on.max(root.rests_on);
    heir.alert.root = None;
    let subject = heir.subject;
    match root.alert.root {
        Some(above) => cases::hang(state, heir, above),
        None => state.cases.set(heir_key, Some(heir)),
    }
    let others: Vec<CaseEntry> = cases::hanging_under(state, root_key).cloned().collect();
    for other in others {
        let rests_on = other.rests_on.max(root.rests_on);
        cases::hang(state, CaseEntry { updated, rests_on, ..other }, heir_key);
    }
    cases::hang(state, root, heir_key);
    if let Some(episode) = state.episodes.get(&subject).copied() {
        state.episodes.set(subject, Some(Episode { root: heir_key, ..episode }));
    }
}

/// A member of a storm was explained with everything under it.
fn member_explained(state: &mut ChainState, parent: CaseKey, by: By) {
    let Some(mut above) = state.cases.get(&parent).cloned() else { return };
    above.explained += 1;
    let all = above.explained >= above.alert.members;
    let storm = above.alert.rule == crate::storm::CARD.code.0;
    state.cases.set(parent, Some(above));
    if all && storm {
        explain(state, parent, by);
    }
}

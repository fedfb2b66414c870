//! Finds the case that a rule raised for an event, whatever became of it since.

use crate::cases::{self, SubjectKey};
use crate::rules;
use crate::state::ChainState;
use model::B256;
use model::alert::{CaseKey, RuleCode, Standing, Subject};
use model::chain::LogPosition;

/// The case of `rule` that stands about `subject` for the event at `position` in transaction `tx`.
///
/// Cases of one episode change keys when one takes another's root over, and with nothing else: the case is told under
/// the key that was made for it, or hangs in the same episode as the one that is.
pub(super) fn standing(
    state: &ChainState,
    (rule, subject): (&str, SubjectKey),
    (position, tx): (LogPosition, B256),
) -> Option<CaseKey> {
    let text: Subject = cases::subject_text(state, subject);
    let code = RuleCode(rules::code_of(rule));
    let keys = (0..).map(|ordinal| CaseKey::of_transaction(code, &text, state.chain, tx, ordinal));
    let known = keys.take_while(|key| state.cases.get(key).is_some());
    let is_it = |key: &CaseKey| {
        state.cases.get(key).is_some_and(|entry| {
            let alert = &entry.alert;
            (alert.rule.as_str(), entry.subject, alert.position) == (rule, subject, position)
                && alert.standing != Standing::Explained
        })
    };
    known.flat_map(|key| episode(state, key)).find(is_it)
}

/// The cases of the episode that `key` belongs to, its root first.
fn episode(state: &ChainState, key: CaseKey) -> Vec<CaseKey> {
    let Some(entry) = state.cases.get(&key) else { return Vec::new() };
    let own = |above: &CaseKey| state.cases.get(above).is_some_and(|above| above.subject == entry.subject);
    let root = entry.alert.root.filter(own).unwrap_or(key);
    let under = cases::hanging_under(state, root).map(|entry| entry.alert.case_key);
    std::iter::once(root).chain(under).collect()
}

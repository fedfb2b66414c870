//! SY-02: many roots with one cause within an hour become members of one parent.
//!
//! Not a rule that looks at events: it is raised by what the rules raised.

use crate::cases::{self, Cause, Finding, SubjectKey};
use crate::quota::{self, ROOTS_MAX, TallyKey};
use crate::rules::{Card, rank};
use crate::state::ChainState;
use model::alert::{CaseKey, RuleCode, Severity};

/// Its card.
pub static CARD: Card = Card {
    code: RuleCode("SY-02"),
    version: 1,
    title: "storm",
    rank: rank::SY,
    severity: "HIGH, operations",
    trigger: "50 roots with one actor or contract as their cause within an hour of block time",
    innocent: "a late upload or a misconfigured system is what it mostly is: one cause to look at, not fifty",
    source: "RULES §1, episodes, precedence, storms",
    parameters: &[],
};

/// Takes a new root of `key` into account, and opens the storm that it completes.
pub fn count_root(state: &mut ChainState, key: TallyKey, root: CaseKey, cause: &Cause) {
    if quota::count_root(state, key, root, cause).is_none() {
        return;
    }
    let (subject, name) = match key {
        TallyKey::Actor(holder) => (SubjectKey::Party(holder), state.holders.key(holder).to_string()),
        TallyKey::Contract(contract) => {
            (SubjectKey::Contract(contract), state.contracts.key(contract).to_string())
        }
    };
    let finding = Finding {
        expected: "alerts that have nothing to do with one another".to_owned(),
        came: format!("{ROOTS_MAX} within an hour, all caused by {name}"),
        accused: Some(name),
        ..Finding::new(&CARD, Severity::High, subject)
    };
    let parent = cases::raise(state, &finding, cause).root;
    quota::gather(state, key, parent, cause);
}

//! Cases whose rows are not in files: every form since the last one there, oldest first.
//!
//! A case changes with changes of one or more chains. Files hold each case as it stood at `state_at`, exactly:
//! the newest form that came with a change up to there. Any later form would be made again by the replay after a
//! restart, on top of itself. Whatever was made up to `state_at` of its own chain rests on final blocks alone,
//! because that is what `state_at` means; a form that also rests on another chain waits until it says of itself
//! that it is stable.

use model::alert::{Alert, CaseKey};
use model::chain::ChainId;
use model::commit::AlertChange;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A case as it stood after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    /// The chain of the change.
    pub(crate) chain: ChainId,
    /// Its place in the stream.
    pub(crate) sequence: u64,
    /// The row's version.
    pub(crate) updated: (u64, u32),
    /// Rests on final blocks only, whatever the chain.
    pub(crate) stable: bool,
    /// The row; `None` when the case is no more.
    pub(crate) alert: Option<Alert>,
}

impl Form {
    fn is_in(&self, upto: &BTreeMap<ChainId, u64>) -> bool {
        upto.get(&self.chain).is_some_and(|upto| self.sequence <= *upto)
    }

    fn is_settled(&self, state_at: &BTreeMap<ChainId, u64>) -> bool {
        self.is_in(state_at) && self.rests_on_own_chain()
    }

    /// Does it rest on events of its own stream alone, or on what can no longer go?
    pub(crate) fn rests_on_own_chain(&self) -> bool {
        let evidence = self.alert.iter().flat_map(|alert| &alert.evidence);
        self.stable || evidence.into_iter().all(|(chain, _)| *chain == self.chain)
    }
}

/// Forms of cases that are not in files.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    cases: BTreeMap<CaseKey, Vec<Arc<Form>>>,
}

impl Forms {
    /// Takes what a change did to a case.
    pub(crate) fn push(&mut self, chain: ChainId, sequence: u64, change: AlertChange) {
        let AlertChange { case_key, alert, updated, stable } = change;
        let form = Form { chain, sequence, updated, stable, alert };
        self.cases.entry(case_key).or_default().push(Arc::new(form));
    }

    /// Of each case the newest form up to these places of the streams.
    pub(crate) fn newest(&self, upto: &BTreeMap<ChainId, u64>) -> Vec<(CaseKey, Arc<Form>)> {
        self.newest_that(|form| form.is_in(upto))
    }

    /// Of each case the newest form that belongs in files once chains stand at `state_at`.
    pub(crate) fn newest_settled(&self, state_at: &BTreeMap<ChainId, u64>) -> Vec<(CaseKey, Arc<Form>)> {
        self.newest_that(|form| form.is_settled(state_at))
    }

    fn newest_that(&self, counts: impl Fn(&Form) -> bool) -> Vec<(CaseKey, Arc<Form>)> {
        let newest = |forms: &[Arc<Form>]| forms.iter().rfind(|form| counts(form)).cloned();
        self.cases.iter().filter_map(|(case_key, forms)| Some((*case_key, newest(forms)?))).collect()
    }

    /// Takes out of each case the newest form that belongs in files once chains stand at `state_at`, and with it
    /// every older one.
    pub(crate) fn take_settled(&mut self, state_at: &BTreeMap<ChainId, u64>) -> Vec<(CaseKey, Arc<Form>)> {
        let mut settled = Vec::new();
        self.cases.retain(|case_key, forms| {
            let last = forms.iter().rposition(|form| form.is_settled(state_at));
            if let Some(last) = last {
                settled.extend(forms.drain(..=last).next_back().map(|form| (*case_key, form)));
            }
            !forms.is_empty()
        });
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::alert;
    use model::chain::LogPosition;

    const A: ChainId = ChainId(1);
    const B: ChainId = ChainId(2);

    fn change(came: &str, stable: bool) -> AlertChange {
        let alert = Alert { came: came.into(), ..alert(1, came) };
        AlertChange { case_key: alert.case_key, alert: Some(alert), updated: (1, 0), stable }
    }

    fn gone() -> AlertChange {
        AlertChange { alert: None, ..change("", true) }
    }

    fn came(forms: &[(CaseKey, Arc<Form>)]) -> Vec<Option<&str>> {
        forms.iter().map(|(_, form)| form.alert.as_ref().map(|alert| alert.came.as_str())).collect()
    }

    #[test]
    fn files_get_the_case_as_it_stood_and_readers_see_the_newest() {
        let mut forms = Forms::default();
        forms.push(A, 10, change("first", false));
        forms.push(A, 11, change("second", false));
        assert_eq!(came(&forms.newest(&BTreeMap::from([(A, 11)]))), [Some("second")]);
        assert_eq!(came(&forms.take_settled(&BTreeMap::from([(A, 10)]))), [Some("first")]);
        assert_eq!(came(&forms.newest(&BTreeMap::from([(A, 11)]))), [Some("second")]);
        assert_eq!(came(&forms.take_settled(&BTreeMap::from([(A, 10)]))), Vec::<Option<&str>>::new());
        assert_eq!(came(&forms.take_settled(&BTreeMap::from([(A, 12)]))), [Some("second")]);
        assert!(forms.cases.is_empty());
    }

    #[test]
    fn what_a_reorg_took_back_is_not_in_files() {
        let mut forms = Forms::default();
        forms.push(A, 11, change("orphaned", false));
        forms.push(A, 12, gone());
        assert_eq!(came(&forms.newest(&BTreeMap::from([(A, 12)]))), [None]);
        assert_eq!(came(&forms.take_settled(&BTreeMap::from([(A, 13)]))), [None]);
    }

    #[test]
    fn a_case_that_rests_on_two_chains_waits_until_it_is_stable() {
        let mut forms = Forms::default();
        let both = |stable| {
            let mut change = change("both", stable);
            let position = LogPosition { block: 1, log: 0, sub: 0 };
            change.alert.as_mut().unwrap().evidence = vec![(A, position), (B, position)];
            change
        };
        forms.push(A, 5, both(false));
        let here = BTreeMap::from([(A, 5), (B, 0)]);
        assert_eq!(came(&forms.take_settled(&here)), Vec::<Option<&str>>::new());
        forms.push(B, 3, both(true));
        assert_eq!(came(&forms.take_settled(&BTreeMap::from([(A, 5), (B, 3)]))), [Some("both")]);
    }
}

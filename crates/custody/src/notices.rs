//! Notices: what people are told of cases, made by comparing what stands with what they were told last.
//!
//! What was told is not undone by a reorg: it is the one thing here that remembers orphaned blocks, so that a
//! withdrawal has the next revision of its case.

use hashbrown::HashMap;
use model::alert::{Alert, CaseKey, Notice, NoticeKind, Standing};
use model::commit::AlertChange;
use std::collections::BTreeSet;

/// A case as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// Its row.
    pub alert: &'a Alert,
    /// Block and log of the event that changed it last.
    pub updated: (u64, u32),
    /// Everything that it rests on is final.
    pub stable: bool,
}

/// What people were told of the cases of a chain.
#[derive(Debug, Default)]
pub struct Told {
    cases: HashMap<CaseKey, (u32, Option<Alert>)>,
    /// Cases whose present form rests on blocks above the finalised one: always just those, so that a restart can
    /// tell them by how they stand.
    unstable: BTreeSet<CaseKey>,
}

/// Transitions of cases by one change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    /// Rows that changed.
    pub alerts: Vec<AlertChange>,
    /// What people are to be told, roots before those that hang under them.
    pub notices: Vec<Notice>,
}

impl Transitions {
    /// Adds later transitions of the same change.
    pub fn extend(&mut self, later: Self) {
        self.alerts.extend(later.alerts);
        self.notices.extend(later.notices);
    }
}

impl Told {
    /// Remembers after a restart that `case` was told up to `revision`, as `alert` or as withdrawn.
    pub fn restore(&mut self, case: CaseKey, revision: u32, alert: Option<Alert>) {
        self.cases.insert(case, (revision, alert));
    }

    /// Remembers after a restart that the present form of `case` is not final.
    pub fn restore_unstable(&mut self, case: CaseKey) {
        self.unstable.insert(case);
    }

    /// Compares the cases in `changed` with what was told. `form` gives a case as it stands.
    pub fn compare<'a>(
        &mut self,
        changed: &[CaseKey],
        form: impl Fn(&CaseKey) -> Option<Form<'a>>,
    ) -> Transitions {
        let mut transitions = Transitions::default();
        for key in changed {
            let now = form(key);
            if now.is_none_or(|now| now.stable) {
                self.unstable.remove(key);
            } else {
                self.unstable.insert(*key);
            }
            let told = self.cases.get(key).is_some_and(|(_, alert)| alert.is_some());
            if now.is_none() && !told {
                continue;
            }
            transitions.notices.extend(self.tell(*key, now.map(|now| now.alert)));
            transitions.alerts.push(change_of(*key, now));
        }
        transitions
            .notices
            .sort_by_key(|notice| (notice.alert.root.is_some(), notice.alert.position, notice.case_key));
        transitions
    }

    /// Tells of cases that became final.
    pub fn finalize<'a>(&mut self, form: impl Fn(&CaseKey) -> Option<Form<'a>>) -> Transitions {
        let mut transitions = Transitions::default();
        let waiting: Vec<CaseKey> = self.unstable.iter().copied().collect();
        for key in waiting {
            let Some(now) = form(&key) else {
                self.unstable.remove(&key);
                continue;
            };
            if now.stable {
                self.unstable.remove(&key);
                transitions.alerts.push(change_of(key, Some(now)));
                let revision = self.next_revision(key, Some(now.alert.clone()));
                transitions.notices.push(Notice {
                    case_key: key,
                    revision,
                    kind: NoticeKind::Final,
                    alert: now.alert.clone(),
                });
            }
        }
        transitions
    }

    fn next_revision(&mut self, key: CaseKey, alert: Option<Alert>) -> u32 {
        let entry = self.cases.entry(key).or_insert((0, None));
        *entry = (entry.0 + 1, alert);
        entry.0
    }

    fn tell(&mut self, key: CaseKey, now: Option<&Alert>) -> Option<Notice> {
        let before = self.cases.get(&key).and_then(|(_, alert)| alert.clone());
        let (kind, alert) = match (before, now) {
            (None, None) => return None,
            (None, Some(now)) => (NoticeKind::Opened, now.clone()),
            (Some(before), None) => (NoticeKind::Withdrawn, before),
            (Some(before), Some(now)) if before == *now => return None,
            (Some(before), Some(now)) => {
                let closes = now.standing == Standing::Explained && before.standing != Standing::Explained;
                (if closes { NoticeKind::Closed } else { NoticeKind::Changed }, now.clone())
            }
        };
        let revision = self.next_revision(key, now.cloned());
        Some(Notice { case_key: key, revision, kind, alert })
    }
}

fn change_of(case_key: CaseKey, now: Option<Form<'_>>) -> AlertChange {
    AlertChange {
        case_key,
        alert: now.map(|now| now.alert.clone()),
        updated: now.map_or((0, 0), |now| now.updated),
        stable: now.is_none_or(|now| now.stable),
    }
}

//! What people were told of cases across chains, and which items must be looked at again as time passes.
//!
//! Only items with something open are kept here: a case, or a pair that waits for a chain to pass a moment. What is
//! settled and innocent, as millions of completed migrations are, leaves nothing behind.

use super::{Clock, Judged, alerts};
use crate::notices::{Form, Told, Transitions};
use model::alert::{Alert, CaseKey, Notice, NoticeKind};
use model::chain::ChainId;
use model::change::Sequence;
use model::item::ItemKey;
use std::collections::{BTreeMap, BTreeSet};

/// A case as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    alert: Alert,
    is_final: bool,
}

impl Case {
    fn form(&self) -> Form<'_> {
        let position = self.alert.position;
        Form { alert: &self.alert, updated: (position.block, position.log), stable: self.is_final }
    }
}

/// An item with something open.
#[derive(Debug, Default)]
struct Open {
    cases: Vec<CaseKey>,
    waits: Vec<i64>,
}

/// Cases across chains. One for a deployment.
#[derive(Debug, Default)]
pub struct Across {
    told: Told,
    cases: BTreeMap<CaseKey, Case>,
    items: BTreeMap<ItemKey, Open>,
    /// The waits of all items: within the grace and the chains' finality, so that they are few.
    due: BTreeMap<i64, BTreeSet<ItemKey>>,
    clocks: BTreeMap<ChainId, Clock>,
    /// Place of the last commit in the stream across chains.
    sequence: Sequence,
    /// Where each chain's stream must be again before anything is said: people were told by what it held.
    goals: BTreeMap<ChainId, Sequence>,
    begun: bool,
    /// Cases that changed since people were told.
    changed: BTreeSet<CaseKey>,
    /// Some case became final since.
    settled: bool,
}

impl Across {
    /// Goes on after a restart: `told` is the last notice of each case, durable up to `sequence`; each chain was
    /// taken up to its `goals`.
    pub fn restore(&mut self, sequence: Sequence, told: Vec<Notice>, goals: BTreeMap<ChainId, Sequence>) {
        *self = Self { sequence, goals, ..Self::default() };
        for Notice { case_key, revision, kind, alert } in told {
            let stands = kind != NoticeKind::Withdrawn;
            if stands && kind != NoticeKind::Final {
                self.told.restore_unstable(case_key);
            }
            if let (true, Some(Ok(item))) = (stands, alert.item.as_deref().map(str::parse)) {
                self.items.entry(item).or_default().cases.push(case_key);
            }
            self.told.restore(case_key, revision, stands.then_some(alert));
        }
    }

    /// Has every chain come as far as it was before the restart? `taken` says where each is.
    pub(crate) fn is_ready(&mut self, taken: impl Fn(ChainId) -> Sequence) -> bool {
        self.goals.retain(|chain, goal| taken(*chain) < *goal);
        self.goals.is_empty()
    }

    /// Is this the first look since the start? Then every item must be looked at.
    pub(crate) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// Is something of the item open here?
    pub(crate) fn has(&self, item: &ItemKey) -> bool {
        self.items.contains_key(item)
    }

    /// Items with something open.
    pub(crate) fn items(&self) -> impl Iterator<Item = &ItemKey> {
        self.items.keys()
    }

    /// Takes the clocks; gives the items whose moment a clock has passed since, or gone back over.
    pub(crate) fn set_clocks(&mut self, clocks: BTreeMap<ChainId, Clock>) -> BTreeSet<ItemKey> {
        let mut passed = BTreeSet::new();
        for (chain, clock) in &clocks {
            let before = self.clocks.get(chain).copied().unwrap_or_default();
            for (from, to) in [(before.now_secs, clock.now_secs), (before.final_secs, clock.final_secs)] {
                if from != to {
                    passed.extend(self.due_within(from.min(to), from.max(to)));
                }
            }
        }
        self.clocks = clocks;
        passed
    }

    fn due_within(&self, from_secs: i64, to_secs: i64) -> impl Iterator<Item = ItemKey> {
        self.due.range(from_secs..=to_secs).flat_map(|(_, items)| items.iter().cloned())
    }

    /// How far each chain was taken.
    pub(crate) fn clocks(&self) -> &BTreeMap<ChainId, Clock> {
        &self.clocks
    }

    /// Takes what is to be said of an item from now on.
    pub(crate) fn set(&mut self, item: ItemKey, judged: &Judged, parameters: &str) {
        let before = self.items.remove(&item).unwrap_or_default();
        self.wait_no_more(&item, &before.waits);
        let now: BTreeMap<CaseKey, Case> = alerts(&item, &judged.pairs, parameters)
            .into_iter()
            .zip(&judged.pairs)
            .map(|(alert, pair)| (alert.case_key, Case { alert, is_final: pair.is_final }))
            .collect();
        for gone in before.cases.iter().filter(|key| !now.contains_key(*key)) {
            self.cases.remove(gone);
            self.changed.insert(*gone);
        }
        let open = Open { cases: now.keys().copied().collect(), waits: judged.waits.clone() };
        for (key, case) in now {
            let old = self.cases.insert(key, case.clone());
            if old.as_ref().is_none_or(|old| old.alert != case.alert) {
                self.changed.insert(key);
            } else if case.is_final && old.is_some_and(|old| !old.is_final) {
                self.settled = true;
            }
        }
        for secs in &open.waits {
            self.due.entry(*secs).or_default().insert(item.clone());
        }
        if !(open.cases.is_empty() && open.waits.is_empty()) {
            self.items.insert(item, open);
        }
    }

    fn wait_no_more(&mut self, item: &ItemKey, waits: &[i64]) {
        for secs in waits {
            if let Some(items) = self.due.get_mut(secs) {
                items.remove(item);
                if items.is_empty() {
                    self.due.remove(secs);
                }
            }
        }
    }

    /// What people are to be told now, with its place in the stream; `None` when nothing changed.
    pub(crate) fn tell(&mut self) -> Option<(Sequence, Transitions)> {
        let changed: Vec<CaseKey> = std::mem::take(&mut self.changed).into_iter().collect();
        let settled = std::mem::take(&mut self.settled);
        if changed.is_empty() && !settled {
            return None;
        }
        let form = |key: &CaseKey| self.cases.get(key).map(Case::form);
        let mut transitions = self.told.compare(&changed, form);
        if settled {
            transitions.extend(self.told.finalize(form));
        }
        if transitions.alerts.is_empty() {
            return None;
        }
        self.sequence = self.sequence.next();
        Some((self.sequence, transitions))
    }
}

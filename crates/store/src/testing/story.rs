//! A story: a random stream of commits, and what the tables must hold after any part of it.

use crate::rows::alert_rows;
use crate::testing::{alert, block, block_rows, event_rows, notice, position, state_rows};
use arrow_array::RecordBatch;
use model::alert::{Alert, CaseKey, NoticeKind};
use model::chain::{BlockRef, ChainId};
use model::commit::{AlertChange, Commit, Effect};
use model::incident::{Incident, IncidentKind};
use model::segment::Finality;
use model::tables::Table;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Rows of one append.
type Rows = [(Table, RecordBatch)];

/// How far each chain has been read.
pub(crate) type Places = BTreeMap<ChainId, u64>;

/// A stream of commits of several chains.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) commits: Vec<Commit>,
}

impl Story {
    /// A story of `length` commits.
    pub(crate) fn new(seed: u64, length: usize) -> Self {
        Self::told_by(seed, length, [Teller::new(1), Teller::new(2)])
    }

    /// One without events: their many columns take most of the time of writing.
    pub(crate) fn without_events(seed: u64, length: usize) -> Self {
        let teller = |chain| Teller { events_at_most: 0, ..Teller::new(chain) };
        Self::told_by(seed, length, [teller(1), teller(2)])
    }

    fn told_by(seed: u64, length: usize, mut tellers: [Teller; 2]) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let commits = (0..length).map(|_| {
            let teller = &mut tellers[usize::from(random.random_ratio(1, 4))];
            teller.next(&mut random)
        });
        Self { commits: commits.collect() }
    }

    /// What the tables hold when chains were read up to `seen`, and told what they told up to `told`.
    pub(crate) fn tables(&self, seen: &Places, told: &Places) -> BTreeMap<Table, Vec<RecordBatch>> {
        let is_in = |commit: &&Commit, places: &Places| {
            commit.position.sequence.0 <= places.get(&commit.chain).copied().unwrap_or(0)
        };
        let mut blocks: BTreeMap<ChainId, Vec<(u64, &Rows)>> = BTreeMap::new();
        for commit in self.commits.iter().filter(|commit| is_in(commit, seen)) {
            let blocks = blocks.entry(commit.chain).or_default();
            match &commit.effect {
                Effect::Append { last, rows, .. } => blocks.push((last.number, rows)),
                Effect::Revert { to } => blocks.retain(|(number, _)| *number <= to.number),
                Effect::None | Effect::Finalize { .. } => {}
            }
        }
        let mut tables: BTreeMap<Table, Vec<RecordBatch>> = BTreeMap::new();
        for (table, batch) in blocks.values().flatten().flat_map(|(_, rows)| *rows) {
            tables.entry(*table).or_default().push(batch.clone());
        }
        let state = tables.remove(&Table::State).unwrap_or_default();
        tables.insert(Table::State, newest_state(state));
        tables.insert(
            Table::Alerts,
            vec![alert_rows(self.cases(seen).values().map(|(alert, version)| (alert, *version))).unwrap()],
        );
        let told = self.commits.iter().filter(|commit| is_in(commit, told));
        let told: Vec<_> = told.map(|commit| crate::told::Told::of(commit).unwrap()).collect();
        let (notices, incidents) = crate::told::told_rows(&told.iter().collect::<Vec<_>>()).unwrap();
        tables.insert(Table::Notices, vec![notices]);
        tables.insert(Table::Incidents, vec![incidents]);
        tables
    }

    /// Cases as they stand when chains were read up to `seen`.
    pub(crate) fn cases(&self, seen: &Places) -> BTreeMap<CaseKey, (Alert, (u64, u32))> {
        let mut cases = BTreeMap::new();
        for commit in &self.commits {
            if commit.position.sequence.0 > seen.get(&commit.chain).copied().unwrap_or(0) {
                continue;
            }
            for change in &commit.alerts {
                match &change.alert {
                    Some(alert) => cases.insert(change.case_key, (alert.clone(), change.updated)),
                    None => cases.remove(&change.case_key),
                };
            }
        }
        cases
    }

    /// The highest revision of each case of a chain that was told up to a place.
    pub(crate) fn revisions(&self, chain: ChainId, upto: u64) -> BTreeMap<CaseKey, u32> {
        let commits =
            self.commits.iter().filter(|commit| commit.chain == chain && commit.position.sequence.0 <= upto);
        let mut highest = BTreeMap::new();
        for notice in commits.flat_map(|commit| &commit.notices) {
            highest.insert(notice.case_key, notice.revision);
        }
        highest
    }
}

fn newest_state(batches: Vec<RecordBatch>) -> Vec<RecordBatch> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{UInt32Type, UInt64Type};
    let mut newest = BTreeMap::new();
    for batch in &batches {
        let chain = batch.column(0).as_primitive::<UInt64Type>();
        let blocks = batch.column(4).as_primitive::<UInt64Type>();
        let logs = batch.column(5).as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let key = (chain.value(row), batch.column(2).as_binary::<i32>().value(row).to_vec());
            let version = (blocks.value(row), logs.value(row));
            let entry = newest.entry(key).or_insert((version, batch.slice(row, 1)));
            if version >= entry.0 {
                *entry = (version, batch.slice(row, 1));
            }
        }
    }
    newest.into_values().map(|(_, row)| row).collect()
}

/// A case with the version of its row.
type Form = (Alert, (u64, u32));

/// Tells the story of one chain.
struct Teller {
    chain: u64,
    events_at_most: u32,
    sequence: u64,
    branch: u8,
    finalized: BlockRef,
    open: Vec<BlockRef>,
    /// Cases by the block that changed them, with the form that they had before.
    changed: Vec<(u64, CaseKey, Option<Form>)>,
    cases: BTreeMap<CaseKey, Form>,
    revisions: BTreeMap<CaseKey, u32>,
}

impl Teller {
    fn new(chain: u64) -> Self {
        Self {
            chain,
            events_at_most: 2,
            sequence: 0,
            branch: 0,
            finalized: block(0, 0),
            open: Vec::new(),
            changed: Vec::new(),
            cases: BTreeMap::new(),
            revisions: BTreeMap::new(),
        }
    }

    fn tip(&self) -> BlockRef {
        self.open.last().copied().unwrap_or(self.finalized)
    }

    fn next(&mut self, random: &mut StdRng) -> Commit {
        self.sequence += 1;
        let mut commit = Commit {
            chain: ChainId(self.chain),
            position: position(self.sequence, None),
            effect: Effect::None,
            alerts: Vec::new(),
            notices: Vec::new(),
            incidents: Vec::new(),
        };
        match random.random_range(0..10) {
            0 => {}
            1 | 2 if !self.open.is_empty() => self.revert(&mut commit, random),
            3 | 4 if !self.open.is_empty() => self.finalize(&mut commit, random),
            5 => commit.effect = Effect::Finalize { upto: self.finalized },
            6..=8 if self.open.is_empty() => self.append(&mut commit, random, Finality::Final),
            _ => self.append(&mut commit, random, Finality::Open),
        }
        if random.random_ratio(1, 8) {
            commit.incidents.push(Incident {
                chain: ChainId(self.chain),
                block: None,
                kind: IncidentKind::Disagreement,
                endpoint: "a".into(),
                detail: format!("change {}", self.sequence),
            });
        }
        commit.position.tip = Some(self.tip());
        commit.position.finalized = Some(self.finalized);
        commit
    }

    fn append(&mut self, commit: &mut Commit, random: &mut StdRng, finality: Finality) {
        let parent = self.tip();
        let span = if finality == Finality::Final { random.random_range(1..4) } else { 1 };
        let last = block(parent.number + span, self.branch);
        let numbers: Vec<u64> = (parent.number + 1..=last.number).collect();
        let mut rows = vec![(Table::Blocks, block_rows(self.chain, &numbers))];
        for number in numbers {
            let events: Vec<_> = (0..random.random_range(0..=self.events_at_most))
                .map(|log| (number, log, random.random_range(0..5)))
                .collect();
            rows.push((Table::Events, event_rows(self.chain, &events)));
            let state: Vec<(String, Option<String>, u32)> = (0..random.random_range(0..3))
                .map(|log| {
                    let value = random.random_ratio(4, 5).then(|| format!("{number}-{}-{log}", self.branch));
                    (format!("key{}", random.random_range(0..6)), value, log)
                })
                .collect();
            let state: Vec<_> = state
                .iter()
                .map(|(key, value, log)| (key.as_str(), value.as_deref(), number, *log))
                .collect();
            rows.push((Table::State, state_rows(self.chain, &state)));
        }
        if random.random_ratio(1, 2) {
            self.change_case(commit, random, last.number, finality == Finality::Final);
        }
        commit.effect = Effect::Append {
            first_number: parent.number + 1,
            parent_hash: parent.hash,
            last,
            last_time_secs: last.number * 12,
            finality,
            rows,
        };
        match finality {
            Finality::Final => self.finalized = last,
            Finality::Open => self.open.push(last),
        }
    }

    fn change_case(&mut self, commit: &mut Commit, random: &mut StdRng, number: u64, stable: bool) {
        let came = format!("block {number}-{}", self.branch);
        let mut alert = Alert {
            chain: ChainId(self.chain),
            came,
            ..alert(random.random_range(0..4) + 100 * self.chain as u8, "")
        };
        alert.evidence[0].0 = alert.chain;
        let before = self.cases.insert(alert.case_key, (alert.clone(), (number, 0)));
        let kind = if before.is_some() { NoticeKind::Changed } else { NoticeKind::Opened };
        self.tell(commit, &alert, kind);
        commit.alerts.push(AlertChange {
            case_key: alert.case_key,
            alert: Some(alert.clone()),
            updated: (number, 0),
            stable,
        });
        self.changed.push((number, alert.case_key, before));
    }

    fn tell(&mut self, commit: &mut Commit, alert: &Alert, kind: NoticeKind) {
        let revision = self.revisions.entry(alert.case_key).or_default();
        *revision += 1;
        commit.notices.push(notice(alert, *revision, kind));
    }

    fn revert(&mut self, commit: &mut Commit, random: &mut StdRng) {
        self.branch += 1;
        let kept = random.random_range(0..=self.open.len() - 1);
        self.open.truncate(kept);
        let to = self.tip();
        while let Some((number, case_key, before)) = self.changed.pop_if(|(number, _, _)| *number > to.number)
        {
            let _ = number;
            let Some((alert, _)) = self.cases.remove(&case_key) else { continue };
            let kind = if before.is_some() { NoticeKind::Changed } else { NoticeKind::Withdrawn };
            self.tell(commit, &alert, kind);
            let updated = before.as_ref().map_or((to.number, 0), |(_, version)| *version);
            let alert = before.as_ref().map(|(alert, _)| alert.clone());
            commit.alerts.push(AlertChange { case_key, alert, updated, stable: false });
            if let Some(before) = before {
                self.cases.insert(case_key, before);
            }
        }
        commit.effect = Effect::Revert { to };
    }

    fn finalize(&mut self, commit: &mut Commit, random: &mut StdRng) {
        let count = random.random_range(1..=self.open.len());
        let upto = self.open[count - 1];
        self.open.drain(..count);
        self.finalized = upto;
        let settled: Vec<_> = self.changed.extract_if(.., |(number, _, _)| *number <= upto.number).collect();
        for (_, case_key, _) in settled {
            if self.changed.iter().any(|(_, changed, _)| *changed == case_key) {
                continue;
            }
            if let Some((alert, updated)) = self.cases.get(&case_key).cloned() {
                self.tell(commit, &alert, NoticeKind::Final);
                commit.alerts.push(AlertChange { case_key, alert: Some(alert), updated, stable: true });
            }
        }
        commit.effect = Effect::Finalize { upto };
    }
}

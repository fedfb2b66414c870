//! The core: takes records in the order of their stream, gives what each does to the tables.

mod across;
mod late;
mod registered;

use crate::across::Across;
use crate::apply::{self, Setting};
use crate::decode::{self, Decoded, Profiles};
use crate::error::Error;
use crate::journal::RestoreError;
use crate::notices::{Form, Told};
use crate::registry::Index;
use crate::rows::{self, Rows};
use crate::rules::{ID_01_CARD, Parameters};
use crate::state::{BLOCK_MAX, ChainState, StateRow};
use arrow_array::RecordBatch;
use late::Known;
use model::alert::CaseKey;
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Position, Record, RegistryVersion};
use model::commit::{Commit, Effect};
use model::event::Event;
use model::incident::Incident;
use model::item::ItemKey;
use model::past::Past;
use model::registry::Registry;
use model::segment::{Finality, Segment};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The number under which versions of the registry stand in the `state` table, beside the maps of the state.
const REGISTRY_KIND: u32 = 100;

/// What the core works with: it does not change while it runs.
#[derive(Debug)]
pub struct Setup {
    /// How the logs of each contract are read.
    pub profiles: Arc<Profiles>,
    /// Parameters of the rules.
    pub parameters: Parameters,
}

/// Custody of every chain of a deployment.
#[derive(Debug)]
pub struct Core {
    setup: Setup,
    chains: BTreeMap<ChainId, Chain>,
    across: Across,
    /// Are there other chains to compare one with? Then every chain keeps its claims.
    compares_chains: bool,
    no_registry: Arc<Index>,
}

#[derive(Debug)]
struct Chain {
    position: Position,
    state: ChainState,
    registries: Vec<Arc<Index>>,
    /// The block whose rows carry the registry; taken back with it.
    registry_written: Option<u64>,
    /// The first block for which rows of the registry were given; taken back with it.
    registry_told: Option<u64>,
    told: Told,
    /// Items whose claims changed since chains were compared.
    claimed: Vec<ItemKey>,
}

impl Chain {
    fn new(chain: ChainId, keeps_claims: bool) -> Self {
        let mut state = ChainState::new(chain);
        state.keeps_claims = keeps_claims;
        Self {
            position: Position::default(),
            state,
            registries: Vec::new(),
            registry_written: None,
            registry_told: None,
            told: Told::default(),
            claimed: Vec::new(),
        }
    }
}

impl Core {
    /// A core before the first block of every chain.
    pub fn new(setup: Setup) -> Self {
        let rows = Arc::new(Registry::default());
        let no_registry = Arc::new(Index::new(RegistryVersion { version: 0, after: None, rows }));
        let compares_chains = setup.parameters.is_on(&ID_01_CARD) && setup.profiles.chains().len() > 1;
        Self { setup, chains: BTreeMap::new(), across: Across::default(), compares_chains, no_registry }
    }

    /// How far the stream of `chain` was taken.
    pub fn position(&self, chain: ChainId) -> Position {
        self.chains.get(&chain).map(|chain| chain.position).unwrap_or_default()
    }

    /// Puts a chain back as it was at `position` and the block time `now_secs` of its tip: the newest rows of `state`
    /// in the order of (kind, key), batch after batch, and the highest revision of each case that people were told of up to there.
    ///
    /// # Errors
    /// When a row is not what was written.
    pub fn restore(
        &mut self,
        chain: ChainId,
        (position, now_secs): (Position, i64),
        rows: impl IntoIterator<Item = RecordBatch>,
        revisions: &[(CaseKey, u32)],
    ) -> Result<(), Error> {
        let mut restored = Chain::new(chain, self.compares_chains);
        restored.position = position;
        restored.state.now_secs = now_secs;
        for batch in rows {
            for (kind, entries) in rows::state_entries(&batch)? {
                match kind {
                    REGISTRY_KIND => restored.restore_registries(entries)?,
                    _ => restored.state.restore_entries(kind, entries)?,
                }
            }
        }
        restored.state.restored();
        restored.registry_written =
            position.tip.map(|tip| tip.number).filter(|_| !restored.registries.is_empty());
        // What was put back was written with rows below: they are not given again, however far a reorg goes.
        restored.registry_told = (!restored.registries.is_empty()).then_some(0);
        restored.restore_told(revisions);
        self.chains.insert(chain, restored);
        Ok(())
    }

    /// Takes a record that concerns nothing of the past ([`wants_past`](Self::wants_past)); gives what it does to the
    /// tables. `None` for a record of a fenced writer, and for one that was taken before: a bus may deliver twice.
    ///
    /// # Errors
    /// When the record does not follow the one before, or is damaged: nothing has changed then.
    pub fn step(&mut self, record: &Record) -> Result<Option<Commit>, Error> {
        self.step_with_past(record, Vec::new())
    }

    /// The same with the past at hand that [`wants_past`](Self::wants_past) asked for.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_with_past(&mut self, record: &Record, past: Vec<Past>) -> Result<Option<Commit>, Error> {
        let decoded = match &record.change {
            Change::Append(segment) => Some(decode::segment(&self.setup.profiles, record.chain, segment)),
            _ => None,
        };
        self.step_decoded(record, decoded, past)
    }

    /// The same with the segment decoded already, by [`decode::segment`] with the same profiles.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn step_decoded(
        &mut self,
        record: &Record,
        decoded: Option<Decoded>,
        past: Vec<Past>,
    ) -> Result<Option<Commit>, Error> {
        let keeps_claims = self.compares_chains;
        let chain = self.chains.entry(record.chain).or_insert_with(|| Chain::new(record.chain, keeps_claims));
        if record.sequence <= chain.position.sequence {
            return Ok(None);
        }
        if record.sequence != chain.position.sequence.next() {
            return Err(Error::Sequence {
                chain: record.chain,
                expected: chain.position.sequence.next(),
                got: record.sequence,
            });
        }
        if record.epoch < chain.position.epoch {
            chain.position.sequence = record.sequence;
            return Ok(None);
        }
        let mut commit = Commit {
            chain: record.chain,
            position: chain.position,
            effect: Effect::None,
            alerts: Vec::new(),
            notices: Vec::new(),
            incidents: Vec::new(),
        };
        match &record.change {
            Change::Open(epoch) => chain.position.epoch = *epoch,
            Change::Registry(version) => chain.take_registry(version),
            Change::Append(segment) => {
                let setup = (&self.setup, &self.no_registry);
                chain.append(setup, segment, (decoded.unwrap_or_default(), past), &mut commit)?;
            }
            Change::Revert(to) => chain.revert(*to, &mut commit)?,
            Change::Finalize(upto) => chain.finalize(*upto, &mut commit)?,
        }
        chain.position.sequence = record.sequence;
        commit.position = chain.position;
        Ok(Some(commit))
    }
}

impl Chain {
    fn restore_registries<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), RestoreError> {
        for (_, value) in entries {
            let version = postcard::from_bytes(value)
                .map_err(|error| RestoreError { kind: REGISTRY_KIND, detail: error.to_string() })?;
            self.registries.push(Arc::new(Index::new(version)));
        }
        Ok(())
    }

    fn restore_told(&mut self, revisions: &[(CaseKey, u32)]) {
        for (case, revision) in revisions {
            let alert = self.state.cases.get(case).map(|entry| entry.alert.clone());
            self.told.restore(*case, *revision, alert);
        }
        let finalized = self.position.finalized.map(|block| block.number);
        for (case, entry) in self.state.cases.iter() {
            if finalized.is_none_or(|finalized| entry.rests_on > finalized) {
                self.told.restore_unstable(*case);
            }
        }
    }

    fn take_registry(&mut self, version: &Arc<RegistryVersion>) {
        self.registries.retain(|known| known.version().version < version.version);
        self.registries.push(Arc::new(Index::new(RegistryVersion::clone(version))));
        self.registry_written = None;
    }

    fn not_linked(&self, change: &'static str, block: BlockRef) -> Error {
        Error::NotLinked { chain: self.state.chain, change, block, tip: self.position.tip }
    }

    fn append(
        &mut self,
        (setup, no_registry): (&Setup, &Arc<Index>),
        segment: &Arc<Segment>,
        (decoded, past): (Decoded, Vec<Past>),
        commit: &mut Commit,
    ) -> Result<(), Error> {
        let linked = self
            .position
            .tip
            .is_none_or(|tip| segment.parent_hash == tip.hash && segment.first_number == tip.number + 1);
        if !linked {
            return Err(self.not_linked("append", segment.last));
        }
        if segment.last.number > BLOCK_MAX {
            return Err(Error::TooHigh { chain: self.state.chain, block: segment.last.number });
        }
        match segment.finality {
            Finality::Open => self.state.begin_open(segment.last),
            Finality::Final => self.state.begin_final(),
        }
        let Decoded { events, dead_letters, .. } = decoded;
        commit.incidents = segment.incidents.clone();
        let known = Known::new(self.versions_due(segment, no_registry), past);
        let mut rows = self.take_events((setup, no_registry), segment, events, known, &mut commit.incidents);
        rows.registered = self.registered(segment, no_registry);
        self.position.tip = Some(segment.last);
        if segment.finality == Finality::Final {
            self.position.finalized = Some(segment.last);
        }
        let (changed, mut state_rows) = self.state.take_changed()?;
        self.write_registry(segment.last.number, &mut state_rows)?;
        let mut transitions = self.told.compare(&changed.cases, form_in(&self.state, self.position));
        if segment.finality == Finality::Final {
            // A final run says of everything below it that it is final too.
            transitions.extend(self.told.finalize(form_in(&self.state, self.position)));
        }
        self.claimed.extend(self.state.claimed(&changed.claims).cloned());
        commit.effect = Effect::Append {
            first_number: segment.first_number,
            parent_hash: segment.parent_hash,
            last: segment.last,
            last_time_secs: segment.last_time_secs,
            finality: segment.finality,
            rows: rows::batches(&self.state, segment, &dead_letters, rows, (&changed, state_rows))?,
        };
        commit.alerts = transitions.alerts;
        commit.notices = transitions.notices;
        Ok(())
    }

    fn take_events(
        &mut self,
        (setup, no_registry): (&Setup, &Arc<Index>),
        segment: &Segment,
        events: Vec<Event>,
        mut known: Known,
        incidents: &mut Vec<Incident>,
    ) -> Rows {
        let mut rows = Rows::default();
        for event in events {
            while let Some(due) = known.due_before(event.position.block) {
                incidents.extend(self.judge_again(setup, segment, due, &mut rows));
            }
            let registry = &Arc::clone(self.registry_at(event.position.block, no_registry));
            let setting = Setting { registry, parameters: &setup.parameters, profiles: &setup.profiles };
            if let Some(judged) = apply::event(&mut self.state, &setting, &event, &mut rows) {
                rows.event(event, judged);
            }
        }
        while let Some(due) = known.due_before(u64::MAX) {
            incidents.extend(self.judge_again(setup, segment, due, &mut rows));
        }
        let end = i64::try_from(segment.last_time_secs).unwrap_or(i64::MAX);
        apply::fire_timers(&mut self.state, end, segment.last.number);
        rows
    }

    /// Versions of the registry go with the rows of the first block after them, and again when it was orphaned.
    fn write_registry(&mut self, block: u64, rows: &mut Vec<StateRow>) -> Result<(), RestoreError> {
        if self.registry_written.is_some() {
            return Ok(());
        }
        for index in &self.registries {
            let version = index.version();
            let value = postcard::to_allocvec(version)
                .map_err(|error| RestoreError { kind: REGISTRY_KIND, detail: error.to_string() })?;
            rows.push(StateRow {
                kind: REGISTRY_KIND,
                key: version.version.to_be_bytes().to_vec(),
                value: Some(value),
            });
        }
        self.registry_written = Some(block);
        Ok(())
    }

    fn revert(&mut self, to: BlockRef, commit: &mut Commit) -> Result<(), Error> {
        let below_final = self.position.finalized.is_some_and(|finalized| to.number < finalized.number);
        if below_final || self.position.tip.is_none_or(|tip| to.number > tip.number) {
            return Err(self.not_linked("revert", to));
        }
        self.claimed.extend(self.state.claimed_above(to.number).cloned());
        self.state.undo_above(to.number);
        self.registry_written = self.registry_written.filter(|block| *block <= to.number);
        self.registry_told = self.registry_told.filter(|block| *block <= to.number);
        self.position.tip = Some(to);
        // Rows of the orphaned blocks go with them; only cases are told of.
        let (changed, _) = self.state.take_changed()?;
        self.claimed.extend(self.state.claimed(&changed.claims).cloned());
        let transitions = self.told.compare(&changed.cases, form_in(&self.state, self.position));
        commit.effect = Effect::Revert { to };
        commit.alerts = transitions.alerts;
        commit.notices = transitions.notices;
        Ok(())
    }

    fn finalize(&mut self, upto: BlockRef, commit: &mut Commit) -> Result<(), Error> {
        if self.position.tip.is_none_or(|tip| upto.number > tip.number) {
            return Err(self.not_linked("finalize", upto));
        }
        self.state.forget_up_to(upto.number);
        if self.position.finalized.is_none_or(|finalized| finalized.number < upto.number) {
            self.position.finalized = Some(upto);
        }
        let transitions = self.told.finalize(form_in(&self.state, self.position));
        commit.effect = Effect::Finalize { upto };
        commit.alerts = transitions.alerts;
        commit.notices = transitions.notices;
        Ok(())
    }
}

/// The cases of a chain as they stand at `position`.
fn form_in<'a>(state: &'a ChainState, position: Position) -> impl Fn(&CaseKey) -> Option<Form<'a>> {
    let finalized = position.finalized.map(|block| block.number);
    move |key: &CaseKey| {
        state.cases.get(key).map(|entry| Form {
            alert: &entry.alert,
            updated: entry.updated,
            stable: finalized.is_some_and(|finalized| entry.rests_on <= finalized),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::B256;
    use model::change::{Epoch, Sequence};
    use model::segment::{LogsBuilder, VerificationLevel};

    #[test]
    fn a_block_beyond_what_a_position_names_is_refused_and_changes_nothing() {
        let mut core = Core::new(Setup { profiles: Arc::default(), parameters: Parameters::default() });
        let ending_at = |number| {
            let segment = Segment {
                first_number: number,
                parent_hash: B256::ZERO,
                last: BlockRef { number, hash: B256::repeat_byte(1) },
                last_time_secs: 0,
                finality: Finality::Final,
                level: VerificationLevel::Off,
                filter: B256::ZERO,
                blocks: Vec::new(),
                logs: LogsBuilder::default().finish().unwrap(),
                incidents: Vec::new(),
            };
            let change = Change::Append(Arc::new(segment));
            Record { chain: ChainId(1), epoch: Epoch::default(), sequence: Sequence(1), change }
        };
        let refused = core.step(&ending_at(BLOCK_MAX + 1)).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("chain 1: block {} is beyond {BLOCK_MAX}, the highest that is kept", BLOCK_MAX + 1)
        );
        assert_eq!(core.position(ChainId(1)), Position::default());
        assert!(core.step(&ending_at(BLOCK_MAX)).unwrap().is_some());
    }
}

//! What the store holds, as the records of the commit log say. Live or at start, it changes only by a record.

use super::layout;
use super::record::{Body, Checkpoint, Flushed, Merged};
use super::segment::{Place, Segment, SegmentMeta};
use crate::chain::Marks;
use crate::error::{Error, Result};
use crate::told::Told;
use crate::versions::Versions;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::Table;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// Live segments of each table and chain, oldest first.
pub(crate) type Segments = BTreeMap<(Table, ChainId), Arc<Vec<Arc<Segment>>>>;

/// What the store holds.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    place: Arc<Place>,
    /// Flushes that a replaced file outlives.
    retain_flushes: u64,
    /// The live generation.
    pub(crate) generation: u64,
    /// The least id that no segment of a record has.
    pub(crate) next_id: u64,
    /// Flushes so far.
    pub(crate) flushes: u64,
    /// What rows were made by.
    pub(crate) versions: Versions,
    /// Where each chain stands.
    pub(crate) chains: BTreeMap<ChainId, Marks>,
    /// Live segments.
    pub(crate) segments: Arc<Segments>,
    /// Replaced segments and the flush after which they were replaced, oldest first.
    pub(crate) retired: VecDeque<(u64, Arc<Segment>)>,
    /// What was told and is not in files.
    pub(crate) told: Vec<Arc<Told>>,
    /// Cases whose rows in files no longer count.
    pub(crate) hidden: Arc<BTreeSet<CaseKey>>,
}

impl Manifest {
    /// An empty store.
    pub(crate) fn new(place: Arc<Place>, generation: u64, retain_flushes: u64) -> Self {
        Self {
            place,
            retain_flushes,
            generation,
            next_id: 1,
            flushes: 0,
            versions: Versions::default(),
            chains: BTreeMap::new(),
            segments: Arc::default(),
            retired: VecDeque::new(),
            told: Vec::new(),
            hidden: Arc::default(),
        }
    }

    /// Takes what a record says.
    pub(crate) fn apply(&mut self, body: Body) -> Result<()> {
        match body {
            Body::Checkpoint(checkpoint) => self.restore(*checkpoint),
            Body::Moved(told) => {
                self.moved(told);
                Ok(())
            }
            Body::Flushed(flushed) => self.flushed(*flushed),
            Body::Merged(merged) => self.merged(merged),
        }
    }

    /// All of it, for a new file of the log.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            layout: layout::fingerprint(),
            generation: self.generation,
            next_id: self.next_id,
            flushes: self.flushes,
            versions: self.versions.clone(),
            chains: self.chains.iter().map(|(chain, marks)| (*chain, *marks)).collect(),
            segments: self.live().map(|segment| segment.meta.clone()).collect(),
            retired: self.retired.iter().map(|(flush, segment)| (*flush, segment.meta.clone())).collect(),
            told: self.told.iter().map(|told| (**told).clone()).collect(),
            hidden: self.hidden.iter().copied().collect(),
        }
    }

    /// Every live segment.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.values().flat_map(|segments| segments.iter())
    }

    /// Live segments of a table and chain, oldest first.
    pub(crate) fn run(&self, table: Table, chain: ChainId) -> Arc<Vec<Arc<Segment>>> {
        self.segments.get(&(table, chain)).cloned().unwrap_or_default()
    }

    /// Names of every file that a record still needs.
    pub(crate) fn file_names(&self) -> BTreeSet<String> {
        let retired = self.retired.iter().map(|(_, segment)| segment);
        self.live().chain(retired).map(|segment| segment.meta.file_name()).collect()
    }

    fn restore(&mut self, checkpoint: Checkpoint) -> Result<()> {
        if checkpoint.layout != layout::fingerprint() {
            let detail =
                "its tables have another layout than this program's; `rxtrail rederive` builds them anew";
            return Err(Error::Corrupt { path: self.place.dir.clone(), detail: detail.into() });
        }
        // A checkpoint that goes back keeps the files that both sides have.
        let mut known: BTreeMap<u64, Arc<Segment>> = self.live().map(|s| (s.meta.id, s.clone())).collect();
        known.extend(self.retired.iter().map(|(_, segment)| (segment.meta.id, segment.clone())));
        let mut segment = |meta: SegmentMeta| match known.remove(&meta.id) {
            Some(segment) if segment.meta == meta => segment,
            _ => Arc::new(Segment::new(meta, self.place.clone())),
        };
        let mut segments = Segments::new();
        for meta in checkpoint.segments {
            let key = (meta.table()?, meta.chain);
            Arc::make_mut(segments.entry(key).or_default()).push(segment(meta));
        }
        let retired = checkpoint.retired.into_iter().map(|(flush, meta)| (flush, segment(meta))).collect();
        *self = Self {
            place: self.place.clone(),
            retain_flushes: self.retain_flushes,
            generation: checkpoint.generation,
            next_id: checkpoint.next_id,
            flushes: checkpoint.flushes,
            versions: checkpoint.versions,
            chains: checkpoint.chains.into_iter().collect(),
            segments: Arc::new(segments),
            retired,
            told: checkpoint.told.into_iter().map(Arc::new).collect(),
            hidden: Arc::new(checkpoint.hidden.into_iter().collect()),
        };
        Ok(())
    }

    fn moved(&mut self, told: Told) {
        self.chains.entry(told.chain).or_default().written_to = told.position;
        if !told.is_empty() {
            self.told.push(Arc::new(told));
        }
    }

    fn flushed(&mut self, flushed: Flushed) -> Result<()> {
        self.flushes += 1;
        self.versions = flushed.versions;
        for meta in flushed.added {
            self.next_id = self.next_id.max(meta.id + 1);
            let key = (meta.table()?, meta.chain);
            let segment = Arc::new(Segment::new(meta, self.place.clone()));
            Arc::make_mut(Arc::make_mut(&mut self.segments).entry(key).or_default()).push(segment);
        }
        self.told.extend(flushed.told.into_iter().map(Arc::new));
        self.chains.extend(flushed.chains);
        let chains = &self.chains;
        self.told.retain(|told| {
            chains.get(&told.chain).is_none_or(|marks| told.sequence() > marks.state_at.sequence.0)
        });
        if !flushed.hidden.is_empty() || !flushed.shown.is_empty() {
            let hidden = Arc::make_mut(&mut self.hidden);
            hidden.extend(flushed.hidden);
            hidden.retain(|case_key| !flushed.shown.contains(case_key));
        }
        self.forget_retired();
        Ok(())
    }

    fn merged(&mut self, merged: Merged) -> Result<()> {
        let retired: BTreeSet<u64> = merged.retired.into_iter().collect();
        let mut added: BTreeMap<(Table, ChainId), Vec<Arc<Segment>>> = BTreeMap::new();
        for meta in merged.added {
            self.next_id = self.next_id.max(meta.id + 1);
            let key = (meta.table()?, meta.chain);
            added.entry(key).or_default().push(Arc::new(Segment::new(meta, self.place.clone())));
        }
        for (key, run) in Arc::make_mut(&mut self.segments) {
            let Some(place) = run.iter().position(|segment| retired.contains(&segment.meta.id)) else {
                continue;
            };
            let run = Arc::make_mut(run);
            let new = added.remove(key).unwrap_or_default();
            let old = run.iter().filter(|segment| retired.contains(&segment.meta.id)).cloned();
            self.retired.extend(old.map(|segment| (self.flushes, segment)));
            run.splice(place..place, new);
            run.retain(|segment| !retired.contains(&segment.meta.id));
        }
        if added.is_empty() {
            return Ok(());
        }
        Err(Error::Corrupt {
            path: self.place.dir.clone(),
            detail: "a merge replaces segments that are not live".into(),
        })
    }

    /// Lets go of replaced files that are old enough; each is removed when its last reader is done.
    fn forget_retired(&mut self) {
        while let Some((flush, segment)) = self.retired.front() {
            if flush + self.retain_flushes >= self.flushes {
                break;
            }
            segment.doom();
            self.retired.pop_front();
        }
    }

    /// Where the segments lie.
    pub(crate) fn dir(&self) -> PathBuf {
        self.place.dir.clone()
    }
}

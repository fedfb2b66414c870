//! The store in one thread's hands: takes commits, keeps what is not yet in files, says what readers see.
//!
//! Nothing here is async. The order of every change is: check, files, record of the log, memory, readers.

use super::config::Config;
use super::log::Log;
use super::manifest::Manifest;
use super::record::{Body, Checkpoint};
use super::segment::Place;
use crate::Recovery;
use crate::chain::{Chain, Entry};
use crate::error::{Error, Result};
use crate::forms::Forms;
use crate::read::moment::{Moment, head};
use crate::told::Told;
use model::chain::ChainId;
use model::commit::{Commit, Effect};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Appends that wait in memory before they are written, however few rows they have: each costs every snapshot
/// a pointer, and 4,096 are a tail's limit.
const PENDING_APPENDS: usize = 4096;

/// The state of an open store.
pub(crate) struct Core {
    pub(super) config: Config,
    pub(super) place: Arc<Place>,
    pub(super) log: Log,
    pub(super) manifest: Manifest,
    pub(super) chains: BTreeMap<ChainId, Chain>,
    /// Final rows that are not in files.
    pub(super) pending: Vec<Arc<Entry>>,
    pub(super) pending_rows: usize,
    /// Was the last flush a full one? Then rows come as fast as they can be written.
    pub(super) hurried: bool,
    /// Cases that are not in files.
    pub(super) forms: Forms,
    /// What changes told that no record speaks of.
    pub(super) untold: Vec<Told>,
    ids: AtomicU64,
    moments: watch::Sender<Arc<Moment>>,
    /// Why the store must be opened again.
    broken: Option<String>,
}

impl Core {
    /// A store as its log left it.
    pub(crate) fn new(config: Config, place: Arc<Place>, log: Log, manifest: Manifest) -> Self {
        let chains = manifest.chains.iter().map(|(id, marks)| (*id, Chain::new(*id, *marks))).collect();
        let ids = AtomicU64::new(manifest.next_id);
        let core = Self {
            config,
            place,
            log,
            manifest,
            chains,
            pending: Vec::new(),
            pending_rows: 0,
            hurried: false,
            forms: Forms::default(),
            untold: Vec::new(),
            ids,
            moments: watch::Sender::new(Arc::new(Moment::default())),
            broken: None,
        };
        core.publish();
        core
    }

    /// Where snapshots appear.
    pub(crate) fn moments(&self) -> watch::Receiver<Arc<Moment>> {
        self.moments.subscribe()
    }

    /// Where each chain stands on disk.
    pub(crate) fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        let known = self.chains.iter().filter(|(id, _)| self.is_read_again(**id));
        known.map(|(id, chain)| (*id, chain.recovery())).collect()
    }

    /// Is it a chain of which the log knows, so that the bus is asked for what comes after?
    fn is_read_again(&self, id: ChainId) -> bool {
        id != ChainId::ACROSS && self.manifest.chains.contains_key(&id)
    }

    /// Makes the store what the checkpoint says, by one record. Nothing may be in memory.
    pub(super) fn replace(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.guarded(|core| {
            let body = core.log.append(Body::Checkpoint(Box::new(checkpoint)))?;
            core.manifest.apply(body)?;
            core.chains =
                core.manifest.chains.iter().map(|(id, marks)| (*id, Chain::new(*id, *marks))).collect();
            core.publish();
            Ok(())
        })
    }

    /// The store ends here: files that others remove from now on are no longer ours.
    pub(crate) fn close(&self) {
        self.place.close();
    }

    /// An id that no segment has.
    pub(crate) fn new_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a commit; says whether rows went to files. A commit that does not stand on what is here changes
    /// nothing; any other error leaves the store unusable until it is opened again.
    pub(crate) fn commit(&mut self, commit: Commit) -> Result<bool> {
        self.usable()?;
        let is_replay = self.check(&commit)?;
        let flushes = self.manifest.flushes;
        self.guarded(|core| core.take(commit, is_replay))?;
        Ok(self.manifest.flushes > flushes)
    }

    /// Writes what is final to files.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.usable()?;
        self.hurried = false;
        self.guarded(Self::write_final)
    }

    /// Runs a change of the log or of files; after an error nothing more is taken.
    pub(super) fn guarded<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let result = change(self);
        if let Err(error) = &result {
            self.broken = Some(error.to_string());
        }
        result
    }

    pub(super) fn usable(&self) -> Result<()> {
        match &self.broken {
            Some(reason) => Err(Error::Closed(reason.clone())),
            None => Ok(()),
        }
    }

    /// Does the commit stand on what is here, and is it one that was durable before the store was opened?
    fn check(&mut self, commit: &Commit) -> Result<bool> {
        let chain =
            self.chains.entry(commit.chain).or_insert_with(|| Chain::new(commit.chain, Default::default()));
        chain.check(commit)?;
        let is_replay = commit.position.sequence <= chain.marks.written_to.sequence;
        if is_replay {
            self.compare_told(commit)?;
        }
        Ok(is_replay)
    }

    /// A change that is read again must tell what it told before: people may know of it.
    fn compare_told(&self, commit: &Commit) -> Result<()> {
        let told = Told::of(commit)?;
        let same = |before: &&Arc<Told>| before.chain == commit.chain && before.sequence() == told.sequence();
        let before = self.manifest.told.iter().find(same);
        let before = before.map(|told| told.notices.as_slice()).unwrap_or_default();
        told.is_what_was_told(before)
    }

    fn take(&mut self, commit: Commit, is_replay: bool) -> Result<()> {
        let id = commit.chain;
        let urgent = self.chains.get(&id).is_some_and(|chain| chain.is_urgent(&commit.effect));
        // What is said across chains is durable no sooner than what it was said of.
        let ahead = match id {
            ChainId::ACROSS => self.chains.values().any(Chain::is_ahead),
            _ => self.chains.get(&id).is_some_and(Chain::is_ahead),
        };
        let waits = !is_replay && !urgent && (ahead || matches!(commit.effect, Effect::Append { .. }));
        if !is_replay && !waits && ahead {
            // Rows that only memory has go to files first, so that a restart begins where they end.
            self.write_final()?;
        }
        let told = Told::of(&commit)?;
        self.apply(commit);
        if waits {
            self.untold.push(told);
        } else {
            if !is_replay {
                let body = self.log.append(Body::Moved(told))?;
                self.manifest.apply(body)?;
            }
            self.settle(id);
        }
        if self.pending_rows >= self.config.flush_rows || self.pending.len() >= PENDING_APPENDS {
            self.hurried = true;
            self.write_final()?;
        } else if !waits {
            self.publish();
        }
        Ok(())
    }

    /// Does to memory what the commit says.
    fn apply(&mut self, commit: Commit) {
        let Commit { chain: id, position, effect, alerts, .. } = commit;
        for change in alerts {
            self.forms.push(id, position.sequence.0, change);
        }
        let Some(chain) = self.chains.get_mut(&id) else { return };
        let settled = chain.apply(position, effect);
        self.pending_rows += settled.iter().map(|entry| entry.row_count()).sum::<usize>();
        self.pending.extend(settled);
    }

    /// The chain now stands where the log says.
    fn settle(&mut self, id: ChainId) {
        if let (Some(chain), Some(marks)) = (self.chains.get_mut(&id), self.manifest.chains.get(&id)) {
            chain.settle(*marks);
        }
    }

    /// Shows readers everything that is durable, and nothing else.
    pub(super) fn publish(&self) {
        let durable: BTreeMap<ChainId, u64> =
            self.chains.iter().map(|(id, chain)| (*id, chain.marks.written_to.sequence.0)).collect();
        let final_at: BTreeMap<ChainId, u64> = self
            .chains
            .iter()
            .map(|(id, chain)| {
                let ready = chain.ready.map_or(chain.marks.state_at, |(position, _)| position);
                (*id, ready.sequence.min(chain.marks.written_to.sequence).0)
            })
            .collect();
        let is_durable = |entry: &&Arc<Entry>| {
            durable.get(&entry.chain).is_some_and(|sequence| entry.position.sequence.0 <= *sequence)
        };
        let open = self.chains.values().flat_map(|chain| &chain.open);
        self.moments.send_replace(Arc::new(Moment {
            commit: self.log.sequence(),
            versions: self.manifest.versions.clone(),
            heads: self
                .chains
                .iter()
                .filter(|(id, _)| self.is_read_again(**id))
                .map(|(id, chain)| (*id, head(chain)))
                .collect(),
            segments: self.manifest.segments.clone(),
            hidden: self.manifest.hidden.clone(),
            finals: self.pending.iter().filter(is_durable).cloned().collect(),
            open: open.filter(is_durable).cloned().collect(),
            told: self.manifest.told.clone(),
            cases: self.forms.newest(&durable),
            final_cases: self.forms.newest_settled(&final_at),
            memory: Default::default(),
        }));
    }
}

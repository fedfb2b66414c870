//! The embedded store: Parquet segments and an append-only commit log in a folder.
//!
//! ```text
//! commit ─▶ chain (does it stand?) ─▶ memory ─▶ flush ─▶ segments ─▶ commit log ─▶ snapshots
//!                                                 compaction ─▶ fewer, larger segments
//! ```
//!
//! In reading order:
//!
//! - [`config`]: where a store lives and what it may use.
//! - [`files`]: the seam to the file system; [`memory_files`]: files that can crash.
//! - [`record`] and [`log`]: what a commit is, and how it becomes durable.
//! - [`manifest`]: what the store holds, as the records say.
//! - [`layout`], [`segment`], [`writer`], [`reader`]: Parquet files.
//! - [`merge`]: how runs become one.
//! - [`core`]: what is in memory, and what a commit does to it.
//! - [`flush`], [`compact`], [`restore`], [`open`]: writing, merging, restart.
//! - [`past`]: what later knowledge asks of earlier rows.
//! - [`verify`], [`rewind`], [`generation`]: looking for damage, going back, building anew.

mod compact;
mod compactor;
pub mod config;
mod core;
pub mod files;
pub(crate) mod flush;
pub mod generation;
pub(crate) mod layout;
mod log;
pub(crate) mod manifest;
pub mod memory_files;
pub(crate) mod merge;
mod open;
pub(crate) mod past;
pub(crate) mod reader;
pub(crate) mod record;
pub mod restore;
pub mod rewind;
pub(crate) mod segment;
pub mod verify;
mod writer;

use crate::error::{Error, Result};
use crate::read::Reader;
use crate::versions::Versions;
use crate::{Batches, Recovery, Writer};
use async_trait::async_trait;
use compact::Policy;
use compactor::Compactor;
use config::Config;
use core::Core;
use files::{DiskFiles, Files, Lock};
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::commit::Commit;
use model::past::{Past, PastQuery};
use model::tables::Table;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

/// Runs of an upserted table that a reader has to merge at most: beyond that, the writer waits for compaction.
/// Each run costs a reader about 2 MB while it is merged.
const MOST_RUNS: usize = 64;

/// An open data folder: the only one who writes to it.
pub struct Store {
    shared: Arc<Shared>,
    reader: Reader,
    recovered: BTreeMap<ChainId, Recovery>,
    compactor: Option<Compactor>,
}

/// What the store, its background work and nobody else share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    /// Held while segments are merged: one merge at a time.
    merging: Mutex<()>,
    /// Segments are merged in the background, and the writer helps when that is far behind.
    compaction: bool,
    files: Arc<dyn Files>,
    dir: PathBuf,
    _lock: Lock,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.shared.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data folder, or makes it, and brings it back to its last commit. Reads files: call it outside
    /// of async code, or by `spawn_blocking`.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it open; [`Error::Corrupt`] when what is there is not what was
    /// written.
    pub fn open(config: Config) -> Result<Self> {
        Self::open_in(config, Arc::new(DiskFiles))
    }

    /// Does no process have the store of this folder, which is made when missing?
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn is_free(dir: &Path) -> Result<bool> {
        match open::lock(&DiskFiles, dir) {
            Ok(_) => Ok(true),
            Err(Error::Locked { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same, in another file system.
    pub fn open_in(config: Config, files: Arc<dyn Files>) -> Result<Self> {
        let lock = open::lock(&*files, &config.dir)?;
        open::announce(&*files, &config.dir, None)?;
        let (dir, compaction) = (config.dir.clone(), config.compaction);
        let core = open::recover(config, files.clone())?;
        let (reader, recovered) = (Reader::new(core.moments()), core.recovered());
        let (core, merging) = (Mutex::new(core), Mutex::new(()));
        let shared = Arc::new(Shared { core, merging, compaction, files, dir, _lock: lock });
        let compactor = compaction.then(|| Compactor::start(&shared)).transpose()?;
        let store = Self { shared, reader, recovered, compactor };
        store.wake_compactor();
        Ok(store)
    }

    /// A handle that reads what was committed. Cheap to clone; it outlives the store.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Writes the loopback address at which this process can be asked into `owner.json`: a second process finds
    /// it when it finds the folder locked.
    pub fn announce(&self, address: &str) -> Result<()> {
        open::announce(&*self.shared.files, &self.shared.dir, Some(address.to_owned()))
    }

    /// What the rows in files were made by, as the log says: compare with what is configured now.
    pub fn stored_versions(&self) -> Result<Versions> {
        Ok(self.shared.core()?.manifest.versions.clone())
    }

    /// Merges every table into as few segments as may be; gives how many merges that took. Commits go on meanwhile.
    pub fn compact(&self) -> Result<usize> {
        let mut merges = 0;
        while self.shared.merge(Policy::Everything, &AtomicBool::new(false))? {
            merges += 1;
        }
        Ok(merges)
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        let ended = tokio::task::spawn_blocking(move || work(&shared)).await;
        ended.map_err(|error| Error::Closed(error.to_string()))?
    }

    /// After rows went to files: lets compaction look.
    fn wake_compactor(&self) {
        if let Some(compactor) = &self.compactor {
            compactor.wake();
        }
    }
}

impl Shared {
    pub(crate) fn core(&self) -> Result<MutexGuard<'_, Core>> {
        self.core.lock().map_err(|_| Error::Closed("a thread panicked while it held the store".into()))
    }

    /// Does the next merge that the policy asks for; says whether there was one.
    pub(crate) fn merge(&self, policy: Policy, stop: &AtomicBool) -> Result<bool> {
        let _merging = self.merging.lock().map_err(|_| Error::Closed("a merge panicked".into()))?;
        let Some(job) = self.core()?.next_merge(policy) else { return Ok(false) };
        let Some(merged) = job.run(stop)? else { return Ok(false) };
        self.core()?.install(merged)?;
        Ok(true)
    }

    /// Takes part in merging until a reader has few enough runs to merge.
    fn catch_up(&self) -> Result<()> {
        while self.compaction && self.core()?.most_runs() > MOST_RUNS {
            if !self.merge(Policy::Tiered, &AtomicBool::new(false))? {
                break;
            }
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.compactor = None;
        if let Ok(core) = self.shared.core() {
            core.close();
        }
    }
}

#[async_trait]
impl Writer for Store {
    fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        self.recovered.clone()
    }

    async fn restore(&self, table: Table, chain: ChainId) -> Result<Batches> {
        let restored = self.blocking(move |shared| shared.core()?.restore(table, chain)).await?;
        Ok(Box::new(restored))
    }

    async fn revisions(&self, chain: ChainId) -> Result<Vec<(CaseKey, u32)>> {
        self.blocking(move |shared| shared.core()?.revisions(chain)).await
    }

    async fn past(&self, chain: ChainId, query: &PastQuery) -> Result<Past> {
        let query = query.clone();
        let work = move |shared: &Shared| {
            // The files are read without the lock: snapshots and merges go on meanwhile.
            let history = shared.core()?.history(chain, &query);
            history.steps(&query)
        };
        self.blocking(work).await
    }

    async fn told_across(&self) -> Result<(Sequence, Vec<Notice>)> {
        self.blocking(|shared| shared.core()?.told_across()).await
    }

    async fn commit(&mut self, commit: Commit) -> Result<()> {
        let work = |shared: &Shared| {
            let flushed = shared.core()?.commit(commit)?;
            if flushed {
                shared.catch_up()?;
            }
            Ok(flushed)
        };
        if self.blocking(work).await? {
            self.wake_compactor();
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let work = |shared: &Shared| {
            shared.core()?.flush()?;
            shared.catch_up()
        };
        self.blocking(work).await?;
        self.wake_compactor();
        Ok(())
    }

    fn durable(&self) -> BTreeMap<ChainId, Position> {
        let recovered = self.shared.core().map(|core| core.recovered()).unwrap_or_default();
        recovered.into_iter().map(|(chain, recovery)| (chain, recovery.state_at)).collect()
    }
}

#[cfg(test)]
mod tests;

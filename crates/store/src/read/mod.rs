//! Reading: a snapshot is one moment of all tables, files and memory together.
//!
//! ```text
//! commit log ──▶ moment ──▶ Snapshot ──table──▶ DataFusion
//! ```
//!
//! A [`Reader`] hands out [`Snapshot`]s. A snapshot stays as it is while it is held: its files are not removed,
//! its rows do not change. Only what is durable is in a snapshot.
//!
//! - [`moment`]: what a snapshot shows.
//! - [`provider`]: a table of it for DataFusion; [`prune`] leaves files out, [`file_scan`] reads the others,
//!   [`footers`] remembers them.
//! - [`newest`]: of each key the row that counts.
//! - [`digest`]: what a table holds, in 32 bytes.

mod digest;
mod file_scan;
mod footers;
pub(crate) mod moment;
mod newest;
mod provider;
mod prune;

use crate::error::Result;
use crate::versions::Versions;
use datafusion::catalog::TableProvider;
pub(crate) use digest::digest as digest_of;
use footers::Footers;
use model::B256;
use model::chain::{BlockRef, ChainId};
use model::change::Position;
use model::tables::Table;
use moment::Moment;
use provider::StoreTable;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// Reads what was committed. Cheap to clone; it outlives the store that it came from.
#[derive(Debug, Clone)]
pub struct Reader {
    moments: watch::Receiver<Arc<Moment>>,
    footers: Arc<Footers>,
}

impl Reader {
    pub(crate) fn new(moments: watch::Receiver<Arc<Moment>>) -> Self {
        Self { moments, footers: Arc::default() }
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Snapshot {
        let moment = self.moments.borrow().clone();
        Snapshot { moment, footers: self.footers.clone() }
    }

    /// Waits for a commit that this handle has not waited for yet. `None` once the writer is gone.
    pub async fn changed(&mut self) -> Option<Snapshot> {
        self.moments.changed().await.ok()?;
        let moment = self.moments.borrow_and_update().clone();
        Some(Snapshot { moment, footers: self.footers.clone() })
    }
}

/// Where a chain stands in a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The last block whose rows are here.
    pub tip: Option<BlockRef>,
    /// Its timestamp, Unix seconds; 0 before the first block.
    pub tip_time_secs: u64,
    /// The last block that can no longer change.
    pub finalized: Option<BlockRef>,
    /// The stream up to here is in files.
    pub state_at: Position,
    /// The stream up to here is durable: positions and notices.
    pub written_to: Position,
}

/// One moment of all tables.
#[derive(Debug, Clone)]
pub struct Snapshot {
    moment: Arc<Moment>,
    footers: Arc<Footers>,
}

impl Snapshot {
    /// Number of the last record of the commit log.
    pub fn commit(&self) -> u64 {
        self.moment.commit
    }

    /// Where each chain stands.
    pub fn heads(&self) -> &BTreeMap<ChainId, Head> {
        &self.moment.heads
    }

    /// `commit 7; chain 1: head 120 (0x…), finalized 100 (0x…)`: what an answer is made of.
    pub fn name(&self) -> String {
        let block = |block: Option<BlockRef>| block.map_or_else(|| "none".into(), |block| block.to_string());
        let mut name = format!("commit {}", self.commit());
        for (chain, head) in self.heads() {
            let (tip, finalized) = (block(head.tip), block(head.finalized));
            name += &format!("; chain {chain}: head {tip}, finalized {finalized}");
        }
        name
    }

    /// What the rows were made by.
    pub fn versions(&self) -> &Versions {
        &self.moment.versions
    }

    /// The same moment without rows of blocks that may still be orphaned. Notices and incidents stay: history.
    pub fn final_only(&self) -> Self {
        Self { moment: Arc::new(self.moment.final_only()), footers: self.footers.clone() }
    }

    /// A table, with the columns of its spec. Upserted tables give the newest row of each key.
    /// A session that scans it needs DataFusion's `file://` object store, which every session has by default.
    pub fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        Arc::new(StoreTable::new(table, self.moment.clone(), self.footers.clone()))
    }

    /// Every table under its name.
    pub fn tables(&self) -> Vec<(&'static str, Arc<dyn TableProvider>)> {
        Table::ALL.into_iter().map(|table| (table.name(), self.table(table))).collect()
    }

    /// Digest of the rows of a table in key order: equal rows give an equal digest, however they are laid out.
    pub async fn digest(&self, table: Table) -> Result<B256> {
        digest::digest(table, self.table(table)).await
    }

    /// Paths of the Parquet files of a table, for other programs. Of an upserted table the newest row of a key
    /// counts; what is only in memory is not there. They stay as long as the snapshot is held.
    pub fn files(&self, table: Table) -> Vec<PathBuf> {
        let segments = self.moment.segments.iter().filter(|((of, _), _)| *of == table);
        segments.flat_map(|(_, segments)| segments.iter()).map(|segment| segment.path()).collect()
    }
}

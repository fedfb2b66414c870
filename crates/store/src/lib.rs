//! The store: tables, written by commits and read as snapshots.
//!
//! ```text
//! transform ──Commit──▶ Writer ──files, commit log──▶ Snapshot ──▶ query
//! ```
//!
//! A commit holds rows, alerts, state and position together, or nothing.
//!
//! - [`parquet`] keeps Parquet segments and an append-only commit log in a folder. Rows of blocks that may still be
//!   orphaned live in memory and on the bus until the chain finalises them; a reader sees one table all the same.
//! - [`clickhouse`] keeps the same tables on a server, for many readers on many machines.

mod chain;
pub mod clickhouse;
pub mod error;
pub mod export;
mod forms;
mod order;
pub mod parquet;
mod past;
pub mod read;
pub mod rows;
#[cfg(test)]
mod testing;
mod told;
mod versions;

pub use error::{Error, Result};
pub use model::commit::{AlertChange, Commit, Effect};
pub use parquet::Store;
pub use parquet::config::Config;
pub use read::{Head, Reader, Snapshot};
pub use versions::Versions;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::past::{Past, PastQuery};
use model::tables::Table;
use std::collections::BTreeMap;
use std::time::Instant;

/// Where a chain's stream was left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// State and rows are in files up to here: the bus is read again from the change after it.
    pub state_at: Position,
    /// Timestamp of the tip there, Unix seconds; 0 before the first block.
    pub state_time_secs: u64,
    /// Notices are durable up to here: the same change read again must give the same, which are not written twice.
    pub written_to: Position,
}

/// When what a writer took must be flushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// From then on; `None` while nothing waits for it.
    pub flush_at: Option<Instant>,
    /// So much waits that nothing more may be taken before.
    pub full: bool,
}

/// Rows, batch by batch.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// The writing end: one per store, guarded by a lock.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Where each chain was left when the store was opened. The stream across chains is not among them: nothing of
    /// it comes again from the bus.
    fn recovered(&self) -> BTreeMap<ChainId, Recovery>;

    /// Rows of `state` and `alerts` of a chain as they stood at its `state_at`, for restart: one row a key, in the order
    /// of the keys. Batches come as they are asked for, so that a state of millions of items is not twice in memory;
    /// asking for one may block on the disk.
    async fn restore(&self, table: Table, chain: ChainId) -> Result<Batches>;

    /// Revisions that people were told of at `state_at`: the highest revision of each case among durable notices
    /// of changes up to there.
    async fn revisions(&self, chain: ChainId) -> Result<Vec<(CaseKey, u32)>>;

    /// The steps that a query of the past asks for, among the rows of all that was committed.
    async fn past(&self, chain: ChainId, query: &PastQuery) -> Result<Past>;

    /// What people were told last of each case across chains, and how far that stream came: all that is durable.
    async fn told_across(&self) -> Result<(Sequence, Vec<Notice>)>;

    /// Takes what one change does. In the data folder it is durable on return for open blocks (position and notices)
    /// and whenever a flush was due; elsewhere, and for final rows, it may wait in memory for the next flush.
    async fn commit(&mut self, commit: Commit) -> Result<()>;

    /// Writes everything that waits in memory and may be written. Called at shutdown, from time to time, and when
    /// [`Pace::flush_at`] says so. After a transient error all of it waits still, and the call may be repeated.
    async fn flush(&mut self) -> Result<()>;

    /// For each chain, where a restart would begin to read the bus again: what may be acknowledged to the bus.
    fn durable(&self) -> BTreeMap<ChainId, Position>;

    /// When what was taken must be flushed, where a commit returns before it is durable.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// How far the changes of a chain are durable, where a commit returns before they are: people are told no sooner.
    /// `None` where they may be told at once.
    fn lasting(&self, _chain: ChainId) -> Option<Sequence> {
        None
    }
}

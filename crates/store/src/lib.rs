//! The store: tables, written by commits and read as snapshots.
//!
//! ```text
//! transform ──Commit──▶ Writer ──files, commit log──▶ Snapshot ──▶ query
//! ```
//!
//! [`parquet`] keeps Parquet segments and an append-only commit log in a folder. A commit holds rows, alerts,
//! state and position together, or nothing. Rows of blocks that may still be orphaned live in memory and on the
//! bus until the chain finalises them; a reader sees one table all the same.

pub mod error;
pub mod export;
pub mod parquet;
pub mod read;
pub mod rows;
#[cfg(test)]
mod testing;

pub use error::{Error, Result};
pub use model::commit::{AlertChange, Commit, Effect};
pub use parquet::Store;
pub use parquet::config::{Config, Versions};
pub use read::{Head, Reader, Snapshot};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::past::{Past, PastQuery};
use model::tables::Table;
use std::collections::BTreeMap;

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

    /// Takes what one change does. Durable on return for open blocks (position and notices) and whenever a flush
    /// was due; final rows may wait in memory for the next flush.
    async fn commit(&mut self, commit: Commit) -> Result<()>;

    /// Writes everything final that waits in memory. Called at shutdown and when the stream is idle.
    async fn flush(&mut self) -> Result<()>;

    /// For each chain, where a restart would begin to read the bus again: what may be acknowledged to the bus.
    fn durable(&self) -> BTreeMap<ChainId, Position>;
}

//! A commit: what one change of one chain does to the tables. Made by custody, taken by the store.

use crate::alert::{Alert, CaseKey, Notice};
use crate::chain::{BlockRef, ChainId};
use crate::change::Position;
use crate::incident::Incident;
use crate::segment::Finality;
use crate::tables::Table;
use alloy_primitives::B256;
use arrow_array::RecordBatch;

/// What one change of one chain does to the tables.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The chain.
    pub chain: ChainId,
    /// The stream after the change.
    pub position: Position,
    /// What happens to rows.
    pub effect: Effect,
    /// Cases whose row changed.
    pub alerts: Vec<AlertChange>,
    /// What people are to be told, in order.
    pub notices: Vec<Notice>,
    /// What went wrong while the change was read.
    pub incidents: Vec<Incident>,
}

/// What happens to rows.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Nothing: the position moves on.
    None,
    /// Rows of a run of blocks.
    Append {
        /// Number of the first block.
        first_number: u64,
        /// Hash of the block below it.
        parent_hash: B256,
        /// The last block.
        last: BlockRef,
        /// Its timestamp, Unix seconds.
        last_time_secs: u64,
        /// Final rows go to files; open ones stay in memory until `Finalize`.
        finality: Finality,
        /// Rows by table, each with the schema of its table, `state` included.
        rows: Vec<(Table, RecordBatch)>,
    },
    /// Rows of open blocks above `to` go.
    Revert {
        /// The new tip.
        to: BlockRef,
    },
    /// Rows of open blocks up to `upto` can no longer go: they may be written to files.
    Finalize {
        /// The finalised block.
        upto: BlockRef,
    },
}

/// A case whose row changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChange {
    /// The case.
    pub case_key: CaseKey,
    /// Its row; `None` when the chain took it back.
    pub alert: Option<Alert>,
    /// Block and log of the event that changed it last: the row's version.
    pub updated: (u64, u32),
    /// Everything that this form of the row rests on is final: it may be written to files.
    pub stable: bool,
}

//! What a record of the commit log says. A record is a commit: what it names is in the store, what no record
//! names is not.

use super::segment::SegmentMeta;
use crate::chain::Marks;
use crate::told::Told;
use crate::versions::Versions;
use model::alert::CaseKey;
use model::chain::ChainId;
use serde::{Deserialize, Serialize};

/// A record: its number, the SHA-256 of the one before, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Counts records, from 1.
    pub(crate) sequence: u64,
    /// SHA-256 of the payload of the record before; zeros before the first.
    pub(crate) previous: [u8; 32],
    /// What it says.
    pub(crate) body: Body,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// All that the store holds: what went before need not be read.
    Checkpoint(Box<Checkpoint>),
    /// A change was taken whose rows are not in files: they come back from the bus.
    Moved(Told),
    /// What was final went to files.
    Flushed(Box<Flushed>),
    /// Segments became one.
    Merged(Merged),
}

/// All that the store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Fingerprint of the layout of files.
    pub(crate) layout: [u8; 8],
    /// The live generation: segments lie in `gen-N`.
    pub(crate) generation: u64,
    /// The next segment's id.
    pub(crate) next_id: u64,
    /// Flushes so far.
    pub(crate) flushes: u64,
    /// What rows were made by.
    pub(crate) versions: Versions,
    /// Where each chain stands.
    pub(crate) chains: Vec<(ChainId, Marks)>,
    /// Live segments, of a table and chain by age.
    pub(crate) segments: Vec<SegmentMeta>,
    /// Replaced segments whose files are kept for going back, with the flush after which they were replaced.
    pub(crate) retired: Vec<(u64, SegmentMeta)>,
    /// Notices and incidents that are not in files.
    pub(crate) told: Vec<Told>,
    /// Cases whose rows in files no longer count.
    pub(crate) hidden: Vec<CaseKey>,
}

/// What a flush wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flushed {
    /// What rows were made by.
    pub(crate) versions: Versions,
    /// New segments.
    pub(crate) added: Vec<SegmentMeta>,
    /// Where each chain that moved stands now.
    pub(crate) chains: Vec<(ChainId, Marks)>,
    /// Notices and incidents past `state_at` that no record holds yet.
    pub(crate) told: Vec<Told>,
    /// Cases whose rows in files no longer count.
    pub(crate) hidden: Vec<CaseKey>,
    /// Cases that are in files again.
    pub(crate) shown: Vec<CaseKey>,
}

/// What a merge did. Rows are the same before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Merged {
    /// New segments, each in the place of the oldest of those that it replaces.
    pub(crate) added: Vec<SegmentMeta>,
    /// Ids of the segments that were replaced.
    pub(crate) retired: Vec<u64>,
}

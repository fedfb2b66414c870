//! A change: the only thing that moves from ingest through the bus to custody.
//!
//! A chain's changes form one totally ordered stream. Same stream, same rows.

use crate::chain::{BlockRef, ChainId};
use crate::registry::Registry;
use crate::segment::{Finality, Segment};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A change of one chain as rxtrail knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A writer takes the stream over. Records of an earlier epoch that come after it are ignored: this is the fence.
    Open(Epoch),
    /// A contiguous run of blocks; refused unless its parent is the tip.
    Append(Arc<Segment>),
    /// Blocks above this one are no longer canonical.
    Revert(BlockRef),
    /// Blocks up to this one can no longer change.
    Finalize(BlockRef),
    /// Reference data, in force after a block of this chain.
    Registry(Arc<RegistryVersion>),
}

impl Change {
    /// The kind's name, for logs and records.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Append(_) => "append",
            Self::Revert(_) => "revert",
            Self::Finalize(_) => "finalize",
            Self::Registry(_) => "registry",
        }
    }
}

/// Reference data from files, in force for events after block `after`. A revert below `after` pops it;
/// passing `after` again puts it back in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistryVersion {
    /// Counts versions of this deployment's registry, from 1.
    pub version: u64,
    /// The last block that the rows do not concern; `None` puts them in force before the first block.
    pub after: Option<u64>,
    /// All rows of this version: it replaces the version before it.
    pub rows: Arc<Registry>,
}

/// Counts the writers of a stream, from 1. The higher one fences the lower.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of a change in its chain's stream, from 1, without gaps. 0 is the place before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The place after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change with its place: what the bus carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The chain whose stream this is.
    pub chain: ChainId,
    /// The writer's epoch.
    pub epoch: Epoch,
    /// The place in the stream.
    pub sequence: Sequence,
    /// The change.
    pub change: Change,
}

/// How far a chain's stream has been taken: the place of the last change, and the tip after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Epoch in force after that change.
    pub epoch: Epoch,
    /// Place of the last change taken.
    pub sequence: Sequence,
    /// The tip after it; `None` before the first block.
    pub tip: Option<BlockRef>,
    /// The last finalised block; `None` before the first.
    pub finalized: Option<BlockRef>,
}

impl Position {
    /// The position after `record`, for a record that the stream accepted. A final run is finalised with its append.
    pub fn after(self, record: &Record) -> Self {
        let (tip, finalized) = match &record.change {
            Change::Open(_) | Change::Registry(_) => (self.tip, self.finalized),
            Change::Append(segment) => match segment.finality {
                Finality::Final => (Some(segment.last), Some(segment.last)),
                Finality::Open => (Some(segment.last), self.finalized),
            },
            Change::Revert(to) => (Some(*to), self.finalized),
            Change::Finalize(upto) => (self.tip, Some(*upto)),
        };
        Self { epoch: record.epoch, sequence: record.sequence, tip, finalized }
    }
}

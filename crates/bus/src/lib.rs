//! The bus: an ordered, replayable log of changes, one stream per chain.
//!
//! ```text
//! ingest ──publish──▶ bus ──next──▶ transform ──acknowledge──▶ bus (may forget)
//! ```
//!
//! - [`local`]: the default. An fsynced log, in a folder, of what is not yet final and committed. Segments that
//!   the chain has finalised pass through memory and are not written twice: until they are acknowledged, a crash
//!   means that they are read from the chain again.
//! - [`kafka`]: a topic a chain, for several processes and more than one machine.
//! - [`memory`]: the same as `local` over a disk in memory that can lose power at any step: for tests and simulation.
//! - [`stream`]: what may come next in a chain's stream, and where a writer goes on.
//! - [`wire`]: how a change is written, behind a version byte.
//!
//! Exactly once does not rest on the bus: records name themselves by (chain, epoch, sequence), the store commits
//! rows and position together, and whoever reads resumes from the position of the store.

pub mod error;
pub mod kafka;
pub mod local;
pub mod memory;
pub mod stream;
pub mod wire;

#[cfg(test)]
mod sample;

pub use error::{Error, Result};

use async_trait::async_trait;
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Epoch, Position, Record, Sequence};
use model::incident::Incident;

/// What the bus holds of a chain: where a writer goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last record's place, the tip and the finalised block after it.
    pub position: Position,
    /// The blocks above the finalised one up to the tip, ascending: what a reorg may take back.
    pub open_blocks: Vec<BlockRef>,
    /// The highest version of the registry on the stream, 0 when there is none.
    pub registry_version: u64,
}

/// A bus: writers' ends for chains, and one reader's.
pub trait Bus: Send + Sync + std::fmt::Debug {
    /// A writer's end for `chain`. A later one fences an earlier one when it opens the stream.
    ///
    /// # Errors
    /// When there can be none.
    fn publisher(&self, chain: ChainId) -> Result<Box<dyn Publisher>>;

    /// The reader's end.
    ///
    /// # Errors
    /// [`Error::Taken`] when it was taken before.
    fn subscriber(&self) -> Result<Box<dyn Subscriber>>;
}

/// One chain's end of the bus for its only writer.
#[async_trait]
pub trait Publisher: Send {
    /// What the bus holds of the chain.
    async fn tail(&mut self) -> Result<Tail>;

    /// Takes the stream over: writes `Open` with an epoch above every earlier one. Call once, before `publish`.
    async fn open(&mut self) -> Result<Epoch>;

    /// Appends `change` to the stream; returns its place once it is durable, or handed over when final.
    /// Waits when the reader is behind: nothing is dropped.
    ///
    /// # Errors
    /// [`Error::Fenced`] when a later writer has taken over; [`Error::NotLinked`] when an append does not stand
    /// on the tip, or a revert or finalize names a block that is not on the stream.
    async fn publish(&mut self, change: Change) -> Result<Sequence>;
}

/// The bus for its only reader: all chains, each in order, chains in any order.
#[async_trait]
pub trait Subscriber: Send {
    /// The next record; `None` once every publisher is gone and everything was taken.
    async fn next(&mut self) -> Result<Option<Record>>;

    /// What went wrong on the bus before the record that `next` gave last, of that record's chain: to be kept with it.
    fn incidents(&mut self) -> Vec<Incident> {
        Vec::new()
    }

    /// Records of `chain` up to `durable` are never asked for again: their rows are in the store's files.
    async fn acknowledge(&mut self, chain: ChainId, durable: Position) -> Result<()>;
}

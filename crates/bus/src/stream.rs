//! One chain's stream as its headers tell it: what may come next, and where a writer goes on. Pure.
//!
//! ```text
//! ingest ──publish──▶ check, apply ──▶ log, queue ──▶ transform
//! ```
//!
//! Every kind of bus keeps its books here, so that all accept and refuse the same changes.

use crate::Tail;
use crate::error::{Error, Result};
use crate::wire::{Header, Kind};
use model::chain::{BlockRef, ChainId};
use model::change::{Epoch, Position};
use model::segment::Finality;
use std::cmp::Ordering;

/// Open blocks that a stream may hold: three days of quarter-second blocks, 42 MB at 40 bytes each.
pub const OPEN_BLOCKS_MAX: usize = 1 << 20;

/// What a reader does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is the next one, and was applied.
    Applied,
    /// It was taken before, or is of a writer that was fenced off: drop it.
    Stale,
}

/// The books of one chain's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    chain: ChainId,
    tail: Tail,
    /// The block below the lowest open one: a reorg of all open blocks goes back to it. `None` where unknown.
    floor: Option<BlockRef>,
    /// The block at which the books begin. It is final; of those below it the hashes are not known any more.
    begins_at: Option<BlockRef>,
}

impl Stream {
    /// The books as they stood after `committed`, where the store's files end. They hold final rows only: the tip
    /// there is final by now, though the record that said so may come again.
    pub fn resume(chain: ChainId, committed: Position, registry_version: u64) -> Self {
        let begins_at = committed.tip;
        let position = Position { finalized: begins_at, ..committed };
        let tail = Tail { position, open_blocks: Vec::new(), registry_version };
        Self { chain, tail, floor: begins_at, begins_at }
    }

    /// Where a writer goes on.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// A registry of this version came before where the books begin.
    pub(crate) fn know_registry(&mut self, version: u64) {
        self.tail.registry_version = self.tail.registry_version.max(version);
    }

    /// The header of a change that would come next.
    pub fn next_header(&self, epoch: Epoch, kind: Kind) -> Header {
        Header { chain: self.chain, epoch, sequence: self.tail.position.sequence.next(), kind }
    }

    /// Takes the next record into the books.
    ///
    /// # Errors
    /// [`Error::OutOfSequence`], [`Error::Fenced`], [`Error::NotLinked`] or [`Error::Refused`]; nothing changes then.
    pub fn apply(&mut self, header: &Header) -> Result<()> {
        self.check(header)?;
        self.tail.position.sequence = header.sequence;
        match header.kind {
            Kind::Open => self.tail.position.epoch = header.epoch,
            Kind::Registry { version } => {
                self.tail.registry_version = self.tail.registry_version.max(version);
            }
            Kind::Append(run) => {
                match run.finality {
                    Finality::Final => self.tail.position.finalized = Some(run.last),
                    Finality::Open => self.push_open(run.first_number, run.parent_hash, run.last),
                }
                self.tail.position.tip = Some(run.last);
            }
            Kind::Revert(to) => {
                self.tail.open_blocks.retain(|block| block.number <= to.number);
                self.tail.position.tip = Some(to);
            }
            Kind::Finalize(upto) if self.was_final(&upto) => {}
            Kind::Finalize(upto) => {
                self.tail.open_blocks.retain(|block| block.number > upto.number);
                self.tail.position.finalized = Some(upto);
                self.floor = Some(upto);
            }
        }
        Ok(())
    }

    /// Takes a record as a reader meets it: what was taken before, or comes from a fenced writer, is no error.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), for a record that is neither.
    pub fn receive(&mut self, header: &Header) -> Result<Outcome> {
        let position = self.tail.position;
        let fenced = match header.kind {
            // Of two opens of one epoch the first wins.
            Kind::Open => header.epoch <= position.epoch,
            Kind::Append(_) | Kind::Revert(_) | Kind::Finalize(_) | Kind::Registry { .. } => {
                header.epoch < position.epoch
            }
        };
        if fenced || header.sequence <= position.sequence {
            return Ok(Outcome::Stale);
        }
        self.apply(header).map(|()| Outcome::Applied)
    }

    fn push_open(&mut self, number: u64, parent_hash: model::B256, last: BlockRef) {
        if self.tail.open_blocks.is_empty() {
            self.floor = number.checked_sub(1).map(|number| BlockRef { number, hash: parent_hash });
        }
        self.tail.open_blocks.push(last);
    }

    /// Would it be the next record? What [`apply`](Self::apply) refuses, this refuses.
    pub(crate) fn check(&self, header: &Header) -> Result<()> {
        let position = &self.tail.position;
        let expected = position.sequence.next();
        if header.sequence != expected {
            return Err(Error::OutOfSequence { chain: self.chain, expected, found: header.sequence });
        }
        let in_order = match (header.kind, header.epoch.cmp(&position.epoch)) {
            (Kind::Open, Ordering::Greater) => true,
            (Kind::Open, Ordering::Less | Ordering::Equal) => false,
            (_, order) => order == Ordering::Equal,
        };
        if !in_order {
            return Err(Error::Fenced { chain: self.chain, held: header.epoch, current: position.epoch });
        }
        self.check_link(&header.kind)
    }

    fn check_link(&self, kind: &Kind) -> Result<()> {
        let position = &self.tail.position;
        let (linked, block) = match kind {
            Kind::Open | Kind::Registry { .. } => return Ok(()),
            Kind::Append(run) => {
                let linked = position.tip.is_none_or(|tip| {
                    Some(run.first_number) == tip.number.checked_add(1) && run.parent_hash == tip.hash
                });
                (linked, run.first_number)
            }
            Kind::Revert(to) => (self.is_open(to) || self.is_base(to), to.number),
            Kind::Finalize(upto) => {
                let known = position.finalized == Some(*upto) || position.tip == Some(*upto);
                (self.is_open(upto) || known || self.was_final(upto), upto.number)
            }
        };
        if !linked {
            let (chain, change, tip) = (self.chain, kind.as_str(), position.tip);
            return Err(Error::NotLinked { chain, change, block, tip });
        }
        self.check_run(kind)
    }

    /// What links may still not be taken.
    fn check_run(&self, kind: &Kind) -> Result<()> {
        let Kind::Append(run) = kind else { return Ok(()) };
        let (first, last) = (run.first_number, run.last.number);
        let reason = match run.finality {
            _ if last < first => format!("it ends at block {last} before it begins at block {first}"),
            Finality::Open if first != last => {
                format!("an open run of blocks {first} to {last}; one block each")
            }
            Finality::Open if self.tail.open_blocks.len() >= OPEN_BLOCKS_MAX => {
                format!("{OPEN_BLOCKS_MAX} blocks are open; the chain must finalise some first")
            }
            Finality::Final if !self.tail.open_blocks.is_empty() => {
                format!("a final run from block {first} on open blocks; finalize them first")
            }
            Finality::Open | Finality::Final => return Ok(()),
        };
        Err(Error::Refused { chain: self.chain, change: kind.as_str(), reason })
    }

    fn is_open(&self, block: &BlockRef) -> bool {
        let open = &self.tail.open_blocks;
        open.binary_search_by_key(&block.number, |open| open.number).is_ok_and(|at| open[at] == *block)
    }

    /// Was it final before the books begin?
    fn was_final(&self, block: &BlockRef) -> bool {
        self.begins_at.is_some_and(|begin| block.number < begin.number)
    }

    /// Is it where all open blocks stand on, or the tip itself?
    fn is_base(&self, block: &BlockRef) -> bool {
        let position = &self.tail.position;
        let floor = self.floor.filter(|_| !self.tail.open_blocks.is_empty());
        [floor, position.finalized, position.tip].contains(&Some(*block))
    }
}

#[cfg(test)]
mod tests;

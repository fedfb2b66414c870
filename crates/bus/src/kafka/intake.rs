//! What the messages of one chain's topic mean, in their order. Pure.
//!
//! Whoever reads a topic from the same place comes to the same end: the reader, which hands records on, and a writer
//! that looks where the stream stands. A message of ours that cannot be read stops the stream for both, until a writer
//! has taken it over at that very place and published again what was lost.

use super::parcel::{self, Mark, Piece};
use crate::Tail;
use crate::error::Result;
use crate::stream::{Outcome, Stream};
use crate::wire::{self, Header, Kind, RECORD_BYTES_MAX};
use model::chain::ChainId;
use model::change::{Epoch, Position, Record};

/// What a message came to.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// It is somebody else's.
    Foreign,
    /// It is a part of a record that is not whole yet, was taken before, or comes from a writer that was fenced.
    Nothing,
    /// It is ours and cannot be read: the stream stops here, and why.
    Damaged(String),
    /// It can be read and does not follow what came before: the stream stops here, and why.
    Gap(String),
    /// It completes the next record of the stream, which began at this offset.
    Record(Record, i64),
}

/// One chain's topic, as far as it was read.
#[derive(Debug)]
pub(super) struct Intake {
    chain: ChainId,
    stream: Stream,
    /// The record whose pieces come in.
    unfinished: Option<Unfinished>,
    /// The stream has stopped.
    is_damaged: bool,
    /// A record was taken. Before that, what cannot be read may be older than where reading begins.
    is_settled: bool,
    /// The highest epoch that any message names.
    highest_epoch: Epoch,
}

#[derive(Debug)]
struct Unfinished {
    header: Header,
    offset: i64,
    pieces: u32,
    payload: Vec<u8>,
}

impl Intake {
    /// Begins where the stream stands at `position`; `registry_version` is the highest before it.
    pub(super) fn new(chain: ChainId, position: Position, registry_version: u64) -> Self {
        let stream = Stream::resume(chain, position, registry_version);
        Self {
            chain,
            stream,
            unfinished: None,
            is_damaged: false,
            is_settled: false,
            highest_epoch: position.epoch,
        }
    }

    /// Where the stream stands.
    pub(super) fn tail(&self) -> &Tail {
        self.stream.tail()
    }

    /// An epoch above every one that was seen; `None` when there is none.
    pub(super) fn next_epoch(&self) -> Option<Epoch> {
        self.highest_epoch.0.checked_add(1).filter(|epoch| *epoch < u64::MAX).map(Epoch)
    }

    /// The highest epoch that any message names.
    pub(super) fn highest_epoch(&self) -> Epoch {
        self.highest_epoch
    }

    /// Where the record begins whose pieces are not all there.
    pub(super) fn unfinished_from(&self) -> Option<i64> {
        self.unfinished.as_ref().map(|unfinished| unfinished.offset)
    }

    /// The header of a change that would come next.
    pub(super) fn next_header(&self, epoch: Epoch, kind: Kind) -> Header {
        self.stream.next_header(epoch, kind)
    }

    /// Would the stream take this change? Nothing changes.
    pub(super) fn check(&self, header: &Header) -> Result<()> {
        self.stream.check(header)
    }

    /// Has the stream stopped?
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Was a record taken? What is missing from then on is missing on the topic.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Takes a record that comes after everything that was taken. `false` when it is not the next one, the stream has
    /// stopped and it does not take it over, or somebody has taken it over since, be it from further back.
    pub(super) fn apply(&mut self, header: &Header) -> bool {
        let is_ours = header.epoch >= self.highest_epoch && (!self.is_damaged || self.mends(header));
        let is_next = is_ours && self.stream.apply(header).is_ok();
        if is_next {
            self.settle();
            self.highest_epoch = self.highest_epoch.max(header.epoch);
            self.is_damaged = false;
        }
        is_next
    }

    /// Takes the message at `offset`.
    pub(super) fn take(&mut self, offset: i64, bytes: &[u8]) -> Taken {
        match parcel::open(bytes) {
            Ok(Some(Piece { mark, header, payload })) if header.chain == self.chain => {
                self.highest_epoch = self.highest_epoch.max(header.epoch);
                if self.is_behind(&header) {
                    // What could not be read came before what was taken long ago.
                    self.is_damaged &= self.is_settled;
                    return Taken::Nothing;
                }
                if self.is_damaged && !self.mends(&header) {
                    return Taken::Nothing;
                }
                self.gather(offset, &mark, header, payload)
            }
            Ok(_) => Taken::Foreign,
            Err(_) if self.is_damaged => Taken::Nothing,
            Err(error) => self.stop(error.to_string()),
        }
    }

    fn stop(&mut self, why: String) -> Taken {
        (self.is_damaged, self.unfinished) = (true, None);
        Taken::Damaged(why)
    }

    /// A record was taken: what is behind it will not be finished.
    fn settle(&mut self) {
        self.is_settled = true;
        if self.unfinished.as_ref().is_some_and(|unfinished| self.is_behind(&unfinished.header)) {
            self.unfinished = None;
        }
    }

    /// Was it taken before, or is its writer fenced?
    fn is_behind(&self, header: &Header) -> bool {
        let position = &self.stream.tail().position;
        header.sequence <= position.sequence || header.epoch < position.epoch
    }

    /// Does a writer take the stream over where it stopped?
    fn mends(&self, header: &Header) -> bool {
        let position = &self.stream.tail().position;
        let takes_over = header.kind == Kind::Open && header.epoch > position.epoch;
        takes_over && header.sequence == position.sequence.next()
    }

    fn gather(&mut self, offset: i64, mark: &Mark, header: Header, piece: &[u8]) -> Taken {
        if mark.piece == 0 {
            self.unfinished = Some(Unfinished { header, offset, pieces: 0, payload: Vec::new() });
        }
        let Some(unfinished) = &mut self.unfinished else { return Taken::Nothing };
        if unfinished.header != header || unfinished.pieces != mark.piece {
            return Taken::Nothing;
        }
        if unfinished.payload.len() + piece.len() > RECORD_BYTES_MAX {
            return self.stop(format!("record {} is above {RECORD_BYTES_MAX} bytes", header.sequence));
        }
        unfinished.payload.extend_from_slice(piece);
        unfinished.pieces += 1;
        if unfinished.pieces < mark.pieces {
            return Taken::Nothing;
        }
        match self.unfinished.take() {
            Some(whole) => self.accept(whole),
            None => Taken::Nothing,
        }
    }

    fn accept(&mut self, whole: Unfinished) -> Taken {
        let record = match wire::decode_parts(&whole.header, &whole.payload) {
            Ok(record) => record,
            Err(error) => return self.stop(error.to_string()),
        };
        match self.stream.receive(&whole.header) {
            Ok(Outcome::Stale) => Taken::Nothing,
            Ok(Outcome::Applied) => {
                self.is_damaged = false;
                self.settle();
                Taken::Record(record, whole.offset)
            }
            Err(error) => {
                self.is_damaged = true;
                Taken::Gap(error.to_string())
            }
        }
    }
}

#[cfg(test)]
#[path = "intake/tests.rs"]
mod tests;

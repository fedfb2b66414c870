//! A writer's books of its topic: where the stream stands, at which offset the next message will be, and where whoever
//! comes after must begin to read. Pure.

use super::intake::{Intake, Taken};
use super::parcel::Anchor;
use crate::wire::{Header, Kind};
use model::chain::ChainId;
use model::change::Position;
use model::segment::Finality;
use std::collections::VecDeque;

/// The books of one topic.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) intake: Intake,
    /// Where the next message will be, if nobody else writes.
    pub(super) next_offset: i64,
    /// Of each open block, ascending, where reading would have to begin if it were the lowest.
    open: VecDeque<(u64, Anchor)>,
}

impl Books {
    /// Books that begin at `offset`, where the stream stands at `position`.
    pub(super) fn new(chain: ChainId, position: Position, registry_version: u64, offset: i64) -> Self {
        let intake = Intake::new(chain, position, registry_version);
        Self { intake, next_offset: offset, open: VecDeque::new() }
    }

    /// Where reading begins for whoever comes after the next record.
    pub(super) fn anchor(&self) -> Anchor {
        // A record may be on its way whose first pieces were read: it could still come before the next one.
        let here = self.intake.unfinished_from().map_or(self.next_offset, |from| from.min(self.next_offset));
        self.open.front().map_or_else(|| self.here(here), |(_, anchor)| *anchor)
    }

    /// Takes a message that was read.
    pub(super) fn take(&mut self, offset: i64, bytes: &[u8]) -> Taken {
        let before = self.here(offset);
        let taken = self.intake.take(offset, bytes);
        self.next_offset = self.next_offset.max(offset + 1);
        if let Taken::Record(record, begun) = &taken {
            self.note(&Kind::of(&record.change), Anchor { offset: *begun, ..before });
        }
        taken
    }

    /// Takes a record that this writer wrote from `first` to `last`, once everything before `last` that others wrote
    /// was taken. `false` when it is not the next one because of them.
    pub(super) fn wrote(&mut self, header: &Header, first: i64, last: i64) -> bool {
        let before = self.here(first);
        self.next_offset = self.next_offset.max(last + 1);
        let is_next = self.intake.apply(header);
        if is_next {
            self.note(&header.kind, before);
        }
        is_next
    }

    fn here(&self, offset: i64) -> Anchor {
        let tail = self.intake.tail();
        Anchor { offset, position: tail.position, registry_version: tail.registry_version }
    }

    fn note(&mut self, kind: &Kind, before: Anchor) {
        match kind {
            Kind::Append(run) if run.finality == Finality::Open => {
                self.open.push_back((run.last.number, before));
            }
            Kind::Revert(to) => self.open.retain(|(number, _)| *number <= to.number),
            Kind::Finalize(upto) => self.open.retain(|(number, _)| *number > upto.number),
            Kind::Open | Kind::Append(_) | Kind::Registry { .. } => {}
        }
    }
}

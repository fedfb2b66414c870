//! One chain in memory: does a change stand on what is here, and which rows are open, final, or gone.

use crate::Recovery;
use crate::error::{Error, Result};
use arrow_array::RecordBatch;
use model::chain::{BlockRef, ChainId};
use model::change::{Position, Sequence};
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Where a chain stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// Rows are in files up to here.
    pub(crate) state_at: Position,
    /// Timestamp of the tip there, Unix seconds.
    pub(crate) state_time_secs: u64,
    /// Notices are durable up to here.
    pub(crate) written_to: Position,
}

/// Rows of one append, in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The chain.
    pub(crate) chain: ChainId,
    /// The stream after the append.
    pub(crate) position: Position,
    /// Hash of the block below the first.
    pub(crate) parent: BlockRef,
    /// The last block.
    pub(crate) last: BlockRef,
    /// Its timestamp, Unix seconds.
    pub(crate) time_secs: u64,
    /// Rows by table.
    pub(crate) rows: Vec<(Table, RecordBatch)>,
}

impl Entry {
    /// How many rows it has.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.iter().map(|(_, batch)| batch.num_rows()).sum()
    }
}

/// One chain.
#[derive(Debug)]
pub(crate) struct Chain {
    id: ChainId,
    /// Where the records of the log say it stands.
    pub(crate) marks: Marks,
    /// The stream after the last change taken.
    pub(crate) position: Position,
    /// Timestamp of the tip, Unix seconds.
    pub(crate) time_secs: u64,
    /// The last block that can no longer go; `None` before the first.
    base: Option<BlockRef>,
    /// Rows of blocks above it.
    pub(crate) open: VecDeque<Arc<Entry>>,
    /// Where `state_at` will be once what is final is in files, and the time of its tip.
    pub(crate) ready: Option<(Position, u64)>,
    /// What readers see: where the chain stood when it was last durable, and the time of its tip.
    pub(crate) seen: (Position, u64),
}

impl Chain {
    /// A chain as the log left it.
    pub(crate) fn new(id: ChainId, marks: Marks) -> Self {
        Self {
            id,
            marks,
            position: marks.state_at,
            time_secs: marks.state_time_secs,
            base: marks.state_at.tip,
            open: VecDeque::new(),
            ready: None,
            seen: (marks.state_at, marks.state_time_secs),
        }
    }

    /// Where it was left.
    pub(crate) fn recovery(&self) -> Recovery {
        Recovery {
            state_at: self.marks.state_at,
            state_time_secs: self.marks.state_time_secs,
            written_to: self.marks.written_to,
        }
    }

    /// All that was taken is durable, and the log says `marks`.
    pub(crate) fn settle(&mut self, marks: Marks) {
        self.marks = marks;
        self.seen = (self.position, self.time_secs);
        self.ready = self.ready.filter(|(position, _)| position.sequence > marks.state_at.sequence);
    }

    /// Were changes taken that no record speaks of? They are final, and come back from the chain itself.
    pub(crate) fn is_ahead(&self) -> bool {
        self.position.sequence > self.marks.written_to.sequence
    }

    /// The last block whose rows are here.
    pub(crate) fn tip(&self) -> Option<BlockRef> {
        self.open.back().map(|entry| entry.last).or(self.base)
    }

    /// Must the change be durable at once? Final rows and what moves no row may wait.
    pub(crate) fn is_urgent(&self, effect: &Effect) -> bool {
        match effect {
            Effect::None => false,
            Effect::Append { finality, .. } => *finality == Finality::Open,
            Effect::Revert { .. } | Effect::Finalize { .. } => !self.open.is_empty(),
        }
    }

    /// Does the change stand on what is here? Nothing is changed yet.
    pub(crate) fn check(&self, commit: &Commit) -> Result<()> {
        if commit.position.sequence <= self.position.sequence {
            let (came, last) = (commit.position.sequence.0, self.position.sequence.0);
            return Err(self.diverged(format!("change {came} came after change {last}")));
        }
        match &commit.effect {
            Effect::None => Ok(()),
            Effect::Append { first_number, parent_hash, last, finality, rows, .. } => {
                self.check_append(*first_number, *parent_hash, *last, *finality)?;
                if commit.position.tip != Some(*last) {
                    return Err(self.diverged(format!(
                        "rows end at block {last}, the position at {}",
                        show(commit.position.tip)
                    )));
                }
                rows.iter().try_for_each(|(table, batch)| self.check_rows(*table, batch))
            }
            Effect::Revert { to } => self.check_revert(*to),
            Effect::Finalize { upto } => self.check_finalize(*upto),
        }
    }

    /// Does what a change that was checked says; gives the rows that are final from now on.
    pub(crate) fn apply(&mut self, position: Position, effect: Effect) -> Vec<Arc<Entry>> {
        self.position = position;
        match effect {
            Effect::None => {
                self.stay();
                Vec::new()
            }
            Effect::Append { first_number, parent_hash, last, last_time_secs, finality, rows } => {
                let parent = BlockRef { number: first_number.saturating_sub(1), hash: parent_hash };
                let rows = rows.into_iter().filter(|(_, batch)| batch.num_rows() > 0).collect();
                let entry = Entry { chain: self.id, position, parent, last, time_secs: last_time_secs, rows };
                self.append(entry, finality).into_iter().collect()
            }
            Effect::Revert { to } => {
                self.revert(to);
                Vec::new()
            }
            Effect::Finalize { upto } => self.finalize(upto),
        }
    }

    /// The place of the last change whose blocks are still here: what came after it was taken back.
    pub(crate) fn stands_at(&self) -> Sequence {
        let open = self.open.back().map(|entry| entry.position);
        let settled = open.or(self.ready.map(|(position, _)| position));
        settled.unwrap_or(self.marks.state_at).sequence
    }

    /// Takes a change that moves no rows. The stream across chains has no other, and nothing comes again of it: what
    /// it says is never taken back by a replay.
    fn stay(&mut self) {
        if self.id == ChainId::ACROSS {
            self.ready = Some((self.position, 0));
        }
    }

    /// Takes rows; gives them back when they are final.
    fn append(&mut self, entry: Entry, finality: Finality) -> Option<Arc<Entry>> {
        self.time_secs = entry.time_secs;
        let entry = Arc::new(entry);
        match finality {
            Finality::Final => {
                self.base = Some(entry.last);
                self.ready = Some((entry.position, entry.time_secs));
                Some(entry)
            }
            Finality::Open => {
                self.open.push_back(entry);
                None
            }
        }
    }

    /// Drops rows above `to`.
    fn revert(&mut self, to: BlockRef) {
        while self.open.back().is_some_and(|entry| entry.last.number > to.number) {
            self.open.pop_back();
        }
        let below = self.open.back().map(|entry| entry.time_secs);
        self.time_secs = below.or(self.ready.map(|(_, time)| time)).unwrap_or(self.marks.state_time_secs);
    }

    /// Gives the rows that are final from now on.
    fn finalize(&mut self, upto: BlockRef) -> Vec<Arc<Entry>> {
        let count = self.open.iter().take_while(|entry| entry.last.number <= upto.number).count();
        let entries: Vec<Arc<Entry>> = self.open.drain(..count).collect();
        if let Some(last) = entries.last() {
            self.base = Some(last.last);
            self.ready = Some((last.position, last.time_secs));
        }
        entries
    }

    fn check_append(
        &self,
        first: u64,
        parent_hash: model::B256,
        last: BlockRef,
        finality: Finality,
    ) -> Result<()> {
        if last.number < first {
            return Err(self.diverged(format!("rows of blocks {first} to {} are of no block", last.number)));
        }
        if let Some(tip) = self.tip()
            && (first != tip.number + 1 || parent_hash != tip.hash)
        {
            return Err(self.diverged(format!(
                "block {first} with parent {parent_hash} does not stand on the tip {tip}"
            )));
        }
        match finality {
            Finality::Final if !self.open.is_empty() => {
                let open = self.open.len();
                Err(self.diverged(format!("final block {first} came above {open} blocks that are not final")))
            }
            Finality::Open if last.number != first => {
                Err(self.diverged(format!("blocks {first} to {} are open and came as one", last.number)))
            }
            Finality::Final | Finality::Open => Ok(()),
        }
    }

    /// Rows with other columns, or of another chain, would be found by nobody. Alerts, notices and incidents have
    /// a way of their own.
    fn check_rows(&self, table: Table, batch: &RecordBatch) -> Result<()> {
        if matches!(table, Table::Alerts | Table::Notices | Table::Incidents) {
            return Err(self.diverged(format!("rows of {} came as rows", table.name())));
        }
        if batch.schema_ref() != &table.schema() {
            return Err(self.diverged(format!("rows of {} do not have its columns", table.name())));
        }
        let column = batch
            .column_by_name("chain")
            .and_then(|column| column.as_any().downcast_ref::<arrow_array::UInt64Array>());
        match column {
            Some(chains) if chains.values().iter().all(|chain| *chain == self.id.0) => Ok(()),
            _ => Err(self.diverged(format!("rows of {} are of another chain", table.name()))),
        }
    }

    fn check_revert(&self, to: BlockRef) -> Result<()> {
        let known = self.open.iter().map(|entry| entry.last).chain(self.ground()).any(|block| block == to);
        if known || self.tip().is_none() {
            return Ok(());
        }
        let (tip, ground) = (show(self.tip()), show(self.ground()));
        Err(self.diverged(format!("cannot revert to block {to}: blocks from {ground} to {tip} are here")))
    }

    fn check_finalize(&self, upto: BlockRef) -> Result<()> {
        let beyond = self.tip().is_some_and(|tip| upto.number > tip.number);
        let other = self
            .open
            .iter()
            .map(|entry| entry.last)
            .chain(self.base)
            .any(|block| block.number == upto.number && block.hash != upto.hash);
        if beyond || other {
            return Err(
                self.diverged(format!("cannot finalise block {upto}: the tip is {}", show(self.tip())))
            );
        }
        Ok(())
    }

    /// The lowest block that a revert may name: the last final one, else the one below the first.
    fn ground(&self) -> Option<BlockRef> {
        self.base.or_else(|| self.open.front().map(|entry| entry.parent))
    }

    fn diverged(&self, detail: String) -> Error {
        Error::Diverged { chain: self.id, detail }
    }
}

fn show(block: Option<BlockRef>) -> String {
    block.map_or_else(|| "none".into(), |block| block.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, commit_append, commit_effect};

    fn chain() -> Chain {
        Chain::new(ChainId(1), Marks::default())
    }

    fn take(chain: &mut Chain, commit: Commit) -> Result<Vec<u64>> {
        chain.check(&commit)?;
        let entries = chain.apply(commit.position, commit.effect);
        Ok(entries.iter().map(|entry| entry.last.number).collect())
    }

    #[test]
    fn blocks_stand_on_the_tip_or_are_refused() {
        let mut chain = chain();
        assert_eq!(take(&mut chain, commit_append(1, 1, 5..=9, 0, Finality::Final)).unwrap(), [9]);
        take(&mut chain, commit_append(1, 2, 10..=10, 0, Finality::Open)).unwrap();
        for refused in [
            commit_append(1, 3, 12..=12, 0, Finality::Open),
            commit_append(1, 3, 10..=10, 0, Finality::Open),
            commit_append(1, 3, 11..=11, 7, Finality::Open),
            commit_append(1, 3, 11..=12, 0, Finality::Open),
            commit_append(1, 3, 11..=11, 0, Finality::Final),
            commit_append(1, 2, 11..=11, 0, Finality::Open),
        ] {
            let error = take(&mut chain, refused).unwrap_err();
            assert!(matches!(error, Error::Diverged { .. }), "{error}");
        }
        take(&mut chain, commit_append(1, 3, 11..=11, 0, Finality::Open)).unwrap();
        assert_eq!(chain.tip(), Some(block(11, 0)));
    }

    #[test]
    fn a_revert_stops_at_the_last_final_block() {
        let mut chain = chain();
        take(&mut chain, commit_append(1, 1, 1..=5, 0, Finality::Final)).unwrap();
        take(&mut chain, commit_append(1, 2, 6..=6, 0, Finality::Open)).unwrap();
        take(&mut chain, commit_append(1, 3, 7..=7, 0, Finality::Open)).unwrap();
        take(&mut chain, commit_effect(1, 4, Effect::Revert { to: block(6, 0) })).unwrap();
        assert_eq!(chain.tip(), Some(block(6, 0)));
        assert_eq!(
            take(&mut chain, commit_effect(1, 5, Effect::Finalize { upto: block(6, 0) })).unwrap(),
            [6]
        );
        for to in [block(5, 0), block(6, 1), block(7, 0)] {
            assert!(take(&mut chain, commit_effect(1, 6, Effect::Revert { to })).is_err(), "{to}");
        }
        take(&mut chain, commit_effect(1, 6, Effect::Revert { to: block(6, 0) })).unwrap();
        assert_eq!(chain.ready.map(|(position, _)| position.sequence.0), Some(2));
    }

    #[test]
    fn a_chain_may_begin_with_open_blocks_and_lose_all_of_them() {
        let mut chain = chain();
        take(&mut chain, commit_append(1, 1, 100..=100, 0, Finality::Open)).unwrap();
        take(&mut chain, commit_effect(1, 2, Effect::Revert { to: block(99, 0) })).unwrap();
        assert_eq!(chain.tip(), None);
    }
}

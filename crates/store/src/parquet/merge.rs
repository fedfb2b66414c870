//! Merges runs into one: each run is in the order of its table and, for an upserted table, has one row a key.
//!
//! The merge neither reads nor waits: it says of which run it needs the next batch and takes what it is given.
//! So the same code serves compaction and restart (which read files) and queries (which await streams).
//!
//! Where a run goes on for long without the others, its rows are passed on as they are, not copied: when a large
//! old run meets a small new one, which is the common case, most of the work is finding where the new rows fall.

use crate::error::Result;
use crate::order::RowOrder;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::interleave::interleave_record_batch;
use datafusion::arrow::row::Rows;
use model::tables::Table;
use std::cmp::Ordering;

/// Rows of a merged batch.
const BATCH_ROWS: usize = 8 * 1024;

/// From this many rows in one piece, a piece is passed on rather than copied.
const PIECE_ROWS: usize = 1024;

/// What a merge needs or has.
#[derive(Debug)]
pub(crate) enum Step {
    /// It needs the next batch of this run.
    Need(usize),
    /// It has merged these rows.
    Rows(RecordBatch),
    /// It has merged all.
    End,
}

/// A merge of several runs, given by descending age: of rows of one key and version, that of the last run counts.
#[derive(Debug)]
pub(crate) struct Merge {
    order: RowOrder,
    runs: Vec<Run>,
    /// Runs that have a row, by that row's key, then by age.
    queue: Vec<usize>,
    /// Runs whose batch is used up.
    hungry: Vec<usize>,
    /// Batches that `picked` speaks of.
    batches: Vec<RecordBatch>,
    /// Rows that are next in the result: batch and row.
    picked: Vec<(usize, usize)>,
    /// A piece that follows what is picked.
    piece: Option<RecordBatch>,
}

#[derive(Debug, Default)]
struct Run {
    batch: Option<Batch>,
    ended: bool,
}

#[derive(Debug)]
struct Batch {
    rows: RecordBatch,
    keys: Rows,
    at: usize,
    /// Where the batch is in `Merge::batches`.
    slot: Option<usize>,
}

impl Merge {
    /// A merge of `runs` runs with rows of `table` in batches of `schema`.
    pub(crate) fn new(table: Table, schema: &SchemaRef, runs: usize) -> Result<Self> {
        Ok(Self {
            order: RowOrder::new(table, schema)?,
            runs: (0..runs).map(|_| Run::default()).collect(),
            queue: Vec::with_capacity(runs),
            hungry: (0..runs).rev().collect(),
            batches: Vec::new(),
            picked: Vec::new(),
            piece: None,
        })
    }

    /// Goes on until something is needed or ready.
    pub(crate) fn step(&mut self) -> Result<Step> {
        loop {
            if self.picked.len() >= BATCH_ROWS || (self.piece.is_some() && !self.picked.is_empty()) {
                return self.take_picked();
            }
            if let Some(piece) = self.piece.take() {
                return Ok(Step::Rows(piece));
            }
            if let Some(run) = self.hungry.last() {
                return Ok(Step::Need(*run));
            }
            if self.queue.is_empty() {
                return if self.picked.is_empty() { Ok(Step::End) } else { self.take_picked() };
            }
            self.advance();
        }
    }

    /// The runs whose next batch is needed.
    pub(crate) fn hungry(&self) -> &[usize] {
        &self.hungry
    }

    /// Gives the next batch of a run, `None` at its end.
    pub(crate) fn feed(&mut self, run: usize, batch: Option<RecordBatch>) -> Result<()> {
        match batch {
            Some(rows) if rows.num_rows() == 0 => return Ok(()),
            Some(rows) => {
                let keys = self.order.keys(&rows)?;
                self.runs[run].batch = Some(Batch { rows, keys, at: 0, slot: None });
            }
            None => self.runs[run].ended = true,
        }
        self.hungry.retain(|hungry| *hungry != run);
        if !self.runs[run].ended {
            self.enqueue(run);
        }
        Ok(())
    }

    /// Takes the rows of the run that comes first, as far as it goes without the others.
    fn advance(&mut self) {
        let first = self.queue.remove(0);
        let Some(second) = self.queue.first().copied() else {
            let len = self.runs[first].batch.as_ref().map_or(0, Batch::left);
            return self.pass(first, len);
        };
        let (Some(leading), Some(following)) = (&self.runs[first].batch, &self.runs[second].batch) else {
            return;
        };
        let limit = following.keys.row(following.at);
        if leading.keys.row(leading.at) == limit {
            return if self.order.newest_only { self.choose(first) } else { self.pass(first, 1) };
        }
        let len = leading.before(|key| leading.keys.row(key) < limit);
        self.pass(first, len);
    }

    /// Of all runs at the key of `first`, passes on the row that counts.
    fn choose(&mut self, first: usize) {
        let same =
            self.queue.iter().take_while(|run| self.compare_heads(first, **run) == Ordering::Equal).count();
        let mut group: Vec<usize> = self.queue.drain(..same).collect();
        group.push(first);
        let version = |run: &usize| {
            let batch = self.runs[*run].batch.as_ref();
            (batch.map(|batch| self.order.version(&batch.rows, batch.at)), *run)
        };
        let winner = group.iter().copied().max_by_key(version).unwrap_or(first);
        for run in group {
            if run == winner { self.pass(run, 1) } else { self.skip(run, 1) }
        }
    }

    /// Adds the next `len` rows of a run to the result.
    fn pass(&mut self, run: usize, len: usize) {
        if let Some(batch) = &mut self.runs[run].batch {
            if len >= PIECE_ROWS && self.piece.is_none() {
                self.piece = Some(batch.rows.slice(batch.at, len));
            } else {
                let slot = *batch.slot.get_or_insert_with(|| {
                    self.batches.push(batch.rows.clone());
                    self.batches.len() - 1
                });
                self.picked.extend((batch.at..batch.at + len).map(|row| (slot, row)));
            }
        }
        self.skip(run, len);
    }

    fn skip(&mut self, run: usize, len: usize) {
        let Some(batch) = &mut self.runs[run].batch else { return };
        batch.at += len;
        if batch.left() == 0 {
            self.runs[run].batch = None;
            self.hungry.push(run);
        } else {
            self.enqueue(run);
        }
    }

    fn enqueue(&mut self, run: usize) {
        let place = self
            .queue
            .partition_point(|queued| self.compare_heads(*queued, run).then(queued.cmp(&run)).is_lt());
        self.queue.insert(place, run);
    }

    fn compare_heads(&self, a: usize, b: usize) -> Ordering {
        match (&self.runs[a].batch, &self.runs[b].batch) {
            (Some(a), Some(b)) => a.keys.row(a.at).cmp(&b.keys.row(b.at)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    fn take_picked(&mut self) -> Result<Step> {
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let rows = interleave_record_batch(&batches, &self.picked)?;
        self.picked.clear();
        self.batches.clear();
        for run in &mut self.runs {
            if let Some(batch) = &mut run.batch {
                batch.slot = None;
            }
        }
        Ok(Step::Rows(rows))
    }
}

impl Batch {
    fn left(&self) -> usize {
        self.rows.num_rows() - self.at
    }

    /// How many of the rows that are left come before the first that is not `less`: doubling steps, then halving.
    fn before(&self, less: impl Fn(usize) -> bool) -> usize {
        let left = self.left();
        let mut reach = 1;
        while reach < left && less(self.at + reach) {
            reach *= 2;
        }
        let (mut low, mut high) = (reach / 2, reach.min(left));
        while low < high {
            let middle = low + (high - low) / 2;
            if less(self.at + middle) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// The merged rows of runs that are read as they are needed.
pub(crate) struct Merged<I> {
    merge: Merge,
    runs: Vec<I>,
    failed: bool,
}

impl<I> Merged<I> {
    /// Merges `runs`, given by descending age.
    pub(crate) fn new(table: Table, schema: &SchemaRef, runs: Vec<I>) -> Result<Self> {
        Ok(Self { merge: Merge::new(table, schema, runs.len())?, runs, failed: false })
    }
}

impl<I, E> Iterator for Merged<I>
where
    I: Iterator<Item = std::result::Result<RecordBatch, E>>,
    crate::error::Error: From<E>,
{
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.failed {
            return None;
        }
        let next = self.next_rows().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

impl<I, E> Merged<I>
where
    I: Iterator<Item = std::result::Result<RecordBatch, E>>,
    crate::error::Error: From<E>,
{
    fn next_rows(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            match self.merge.step()? {
                Step::Need(run) => {
                    let batch = self.runs[run].next().transpose()?;
                    self.merge.feed(run, batch)?;
                }
                Step::Rows(rows) => return Ok(Some(rows)),
                Step::End => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
#[path = "merge/tests.rs"]
mod tests;

//! An answer: rows as they come, cut at their bounds, ended on time, cancelled when dropped.

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metrics::Course;
use crate::snapshot::SnapshotName;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use futures::Stream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

/// The rows of one query, as batches.
#[derive(Debug)]
pub struct Answer {
    snapshot: SnapshotName,
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch>>,
    ended: oneshot::Receiver<()>,
    deadline: Pin<Box<Sleep>>,
    deadline_secs: u64,
    left: Left,
    truncated: bool,
    done: bool,
    course: Course,
    _query: EndOnDrop,
}

/// What may still be given.
#[derive(Debug)]
struct Left {
    rows: u64,
    bytes: u64,
}

/// A running query that ends when nobody waits for it any more.
#[derive(Debug)]
pub(super) struct EndOnDrop(pub(super) JoinHandle<()>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The running end of an answer.
pub(super) struct Running {
    pub(super) snapshot: SnapshotName,
    pub(super) schema: SchemaRef,
    pub(super) batches: mpsc::Receiver<Result<RecordBatch>>,
    /// Told once the last batch is on its way.
    pub(super) ended: oneshot::Receiver<()>,
    pub(super) query: EndOnDrop,
}

impl Answer {
    pub(super) fn new(running: Running, limits: &Limits, deadline: Instant, course: Course) -> Self {
        Self {
            snapshot: running.snapshot,
            schema: running.schema,
            batches: running.batches,
            ended: running.ended,
            deadline: Box::pin(tokio::time::sleep_until(deadline)),
            deadline_secs: limits.deadline.as_secs(),
            left: Left { rows: limits.rows, bytes: limits.bytes },
            truncated: false,
            done: false,
            course,
            _query: running.query,
        }
    }

    /// The moment that the answer is made of.
    pub fn snapshot(&self) -> &SnapshotName {
        &self.snapshot
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Were rows cut off? Known once the stream has ended.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// What may be given of a batch.
    fn cut(&mut self, batch: RecordBatch) -> Option<RecordBatch> {
        let bytes = batch.get_array_memory_size() as u64;
        let rows = batch.num_rows() as u64;
        let fits = rows <= self.left.rows && bytes <= self.left.bytes;
        if fits {
            self.course.gave(batch.num_rows());
            self.left = Left { rows: self.left.rows - rows, bytes: self.left.bytes - bytes };
            return Some(batch);
        }
        self.truncated = true;
        self.end("truncated");
        let by_bytes =
            if bytes > self.left.bytes { self.left.bytes.saturating_mul(rows) / bytes.max(1) } else { rows };
        let keep = usize::try_from(self.left.rows.min(by_bytes)).unwrap_or(usize::MAX);
        self.course.gave(keep);
        (keep > 0).then(|| batch.slice(0, keep))
    }

    fn end(&mut self, outcome: &'static str) {
        self.done = true;
        self.course.ended(outcome);
    }

    fn fail(&mut self, error: Error) -> Poll<Option<Result<RecordBatch>>> {
        self.end(error.code());
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.done {
            if self.deadline.as_mut().poll(context).is_ready() {
                let secs = self.deadline_secs;
                return self.fail(Error::Deadline { secs });
            }
            match ready!(self.batches.poll_recv(context)) {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => {
                    if let Some(batch) = self.cut(batch) {
                        return Poll::Ready(Some(Ok(batch)));
                    }
                }
                Some(Err(error)) => return self.fail(error),
                None if self.ended.try_recv().is_ok() => self.end("ok"),
                // The engine went away before the last row.
                None => return self.fail(Error::Closed),
            }
        }
        Poll::Ready(None)
    }
}

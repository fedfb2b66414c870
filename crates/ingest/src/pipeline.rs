//! Ranges in order, several at once: final blocks in large segments, open blocks one by one.
//!
//! ```text
//! plan ──▶ read ─┐                 order        link        complete        gather
//!      ──▶ read ─┼─▶ (tasks: network, parse, verify) ──▶ one range after the other ──▶ segment of ~20k logs ──▶ bus
//!      ──▶ read ─┘
//! ```
//!
//! Reads run as tasks of their own, so that parsing goes on while a segment is published.

use crate::error::{Error, Result};
use crate::factory::Watched;
use crate::source::{ChainSource, ReadRequest};
use arrow_select::concat::concat_batches;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use model::chain::{BlockRef, ChainId};
use model::segment::{Finality, Segment, logs_schema};
use std::pin::Pin;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;

/// Logs at which a segment is published: some hundred milliseconds of work behind it, some megabytes on the way.
const SEGMENT_LOGS: usize = 20_000;
/// Blocks at which a segment is published however few logs they carry: progress of a sparse chain.
const SEGMENT_BLOCKS: u64 = 1 << 18;
/// Ranges at which a segment is published: progress where a provider answers for a few blocks at a time.
const SEGMENT_READS: usize = 64;

type Reading = Pin<Box<dyn Future<Output = (ReadRequest, usize, Result<Segment>)> + Send>>;

/// Reads on their way, in order.
pub(crate) struct Pipeline {
    source: Arc<dyn ChainSource>,
    /// Everything of a request but its range and its query.
    request: ReadRequest,
    /// First block that is not yet asked for; `None` when all are.
    next: Option<u64>,
    at_once: usize,
    under_way: FuturesOrdered<Reading>,
}

impl Pipeline {
    /// Reads the range of `request`, up to `at_once` ranges of it at a time.
    pub(crate) fn new(source: Arc<dyn ChainSource>, request: ReadRequest, at_once: usize) -> Self {
        Self { source, next: Some(request.first), request, at_once, under_way: FuturesOrdered::new() }
    }

    /// The next segment, in order, complete with what factories have made; `None` at the end.
    pub(crate) async fn next(&mut self, watched: &mut Watched) -> Option<Result<Segment>> {
        self.fill(watched);
        let (request, known, outcome) = self.under_way.next().await?;
        let segment = match outcome {
            Ok(segment) => segment,
            Err(error) => return Some(Err(error)),
        };
        if segment.last.number < request.last {
            // It was cut short: what is left comes before all that follows.
            let (query, known) = watched.query();
            let (first, parent) = (segment.last.number + 1, Some(segment.last.hash));
            let rest = ReadRequest { first, parent, query, ..request.clone() };
            self.under_way.push_front(self.read(rest, known));
        }
        let request = ReadRequest { last: segment.last.number, ..request };
        Some(watched.complete(self.source.as_ref(), &request, known, segment).await)
    }

    fn fill(&mut self, watched: &Watched) {
        while let Some(first) = self.next.filter(|_| self.under_way.len() < self.at_once) {
            let (query, known) = watched.query();
            let span = match self.request.finality {
                Finality::Final => self.source.span(self.request.level).max(1),
                Finality::Open => 1,
            };
            let last = first.saturating_add(span - 1).min(self.request.last);
            let parent = self.request.parent.filter(|_| first == self.request.first);
            let request = ReadRequest { first, last, parent, query, ..self.request.clone() };
            self.under_way.push_back(self.read(request, known));
            self.next = last.checked_add(1).filter(|next| *next <= self.request.last);
        }
    }

    fn read(&self, request: ReadRequest, known: usize) -> Reading {
        let (source, asked) = (Arc::clone(&self.source), request.clone());
        let reading = AbortOnDropHandle::new(tokio::spawn(async move { source.read(asked).await }));
        Box::pin(async move {
            let outcome = reading.await.unwrap_or_else(|error| Err(Error::Reader(error.to_string())));
            (request, known, outcome)
        })
    }
}

/// Segments that follow one another, on their way to being one.
pub(crate) struct Gathering {
    chain: ChainId,
    parts: Vec<Segment>,
    logs: usize,
    tip: Option<BlockRef>,
}

impl Gathering {
    /// Gathers what stands on `tip`.
    pub(crate) fn new(chain: ChainId, tip: Option<BlockRef>) -> Self {
        Self { chain, parts: Vec::new(), logs: 0, tip }
    }

    /// Takes the next segment.
    ///
    /// # Errors
    /// [`Error::Moved`] when it does not stand on the one before it.
    pub(crate) fn push(&mut self, segment: Segment) -> Result<()> {
        let linked = self.tip.is_none_or(|tip| {
            segment.parent_hash == tip.hash && tip.number.checked_add(1) == Some(segment.first_number)
        });
        if !linked {
            return Err(Error::Moved { chain: self.chain, block: segment.first_number });
        }
        self.logs += segment.logs.num_rows();
        self.tip = Some(segment.last);
        self.parts.push(segment);
        Ok(())
    }

    /// The last block that was taken.
    pub(crate) fn tip(&self) -> Option<BlockRef> {
        self.tip
    }

    /// Is it enough for a segment?
    pub(crate) fn is_full(&self) -> bool {
        let blocks: u64 = self.parts.iter().map(Segment::block_count).fold(0, u64::saturating_add);
        self.logs >= SEGMENT_LOGS || blocks >= SEGMENT_BLOCKS || self.parts.len() >= SEGMENT_READS
    }

    /// What was gathered, as one segment; `None` when there is nothing.
    pub(crate) fn take(&mut self) -> Result<Option<Segment>> {
        self.logs = 0;
        let parts = std::mem::take(&mut self.parts);
        let Some(level) = parts.iter().map(|part| part.level).min() else { return Ok(None) };
        let logs = match parts.as_slice() {
            [only] => only.logs.clone(),
            several => concat_batches(&logs_schema(), several.iter().map(|part| &part.logs))?,
        };
        let mut parts = parts.into_iter();
        let Some(mut segment) = parts.next() else { return Ok(None) };
        for part in parts {
            segment.last = part.last;
            segment.last_time_secs = part.last_time_secs;
            segment.blocks.extend(part.blocks);
            segment.incidents.extend(part.incidents);
        }
        Ok(Some(Segment { logs, level, ..segment }))
    }
}

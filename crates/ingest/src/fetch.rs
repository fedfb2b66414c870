//! One range from one endpoint, as a verified segment.
//!
//! ```text
//! logs ──▶ headers ──▶ what the level asks for: receipts, transactions ──▶ segment
//! ```
//!
//! - `proof`: what the level asks of the logs that were read.
//! - `receipts`: where `eth_getLogs` cannot be used (one block holds more than the endpoint gives, or no endpoint's
//!   answer is whole) the logs are taken from receipts that are proved: dearer, and beyond doubt.

use crate::columns::{self, Sent};
use crate::endpoint::Endpoint;
use crate::rpc::error::RpcError;
use crate::rpc::logs::LogSet;
use crate::rpc::methods::{Hashing, Head};
use crate::source::ReadRequest;
use crate::verify::{self, Heads};
use model::segment::{BlockMeta, Finality, Segment, VerificationLevel};

mod proof;
mod receipts;

/// Logs after which a read ends early: a segment's upper aim. What is in memory stays bounded when a sparse range
/// turns dense.
pub(crate) const READ_LOGS_MAX: usize = 50_000;
/// Blocks of one read where every header is read: at 1 to 15 kB of JSON each, some megabytes.
pub(crate) const HEADERS_MAX: u64 = 1_024;
/// Ranges that may time out within one read: after three halvings it is the endpoint, not the range.
const TIMEOUTS_MAX: u32 = 3;
/// Blocks whose receipts are in memory at once.
const PROVED_AT_ONCE: usize = 8;

/// Reads the range of `request`, or the beginning of it, by `eth_getLogs`.
pub(crate) async fn by_logs(endpoint: &Endpoint, request: &ReadRequest) -> Result<Segment, RpcError> {
    settled(endpoint, request, Read { endpoint, request, seen: None }.by_logs()).await
}

/// Reads the range of `request`, or the beginning of it, from proved receipts.
pub(crate) async fn by_receipts(endpoint: &Endpoint, request: &ReadRequest) -> Result<Segment, RpcError> {
    settled(endpoint, request, Read { endpoint, request, seen: None }.by_receipts()).await
}

/// A block that may be orphaned may be replaced between two calls; then what disagrees is two blocks, and no lie.
async fn settled(
    endpoint: &Endpoint,
    request: &ReadRequest,
    read: impl Future<Output = (Option<Head>, Result<Segment, RpcError>)>,
) -> Result<Segment, RpcError> {
    let (seen, outcome) = read.await;
    if request.finality == Finality::Final {
        return outcome;
    }
    match outcome {
        Err(RpcError::Pruned { detail, .. }) => Err(RpcError::Transient(format!("not there yet: {detail}"))),
        Err(error @ RpcError::BadData { .. }) => {
            let Some(seen) = seen else { return Err(error) };
            let now = endpoint.client.headers(&[request.first], hashing(request)).await?.pop().flatten();
            if now.is_some_and(|now| now.hash == seen.hash) {
                return Err(error);
            }
            Err(RpcError::Transient(format!("block {} was replaced while it was read", request.first)))
        }
        outcome => outcome,
    }
}

fn hashing(request: &ReadRequest) -> Hashing {
    if request.level == VerificationLevel::Off { Hashing::Taken } else { Hashing::Checked }
}

struct Read<'a> {
    endpoint: &'a Endpoint,
    request: &'a ReadRequest,
    /// Header of the first block, once it was read.
    seen: Option<Head>,
}

impl Read<'_> {
    async fn by_logs(mut self) -> (Option<Head>, Result<Segment, RpcError>) {
        let outcome = self.read_logs().await;
        (self.seen, outcome)
    }

    async fn read_logs(&mut self) -> Result<Segment, RpcError> {
        let read = match self.request.finality {
            Finality::Final => self.final_logs().await?,
            Finality::Open => self.open_logs().await?,
        };
        let Logs { set, last, heads, probes } = read;
        verify::check_headers(self.request.level, &heads, &set)?;
        let mut senders = vec![None; if self.request.query.carry_sender { set.logs.num_rows() } else { 0 }];
        let suspects = verify::suspects(self.request, &heads, &set, &probes)?;
        if suspects.is_empty() {
            self.check_history(&heads, &probes).await?;
        }
        for group in suspects.chunks(PROVED_AT_ONCE) {
            self.prove_or_look(group, &heads, &set, &mut senders).await?;
        }
        if let Some(block) = set.blocks.first() {
            self.endpoint.has_history_of(block.number);
        }
        self.name_senders(&set, &mut senders).await?;
        self.segment(last, &heads, set, &senders)
    }

    async fn final_logs(&mut self) -> Result<Logs, RpcError> {
        let (set, last) = self.logs().await?;
        let known = self.endpoint.holds_history_of(self.request.first.max(self.request.query.start_block));
        let probes = verify::probes(self.request, last, &set, known);
        let heads = self.heads(&verify::headers_needed(self.request, last, &set, &probes)).await?;
        Ok(Logs { set, last, heads, probes })
    }

    /// Its header first: whatever is read of another block after it is known to be of another block.
    async fn open_logs(&mut self) -> Result<Logs, RpcError> {
        let last = self.request.first;
        let heads = self.heads(&[last]).await?;
        let set = if self.proves_no_logs(&heads) { columns::empty() } else { self.logs().await?.0 };
        let probes = verify::probes(self.request, last, &set, true);
        Ok(Logs { set, last, heads, probes })
    }

    /// A header that was hashed and whose bloom holds nothing that is asked for leaves nothing to ask.
    fn proves_no_logs(&self, heads: &Heads) -> bool {
        let might_match = |head: &Head| self.request.query.might_match(&head.header.logs_bloom);
        self.request.level > VerificationLevel::Off && !heads.values().any(might_match)
    }

    /// The logs of the range, or of as much of it as fits, and its last block.
    async fn logs(&self) -> Result<(LogSet, u64), RpcError> {
        let (query, span) = (&self.request.query, &self.endpoint.span);
        let wide = self.request.level >= VerificationLevel::Bloom;
        let until = if wide {
            self.request.last.min(self.request.first.saturating_add(HEADERS_MAX - 1))
        } else {
            self.request.last
        };
        let mut next = self.request.first.max(query.start_block);
        let (mut sets, mut rows, mut timeouts) = (Vec::new(), 0, 0);
        while next <= until && rows < READ_LOGS_MAX {
            let last = until.min(next.saturating_add(span.blocks() - 1));
            let blocks = last - next + 1;
            let set = match self.endpoint.client.logs(next, last, query).await {
                Ok(answers) => columns::union(answers)?,
                Err(RpcError::RangeTooLarge { hint, .. }) if blocks > 1 => {
                    span.refused(blocks, hint);
                    continue;
                }
                Err(RpcError::Timeout(_)) if blocks > 1 && timeouts < TIMEOUTS_MAX => {
                    timeouts += 1;
                    span.refused(blocks, None);
                    continue;
                }
                // One block that is too much for one answer.
                Err(RpcError::RangeTooLarge { .. }) => self.block_of_receipts(next).await?,
                Err(error) => return Err(error),
            };
            span.succeeded(blocks, set.logs.num_rows() as u64);
            rows += set.logs.num_rows();
            sets.push(set);
            match last.checked_add(1) {
                Some(following) => next = following,
                None => break,
            }
        }
        let last = if rows < READ_LOGS_MAX { until } else { next.saturating_sub(1).min(until) };
        let set = columns::chain(sets).map_err(|error| RpcError::malformed(error.to_string()))?;
        Ok((set, last))
    }

    async fn heads(&mut self, numbers: &[u64]) -> Result<Heads, RpcError> {
        let heads = self.endpoint.client.headers(numbers, hashing(self.request)).await?;
        let heads: Heads = numbers
            .iter()
            .zip(heads)
            .map(|(number, head)| Ok((*number, head.ok_or_else(|| lacks(*number))?)))
            .collect::<Result<_, RpcError>>()?;
        self.seen = heads.get(&self.request.first).cloned();
        Ok(heads)
    }

    fn segment(
        &self,
        last: u64,
        heads: &Heads,
        set: LogSet,
        senders: &[Option<Sent>],
    ) -> Result<Segment, RpcError> {
        let request = self.request;
        let meta = |number: u64| heads.get(&number).map(Head::meta).ok_or_else(|| lacks(number));
        let (first, last) = (meta(request.first)?, meta(last)?);
        let blocks: Vec<BlockMeta> = match request.finality {
            Finality::Open => vec![last],
            Finality::Final => set.blocks.iter().map(|block| meta(block.number)).collect::<Result<_, _>>()?,
        };
        let logs = match senders {
            [] => set.logs,
            senders => columns::with_senders(&set.logs, senders)
                .map_err(|error| RpcError::malformed(error.to_string()))?,
        };
        Ok(Segment {
            first_number: request.first,
            parent_hash: first.parent_hash,
            last: last.block,
            last_time_secs: last.time_secs,
            finality: request.finality,
            level: request.level,
            filter: request.query.fingerprint,
            blocks,
            logs,
            incidents: Vec::new(),
        })
    }
}

/// What was read of a range before it is verified.
struct Logs {
    set: LogSet,
    last: u64,
    heads: Heads,
    probes: Vec<u64>,
}

fn lacks(number: u64) -> RpcError {
    RpcError::Pruned { block: Some(number), detail: format!("block {number} or its receipts are not there") }
}

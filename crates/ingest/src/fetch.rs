//! One range from one endpoint, as a verified segment.
//!
//! ```text
//! logs ──▶ headers ──▶ what the level asks for: receipts, transactions ──▶ segment
//! ```
//!
//! Where `eth_getLogs` cannot be used (one block holds more than the endpoint gives, or no endpoint's answer is
//! whole) the logs are taken from receipts that are proved: dearer, and beyond doubt.

use crate::columns::{self, Sent};
use crate::endpoint::Endpoint;
use crate::rpc::error::RpcError;
use crate::rpc::logs::{LogBlock, LogSet};
use crate::rpc::methods::{Hashing, Head};
use crate::source::ReadRequest;
use crate::verify::{self, Heads, Suspect};
use alloy_consensus::EMPTY_ROOT_HASH;
use model::incident::IncidentKind;
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use std::collections::HashMap;

/// Logs after which a read ends early: a segment's upper aim. What is in memory stays bounded when a sparse range
/// turns dense.
pub(crate) const READ_LOGS_MAX: usize = 50_000;
/// Blocks of one read where every header is read: at 1 to 15 kB of JSON each, some megabytes.
pub(crate) const HEADERS_MAX: u64 = 1_024;
/// Blocks of one read from receipts: at 0.5 MB of JSON each, 32 MB.
const PROVED_MAX: u64 = 64;
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

    async fn by_receipts(mut self) -> (Option<Head>, Result<Segment, RpcError>) {
        let last = self.request.last.min(self.request.first.saturating_add(PROVED_MAX - 1));
        let outcome = async {
            let heads = self.heads(&(self.request.first..=last).collect::<Vec<_>>()).await?;
            let (set, senders) = self.logs_of_receipts(&heads).await?;
            verify::check_headers(VerificationLevel::Present, &heads, &set)?;
            self.segment(last, &heads, set, &senders)
        };
        let outcome = outcome.await;
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
            match self.prove(group, &heads, &set, &mut senders).await {
                // The level does not ask for proof: that of a sample, or behind an empty answer, is then a mere look.
                Err(RpcError::Unprovable(_)) if self.request.level < VerificationLevel::Bloom => {
                    self.look(group, &set).await?;
                }
                outcome => outcome?,
            }
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
        let (mut sets, mut rows) = (Vec::new(), 0);
        while next <= until && rows < READ_LOGS_MAX {
            let last = until.min(next.saturating_add(span.blocks() - 1));
            let blocks = last - next + 1;
            let set = match self.endpoint.client.logs(next, last, query).await {
                Ok(answers) => columns::union(answers)?,
                Err(RpcError::RangeTooLarge { hint, .. }) if blocks > 1 => {
                    span.refused(blocks, hint);
                    continue;
                }
                Err(RpcError::Timeout(_)) if blocks > 1 => {
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

    async fn block_of_receipts(&self, number: u64) -> Result<LogSet, RpcError> {
        let head = self.endpoint.client.headers(&[number], hashing(self.request)).await?.pop().flatten();
        let head = head.ok_or_else(|| lacks(number))?;
        let (set, _) = self.logs_of_receipts(&Heads::from([(number, head)])).await?;
        Ok(set)
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

    /// Nodes that have pruned their history answer with an empty list, or with its upper part. No bloom of the probed
    /// blocks speaks of a log, so one of them that has transactions is asked for its receipts.
    async fn check_history(&self, heads: &Heads, probes: &[u64]) -> Result<(), RpcError> {
        if self.request.finality == Finality::Open {
            return Ok(());
        }
        let probed = probes.iter().filter_map(|number| heads.get(number));
        let Some(head) = probed.into_iter().find(|head| head.header.transactions_root != EMPTY_ROOT_HASH)
        else {
            return Ok(());
        };
        match self.endpoint.client.receipts(&[head.number()]).await {
            Ok(receipts) if receipts.iter().flatten().count() == 0 => Err(lacks(head.number())),
            // What cannot be asked, or read, cannot be known: the level says how far answers are believed.
            Err(RpcError::Unsupported(detail) | RpcError::Unprovable(detail)) => {
                tracing::debug!(endpoint = self.endpoint.name, detail, "history cannot be checked");
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    /// Reads and compares the receipts of some blocks, and with them the senders where they are carried.
    async fn prove(
        &self,
        group: &[Suspect],
        heads: &Heads,
        set: &LogSet,
        senders: &mut [Option<Sent>],
    ) -> Result<(), RpcError> {
        let numbers: Vec<u64> = group.iter().map(|suspect| suspect.number).collect();
        let whole: Vec<u64> =
            group.iter().filter(|suspect| suspect.transactions).map(|suspect| suspect.number).collect();
        let client = &self.endpoint.client;
        let (receipts, transactions) = tokio::join!(client.receipts(&numbers), client.transactions(&whole));
        let transactions: HashMap<u64, _> = whole.into_iter().zip(transactions?).collect();
        let view = verify::view(set)?;
        for (number, receipts) in numbers.iter().zip(receipts?) {
            let head = heads.get(number).ok_or_else(|| lacks(*number))?;
            let transactions = transactions.get(number).map(Vec::as_slice);
            let checked = verify::check_block(head, &receipts, transactions, set, &self.request.query);
            checked.map_err(|error| self.left_out(error, set))?;
            let block = set.blocks.iter().find(|block| block.number == *number);
            if let (Some(transactions), Some(block), false) = (transactions, block, senders.is_empty()) {
                let indexes = verify::rows(&view, block).map(|log| log.tx_index);
                let sent = per_log(indexes, |tx_index| verify::sent(*number, transactions, tx_index))?;
                senders[block.first_row..block.first_row + block.rows].clone_from_slice(&sent);
            }
        }
        Ok(())
    }

    /// Looks for logs in receipts that cannot be proved, where none were given.
    async fn look(&self, group: &[Suspect], set: &LogSet) -> Result<(), RpcError> {
        for Suspect { number, .. } in group {
            let given = set.blocks.iter().any(|block| block.number == *number);
            if !given && self.endpoint.client.tells_of_logs(*number, &self.request.query).await? {
                let detail = "the receipts tell of a log that was left out".to_owned();
                let omitted = RpcError::BadData { kind: IncidentKind::OmittedLog, block: Some(*number), detail };
                return Err(self.left_out(omitted, set));
            }
        }
        Ok(())
    }

    /// Nothing at all of a final range that holds logs: the node lost them, whatever it says.
    fn left_out(&self, error: RpcError, set: &LogSet) -> RpcError {
        match error {
            RpcError::BadData { kind: IncidentKind::OmittedLog, block, detail }
                if set.blocks.is_empty() && self.request.finality == Finality::Final =>
            {
                RpcError::BadData { kind: IncidentKind::PrunedHistory, block, detail }
            }
            error => error,
        }
    }

    /// Senders that no proof has brought, in the node's words.
    async fn name_senders(&self, set: &LogSet, senders: &mut [Option<Sent>]) -> Result<(), RpcError> {
        if senders.is_empty() {
            return Ok(());
        }
        let open: Vec<&LogBlock> =
            set.blocks.iter().filter(|block| senders[block.first_row].is_none()).collect();
        let view = verify::view(set)?;
        for group in open.chunks(self.endpoint.client.batch_size()) {
            let numbers: Vec<u64> = group.iter().map(|block| block.number).collect();
            let named = self.endpoint.client.named_transactions(&numbers).await?;
            for (block, transactions) in group.iter().zip(named) {
                for (row, log) in (block.first_row..).zip(verify::rows(&view, block)) {
                    let transaction =
                        transactions.get(log.tx_index as usize).filter(|named| named.hash == log.tx_hash);
                    let transaction =
                        transaction.ok_or_else(|| verify::no_transaction(block.number, log.tx_index))?;
                    senders[row] = Some((transaction.from, transaction.input.clone()));
                }
            }
        }
        Ok(())
    }

    /// The logs of these blocks, taken from their receipts, and their senders where they are carried.
    async fn logs_of_receipts(&self, heads: &Heads) -> Result<(LogSet, Vec<Option<Sent>>), RpcError> {
        let query = &self.request.query;
        let matching: Vec<&Head> = heads
            .range(query.start_block..)
            .map(|(_, head)| head)
            .filter(|head| query.might_match(&head.header.logs_bloom))
            .collect();
        let mut taken = Taken::default();
        for group in matching.chunks(PROVED_AT_ONCE) {
            let numbers: Vec<u64> = group.iter().map(|head| head.number()).collect();
            let whole = if self.needs_transactions() { numbers.as_slice() } else { &[] };
            let client = &self.endpoint.client;
            let (receipts, transactions) =
                tokio::join!(client.receipts(&numbers), client.transactions(whole));
            let mut transactions = transactions?.into_iter();
            for (head, receipts) in group.iter().zip(receipts?) {
                let transactions = transactions.next();
                let proved = verify::prove(head, &receipts, transactions.as_deref())?;
                let wanted: Vec<_> = proved
                    .logs()
                    .filter(|log| query.wants(&log.log.address, log.log.topics().first()))
                    .collect();
                let indexes = wanted.iter().map(|log| log.tx_index);
                if let (Some(transactions), true) = (&transactions, query.carry_sender) {
                    taken
                        .senders
                        .extend(per_log(indexes, |index| verify::sent(head.number(), transactions, index))?);
                }
                taken.push(head, &receipts, &wanted)?;
            }
        }
        taken.finish()
    }

    fn needs_transactions(&self) -> bool {
        self.request.level == VerificationLevel::Receipts || self.request.query.carry_sender
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

/// Logs taken from receipts.
#[derive(Default)]
struct Taken {
    builder: LogsBuilder,
    blocks: Vec<LogBlock>,
    senders: Vec<Option<Sent>>,
    rows: usize,
}

impl Taken {
    fn push(
        &mut self,
        head: &Head,
        receipts: &[evidence::receipt::ClaimedReceipt],
        logs: &[evidence::block::BlockLog<'_>],
    ) -> Result<(), RpcError> {
        for log in logs {
            let mut topics = [None; 4];
            for (place, topic) in topics.iter_mut().zip(log.log.topics()) {
                *place = Some(*topic);
            }
            let tx_hash = receipts.get(log.tx_index as usize).map(|receipt| receipt.tx_hash);
            let raw = RawLog {
                block_number: head.number(),
                log_index: log.log_index,
                tx_index: log.tx_index,
                tx_hash: tx_hash.ok_or_else(|| verify::no_transaction(head.number(), log.tx_index))?,
                contract: log.log.address,
                topics,
                data: &log.log.data.data,
                sender: None,
                input: None,
            };
            self.builder.push(&raw).map_err(|error| RpcError::malformed(error.to_string()))?;
        }
        if !logs.is_empty() {
            let block =
                LogBlock { number: head.number(), hash: head.hash, first_row: self.rows, rows: logs.len() };
            self.blocks.push(block);
            self.rows += logs.len();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(LogSet, Vec<Option<Sent>>), RpcError> {
        let logs = self.builder.finish().map_err(|error| RpcError::malformed(error.to_string()))?;
        Ok((LogSet { logs, blocks: self.blocks }, self.senders))
    }
}

/// What each log's transaction was sent with. Logs of one transaction follow one another, so each is asked for once.
fn per_log(
    tx_indexes: impl Iterator<Item = u32>,
    sent: impl Fn(u32) -> Result<Sent, RpcError>,
) -> Result<Vec<Option<Sent>>, RpcError> {
    let mut last: Option<(u32, Sent)> = None;
    let mut all = Vec::new();
    for tx_index in tx_indexes {
        let known = last.take().filter(|(index, _)| *index == tx_index);
        let (_, now) = last.insert(match known {
            Some(known) => known,
            None => (tx_index, sent(tx_index)?),
        });
        all.push(Some(now.clone()));
    }
    Ok(all)
}

fn lacks(number: u64) -> RpcError {
    RpcError::Pruned { block: Some(number), detail: format!("block {number} or its receipts are not there") }
}

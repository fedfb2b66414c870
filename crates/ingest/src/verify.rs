//! What each verification level asks of an answer: which headers, which receipts, and what must agree.
//!
//! ```text
//! off       shape and order of the logs, links between ranges; an empty answer is probed, here and at `present`
//! present   + the header of each block with logs is hashed; its bloom holds each log
//! bloom     + every header is hashed and linked; a contract that a bloom speaks of and that brought no log in the
//!             block is looked up in the block's receipts: omission is found out
//! receipts  + receipts and transactions of every block with logs, or whose bloom matches, hash to the header's
//!             roots; each log is compared; senders are recovered: forgery is found out
//! ```
//!
//! Pure: headers and receipts come in as they were read, and what disagrees goes out. The arithmetic of proofs is
//! that of `evidence`.

use crate::columns::Sent;
use crate::filter::Query;
use crate::rpc::error::RpcError;
use crate::rpc::logs::{LogBlock, LogSet};
use crate::rpc::methods::Head;
use crate::source::ReadRequest;
use alloy_primitives::{Address, B256, Bloom, BloomInput, keccak256};
use evidence::block::{self, BlockLog};
use evidence::receipt::ClaimedReceipt;
use evidence::transaction::Transaction;
use model::incident::IncidentKind;
use model::segment::{LogsView, RawLog, VerificationLevel};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Blocks of an empty answer that are looked into, spread evenly, whatever the level.
const PROBES: u64 = 8;
/// The same where an endpoint has not yet shown that it holds logs as old as these: pruned nodes say `[]`.
const PROBES_OF_UNKNOWN: u64 = 32;

/// Headers by block number.
pub(crate) type Heads = BTreeMap<u64, Head>;

/// A block whose receipts are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) number: u64,
    /// Are its transactions proved too?
    pub(crate) transactions: bool,
}

/// The blocks that are looked into because nothing was said of them: those of an empty answer, and those before the
/// first log of an endpoint that is not `known` to hold logs so old. At `bloom` and above every block is.
pub(crate) fn probes(request: &ReadRequest, last: u64, set: &LogSet, known: bool) -> Vec<u64> {
    let first = request.first.max(request.query.start_block);
    let silent = match set.blocks.first() {
        Some(_) if known => return Vec::new(),
        Some(block) => first..block.number,
        None => first..last.saturating_add(1),
    };
    if request.level >= VerificationLevel::Bloom || silent.is_empty() {
        return Vec::new();
    }
    let count = if known { PROBES } else { PROBES_OF_UNKNOWN };
    let step = ((silent.end - silent.start) / count).max(1);
    (0..count)
        .map(|place| silent.start.saturating_add(place * step))
        .filter(|number| silent.contains(number))
        .collect()
}

/// The blocks whose headers the request's level takes, ascending.
pub(crate) fn headers_needed(request: &ReadRequest, last: u64, set: &LogSet, probes: &[u64]) -> Vec<u64> {
    let range = request.first..=last;
    if request.level >= VerificationLevel::Bloom {
        return range.collect();
    }
    let mut numbers: BTreeSet<u64> = set.blocks.iter().map(|block| block.number).collect();
    numbers.extend([request.first, last]);
    numbers.extend(probes);
    if request.sample.one_in > 0 {
        numbers.extend(range.filter(|number| request.sample.holds(*number)));
    }
    numbers.into_iter().collect()
}

/// Checks what headers alone say of the logs: their blocks' hashes and links, and, from `present` on, the blooms.
pub(crate) fn check_headers(level: VerificationLevel, heads: &Heads, set: &LogSet) -> Result<(), RpcError> {
    for block in &set.blocks {
        let head = heads.get(&block.number).ok_or_else(|| no_header(block.number))?;
        if head.hash != block.hash {
            let detail = format!("logs are of block {}, the header is that of {}", block.hash, head.hash);
            return Err(RpcError::BadData {
                kind: IncidentKind::Disagreement,
                block: Some(block.number),
                detail,
            });
        }
    }
    if level == VerificationLevel::Off {
        return Ok(());
    }
    for (below, above) in heads.values().zip(heads.values().skip(1)) {
        if above.number() - below.number() == 1 {
            let linked = evidence::header::links(&above.header, &below.meta().block);
            linked.map_err(|error| RpcError::refuted(above.number(), &error))?;
        }
    }
    check_blooms(heads, set)
}

fn check_blooms(heads: &Heads, set: &LogSet) -> Result<(), RpcError> {
    let view = view(set)?;
    let mut hashes = Hashes::default();
    for block in &set.blocks {
        let head = heads.get(&block.number).ok_or_else(|| no_header(block.number))?;
        for log in rows(&view, block) {
            if !hashes.are_in(&head.header.logs_bloom, &log) {
                let detail = format!("the bloom does not hold log {} of {}", log.log_index, log.contract);
                return Err(RpcError::BadData {
                    kind: IncidentKind::Bloom,
                    block: Some(block.number),
                    detail,
                });
            }
        }
    }
    Ok(())
}

/// Hashes of addresses and topics: contracts, events and parties come again and again.
#[derive(Default)]
struct Hashes(HashMap<B256, B256>);

impl Hashes {
    /// More than a segment's distinct topics; beyond it the hashing begins anew. 8 MB at 64 bytes an entry and slack.
    const ENTRIES_MAX: usize = 1 << 16;

    fn are_in(&mut self, bloom: &Bloom, log: &RawLog<'_>) -> bool {
        let address = self.hash(B256::left_padding_from(log.contract.as_slice()), log.contract.as_slice());
        bloom.contains_input(BloomInput::Hash(address))
            && log
                .topics
                .iter()
                .flatten()
                .all(|topic| bloom.contains_input(BloomInput::Hash(self.topic(topic))))
    }

    /// Topics that are 12 zero bytes and an address would share their place with that address.
    fn topic(&mut self, topic: &B256) -> B256 {
        if topic[..12] == [0; 12] { keccak256(topic) } else { self.hash(*topic, topic.as_slice()) }
    }

    fn hash(&mut self, place: B256, bytes: &[u8]) -> B256 {
        if self.0.len() >= Self::ENTRIES_MAX {
            self.0.clear();
        }
        *self.0.entry(place).or_insert_with(|| keccak256(bytes))
    }
}

/// The blocks whose receipts the request's level takes, ascending.
pub(crate) fn suspects(
    request: &ReadRequest,
    heads: &Heads,
    set: &LogSet,
    probes: &[u64],
) -> Result<Vec<Suspect>, RpcError> {
    let query = &request.query;
    let view = view(set)?;
    let blocks: HashMap<u64, &LogBlock> = set.blocks.iter().map(|block| (block.number, block)).collect();
    let mut suspects = Vec::new();
    for (number, head) in heads.range(query.start_block..) {
        let bloom = &head.header.logs_bloom;
        let block = blocks.get(number);
        let proved = request.level == VerificationLevel::Receipts || request.sample.holds(*number);
        let suspect = if proved {
            block.is_some() || query.might_match(bloom)
        } else if request.level == VerificationLevel::Bloom {
            let seen: HashSet<Address> =
                block.map(|block| rows(&view, block).map(|log| log.contract).collect()).unwrap_or_default();
            query.misses(bloom, &seen)
        } else {
            probes.contains(number) && query.might_match(bloom)
        };
        if suspect {
            suspects.push(Suspect { number: *number, transactions: proved });
        }
    }
    Ok(suspects)
}

/// Compares the logs of one block with its receipts, which are proved against the header; with its transactions,
/// proved likewise, where they are given.
pub(crate) fn check_block(
    head: &Head,
    receipts: &[ClaimedReceipt],
    transactions: Option<&[Transaction]>,
    set: &LogSet,
    query: &Query,
) -> Result<(), RpcError> {
    let number = head.number();
    let proved = prove(head, receipts, transactions)?;
    let view = view(set)?;
    let block = set.blocks.iter().find(|block| block.number == number);
    let mut given = block.map(|block| rows(&view, block)).into_iter().flatten().peekable();
    for log in proved.logs().filter(|log| query.wants(&log.log.address, log.log.topics().first())) {
        match given.next_if(|row| row.log_index <= log.log_index) {
            Some(row) if is_same(&row, &log, tx_hash(receipts, &log)) => {}
            Some(row) => return Err(forged(number, &row)),
            None => {
                let detail = format!("log {} of {} was left out", log.log_index, log.log.address);
                return Err(RpcError::BadData {
                    kind: IncidentKind::OmittedLog,
                    block: Some(number),
                    detail,
                });
            }
        }
    }
    given.next().map_or(Ok(()), |row| Err(forged(number, &row)))
}

/// Proves receipts, and transactions where they are given, against a header.
pub(crate) fn prove<'a>(
    head: &'a Head,
    receipts: &'a [ClaimedReceipt],
    transactions: Option<&'a [Transaction]>,
) -> Result<block::ProvedReceipts<'a>, RpcError> {
    let proved = match transactions {
        Some(transactions) => {
            block::verify(&head.header, receipts, transactions).map(|block| block.receipts())
        }
        None => block::verify_receipts(&head.header, receipts),
    };
    proved.map_err(|error| RpcError::refuted(head.number(), &error))
}

/// The sender, recovered and compared with the one that the node names, and the input of a transaction.
pub(crate) fn sent(number: u64, transactions: &[Transaction], tx_index: u32) -> Result<Sent, RpcError> {
    let transaction = transactions.get(tx_index as usize).ok_or_else(|| no_transaction(number, tx_index))?;
    let sender = transaction.sender().map_err(|error| RpcError::refuted(number, &error))?;
    Ok((sender, transaction.input().clone()))
}

/// The rows of one block.
pub(crate) fn rows<'v>(
    view: &'v LogsView<'_>,
    block: &LogBlock,
) -> impl Iterator<Item = RawLog<'v>> + use<'v> {
    (block.first_row..block.first_row + block.rows).map(|row| view.get(row))
}

/// The columns of a set, row by row.
pub(crate) fn view(set: &LogSet) -> Result<LogsView<'_>, RpcError> {
    LogsView::new(&set.logs).map_err(|error| RpcError::malformed(error.to_string()))
}

pub(crate) fn no_transaction(number: u64, tx_index: u32) -> RpcError {
    let detail = format!("a log names transaction {tx_index}, which the block does not have");
    RpcError::BadData { kind: IncidentKind::TransactionsRoot, block: Some(number), detail }
}

fn no_header(number: u64) -> RpcError {
    RpcError::malformed(format!("no header of block {number}"))
}

/// The hash that the receipt names; with transactions given it is proved to be theirs.
fn tx_hash(receipts: &[ClaimedReceipt], log: &BlockLog<'_>) -> Option<B256> {
    receipts.get(log.tx_index as usize).map(|receipt| receipt.tx_hash)
}

fn is_same(row: &RawLog<'_>, log: &BlockLog<'_>, tx_hash: Option<B256>) -> bool {
    (row.log_index, row.tx_index, Some(row.tx_hash)) == (log.log_index, log.tx_index, tx_hash)
        && row.contract == log.log.address
        && row.topics.iter().flatten().eq(log.log.topics())
        && row.data == log.log.data.data.as_ref()
}

fn forged(number: u64, row: &RawLog<'_>) -> RpcError {
    let detail = format!("log {} of {} is not what the receipts hold", row.log_index, row.contract);
    RpcError::BadData { kind: IncidentKind::ForgedLog, block: Some(number), detail }
}

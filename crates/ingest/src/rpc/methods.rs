//! The methods that ingest calls, all standard, each with its answer read into what ingest works with.
//!
//! `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`, `eth_getLogs`, `eth_getBlockReceipts`, and `eth_getTransactionReceipt`
//! where the one before is not known.

use super::client::{Call, Client};
use super::error::{RpcError, excerpt};
use super::hex;
use super::logs::{self, LogSet};
use crate::filter::Query;
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes};
use evidence::receipt::{self, ClaimedReceipt};
use evidence::transaction::{self, Transaction};
use model::chain::BlockRef;
use model::incident::IncidentKind;
use model::segment::BlockMeta;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A header and its hash.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    pub(crate) header: Header,
    /// Computed, except at level `off`: there the node's word.
    pub(crate) hash: B256,
}

impl Head {
    pub(crate) fn meta(&self) -> BlockMeta {
        let block = BlockRef { number: self.header.number, hash: self.hash };
        BlockMeta { block, parent_hash: self.header.parent_hash, time_secs: self.header.timestamp }
    }

    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }
}

/// Are headers hashed when they are read?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// The hash is computed, and must be the one that the node names.
    Checked,
    /// The node's word.
    Taken,
}

/// A transaction as the node words it, for its sender and input where nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NamedTransaction {
    pub(crate) hash: B256,
    pub(crate) from: Address,
    pub(crate) input: Bytes,
}

impl Client {
    /// The chain that the endpoint serves.
    pub(crate) async fn chain_id(&self) -> Result<u64, RpcError> {
        self.call(Call { method: "eth_chainId", params: json!([]) }, read_quantity).await
    }

    /// The newest block. Where a node announces one that it does not yet give, the one below it.
    pub(crate) async fn latest(&self, hashing: Hashing) -> Result<Head, RpcError> {
        if let Some(head) = self.call(block_by(json!("latest")), |json| read_head(json, hashing)).await? {
            return Ok(head);
        }
        let announced =
            self.call(Call { method: "eth_blockNumber", params: json!([]) }, read_quantity).await?;
        let below = self.headers(&[announced.saturating_sub(1)], hashing).await?.pop().flatten();
        below.ok_or_else(|| RpcError::Transient("the newest block is not there yet".into()))
    }

    /// The newest final block; `None` where the node says that there is none yet.
    ///
    /// # Errors
    /// [`RpcError::Unsupported`] where it knows no such tag.
    pub(crate) async fn finalized(&self, hashing: Hashing) -> Result<Option<Head>, RpcError> {
        match self.call(block_by(json!("finalized")), |json| read_head(json, hashing)).await {
            Err(RpcError::Transient(detail)) if says_none_yet(&detail) => Ok(None),
            Err(RpcError::Transient(detail)) if says_no_tag(&detail) => Err(RpcError::Unsupported(detail)),
            outcome => outcome,
        }
    }

    /// The headers of these blocks, in order; `None` where the node has no such block.
    pub(crate) async fn headers(
        &self,
        numbers: &[u64],
        hashing: Hashing,
    ) -> Result<Vec<Option<Head>>, RpcError> {
        let calls: Vec<Call> = numbers.iter().map(|number| block_by(quantity(*number))).collect();
        self.calls(&calls, &|place, json| {
            let head = read_head(json, hashing).map_err(|error| at_block(error, numbers[place]))?;
            check_number(head, numbers[place])
        })
        .await
    }

    /// Every log that `query` asks for in blocks `first ..= last`, call by call.
    pub(crate) async fn logs(&self, first: u64, last: u64, query: &Query) -> Result<Vec<LogSet>, RpcError> {
        let calls: Vec<Call> = query.calls(first, last).into_iter().map(get_logs).collect();
        let mut sets = Vec::with_capacity(calls.len());
        // One by one: an answer may be megabytes, and a batch of them would be refused.
        for call in calls {
            sets.push(self.call(call, |json| logs::parse(json, first, last, query)).await?);
        }
        Ok(sets)
    }

    /// The receipts of each block, in order. A node that has none for a block that is there lacks its history.
    pub(crate) async fn receipts(&self, numbers: &[u64]) -> Result<Vec<Vec<ClaimedReceipt>>, RpcError> {
        let calls: Vec<Call> = numbers
            .iter()
            .map(|number| Call { method: "eth_getBlockReceipts", params: json!([quantity(*number)]) })
            .collect();
        let read = |place: usize, json: &str| {
            not_null(json, numbers[place], "receipts")?;
            receipt::list_from_json(json).map_err(|error| RpcError::refuted(numbers[place], &error))
        };
        match self.calls(&calls, &read).await {
            Err(RpcError::Unsupported(_)) => self.receipts_one_by_one(numbers).await,
            outcome => outcome,
        }
    }

    /// Do the receipts of a block tell of a log that is asked for? The node's word, for receipts that nobody here can
    /// encode: they prove nothing, and may still contradict.
    pub(crate) async fn tells_of_logs(&self, number: u64, query: &Query) -> Result<bool, RpcError> {
        #[derive(Deserialize)]
        struct ReceiptJson {
            logs: Vec<LogJson>,
        }
        #[derive(Deserialize)]
        struct LogJson {
            address: Address,
            topics: Vec<B256>,
        }
        let call = Call { method: "eth_getBlockReceipts", params: json!([quantity(number)]) };
        self.call(call, |json| {
            not_null(json, number, "receipts")?;
            let receipts: Vec<ReceiptJson> =
                serde_json::from_str(json).map_err(|error| unreadable(number, &error))?;
            let mut logs = receipts.iter().flat_map(|receipt| &receipt.logs);
            Ok(logs.any(|log| query.wants(&log.address, log.topics.first())))
        })
        .await
    }

    /// Does the node know `eth_getBlockReceipts`?
    pub(crate) async fn knows_block_receipts(&self, number: u64) -> Result<bool, RpcError> {
        let call = Call { method: "eth_getBlockReceipts", params: json!([quantity(number)]) };
        match self.call(call, |_| Ok(())).await {
            Ok(()) | Err(RpcError::Pruned { .. }) => Ok(true),
            Err(RpcError::Unsupported(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The transactions of each block, in order, read for their proof.
    pub(crate) async fn transactions(&self, numbers: &[u64]) -> Result<Vec<Vec<Transaction>>, RpcError> {
        self.calls(&whole_blocks(numbers), &|place, json| {
            not_null(json, numbers[place], "block")?;
            transaction::list_from_block_json(json).map_err(|error| RpcError::refuted(numbers[place], &error))
        })
        .await
    }

    /// The transactions of each block, in order, in the node's words.
    pub(crate) async fn named_transactions(
        &self,
        numbers: &[u64],
    ) -> Result<Vec<Vec<NamedTransaction>>, RpcError> {
        #[derive(Deserialize)]
        struct BlockJson {
            transactions: Vec<NamedTransaction>,
        }
        self.calls(&whole_blocks(numbers), &|place, json| {
            not_null(json, numbers[place], "block")?;
            let block: BlockJson =
                serde_json::from_str(json).map_err(|error| unreadable(numbers[place], &error))?;
            Ok(block.transactions)
        })
        .await
    }

    /// For nodes without `eth_getBlockReceipts`: the receipt of each transaction.
    async fn receipts_one_by_one(&self, numbers: &[u64]) -> Result<Vec<Vec<ClaimedReceipt>>, RpcError> {
        let hashes = self.transaction_hashes(numbers).await?;
        let mut receipts = Vec::with_capacity(numbers.len());
        for (number, hashes) in numbers.iter().zip(hashes) {
            let calls: Vec<Call> = hashes
                .into_iter()
                .map(|hash| Call { method: "eth_getTransactionReceipt", params: json!([hash]) })
                .collect();
            let read = |_: usize, json: &str| {
                not_null(json, *number, "receipt")?;
                receipt::from_json(json).map_err(|error| RpcError::refuted(*number, &error))
            };
            receipts.push(self.calls(&calls, &read).await?);
        }
        Ok(receipts)
    }

    async fn transaction_hashes(&self, numbers: &[u64]) -> Result<Vec<Vec<B256>>, RpcError> {
        #[derive(Deserialize)]
        struct BlockJson {
            transactions: Vec<B256>,
        }
        let calls: Vec<Call> = numbers.iter().map(|number| block_by(quantity(*number))).collect();
        self.calls(&calls, &|place, json| {
            not_null(json, numbers[place], "block")?;
            let block: BlockJson =
                serde_json::from_str(json).map_err(|error| unreadable(numbers[place], &error))?;
            Ok(block.transactions)
        })
        .await
    }
}

/// geth, Nethermind and reth before the first finalised block: "-39001 finalized block not found", "unknown block".
fn says_none_yet(detail: &str) -> bool {
    let words = detail.to_lowercase();
    words.contains("-39001") || words.contains("unknown block") || words.contains("finalized block not found")
}

/// Nodes that take tags for numbers: "invalid argument 0: hex string without 0x prefix".
fn says_no_tag(detail: &str) -> bool {
    let words = detail.to_lowercase();
    ["invalid argument", "invalid params", "0x prefix", "-32602", "block tag"]
        .iter()
        .any(|phrase| words.contains(phrase))
}

fn quantity(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

fn block_by(tag: Value) -> Call {
    Call { method: "eth_getBlockByNumber", params: json!([tag, false]) }
}

fn whole_blocks(numbers: &[u64]) -> Vec<Call> {
    let whole =
        |number: &u64| Call { method: "eth_getBlockByNumber", params: json!([quantity(*number), true]) };
    numbers.iter().map(whole).collect()
}

fn get_logs(parameter: Value) -> Call {
    Call { method: "eth_getLogs", params: json!([parameter]) }
}

pub(super) fn read_quantity(json: &str) -> Result<u64, RpcError> {
    let unreadable = |error: serde_json::Error| RpcError::malformed(excerpt(&error.to_string()));
    let text: &str = serde_json::from_str(json).map_err(unreadable)?;
    hex::quantity(text).ok_or_else(|| RpcError::malformed("not a quantity"))
}

pub(super) fn read_head(json: &str, hashing: Hashing) -> Result<Option<Head>, RpcError> {
    if json.trim() == "null" {
        return Ok(None);
    }
    let read = match hashing {
        Hashing::Checked => evidence::header::from_json(json),
        Hashing::Taken => evidence::header::read_json(json),
    };
    let (header, hash) = read.map_err(|error| RpcError::BadData {
        kind: error.incident(),
        block: number_in(json),
        detail: excerpt(&error.to_string()),
    })?;
    Ok(Some(Head { header, hash }))
}

/// The number that a block claims: for a message about it, or as news of a head.
pub(super) fn number_in(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered<'a> {
        #[serde(borrow)]
        number: &'a RawValue,
    }
    let block: Numbered<'_> = serde_json::from_str(json).ok()?;
    hex::quantity(block.number.get().trim_matches('"'))
}

fn check_number(head: Option<Head>, asked: u64) -> Result<Option<Head>, RpcError> {
    match head {
        Some(head) if head.number() != asked => {
            let detail = format!("block {} came for block {asked}", head.number());
            Err(RpcError::BadData { kind: IncidentKind::MalformedAnswer, block: Some(asked), detail })
        }
        head => Ok(head),
    }
}

fn at_block(error: RpcError, number: u64) -> RpcError {
    match error {
        RpcError::BadData { kind, detail, .. } => RpcError::BadData { kind, block: Some(number), detail },
        error => error,
    }
}

fn not_null(json: &str, number: u64, what: &str) -> Result<(), RpcError> {
    match json.trim() {
        "null" => {
            Err(RpcError::Pruned { block: Some(number), detail: format!("block {number}: {what} null") })
        }
        _ => Ok(()),
    }
}

fn unreadable(number: u64, error: &serde_json::Error) -> RpcError {
    let detail = excerpt(&error.to_string());
    RpcError::BadData { kind: IncidentKind::MalformedAnswer, block: Some(number), detail }
}

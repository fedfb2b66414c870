//! Receipts: what a transaction did, as the bytes that the receipts root commits to.
//!
//! ```text
//! eth_getBlockReceipts ──list_from_json──▶ ClaimedReceipt ──receipt──▶ EIP-2718 bytes ──▶ receipts root
//! ```
//!
//! The root commits to a receipt's type, status, gas, bloom and logs. The hashes and indexes that a node writes
//! beside them stay apart, as claims, until [`block`](crate::block) has compared them.

use crate::bloom;
use crate::error::{Error, Result};
use crate::json::Quantity;
use alloy_consensus::Eip658Value;
use alloy_primitives::{Address, B256, BlockHash, Bloom, Bytes, Log};
use alloy_rlp::{Decodable, Encodable};
use model::chain::BlockRef;
use serde::Deserialize;

/// A receipt as the receipts root commits to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// EIP-2718 type of the transaction: 0 legacy, 1 access list, 2 dynamic fee, 3 blob, 4 set code.
    pub tx_type: u8,
    /// Success or failure since Byzantium (EIP-658), before it the state root after the transaction.
    pub status_or_root: Eip658Value,
    /// Gas used in the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// Bloom of the logs.
    pub bloom: Bloom,
    /// The logs, in order.
    pub logs: Vec<Log>,
}

impl Receipt {
    /// A receipt over these logs, with their bloom.
    pub fn new(tx_type: u8, status_or_root: Eip658Value, cumulative_gas_used: u64, logs: Vec<Log>) -> Self {
        Self { tx_type, status_or_root, cumulative_gas_used, bloom: bloom::of_logs(&logs), logs }
    }

    /// Appends the EIP-2718 bytes: the type, unless legacy, and the RLP list.
    ///
    /// # Errors
    /// [`Error::UnknownType`], before anything is written.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        self.check_type()?;
        self.encode_known(out);
        Ok(())
    }

    /// Reads a receipt from its EIP-2718 bytes. The bytes hold one receipt and nothing else.
    ///
    /// # Errors
    /// [`Error::UnknownType`], [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        match bytes.split_first() {
            Some((0xc0.., _)) => Self::decode_list(0, bytes),
            Some((tx_type @ 1..=LAST_KNOWN_TYPE, list)) => Self::decode_list(*tx_type, list),
            Some((tx_type @ ..=0x7f, _)) => Err(unknown_type((*tx_type).into())),
            _ => Err(Error::malformed("receipt", "neither a type nor a list")),
        }
    }

    /// Checks that the type is one that this crate encodes.
    pub(crate) fn check_type(&self) -> Result<()> {
        if self.tx_type > LAST_KNOWN_TYPE { Err(unknown_type(self.tx_type.into())) } else { Ok(()) }
    }

    /// Appends the EIP-2718 bytes of a receipt whose type was checked.
    pub(crate) fn encode_known(&self, out: &mut Vec<u8>) {
        if self.tx_type != 0 {
            out.push(self.tx_type);
        }
        let payload_length = self.status_or_root.length()
            + self.cumulative_gas_used.length()
            + self.bloom.length()
            + self.logs.length();
        alloy_rlp::Header { list: true, payload_length }.encode(out);
        self.status_or_root.encode(out);
        self.cumulative_gas_used.encode(out);
        self.bloom.encode(out);
        self.logs.encode(out);
    }

    fn decode_list(tx_type: u8, mut bytes: &[u8]) -> Result<Self> {
        let rlp = |error| Error::malformed("receipt", error);
        let mut list = alloy_rlp::Header::decode_bytes(&mut bytes, true).map_err(rlp)?;
        let receipt = Self {
            tx_type,
            status_or_root: Eip658Value::decode(&mut list).map_err(rlp)?,
            cumulative_gas_used: u64::decode(&mut list).map_err(rlp)?,
            bloom: Bloom::decode(&mut list).map_err(rlp)?,
            logs: Vec::decode(&mut list).map_err(rlp)?,
        };
        if !list.is_empty() || !bytes.is_empty() {
            return Err(Error::malformed("receipt", "bytes are left over"));
        }
        if receipt.logs.iter().any(|log| log.topics().len() > MAX_TOPICS) {
            return Err(Error::malformed("receipt", "a log has more than 4 topics"));
        }
        Ok(receipt)
    }
}

/// Every receipt's EIP-2718 bytes, in order.
///
/// # Errors
/// [`Error::UnknownType`].
pub fn encode_all<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Result<Vec<Vec<u8>>> {
    receipts
        .into_iter()
        .map(|receipt| {
            let mut bytes = Vec::new();
            receipt.encode(&mut bytes)?;
            Ok(bytes)
        })
        .collect()
}

/// A receipt, and what a node wrote beside it: its word until compared with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedReceipt {
    /// The receipt; its bloom is that of its logs, computed.
    pub receipt: Receipt,
    /// Claimed: the block that it is in.
    pub block: BlockRef,
    /// Claimed: hash of the transaction.
    pub tx_hash: B256,
    /// Claimed: index of the transaction within the block.
    pub tx_index: u32,
    /// Claimed: index within the block of the first log; those of the others follow it. `None` without logs.
    pub first_log_index: Option<u32>,
}

/// Reads one receipt from a node's JSON (`eth_getTransactionReceipt`).
///
/// The bloom is computed, never taken. The hashes and indexes that each log repeats must be those of its receipt,
/// and log indexes must follow one another.
///
/// # Errors
/// [`Error::UnknownType`], [`Error::Malformed`], [`Error::ReceiptField`], [`Error::HashField`].
pub fn from_json(json: &str) -> Result<ClaimedReceipt> {
    match serde_json::from_str::<ReceiptJson>(json) {
        Ok(read) => read.into_receipt(),
        Err(error) => Err(unknown_type_in(json).unwrap_or_else(|| Error::malformed("receipt", error))),
    }
}

/// Reads the receipts of a block from a node's JSON (`eth_getBlockReceipts`), in the order of the answer.
///
/// # Errors
/// As [`from_json`]; `null`, which nodes answer for a block that they do not have, is [`Error::Malformed`].
pub fn list_from_json(json: &str) -> Result<Vec<ClaimedReceipt>> {
    if let Ok(read) = serde_json::from_str::<Vec<ReceiptJson>>(json) {
        return read.into_iter().map(ReceiptJson::into_receipt).collect();
    }
    // One entry cannot be read: read them one by one, so that the error says why.
    let entries: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(json).map_err(|error| Error::malformed("receipts", error))?;
    entries.into_iter().map(|entry| from_json(entry.get())).collect()
}

const LAST_KNOWN_TYPE: u8 = 4;

/// The EVM has LOG0 to LOG4.
const MAX_TOPICS: usize = 4;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptJson {
    /// Absent in nodes that know legacy transactions only.
    r#type: Option<Quantity<u64>>,
    status: Option<Quantity<u64>>,
    root: Option<Bytes>,
    cumulative_gas_used: Quantity<u64>,
    logs: Vec<LogJson>,
    block_hash: BlockHash,
    block_number: Quantity<u64>,
    transaction_hash: B256,
    transaction_index: Quantity<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogJson {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_hash: BlockHash,
    block_number: Quantity<u64>,
    transaction_hash: B256,
    transaction_index: Quantity<u32>,
    log_index: Quantity<u32>,
}

#[derive(Deserialize)]
struct TypeJson {
    r#type: Quantity<u64>,
}

impl ReceiptJson {
    fn into_receipt(self) -> Result<ClaimedReceipt> {
        let tx_type = match self.r#type {
            Some(Quantity(tx_type)) => u8::try_from(tx_type)
                .ok()
                .filter(|known| *known <= LAST_KNOWN_TYPE)
                .ok_or(unknown_type(tx_type))?,
            None => 0,
        };
        let status_or_root = self.status_or_root()?;
        let index = self.transaction_index.0 as usize;
        let first_log_index = self.logs.first().map(|log| log.log_index.0);
        for (place, log) in self.logs.iter().enumerate() {
            self.check_log(index, log, u64::from(first_log_index.unwrap_or(0)) + place as u64)?;
        }
        let logs =
            self.logs.into_iter().map(|log| Log::new_unchecked(log.address, log.topics, log.data)).collect();
        Ok(ClaimedReceipt {
            receipt: Receipt::new(tx_type, status_or_root, self.cumulative_gas_used.0, logs),
            block: BlockRef { number: self.block_number.0, hash: self.block_hash },
            tx_hash: self.transaction_hash,
            tx_index: self.transaction_index.0,
            first_log_index,
        })
    }

    /// Where a node gives both, the status counts: it took the root's place.
    fn status_or_root(&self) -> Result<Eip658Value> {
        match (&self.status, &self.root) {
            (Some(Quantity(status @ 0..=1)), _) => Ok(Eip658Value::Eip658(*status == 1)),
            (Some(Quantity(status)), _) => {
                Err(Error::malformed("receipt", format!("status {status} is neither 0 nor 1")))
            }
            (None, Some(root)) => match B256::try_from(root.as_ref()) {
                Ok(root) => Ok(Eip658Value::PostState(root)),
                Err(_) => Err(Error::malformed("receipt", format!("a state root of {} bytes", root.len()))),
            },
            (None, None) => Err(Error::malformed("receipt", "neither status nor root")),
        }
    }

    /// What a log repeats must be what its receipt says.
    fn check_log(&self, index: usize, log: &LogJson, log_index: u64) -> Result<()> {
        if log.topics.len() > MAX_TOPICS {
            return Err(Error::malformed("receipt", format!("a log has {} topics", log.topics.len())));
        }
        let numbers = [
            ("logIndex", log_index, u64::from(log.log_index.0)),
            ("blockNumber of a log", self.block_number.0, log.block_number.0),
            ("transactionIndex of a log", self.transaction_index.0.into(), log.transaction_index.0.into()),
        ];
        if let Some((field, expected, got)) = numbers.into_iter().find(|(_, expected, got)| expected != got) {
            return Err(Error::ReceiptField { index, field, expected, got });
        }
        let hashes = [
            ("blockHash of a log", self.block_hash, log.block_hash),
            ("transactionHash of a log", self.transaction_hash, log.transaction_hash),
        ];
        match hashes.into_iter().find(|(_, expected, got)| expected != got) {
            Some((field, expected, got)) => Err(Error::HashField { index, field, expected, got }),
            None => Ok(()),
        }
    }
}

fn unknown_type(tx_type: u64) -> Error {
    Error::UnknownType { what: "receipt", tx_type }
}

/// A type that is not known explains why the rest cannot be read.
fn unknown_type_in(json: &str) -> Option<Error> {
    let tx_type = serde_json::from_str::<TypeJson>(json).ok()?.r#type.0;
    (tx_type > LAST_KNOWN_TYPE.into()).then(|| unknown_type(tx_type))
}

#[cfg(test)]
mod tests;

//! The proof of one log: header, transaction and receipt, for someone who trusts neither us nor the node.
//!
//! ```text
//! block hash ◀─hash─ header ┬─receipts root─────▶ receipt ──▶ log, status
//!                           └─transactions root─▶ transaction ──▶ hash, sender
//! ```
//!
//! Whoever verifies compares [`ProvedLog::block`] with a block hash that he trusts. Everything in a [`ProvedLog`]
//! is computed from bytes that this hash commits to; nothing is taken from beside them.

use crate::block::ProvedBlock;
use crate::error::{Error, Result, Trie};
use crate::header;
use crate::proof::{self, Proof};
use crate::receipt::{self, Receipt};
use crate::transaction::Transaction;
use alloy_primitives::{Address, B256, BlockHash, Bytes, Log};
use model::chain::BlockRef;
use serde::{Deserialize, Serialize};

/// Proof that a log stands in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// RLP of the block's header.
    pub header: Bytes,
    /// Index of the transaction within the block.
    pub tx_index: u32,
    /// The transaction under the transactions root.
    pub transaction: Proof,
    /// The receipt under the receipts root.
    pub receipt: Proof,
    /// Index of the log within the receipt.
    pub log: u32,
}

/// What a [`LogProof`] proves, given that the block's hash is trusted.
///
/// The index of the log within the block is not among it: that takes every receipt before this one, see
/// [`block::verify`](crate::block::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedLog {
    /// The block.
    pub block: BlockRef,
    /// The block below it.
    pub parent_hash: BlockHash,
    /// Header timestamp, Unix seconds.
    pub time_secs: u64,
    /// Index of the transaction within the block.
    pub tx_index: u32,
    /// Hash of the transaction.
    pub tx_hash: B256,
    /// The address that signed the transaction.
    pub sender: Address,
    /// Index of the log within its receipt.
    pub log_in_receipt: u32,
    /// The log.
    pub log: Log,
}

impl LogProof {
    /// Builds the proof of log `log_index` of a verified block.
    ///
    /// # Errors
    /// [`Error::NoEntry`].
    pub fn build(block: &ProvedBlock<'_>, log_index: u32) -> Result<Self> {
        let receipts = block.receipts().receipts();
        let (tx_index, log) = locate(block, log_index)?;
        let encoded = receipt::encode_all(receipts.iter().map(|claimed| &claimed.receipt))?;
        Ok(Self {
            header: header::encode(block.header()).into(),
            tx_index,
            transaction: proof::build(block.transactions().transactions(), tx_index)?,
            receipt: proof::build(&encoded, tx_index)?,
            log,
        })
    }

    /// Verifies the proof, and returns what it proves.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Proof`], [`Error::UnknownType`], [`Error::ReceiptField`] when receipt and
    /// transaction differ in type, [`Error::NoEntry`] when the receipt has no such log, [`Error::Signature`].
    pub fn verify(&self) -> Result<ProvedLog> {
        let header = header::decode(&self.header)?;
        let index = self.tx_index;
        let receipt = proof::verify(Trie::Receipts, header.receipts_root, index, &self.receipt)?;
        let transaction =
            proof::verify(Trie::Transactions, header.transactions_root, index, &self.transaction)?;
        let (receipt, transaction) = (Receipt::decode(&receipt)?, Transaction::decode(transaction)?);
        let (expected, got) = (transaction.tx_type().into(), receipt.tx_type.into());
        if expected != got {
            return Err(Error::ReceiptField { index: index as usize, field: "type", expected, got });
        }
        let count = receipt.logs.len();
        let log = receipt.logs.into_iter().nth(self.log as usize);
        Ok(ProvedLog {
            block: header::block_ref(&header),
            parent_hash: header.parent_hash,
            time_secs: header.timestamp,
            tx_index: index,
            tx_hash: transaction.hash(),
            sender: transaction.sender()?,
            log_in_receipt: self.log,
            log: log.ok_or(Error::NoEntry { what: "log in the receipt", index: self.log as usize, count })?,
        })
    }
}

/// The transaction of a log, and the log's index within its receipt.
fn locate(block: &ProvedBlock<'_>, log_index: u32) -> Result<(u32, u32)> {
    let mut before = 0;
    for (claimed, tx_index) in block.receipts().receipts().iter().zip(0u32..) {
        let count = claimed.receipt.logs.len();
        let within = log_index as usize - before;
        if within < count {
            return Ok((tx_index, within as u32));
        }
        before += count;
    }
    Err(Error::NoEntry { what: "log in the block", index: log_index as usize, count: before })
}

#[cfg(test)]
mod tests;

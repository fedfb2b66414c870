//! A whole block against its header: every list recomputed, and every hash and index that a node wrote beside
//! its entries compared with what the block implies.
//!
//! The header is the trust here. It comes from [`header::from_json`], which hashes it, and stands on the block
//! below by [`header::links`].

use crate::error::{Error, Result, Trie};
use crate::header;
use crate::receipt::ClaimedReceipt;
use crate::roots;
use crate::transaction::Transaction;
use alloy_consensus::Header;
use alloy_primitives::{Address, Bloom, Log};
use model::chain::BlockRef;

/// Verifies the receipts of a block: receipts root, logs bloom, indexes, gas.
///
/// # Errors
/// [`Error::UnknownType`], [`Error::Root`], [`Error::HeaderBloom`], [`Error::ReceiptField`], [`Error::HashField`].
pub fn verify_receipts<'a>(header: &Header, receipts: &'a [ClaimedReceipt]) -> Result<ProvedReceipts<'a>> {
    let block = header::block_ref(header);
    let computed = roots::root_of_receipts(receipts.iter().map(|claimed| &claimed.receipt))?;
    if computed != header.receipts_root {
        return Err(Error::Root { trie: Trie::Receipts, header: header.receipts_root, computed });
    }
    let mut logs_bloom = Bloom::ZERO;
    for claimed in receipts {
        logs_bloom.accrue_bloom(&claimed.receipt.bloom);
    }
    if logs_bloom != header.logs_bloom {
        return Err(Error::HeaderBloom { block: block.hash });
    }
    check_claims(block, receipts)?;
    check_gas(header, receipts)?;
    Ok(ProvedReceipts { block, receipts })
}

/// Verifies the transactions of a block: transactions root. Their hashes follow from their bytes.
///
/// # Errors
/// [`Error::Root`].
pub fn verify_transactions<'a>(
    header: &Header,
    transactions: &'a [Transaction],
) -> Result<ProvedTransactions<'a>> {
    let computed = roots::transactions_root(transactions);
    if computed != header.transactions_root {
        return Err(Error::Root { trie: Trie::Transactions, header: header.transactions_root, computed });
    }
    Ok(ProvedTransactions { transactions })
}

/// Verifies receipts and transactions of a block, and that they belong together: the hash and the type that each
/// receipt claims for its transaction are those of the transaction at its index.
///
/// # Errors
/// As [`verify_receipts`] and [`verify_transactions`], and [`Error::Count`].
pub fn verify<'a>(
    header: &'a Header,
    receipts: &'a [ClaimedReceipt],
    transactions: &'a [Transaction],
) -> Result<ProvedBlock<'a>> {
    let proved = verify_receipts(header, receipts)?;
    let transactions = verify_transactions(header, transactions)?;
    if receipts.len() != transactions.transactions.len() {
        return Err(Error::Count { receipts: receipts.len(), transactions: transactions.transactions.len() });
    }
    for (index, (claimed, transaction)) in receipts.iter().zip(transactions.transactions).enumerate() {
        let (expected, got) = (transaction.hash(), claimed.tx_hash);
        if expected != got {
            return Err(Error::HashField { index, field: "transactionHash", expected, got });
        }
        number(index, "type", transaction.tx_type().into(), claimed.receipt.tx_type.into())?;
    }
    Ok(ProvedBlock { header, receipts: proved, transactions })
}

/// Receipts that hash to a header's receipts root.
///
/// The hashes of their transactions are not among what the root commits to: they are proved by [`verify`] only.
#[derive(Debug, Clone, Copy)]
pub struct ProvedReceipts<'a> {
    block: BlockRef,
    receipts: &'a [ClaimedReceipt],
}

impl<'a> ProvedReceipts<'a> {
    /// The block; its hash was computed.
    pub fn block(&self) -> BlockRef {
        self.block
    }

    /// The receipts, in order.
    pub fn receipts(&self) -> &'a [ClaimedReceipt] {
        self.receipts
    }

    /// Every log of the block, in order. The indexes follow from the order.
    pub fn logs(&self) -> impl Iterator<Item = BlockLog<'a>> + use<'a> {
        let of_block = self
            .receipts
            .iter()
            .zip(0u32..)
            .flat_map(|(claimed, tx_index)| claimed.receipt.logs.iter().map(move |log| (tx_index, log)));
        of_block.zip(0u32..).map(|((tx_index, log), log_index)| BlockLog { tx_index, log_index, log })
    }
}

/// A log with its place in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLog<'a> {
    /// Index of the transaction within the block.
    pub tx_index: u32,
    /// Index of the log within the block.
    pub log_index: u32,
    /// The log.
    pub log: &'a Log,
}

/// Transactions that hash to a header's transactions root.
#[derive(Debug, Clone, Copy)]
pub struct ProvedTransactions<'a> {
    transactions: &'a [Transaction],
}

impl<'a> ProvedTransactions<'a> {
    /// The transactions, in order.
    pub fn transactions(&self) -> &'a [Transaction] {
        self.transactions
    }

    /// The sender of each transaction, in order, recovered from its signature: some hundred microseconds each.
    ///
    /// # Errors
    /// [`Error::Signature`], [`Error::Sender`].
    pub fn senders(&self) -> impl Iterator<Item = Result<Address>> + use<'a> {
        self.transactions.iter().map(Transaction::sender)
    }
}

/// A block whose receipts and transactions are proved and belong together.
#[derive(Debug, Clone, Copy)]
pub struct ProvedBlock<'a> {
    header: &'a Header,
    receipts: ProvedReceipts<'a>,
    transactions: ProvedTransactions<'a>,
}

impl<'a> ProvedBlock<'a> {
    /// The block; its hash was computed.
    pub fn block(&self) -> BlockRef {
        self.receipts.block
    }

    /// The header that it was verified against.
    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// The receipts.
    pub fn receipts(&self) -> ProvedReceipts<'a> {
        self.receipts
    }

    /// The transactions, as many as there are receipts.
    pub fn transactions(&self) -> ProvedTransactions<'a> {
        self.transactions
    }

    /// Every log of the block, in order, with its transaction (hash, input; [`Transaction::sender`] on demand).
    pub fn logs(&self) -> impl Iterator<Item = (BlockLog<'a>, &'a Transaction)> + use<'a> {
        let transactions = self.transactions.transactions;
        self.receipts.logs().filter_map(|log| Some((log, transactions.get(log.tx_index as usize)?)))
    }
}

/// Indexes and block of each receipt, and the indexes of its logs.
fn check_claims(block: BlockRef, receipts: &[ClaimedReceipt]) -> Result<()> {
    let mut logs_before = 0;
    for (index, claimed) in receipts.iter().enumerate() {
        number(index, "transactionIndex", index as u64, claimed.tx_index.into())?;
        number(index, "blockNumber", block.number, claimed.block.number)?;
        if let Some(first) = claimed.first_log_index {
            number(index, "logIndex", logs_before, first.into())?;
        }
        if claimed.block.hash != block.hash {
            let (expected, got) = (block.hash, claimed.block.hash);
            return Err(Error::HashField { index, field: "blockHash", expected, got });
        }
        logs_before += claimed.receipt.logs.len() as u64;
    }
    Ok(())
}

/// Gas never falls along the receipts, and ends at what the header says. From Amsterdam on a header counts gas before
/// refunds and in two dimensions (EIP-7778, EIP-8037), so the two no longer need to be equal.
fn check_gas(header: &Header, receipts: &[ClaimedReceipt]) -> Result<()> {
    let mut used = 0;
    for (index, claimed) in receipts.iter().enumerate() {
        let cumulative = claimed.receipt.cumulative_gas_used;
        if cumulative < used {
            number(index, "cumulativeGasUsed", used, cumulative)?;
        }
        used = cumulative;
    }
    if header.amsterdam_active() {
        return Ok(());
    }
    number(receipts.len().saturating_sub(1), "cumulativeGasUsed", header.gas_used, used)
}

fn number(index: usize, field: &'static str, expected: u64, got: u64) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::ReceiptField { index, field, expected, got }) }
}

#[cfg(test)]
mod tests;

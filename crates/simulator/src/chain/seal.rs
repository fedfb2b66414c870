//! Seals a body on top of a parent: roots, bloom, gas and fees go into a header, and the header has a hash.

use crate::chain::body::Body;
use crate::chain::render;
use crate::chain::transaction::SignedTx;
use crate::error::Result;
use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip1559::{BaseFeeParams, INITIAL_BASE_FEE};
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, keccak256};
use bytes::Bytes as Shared;
use evidence::{header, roots};
use std::ops::Range;

/// Gas that a block may use.
const GAS_LIMIT: u64 = 36_000_000;
/// Root of an empty trie: no withdrawals.
const EMPTY_ROOT: B256 = alloy_consensus::constants::EMPTY_ROOT_HASH;

/// A block of the chain, with its answers written out.
#[derive(Debug)]
pub(crate) struct SealedBlock {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    /// Everything that is not a log, as JSON; the ranges below lie in it.
    pub(crate) text: Shared,
    /// Fields of the header, without braces.
    pub(crate) header_text: Range<u32>,
    pub(crate) txs: Vec<SealedTx>,
    /// All logs as JSON, commas between.
    pub(crate) logs: Shared,
    /// Where each log begins in `logs`; one more, past the last and its comma.
    pub(crate) log_starts: Vec<u32>,
}

/// Where a transaction's answers lie in its block.
#[derive(Debug)]
pub(crate) struct SealedTx {
    pub(crate) hash: B256,
    /// In `text`: the transaction.
    pub(crate) text: Range<u32>,
    /// In `text`: its receipt up to its logs.
    pub(crate) receipt: Range<u32>,
    /// Its logs, by index in the block.
    pub(crate) logs: Range<u32>,
}

impl SealedBlock {
    /// Its height.
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    /// The text of one log.
    pub(crate) fn log(&self, index: usize) -> &[u8] {
        // The comma after a log stands before the next one's start.
        &self.logs[self.log_starts[index] as usize..self.log_starts[index + 1] as usize - 1]
    }

    /// How many logs it has.
    pub(crate) fn log_count(&self) -> usize {
        self.log_starts.len() - 1
    }

    /// Bytes that its answers take.
    pub(crate) fn prepared_bytes(&self) -> usize {
        self.text.len() + self.logs.len() + self.log_starts.len() * 4 + self.txs.len() * size_of::<SealedTx>()
    }
}

/// Seals a body. `salt` tells siblings apart: it chooses who proposes the block and when within its slot.
pub(crate) fn seal(body: &mut Body, parent: Option<&SealedBlock>, salt: u64) -> Result<SealedBlock> {
    let mut gas_used = 0;
    let mut logs_bloom = Bloom::ZERO;
    for (tx, receipt) in body.txs.iter().zip(&mut body.receipts) {
        gas_used += tx.gas_used;
        receipt.cumulative_gas_used = gas_used;
        logs_bloom.accrue_bloom(&receipt.bloom);
    }
    let transactions_root = roots::transactions_root(&body.txs);
    let receipts_root = roots::receipts_root(&body.receipts)?;
    let parent_hash = parent.map_or(B256::ZERO, |parent| parent.hash);
    let before = parent.map(|parent| &parent.header);
    let chance = keccak256([parent_hash.as_slice(), &salt.to_be_bytes()].concat());
    let header = Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: Address::from_word(keccak256([chance[0] % 16, 0xFE])),
        // There is no state behind the chain: a root that nobody can check, different for every block.
        state_root: keccak256([chance.as_slice(), transactions_root.as_slice()].concat()),
        transactions_root,
        receipts_root,
        logs_bloom,
        difficulty: U256::ZERO,
        number: before.map_or(0, |before| before.number + 1),
        gas_limit: GAS_LIMIT,
        gas_used,
        timestamp: body.slot_secs.unsigned_abs() + salt % 12,
        extra_data: Bytes::from_static(b"simulated"),
        mix_hash: chance,
        base_fee_per_gas: Some(base_fee(before)),
        withdrawals_root: Some(EMPTY_ROOT),
        blob_gas_used: Some(blob_gas(body)),
        excess_blob_gas: Some(excess_blob_gas(before)),
        parent_beacon_block_root: Some(keccak256(chance)),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    let hash = header::hash(&header);
    Ok(render::block(header, hash, body))
}

fn base_fee(parent: Option<&Header>) -> u64 {
    parent
        .and_then(|parent| parent.next_block_base_fee(BaseFeeParams::ethereum()))
        .unwrap_or(INITIAL_BASE_FEE)
}

fn blob_gas(body: &Body) -> u64 {
    let blobs = |tx: &SignedTx| tx.envelope.blob_versioned_hashes().map_or(0, <[B256]>::len);
    body.txs.iter().map(blobs).sum::<usize>() as u64 * DATA_GAS_PER_BLOB
}

fn excess_blob_gas(parent: Option<&Header>) -> u64 {
    parent.and_then(|parent| parent.next_block_excess_blob_gas(BlobParams::prague())).unwrap_or(0)
}

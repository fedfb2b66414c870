//! Block headers: the hash that names a block, computed by us, and the link to the block below.
//!
//! ```text
//! eth_getBlockBy*, newHeads ──from_json──▶ Header with its hash ──links──▶ the block below
//! ```

use crate::error::{Error, Result};
use crate::json::Quantity;
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, BlockHash, Bloom, Bytes, U256, keccak256};
use alloy_rlp::{Decodable, Encodable};
use model::chain::BlockRef;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// The Keccak-256 hash of a header's RLP, with the fields of every fork that the header carries.
pub fn hash(header: &Header) -> BlockHash {
    keccak256(encode(header))
}

/// The RLP of a header: what its hash is the hash of.
pub fn encode(header: &Header) -> Vec<u8> {
    let mut rlp = Vec::with_capacity(header.length());
    header.encode(&mut rlp);
    rlp
}

/// Reads a header from its RLP. The bytes hold one header and nothing else.
///
/// # Errors
/// [`Error::Malformed`].
pub fn decode(mut rlp: &[u8]) -> Result<Header> {
    let header = Header::decode(&mut rlp).map_err(|error| Error::malformed("header", error))?;
    if !rlp.is_empty() {
        return Err(Error::malformed("header", "bytes are left over"));
    }
    Ok(header)
}

/// Number and hash of a block.
pub fn block_ref(header: &Header) -> BlockRef {
    BlockRef { number: header.number, hash: hash(header) }
}

/// Checks that a header hashes to the hash that is claimed for it.
///
/// # Errors
/// [`Error::HeaderHash`]; [`Error::HeaderFields`] when the header carries a later fork's field without an earlier
/// fork's: its RLP would read as another header.
pub fn check(header: &Header, claimed: BlockHash) -> Result<()> {
    check_fields(header)?;
    let computed = hash(header);
    if computed != claimed {
        return Err(Error::HeaderHash { claimed, computed, unknown: Vec::new() });
    }
    Ok(())
}

/// Checks that a header names `parent` as the block below it, by number and by hash.
///
/// # Errors
/// [`Error::ParentLink`].
pub fn links(child: &Header, parent: &BlockRef) -> Result<()> {
    if child.parent_hash != parent.hash || parent.number.checked_add(1) != Some(child.number) {
        return Err(Error::ParentLink {
            number: child.number,
            parent_hash: child.parent_hash,
            parent: *parent,
        });
    }
    Ok(())
}

/// Reads a header from a node's JSON (a block or a head), and checks that it hashes to the hash beside it.
///
/// What is no part of a header (transactions, uncles, withdrawals, sizes, a chain's own additions) is passed over.
/// A field that the hash covers and that is not known here makes the hash disagree: the error then names it.
///
/// # Errors
/// [`Error::Malformed`], [`Error::HeaderHash`], [`Error::HeaderFields`].
pub fn from_json(json: &str) -> Result<(Header, BlockHash)> {
    let (header, claimed) = read_json(json)?;
    match check(&header, claimed) {
        Ok(()) => Ok((header, claimed)),
        Err(Error::HeaderHash { claimed, computed, .. }) => {
            Err(Error::HeaderHash { claimed, computed, unknown: unknown_fields(json) })
        }
        Err(error) => Err(error),
    }
}

/// Reads a header and the hash beside it without checking anything: the node's word, for the level `off` only.
///
/// # Errors
/// [`Error::Malformed`].
pub fn read_json(json: &str) -> Result<(Header, BlockHash)> {
    let read: HeaderJson = serde_json::from_str(json).map_err(|error| Error::malformed("header", error))?;
    Ok(read.into_header())
}

/// A header's fields in JSON. `hash` is null for a pending block, which is refused: it has no place in a chain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderJson {
    hash: BlockHash,
    parent_hash: BlockHash,
    sha3_uncles: B256,
    miner: Address,
    state_root: B256,
    transactions_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
    difficulty: Quantity<U256>,
    number: Quantity<u64>,
    gas_limit: Quantity<u64>,
    gas_used: Quantity<u64>,
    timestamp: Quantity<u64>,
    extra_data: Bytes,
    mix_hash: B256,
    nonce: B64,
    base_fee_per_gas: Option<Quantity<u64>>,
    withdrawals_root: Option<B256>,
    blob_gas_used: Option<Quantity<u64>>,
    excess_blob_gas: Option<Quantity<u64>>,
    parent_beacon_block_root: Option<B256>,
    requests_hash: Option<B256>,
    block_access_list_hash: Option<B256>,
    slot_number: Option<Quantity<u64>>,
}

/// Every field of [`HeaderJson`], and those of a block in JSON that are known to be no part of its header.
const KNOWN_FIELDS: [&str; 29] = [
    "hash",
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
    "blockAccessListHash",
    "slotNumber",
    "size",
    "totalDifficulty",
    "transactions",
    "uncles",
    "withdrawals",
];

impl HeaderJson {
    fn into_header(self) -> (Header, BlockHash) {
        let header = Header {
            parent_hash: self.parent_hash,
            ommers_hash: self.sha3_uncles,
            beneficiary: self.miner,
            state_root: self.state_root,
            transactions_root: self.transactions_root,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            difficulty: self.difficulty.0,
            number: self.number.0,
            gas_limit: self.gas_limit.0,
            gas_used: self.gas_used.0,
            timestamp: self.timestamp.0,
            extra_data: self.extra_data,
            mix_hash: self.mix_hash,
            nonce: self.nonce,
            base_fee_per_gas: self.base_fee_per_gas.map(|quantity| quantity.0),
            withdrawals_root: self.withdrawals_root,
            blob_gas_used: self.blob_gas_used.map(|quantity| quantity.0),
            excess_blob_gas: self.excess_blob_gas.map(|quantity| quantity.0),
            parent_beacon_block_root: self.parent_beacon_block_root,
            requests_hash: self.requests_hash,
            block_access_list_hash: self.block_access_list_hash,
            slot_number: self.slot_number.map(|quantity| quantity.0),
        };
        (header, self.hash)
    }
}

/// A header's RLP has no names: a later field without an earlier one would be read as the earlier one.
fn check_fields(header: &Header) -> Result<()> {
    let fields = [
        ("baseFeePerGas", header.base_fee_per_gas.is_some()),
        ("withdrawalsRoot", header.withdrawals_root.is_some()),
        ("blobGasUsed", header.blob_gas_used.is_some()),
        ("excessBlobGas", header.excess_blob_gas.is_some()),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root.is_some()),
        ("requestsHash", header.requests_hash.is_some()),
        ("blockAccessListHash", header.block_access_list_hash.is_some()),
        ("slotNumber", header.slot_number.is_some()),
    ];
    match fields.windows(2).find(|pair| !pair[0].1 && pair[1].1) {
        Some(pair) => Err(Error::HeaderFields { missing: pair[0].0, present: pair[1].0 }),
        None => Ok(()),
    }
}

/// How many unknown fields an error names, and how much of each name: enough to see what is new, whatever is sent.
const UNKNOWN_FIELDS_MAX: usize = 4;
const UNKNOWN_FIELD_CHARS_MAX: usize = 40;

fn unknown_fields(json: &str) -> Vec<Box<str>> {
    let unknown: UnknownFields = serde_json::from_str(json).unwrap_or_default();
    unknown.0.into_iter().collect()
}

/// The first unknown names in alphabetical order. No more are held at once: an answer has room for millions.
#[derive(Default)]
struct UnknownFields(BTreeSet<Box<str>>);

impl<'de> Deserialize<'de> for UnknownFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for UnknownFields {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> std::result::Result<Self, A::Error> {
        while let Some((name, _)) = fields.next_entry::<String, IgnoredAny>()? {
            if !KNOWN_FIELDS.contains(&name.as_str()) {
                let begins: String = name.chars().take(UNKNOWN_FIELD_CHARS_MAX).collect();
                self.0.insert(begins.into());
            }
            if self.0.len() > UNKNOWN_FIELDS_MAX {
                self.0.pop_last();
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;

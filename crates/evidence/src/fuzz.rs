//! What must hold for any bytes: nothing panics, and what is accepted reads back as itself.
//!
//! The fuzz targets under `tests/fuzz` are one call each into this module; the unit tests run the same calls over
//! the seeds there, and over what one step of a fuzzer makes of them.

use crate::log_proof::LogProof;
use crate::receipt::{self, ClaimedReceipt, Receipt};
use crate::transaction::{self, Transaction};
use crate::{bloom, error, header};
use alloy_primitives::{Bytes, keccak256};

/// Longest error: four names of unknown fields, of 40 characters, each shown in up to ten.
const SAID_CHARS_MAX: usize = 2_000;

/// What was read, if anything. An error goes into logs and incidents: it is short, on one line, whatever was sent.
fn taken<T>(read: error::Result<T>) -> Option<T> {
    read.inspect_err(|error| {
        let said = error.to_string();
        assert!(said.chars().count() <= SAID_CHARS_MAX && !said.chars().any(char::is_control), "{said:?}");
    })
    .ok()
}

/// A header's JSON, and a header's RLP. Returns whether either was accepted.
///
/// # Panics
/// When what was accepted does not read back as itself.
pub fn header_json(data: &[u8]) -> bool {
    let decoded = taken(header::decode(data));
    if let Some(header) = &decoded {
        assert_eq!(header::hash(header), keccak256(data), "a header has one encoding");
    }
    let text = std::str::from_utf8(data).ok();
    let Some((header, hash)) = text.and_then(|text| taken(header::from_json(text))) else {
        return decoded.is_some();
    };
    assert_eq!(keccak256(header::encode(&header)), hash);
    assert_eq!(header::decode(&header::encode(&header)), Ok(header));
    true
}

/// A receipt's JSON, a list of them, and a receipt's bytes. Returns whether any was accepted.
///
/// # Panics
/// When what was accepted does not read back as itself.
pub fn receipt_json(data: &[u8]) -> bool {
    let decoded = taken(Receipt::decode(data));
    if let Some(receipt) = &decoded {
        assert_eq!(receipt::encode_all([receipt]), Ok(vec![data.to_vec()]), "a receipt has one encoding");
    }
    let Ok(text) = std::str::from_utf8(data) else { return decoded.is_some() };
    let one = taken(receipt::from_json(text)).map(|claimed| vec![claimed]);
    let Some(read) = one.or_else(|| taken(receipt::list_from_json(text))) else { return decoded.is_some() };
    for ClaimedReceipt { receipt, .. } in read {
        assert_eq!(receipt.bloom, bloom::of_logs(&receipt.logs));
        let bytes = receipt::encode_all([&receipt]).map(|mut encoded| encoded.remove(0));
        assert_eq!(bytes.and_then(|bytes| Receipt::decode(&bytes)), Ok(receipt));
    }
    true
}

/// A transaction's JSON, and a transaction's bytes. Returns whether either was accepted.
///
/// # Panics
/// When what was accepted does not read back as itself.
pub fn transaction_json(data: &[u8]) -> bool {
    let decoded = Transaction::decode(Bytes::copy_from_slice(data)).map(|transaction| {
        assert_eq!(transaction.hash(), keccak256(data));
        transaction.sender().is_ok()
    });
    let decoded = taken(decoded);
    let text = std::str::from_utf8(data).ok();
    let Some(read) = text.and_then(|text| taken(transaction::from_json(text))) else {
        return decoded.is_some();
    };
    let again = Transaction::decode(read.encoded().clone());
    let facts = |tx: &Transaction| (tx.hash(), tx.tx_type(), tx.to(), tx.input().clone());
    assert_eq!(again.as_ref().map(facts), Ok(facts(&read)));
    let signer = again.and_then(|transaction| transaction.sender());
    assert!(read.sender().is_err() || read.sender() == signer);
    true
}

/// A log proof's JSON. Returns whether it proves something.
///
/// # Panics
/// When what was accepted does not read back as itself, or proves something else the second time.
pub fn log_proof(data: &[u8]) -> bool {
    let Ok(proof) = serde_json::from_slice::<LogProof>(data) else { return false };
    let text = serde_json::to_vec(&proof).unwrap_or_default();
    assert_eq!(serde_json::from_slice::<LogProof>(&text).ok().as_ref(), Some(&proof));
    let proved = proof.verify();
    assert_eq!(proof.verify(), proved);
    if let Ok(log) = &proved {
        assert_eq!(log.block.hash, keccak256(&proof.header));
    }
    proved.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;
    use std::path::Path;

    /// Every seed of a target, with its name.
    fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds").join(target);
        let entries =
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut seeds: Vec<_> =
            paths.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect();
        seeds.sort();
        seeds
    }

    /// Runs a target over each seed, which it must accept, and over the seed with each byte cut, changed or repeated.
    fn run(target: &str, property: fn(&[u8]) -> bool, count: usize) {
        let seeds = seeds(target);
        assert_eq!(seeds.len(), count, "{target}");
        for (name, seed) in seeds {
            assert!(property(&seed), "{name}");
            let step = 1 + seed.len() / 500;
            for at in (0..seed.len()).step_by(step) {
                property(&seed[..at]);
                property(&[&seed[..at], &seed[at + 1..]].concat());
                property(&[&seed[..at], &seed[at..=at], &seed[at..]].concat());
                for bit in 0..8 {
                    let mut flipped = seed.clone();
                    flipped[at] ^= 1 << bit;
                    property(&flipped);
                }
            }
        }
    }

    #[test]
    fn headers_hold_over_the_seeds() {
        run("header_json", header_json, 2);
    }

    #[test]
    fn receipts_hold_over_the_seeds() {
        run("receipt_json", receipt_json, 3);
    }

    #[test]
    fn transactions_hold_over_the_seeds() {
        run("transaction_json", transaction_json, 7);
    }

    #[test]
    fn log_proofs_hold_over_the_seeds() {
        run("log_proof", log_proof, 2);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, text: String) {
            for property in [header_json, receipt_json, transaction_json, log_proof] {
                for data in [bytes.as_slice(), text.as_bytes()] {
                    property(data);
                }
            }
        }
    }
}

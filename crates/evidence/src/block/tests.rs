//! Whole blocks: a real one of mainnet, and blocks of every transaction type with one thing changed.

use super::*;
use crate::sample::{self, Sample};
use crate::{receipt, transaction};
use alloy_primitives::{B256, U256};
use proptest::prelude::{any, prop_assert, proptest};
use std::path::PathBuf;

fn verified(sample: &Sample) -> Result<ProvedBlock<'_>> {
    verify(&sample.header, &sample.receipts, &sample.transactions)
}

/// Folder of the real mainnet block, if there is one here.
fn mainnet_block() -> Option<PathBuf> {
    let folder =
        std::env::var_os("RXTRAIL_DATA").map(|data| PathBuf::from(data).join("mainnet-block-21925176"));
    if folder.is_none() {
        println!("NOT RUN: RXTRAIL_DATA names no folder, so the real mainnet block was not verified");
    }
    folder
}

#[test]
fn a_real_mainnet_block_verifies_and_every_receipt_and_log_is_where_the_node_says() {
    let Some(folder) = mainnet_block() else { return };
    let read = |name| std::fs::read_to_string(folder.join(name)).unwrap();
    let (block_json, receipts_json) = (read("block.json"), read("receipts.json"));
    let (header, hash) = header::from_json(&block_json).unwrap();
    assert_eq!(hash.to_string(), "0x92dabfa3f61ff1c349d12f5fd0dd4c99760a0a41b77dee8f0a80f83efdcb307a");

    let receipts = receipt::list_from_json(&receipts_json).unwrap();
    let proved = verify_receipts(&header, &receipts).unwrap();
    assert_eq!((proved.receipts().len(), proved.block().number), (202, 21_925_176));
    let listed: serde_json::Value = serde_json::from_str(&block_json).unwrap();
    let hashes: Vec<B256> = serde_json::from_value(listed["transactions"].clone()).unwrap();
    assert_eq!(proved.receipts().iter().map(|claimed| claimed.tx_hash).collect::<Vec<_>>(), hashes);

    let logs: Vec<BlockLog<'_>> = proved.logs().collect();
    let by_topics = |count| logs.iter().filter(|at| at.log.topics().len() == count).count();
    assert_eq!((logs.len(), [0, 1, 2, 3, 4].map(by_topics).iter().sum::<usize>()), (463, 463));
    let mut claimed = receipts.iter().flat_map(|claimed| {
        let first = claimed.first_log_index.unwrap_or(0);
        (first..).zip(&claimed.receipt.logs).map(|(log_index, log)| BlockLog {
            tx_index: claimed.tx_index,
            log_index,
            log,
        })
    });
    assert!(logs.iter().all(|log| Some(*log) == claimed.next()));
    assert!(logs.iter().all(|at| crate::bloom::holds(&header.logs_bloom, at.log.address, at.log.topics())));

    let encoded = receipt::encode_all(receipts.iter().map(|claimed| &claimed.receipt)).unwrap();
    for (index, bytes) in (0u32..).zip(&encoded) {
        let proof = crate::proof::build(&encoded, index).unwrap();
        assert_eq!(
            crate::proof::verify(Trie::Receipts, header.receipts_root, index, &proof).unwrap(),
            *bytes
        );
    }
}

#[test]
fn the_first_transaction_of_mainnet_stands_in_its_block() {
    let (header, _) = header::from_json(include_str!("../../vectors/block-46147.json")).unwrap();
    let receipts = receipt::list_from_json(include_str!("../../vectors/receipts-46147.json")).unwrap();
    let transactions =
        transaction::list_from_block_json(include_str!("../../vectors/block-46147.json")).unwrap();
    let proved = verify(&header, &receipts, &transactions).unwrap();
    assert_eq!(
        proved.block().hash.to_string(),
        "0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd"
    );
    assert_eq!((proved.logs().count(), proved.transactions().senders().count()), (0, 1));
}

#[test]
fn a_block_of_every_type_gives_its_logs_in_order_with_their_transactions() {
    let sample = sample::block(50);
    let (header, hash) = header::from_json(&sample.block_json).unwrap();
    assert_eq!(header, sample.header);
    let proved = verified(&sample).unwrap();
    assert_eq!(proved.block(), BlockRef { number: 1_000, hash });
    assert_eq!(proved.transactions().senders().collect::<Result<Vec<_>>>().unwrap(), sample.senders);

    let came: Vec<_> =
        proved.logs().map(|(at, tx)| (at.log_index, at.tx_index, tx.hash(), at.log.clone())).collect();
    let mut expected = Vec::new();
    for (claimed, tx_index) in sample.receipts.iter().zip(0u32..) {
        for log in &claimed.receipt.logs {
            let tx_hash = sample.transactions[tx_index as usize].hash();
            expected.push((expected.len() as u32, tx_index, tx_hash, log.clone()));
        }
    }
    assert_eq!(came, expected);
    assert_eq!(came.len(), 73);
}

#[test]
fn an_empty_block_verifies() {
    let sample = sample::block(0);
    assert_eq!(verified(&sample).unwrap().logs().count(), 0);
}

/// Each lie changes one thing of a good block of 20; the error names what it changed.
#[test]
fn each_lie_about_a_receipt_is_found_out() {
    type Lie = (&'static str, fn(&mut Sample), fn(&Error) -> bool);
    let root = |error: &Error| matches!(error, Error::Root { trie: Trie::Receipts, .. });
    let lies: [Lie; 14] = [
        ("a log is left out", |s| drop(s.receipts[3].receipt.logs.pop()), root),
        (
            "a log is added",
            |s| {
                let log = s.receipts[3].receipt.logs[0].clone();
                s.receipts[2].receipt.logs.push(log)
            },
            root,
        ),
        ("logs change places", |s| s.receipts[3].receipt.logs.swap(0, 1), root),
        ("a topic is changed", |s| s.receipts[3].receipt.logs[1].data.topics_mut()[0] = B256::ZERO, root),
        ("a failure is a success", |s| s.receipts[6].receipt.status_or_root = true.into(), root),
        ("a receipt is left out", |s| drop(s.receipts.pop()), root),
        ("receipts change places", |s| s.receipts.swap(1, 2), root),
        ("the type is another", |s| s.receipts[3].receipt.tx_type = 1, root),
        (
            "the type is unknown",
            |s| s.receipts[3].receipt.tx_type = 9,
            |e| matches!(e, Error::UnknownType { tx_type: 9, .. }),
        ),
        (
            "the transaction index is another",
            |s| s.receipts[3].tx_index = 4,
            |e| *e == Error::ReceiptField { index: 3, field: "transactionIndex", expected: 3, got: 4 },
        ),
        (
            "the log index is another",
            |s| s.receipts[3].first_log_index = Some(0),
            |e| *e == Error::ReceiptField { index: 3, field: "logIndex", expected: 3, got: 0 },
        ),
        (
            "the block number is another",
            |s| s.receipts[5].block.number = 999,
            |e| *e == Error::ReceiptField { index: 5, field: "blockNumber", expected: 1_000, got: 999 },
        ),
        (
            "the block hash is another",
            |s| s.receipts[5].block.hash = B256::ZERO,
            |e| matches!(e, Error::HashField { index: 5, field: "blockHash", got: B256::ZERO, .. }),
        ),
        (
            "the transaction hash is another",
            |s| s.receipts[5].tx_hash = B256::ZERO,
            |e| matches!(e, Error::HashField { index: 5, field: "transactionHash", got: B256::ZERO, .. }),
        ),
    ];
    for (name, lie, found) in lies {
        let mut sample = sample::block(20);
        lie(&mut sample);
        let error = verified(&sample).unwrap_err();
        assert!(found(&error), "{name}: {error}");
    }
}

#[test]
fn each_lie_about_a_transaction_is_found_out() {
    type Lie = (&'static str, fn(&mut Sample));
    let lies: [Lie; 4] = [
        ("one is left out", |s| drop(s.transactions.pop())),
        ("two change places", |s| s.transactions.swap(0, 1)),
        ("one is another", |s| s.transactions[7] = s.transactions[8].clone()),
        ("one is added", |s| {
            let tx = s.transactions[0].clone();
            s.transactions.push(tx)
        }),
    ];
    for (name, lie) in lies {
        let mut sample = sample::block(20);
        lie(&mut sample);
        let error = verified(&sample).unwrap_err();
        assert!(matches!(error, Error::Root { trie: Trie::Transactions, .. }), "{name}: {error}");
    }
}

/// A header can be made to fit lists that do not fit each other: its roots hold, the lists still do not.
#[test]
fn lists_that_do_not_belong_together_are_found_out() {
    let mut sample = sample::block(8);
    sample.transactions.pop();
    sample.header.transactions_root = roots::transactions_root(&sample.transactions);
    reclaim(&mut sample);
    assert_eq!(verified(&sample).unwrap_err(), Error::Count { receipts: 8, transactions: 7 });

    let mut sample = sample::block(8);
    sample.receipts[2].receipt.tx_type = 4;
    refit(&mut sample);
    assert_eq!(
        verified(&sample).unwrap_err(),
        Error::ReceiptField { index: 2, field: "type", expected: 1, got: 4 }
    );
}

#[test]
fn gas_never_falls_and_ends_at_what_the_header_says() {
    let mut sample = sample::block(8);
    sample.receipts[4].receipt.cumulative_gas_used = 1;
    refit(&mut sample);
    let falls = Error::ReceiptField { index: 4, field: "cumulativeGasUsed", expected: 84_000, got: 1 };
    assert_eq!(verified(&sample).unwrap_err(), falls);

    let mut sample = sample::block(8);
    sample.header.gas_used += 1;
    reclaim(&mut sample);
    let ends = Error::ReceiptField { index: 7, field: "cumulativeGasUsed", expected: 168_001, got: 168_000 };
    assert_eq!(verified(&sample).unwrap_err(), ends);

    sample.header.block_access_list_hash = Some(B256::ZERO);
    reclaim(&mut sample);
    assert!(verified(&sample).is_ok(), "from Amsterdam on a header counts gas otherwise");
}

#[test]
fn a_header_bloom_that_is_not_that_of_the_logs_is_found_out() {
    let mut sample = sample::block(8);
    sample.header.logs_bloom.accrue(alloy_primitives::BloomInput::Raw(b"more"));
    reclaim(&mut sample);
    assert_eq!(verified(&sample).unwrap_err(), Error::HeaderBloom { block: header::hash(&sample.header) });
}

/// Makes a header's receipts root fit the receipts, and the receipts name the header's new hash.
fn refit(sample: &mut Sample) {
    sample.header.receipts_root =
        roots::root_of_receipts(sample.receipts.iter().map(|claimed| &claimed.receipt)).unwrap();
    reclaim(sample);
}

fn reclaim(sample: &mut Sample) {
    let block = header::block_ref(&sample.header);
    sample.receipts.iter_mut().for_each(|claimed| claimed.block = block);
}

proptest! {
    /// Whatever header field a node changes, the block no longer verifies under the hash that it had.
    #[test]
    fn one_flipped_bit_of_the_header_is_found_out(bit in any::<proptest::sample::Index>()) {
        let sample = sample::block(5);
        let mut rlp = header::encode(&sample.header);
        let bit = bit.index(8 * rlp.len());
        rlp[bit / 8] ^= 1 << (bit % 8);
        let Ok(header) = header::decode(&rlp) else { return Ok(()) };
        prop_assert!(verify(&header, &sample.receipts, &sample.transactions).is_err());
    }

    #[test]
    fn one_flipped_bit_of_a_log_is_found_out(log in any::<proptest::sample::Index>(), bit in any::<proptest::sample::Index>()) {
        let mut sample = sample::block(20);
        let logs: Vec<(usize, usize)> = (0..20).flat_map(|tx| (0..sample.receipts[tx].receipt.logs.len()).map(move |log| (tx, log))).collect();
        let (tx, log) = logs[log.index(logs.len())];
        let log = &mut sample.receipts[tx].receipt.logs[log];
        let mut data = log.data.data.to_vec();
        let bits = 8 * (20 + 32 * log.topics().len() + data.len());
        match bit.index(bits) {
            bit if bit < 160 => log.address.0.0[bit / 8] ^= 1 << (bit % 8),
            bit if bit / 8 - 20 < 32 * log.topics().len() => {
                let at = bit / 8 - 20;
                log.data.topics_mut()[at / 32].0[at % 32] ^= 1 << (bit % 8);
            }
            bit => {
                let at = bit / 8 - 20 - 32 * log.topics().len();
                data[at] ^= 1 << (bit % 8);
                log.data.data = data.into();
            }
        }
        let found = matches!(verified(&sample), Err(Error::Root { trie: Trie::Receipts, .. }));
        prop_assert!(found);
    }
}

/// `U256` is the difficulty: before the merge a header carries one, and it is part of what is hashed.
#[test]
fn difficulty_is_part_of_the_block() {
    let mut sample = sample::block(2);
    sample.header.difficulty = U256::MAX;
    assert!(matches!(verified(&sample), Err(Error::HashField { field: "blockHash", .. })));
}

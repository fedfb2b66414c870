//! A proof of a log convinces who has only the hash of its block, and fits no other log.

use super::*;
use crate::block::{self, BlockLog};
use crate::sample::{self, Sample};
use proptest::prelude::{any, prop_assert, proptest};

fn proved(sample: &Sample) -> ProvedBlock<'_> {
    block::verify(&sample.header, &sample.receipts, &sample.transactions).unwrap()
}

#[test]
fn every_log_of_a_block_is_proved_to_someone_who_has_only_its_hash() {
    let sample = sample::block(140);
    let block = proved(&sample);
    let mut before = (u32::MAX, 0);
    for (BlockLog { tx_index, log_index, log }, transaction) in block.logs() {
        before = if before.0 == tx_index { (tx_index, before.1 + 1) } else { (tx_index, 0) };
        let proof = LogProof::build(&block, log_index).unwrap();
        let expected = ProvedLog {
            block: block.block(),
            parent_hash: sample.header.parent_hash,
            time_secs: sample.header.timestamp,
            tx_index,
            tx_hash: transaction.hash(),
            sender: sample.senders[tx_index as usize],
            log_in_receipt: before.1,
            log: log.clone(),
        };
        assert_eq!(proof.verify(), Ok(expected), "log {log_index}");
    }
    assert_eq!(before, (139, 2));
}

#[test]
fn a_proof_is_text_that_reads_back_and_has_no_room_for_anything_beside_it() {
    let sample = sample::block(9);
    let proof = LogProof::build(&proved(&sample), 5).unwrap();
    let text = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<LogProof>(&text).unwrap(), proof);
    let added = text.replacen('{', r#"{"txHash":"0x00","#, 1);
    assert!(serde_json::from_str::<LogProof>(&added).is_err(), "a hash beside the proof would look proved");
}

#[test]
fn there_is_no_proof_of_a_log_that_is_not_there() {
    let sample = sample::block(8);
    let block = proved(&sample);
    let count = block.logs().count();
    let none = Error::NoEntry { what: "log in the block", index: count, count };
    assert_eq!(LogProof::build(&block, count as u32), Err(none));

    let proof = LogProof { log: 3, ..LogProof::build(&block, 3).unwrap() };
    assert_eq!(proof.verify(), Err(Error::NoEntry { what: "log in the receipt", index: 3, count: 3 }));
}

#[test]
fn parts_of_other_proofs_do_not_fit() {
    let (sample, other) = (sample::block(9), sample::block(10));
    let (one, two) =
        (LogProof::build(&proved(&sample), 1).unwrap(), LogProof::build(&proved(&sample), 5).unwrap());
    let elsewhere = LogProof::build(&proved(&other), 1).unwrap();
    assert_ne!(one.tx_index, two.tx_index);
    let forged = [
        LogProof { receipt: two.receipt.clone(), ..one.clone() },
        LogProof { transaction: two.transaction.clone(), ..one.clone() },
        LogProof { tx_index: two.tx_index, ..one.clone() },
        LogProof { header: elsewhere.header.clone(), ..one.clone() },
        LogProof { receipt: elsewhere.receipt, transaction: elsewhere.transaction, ..one.clone() },
        LogProof { receipt: one.transaction.clone(), transaction: one.receipt.clone(), ..one },
    ];
    for forged in forged {
        assert!(matches!(forged.verify(), Err(Error::Proof { .. })), "{forged:?}");
    }
}

/// Whoever makes a header himself can fit anything to it: that is why the block's hash is what is compared.
#[test]
fn a_receipt_of_another_type_than_its_transaction_is_found_out_even_under_a_header_that_fits() {
    let sample = sample::block(6);
    let mut receipts: Vec<Receipt> = sample.receipts.iter().map(|claimed| claimed.receipt.clone()).collect();
    receipts[2].tx_type = 3;
    let header = alloy_consensus::Header {
        receipts_root: crate::roots::receipts_root(&receipts).unwrap(),
        ..sample.header.clone()
    };
    let proof = LogProof::build(&proved(&sample), 2).unwrap();
    assert_eq!(proof.tx_index, 2);
    let receipt = proof::build(&receipt::encode_all(&receipts).unwrap(), 2).unwrap();
    let forged = LogProof { header: header::encode(&header).into(), receipt, ..proof };
    assert_eq!(forged.verify(), Err(Error::ReceiptField { index: 2, field: "type", expected: 1, got: 3 }));
}

proptest! {
    #[test]
    fn one_flipped_bit_anywhere_never_proves_the_same(log in any::<proptest::sample::Index>(), bit in any::<proptest::sample::Index>()) {
        let sample = sample::block(30);
        let block = proved(&sample);
        let proof = LogProof::build(&block, log.index(block.logs().count()) as u32).unwrap();
        let mut forged = proof.clone();
        let mut parts: Vec<&mut Bytes> = vec![&mut forged.header, &mut forged.transaction.key, &mut forged.receipt.key];
        parts.extend(forged.transaction.nodes.iter_mut().chain(&mut forged.receipt.nodes));
        let mut bit = bit.index(8 * parts.iter().map(|part| part.len()).sum::<usize>());
        for part in parts {
            if bit < 8 * part.len() {
                let mut bytes = part.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                *part = bytes.into();
                break;
            }
            bit -= 8 * part.len();
        }
        let honest = proof.verify().unwrap();
        let verified = forged.verify();
        prop_assert!(!verified.is_ok_and(|proved| proved.block == honest.block), "under the block's hash");
    }
}

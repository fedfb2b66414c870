//! Receipts of every type, as JSON and as bytes.

use super::*;
use crate::{roots, sample};
use alloy_consensus::{ReceiptEnvelope, ReceiptWithBloom};
use alloy_eips::eip2718::Encodable2718;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_assert_ne, prop_oneof, proptest};
use serde_json::{Value, json};

fn bytes_of(receipt: &Receipt) -> Vec<u8> {
    encode_all([receipt]).unwrap().remove(0)
}

fn any_receipt() -> impl Strategy<Value = Receipt> {
    let status = prop_oneof![
        any::<bool>().prop_map(Eip658Value::from),
        any::<[u8; 32]>().prop_map(|root| B256::from(root).into())
    ];
    let log = (any::<[u8; 20]>(), proptest::collection::vec(any::<[u8; 32]>(), 0..=4), any::<Vec<u8>>())
        .prop_map(|(address, topics, data)| {
            Log::new_unchecked(address.into(), topics.into_iter().map(B256::from).collect(), data.into())
        });
    (0u8..=4, status, any::<u64>(), proptest::collection::vec(log, 0..5))
        .prop_map(|(tx_type, status, gas, logs)| Receipt::new(tx_type, status, gas, logs))
}

/// One receipt as a node writes it, with three logs.
fn json() -> Value {
    let answer: Vec<Value> = serde_json::from_str(&sample::block(4).receipts_json).unwrap();
    answer[3].clone()
}

#[test]
fn the_first_receipt_of_mainnet_carries_a_state_root() {
    let receipts = list_from_json(include_str!("../../vectors/receipts-46147.json")).unwrap();
    let [claimed] = receipts.as_slice() else { panic!("{receipts:?}") };
    assert_eq!(claimed.first_log_index, None);
    assert!(claimed.receipt.status_or_root.is_post_state());
    let root = roots::receipts_root(std::slice::from_ref(&claimed.receipt)).unwrap();
    assert_eq!(root.to_string(), "0xfe2bf2a941abf41d72637e5b91750332a30283efd40c424dc522b77e6f0ed8c4");
}

#[test]
fn every_known_type_encodes_as_alloy_encodes_it() {
    for tx_type in 0..=4 {
        let receipt = sample::receipt(tx_type, 7);
        let inner = alloy_consensus::Receipt {
            status: receipt.status_or_root,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: receipt.logs.clone(),
        };
        let inner = ReceiptWithBloom::new(inner, receipt.bloom);
        let envelope = match tx_type {
            0 => ReceiptEnvelope::Legacy(inner),
            1 => ReceiptEnvelope::Eip2930(inner),
            2 => ReceiptEnvelope::Eip1559(inner),
            3 => ReceiptEnvelope::Eip4844(inner),
            _ => ReceiptEnvelope::Eip7702(inner),
        };
        assert_eq!(bytes_of(&receipt), envelope.encoded_2718(), "type {tx_type}");
    }
}

#[test]
fn an_unknown_type_is_an_error_before_anything_is_encoded() {
    for tx_type in 5..=u8::MAX {
        let receipt = sample::receipt(tx_type, 3);
        let unknown = Error::UnknownType { what: "receipt", tx_type: tx_type.into() };
        let mut out = Vec::new();
        assert_eq!((receipt.encode(&mut out), out.len()), (Err(unknown.clone()), 0));
        assert_eq!(roots::receipts_root(&[sample::receipt(2, 1), receipt]), Err(unknown.clone()));
        if tx_type <= 0x7f {
            assert_eq!(Receipt::decode(&[tx_type, 0xc0]), Err(unknown));
        }
    }
}

#[test]
fn a_receipt_is_all_of_its_bytes() {
    let bytes = bytes_of(&sample::receipt(2, 3));
    let left_over = Err(Error::malformed("receipt", "bytes are left over"));
    assert_eq!(Receipt::decode(&[bytes.as_slice(), &[0]].concat()), left_over);
    assert!(Receipt::decode(&bytes[..bytes.len() - 1]).is_err());

    let mut five_items = bytes_of(&Receipt::new(0, true.into(), 1, vec![]));
    five_items.push(0x80);
    five_items[2] += 1;
    assert_eq!(Receipt::decode(&five_items), left_over);
    for neither in [&[][..], &[0x80], &[0xbf]] {
        assert_eq!(Receipt::decode(neither), Err(Error::malformed("receipt", "neither a type nor a list")));
    }
}

#[test]
fn a_receipt_of_another_chains_type_names_the_type_even_when_its_fields_are_strange() {
    for (tx_type, text) in [(0x7e, "0x7e"), (0x64, "0x64"), (0x1_0000, "0x10000")] {
        let unknown = Error::UnknownType { what: "receipt", tx_type };
        let strange = json!({"type": text, "depositNonce": "0x1"});
        assert_eq!(from_json(&strange.to_string()), Err(unknown.clone()));
        assert_eq!(list_from_json(&json!([json(), strange]).to_string()), Err(unknown.clone()));
        let mut whole = json();
        whole["type"] = text.into();
        assert_eq!(from_json(&whole.to_string()), Err(unknown));
    }
}

/// Readers quote what they cannot read. An error is logged, stored and carried on the bus.
#[test]
fn an_error_is_short_whatever_was_sent() {
    let mut long = json();
    long["cumulativeGasUsed"] = format!("0x{}", "f\n".repeat(100_000)).into();
    let error = list_from_json(&json!([long]).to_string()).unwrap_err();
    let Error::Malformed { detail, .. } = &error else { panic!("{error}") };
    assert!(detail.starts_with("invalid value: string") && detail.chars().count() == 200, "{error}");
}

#[test]
fn the_bloom_is_computed_and_not_taken() {
    let mut lie = json();
    lie["logsBloom"] = Bloom::ZERO.to_string().into();
    assert_eq!(from_json(&lie.to_string()), from_json(&json().to_string()));
}

#[test]
fn what_a_log_repeats_must_be_what_its_receipt_says() {
    let (nine, hash) = ("0x9", B256::repeat_byte(9));
    for (field, name) in [
        ("logIndex", "logIndex"),
        ("blockNumber", "blockNumber of a log"),
        ("transactionIndex", "transactionIndex of a log"),
    ] {
        let mut lie = json();
        lie["logs"][1][field] = nine.into();
        let error = from_json(&lie.to_string()).unwrap_err();
        assert!(
            matches!(error, Error::ReceiptField { index: 3, field, got: 9, .. } if field == name),
            "{error}"
        );
    }
    for (field, name) in
        [("blockHash", "blockHash of a log"), ("transactionHash", "transactionHash of a log")]
    {
        let mut lie = json();
        lie["logs"][2][field] = hash.to_string().into();
        let error = from_json(&lie.to_string()).unwrap_err();
        assert!(
            matches!(error, Error::HashField { index: 3, field, got, .. } if field == name && got == hash),
            "{error}"
        );
    }
}

#[test]
fn a_log_has_at_most_four_topics() {
    let mut json = json();
    json["logs"][0]["topics"] = vec![B256::ZERO.to_string(); 5].into();
    assert!(matches!(from_json(&json.to_string()), Err(Error::Malformed { what: "receipt", .. })));
    let log = Log::new_unchecked(Address::ZERO, vec![B256::ZERO; 5], Bytes::new());
    let bytes = bytes_of(&Receipt::new(2, true.into(), 1, vec![log]));
    assert_eq!(Receipt::decode(&bytes), Err(Error::malformed("receipt", "a log has more than 4 topics")));
}

#[test]
fn a_status_is_0_or_1_and_stands_before_a_root() {
    let with = |status: Value, root: Value| {
        let mut json = json();
        (json["status"], json["root"]) = (status, root);
        from_json(&json.to_string()).map(|claimed| claimed.receipt.status_or_root)
    };
    let root = B256::repeat_byte(4);
    assert_eq!(with("0x0".into(), Value::Null), Ok(Eip658Value::Eip658(false)));
    assert_eq!(with("0x1".into(), root.to_string().into()), Ok(Eip658Value::Eip658(true)));
    assert_eq!(with(Value::Null, root.to_string().into()), Ok(Eip658Value::PostState(root)));
    for (status, root) in
        [("0x2".into(), Value::Null), (Value::Null, "0x01".into()), (Value::Null, Value::Null)]
    {
        assert!(matches!(with(status, root), Err(Error::Malformed { what: "receipt", .. })));
    }
}

#[test]
fn a_block_that_the_node_does_not_have_is_no_empty_list() {
    assert!(matches!(list_from_json("null"), Err(Error::Malformed { what: "receipts", .. })));
    assert_eq!(list_from_json("[]"), Ok(vec![]));
}

proptest! {
    #[test]
    fn a_receipt_comes_back_from_its_bytes(receipt in any_receipt()) {
        prop_assert_eq!(Receipt::decode(&bytes_of(&receipt)), Ok(receipt));
    }

    #[test]
    fn one_flipped_bit_never_reads_as_the_same_receipt(receipt in any_receipt(), bit in any::<proptest::sample::Index>()) {
        let mut bytes = bytes_of(&receipt);
        let bit = bit.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(forged) = Receipt::decode(&bytes) {
            prop_assert_eq!(bytes_of(&forged), bytes, "a receipt has one encoding");
            prop_assert_ne!(roots::receipts_root(&[forged]), roots::receipts_root(&[receipt]));
        }
    }
}

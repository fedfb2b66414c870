//! Answers to `eth_getLogs`, honest and hostile.

use super::*;
use crate::filter::Filter;
use model::incident::IncidentKind;
use model::segment::LogsView;
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde_json::{Value, json};

fn contract() -> Address {
    Address::repeat_byte(0xc0)
}

fn query() -> Query {
    Filter { addresses: vec![contract()], ..Filter::default() }.query([])
}

/// A log as a node writes it.
fn log(block: u64, tx: u64, index: u64) -> Value {
    json!({
        "address": contract(), "topics": [B256::repeat_byte(1), B256::repeat_byte(2)], "data": "0x0102",
        "blockNumber": format!("{block:#x}"), "blockHash": B256::left_padding_from(&block.to_be_bytes()),
        "blockTimestamp": "0x1", "transactionIndex": format!("{tx:#x}"), "logIndex": format!("{index:#x}"),
        "transactionHash": B256::left_padding_from(&(block << 32 | tx).to_be_bytes()), "removed": false,
    })
}

fn read(logs: &[Value]) -> Result<LogSet, RpcError> {
    parse(&Value::from(logs).to_string(), 10, 20, &query())
}

fn refusal(logs: &[Value]) -> String {
    match read(logs) {
        Err(RpcError::BadData { kind: IncidentKind::MalformedAnswer, detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

fn with(key: &str, value: Value) -> Value {
    let mut log = log(10, 0, 0);
    log[key] = value;
    log
}

#[test]
fn logs_come_into_columns_and_blocks() {
    let set = read(&[log(10, 0, 0), log(10, 3, 2), log(20, 0, 0)]).unwrap();
    let view = LogsView::new(&set.logs).unwrap();
    let places: Vec<_> = view.iter().map(|log| (log.block_number, log.tx_index, log.log_index)).collect();
    assert_eq!(places, [(10, 0, 0), (10, 3, 2), (20, 0, 0)]);
    let first = view.get(0);
    assert_eq!((first.contract, first.data, first.topic_count()), (contract(), [1, 2].as_slice(), 2));
    assert_eq!((first.sender, first.input), (None, None));
    let hash = |n: u64| B256::left_padding_from(&n.to_be_bytes());
    let blocks = [
        LogBlock { number: 10, hash: hash(10), first_row: 0, rows: 2 },
        LogBlock { number: 20, hash: hash(20), first_row: 2, rows: 1 },
    ];
    assert_eq!(set.blocks, blocks);
    assert_eq!(read(&[]).unwrap().blocks, []);
}

#[test]
fn what_was_not_asked_for_makes_the_answer_bad() {
    assert!(refusal(&[log(9, 0, 0)]).contains("log 0: block 9 was not asked for"));
    assert!(refusal(&[log(21, 0, 0)]).contains("block 21 was not asked for"));
    assert!(refusal(&[with("address", json!(Address::ZERO))]).contains("was not asked for"));
}

#[test]
fn logs_that_are_twice_or_out_of_order_make_the_answer_bad() {
    assert!(refusal(&[log(10, 0, 0), log(10, 0, 0)]).contains("log 1: log 10/0 comes after log 10/0"));
    assert!(refusal(&[log(11, 0, 0), log(10, 0, 1)]).contains("log 10/1 comes after log 11/0"));
    assert!(refusal(&[log(10, 1, 0), log(10, 0, 1)]).contains("not in the order"));
    let mut other_tx = log(10, 0, 1);
    other_tx["transactionHash"] = json!(B256::ZERO);
    assert!(refusal(&[log(10, 0, 0), other_tx]).contains("not in the order"));
    let mut other_block = log(10, 1, 1);
    other_block["blockHash"] = json!(B256::ZERO);
    assert!(refusal(&[log(10, 0, 0), other_block]).contains("block 10 has hashes"));
}

#[test]
fn a_field_that_is_wrong_or_missing_makes_the_answer_bad() {
    let hostile = [
        json!(null),
        json!(7),
        json!({}),
        json!([]),
        json!("0x"),
        json!("0xzz"),
        json!("0x1ffffffffffffffffffff"),
        json!(true),
        json!("c0"),
    ];
    let keys = [
        "address",
        "topics",
        "blockNumber",
        "blockHash",
        "logIndex",
        "transactionIndex",
        "transactionHash",
        "data",
    ];
    for key in keys {
        for value in &hostile {
            let harmless =
                (key == "data" && *value == json!("0x")) || (key == "topics" && *value == json!([]));
            assert_eq!(read(&[with(key, value.clone())]).is_ok(), harmless, "{key}: {value}");
        }
        let mut log = log(10, 0, 0);
        log.as_object_mut().unwrap().remove(key);
        assert!(refusal(&[log]).contains("log 0: no "), "{key}");
    }
    let topics = vec![B256::ZERO; 5];
    assert!(refusal(&[with("topics", json!(topics))]).contains("at most 4 topics"));
    for answer in ["", "null", "{}", "[1]", "[", "[]x", "\"0x\""] {
        assert!(parse(answer, 10, 20, &query()).is_err(), "{answer}");
    }
}

#[test]
fn deep_json_is_an_error_or_passed_over_and_never_a_stack() {
    let deep = "[".repeat(1_000_000);
    assert!(parse(&deep, 10, 20, &query()).is_err());
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let inside = log(10, 0, 0).to_string().replacen('{', &format!("{{\"extra\":{nested},"), 1);
    assert_eq!(parse(&format!("[{inside}]"), 10, 20, &query()), read(&[log(10, 0, 0)]));
    let in_topics = with("topics", json!(null)).to_string().replace("null", &nested);
    assert!(parse(&format!("[{in_topics}]"), 10, 20, &query()).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        drop(parse(&text, 0, u64::MAX, &query()));
    }

    #[test]
    fn what_is_written_is_what_is_read(
        data in any::<Vec<u8>>(), topics in proptest::collection::vec(any::<[u8; 32]>(), 0..=4), index in any::<u32>(),
    ) {
        let mut log = log(10, 0, index.into());
        log["data"] = json!(alloy_primitives::Bytes::from(data.clone()));
        log["topics"] = json!(topics.iter().map(B256::from).collect::<Vec<_>>());
        let set = read(&[log]).unwrap();
        let view = LogsView::new(&set.logs).unwrap();
        let read = view.get(0);
        prop_assert_eq!((read.data, read.log_index), (data.as_slice(), index));
        let read_topics: Vec<[u8; 32]> = read.topics.iter().flatten().map(|topic| topic.0).collect();
        prop_assert_eq!(read_topics, topics);
    }
}

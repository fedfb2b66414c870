//! The node's answers agree with each other and with a filter that knows no shortcuts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use simulator::{Config, Endpoint, History};
use support::{all_logs, call, hex, number, serve, try_call, whole};

/// All logs by way of the receipts of every block.
fn logs_of_receipts(endpoint: &Endpoint) -> Vec<Value> {
    let blocks = 0..=endpoint.head();
    let receipts = blocks.map(|number| call(endpoint, "eth_getBlockReceipts", json!([hex(number)])));
    let lists = receipts.flat_map(|list| list.as_array().unwrap().clone());
    lists.flat_map(|receipt| receipt["logs"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn logs_are_those_of_the_receipts_with_running_indexes() {
    let (world, _token) = serve(whole(21)).await;
    let endpoint = &world.endpoints[0];
    let logs = all_logs(endpoint);
    assert_eq!(logs, logs_of_receipts(endpoint));
    let mut last = (0, None);
    for log in &logs {
        let (block, index) = (number(&log["blockNumber"]), number(&log["logIndex"]));
        let expected = if last.0 == block { last.1.map_or(0, |index: u64| index + 1) } else { 0 };
        assert_eq!(index, expected, "{log}");
        last = (block, Some(index));
    }
}

/// Does a log match, by the words of the specification?
fn matches(log: &Value, filter: &Value) -> bool {
    let among = |wanted: &Value, got: &Value| match wanted {
        Value::Null => true,
        Value::Array(list) => list.is_empty() || list.contains(got),
        one => one == got,
    };
    let block = number(&log["blockNumber"]);
    let in_range = number(&filter["fromBlock"]) <= block && block <= number(&filter["toBlock"]);
    let topics = log["topics"].as_array().unwrap();
    let empty = Vec::new();
    let wanted = filter["topics"].as_array().unwrap_or(&empty);
    in_range
        && among(&filter["address"], &log["address"])
        && wanted
            .iter()
            .enumerate()
            .all(|(n, wanted)| topics.get(n).is_some_and(|topic| among(wanted, topic)))
}

#[tokio::test]
async fn every_form_of_a_filter_gives_what_it_says() {
    let (world, _token) = serve(whole(22)).await;
    let endpoint = &world.endpoints[0];
    let logs = all_logs(endpoint);
    let (one, other) = (&logs[0], &logs[logs.len() / 2]);
    let topic = |log: &Value, n: usize| log["topics"][n].clone();
    let full = logs.iter().find(|log| log["topics"].as_array().unwrap().len() == 4).unwrap();
    let absent = format!("0x{}", "11".repeat(32));
    let forms = [
        json!({ "address": one["address"] }),
        json!({ "address": [one["address"], other["address"]] }),
        json!({ "address": [] }),
        json!({ "topics": [] }),
        json!({ "topics": [topic(other, 0)] }),
        json!({ "topics": [[topic(one, 0), topic(other, 0)]] }),
        json!({ "topics": [null, topic(other, 1)] }),
        json!({ "topics": [null, null, null, null] }),
        json!({ "topics": [topic(full, 0), null, [topic(full, 2), absent]] }),
        json!({ "address": other["address"], "topics": [null, null, null, topic(full, 3)] }),
        json!({ "topics": [absent] }),
    ];
    for (from, to) in [(0, endpoint.head()), (300, 700), (5, 5)] {
        for form in &forms {
            let mut filter = form.clone();
            (filter["fromBlock"], filter["toBlock"]) = (hex(from).into(), hex(to).into());
            let expected: Vec<_> = logs.iter().filter(|log| matches(log, &filter)).cloned().collect();
            assert_eq!(call(endpoint, "eth_getLogs", json!([filter])), Value::from(expected), "{filter}");
        }
    }
}

#[tokio::test]
async fn a_block_hash_names_one_block() {
    let (world, _token) = serve(whole(23)).await;
    let endpoint = &world.endpoints[0];
    let logs = all_logs(endpoint);
    let hash = &logs[100]["blockHash"];
    let expected: Vec<_> = logs.iter().filter(|log| log["blockHash"] == *hash).cloned().collect();
    assert_eq!(call(endpoint, "eth_getLogs", json!([{ "blockHash": hash }])), Value::from(expected));
    let both = try_call(endpoint, "eth_getLogs", json!([{ "blockHash": hash, "fromBlock": "0x1" }]));
    assert_eq!(both["error"]["code"], -32602);
}

#[tokio::test]
async fn blocks_transactions_and_receipts_point_at_each_other() {
    let (world, _token) = serve(whole(24)).await;
    let endpoint = &world.endpoints[0];
    let log = &all_logs(endpoint)[500];
    let tx = call(endpoint, "eth_getTransactionByHash", json!([log["transactionHash"]]));
    let receipt = call(endpoint, "eth_getTransactionReceipt", json!([log["transactionHash"]]));
    assert!(receipt["logs"].as_array().unwrap().contains(log));
    assert_eq!((&tx["from"], &tx["blockHash"]), (&receipt["from"], &log["blockHash"]));
    let by_hash = |full| call(endpoint, "eth_getBlockByHash", json!([log["blockHash"], full]));
    let by_number = |full| call(endpoint, "eth_getBlockByNumber", json!([log["blockNumber"], full]));
    assert_eq!((by_hash(true), by_hash(false)), (by_number(true), by_number(false)));
    assert!(by_hash(true)["transactions"].as_array().unwrap().contains(&tx));
    assert!(by_hash(false)["transactions"].as_array().unwrap().contains(&tx["hash"]));
    let receipts = |of: Value| call(endpoint, "eth_getBlockReceipts", json!([of]));
    assert_eq!(receipts(log["blockHash"].clone()), receipts(log["blockNumber"].clone()));
    assert_eq!(call(endpoint, "eth_getCode", json!([log["address"], "latest"])), "0x5f5ffd");
    assert_eq!(call(endpoint, "eth_getCode", json!([tx["from"], "latest"])), "0x");
}

#[tokio::test]
async fn tags_and_simple_methods() {
    let config =
        Config { history: History::Blocks(500), block_interval_ms: 0, chains: vec![10], ..Config::new(25) };
    let (world, _token) = serve(config).await;
    let endpoint = &world.endpoints[0];
    let height = |tag: &str| number(&call(endpoint, "eth_getBlockByNumber", json!([tag, false]))["number"]);
    let heights = ["earliest", "finalized", "safe", "latest", "pending"].map(height);
    assert_eq!(heights, [0, 499 - 64, 499 - 32, 499, 499]);
    assert_eq!(call(endpoint, "eth_getBlockByNumber", json!([hex(500), false])), Value::Null);
    assert_eq!(call(endpoint, "eth_chainId", json!([])), "0xa");
    assert_eq!(call(endpoint, "net_version", json!([])), "10");
    assert_eq!(call(endpoint, "eth_blockNumber", json!([])), hex(499));
    assert_eq!(call(endpoint, "eth_syncing", json!([])), false);
    endpoint.mine(2).unwrap();
    assert_eq!(call(endpoint, "eth_blockNumber", json!([])), hex(501));
}

#[tokio::test]
async fn what_is_wrong_gets_a_standard_error() {
    let (world, _token) = serve(whole(26)).await;
    let raw =
        |body: &str| serde_json::from_slice::<Value>(&world.endpoints[0].answer(body.as_bytes())).unwrap();
    for (body, code) in [
        ("{", -32700),
        ("17", -32600),
        ("[]", -32600),
        (r#"{"id":1,"method":"eth_sendTransaction"}"#, -32601),
        (r#"{"id":1,"method":"eth_getBlockByNumber","params":["x"]}"#, -32602),
        (r#"{"id":1,"method":"eth_getBlockByNumber","params":[7]}"#, -32602),
        (r#"{"id":1,"method":"eth_getLogs","params":[{"address":"0x12"}]}"#, -32602),
        (r#"{"id":1,"method":"eth_getLogs","params":[{"topics":[null,null,null,null,null]}]}"#, -32602),
        (r#"{"id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x5","toBlock":"0x4"}]}"#, -32602),
        (r#"{"id":1,"method":"eth_getTransactionByHash","params":["0x"]}"#, -32602),
        (r#"{"id":1,"method":"sim_dance"}"#, -32601),
        (r#"{"id":1,"method":"sim_setFaults","params":[{"unheardOf":1}]}"#, -32602),
    ] {
        assert_eq!(raw(body)["error"]["code"], code, "{body}");
    }
    let batch =
        raw(r#"[{"id":1,"method":"eth_chainId"},{"method":"eth_chainId"},{"id":"b","method":"x"},5]"#);
    let batch = batch.as_array().unwrap();
    let outline: Vec<_> =
        batch.iter().map(|one| (one["id"].clone(), one["error"]["code"].as_i64())).collect();
    assert_eq!(outline, [(json!(1), None), (json!("b"), Some(-32601)), (Value::Null, Some(-32600))]);
    let long = format!("[{}]", vec![r#"{"id":1,"method":"eth_chainId"}"#; 1_001].join(","));
    assert_eq!(raw(&long)["error"]["code"], -32600);
}

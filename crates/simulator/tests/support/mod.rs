//! What the tests share: a served world, calls to it, and the logs of its chains.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod oracle;
pub(crate) mod socket;
pub(crate) mod steps;

use serde_json::{Value, json};
use simulator::{Config, Endpoint, History, Running, Simulator};
use tokio_util::sync::CancellationToken;

/// A world of `config` on free ports, and the token that ends it.
pub(crate) async fn serve(config: Config) -> (Running, CancellationToken) {
    let simulator = Simulator::generate(config).unwrap();
    serve_world(simulator).await
}

pub(crate) async fn serve_world(simulator: Simulator) -> (Running, CancellationToken) {
    let token = CancellationToken::new();
    let listen = vec!["127.0.0.1:0".parse().unwrap(); simulator.blocks().len()];
    (simulator.serve(&listen, token.clone()).await.unwrap(), token)
}

/// A small world whose blocks are all mined at the start; nothing is mined by a clock.
pub(crate) fn whole(seed: u64) -> Config {
    Config { history: History::All, block_interval_ms: 0, events: 12_000, ..Config::new(seed) }
}

/// The result of a call; an error is a failure of the test.
pub(crate) fn call(endpoint: &Endpoint, method: &str, params: Value) -> Value {
    let mut answer = try_call(endpoint, method, params);
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].take()
}

/// The whole answer to a call.
pub(crate) fn try_call(endpoint: &Endpoint, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    serde_json::from_slice(&endpoint.answer(request.to_string().as_bytes())).unwrap()
}

/// A number as QUANTITY.
pub(crate) fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// A QUANTITY as a number.
pub(crate) fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}

/// All canonical logs, in order.
pub(crate) fn all_logs(endpoint: &Endpoint) -> Vec<Value> {
    let logs = call(endpoint, "eth_getLogs", json!([{ "fromBlock": "0x0", "toBlock": "latest" }]));
    logs.as_array().unwrap().clone()
}

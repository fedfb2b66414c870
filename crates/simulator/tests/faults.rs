//! Each fault does what it says, and nothing while it is off.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use evidence::error::Error;
use evidence::{block, header, receipt, transaction};
use serde_json::{Value, json};
use simulator::faults::{Faults, LogsLimit, WORDINGS, Wording};
use simulator::{Endpoint, Running};
use support::{all_logs, call, hex, number, serve, try_call, whole};
use tokio_util::sync::CancellationToken;

async fn world(seed: u64) -> (Running, CancellationToken) {
    serve(whole(seed)).await
}

async fn post(endpoint: &Endpoint, body: &'static str) -> reqwest::Result<reqwest::Response> {
    client().post(endpoint.http_url()).body(body).send().await
}

/// A fresh connection each time: what happens to one says nothing of the next.
fn client() -> reqwest::Client {
    // The client wants a provider even for plain HTTP; the first test to get here sets it.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    reqwest::Client::new()
}

const HEAD: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;
const ALL_LOGS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x0"}]}"#;

#[tokio::test]
async fn faults_of_the_transport_hit_every_so_many_requests() {
    let (world, _token) = world(51).await;
    let endpoint = &world.endpoints[0];
    let sound = post(endpoint, ALL_LOGS).await.unwrap().bytes().await.unwrap();
    assert_eq!(sound, endpoint.answer(ALL_LOGS.as_bytes()));

    endpoint.set_faults(Faults { too_many_requests_every: 1, retry_after_secs: 3, ..Faults::default() });
    let refused = post(endpoint, HEAD).await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"3".parse().unwrap()));

    endpoint.set_faults(Faults { cut_body_every: 1, ..Faults::default() });
    let cut = post(endpoint, ALL_LOGS).await.unwrap();
    assert_eq!((cut.status().as_u16(), cut.content_length()), (200, Some(sound.len() as u64)));
    assert!(cut.bytes().await.is_err());

    endpoint.set_faults(Faults { drop_connection_every: 1, ..Faults::default() });
    assert!(post(endpoint, HEAD).await.is_err());
    // Control gets through, and ends it.
    let off = r#"{"jsonrpc":"2.0","id":1,"method":"sim_setFaults","params":[{}]}"#;
    assert_eq!(post(endpoint, off).await.unwrap().status().as_u16(), 200);
    assert_eq!(post(endpoint, HEAD).await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn limits_are_refused_in_each_providers_words() {
    let (world, _token) = world(52).await;
    let endpoint = &world.endpoints[0];
    let ask = |from: u64, to: u64| {
        try_call(endpoint, "eth_getLogs", json!([{ "fromBlock": hex(from), "toBlock": hex(to) }]))
    };
    let refusal = |wording| {
        let limit = LogsLimit { max_blocks: Some(100), max_results: None, wording };
        endpoint.set_faults(Faults { logs_limit: Some(limit), ..Faults::default() });
        assert!(ask(0, 99)["error"].is_null());
        let error = ask(16, 900)["error"].clone();
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    };
    let heard: Vec<_> = WORDINGS.into_iter().map(refusal).collect();
    let codes: Vec<_> = heard.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [-32005, -32602, -32600, -32602, -32614, -32000, -32602, -32005]);
    assert!(heard[1].1.ends_with("this block range should work: [0x10, 0x73]"), "{}", heard[1].1);
    assert!(heard[3].1.ends_with("retry with the range 16-115"), "{}", heard[3].1);
    assert_eq!(heard[6].1, "range 885 exceeds limit of 100");
}

#[tokio::test]
async fn a_suggested_range_holds_no_more_results_than_allowed() {
    let (world, _token) = world(53).await;
    let endpoint = &world.endpoints[0];
    let limit = LogsLimit { max_blocks: None, max_results: Some(1_000), wording: Wording::TryWithRange };
    endpoint.set_faults(Faults { logs_limit: Some(limit), ..Faults::default() });
    let error =
        try_call(endpoint, "eth_getLogs", json!([{ "fromBlock": "0x1", "toBlock": "latest" }]))["error"]
            .clone();
    let data = &error["data"];
    assert_eq!((error["code"].as_i64(), &data["limit"]), (Some(-32005), &json!(1_000)));
    let logs = call(
        endpoint,
        "eth_getLogs",
        json!([{ "fromBlock": "0x1", "toBlock": data["to"].as_str().unwrap().to_lowercase() }]),
    );
    let count = logs.as_array().unwrap().len();
    assert!((500..=1_000).contains(&count), "{count}");
}

#[tokio::test]
async fn a_node_that_leaves_out_or_alters_logs_does_it_the_same_way_each_time() {
    let (world, _token) = world(54).await;
    let endpoint = &world.endpoints[0];
    let sound = all_logs(endpoint);
    endpoint.set_faults(Faults { omit_log_every: 50, ..Faults::default() });
    let omitted = all_logs(endpoint);
    assert_eq!(omitted, all_logs(endpoint));
    assert!(
        omitted.len() < sound.len() && omitted.len() > sound.len() * 9 / 10,
        "{} of {}",
        omitted.len(),
        sound.len()
    );
    assert!(omitted.iter().all(|log| sound.contains(log)));

    endpoint.set_faults(Faults { forge_log_every: 50, ..Faults::default() });
    let forged = all_logs(endpoint);
    let differ: Vec<_> = sound.iter().zip(&forged).filter(|(was, is)| was != is).collect();
    assert!(!differ.is_empty() && forged.len() == sound.len());
    for (was, is) in differ {
        assert!(was["data"] != is["data"] || was["topics"] != is["topics"], "{is}");
        assert_eq!(was["logIndex"], is["logIndex"]);
    }

    endpoint.set_faults(Faults { removed_hint_every: 50, ..Faults::default() });
    let hinted = all_logs(endpoint).iter().filter(|log| log["removed"] == true).count();
    assert!(hinted > 0 && hinted < sound.len() / 10, "{hinted}");

    endpoint.set_faults(Faults { pruned_below: 300, ..Faults::default() });
    assert!(all_logs(endpoint).iter().all(|log| number(&log["blockNumber"]) >= 300));
    endpoint.set_faults(Faults::default());
    assert_eq!(all_logs(endpoint), sound);
}

/// A block with transactions, whose number is a multiple of 1: any.
fn busy_block(endpoint: &Endpoint) -> Value {
    all_logs(endpoint)[1_000]["blockNumber"].clone()
}

#[tokio::test]
async fn evidence_finds_out_each_lie_about_a_block() {
    let (world, _token) = world(55).await;
    let endpoint = &world.endpoints[0];
    let number = busy_block(endpoint);
    let read = || {
        let block = call(endpoint, "eth_getBlockByNumber", json!([number, true])).to_string();
        (block, call(endpoint, "eth_getBlockReceipts", json!([number])).to_string())
    };
    let (block_text, _) = read();
    let (head, _) = header::from_json(&block_text).unwrap();

    endpoint.set_faults(Faults { alter_header_every: 1, ..Faults::default() });
    assert!(matches!(header::from_json(&read().0), Err(Error::HeaderHash { .. })));

    endpoint.set_faults(Faults { forge_log_every: 1, forge_receipts: true, ..Faults::default() });
    let receipts = receipt::list_from_json(&read().1).unwrap();
    assert!(matches!(block::verify_receipts(&head, &receipts), Err(Error::Root { .. })));

    endpoint.set_faults(Faults { alter_sender_every: 1, ..Faults::default() });
    let transactions = transaction::list_from_block_json(&read().0).unwrap();
    assert!(transactions.iter().all(|tx| matches!(tx.sender(), Err(Error::Sender { .. }))));
}

#[tokio::test]
async fn time_outs_missing_heads_and_latency() {
    let (world, _token) = world(56).await;
    let endpoint = &world.endpoints[0];
    endpoint.set_faults(Faults { logs_timeout_every: 2, null_head: true, ..Faults::default() });
    let asked = || {
        try_call(endpoint, "eth_getLogs", json!([{ "fromBlock": "0x1", "toBlock": "0x2" }]))["error"]["message"].clone()
    };
    let answers = [asked(), asked(), asked(), asked()];
    assert_eq!(answers.iter().filter(|answer| *answer == "query timeout exceeded").count(), 2);
    let head = hex(endpoint.head());
    assert_eq!(call(endpoint, "eth_blockNumber", json!([])), head);
    assert_eq!(call(endpoint, "eth_getBlockByNumber", json!([head, false])), Value::Null);
    assert!(call(endpoint, "eth_getBlockByNumber", json!([hex(endpoint.head() - 1), false])).is_object());
    endpoint.set_faults(Faults { latency_ms: 1, ..Faults::default() });
    assert_eq!(post(endpoint, HEAD).await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let (world, _token) = world(57).await;
    let body = format!("[{}]", " ".repeat(6 << 20));
    let answer = client().post(world.endpoints[0].http_url()).body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 413);
}

#[tokio::test]
async fn a_node_stops_when_it_is_told_to() {
    let (world, token) = world(58).await;
    let url = world.endpoints[0].http_url();
    token.cancel();
    world.stopped().await;
    assert!(client().get(url).send().await.is_err());
}

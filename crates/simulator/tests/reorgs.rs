//! Reorgs replace blocks and lose nothing; subscribers hear of them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use simulator::{Config, Endpoint, History, Simulator};
use std::collections::{BTreeSet, HashMap};
use support::oracle::Oracle;
use support::socket::Socket;
use support::{all_logs, call, hex, number, serve, serve_world, steps, try_call, whole};

/// Transactions of the canonical chain with their blocks.
fn places(endpoint: &Endpoint) -> HashMap<String, u64> {
    let logs = all_logs(endpoint);
    logs.iter()
        .map(|log| (log["transactionHash"].as_str().unwrap().to_owned(), number(&log["blockNumber"])))
        .collect()
}

/// A world with a third of its blocks mined and the rest waiting for `sim_mine`.
fn live(seed: u64) -> Config {
    Config { history: History::Share(33), ..whole(seed) }
}

fn mine_all(endpoint: &Endpoint) {
    while !endpoint.is_exhausted() {
        endpoint.mine(50).unwrap();
    }
}

#[tokio::test]
async fn a_reorg_moves_transactions_and_the_final_chain_has_all_of_them() {
    let (undisturbed, _token) = serve(live(41)).await;
    let (world, _token2) = serve(live(41)).await;
    let (straight, endpoint) = (&undisturbed.endpoints[0], &world.endpoints[0]);
    let before = places(endpoint);
    let head = endpoint.head();
    endpoint.reorg(20, 1).unwrap();
    assert_eq!(endpoint.head(), head);
    let after = places(endpoint);
    let moved = before.iter().filter(|(tx, block)| after.get(*tx).is_some_and(|now| now != *block)).count();
    let put_off = before.keys().filter(|tx| !after.contains_key(*tx)).count();
    assert!(moved > 0 && put_off > 0, "{moved} moved, {put_off} put off");
    assert!(before.iter().all(|(tx, block)| *block > head - 20 || after[tx] == *block));
    for dice in 2..6 {
        endpoint.mine(7).unwrap();
        endpoint.reorg(dice * 3, dice).unwrap();
    }
    mine_all(endpoint);
    mine_all(straight);
    let all = |endpoint: &Endpoint| places(endpoint).into_keys().collect::<BTreeSet<_>>();
    assert_eq!(all(endpoint), all(straight));
}

#[tokio::test]
async fn nonces_count_up_on_a_reorganised_chain_and_no_block_is_older_than_what_it_holds() {
    let (world, _token) = serve(live(48)).await;
    let endpoint = &world.endpoints[0];
    for dice in 0..40 {
        endpoint.mine(11).unwrap();
        endpoint.reorg(1 + dice * 7 % 40, dice).unwrap();
    }
    let mut next: HashMap<String, u64> = HashMap::new();
    let mut last_time = 0;
    for height in 0..=endpoint.head() {
        let block = call(endpoint, "eth_getBlockByNumber", json!([hex(height), true]));
        assert!(number(&block["timestamp"]) > last_time, "block {height}");
        last_time = number(&block["timestamp"]);
        for tx in block["transactions"].as_array().unwrap() {
            let expected = next.entry(tx["from"].as_str().unwrap().to_owned()).or_default();
            assert_eq!(number(&tx["nonce"]), *expected, "block {height}: {tx}");
            *expected += 1;
        }
    }
}

#[tokio::test]
async fn whatever_is_reorganised_stays_as_honest_as_it_was() {
    let simulator = Simulator::generate(live(42)).unwrap();
    let registry = simulator.registry().clone();
    let contracts: Vec<_> = simulator.contracts().iter().map(|contract| contract.address).collect();
    let labelled: BTreeSet<_> = simulator.labels().iter().map(|label| label.subject.clone()).collect();
    let (world, _token) = serve_world(simulator).await;
    let endpoint = &world.endpoints[0];
    for dice in 0..30 {
        endpoint.mine(31).unwrap();
        endpoint.reorg(1 + dice * 11 % 60, dice).unwrap();
    }
    mine_all(endpoint);
    let steps = steps::read(endpoint.chain_id, &all_logs(endpoint), &contracts);
    let objections = Oracle::new(&registry).judge(&steps);
    let accused: Vec<_> = objections
        .iter()
        .filter(|o| !labelled.contains(&o.item) && !labelled.contains(&o.actor.to_string()))
        .collect();
    assert!(accused.is_empty(), "{accused:#?}");
}

#[tokio::test]
async fn an_orphan_can_still_be_asked_for_by_its_hash() {
    let (world, _token) = serve(live(43)).await;
    let endpoint = &world.endpoints[0];
    let head = call(endpoint, "eth_getBlockByNumber", json!(["latest", false]));
    endpoint.reorg(3, 9).unwrap();
    let sibling = call(endpoint, "eth_getBlockByNumber", json!(["latest", false]));
    assert_eq!(sibling["number"], head["number"]);
    assert_ne!(sibling["hash"], head["hash"]);
    assert_eq!(call(endpoint, "eth_getBlockByHash", json!([head["hash"], false])), head);
}

#[tokio::test]
async fn a_reorg_deeper_than_what_is_kept_is_refused() {
    let (world, _token) = serve(live(44)).await;
    for depth in [0, 129, 1_000_000] {
        let answer = try_call(&world.endpoints[0], "sim_reorg", json!([depth]));
        let expected = format!("cannot replace {depth} blocks: at most 128 can be");
        assert_eq!(answer["error"]["message"], expected);
    }
    // Finality can be undone on request, for those who test what happens then.
    assert_eq!(call(&world.endpoints[0], "sim_reorg", json!([128]))["orphans"], 128);
}

#[tokio::test]
async fn subscribers_hear_of_heads_logs_and_removed_logs() {
    let (world, _token) = serve(live(45)).await;
    let endpoint = &world.endpoints[0];
    let mut socket = Socket::connect(endpoint.address).await;
    let heads = socket.call("eth_subscribe", json!(["newHeads"])).await["result"].clone();
    endpoint.mine(1).unwrap();
    let [(subscription, header)] = socket.notices(1).await.try_into().unwrap();
    assert_eq!(subscription, heads);
    let block = call(endpoint, "eth_getBlockByNumber", json!(["latest", false]));
    assert_eq!((&header["hash"], &header["parentHash"]), (&block["hash"], &block["parentHash"]));
    assert_eq!(socket.call("eth_unsubscribe", json!([heads])).await["result"], true);

    let logs = socket.call("eth_subscribe", json!(["logs", {}])).await["result"].clone();
    let range = |from: u64| json!([{ "fromBlock": hex(from), "toBlock": "latest" }]);
    endpoint.mine(2).unwrap();
    let mined = call(endpoint, "eth_getLogs", range(endpoint.head() - 1)).as_array().unwrap().clone();
    let told: Vec<Value> = socket
        .notices(mined.len())
        .await
        .into_iter()
        .map(|(id, log)| (assert_eq!(id, logs), log).1)
        .collect();
    assert_eq!(told, mined);
    endpoint.reorg(1, 3).unwrap();
    let removed: Vec<_> = mined.iter().filter(|log| number(&log["blockNumber"]) == endpoint.head()).collect();
    for (_, log) in socket.notices(removed.len()).await {
        assert_eq!(log["removed"], true);
        assert!(
            removed
                .iter()
                .any(|was| was["logIndex"] == log["logIndex"] && was["blockHash"] == log["blockHash"])
        );
    }
    let again = call(endpoint, "eth_getLogs", range(endpoint.head())).as_array().unwrap().clone();
    let told: Vec<Value> = socket.notices(again.len()).await.into_iter().map(|(_, log)| log).collect();
    assert_eq!(told, again);
    assert_eq!(socket.call("eth_blockNumber", json!([])).await["result"], hex(endpoint.head()));
    assert_eq!(socket.call("eth_subscribe", json!(["weather"])).await["error"]["code"], -32602);
}

#[tokio::test]
async fn a_twin_agrees_up_to_its_fork_and_then_does_not() {
    let config = Config { history: History::Blocks(400), twin_fork_block: Some(380), ..whole(46) };
    let (world, _token) = serve(config).await;
    let hash = |endpoint: &Endpoint, block: u64| {
        call(endpoint, "eth_getBlockByNumber", json!([hex(block), false]))["hash"].clone()
    };
    let (node, twin) = (&world.endpoints[0], &world.twins[0]);
    assert_ne!(node.address, twin.address);
    assert!((0..380).all(|block| hash(node, block) == hash(twin, block)));
    assert!((380..400).all(|block| hash(node, block) != hash(twin, block)));
}

#[tokio::test]
async fn reorgs_on_schedule_happen_while_blocks_are_mined() {
    let config = Config { reorg_every_blocks: 10, reorg_depth_max: 6, ..live(47) };
    let (world, _token) = serve(config).await;
    let endpoint = &world.endpoints[0];
    endpoint.mine(100).unwrap();
    let orphans = call(endpoint, "sim_status", json!([]))["orphans"].as_u64().unwrap();
    assert!((10..=60).contains(&orphans), "{orphans}");
    mine_all(endpoint);
    assert!(world.is_exhausted());
}

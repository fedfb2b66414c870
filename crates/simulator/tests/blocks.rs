//! Every block of a world verifies: hash, link, bloom, both roots, every hash and index, every sender.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use evidence::{block, header, receipt, transaction};
use serde_json::json;
use simulator::{Config, Endpoint, Simulator};
use support::{call, hex, serve, whole};

/// Verifies the canonical chain from its first block to its head, as someone who trusts nothing.
fn verify_chain(endpoint: &Endpoint) {
    let mut parent = None;
    for number in 0..=endpoint.head() {
        let block = call(endpoint, "eth_getBlockByNumber", json!([hex(number), true])).to_string();
        let receipts = call(endpoint, "eth_getBlockReceipts", json!([hex(number)])).to_string();
        let (head, hash) = header::from_json(&block).unwrap();
        if let Some(parent) = parent {
            header::links(&head, &parent).unwrap();
        }
        let transactions = transaction::list_from_block_json(&block).unwrap();
        let receipts = receipt::list_from_json(&receipts).unwrap();
        let proved = block::verify(&head, &receipts, &transactions).unwrap();
        assert!(proved.transactions().senders().all(|sender| sender.is_ok()), "block {number}");
        let next = header::block_ref(&head);
        assert_eq!((next.number, next.hash), (number, hash));
        parent = Some(next);
    }
}

#[tokio::test]
async fn every_block_verifies() {
    let (world, _token) = serve(Config { chains: vec![1, 137], ..whole(11) }).await;
    world.endpoints.iter().for_each(verify_chain);
}

#[tokio::test]
async fn every_block_verifies_after_reorgs_too() {
    let (world, _token) = serve(whole(12)).await;
    let endpoint = &world.endpoints[0];
    for (depth, dice) in [(1, 1), (30, 2), (64, 3), (100, 4)] {
        endpoint.reorg(depth, dice).unwrap();
        endpoint.mine(3).unwrap();
    }
    verify_chain(endpoint);
}

#[test]
fn the_same_configuration_makes_the_same_bytes() {
    let digest =
        |seed| Simulator::generate(Config { events: 12_000, ..Config::new(seed) }).unwrap().digest().unwrap();
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

#[test]
fn how_much_is_history_changes_no_byte() {
    use simulator::History;
    let digest = |history| {
        let config = Config { history, events: 12_000, ..Config::new(7) };
        Simulator::generate(config).unwrap().digest().unwrap()
    };
    let all = digest(History::All);
    assert_eq!(
        [digest(History::Blocks(10)), digest(History::Share(0)), digest(History::Share(100))],
        [all; 3]
    );
}

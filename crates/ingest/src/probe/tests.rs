//! Nodes that can do everything, and nodes that lack something.

use super::*;
use crate::testing::chain::{Chain, WATCHED};
use crate::testing::node::{Failure, Node};
use crate::testing::{config, endpoint};
use cost::Work;
use serde_json::Value;
use std::sync::Arc;

fn filter() -> Filter {
    Filter { addresses: vec![WATCHED], start_block: 1, ..Filter::default() }
}

async fn probed(nodes: &[Arc<Node>]) -> ProbeReport {
    let config = config();
    let endpoints: Vec<Endpoint> =
        nodes.iter().zip(["a", "b", "c"]).map(|(node, name)| endpoint(&config, node, name)).collect();
    probe_all(&config, &filter(), &endpoints).await
}

#[tokio::test(start_paused = true)]
async fn a_full_node_is_reported_with_everything_it_can_do() {
    let mut chain = Chain::of(300);
    chain.finalized = 290;
    let report = probed(&[Node::with(chain)]).await;
    let [seen] = report.endpoints.as_slice() else { panic!("{report:?}") };
    assert_eq!(
        (seen.failure.clone(), seen.serves, seen.head, seen.finalized),
        (None, Some(1337), Some(300), Some(290))
    );
    assert_eq!((seen.block_receipts, seen.batch, seen.history_from), (Some(true), 100, Some(1)));
    let calls: Vec<_> = report.costs.iter().map(|cost| (cost.level.as_str(), cost.calls)).collect();
    // Every block carries logs: one header each; at `receipts` its receipts and its body besides. One call of logs.
    assert_eq!(calls, [("off", 291), ("present", 291), ("bloom", 291), ("receipts", 871)]);
    assert!(report.costs.windows(2).all(|pair| pair[0].bytes <= pair[1].bytes), "{:?}", report.costs);
}

#[tokio::test(start_paused = true)]
async fn what_a_node_lacks_is_reported() {
    let pruned = Node::with(Chain::of(300));
    pruned.alter("eth_getBlockReceipts", |params, receipts| {
        if u64::from_str_radix(params[0].as_str().unwrap().trim_start_matches("0x"), 16).unwrap() < 173 {
            *receipts = Value::Null;
        }
    });
    let old = Node::with(Chain::of(300));
    old.trick(|method, _, answer| match method {
        "eth_getBlockReceipts" => Err(Failure::Says(-32601, "Method not found".into())),
        _ => answer,
    });
    let wrong = Node::with(Chain::of(1));
    wrong.serves(5);
    let report = probed(&[pruned, old, wrong]).await;
    let seen: Vec<_> = report
        .endpoints
        .iter()
        .map(|seen| (seen.history_from, seen.block_receipts, seen.failure.as_deref()))
        .collect();
    let expected =
        [(Some(173), Some(true), None), (Some(1), Some(false), None), (None, None, Some("serves chain 5"))];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_there_is_part_of_the_report() {
    let gone = Node::with(Chain::of(3));
    gone.trick(|_, _, _| Err(Failure::Breaks(RpcError::Transient("connection refused".into()))));
    let report = probed(&[gone, Node::with(Chain::of(3))]).await;
    assert_eq!(report.endpoints[0].failure.as_deref(), Some("connection refused"));
    assert_eq!((report.endpoints[1].failure.clone(), report.costs.len()), (None, 4));
}

/// The arithmetic of mainnet: one contract, a bloom that speaks of it falsely in 19 % of the blocks.
#[test]
fn each_level_costs_what_it_reads() {
    let measured = Measured {
        blocks: 1_000_000.0,
        span: 10_000.0,
        carrying: 0.01,
        matching: 0.20,
        logs: Work { bytes: 1e6, secs: 1.0 },
        header: Work { bytes: 1e4, secs: 0.001 },
        receipts: Work { bytes: 5e5, secs: 0.1 },
        body: Work { bytes: 2e5, secs: 0.05 },
    };
    let cost = |level, sample| measured.cost(level, sample, 4);
    assert_eq!(cost(VerificationLevel::Present, 0).calls, 100 + 10_000 + 200);
    let sampled = cost(VerificationLevel::Present, 1_000);
    assert_eq!(sampled.calls, 100 + 10_200 + 1_000 + 200 + 200);
    let bloom = cost(VerificationLevel::Bloom, 0);
    assert_eq!(
        (bloom.calls, bloom.bytes),
        (100 + 1_000_000 + 190_000, 100_000_000 + 10_000_000_000 + 95_000_000_000)
    );
    let receipts = cost(VerificationLevel::Receipts, 0);
    assert_eq!(receipts.calls, 100 + 1_000_000 + 200_000 + 200_000);
    let secs = 100.0 + 1_000.0 + 20_000.0 + 10_000.0;
    assert!((receipts.hours - secs / 4.0 / 3_600.0).abs() < 1e-9, "{}", receipts.hours);
}

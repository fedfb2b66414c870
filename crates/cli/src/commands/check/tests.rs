//! What is said of nodes.

use super::{Sheet, bytes, nodes};
use crate::config::chains::{Chain, ingest_defaults};
use ingest::probe::{EndpointReport, LevelCost, ProbeReport};
use model::chain::ChainId;
use model::segment::VerificationLevel;

fn endpoint(name: &str) -> EndpointReport {
    EndpointReport {
        name: name.to_owned(),
        failure: None,
        serves: Some(1),
        head: Some(120),
        finalized: Some(100),
        block_receipts: Some(true),
        batch: 100,
        history_from: Some(0),
        latency_ms: Some(3),
    }
}

fn sheet(endpoints: Vec<EndpointReport>, costs: Vec<LevelCost>) -> Sheet {
    let chain = Chain { name: "ethereum".to_owned(), ingest: ingest_defaults(ChainId(1), Vec::new()) };
    let mut sheet = Sheet::default();
    nodes(&mut sheet, &chain, &ProbeReport { chain: ChainId(1), endpoints, costs });
    sheet
}

#[test]
fn a_node_that_can_be_read_is_told_with_the_cost_of_each_level() {
    let cost = |level, calls, bytes, hours| LevelCost { level, calls, bytes, hours };
    let costs = vec![
        cost(VerificationLevel::Off, 12, 34_000, 0.01),
        cost(VerificationLevel::Present, 120, 5_600_000, 1.5),
    ];
    let sheet = sheet(vec![endpoint("own")], costs);
    assert!(!sheet.failed);
    assert_eq!(
        sheet.text,
        "\
ok    chain ethereum, endpoint own: chain id 1, head 120, finalized 100, history from 0, 100 calls in a batch, 3 ms a call
      level          calls       bytes    hours   (from start_block to the last final block)
      off               12     34.0 KB     0.01
      present          120      5.6 MB     1.50  <- configured for backfill
"
    );
}

#[test]
fn what_a_node_lacks_is_told_with_what_to_do() {
    let lacking = EndpointReport {
        finalized: None,
        block_receipts: Some(false),
        history_from: Some(90),
        ..endpoint("pruned")
    };
    let dead = EndpointReport { failure: Some("refused".to_owned()), ..endpoint("dead") };
    let sheet = sheet(vec![lacking, dead], Vec::new());
    assert!(sheet.failed);
    let lines: Vec<_> = sheet.text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "FAIL  chain ethereum, endpoint pruned: the history from block 0 is not there; it needs an archive node",
            "FAIL  chain ethereum, endpoint pruned: no block is tagged finalized; set finality = { confirmations = 64 }",
            "warn  chain ethereum, endpoint pruned: eth_getBlockReceipts is not known; each receipt is asked for on its own, which is slow",
            "FAIL  chain ethereum, endpoint dead: refused",
            "FAIL  chain ethereum: no endpoint can be read",
        ]
    );
}

#[test]
fn bytes_are_told_in_the_unit_that_fits() {
    assert_eq!([bytes(999), bytes(1_000), bytes(1_500_000_000)], ["999 B", "1.0 KB", "1.5 GB"]);
}

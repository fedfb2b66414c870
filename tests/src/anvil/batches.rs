//! ERC-1155: what a contract of OpenZeppelin's make logs, and what one that lies about its lists would.

use super::raw::{RawLog, number, topic0, word, write, writer};
use crate::cast::Cast;
use crate::deployment::{Deployment, watched};
use crate::lines::assert_lines;
use crate::node::Node;
use alloy_primitives::B256;

/// Position in the log's batch, lot, from, to, packs.
const MOVES: &str = "SELECT kind, sub_index, token_id, from_address, to_address, quantity FROM events
    ORDER BY block_number, log_index, sub_index";

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_of_a_batch_is_one_event() {
    let node = Node::start().await;
    let cast = Cast::on(&node);
    let (maker, shop) = (cast.address("maker"), cast.address("pharmacy").to_string());
    let lots = node.deploy("Lots", cast.address("admin"), &[]).await;
    let from = maker.to_string();
    let block = node
        .next_block([
            lots.call(maker, "make", &["7", "100"]),
            lots.call(maker, "makeMany", &["[8, 9, 8]", "[10, 0, 5]"]),
            lots.call(maker, "makeMany", &["[]", "[]"]),
            lots.call(maker, "makeMany", &["[11]", "[1]"]),
            lots.call(maker, "safeTransferFrom", &[&from, &shop, "7", "40", "0x"]),
            lots.call(maker, "safeBatchTransferFrom", &[&from, &shop, "[7, 8]", "[1, 2]", "0x00ff"]),
            lots.call(maker, "use", &["7", "3"]),
        ])
        .await;
    let mut indexer =
        Deployment::of(node.url(), vec![watched("lots", Some(lots.address), "erc1155-lot")]).start();
    indexer.until(block).await;
    let expected = [
        "transfer_quantity|0|7|zero|maker|100",
        "transfer_quantity|0|8|zero|maker|10",
        "transfer_quantity|1|9|zero|maker|0",
        "transfer_quantity|2|8|zero|maker|5",
        "other|0||zero|maker|0",
        "transfer_quantity|0|11|zero|maker|1",
        "transfer_quantity|0|7|maker|pharmacy|40",
        "transfer_quantity|0|7|maker|pharmacy|1",
        "transfer_quantity|1|8|maker|pharmacy|2",
        "transfer_quantity|0|7|maker|zero|3",
    ];
    assert_lines("events", &told(&cast, indexer.rows(MOVES).await), &expected);
    assert_lines("dead letters", &indexer.rows("SELECT * FROM dead_letters").await, &[""; 0]);
    indexer.stop().await;
}

fn told(cast: &Cast, lines: Vec<String>) -> Vec<String> {
    let zero = format!("{:#x}", alloy_primitives::Address::ZERO);
    lines.iter().map(|line| cast.told(line, &[]).replace(&zero, "zero")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_lies_is_one_dead_letter_and_costs_nothing() {
    let (node, cast, raw) = writer().await;
    let party = |name: &str| word(cast.address(name));
    let batch = |words: &[B256]| {
        let topic = topic0("TransferBatch(address,address,address,uint256[],uint256[])");
        RawLog::new(&[topic, party("admin"), party("maker"), party("pharmacy")], words)
    };
    let n = number;
    let huge = B256::repeat_byte(0xff);
    // As it should be: offsets of ids and amounts, two ids, two amounts.
    let right = batch(&[n(64), n(160), n(2), n(7), n(8), n(2), n(40), n(1)]);
    let repeated = batch(&[n(64), n(160), n(2), n(7), n(7), n(2), n(40), n(1)]);
    let mut cut = right.clone();
    cut.data.truncate(255);
    let logs = [
        right,
        repeated,
        batch(&[n(64), n(160), n(2), n(7), n(8), n(1), n(40)]),
        batch(&[n(64), n(64), n(1), n(7)]),
        batch(&[n(0), n(0)]),
        batch(&[n(64), n(1 << 40), n(1), n(7)]),
        batch(&[huge, huge]),
        batch(&[n(64), n(96), huge, n(0)]),
        batch(&[n(64), n(96), n(1 << 32), n(0)]),
        batch(&[n(64), n(96), n(65_536), n(0)]),
        batch(&[n(64)]),
        cut,
        batch(&[]),
    ];
    let block = node.next_block([write(&raw, cast.address("thief"), &logs)]).await;
    let mut indexer =
        Deployment::of(node.url(), vec![watched("raw", Some(raw.address), "erc1155-lot")]).start();
    indexer.until(block).await;
    let moves = indexer
        .rows("SELECT log_index, sub_index, token_id, quantity FROM events ORDER BY log_index, sub_index");
    assert_lines("events", &moves.await, &["0|0|7|40", "0|1|8|1", "1|0|7|40", "1|1|7|1"]);
    let reasons = [
        "2|length_mismatch",
        "3|bad_offset",
        "4|bad_offset",
        "5|bad_offset",
        "6|bad_offset",
        "7|huge_claim",
        "8|huge_claim",
        "9|bad_length",
        "10|short_data",
        "11|bad_length",
        "12|short_data",
    ];
    let letters = indexer.rows("SELECT log_index, reason FROM dead_letters ORDER BY log_index").await;
    assert_lines("dead letters", &letters, &reasons);
    indexer.stop().await;
}

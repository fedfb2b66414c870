//! The Transfer of ERC-721 in the three layouts that stand on chains: every log is accounted for, as an event or as a
//! dead letter with its reason.

use super::raw::{RawLog, number, topic0, word, write, writer};
use crate::deployment::{Deployment, Indexer, watched};
use crate::lines::assert_lines;
use alloy_primitives::{Address, B256};

const TRANSFER: &str = "Transfer(address,address,uint256)";

/// Where each log of the chain ended.
const ACCOUNTED: &str =
    "SELECT l.log_index, count(DISTINCT e.log_index) AS events, count(DISTINCT d.log_index) AS dead
    FROM logs l LEFT JOIN events e ON e.block_number = l.block_number AND e.log_index = l.log_index
    LEFT JOIN dead_letters d ON d.block_number = l.block_number AND d.log_index = l.log_index
    GROUP BY l.block_number, l.log_index ORDER BY l.block_number, l.log_index";

/// Ten mints each: as the standard has it, with all in the data, with the token in the data.
fn thirty(to: Address) -> Vec<RawLog> {
    let (topic, zero, to) = (topic0(TRANSFER), B256::ZERO, word(to));
    let standard = (0..10).map(|token| RawLog::new(&[topic, zero, to, number(token)], &[]));
    let all_in_data = (10..20).map(|token| RawLog::new(&[topic], &[zero, to, number(token)]));
    let token_in_data = (20..30).map(|token| RawLog::new(&[topic, zero, to], &[number(token)]));
    standard.chain(all_in_data).chain(token_in_data).collect()
}

async fn assert_each_is_accounted_for(indexer: &Indexer, events: usize, dead: usize) {
    let accounted = indexer.rows(ACCOUNTED).await;
    let as_events = accounted.iter().filter(|line| line.ends_with("|1|0")).count();
    let as_dead = accounted.iter().filter(|line| line.ends_with("|0|1")).count();
    println!("transfers: {} logs, {as_events} events, {as_dead} dead letters", accounted.len());
    assert_eq!((accounted.len(), as_events, as_dead), (events + dead, events, dead));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_of_thirty_transfers_of_a_named_contract_are_events() {
    let (node, cast, raw) = writer().await;
    let holder = cast.address("passer_by");
    let block = node.next_block([write(&raw, cast.address("thief"), &thirty(holder))]).await;
    let contracts = vec![watched("raw", Some(raw.address), "erc721")];
    let mut indexer = Deployment::of(node.url(), contracts).start();
    indexer.until(block).await;
    assert_each_is_accounted_for(&indexer, 30, 0).await;
    let told = indexer.rows("SELECT kind, token_id, to_address, legal FROM events ORDER BY log_index").await;
    let expected: Vec<String> =
        (0..30).map(|token| format!("commissioning|{token}|{holder:#x}|true")).collect();
    assert_lines("events", &told, &expected);
    let owned = indexer.rows("SELECT token_id FROM tokens ORDER BY CAST(token_id AS BIGINT)").await;
    assert_lines("tokens", &owned, &Vec::from_iter((0..30).map(|token| token.to_string())));
    indexer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_contract_that_nobody_named_two_layouts_may_be_money_and_are_dead_letters() {
    let (node, cast, raw) = writer().await;
    let logs = thirty(cast.address("passer_by"));
    let block = node.next_block([write(&raw, cast.address("thief"), &logs)]).await;
    let mut indexer = Deployment::of(node.url(), vec![watched("any", None, "erc721")]).start();
    indexer.until(block).await;
    assert_each_is_accounted_for(&indexer, 10, 20).await;
    let reasons = "SELECT reason, min(log_index), max(log_index), count(*) FROM dead_letters GROUP BY reason";
    assert_lines("dead letters", &indexer.rows(reasons).await, &["ambiguous_layout|10|29|20"]);
    indexer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_transfer_is_a_dead_letter_with_its_reason() {
    let (node, cast, raw) = writer().await;
    let (topic, zero, to) = (topic0(TRANSFER), B256::ZERO, word(cast.address("passer_by")));
    let dirty = B256::repeat_byte(0xff);
    let logs = [
        RawLog::new(&[], &[to]),
        RawLog::new(&[], &[]),
        RawLog::new(&[topic0("Nonsense()")], &[]),
        RawLog::new(&[topic, zero, dirty, number(1)], &[]),
        RawLog::new(&[topic, zero], &[to, number(1)]),
        RawLog::new(&[topic], &[zero, to]),
        RawLog::new(&[topic], &[zero, to, number(1), number(2)]),
        RawLog::new(&[topic], &[zero, dirty, number(1)]),
        RawLog { topics: vec![topic, zero, to], data: vec![1; 31] },
        // More data behind a whole transfer is met in the wild: it is the same transfer.
        RawLog::new(&[topic, zero, to, number(9)], &[number(5)]),
    ];
    let block = node.next_block([write(&raw, cast.address("thief"), &logs)]).await;
    let mut indexer = Deployment::of(node.url(), vec![watched("raw", Some(raw.address), "erc721")]).start();
    indexer.until(block).await;
    assert_each_is_accounted_for(&indexer, 1, 9).await;
    let reasons = [
        "0|no_topics",
        "1|no_topics",
        "2|unknown_event",
        "3|dirty_padding",
        "4|topic_count",
        "5|short_data",
        "6|bad_length",
        "7|dirty_padding",
        "8|short_data",
    ];
    let told = indexer.rows("SELECT log_index, reason FROM dead_letters ORDER BY log_index").await;
    assert_lines("dead letters", &told, &reasons);
    let unsaid = indexer.rows("SELECT log_index FROM dead_letters WHERE detail = ''").await;
    assert_lines("dead letters without a sentence", &unsaid, &[""; 0]);
    indexer.stop().await;
}

//! Nodes that lie, fail, lag and refuse, and what the pool makes of them.

use super::*;
use crate::filter::Filter;
use crate::source::{ChainSource, ReadRequest, Sample};
use crate::testing::chain::{Chain, WATCHED, log, log_of, quantity};
use crate::testing::node::{Failure, Node};
use crate::testing::{config, in_time, pool, told};
use VerificationLevel::{Bloom, Off, Present, Receipts};
use alloy_primitives::{Address, B256, Bytes};
use model::chain::BlockRef;
use model::segment::{Finality, LogsView, Segment};
use serde_json::{Value, json};

mod empty;
mod endpoints;
mod lies;

const LEVELS: [VerificationLevel; 4] = [Off, Present, Bloom, Receipts];

fn filter() -> Filter {
    Filter { addresses: vec![WATCHED], ..Filter::default() }
}

fn request(level: VerificationLevel, first: u64, last: u64, filter: &Filter) -> ReadRequest {
    let (sample, query) = (Sample::default(), Arc::new(filter.query([])));
    ReadRequest { first, last, parent: None, finality: Finality::Final, level, sample, query }
}

fn data(segment: &Segment) -> Vec<(u64, Bytes)> {
    let view = LogsView::new(&segment.logs).unwrap();
    view.iter().map(|log| (log.block_number, Bytes::copy_from_slice(log.data))).collect()
}

fn items(items: std::ops::RangeInclusive<u64>) -> Vec<(u64, Bytes)> {
    items.map(|number| (number, Bytes::from(number.to_be_bytes().to_vec()))).collect()
}

/// Blocks 1 to 10 with a log each in two transactions' company, block 11 without.
fn chain() -> Chain {
    let mut chain = Chain::new();
    for number in 1..=10 {
        chain.mine(&[vec![log_of(Address::repeat_byte(1), 0)], vec![log(number)]]);
    }
    chain.mine(&[]);
    chain
}

/// Changes the entry of block 5 in each answer to `method`, a list or one block.
fn about_block_5(node: &Node, method: &'static str, change: fn(&mut Value)) {
    node.alter(method, move |_, answer| {
        let is_5 = |value: &Value| value["blockNumber"] == "0x5" || value["number"] == "0x5";
        match answer {
            Value::Array(entries) => entries.iter_mut().filter(|entry| is_5(entry)).for_each(change),
            block if is_5(block) => change(block),
            _ => {}
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_range_is_read_whole_at_every_level() {
    for level in LEVELS {
        let node = Node::with(chain());
        let (pool, incidents) = pool(&config(), &[Arc::clone(&node)]);
        let segment = pool.read(request(level, 2, 11, &filter())).await.unwrap();
        let truth = node.chain();
        assert_eq!(data(&segment), items(2..=10), "{level:?}");
        assert_eq!((segment.first_number, segment.parent_hash), (2, truth.block(1).unwrap().hash));
        assert_eq!((segment.last, segment.level), (truth.block_ref(11), level));
        assert_eq!(
            segment.blocks.iter().map(|meta| meta.block).collect::<Vec<_>>(),
            (2..=10).map(|n| truth.block_ref(n)).collect::<Vec<_>>()
        );
        assert_eq!(told(&incidents), []);
    }
}

#[tokio::test(start_paused = true)]
async fn senders_and_inputs_are_carried_at_every_level() {
    for level in LEVELS {
        let node = Node::with(chain());
        let (pool, _) = pool(&config(), &[Arc::clone(&node)]);
        let carrying = Filter { carry_sender: true, ..filter() };
        let segment = pool.read(request(level, 1, 11, &carrying)).await.unwrap();
        let view = LogsView::new(&segment.logs).unwrap();
        let truth = node.chain().clone();
        let mut last = None;
        for log in view.iter() {
            let is_first = last.replace(log.tx_hash) != Some(log.tx_hash);
            let transaction = &truth.block(log.block_number).unwrap().transactions[1];
            assert_eq!(log.sender, transaction.sender().ok(), "{level:?}");
            assert_eq!(log.input, is_first.then_some(transaction.input().as_ref()));
            assert_eq!(log.tx_hash, transaction.hash());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sampled_block_is_proved_whatever_the_level() {
    for sampled in [false, true] {
        let (liar, honest) = (Node::with(chain()), Node::with(chain()));
        about_block_5(&liar, "eth_getLogs", |log| log["data"] = json!("0xbad0"));
        let (pool, incidents) = pool(&config(), &[liar, honest]);
        let sample = Sample { one_in: sampled.into(), seed: 0 };
        let read = pool.read(ReadRequest { sample, ..request(Present, 1, 11, &filter()) }).await.unwrap();
        assert_eq!(data(&read) == items(1..=10), sampled);
        assert_eq!(told(&incidents).len(), usize::from(sampled));
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_of_many_ranges_is_read_by_what_the_endpoint_takes() {
    let node = Node::with(Chain::of(100));
    node.trick(|method, params, answer| {
        let bound = |key: &str| {
            u64::from_str_radix(params[0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
        };
        if method == "eth_getLogs" && bound("toBlock") - bound("fromBlock") >= 10 {
            return Err(Failure::Says(-32000, "block range is too wide (maximum 10)".into()));
        }
        answer
    });
    let (pool, incidents) = pool(&config(), &[Arc::clone(&node)]);
    let segment = pool.read(request(Present, 1, 100, &filter())).await.unwrap();
    assert_eq!(data(&segment), items(1..=100));
    assert_eq!((node.asked("eth_getLogs"), pool.span(Present)), (11, 10));
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn one_block_that_is_too_much_for_one_answer_is_read_from_its_receipts() {
    let node = Node::with(chain());
    node.trick(|method, params, answer| match method {
        "eth_getLogs"
            if params[0]["fromBlock"] != params[0]["toBlock"] || params[0]["fromBlock"] == "0x5" =>
        {
            Err(Failure::Says(-32005, "query returned more than 10000 results".into()))
        }
        _ => answer,
    });
    let (pool, incidents) = pool(&config(), &[node]);
    let segment = pool.read(request(Present, 1, 11, &filter())).await.unwrap();
    assert_eq!(data(&segment), items(1..=10));
    assert_eq!(told(&incidents), []);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_logs_shrinks_the_range() {
    let node = Node::with(Chain::of(100));
    node.trick(|method, params, answer| match method {
        "eth_getLogs" if params[0]["fromBlock"] == "0x1" && params[0]["toBlock"] == "0x64" => {
            Err(Failure::Breaks(RpcError::Timeout("no answer".into())))
        }
        _ => answer,
    });
    let (pool, _) = pool(&config(), &[node]);
    assert_eq!(data(&pool.read(request(Present, 1, 100, &filter())).await.unwrap()), items(1..=100));
}

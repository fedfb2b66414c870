//! The hot path of backfill: an answer of `eth_getLogs` into columns.
//!
//! Reported per log; the aim is at least 400,000 logs a second on one core.

#![allow(clippy::expect_used, missing_docs, reason = "a bench stops where its own setup fails")]

use alloy_primitives::{Address, B256};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::filter::Filter;
use ingest::rpc::logs;
use std::fmt::Write;
use std::hint::black_box;

const LOGS: u64 = 10_000;
const LOGS_PER_BLOCK: u64 = 50;
const CONTRACT: Address = Address::repeat_byte(0xc0);

/// ERC-721 transfers as geth writes them: four topics, no data.
fn transfers() -> String {
    let event = B256::repeat_byte(0xdd);
    let mut json = String::from("[");
    for log in 0..LOGS {
        let (block, index) = (log / LOGS_PER_BLOCK, log % LOGS_PER_BLOCK);
        let (hash, tx) =
            (B256::left_padding_from(&block.to_be_bytes()), B256::left_padding_from(&log.to_be_bytes()));
        let [from, to, item] = [log % 97, log % 89, log].map(|n| B256::left_padding_from(&n.to_be_bytes()));
        let comma = if log == 0 { "" } else { "," };
        write!(
            json,
            r#"{comma}{{"address":"{CONTRACT:?}","topics":["{event}","{from}","{to}","{item}"],"data":"0x","blockNumber":"{block:#x}","transactionHash":"{tx}","transactionIndex":"{index:#x}","blockHash":"{hash}","blockTimestamp":"0x65f0a000","logIndex":"{index:#x}","removed":false}}"#,
        )
        .expect("text takes text");
    }
    json.push(']');
    json
}

fn parse_logs(criterion: &mut Criterion) {
    let json = transfers();
    let query = Filter { addresses: vec![CONTRACT], ..Filter::default() }.query([]);
    let mut group = criterion.benchmark_group("eth_getLogs");
    group.throughput(Throughput::Elements(LOGS));
    group.bench_function("10,000 transfers into columns", |bencher| {
        bencher
            .iter(|| logs::parse(black_box(&json), 0, LOGS / LOGS_PER_BLOCK, &query).expect("honest logs"));
    });
    group.finish();
}

criterion_group!(benches, parse_logs);
criterion_main!(benches);

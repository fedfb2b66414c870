//! How many logs a core decodes in a second, by kind of log.
//!
//! To reach on one core: 3 million plain transfers, 1 million events of the reference contract.
#![allow(clippy::expect_used, reason = "a bench stops at the first thing that is not as it should be")]

use alloy_dyn_abi::{DynSolValue, Specifier};
use alloy_json_abi::Event;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract, segment};
use model::chain::{BlockRef, ChainId};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use model::{Address, B256};
use std::hint::black_box;
use std::sync::Arc;

/// Logs of one segment: about as many as a busy block of a fast chain.
const LOGS: usize = 4_096;

const CHAIN: ChainId = ChainId(1);
const CONTRACT: Address = Address::repeat_byte(0xcc);

fn main_benches(criterion: &mut Criterion) {
    let address = |byte: u8| Address::repeat_byte(byte).to_string();
    let (one, two, nine) = (address(1), address(2), address(9));
    let transfer = "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)";
    let shipped = "Shipped(uint256 indexed tokenId, address indexed from, address indexed to, uint64 at)";
    let received = "Received(uint256 indexed tokenId, address indexed by, uint64 at, string gln)";
    let commissioned = "Commissioned(uint256 indexed tokenId, address indexed maker, string gtin, string serial, \
                        string lot, uint32 expiry, uint64 at)";
    let batch = "TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, \
                 uint256[] values)";
    let at = "1700000000";
    let fifty = format!("[{}]", (0..50).map(|id| id.to_string()).collect::<Vec<_>>().join(","));
    let pack = [
        log(transfer, &[&one, &two, "7"]),
        log(commissioned, &["7", &one, "10614141073464", "S-1", "L7", "20271231", at]),
        log(shipped, &["7", &one, &two, at]),
        log(received, &["7", &two, at, "0614141073467"]),
    ];
    let mut broken = log(commissioned, &["7", &one, "10614141073464", "S-1", "L7", "20271231", at]);
    broken.1[0] = 1;
    measure(criterion, "transfer", "erc721", &[log(transfer, &[&one, &two, "7"])], 1);
    measure(criterion, "shipped", "gs1-pack", &[log(shipped, &["7", &one, &two, at])], 1);
    measure(criterion, "commissioned", "gs1-pack", &pack[1..2], 1);
    measure(criterion, "pack-story", "gs1-pack", &pack, 1);
    measure(criterion, "batch-of-50", "erc1155-lot", &[log(batch, &[&nine, &one, &two, &fifty, &fifty])], 50);
    measure(criterion, "dead-letter", "gs1-pack", &[broken], 1);
}

/// Decodes a segment in which `logs` repeat.
fn measure(criterion: &mut Criterion, name: &str, profile: &str, logs: &[Encoded], events_per_log: usize) {
    let profile = Arc::new(builtin(profile).expect("a profile that ships"));
    let contract = WatchedContract {
        name: "contract".into(),
        chain: CHAIN,
        address: Some(CONTRACT),
        profile,
        family: None,
        from_block: 0,
    };
    let profiles = Profiles::new(vec![contract]).expect("one contract");
    let segment_of_logs = segment_of(logs, LOGS / events_per_log);
    let events = LOGS / events_per_log * events_per_log;
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::try_from(events).expect("small")));
    group.bench_function(name, |bencher| {
        bencher.iter(|| segment(&profiles, CHAIN, black_box(&segment_of_logs)));
    });
    group.finish();
}

type Encoded = (Vec<B256>, Vec<u8>);

fn log(signature: &str, values: &[&str]) -> Encoded {
    let event = Event::parse(signature).expect("a signature");
    let (mut topics, mut data) = (vec![event.selector()], Vec::new());
    for (param, text) in event.inputs.iter().zip(values) {
        let value = param.resolve().expect("a type").coerce_str(text).expect("a value");
        if param.indexed { topics.push(value.encode_topic()) } else { data.push(value) }
    }
    (topics, DynSolValue::Tuple(data).abi_encode_params())
}

fn segment_of(logs: &[Encoded], count: usize) -> Segment {
    let mut builder = LogsBuilder::with_capacity(count);
    for (index, (topics, data)) in logs.iter().cycle().take(count).enumerate() {
        let mut raw = RawLog {
            block_number: 1,
            log_index: u32::try_from(index).expect("small"),
            tx_index: 0,
            tx_hash: B256::ZERO,
            contract: CONTRACT,
            topics: [None; 4],
            data,
            sender: Some(Address::ZERO),
            input: None,
        };
        for (slot, topic) in raw.topics.iter_mut().zip(topics) {
            *slot = Some(*topic);
        }
        builder.push(&raw).expect("right widths");
    }
    let block = BlockRef { number: 1, hash: B256::ZERO };
    Segment {
        first_number: 1,
        parent_hash: B256::ZERO,
        last: block,
        last_time_secs: 1_700_000_000,
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: vec![BlockMeta { block, parent_hash: B256::ZERO, time_secs: 1_700_000_000 }],
        logs: builder.finish().expect("equal lengths"),
        incidents: Vec::new(),
    }
}

criterion_group!(benches, main_benches);
criterion_main!(benches);

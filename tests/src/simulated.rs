//! The simulator's chain as changes for the core, read from the node's own answers without sockets or ingest.

use alloy_primitives::{Address, B256, Bytes};
use custody::Setup;
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Epoch, RegistryVersion};
use model::registry::Registry;
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use serde_json::{Value, json};
use simulator::{Endpoint, Simulator};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Blocks in one segment.
const SEGMENT_BLOCKS: u64 = 500;

fn ask(node: &Endpoint, method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer: Value = serde_json::from_slice(&node.answer(request.to_string().as_bytes())).unwrap();
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn hash(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

/// The head of one block.
pub fn block(node: &Endpoint, height: u64) -> BlockMeta {
    let block = ask(node, "eth_getBlockByNumber", json!([format!("{height:#x}"), false]));
    BlockMeta {
        block: BlockRef { number: height, hash: hash(&block["hash"]) },
        parent_hash: hash(&block["parentHash"]),
        time_secs: number(&block["timestamp"]),
    }
}

/// Blocks `first ..= last` as the node tells them, as one final segment.
fn segment(node: &Endpoint, first: u64, last: u64) -> Segment {
    let blocks: Vec<BlockMeta> = (first..=last).map(|height| block(node, height)).collect();
    let range = json!([{"fromBlock": format!("{first:#x}"), "toBlock": format!("{last:#x}")}]);
    let logs = ask(node, "eth_getLogs", range);
    let mut builder = LogsBuilder::default();
    let mut with_logs = BTreeSet::new();
    for log in logs.as_array().unwrap() {
        let mut topics = [None; 4];
        for (slot, topic) in topics.iter_mut().zip(log["topics"].as_array().unwrap()) {
            *slot = Some(hash(topic));
        }
        let data: Bytes = log["data"].as_str().unwrap().parse().unwrap();
        let block_number = number(&log["blockNumber"]);
        with_logs.insert(block_number);
        let row = RawLog {
            block_number,
            log_index: number(&log["logIndex"]) as u32,
            tx_index: number(&log["transactionIndex"]) as u32,
            tx_hash: hash(&log["transactionHash"]),
            contract: log["address"].as_str().unwrap().parse::<Address>().unwrap(),
            topics,
            data: &data,
            sender: None,
            input: None,
        };
        builder.push(&row).unwrap();
    }
    let newest = blocks.last().unwrap();
    Segment {
        first_number: first,
        parent_hash: blocks[0].parent_hash,
        last: newest.block,
        last_time_secs: newest.time_secs,
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: blocks.iter().filter(|block| with_logs.contains(&block.block.number)).copied().collect(),
        logs: builder.finish().unwrap(),
        incidents: Vec::new(),
    }
}

/// How the simulator's contracts are read: by address, and the profile of packs on any contract.
pub fn setup(simulator: &Simulator) -> Setup {
    let mut watched: Vec<WatchedContract> = simulator
        .contracts()
        .iter()
        .map(|contract| WatchedContract {
            name: contract.name.to_owned(),
            chain: contract.chain,
            address: Some(contract.address),
            profile: Arc::new(builtin(contract.profile).unwrap()),
            family: None,
            from_block: 0,
        })
        .collect();
    let chains: BTreeSet<ChainId> = watched.iter().map(|contract| contract.chain).collect();
    watched.extend(chains.into_iter().map(|chain| WatchedContract {
        name: "anyone".to_owned(),
        chain,
        address: None,
        profile: Arc::new(builtin("gs1-pack").unwrap()),
        family: None,
        from_block: 0,
    }));
    Setup { profiles: Arc::new(Profiles::new(watched).unwrap()), parameters: Parameters::default() }
}

/// Everything that the node holds, from the opening of the stream on.
pub fn changes(node: &Endpoint, registry: Arc<Registry>) -> Vec<Change> {
    let version = RegistryVersion { version: 1, after: None, rows: registry };
    let mut changes = vec![Change::Open(Epoch(1)), Change::Registry(Arc::new(version))];
    let mut first = 0;
    while first <= node.head() {
        let last = node.head().min(first + SEGMENT_BLOCKS - 1);
        changes.push(Change::Append(Arc::new(segment(node, first, last))));
        first = last + 1;
    }
    changes
}

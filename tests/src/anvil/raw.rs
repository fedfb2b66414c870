//! Logs of any shape, written by contract `RawLogs` in one transaction.

use crate::cast::Cast;
use crate::node::{Call, Contract, Node};
use alloy_primitives::{Address, B256, U256, hex, keccak256};

/// A log as it is to stand on the chain.
#[derive(Debug, Clone)]
pub(super) struct RawLog {
    pub(super) topics: Vec<B256>,
    pub(super) data: Vec<u8>,
}

/// First topic of an event.
pub(super) fn topic0(signature: &str) -> B256 {
    keccak256(signature)
}

/// A word that holds a number.
pub(super) fn number(value: u64) -> B256 {
    U256::from(value).into()
}

/// A word that holds an address.
pub(super) fn word(address: Address) -> B256 {
    address.into_word()
}

impl RawLog {
    /// A log of these topics, with words as data.
    pub(super) fn new(topics: &[B256], words: &[B256]) -> Self {
        Self { topics: topics.to_vec(), data: words.iter().flat_map(|word| word.0).collect() }
    }
}

/// A node with the contract on it.
pub(super) async fn writer() -> (Node, Cast, Contract) {
    let node = Node::start().await;
    let cast = Cast::on(&node);
    let raw = node.deploy("RawLogs", cast.address("admin"), &[]).await;
    (node, cast, raw)
}

/// The transaction that writes `logs`.
pub(super) fn write(raw: &Contract, from: Address, logs: &[RawLog]) -> Call {
    let log = |RawLog { topics, data }: &RawLog| {
        let topics: Vec<String> = topics.iter().map(B256::to_string).collect();
        format!("([{}],{})", topics.join(","), hex::encode_prefixed(data))
    };
    let logs: Vec<String> = logs.iter().map(log).collect();
    raw.call(from, "write", &[&format!("[{}]", logs.join(","))])
}

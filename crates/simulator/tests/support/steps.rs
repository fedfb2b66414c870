//! Steps of `gs1-pack` contracts, read from the logs that a node serves, by the words of the profile's events.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde_json::Value;
use std::collections::HashMap;

/// A token of a contract on a chain.
pub(crate) type Token = (u64, Address, U256);

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) token: Token,
    /// Who does it: the maker, the sender or whoever is named by it.
    pub(crate) actor: Address,
    /// To whom it goes, for shippings and returns.
    pub(crate) to: Address,
    /// The parent, for packing and unpacking.
    pub(crate) parent: Token,
    /// Declared time.
    pub(crate) at: i64,
    /// Units or reason.
    pub(crate) number: u64,
    pub(crate) texts: Vec<String>,
    pub(crate) tx: String,
    pub(crate) block_time: i64,
}

/// The profile's events, less Transfer, which moves no custody: argument kinds are `t`oken, `a`ddress, `p`arent, text
/// (`s`), time (`@`) and number (`n`); capital letters are indexed.
const EVENTS: [(&str, &str, &str); 17] = [
    ("Commissioned", "uint256,address,string,string,string,uint32,uint64", "TAsssn@"),
    ("UnitCommissioned", "uint256,address,string,uint64", "TAs@"),
    ("Shipped", "uint256,address,address,uint64", "TAA@"),
    ("Received", "uint256,address,uint64,string", "TA@s"),
    ("ShippingVoided", "uint256,address,uint64", "TA@"),
    ("Returned", "uint256,address,address,uint64", "TAA@"),
    ("Packed", "uint256,uint256,address,uint64", "TPA@"),
    ("Unpacked", "uint256,uint256,address,uint64", "TPA@"),
    ("Dispensed", "uint256,address,uint64,string", "TA@s"),
    ("PartlyDispensed", "uint256,address,uint256,uint64", "TAn@"),
    ("Decommissioned", "uint256,address,uint8,uint64", "TAn@"),
    ("Destroyed", "uint256,address,uint64", "TA@"),
    ("Reactivated", "uint256,address,uint64", "TA@"),
    ("Quarantined", "uint256,address,uint64", "TA@"),
    ("Inspected", "uint256,address,uint64", "TA@"),
    ("TheftReported", "uint256,address,uint64", "TA@"),
    ("TheftWithdrawn", "uint256,address,uint64", "TA@"),
];

/// The steps among logs of `contracts`, in order.
pub(crate) fn read(chain: u64, logs: &[Value], contracts: &[Address]) -> Vec<Step> {
    let by_topic: HashMap<B256, _> =
        EVENTS.iter().map(|event| (keccak256(format!("{}({})", event.0, event.1)), event)).collect();
    let known = logs.iter().filter_map(|log| {
        let contract: Address = log["address"].as_str()?.parse().ok()?;
        if !contracts.contains(&contract) {
            return None;
        }
        let topic: B256 = log["topics"][0].as_str()?.parse().ok()?;
        by_topic.get(&topic).map(|event| step(chain, log, event))
    });
    known.collect()
}

fn step(chain: u64, log: &Value, (name, _, kinds): &(&'static str, &str, &str)) -> Step {
    let contract: Address = log["address"].as_str().unwrap().parse().unwrap();
    let data: Bytes = log["data"].as_str().unwrap().parse().unwrap();
    let topics = log["topics"].as_array().unwrap();
    let none = (chain, contract, U256::ZERO);
    let mut step = Step {
        name,
        token: none,
        actor: Address::ZERO,
        to: Address::ZERO,
        parent: none,
        at: 0,
        number: 0,
        texts: Vec::new(),
        tx: log["transactionHash"].as_str().unwrap().to_owned(),
        block_time: i64::try_from(super::number(&log["blockTimestamp"])).unwrap(),
    };
    let (mut topic, mut word, mut addresses) = (1, 0, Vec::new());
    for kind in kinds.chars() {
        let value: U256 = if kind.is_ascii_uppercase() {
            topic += 1;
            topics[topic - 1].as_str().unwrap().parse().unwrap()
        } else {
            word += 1;
            U256::from_be_slice(&data[(word - 1) * 32..word * 32])
        };
        match kind {
            'T' => step.token.2 = value,
            'P' => step.parent.2 = value,
            'A' => addresses.push(Address::from_word(value.into())),
            's' => step.texts.push(text(&data, value)),
            '@' => step.at = value.to(),
            _ => step.number = value.to(),
        }
    }
    step.actor = addresses[0];
    step.to = addresses.get(1).copied().unwrap_or_default();
    step
}

fn text(data: &[u8], offset: U256) -> String {
    let offset: usize = offset.to();
    let length: usize = U256::from_be_slice(&data[offset..offset + 32]).to();
    String::from_utf8(data[offset + 32..offset + 32 + length].to_vec()).unwrap()
}

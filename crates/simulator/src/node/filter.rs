//! A filter of logs, matched on the logs' prepared text: their address and topics stand at known places.
//!
//! Source: execution-apis, schema `Filter`; the meaning of lists and nulls in topics as in Geth.

use crate::chain::render::{ADDRESS_AT, TOPIC_STRIDE, TOPICS_AT};
use crate::chain::seal::SealedBlock;
use crate::node::rpc::RpcError;
use alloy_primitives::{Address, B256, hex};
use evidence::bloom::Matcher;
use serde_json::Value;

/// Addresses in a filter at most; large nodes refuse more than a thousand, test suites use more.
const ADDRESSES_MAX: usize = 10_000;
/// Choices at one position of the topics at most.
const TOPICS_MAX: usize = 1_000;

/// Which logs are asked for.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Lower case hex, sorted; empty is any.
    addresses: Vec<[u8; 40]>,
    /// At each position lower case hex; empty is any.
    topics: Vec<Vec<[u8; 64]>>,
    bloom: Matcher,
}

impl Filter {
    /// Reads `address` and `topics` of a filter object.
    pub(crate) fn read(object: &Value) -> Result<Self, RpcError> {
        let addresses: Vec<Address> = choices(&object["address"], ADDRESSES_MAX)?;
        let positions = match &object["topics"] {
            Value::Null => &[],
            Value::Array(positions) if positions.len() <= 4 => positions.as_slice(),
            _ => return Err(RpcError::params("topics is a list of at most four")),
        };
        let topics = positions
            .iter()
            .map(|position| choices(position, TOPICS_MAX))
            .collect::<Result<Vec<Vec<B256>>, _>>()?;
        let bloom = Matcher::new(&addresses, &topics);
        let mut addresses: Vec<[u8; 40]> =
            addresses.iter().map(|address| digits(address.as_slice())).collect();
        addresses.sort_unstable();
        let digits_of = |position: Vec<B256>| position.iter().map(|topic| digits(topic.as_slice())).collect();
        Ok(Self { addresses, topics: topics.into_iter().map(digits_of).collect(), bloom })
    }

    /// Can a block hold a log that is asked for?
    pub(crate) fn might_match(&self, block: &SealedBlock) -> bool {
        block.log_count() > 0 && self.bloom.might_match(&block.header.logs_bloom)
    }

    /// Is the log of this text asked for?
    pub(crate) fn matches(&self, log: &[u8]) -> bool {
        let address = &log[ADDRESS_AT..ADDRESS_AT + 40];
        let by_address = self.addresses.is_empty()
            || self.addresses.binary_search_by(|wanted| wanted.as_slice().cmp(address)).is_ok();
        by_address && self.topics.iter().enumerate().all(|(place, wanted)| topic_matches(log, place, wanted))
    }
}

/// A position that is open still asks that there is a topic.
fn topic_matches(log: &[u8], place: usize, wanted: &[[u8; 64]]) -> bool {
    let at = TOPICS_AT + place * TOPIC_STRIDE;
    // The first topic's quotation mark, or the comma before a later one.
    let present = if place == 0 {
        log[at] == b'"'
    } else {
        log[at - 1] == b',' && log[at] == b'"' && log[at + 1] == b'0'
    };
    present && (wanted.is_empty() || wanted.iter().any(|topic| log[at + 3..at + 67] == *topic))
}

/// Null, one value, or a list of values.
fn choices<T: std::str::FromStr>(value: &Value, max: usize) -> Result<Vec<T>, RpcError> {
    let read = |value: &Value| {
        let text = value.as_str().filter(|text| text.starts_with("0x"));
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| RpcError::params("not a hex value of the right length"))
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) if list.len() > max => Err(RpcError::params("too many values in a filter")),
        Value::Array(list) => list.iter().map(read).collect(),
        one => Ok(vec![read(one)?]),
    }
}

fn digits<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [b'0'; N];
    // N is twice the length of what is passed: there is no error to meet.
    hex::encode_to_slice(bytes, &mut out).unwrap_or_default();
    out
}

//! The answer of `eth_getLogs`, straight into columns.
//!
//! This is the hot path of backfill: text is borrowed, hex goes from the body into the columns, and no value is
//! made per log. What a log says is checked against what was asked while it is read: a log from elsewhere, twice,
//! or out of order makes the whole answer bad.

use super::error::{RpcError, excerpt};
use super::hex;
use crate::filter::Query;
use alloy_primitives::{Address, B256};
use arrow_array::RecordBatch;
use model::segment::{LogsBuilder, RawLog};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The logs of a range in chain order, and the blocks that they are in.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSet {
    /// The logs as [`model::segment::logs_schema`], sender and input not yet known.
    pub logs: RecordBatch,
    /// The blocks that carry them, ascending.
    pub blocks: Vec<LogBlock>,
}

/// A block that carries logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBlock {
    /// Its number.
    pub number: u64,
    /// Its hash, as the node says.
    pub hash: B256,
    /// Row of its first log.
    pub first_row: usize,
    /// How many logs it carries.
    pub rows: usize,
}

/// Reads an answer to `eth_getLogs` over blocks `first ..= last`.
///
/// # Errors
/// [`RpcError::BadData`] when it cannot be read, or holds what was not asked for.
pub fn parse(json: &str, first: u64, last: u64, query: &Query) -> Result<LogSet, RpcError> {
    // A log takes 500 to 700 bytes of JSON.
    let mut reader = Reader::new(first, last, query, json.len() / 600);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = deserializer.deserialize_seq(LogsVisitor(&mut reader)).and_then(|()| deserializer.end());
    read.map_err(|error| {
        RpcError::malformed(excerpt(&format!("logs of blocks {first} to {last}: {error}")))
    })?;
    reader.finish()
}

/// The place of a log, for the order of the next one.
#[derive(Clone, Copy)]
struct Previous {
    block: u64,
    block_hash: B256,
    log_index: u32,
    tx_index: u32,
    tx_hash: B256,
}

struct Reader<'q> {
    first: u64,
    last: u64,
    query: &'q Query,
    builder: LogsBuilder,
    blocks: Vec<LogBlock>,
    previous: Option<Previous>,
    data: Vec<u8>,
    rows: usize,
}

impl<'q> Reader<'q> {
    fn new(first: u64, last: u64, query: &'q Query, rows: usize) -> Self {
        let builder = LogsBuilder::with_capacity(rows);
        Self { first, last, query, builder, blocks: Vec::new(), previous: None, data: Vec::new(), rows: 0 }
    }

    fn finish(mut self) -> Result<LogSet, RpcError> {
        let logs = self.builder.finish().map_err(|error| RpcError::malformed(error.to_string()))?;
        Ok(LogSet { logs, blocks: self.blocks })
    }

    /// Takes one log, or says why it does not belong here.
    fn take(&mut self, log: &Fields<'_>) -> Result<(), String> {
        let contract = Address::from(fixed("address", log.address)?);
        let place = Previous {
            block: number("blockNumber", log.block_number)?,
            block_hash: fixed("blockHash", log.block_hash)?.into(),
            log_index: index("logIndex", log.log_index)?,
            tx_index: index("transactionIndex", log.tx_index)?,
            tx_hash: fixed("transactionHash", log.tx_hash)?.into(),
        };
        hex::bytes(log.data.ok_or("no data")?, &mut self.data).ok_or("data is not hex")?;
        let topics = log.topics.ok_or("no topics")?;
        if !(self.first..=self.last).contains(&place.block) {
            return Err(format!("block {} was not asked for", place.block));
        }
        if !self.query.wants(&contract, topics[0].as_ref()) {
            return Err(format!("contract {contract} with first topic {:?} was not asked for", topics[0]));
        }
        self.check_order(&place)?;
        self.previous = Some(place);
        let data = self.data.as_slice();
        let Previous { block: block_number, log_index, tx_index, tx_hash, .. } = place;
        let raw = RawLog {
            block_number,
            log_index,
            tx_index,
            tx_hash,
            contract,
            topics,
            data,
            sender: None,
            input: None,
        };
        self.builder.push(&raw).map_err(|error| error.to_string())?;
        self.note_block(&place);
        Ok(())
    }

    fn check_order(&self, place: &Previous) -> Result<(), String> {
        let Some(before) = self.previous else { return Ok(()) };
        if (before.block, before.log_index) >= (place.block, place.log_index) {
            let Previous { block, log_index, .. } = before;
            return Err(format!(
                "log {}/{} comes after log {block}/{log_index}",
                place.block, place.log_index
            ));
        }
        if before.block != place.block {
            return Ok(());
        }
        if before.block_hash != place.block_hash {
            return Err(format!(
                "block {} has hashes {} and {}",
                place.block, before.block_hash, place.block_hash
            ));
        }
        let same_tx = before.tx_index == place.tx_index;
        if before.tx_index > place.tx_index || same_tx != (before.tx_hash == place.tx_hash) {
            return Err(format!("transactions of block {} are not in the order of its logs", place.block));
        }
        Ok(())
    }

    fn note_block(&mut self, place: &Previous) {
        match self.blocks.last_mut() {
            Some(block) if block.number == place.block => block.rows += 1,
            _ => self.blocks.push(LogBlock {
                number: place.block,
                hash: place.block_hash,
                first_row: self.rows,
                rows: 1,
            }),
        }
        self.rows += 1;
    }
}

fn fixed<const N: usize>(name: &str, text: Option<&str>) -> Result<[u8; N], String> {
    let text = text.ok_or_else(|| format!("no {name}"))?;
    hex::fixed(text).ok_or_else(|| format!("{name} is not {N} bytes of hex"))
}

fn number(name: &str, text: Option<&str>) -> Result<u64, String> {
    let text = text.ok_or_else(|| format!("no {name}"))?;
    hex::quantity(text).ok_or_else(|| format!("{name} is not a quantity"))
}

fn index(name: &str, text: Option<&str>) -> Result<u32, String> {
    u32::try_from(number(name, text)?).map_err(|_| format!("{name} is beyond 32 bits"))
}

struct LogsVisitor<'r, 'q>(&'r mut Reader<'q>);

impl<'de> Visitor<'de> for LogsVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of logs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut logs: A) -> Result<(), A::Error> {
        while logs.next_element_seed(LogSeed(self.0))?.is_some() {}
        Ok(())
    }
}

struct LogSeed<'r, 'q>(&'r mut Reader<'q>);

impl<'de> DeserializeSeed<'de> for LogSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LogSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut log = Fields::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Address => log.address = Some(map.next_value()?),
                Key::Topics => log.topics = Some(map.next_value::<Topics>()?.0),
                Key::Data => log.data = Some(map.next_value()?),
                Key::BlockNumber => log.block_number = Some(map.next_value()?),
                Key::BlockHash => log.block_hash = Some(map.next_value()?),
                Key::LogIndex => log.log_index = Some(map.next_value()?),
                Key::TransactionIndex => log.tx_index = Some(map.next_value()?),
                Key::TransactionHash => log.tx_hash = Some(map.next_value()?),
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let place = self.0.rows;
        self.0.take(&log).map_err(|detail| A::Error::custom(format_args!("log {place}: {detail}")))
    }
}

/// The fields that are read. `removed` is passed over: it is a hint only, the hash of the block decides.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Address,
    Topics,
    Data,
    BlockNumber,
    BlockHash,
    LogIndex,
    TransactionIndex,
    TransactionHash,
    #[serde(other)]
    Other,
}

#[derive(Default)]
struct Fields<'a> {
    address: Option<&'a str>,
    topics: Option<[Option<B256>; 4]>,
    data: Option<&'a str>,
    block_number: Option<&'a str>,
    block_hash: Option<&'a str>,
    log_index: Option<&'a str>,
    tx_index: Option<&'a str>,
    tx_hash: Option<&'a str>,
}

/// Up to four topics: the EVM has LOG0 to LOG4.
struct Topics([Option<B256>; 4]);

impl<'de> Deserialize<'de> for Topics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TopicsVisitor)
    }
}

struct TopicsVisitor;

impl<'de> Visitor<'de> for TopicsVisitor {
    type Value = Topics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("at most 4 topics")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut topics: A) -> Result<Topics, A::Error> {
        let mut read = [None; 4];
        for place in &mut read {
            let Some(topic) = topics.next_element::<&str>()? else { return Ok(Topics(read)) };
            let topic =
                hex::fixed(topic).ok_or_else(|| A::Error::custom("a topic is not 32 bytes of hex"))?;
            *place = Some(B256::new(topic));
        }
        match topics.next_element::<IgnoredAny>()? {
            None => Ok(Topics(read)),
            Some(_) => Err(A::Error::invalid_length(5, &self)),
        }
    }
}

#[cfg(test)]
mod tests;

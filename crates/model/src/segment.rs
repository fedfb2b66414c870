//! A segment: a contiguous run of blocks, with every log of its filter in columns.
//!
//! It says: every block of this range, for this filter, is accounted for at this verification level.
//! Segments link by hash. Made by ingest, carried by the bus, decoded by custody.

use crate::chain::BlockRef;
use crate::incident::Incident;
use alloy_primitives::{Address, B256};
use arrow_array::builder::{BinaryBuilder, FixedSizeBinaryBuilder, UInt32Builder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, BinaryArray, FixedSizeBinaryArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

/// How far what a node said was verified, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerificationLevel {
    /// Nothing was checked: the node's word.
    Off,
    /// The header of each block with logs was hashed, and its bloom holds each log.
    Present,
    /// Every header was hashed and linked; a block whose bloom matches the filter but which brought no log
    /// was read again by its receipts. Omission is found out.
    Bloom,
    /// Receipts root and transactions root were recomputed and senders recovered. Forgery is found out.
    Receipts,
}

impl VerificationLevel {
    /// The name in configuration and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Present => "present",
            Self::Bloom => "bloom",
            Self::Receipts => "receipts",
        }
    }
}

impl FromStr for VerificationLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Off, Self::Present, Self::Bloom, Self::Receipts]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| format!("'{text}' is not a verification level: off, present, bloom or receipts"))
    }
}

/// Whether blocks may still be orphaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finality {
    /// The chain has finalised every block of the segment. It may hold thousands of blocks and is never reverted.
    Final,
    /// The block may be orphaned. Such a segment holds exactly one block.
    Open,
}

/// One block that carries logs (and, in an open segment, the block itself even when it carries none).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockMeta {
    /// Number and hash.
    pub block: BlockRef,
    /// Hash of the block below.
    pub parent_hash: B256,
    /// Header timestamp, Unix seconds.
    pub time_secs: u64,
}

/// A contiguous run of blocks `first_number ..= last.number`.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Number of the first block.
    pub first_number: u64,
    /// Hash of the block below the first one.
    pub parent_hash: B256,
    /// The last block.
    pub last: BlockRef,
    /// Timestamp of the last block, Unix seconds: an empty run moves time on.
    pub last_time_secs: u64,
    /// May these blocks still be orphaned?
    pub finality: Finality,
    /// How far the range was verified.
    pub level: VerificationLevel,
    /// Fingerprint of the filter (addresses and topics) that the range was read with.
    pub filter: B256,
    /// The blocks that carry logs, ascending; others may be among them, whose time is then known too.
    pub blocks: Vec<BlockMeta>,
    /// The logs, in chain order, as [`logs_schema`].
    pub logs: RecordBatch,
    /// What went wrong while this range was read: history, never part of the canonical rows.
    pub incidents: Vec<Incident>,
}

impl Segment {
    /// How many blocks the range spans.
    pub fn block_count(&self) -> u64 {
        self.last.number - self.first_number + 1
    }
}

static LOGS_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let hash = || DataType::FixedSizeBinary(32);
    let address = || DataType::FixedSizeBinary(20);
    Arc::new(Schema::new(vec![
        Field::new("block_number", DataType::UInt64, false),
        Field::new("log_index", DataType::UInt32, false),
        Field::new("tx_index", DataType::UInt32, false),
        Field::new("tx_hash", hash(), false),
        Field::new("contract", address(), false),
        Field::new("topic0", hash(), true),
        Field::new("topic1", hash(), true),
        Field::new("topic2", hash(), true),
        Field::new("topic3", hash(), true),
        Field::new("data", DataType::Binary, false),
        Field::new("sender", address(), true),
        Field::new("input", DataType::Binary, true),
    ]))
});

/// Columns of a segment's raw logs. `sender` and `input` are those of the transaction, null where not carried; `input`
/// stands with the transaction's first log only: it may be 128 KiB, and a transaction may have thousands of logs.
pub fn logs_schema() -> SchemaRef {
    LOGS_SCHEMA.clone()
}

/// One raw log, borrowed from the columns of a segment or from a node's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLog<'a> {
    /// Number of the block.
    pub block_number: u64,
    /// Index of the log within the block.
    pub log_index: u32,
    /// Index of the transaction within the block.
    pub tx_index: u32,
    /// Hash of the transaction.
    pub tx_hash: B256,
    /// The contract that logged.
    pub contract: Address,
    /// Topics; those past the first `None` are `None`.
    pub topics: [Option<B256>; 4],
    /// ABI-encoded data.
    pub data: &'a [u8],
    /// Sender of the transaction, where carried.
    pub sender: Option<Address>,
    /// Call input of the transaction, where carried; with its first log only.
    pub input: Option<&'a [u8]>,
}

impl RawLog<'_> {
    /// How many topics the log has.
    pub fn topic_count(&self) -> usize {
        self.topics.iter().take_while(|topic| topic.is_some()).count()
    }
}

/// Collects raw logs into the columns of a segment.
#[derive(Debug)]
pub struct LogsBuilder {
    block_number: UInt64Builder,
    log_index: UInt32Builder,
    tx_index: UInt32Builder,
    tx_hash: FixedSizeBinaryBuilder,
    contract: FixedSizeBinaryBuilder,
    topics: [FixedSizeBinaryBuilder; 4],
    data: BinaryBuilder,
    sender: FixedSizeBinaryBuilder,
    input: BinaryBuilder,
}

impl Default for LogsBuilder {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl LogsBuilder {
    /// A builder with room for `rows` logs.
    pub fn with_capacity(rows: usize) -> Self {
        let hash = || FixedSizeBinaryBuilder::with_capacity(rows, 32);
        let address = || FixedSizeBinaryBuilder::with_capacity(rows, 20);
        Self {
            block_number: UInt64Builder::with_capacity(rows),
            log_index: UInt32Builder::with_capacity(rows),
            tx_index: UInt32Builder::with_capacity(rows),
            tx_hash: hash(),
            contract: address(),
            topics: [hash(), hash(), hash(), hash()],
            data: BinaryBuilder::with_capacity(rows, rows * 64),
            sender: address(),
            input: BinaryBuilder::with_capacity(rows, 0),
        }
    }

    /// Appends one log. Logs come in chain order.
    ///
    /// # Errors
    /// Never for fixed 20- and 32-byte values; the type is that of the column builders.
    pub fn push(&mut self, log: &RawLog<'_>) -> Result<(), ArrowError> {
        self.block_number.append_value(log.block_number);
        self.log_index.append_value(log.log_index);
        self.tx_index.append_value(log.tx_index);
        self.tx_hash.append_value(log.tx_hash)?;
        self.contract.append_value(log.contract)?;
        for (builder, topic) in self.topics.iter_mut().zip(log.topics) {
            match topic {
                Some(topic) => builder.append_value(topic)?,
                None => builder.append_null(),
            }
        }
        self.data.append_value(log.data);
        match log.sender {
            Some(sender) => self.sender.append_value(sender)?,
            None => self.sender.append_null(),
        }
        self.input.append_option(log.input);
        Ok(())
    }

    /// The columns so far; the builder is empty afterwards.
    ///
    /// # Errors
    /// When columns disagree in length, which [`push`](Self::push) never causes.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let [topic0, topic1, topic2, topic3] = &mut self.topics;
        RecordBatch::try_new(
            logs_schema(),
            vec![
                Arc::new(self.block_number.finish()),
                Arc::new(self.log_index.finish()),
                Arc::new(self.tx_index.finish()),
                Arc::new(self.tx_hash.finish()),
                Arc::new(self.contract.finish()),
                Arc::new(topic0.finish()),
                Arc::new(topic1.finish()),
                Arc::new(topic2.finish()),
                Arc::new(topic3.finish()),
                Arc::new(self.data.finish()),
                Arc::new(self.sender.finish()),
                Arc::new(self.input.finish()),
            ],
        )
    }
}

/// Reads a segment's log columns row by row without copying.
#[derive(Debug)]
pub struct LogsView<'a> {
    block_number: &'a UInt64Array,
    log_index: &'a UInt32Array,
    tx_index: &'a UInt32Array,
    tx_hash: &'a FixedSizeBinaryArray,
    contract: &'a FixedSizeBinaryArray,
    topics: [&'a FixedSizeBinaryArray; 4],
    data: &'a BinaryArray,
    sender: &'a FixedSizeBinaryArray,
    input: &'a BinaryArray,
}

impl<'a> LogsView<'a> {
    /// Views `logs`.
    ///
    /// # Errors
    /// When the columns are not those of [`logs_schema`].
    pub fn new(logs: &'a RecordBatch) -> Result<Self, ArrowError> {
        if logs.schema_ref() != &logs_schema() {
            return Err(ArrowError::SchemaError("the columns are not those of raw logs".into()));
        }
        let fixed = |index: usize| logs.column(index).as_fixed_size_binary();
        Ok(Self {
            block_number: logs.column(0).as_primitive::<UInt64Type>(),
            log_index: logs.column(1).as_primitive::<UInt32Type>(),
            tx_index: logs.column(2).as_primitive::<UInt32Type>(),
            tx_hash: fixed(3),
            contract: fixed(4),
            topics: [fixed(5), fixed(6), fixed(7), fixed(8)],
            data: logs.column(9).as_binary(),
            sender: fixed(10),
            input: logs.column(11).as_binary(),
        })
    }

    /// Number of logs.
    pub fn len(&self) -> usize {
        self.block_number.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The log in `row`. Panics past the end, as slices do.
    pub fn get(&self, row: usize) -> RawLog<'a> {
        let hash = |column: &FixedSizeBinaryArray| B256::from_slice(column.value(row));
        RawLog {
            block_number: self.block_number.value(row),
            log_index: self.log_index.value(row),
            tx_index: self.tx_index.value(row),
            tx_hash: hash(self.tx_hash),
            contract: Address::from_slice(self.contract.value(row)),
            topics: self.topics.map(|column| column.is_valid(row).then(|| hash(column))),
            data: self.data.value(row),
            sender: self.sender.is_valid(row).then(|| Address::from_slice(self.sender.value(row))),
            input: self.input.is_valid(row).then(|| self.input.value(row)),
        }
    }

    /// All logs in chain order.
    pub fn iter(&self) -> impl Iterator<Item = RawLog<'a>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_come_back_as_they_went_in() {
        let log = RawLog {
            block_number: 7,
            log_index: 3,
            tx_index: 1,
            tx_hash: B256::repeat_byte(9),
            contract: Address::repeat_byte(4),
            topics: [Some(B256::repeat_byte(1)), Some(B256::repeat_byte(2)), None, None],
            data: b"data",
            sender: None,
            input: Some(b""),
        };
        let anonymous = RawLog { topics: [None; 4], sender: Some(Address::ZERO), input: None, ..log };
        let mut builder = LogsBuilder::default();
        builder.push(&log).unwrap();
        builder.push(&anonymous).unwrap();
        let batch = builder.finish().unwrap();
        let view = LogsView::new(&batch).unwrap();
        assert_eq!(view.iter().collect::<Vec<_>>(), [log, anonymous]);
        assert_eq!((log.topic_count(), anonymous.topic_count()), (2, 0));
    }
}

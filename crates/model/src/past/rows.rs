//! Steps of the past from rows of `events`.

use super::{PastStep, Times, Traits};
use crate::chain::LogPosition;
use crate::event::EventKind;
use crate::registry::Tier;
use alloy_primitives::{Address, B256};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampSecondType, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampSecondArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::ArrowError;

/// The columns that say whether a step is wanted.
pub const TRAIT_COLUMNS: &[&str] = &[
    "block_number",
    "block_time",
    "event_time",
    "kind",
    "gtin",
    "lot",
    "from_address",
    "to_address",
    "actor",
];

/// The columns that make a step.
pub const STEP_COLUMNS: &[&str] = &[
    "block_number",
    "log_index",
    "sub_index",
    "block_time",
    "event_time",
    "tx_hash",
    "contract",
    "token_contract",
    "kind",
    "item",
    "gtin",
    "lot",
    "legal",
    "authority",
    "from_address",
    "to_address",
    "actor",
];

/// Rows with at least [`TRAIT_COLUMNS`].
#[derive(Debug)]
pub struct TraitRows<'a> {
    block: &'a UInt64Array,
    block_time: &'a TimestampSecondArray,
    event_time: &'a TimestampSecondArray,
    kind: &'a StringArray,
    gtin: &'a StringArray,
    lot: &'a StringArray,
    addresses: [&'a FixedSizeBinaryArray; 3],
}

fn missing(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column '{name}' is not that of events"))
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a dyn Array, ArrowError> {
    rows.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| missing(name))
}

fn texts<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a StringArray, ArrowError> {
    column(rows, name)?.as_string_opt().ok_or_else(|| missing(name))
}

fn times<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a TimestampSecondArray, ArrowError> {
    column(rows, name)?.as_primitive_opt::<TimestampSecondType>().ok_or_else(|| missing(name))
}

fn fixed<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a FixedSizeBinaryArray, ArrowError> {
    column(rows, name)?.as_fixed_size_binary_opt().ok_or_else(|| missing(name))
}

fn address(column: &FixedSizeBinaryArray, row: usize) -> Option<Address> {
    column.is_valid(row).then(|| column.value(row).try_into().ok()).flatten()
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

impl<'a> TraitRows<'a> {
    /// The rows of `rows`.
    ///
    /// # Errors
    /// When a column is missing, or of another type.
    pub fn new(rows: &'a RecordBatch) -> Result<Self, ArrowError> {
        let block = column(rows, "block_number")?.as_primitive_opt::<UInt64Type>();
        let names = ["actor", "from_address", "to_address"];
        let [actor, from, to] = names.map(|name| fixed(rows, name));
        Ok(Self {
            block: block.ok_or_else(|| missing("block_number"))?,
            block_time: times(rows, "block_time")?,
            event_time: times(rows, "event_time")?,
            kind: texts(rows, "kind")?,
            gtin: texts(rows, "gtin")?,
            lot: texts(rows, "lot")?,
            addresses: [actor?, from?, to?],
        })
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.block.len()
    }

    /// Block of a row.
    pub fn block(&self, row: usize) -> u64 {
        self.block.value(row)
    }

    /// Name of the kind of a row.
    pub fn kind(&self, row: usize) -> &'a str {
        self.kind.value(row)
    }

    fn event_time_secs(&self, row: usize) -> Option<i64> {
        self.event_time.is_valid(row).then(|| self.event_time.value(row))
    }

    /// What says whether the step of a row is wanted.
    pub fn traits(&self, row: usize) -> Traits {
        let block_secs = self.block_time.value(row);
        let judged_secs = self.event_time_secs(row).unwrap_or(block_secs);
        Traits {
            times: Times { block_secs, judged_secs },
            gtin: text(self.gtin, row).and_then(|gtin| gtin.parse().ok()),
            lot: text(self.lot, row).and_then(|lot| lot.parse().ok()),
            addresses: self.addresses.map(|column| address(column, row)),
        }
    }
}

/// Rows with at least [`STEP_COLUMNS`].
#[derive(Debug)]
pub struct StepRows<'a> {
    /// The same rows, as far as they say whether they are wanted.
    pub traits: TraitRows<'a>,
    log: &'a UInt32Array,
    sub: &'a UInt32Array,
    tx_hash: &'a FixedSizeBinaryArray,
    contract: &'a FixedSizeBinaryArray,
    token_contract: &'a FixedSizeBinaryArray,
    item: &'a StringArray,
    legal: &'a BooleanArray,
    authority: &'a StringArray,
}

impl<'a> StepRows<'a> {
    /// The rows of `rows`.
    ///
    /// # Errors
    /// When a column is missing, or of another type.
    pub fn new(rows: &'a RecordBatch) -> Result<Self, ArrowError> {
        let small =
            |name: &str| column(rows, name)?.as_primitive_opt::<UInt32Type>().ok_or_else(|| missing(name));
        Ok(Self {
            traits: TraitRows::new(rows)?,
            log: small("log_index")?,
            sub: small("sub_index")?,
            tx_hash: fixed(rows, "tx_hash")?,
            contract: fixed(rows, "contract")?,
            token_contract: fixed(rows, "token_contract")?,
            item: texts(rows, "item")?,
            legal: column(rows, "legal")?.as_boolean_opt().ok_or_else(|| missing("legal"))?,
            authority: texts(rows, "authority")?,
        })
    }

    /// The step of a row.
    ///
    /// # Errors
    /// When the row is not one that custody wrote.
    pub fn get(&self, row: usize) -> Result<PastStep, ArrowError> {
        self.read(row).ok_or_else(|| ArrowError::ParseError(format!("row {row} is no event")))
    }

    fn read(&self, row: usize) -> Option<PastStep> {
        let traits = self.traits.traits(row);
        let [actor, from, to] = traits.addresses;
        Some(PastStep {
            position: LogPosition {
                block: self.traits.block(row),
                log: self.log.value(row),
                sub: self.sub.value(row),
            },
            tx_hash: B256::try_from(self.tx_hash.value(row)).ok()?,
            block_time_secs: traits.times.block_secs,
            event_time_secs: self.traits.event_time_secs(row),
            kind: self.traits.kind(row).parse::<EventKind>().ok()?,
            contract: address(self.contract, row)?,
            token_contract: address(self.token_contract, row)?,
            item: text(self.item, row).map(str::parse).transpose().ok()?,
            lot: traits.lot,
            actor,
            from,
            to,
            legal: self.legal.value(row),
            tier: self.authority.value(row).parse::<Tier>().ok()?,
        })
    }
}

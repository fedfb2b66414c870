//! Rows and commits for tests.

pub(crate) mod steps;
pub(crate) mod story;

use crate::parquet::layout::writer_properties;
use ::parquet::arrow::ArrowWriter;
use ::parquet::file::metadata::ParquetMetaData;
use arrow_array::builder::{BinaryBuilder, FixedSizeBinaryBuilder, UInt32Builder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, RecordBatch, StringArray, TimestampSecondArray, UInt32Array,
    UInt64Array,
};
use model::B256;
use model::alert::{Alert, CaseKey, Notice, NoticeKind, Severity, Standing, Subject};
use model::chain::{BlockRef, ChainId, LogPosition};
use model::change::{Epoch, Position, Sequence};
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A row of state: key, value, block and log of its version.
pub(crate) type StateRow<'a> = (&'a str, Option<&'a str>, u64, u32);

/// Rows of `state`.
pub(crate) fn state_rows(chain: u64, rows: &[StateRow<'_>]) -> RecordBatch {
    let (mut keys, mut values) = (BinaryBuilder::new(), BinaryBuilder::new());
    let (mut blocks, mut logs) = (UInt64Builder::new(), UInt32Builder::new());
    for (key, value, block, log) in rows {
        keys.append_value(key);
        values.append_option(*value);
        blocks.append_value(*block);
        logs.append_value(*log);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from(vec![chain; rows.len()])),
        Arc::new(UInt32Array::from(vec![0; rows.len()])),
        Arc::new(keys.finish()),
        Arc::new(values.finish()),
        Arc::new(blocks.finish()),
        Arc::new(logs.finish()),
    ];
    RecordBatch::try_new(Table::State.schema(), columns).unwrap()
}

/// Keys and values of rows of `state`.
pub(crate) fn state_values(rows: &RecordBatch) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let column = |name: &str| rows.column_by_name(name).unwrap().as_binary::<i32>().clone();
    let (keys, values) = (column("key"), column("value"));
    keys.iter().zip(&values).map(|(key, value)| (text(key.unwrap()), value.map(text))).collect()
}

/// Rows of `blocks`.
pub(crate) fn block_rows(chain: u64, numbers: &[u64]) -> RecordBatch {
    let mut hashes = FixedSizeBinaryBuilder::new(32);
    numbers.iter().for_each(|number| hashes.append_value(block(*number, 0).hash).unwrap());
    let hashes: ArrayRef = Arc::new(hashes.finish());
    let times = TimestampSecondArray::from_iter_values(numbers.iter().map(|number| *number as i64 * 12));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from(vec![chain; numbers.len()])),
        Arc::new(UInt64Array::from(numbers.to_vec())),
        hashes.clone(),
        hashes,
        Arc::new(times.with_timezone("UTC")),
        Arc::new(UInt32Array::from(vec![1; numbers.len()])),
    ];
    RecordBatch::try_new(Table::Blocks.schema(), columns).unwrap()
}

/// Numbers of rows of `blocks`.
pub(crate) fn block_numbers(rows: &RecordBatch) -> Vec<u64> {
    rows.column_by_name("number").unwrap().as_primitive::<UInt64Type>().values().to_vec()
}

/// Rows of `events`: block, log and token of each. The chain also marks every other column.
pub(crate) fn event_rows(chain: u64, rows: &[(u64, u32, u64)]) -> RecordBatch {
    let fixed = |size: usize, value: &dyn Fn(u64) -> u64| -> ArrayRef {
        let mut builder = FixedSizeBinaryBuilder::with_capacity(rows.len(), size as i32);
        for (_, _, token) in rows {
            let mut bytes = vec![0; size];
            bytes[size - 8..].copy_from_slice(&value(*token).to_be_bytes());
            builder.append_value(bytes).unwrap();
        }
        Arc::new(builder.finish())
    };
    let text = |name: &str| -> ArrayRef {
        Arc::new(
            rows.iter().map(|(_, _, token)| Some(format!("{name}-{chain}-{token}"))).collect::<StringArray>(),
        )
    };
    let columns: Vec<ArrayRef> = Table::Events
        .spec()
        .columns
        .iter()
        .map(|column| -> ArrayRef {
            match (column.name, &column.data_type) {
                ("chain", _) => Arc::new(UInt64Array::from(vec![chain; rows.len()])),
                ("block_number", _) => {
                    Arc::new(rows.iter().map(|(block, _, _)| Some(*block)).collect::<UInt64Array>())
                }
                ("log_index", _) => {
                    Arc::new(rows.iter().map(|(_, log, _)| Some(*log)).collect::<UInt32Array>())
                }
                ("token_contract", _) => fixed(20, &|_| chain),
                (_, arrow_schema::DataType::FixedSizeBinary(size)) => {
                    fixed(*size as usize, &|token| token + chain)
                }
                (_, arrow_schema::DataType::UInt32) => {
                    Arc::new(UInt32Array::from(vec![chain as u32; rows.len()]))
                }
                (_, arrow_schema::DataType::Boolean) => {
                    Arc::new(BooleanArray::from(vec![chain == 1; rows.len()]))
                }
                (_, arrow_schema::DataType::Timestamp(_, _)) => Arc::new(
                    TimestampSecondArray::from_iter_values(
                        rows.iter().map(|(block, _, _)| *block as i64 * 12),
                    )
                    .with_timezone("UTC"),
                ),
                (_, arrow_schema::DataType::Decimal128(_, _)) => Arc::new(
                    Decimal128Array::from(vec![i128::from(chain); rows.len()])
                        .with_precision_and_scale(38, 0)
                        .unwrap(),
                ),
                (name, _) => text(name),
            }
        })
        .collect();
    RecordBatch::try_new(Table::Events.schema(), columns).unwrap()
}

/// A footer.
pub(crate) fn footer() -> Arc<ParquetMetaData> {
    let properties = writer_properties(Table::Blocks, false).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), Table::Blocks.schema(), Some(properties)).unwrap();
    writer.write(&block_rows(1, &[1, 2, 3])).unwrap();
    Arc::new(writer.finish().unwrap())
}

/// Block `number` on branch `branch`.
pub(crate) fn block(number: u64, branch: u8) -> BlockRef {
    let mut hash = [branch; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    BlockRef { number, hash: B256::from(hash) }
}

/// A place in the stream.
pub(crate) fn position(sequence: u64, tip: Option<BlockRef>) -> Position {
    Position { epoch: Epoch(1), sequence: Sequence(sequence), tip, finalized: None }
}

/// An append of blocks on branch `branch`, without rows. The first stands on the block below on branch 0.
pub(crate) fn commit_append(
    chain: u64,
    sequence: u64,
    blocks: RangeInclusive<u64>,
    branch: u8,
    finality: Finality,
) -> Commit {
    let last = block(*blocks.end(), branch);
    let parent = if branch == 0 { 0 } else { branch };
    let effect = Effect::Append {
        first_number: *blocks.start(),
        parent_hash: block(blocks.start().saturating_sub(1), parent).hash,
        last,
        last_time_secs: last.number * 12,
        finality,
        rows: Vec::new(),
    };
    Commit { position: position(sequence, Some(last)), ..commit_effect(chain, sequence, effect) }
}

/// A commit of nothing but an effect.
pub(crate) fn commit_effect(chain: u64, sequence: u64, effect: Effect) -> Commit {
    Commit {
        chain: ChainId(chain),
        position: position(sequence, None),
        effect,
        alerts: Vec::new(),
        notices: Vec::new(),
        incidents: Vec::new(),
    }
}

/// An alert of chain 1.
pub(crate) fn alert(case: u8, came: &str) -> Alert {
    let position = LogPosition { block: 5, log: 6, sub: 0 };
    Alert {
        case_key: CaseKey(B256::repeat_byte(case)),
        rule: "ID-01".into(),
        rule_version: 1,
        severity: Severity::High,
        standing: Standing::Standing,
        subject: Subject::Item("01/04012345123456/21/A".into()),
        item: None,
        chain: ChainId(1),
        position,
        tx_hash: B256::repeat_byte(9),
        raised_at_secs: 1_700_000_000,
        expected: "one token".into(),
        came: came.into(),
        accused: None,
        victim: None,
        witness: None,
        root: None,
        members: 0,
        members_query: None,
        retroactive: false,
        explained_as: None,
        parameters: String::new(),
        evidence: vec![(ChainId(1), position)],
    }
}

/// A notice of an alert.
pub(crate) fn notice(alert: &Alert, revision: u32, kind: NoticeKind) -> Notice {
    Notice { case_key: alert.case_key, revision, kind, alert: alert.clone() }
}

//! The table `state`: changed entries of the custody state on their way to files, and back at a restart.

use crate::journal::StateRow;
use arrow_array::builder::BinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, BinaryArray, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::ArrowError;
use model::chain::ChainId;
use model::tables::Table;
use std::ops::Range;
use std::sync::Arc;

/// Entries that changed up to `block`.
///
/// # Errors
/// When columns do not fit their schema, which is a defect of ours.
pub fn state_rows(chain: ChainId, rows: &[StateRow], block: u64) -> Result<RecordBatch, ArrowError> {
    let mut values = BinaryBuilder::new();
    for row in rows {
        values.append_option(row.value.as_deref());
    }
    RecordBatch::try_new(
        Table::State.schema(),
        vec![
            Arc::new(UInt64Array::from_value(chain.0, rows.len())),
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.kind))),
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| &row.key))),
            Arc::new(values.finish()),
            Arc::new(UInt64Array::from_value(block, rows.len())),
            Arc::new(UInt32Array::from_value(0, rows.len())),
        ],
    )
}

/// Entries of one kind: key and value of each that is still there.
#[derive(Debug)]
pub(crate) struct StateEntries<'a> {
    keys: &'a BinaryArray,
    values: &'a BinaryArray,
    rows: Range<usize>,
}

impl<'a> Iterator for StateEntries<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.find(|row| self.values.is_valid(*row))?;
        Some((self.keys.value(row), self.values.value(row)))
    }
}

/// The entries of a batch, neighbours of one kind together.
///
/// # Errors
/// When the rows are not those of [`state_rows`].
pub(crate) fn state_entries(rows: &RecordBatch) -> Result<Vec<(u32, StateEntries<'_>)>, ArrowError> {
    if rows.schema_ref() != &Table::State.schema() {
        return Err(ArrowError::SchemaError("the columns are not those of state".into()));
    }
    let kinds = rows.column(1).as_primitive::<UInt32Type>().values();
    let (keys, values) = (rows.column(2).as_binary(), rows.column(3).as_binary());
    let mut end = 0;
    let of_kind = |kinds: &[u32]| {
        let begin = end;
        end += kinds.len();
        (kinds[0], StateEntries { keys, values, rows: begin..end })
    };
    Ok(kinds.chunk_by(|kind, next| kind == next).map(of_kind).collect())
}

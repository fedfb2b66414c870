//! The order of rows in a segment, and which of several rows of a key counts.
//!
//! A segment holds rows of one chain in the order of its table; of an upserted table, one row a key. Here batches
//! in memory are brought into that form; [`merge`](crate::parquet) keeps it when several such runs become one.

use crate::error::Result;
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use model::tables::{Table, TableKind};

/// The columns that make a row's version, highest first; of equal versions the later commit counts.
///
/// Alerts have none: a case may be changed by events of several chains, whose blocks do not compare, so that the
/// later commit always counts. (Within a chain the two are the same, for a stream goes upwards.)
pub(crate) fn version_columns(table: Table) -> &'static [&'static str] {
    match table.spec().kind {
        TableKind::Upsert { .. } if table != Table::Alerts => &["updated_block", "updated_log"],
        TableKind::Upsert { .. } | TableKind::Append => &[],
    }
}

/// The columns of an upserted table's key; none for a table that is appended to.
pub(crate) fn key_columns(table: Table) -> &'static [&'static str] {
    match table.spec().kind {
        TableKind::Upsert { key } => key,
        TableKind::Append => &[],
    }
}

/// How rows of a table are ordered and which of a key counts, for batches of given columns.
#[derive(Debug)]
pub(crate) struct RowOrder {
    /// Columns that order the rows of a chain, in the batch. The chain itself is left out: it is one.
    columns: Vec<usize>,
    /// Columns of the version, in the batch: block, then log.
    version: Vec<usize>,
    /// Only one row of each key counts.
    pub(crate) newest_only: bool,
    converter: RowConverter,
}

impl RowOrder {
    /// The order of rows of `table` in batches of `schema`, which has the table's order and version columns.
    pub(crate) fn new(table: Table, schema: &SchemaRef) -> Result<Self> {
        let spec = table.spec();
        let find = |names: &[&str]| -> Result<Vec<usize>> {
            let names = names.iter().filter(|name| **name != "chain");
            names.map(|name| schema.index_of(name).map_err(ArrowError::into)).collect()
        };
        let columns = find(spec.sort)?;
        let fields = columns.iter().map(|column| SortField::new(schema.field(*column).data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let version = find(version_columns(table))?;
        let newest_only = matches!(spec.kind, TableKind::Upsert { .. });
        Ok(Self { columns, version, newest_only, converter })
    }

    /// The order columns of each row as bytes that compare like the rows.
    pub(crate) fn keys(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|column| batch.column(*column).clone()).collect();
        Ok(self.converter.convert_columns(&columns)?)
    }

    /// The version of a row. All rows are of one version where the table has none.
    pub(crate) fn version(&self, batch: &RecordBatch, row: usize) -> (u64, u32) {
        match self.version[..] {
            [block, log] => (
                batch.column(block).as_primitive::<UInt64Type>().value(row),
                batch.column(log).as_primitive::<UInt32Type>().value(row),
            ),
            _ => (0, 0),
        }
    }
}

/// Rows of a run that are copied at once on the way to a file.
const CHUNK_ROWS: usize = 16 * 1024;

/// Rows brought into the form of a run: in order, of a key only the row that counts.
#[derive(Debug)]
pub(crate) struct RunRows {
    all: RecordBatch,
    /// The rows that stay, in order; all as they are when there is nothing to do.
    rows: Option<UInt32Array>,
}

impl RunRows {
    /// The rows of `batches`, given in the order of their commits.
    pub(crate) fn new(table: Table, batches: &[RecordBatch]) -> Result<Self> {
        let schema = table.schema();
        let all = match batches {
            [one] => one.clone(),
            _ => concat_batches(&schema, batches)?,
        };
        let order = RowOrder::new(table, &schema)?;
        let keys = order.keys(&all)?;
        if in_order(&keys, order.newest_only) {
            return Ok(Self { all, rows: None });
        }
        let mut rows = sorted(&keys);
        if order.newest_only {
            rows = newest(&rows, &keys, |row| order.version(&all, row));
        }
        Ok(Self { all, rows: Some(UInt32Array::from(rows)) })
    }

    /// The run in pieces, so that it is never in memory twice.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Result<RecordBatch>> + '_ {
        let len = self.rows.as_ref().map_or(self.all.num_rows(), Array::len);
        (0..len).step_by(CHUNK_ROWS).map(move |start| self.piece(start, CHUNK_ROWS.min(len - start)))
    }

    /// The run as one batch.
    pub(crate) fn whole(&self) -> Result<RecordBatch> {
        let len = self.rows.as_ref().map_or(self.all.num_rows(), Array::len);
        self.piece(0, len)
    }

    fn piece(&self, start: usize, len: usize) -> Result<RecordBatch> {
        match &self.rows {
            Some(rows) => Ok(take_record_batch(&self.all, &rows.slice(start, len))?),
            None => Ok(self.all.slice(start, len)),
        }
    }
}

fn in_order(keys: &Rows, strictly: bool) -> bool {
    (1..keys.num_rows()).all(|row| match keys.row(row - 1).cmp(&keys.row(row)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => !strictly,
        std::cmp::Ordering::Greater => false,
    })
}

/// Rows by key; of equal keys in the order that they came in.
fn sorted(keys: &Rows) -> Vec<u32> {
    // Most comparisons are settled by a few bytes kept beside the row: the key itself is elsewhere in memory.
    let mut rows: Vec<(u128, u32)> =
        (0..keys.num_rows() as u32).map(|row| (head(keys.row(row as usize).as_ref()), row)).collect();
    rows.sort_unstable_by(|(head_a, a), (head_b, b)| {
        let keys = || keys.row(*a as usize).cmp(&keys.row(*b as usize));
        head_a.cmp(head_b).then_with(keys).then(a.cmp(b))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The first 16 bytes of a key as a number that compares like them.
fn head(key: &[u8]) -> u128 {
    let mut head = [0; 16];
    let len = key.len().min(16);
    head[..len].copy_from_slice(&key[..len]);
    u128::from_be_bytes(head)
}

/// Of each group of equal keys the row of the highest version, the last of those.
fn newest(rows: &[u32], keys: &Rows, version: impl Fn(usize) -> (u64, u32)) -> Vec<u32> {
    let groups = rows.chunk_by(|a, b| keys.row(*a as usize) == keys.row(*b as usize));
    groups
        .filter_map(|group| group.iter().copied().max_by_key(|row| (version(*row as usize), *row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{state_rows, state_values as values};

    fn pair(key: &str, value: &str) -> (String, Option<String>) {
        (key.into(), Some(value.into()))
    }

    #[test]
    fn of_each_key_the_highest_version_counts_and_of_equal_ones_the_last() {
        let first =
            state_rows(1, &[("b", Some("old"), 1, 0), ("a", Some("higher"), 9, 1), ("c", Some("1"), 3, 0)]);
        let second =
            state_rows(1, &[("a", Some("lower"), 9, 0), ("b", Some("new"), 2, 0), ("c", Some("2"), 3, 0)]);
        let run = RunRows::new(Table::State, &[first, second]).unwrap();
        assert_eq!(values(&run.whole().unwrap()), [pair("a", "higher"), pair("b", "new"), pair("c", "2")]);
    }

    #[test]
    fn long_keys_with_a_common_head_are_told_apart() {
        let long = |last: &str| format!("01/04012345123456/21/{last}");
        let rows = [long("B"), long("A"), long("AA"), long("B")];
        let rows: Vec<_> =
            rows.iter().enumerate().map(|(n, key)| (key.as_str(), Some("v"), n as u64, 0)).collect();
        let run = RunRows::new(Table::State, &[state_rows(1, &rows)]).unwrap();
        assert_eq!(
            values(&run.whole().unwrap()),
            [pair(&long("A"), "v"), pair(&long("AA"), "v"), pair(&long("B"), "v")]
        );
    }
}

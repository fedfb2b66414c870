//! A store in memory for the tests of this crate: every table with as many rows as a test wants.

mod registry;

use crate::engine::Engine;
use crate::error::Result;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::snapshot::{ChainHead, Snapshot, SnapshotName, Source};
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    RecordBatch, StringArray, TimestampSecondArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use futures::StreamExt as _;
use model::chain::BlockRef;
use model::tables::{Column, Table, TableSpec};
use model::{B256, U256};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Blocks up to here are final.
pub(crate) const FINALIZED: u64 = 2;

/// Every table holds rows 0, 1, 2, …: row `n` has `n` in every number, text and byte string, and stands in block `n`
/// of chain 1.
#[derive(Debug)]
pub(crate) struct Rows(pub(crate) usize);

impl Source for Rows {
    fn newest(&self) -> Arc<dyn Snapshot> {
        Arc::new(Self(self.0))
    }
}

impl Snapshot for Rows {
    fn name(&self) -> SnapshotName {
        let block = |number| Some(BlockRef { number, hash: B256::with_last_byte(9) });
        SnapshotName {
            commit: 7,
            chains: vec![ChainHead { chain: 1, head: block(4), finalized: block(FINALIZED) }],
        }
    }

    fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        let spec = table.spec();
        let starts = (0..self.0 as u64).step_by(BATCH);
        let batches = starts.map(|at| batch(spec, at..self.0.min(at as usize + BATCH) as u64)).collect();
        Arc::new(MemTable::try_new(spec.schema.clone(), vec![batches]).unwrap())
    }
}

/// Several batches, as files have.
const BATCH: usize = 8192;

fn batch(spec: &TableSpec, rows: Range<u64>) -> RecordBatch {
    let columns = spec.columns.iter().map(|column| values(column, rows.clone())).collect();
    RecordBatch::try_new(spec.schema.clone(), columns).unwrap()
}

fn values(column: &Column, rows: Range<u64>) -> ArrayRef {
    let count = rows.clone().count();
    let bytes = |width: usize| {
        let values = rows.clone().map(move |n| U256::from(n).to_be_bytes::<32>()[32 - width..].to_vec());
        Arc::new(FixedSizeBinaryArray::try_from_iter(values).unwrap()) as ArrayRef
    };
    let signed = rows.clone().map(|n| i64::try_from(n).unwrap());
    match &column.data_type {
        DataType::UInt64 if column.name == "chain" => Arc::new(UInt64Array::from(vec![1; count])),
        DataType::UInt64 => Arc::new(UInt64Array::from_iter_values(rows)),
        DataType::UInt32 => Arc::new(UInt32Array::from_iter_values(rows.map(|n| u32::try_from(n).unwrap()))),
        DataType::Utf8 => {
            Arc::new(StringArray::from_iter_values(rows.map(|n| format!("{}-{n}", column.name))))
        }
        DataType::Float64 => Arc::new(Float64Array::from(vec![0.5; count])),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![true; count])),
        DataType::Date32 => {
            Arc::new(Date32Array::from_iter_values(signed.map(|n| i32::try_from(n).unwrap())))
        }
        DataType::Timestamp(..) => {
            Arc::new(TimestampSecondArray::from_iter_values(signed).with_timezone("UTC"))
        }
        DataType::Decimal128(..) => {
            let values = Decimal128Array::from_iter_values(rows.map(i128::from));
            Arc::new(values.with_precision_and_scale(38, 0).unwrap())
        }
        DataType::FixedSizeBinary(width) => bytes(usize::try_from(*width).unwrap()),
        DataType::Binary => Arc::new(BinaryArray::from_iter_values(rows.map(u64::to_be_bytes))),
        other => panic!("a column of type {other}"),
    }
}

/// An engine over tables of `rows` rows.
pub(crate) fn engine(rows: usize, limits: Limits) -> Engine {
    engine_over(Arc::new(Rows(rows)), limits)
}

/// An engine over `source`, seen by nobody.
pub(crate) fn engine_over(source: Arc<dyn Source>, limits: Limits) -> Engine {
    Engine::new(source, limits, Metrics::new(&prometheus::Registry::new()).unwrap()).unwrap()
}

/// The whole answer, or the first error.
pub(crate) async fn collect(engine: &Engine, sql: &str) -> Result<Vec<RecordBatch>> {
    let mut answer = engine.ask(sql).await?;
    let mut batches = Vec::new();
    while let Some(batch) = answer.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

/// The answer as text: one line a row, cells between bars.
pub(crate) async fn lines(engine: &Engine, sql: &str) -> Vec<String> {
    let batches = collect(engine, sql).await.unwrap();
    let table = datafusion::arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
    let trim = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|");
    table.lines().filter(|line| !line.starts_with('+')).skip(1).map(trim).collect()
}

/// Tables with told rows; columns that are not told hold nothing, or zero where they must hold something.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told(BTreeMap<Table, Vec<Value>>);

impl Told {
    /// With these rows in a table.
    pub(crate) fn rows(mut self, table: Table, rows: impl IntoIterator<Item = Value>) -> Self {
        let spec = table.spec();
        let whole = rows.into_iter().map(|row| {
            let told = row.as_object().unwrap().clone();
            let mut whole: serde_json::Map<_, _> = spec
                .columns
                .iter()
                .filter(|column| !column.nullable)
                .map(|c| (c.name.to_owned(), zero(c)))
                .collect();
            whole.extend(told);
            Value::Object(whole)
        });
        self.0.entry(table).or_default().extend(whole);
        self
    }

    /// With these rows in a view of the registry.
    pub(crate) fn registry(self, view: &str, rows: impl IntoIterator<Item = Value>) -> Self {
        let rows: Vec<Value> = rows.into_iter().flat_map(|row| registry::rows(view, &row)).collect();
        self.rows(Table::Registry, rows)
    }

    /// The same rows, the last one first.
    pub(crate) fn backwards(mut self) -> Self {
        self.0.values_mut().for_each(|rows| rows.reverse());
        self
    }
}

fn zero(column: &Column) -> Value {
    match &column.data_type {
        DataType::Utf8 => "".into(),
        DataType::Boolean => false.into(),
        DataType::FixedSizeBinary(width) => "00".repeat(usize::try_from(*width).unwrap()).into(),
        DataType::Timestamp(..) => "1970-01-01T00:00:00Z".into(),
        _ => 0.into(),
    }
}

impl Source for Told {
    fn newest(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.clone())
    }
}

impl Snapshot for Told {
    fn name(&self) -> SnapshotName {
        SnapshotName::default()
    }

    fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        in_memory(table.schema(), self.0.get(&table))
    }
}

fn in_memory(schema: SchemaRef, rows: Option<&Vec<Value>>) -> Arc<dyn TableProvider> {
    let mut decoder = arrow_json::ReaderBuilder::new(schema.clone()).build_decoder().unwrap();
    decoder.serialize(rows.map(Vec::as_slice).unwrap_or_default()).unwrap();
    let batch = decoder.flush().unwrap().unwrap_or_else(|| RecordBatch::new_empty(schema.clone()));
    Arc::new(MemTable::try_new(schema, vec![vec![batch]]).unwrap())
}

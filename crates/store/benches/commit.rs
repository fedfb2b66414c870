//! How fast rows become durable and come back: rows a second through a commit with its flush, a restart of a
//! million entries of state, a lookup and a count among them.

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, RecordBatch, StringArray, TimestampSecondArray,
    UInt32Array, UInt64Array, new_null_array,
};
use arrow_schema::DataType;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use datafusion::prelude::SessionContext;
use model::B256;
use model::chain::{BlockRef, ChainId};
use model::change::{Epoch, Position, Sequence};
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use std::sync::Arc;
use store::{Config, Store, Writer};
use tokio::runtime::Runtime;

const FLUSH_ROWS: u64 = 128 * 1024;
const STATE_ROWS: u64 = 1_000_000;

/// Scatters numbers, so that keys do not come in order.
fn scatter(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn fixed(size: i32, values: impl Iterator<Item = u64>) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::new(size);
    for value in values {
        let mut bytes = vec![0; size as usize];
        bytes[size as usize - 8..].copy_from_slice(&value.to_be_bytes());
        if let Err(error) = builder.append_value(bytes) {
            panic!("{error}");
        }
    }
    Arc::new(builder.finish())
}

/// Rows of `events`, as a busy chain has them: ten a block, about six an item, fifty parties.
fn events(first: u64, count: u64) -> RecordBatch {
    let rows = || first..first + count;
    let item = |row: u64| scatter(row / 6) % 20_000_000;
    let columns = Table::Events.spec().columns.iter().map(|column| -> ArrayRef {
        let len = count as usize;
        match (column.name, &column.data_type) {
            ("chain", _) => Arc::new(UInt64Array::from(vec![1; len])),
            ("block_number", _) => Arc::new(rows().map(|row| Some(row / 10)).collect::<UInt64Array>()),
            ("log_index", _) => Arc::new(rows().map(|row| Some((row % 10) as u32)).collect::<UInt32Array>()),
            ("token_id", _) => fixed(32, rows().map(item)),
            ("tx_hash", _) => fixed(32, rows().map(|row| scatter(row / 2))),
            ("contract" | "token_contract", _) => fixed(20, rows().map(|_| 7)),
            ("range_end" | "quantity_raw" | "quantity" | "parent" | "detail" | "reason", _) => {
                new_null_array(&column.data_type, len)
            }
            ("item", _) => Arc::new(
                rows()
                    .map(|row| Some(format!("01/04012345123456/21/{:012}", item(row))))
                    .collect::<StringArray>(),
            ),
            ("kind", _) => Arc::new(
                rows()
                    .map(|row| Some(["shipping", "receiving", "commissioning"][row as usize % 3]))
                    .collect::<StringArray>(),
            ),
            (_, DataType::FixedSizeBinary(size)) => fixed(*size, rows().map(|row| scatter(row) % 50)),
            (_, DataType::UInt32) => Arc::new(UInt32Array::from(vec![0; len])),
            (_, DataType::Boolean) => Arc::new(BooleanArray::from(vec![true; len])),
            (_, DataType::Timestamp(_, _)) => Arc::new(
                TimestampSecondArray::from_iter_values(rows().map(|row| (row / 10 * 12) as i64))
                    .with_timezone("UTC"),
            ),
            (_, DataType::Decimal128(_, _)) => Arc::new(Decimal128Array::from(vec![1; len])),
            (name, _) => {
                Arc::new(rows().map(|row| Some(format!("{name}{}", row % 20))).collect::<StringArray>())
            }
        }
    });
    match RecordBatch::try_new(Table::Events.schema(), columns.collect()) {
        Ok(rows) => rows,
        Err(error) => panic!("{error}"),
    }
}

/// Rows of `state`: keys of 40 bytes, values of 80.
fn state(first: u64, count: u64) -> RecordBatch {
    let keys: Vec<Vec<u8>> =
        (first..first + count).map(|row| format!("{:040}", scatter(row)).into_bytes()).collect();
    let value = [7_u8; 80];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from(vec![1; keys.len()])),
        Arc::new(UInt32Array::from(vec![0; keys.len()])),
        Arc::new(BinaryArray::from_iter_values(&keys)),
        Arc::new(BinaryArray::from_iter_values(keys.iter().map(|_| value))),
        Arc::new(UInt64Array::from_iter_values(first..first + count)),
        Arc::new(UInt32Array::from(vec![0; keys.len()])),
    ];
    match RecordBatch::try_new(Table::State.schema(), columns) {
        Ok(rows) => rows,
        Err(error) => panic!("{error}"),
    }
}

/// The `number`th final block with these rows.
fn commit(number: u64, table: Table, rows: RecordBatch) -> Commit {
    let block = |number: u64| BlockRef { number, hash: B256::from(model::U256::from(number)) };
    let position = Position {
        epoch: Epoch(1),
        sequence: Sequence(number),
        tip: Some(block(number)),
        finalized: Some(block(number)),
    };
    let effect = Effect::Append {
        first_number: number,
        parent_hash: block(number - 1).hash,
        last: block(number),
        last_time_secs: number * 12,
        finality: Finality::Final,
        rows: vec![(table, rows)],
    };
    Commit {
        chain: ChainId(1),
        position,
        effect,
        alerts: Vec::new(),
        notices: Vec::new(),
        incidents: Vec::new(),
    }
}

fn runtime() -> Runtime {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("{error}"),
    }
}

fn open(dir: &std::path::Path, compaction: bool) -> Store {
    match Store::open(Config { compaction, ..Config::new(dir) }) {
        Ok(store) => store,
        Err(error) => panic!("{error}"),
    }
}

fn temporary() -> tempfile::TempDir {
    match tempfile::tempdir() {
        Ok(dir) => dir,
        Err(error) => panic!("{error}"),
    }
}

fn flush(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("commit and flush");
    group.throughput(Throughput::Elements(FLUSH_ROWS)).sample_size(10);
    for (table, rows) in [(Table::Events, events(0, FLUSH_ROWS)), (Table::State, state(0, FLUSH_ROWS))] {
        group.bench_function(format!("{} rows of {}", FLUSH_ROWS, table.name()), |bencher| {
            bencher.iter_batched(
                || {
                    let dir = temporary();
                    let store = open(dir.path(), false);
                    (dir, store, commit(1, table, rows.clone()))
                },
                |(dir, mut store, commit)| {
                    assert!(runtime.block_on(store.commit(commit)).is_ok());
                    (dir, store)
                },
                BatchSize::PerIteration,
            );
        });
    }
}

fn restart(criterion: &mut Criterion) {
    let runtime = runtime();
    let dir = temporary();
    let mut store = open(dir.path(), true);
    let rows_each = 50_000;
    for number in 1..=STATE_ROWS / rows_each {
        let rows = state((number - 1) * rows_each, rows_each);
        assert!(runtime.block_on(store.commit(commit(number, Table::State, rows))).is_ok());
        assert!(runtime.block_on(store.flush()).is_ok());
    }
    let mut group = criterion.benchmark_group("restart");
    group.throughput(Throughput::Elements(STATE_ROWS)).sample_size(10);
    group.bench_function(format!("{STATE_ROWS} entries of state"), |bencher| {
        bencher.iter(|| {
            let rows = runtime.block_on(store.restore(Table::State, ChainId(1)));
            let rows = rows
                .map(|rows| rows.map(|batch| batch.map_or(0, |batch| batch.num_rows() as u64)).sum::<u64>());
            assert!(matches!(rows, Ok(STATE_ROWS)));
        });
    });
    group.bench_function(format!("count of {STATE_ROWS} newest entries by SQL"), |bencher| {
        bencher
            .iter(|| ask(&runtime, &store, Table::State, "select count(*) from state where updated_log = 0"));
    });
}

fn ask(runtime: &Runtime, store: &Store, table: Table, sql: &str) -> usize {
    let context = SessionContext::new();
    let rows = runtime.block_on(async {
        context.register_table(table.name(), store.reader().snapshot().table(table))?;
        context.sql(sql).await?.collect().await
    });
    match rows {
        Ok(rows) => rows.iter().map(RecordBatch::num_rows).sum(),
        Err(error) => panic!("{error}"),
    }
}

fn lookup(criterion: &mut Criterion) {
    let runtime = runtime();
    let dir = temporary();
    let mut store = open(dir.path(), false);
    for number in 1..=32 {
        let rows = events((number - 1) * FLUSH_ROWS, FLUSH_ROWS);
        assert!(runtime.block_on(store.commit(commit(number, Table::Events, rows))).is_ok());
    }
    let by_token = "select * from events where token_contract = arrow_cast(x'0000000000000000000000000000000000000007', 'FixedSizeBinary(20)') \
                    and token_id = arrow_cast(x'0000000000000000000000000000000000000000000000000000000000000000', 'FixedSizeBinary(32)')";
    let by_item = "select * from events where item = '01/04012345123456/21/000000000000'";
    let mut group = criterion.benchmark_group("lookup among 4 M events");
    group.sample_size(20);
    for state in ["in 32 flushes", "compacted"] {
        if state == "compacted" {
            assert!(store.compact().is_ok());
        }
        for (name, sql) in [("by token", by_token), ("by item", by_item)] {
            assert!(ask(&runtime, &store, Table::Events, sql) > 0);
            group.bench_function(format!("{name}, {state}"), |bencher| {
                bencher.iter(|| ask(&runtime, &store, Table::Events, sql));
            });
        }
    }
}

criterion_group!(benches, flush, restart, lookup);
criterion_main!(benches);

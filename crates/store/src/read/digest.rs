//! The digest of a table: what a store holds, in 32 bytes, however it is laid out in files and memory.
//!
//! Defined here and nowhere else: rows in the order of the table's sort columns (nulls first); of each row each
//! column in the order of the table; of each value one byte 0 for null, else one byte 1, the length of the value
//! as 4 bytes big-endian, and the value: text and bytes as they are, numbers big-endian, booleans as one byte.
//! SHA-256 of all that, after the table's name.

use crate::error::Result;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use futures::TryStreamExt;
use model::B256;
use model::tables::Table;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Memory that sorting may take before it spills.
const SORT_BYTES: usize = 256 * 1024 * 1024;

/// Digest of a table.
pub(crate) async fn digest(table: Table, rows: Arc<dyn TableProvider>) -> Result<B256> {
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(SORT_BYTES))).build_arc()?;
    // Sorting needs no function: a state without them is made a hundred times faster.
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(2))
        .with_runtime_env(runtime)
        .build();
    let context = SessionContext::new_with_state(state);
    let order = table.spec().sort.iter().map(|name| col(*name).sort(true, true)).collect();
    let mut sorted = context.read_table(rows)?.sort(order)?.execute_stream().await?;
    let mut hash = Sha256::new_with_prefix(table.name());
    while let Some(batch) = sorted.try_next().await? {
        hash_rows(&mut hash, &batch)?;
    }
    Ok(B256::from(<[u8; 32]>::from(hash.finalize())))
}

fn hash_rows(hash: &mut Sha256, batch: &RecordBatch) -> Result<()> {
    let mut bytes = Vec::new();
    for row in 0..batch.num_rows() {
        for column in batch.columns() {
            put(&mut bytes, column, row)?;
        }
        hash.update(&bytes);
        bytes.clear();
    }
    Ok(())
}

fn put(bytes: &mut Vec<u8>, column: &dyn Array, row: usize) -> Result<()> {
    if column.is_null(row) {
        bytes.push(0);
        return Ok(());
    }
    bytes.push(1);
    let mut value = |value: &[u8]| {
        bytes.extend_from_slice(&(value.len() as u32).to_be_bytes());
        bytes.extend_from_slice(value);
    };
    match column.data_type() {
        DataType::UInt64 => value(&column.as_primitive::<UInt64Type>().value(row).to_be_bytes()),
        DataType::UInt32 => value(&column.as_primitive::<UInt32Type>().value(row).to_be_bytes()),
        DataType::Timestamp(TimeUnit::Second, _) => {
            value(&column.as_primitive::<TimestampSecondType>().value(row).to_be_bytes());
        }
        DataType::Date32 => value(&column.as_primitive::<Date32Type>().value(row).to_be_bytes()),
        DataType::Decimal128(_, _) => {
            value(&column.as_primitive::<Decimal128Type>().value(row).to_be_bytes())
        }
        DataType::Float64 => value(&column.as_primitive::<Float64Type>().value(row).to_bits().to_be_bytes()),
        DataType::Boolean => value(&[column.as_boolean().value(row).into()]),
        DataType::Utf8 => value(column.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => value(column.as_binary::<i32>().value(row)),
        DataType::FixedSizeBinary(_) => value(column.as_fixed_size_binary().value(row)),
        other => return Err(ArrowError::NotYetImplemented(format!("a digest of {other}")).into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block_rows, event_rows};
    use datafusion::datasource::MemTable;

    async fn of(table: Table, batches: Vec<RecordBatch>) -> B256 {
        let rows = MemTable::try_new(table.schema(), vec![batches]).unwrap();
        digest(table, Arc::new(rows)).await.unwrap()
    }

    #[tokio::test]
    async fn equal_rows_have_one_digest_in_any_order_and_batching() {
        let once = of(Table::Blocks, vec![block_rows(1, &[1, 2, 3, 4])]).await;
        assert_eq!(of(Table::Blocks, vec![block_rows(1, &[4, 2]), block_rows(1, &[3, 1])]).await, once);
        for other in [vec![1, 2, 3], vec![1, 2, 3, 4, 4], vec![1, 2, 3, 5]] {
            assert_ne!(of(Table::Blocks, vec![block_rows(1, &other)]).await, once, "{other:?}");
        }
        assert_ne!(of(Table::Blocks, vec![]).await, of(Table::Logs, vec![]).await);
    }

    #[tokio::test]
    async fn every_column_takes_part() {
        let rows = event_rows(1, &[(1, 0, 7), (1, 1, 8)]);
        let whole = of(Table::Events, vec![rows.clone()]).await;
        for column in 0..rows.num_columns() {
            let mut columns = rows.columns().to_vec();
            let other = event_rows(2, &[(5, 6, 9), (5, 7, 9)]);
            columns[column] = other.column(column).clone();
            let changed = RecordBatch::try_new(rows.schema(), columns).unwrap();
            assert_ne!(
                of(Table::Events, vec![changed]).await,
                whole,
                "{}",
                rows.schema().field(column).name()
            );
        }
    }
}

//! The store as a whole: stories of commits, told to stores that crash, compared with a plain model of them.

mod across;
mod alerts;
mod crash;
mod damage;
mod generations;
mod past;
mod schedule;
mod snapshots;

use super::Store;
use super::config::Config;
use super::memory_files::MemoryFiles;
use crate::Writer;
use crate::read::Snapshot;
use arrow_array::RecordBatch;
use datafusion::prelude::SessionContext;
use model::chain::ChainId;
use model::tables::Table;
use std::sync::Arc;

/// A configuration under which everything happens in one thread, and happens soon.
fn config() -> Config {
    Config { flush_rows: 12, threads: 1, compaction: false, retain_flushes: 2, ..Config::new("/data") }
}

fn open(files: &MemoryFiles) -> crate::Result<Store> {
    Store::open_in(config(), Arc::new(files.clone()))
}

async fn restored(store: &Store, table: Table, chain: u64) -> Vec<RecordBatch> {
    store.restore(table, ChainId(chain)).await.unwrap().collect::<crate::Result<_>>().unwrap()
}

/// Rows of a table, by SQL that begins with the table's name.
async fn rows(snapshot: &Snapshot, sql: &str) -> Vec<RecordBatch> {
    let context = SessionContext::new();
    for (name, table) in snapshot.tables() {
        context.register_table(name, table).unwrap();
    }
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

/// The same as lines of text.
async fn lines(snapshot: &Snapshot, sql: &str) -> Vec<String> {
    let text = datafusion::arrow::util::pretty::pretty_format_batches(&rows(snapshot, sql).await)
        .unwrap()
        .to_string();
    let cells = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(" ");
    text.lines().filter(|line| line.starts_with('|')).skip(1).map(cells).collect()
}

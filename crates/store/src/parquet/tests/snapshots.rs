//! What readers see, while everything else goes on.

use super::super::files::Files;
use super::super::memory_files::MemoryFiles;
use super::{config, lines, open};
use crate::testing::{block, block_rows, commit_append, commit_effect, event_rows, state_rows};
use crate::{Config, Reader, Store, Writer};
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use model::chain::ChainId;
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use std::path::Path;
use std::sync::Arc;

fn with_rows(mut commit: Commit, added: Vec<(Table, arrow_array::RecordBatch)>) -> Commit {
    if let Effect::Append { rows, .. } = &mut commit.effect {
        *rows = added;
    }
    commit
}

/// Block `number`: a row of `blocks`, two of `events`, one of `state` under one of ten keys.
fn full_block(number: u64, finality: Finality) -> Commit {
    let key = format!("key{}", number % 10);
    let rows = vec![
        (Table::Blocks, block_rows(1, &[number])),
        (Table::Events, event_rows(1, &[(number, 0, number % 7), (number, 1, number % 5)])),
        (Table::State, state_rows(1, &[(&key, Some(&number.to_string()), number, 0)])),
    ];
    with_rows(commit_append(1, number, number..=number, 0, finality), rows)
}

/// Twenty final blocks in several files, then five open ones.
async fn store(files: &MemoryFiles) -> Store {
    let mut store = open(files).unwrap();
    for number in 1..=20 {
        store.commit(full_block(number, Finality::Final)).await.unwrap();
    }
    for number in 21..=25 {
        store.commit(full_block(number, Finality::Open)).await.unwrap();
    }
    store
}

#[tokio::test]
async fn files_and_memory_are_one_table() {
    let store = store(&MemoryFiles::default()).await;
    let snapshot = store.reader().snapshot();
    for (sql, expected) in [
        ("select count(*), min(number), max(number) from blocks", vec!["25 1 25"]),
        ("select number from blocks where number between 19 and 22 order by 1", vec!["19", "20", "21", "22"]),
        ("select number from blocks where time = to_timestamp_seconds(24 * 12)", vec!["24"]),
        ("select count(*) from (select * from events limit 7)", vec!["7"]),
        ("select count(*) from events where item = 'item-1-3'", vec!["9"]),
        ("select count(*), count(distinct key) from state", vec!["10 10"]),
        ("select count(*) from (select * from state limit 4)", vec!["4"]),
        ("select arrow_cast(value, 'Utf8') from state where key = arrow_cast('key3', 'Binary')", vec!["23"]),
        ("select count(*) from state where value = arrow_cast('13', 'Binary')", vec!["0"]),
        ("select count(*) from state where updated_block < 16", vec!["0"]),
        ("select count(*) from state where chain = 2", vec!["0"]),
    ] {
        assert_eq!(lines(&snapshot, sql).await, expected, "{sql}");
    }
    let final_only = snapshot.final_only();
    for (sql, expected) in [
        ("select count(*), max(number) from blocks", "20 20"),
        ("select count(*) from events", "40"),
        ("select max(updated_block) from state", "20"),
    ] {
        assert_eq!(lines(&final_only, sql).await, [expected], "{sql}");
    }
}

#[tokio::test]
async fn a_snapshot_names_its_moment_and_the_next_one_is_waited_for() {
    let mut store = store(&MemoryFiles::default()).await;
    let mut reader = store.reader();
    let first = reader.snapshot();
    let head = first.heads()[&ChainId(1)];
    assert_eq!((head.tip, head.tip_time_secs), (Some(block(25, 0)), 25 * 12));
    assert!(first.name().contains(&format!("head {}", block(25, 0))), "{}", first.name());
    while reader.changed().await.unwrap().name() != first.name() {}
    store.commit(commit_effect(1, 26, Effect::Revert { to: block(22, 0) })).await.unwrap();
    let second = reader.changed().await.unwrap();
    assert_eq!(lines(&second, "select max(number) from blocks").await, ["22"]);
    assert_eq!(lines(&first, "select max(number) from blocks").await, ["25"]);
    drop(store);
    assert!(reader.changed().await.is_none());
    assert_eq!(lines(&reader.snapshot(), "select max(number) from blocks").await, ["22"]);
}

#[tokio::test]
async fn a_held_snapshot_keeps_its_files_and_rows_through_compaction() {
    let files = MemoryFiles::default();
    let mut store =
        Store::open_in(Config { retain_flushes: 0, ..config() }, Arc::new(files.clone())).unwrap();
    for number in 1..=20 {
        store.commit(full_block(number, Finality::Final)).await.unwrap();
    }
    store.flush().await.unwrap();
    let there = || files.list(Path::new("/data/gen-1")).unwrap().len();
    let before = store.reader().snapshot();
    let (files_before, digest) = (there(), before.digest(Table::State).await.unwrap());
    assert!(store.compact().unwrap() > 0);
    store.commit(full_block(21, Finality::Final)).await.unwrap();
    store.flush().await.unwrap();
    store.commit(full_block(22, Finality::Final)).await.unwrap();
    store.flush().await.unwrap();
    assert!(there() > files_before, "{files_before} files are held");
    assert_eq!(before.digest(Table::State).await.unwrap(), digest);
    assert_eq!(lines(&before, "select count(*), max(number) from blocks").await, ["20 20"]);
    drop(before);
    assert!(there() < files_before, "{} files are left", there());
    assert_eq!(
        lines(&store.reader().snapshot(), "select count(*), max(number) from blocks").await,
        ["22 22"]
    );
}

#[tokio::test]
async fn compaction_changes_no_digest() {
    let mut store = store(&MemoryFiles::default()).await;
    store.commit(commit_effect(1, 26, Effect::Finalize { upto: block(25, 0) })).await.unwrap();
    store.flush().await.unwrap();
    let before = store.reader().snapshot();
    assert!(store.compact().unwrap() > 0);
    let after = store.reader().snapshot();
    for table in Table::ALL {
        assert!(after.files(table).len() <= 1, "{}", table.name());
        assert_eq!(
            before.digest(table).await.unwrap(),
            after.digest(table).await.unwrap(),
            "{}",
            table.name()
        );
    }
    assert_eq!(store.compact().unwrap(), 0);
}

#[tokio::test]
async fn files_that_cannot_hold_what_is_asked_for_are_not_in_the_plan() {
    let store = store(&MemoryFiles::default()).await;
    let snapshot = store.reader().snapshot();
    let context = SessionContext::new();
    context.register_table("blocks", snapshot.table(Table::Blocks)).unwrap();
    let mut plans = Vec::new();
    for sql in ["select * from blocks", "select * from blocks where number = 3"] {
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        plans.push(displayable(plan.as_ref()).indent(false).to_string().matches(".parquet").count());
    }
    assert_eq!(plans[0], snapshot.files(Table::Blocks).len());
    assert!(plans[0] > 2 && plans[1] == 1, "{plans:?}");
}

/// In every snapshot the rows of all tables are of one moment.
async fn watch(reader: Reader) -> u64 {
    let mut seen = 0;
    loop {
        let snapshot = reader.snapshot();
        let tip = snapshot.heads().get(&ChainId(1)).and_then(|head| head.tip).map_or(0, |tip| tip.number);
        let events = lines(&snapshot, "select count(*) from events").await;
        assert_eq!(events, [(2 * tip).to_string()], "{}", snapshot.name());
        let state = lines(&snapshot, "select count(*), coalesce(max(updated_block), 0) from state").await;
        assert_eq!(state, [format!("{} {tip}", tip.min(10))], "{}", snapshot.name());
        seen += 1;
        if tip == 600 {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_and_background_compaction_do_not_disturb_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { flush_rows: 16, retain_flushes: 1, ..Config::new(dir.path()) };
    let mut store = Store::open(config.clone()).unwrap();
    let watcher = tokio::spawn(watch(store.reader()));
    for number in 1..=600 {
        store.commit(full_block(number, Finality::Final)).await.unwrap();
    }
    store.flush().await.unwrap();
    assert!(watcher.await.unwrap() > 0);
    let reader = store.reader();
    drop(store);
    assert!(
        reader.snapshot().files(Table::State).len() < 40,
        "{}",
        reader.snapshot().files(Table::State).len()
    );
    assert_eq!(super::super::verify::verify(dir.path()).unwrap().problems, Vec::<String>::new());
    let store = Store::open(config).unwrap();
    assert_eq!(lines(&store.reader().snapshot(), "select count(*) from events").await, ["1200"]);
}

//! Locks, damage, and going back.

use super::super::files::Files;
use super::super::memory_files::MemoryFiles;
use super::super::rewind::rewind_in;
use super::super::verify::{Report, verify_in};
use super::{config, lines, open, restored};
use crate::testing::{alert, block, block_rows, commit_append, notice, position, state_rows, state_values};
use crate::{Config, Error, Store, Writer};
use model::alert::NoticeKind;
use model::chain::ChainId;
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Final block `number` of a chain, as change `number`, with a row of `blocks` and one of `state`.
fn final_block(chain: u64, number: u64, branch: u8, value: &str) -> Commit {
    let mut commit = commit_append(chain, number, number..=number, branch, Finality::Final);
    let Effect::Append { rows, .. } = &mut commit.effect else { panic!("an append") };
    rows.push((Table::Blocks, block_rows(chain, &[number])));
    rows.push((Table::State, state_rows(chain, &[("key", Some(value), number, 0)])));
    commit
}

async fn flushed(store: &mut Store, commits: impl IntoIterator<Item = Commit>) {
    for commit in commits {
        store.commit(commit).await.unwrap();
        store.flush().await.unwrap();
    }
}

fn segment_paths(files: &MemoryFiles) -> Vec<PathBuf> {
    let dir = Path::new("/data/gen-1");
    files
        .list(dir)
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".parquet"))
        .map(|name| dir.join(name))
        .collect()
}

fn verified(files: &MemoryFiles) -> Report {
    verify_in(Path::new("/data"), &(Arc::new(files.clone()) as Arc<dyn Files>)).unwrap()
}

#[test]
fn a_folder_in_use_says_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(Config::new(dir.path())).unwrap();
    store.announce("127.0.0.1:7070").unwrap();
    let error = Store::open(Config::new(dir.path())).unwrap_err();
    assert!(error.to_string().ends_with("is in use by another process at 127.0.0.1:7070"), "{error}");
    drop(store);
    assert!(Store::open(Config::new(dir.path())).is_ok());
}

#[tokio::test]
async fn any_flipped_bit_is_found() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    flushed(&mut store, (1..=3).map(|number| final_block(1, number, 0, "v"))).await;
    drop(store);
    let whole = verified(&files);
    assert_eq!((whole.problems.len(), whole.segments, whole.rows), (0, 6, 6));

    let log = files.list(Path::new("/data/commits")).unwrap().remove(0);
    let mut paths = segment_paths(&files);
    paths.push(Path::new("/data/commits").join(log));
    for path in paths {
        let size = files.open(&path).unwrap().size() as usize;
        for byte in (0..size).step_by(97) {
            let damaged = files.after_crash(super::super::memory_files::Loss::Nothing);
            damaged.flip(&path, byte).unwrap();
            let report = verified(&damaged);
            let is_cut = path.extension().is_some_and(|end| end == "log") && report.records < whole.records;
            assert!(!report.problems.is_empty() || is_cut, "{} byte {byte}", path.display());
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_gone_is_damage() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    flushed(&mut store, [final_block(1, 1, 0, "v")]).await;
    drop(store);
    files.remove(&segment_paths(&files)[0]).unwrap();
    assert!(matches!(open(&files).unwrap_err(), Error::Corrupt { .. }));
    assert_eq!(verified(&files).problems.len(), 1);
}

#[tokio::test]
async fn a_chain_goes_back_below_finality_and_on_from_there() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    let case = alert(1, "case");
    flushed(&mut store, [final_block(2, 1, 0, "other")]).await;
    flushed(&mut store, [final_block(1, 1, 0, "one"), final_block(1, 2, 0, "two")]).await;
    let told =
        Commit { notices: vec![notice(&case, 1, NoticeKind::Opened)], ..final_block(1, 3, 0, "three") };
    flushed(&mut store, [told]).await;
    store.compact().unwrap();
    drop(store);

    let rewound = rewind_in(config(), Arc::new(files.clone()), ChainId(1), 2).unwrap();
    assert_eq!((rewound.state_at, rewound.told_after), (position(2, Some(block(2, 0))), 0));
    let mut store = open(&files).unwrap();
    let state: Vec<_> = restored(&store, Table::State, 1).await.iter().flat_map(state_values).collect();
    assert_eq!(state, [("key".to_owned(), Some("two".to_owned()))]);
    let mut other = final_block(1, 3, 7, "another three");
    if let Effect::Append { parent_hash, .. } = &mut other.effect {
        *parent_hash = block(2, 0).hash;
    }
    flushed(&mut store, [other]).await;
    let snapshot = store.reader().snapshot();
    assert_eq!(
        lines(&snapshot, "select chain, number from blocks order by 1, 2").await,
        ["1 1", "1 2", "1 3", "2 1"]
    );
    assert_eq!(lines(&snapshot, "select kind from notices").await, ["opened"], "what was told stays");
    drop((snapshot, store));
    assert_eq!(verified(&files).problems, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_merged_away_cannot_be_gone_back_to() {
    let files = MemoryFiles::default();
    let mut store = open(&files).unwrap();
    flushed(&mut store, (1..=3).map(|number| final_block(1, number, 0, "v"))).await;
    store.compact().unwrap();
    // Files outlive their replacement by two flushes here.
    flushed(&mut store, (4..=8).map(|number| final_block(1, number, 0, "v"))).await;
    drop(store);
    let error = rewind_in(config(), Arc::new(files.clone()), ChainId(1), 2).unwrap_err();
    assert!(matches!(&error, Error::TooFarBack { .. }) && error.to_string().contains("rederive"), "{error}");
    let unknown = rewind_in(config(), Arc::new(files), ChainId(9), 2).unwrap_err();
    assert!(matches!(unknown, Error::Diverged { .. }));
}

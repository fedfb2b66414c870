//! The next generation takes the place of the live one, whole, whenever the machine crashes.

use super::super::generation::{next_dir, promote_in};
use super::super::memory_files::{Loss, MemoryFiles};
use super::super::verify::verify_in;
use super::{config, lines, open};
use crate::testing::{block, block_rows, commit_append};
use crate::{Config, Error, Store, Writer};
use model::commit::{Commit, Effect};
use model::segment::Finality;
use model::tables::Table;
use std::path::Path;
use std::sync::Arc;

const NUMBERS: &str = "select number from blocks order by number";

fn append(sequence: u64, first: u64, last: u64) -> Commit {
    let mut commit = commit_append(1, sequence, first..=last, 0, Finality::Final);
    if let Effect::Append { rows, .. } = &mut commit.effect {
        rows.push((Table::Blocks, block_rows(1, &(first..=last).collect::<Vec<_>>())));
    }
    commit
}

/// A live store with block 2, and a next generation with blocks 1 to 3.
async fn built() -> MemoryFiles {
    let files = MemoryFiles::default();
    let mut live = open(&files).unwrap();
    live.commit(append(1, 2, 2)).await.unwrap();
    live.flush().await.unwrap();
    drop(live);
    let next = Config { dir: next_dir(Path::new("/data")), ..config() };
    let mut next = Store::open_in(next, Arc::new(files.clone())).unwrap();
    for number in 1..=3 {
        next.commit(append(number, number, number)).await.unwrap();
        next.flush().await.unwrap();
    }
    drop(next);
    files
}

async fn numbers(files: &MemoryFiles) -> Vec<String> {
    let mut store = open(files).unwrap();
    let numbers = lines(&store.reader().snapshot(), NUMBERS).await;
    let (sequence, tip) = if numbers.len() == 1 { (2, 3) } else { (4, 4) };
    store.commit(append(sequence, tip, tip)).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.reader().snapshot().heads().values().next().unwrap().tip, Some(block(tip, 0)));
    numbers
}

#[tokio::test]
async fn the_next_generation_takes_over_and_a_crash_leaves_the_one_or_the_other() {
    let files = built().await;
    let before = files.steps();
    let whole = files.after_crash(Loss::Nothing);
    promote_in(config(), Arc::new(whole.clone())).unwrap();
    assert_eq!(numbers(&whole).await, ["1", "2", "3"]);
    assert_eq!(
        verify_in(Path::new("/data"), &(Arc::new(whole.clone()) as Arc<_>)).unwrap().problems,
        Vec::<String>::new()
    );
    assert!(before > 0);
    let mut outcomes = std::collections::BTreeSet::new();
    for step in 0..60 {
        for loss in [Loss::Everything, Loss::Nothing, Loss::Some(step)] {
            let crashed = files.after_crash(Loss::Nothing);
            crashed.crash_at(step);
            let ended = promote_in(config(), Arc::new(crashed.clone()));
            let numbers = numbers(&crashed.after_crash(loss)).await;
            assert!(numbers == ["2"] || numbers == ["1", "2", "3"], "step {step}, {loss:?}: {numbers:?}");
            assert!(ended.is_err() || numbers.len() == 3, "step {step}, {loss:?}");
            outcomes.insert((ended.is_ok(), numbers.len()));
        }
    }
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), [(false, 1), (false, 3), (true, 3)]);
}

#[tokio::test]
async fn without_a_next_generation_there_is_nothing_to_promote() {
    let files = MemoryFiles::default();
    drop(open(&files).unwrap());
    assert!(matches!(promote_in(config(), Arc::new(files)), Err(Error::Corrupt { .. })));
}

//! The past is the same wherever its rows are: in files, in merged files, in memory, final or open.

use super::{config, open};
use crate::parquet::memory_files::{Loss, MemoryFiles};
use crate::testing::steps::{BLOCK_SECS, CHAIN, append, draw, draw_query, expected, gtin};
use crate::testing::{block, commit_effect};
use crate::{Store, Writer};
use model::commit::Effect;
use model::event::EventKind;
use model::past::{PastQuery, PastStep, Window};
use model::segment::Finality;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::sync::Arc;

async fn compare(store: &Store, steps: &[PastStep], random: &mut StdRng, context: &str) -> usize {
    let mut found = 0;
    for _ in 0..20 {
        let query = draw_query(random);
        let past = store.past(CHAIN, &query).await.unwrap();
        assert_eq!(past.steps, expected(steps, &query), "{context}: {query:?}");
        assert_eq!((past.after, past.left_out), (query.after, 0));
        found += past.steps.len();
    }
    found
}

#[tokio::test]
async fn steps_are_found_in_files_merged_files_and_memory() {
    for seed in 0..10 {
        let random = &mut StdRng::seed_from_u64(seed);
        let mut steps = Vec::new();
        for block in 1..=35 {
            let logs = random.random_range(0..6);
            steps.extend((0..logs).map(|log| draw(random, block, log)));
        }
        let files = MemoryFiles::default();
        let mut store = open(&files).unwrap();
        for (sequence, first) in (1..).zip([1, 11, 16, 21]) {
            let last = [10, 15, 20, 30][sequence as usize - 1];
            store.commit(append(sequence, first..=last, Finality::Final, &steps)).await.unwrap();
        }
        for (sequence, block) in (5..).zip(31..=35) {
            store.commit(append(sequence, block..=block, Finality::Open, &steps)).await.unwrap();
        }
        let found = compare(&store, &steps, random, "files and memory").await;
        assert!(found > 20, "seed {seed}: {found}");
        store.flush().await.unwrap();
        assert!(store.compact().unwrap() > 0, "seed {seed}");
        compare(&store, &steps, random, "merged files and memory").await;

        store.commit(commit_effect(CHAIN.0, 10, Effect::Revert { to: block(32, 0) })).await.unwrap();
        let left: Vec<PastStep> = steps.iter().filter(|step| step.position.block <= 32).cloned().collect();
        compare(&store, &left, random, "after a reorg").await;
        drop(store);
        let store = open(&files.after_crash(Loss::Everything)).unwrap();
        let left: Vec<PastStep> = steps.iter().filter(|step| step.position.block <= 30).cloned().collect();
        compare(&store, &left, random, "after a crash").await;
    }
}

#[tokio::test]
async fn files_that_ended_before_are_not_opened() {
    let random = &mut StdRng::seed_from_u64(7);
    let steps: Vec<PastStep> =
        (1..=40).flat_map(|block| [0, 1].map(|log| (block, log))).map(|(b, l)| draw(random, b, l)).collect();
    let files = MemoryFiles::default();
    let mut store = Store::open_in(config(), Arc::new(files)).unwrap();
    for (sequence, first) in (1..).zip([1, 11, 21, 31]) {
        store.commit(append(sequence, first..=first + 9, Finality::Final, &steps)).await.unwrap();
        store.flush().await.unwrap();
    }
    let files_of = |from_block: i64, after| {
        let kinds = BTreeSet::from([EventKind::Shipping]);
        let mut query = PastQuery { after, kinds, ..PastQuery::default() };
        let window = Window { from_secs: from_block * BLOCK_SECS, to_secs: i64::MAX };
        query.products.insert(gtin(0), vec![window]);
        store.shared.core().unwrap().history(CHAIN, &query).file_count()
    };
    assert_eq!(files_of(1, 40), 4);
    // A step may be declared up to a day, which is two blocks here, after it stood in a block.
    assert_eq!((files_of(22, 40), files_of(25, 40)), (3, 2));
    assert_eq!((files_of(1, 30), files_of(1, 5)), (3, 1));
}

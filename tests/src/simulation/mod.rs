//! A seeded simulation of a process's lives: a chain that reorgs and flips, a writer and a reader of the bus, a store,
//! and crashes at every writing step of both disks. The oracle is a fresh index of the final chain.
//!
//! A schedule is a few dozen *lives*. In each, the ingesting side takes the stream over and publishes what it reads from
//! nodes that fail, lag and lie; the transforming side takes what the bus delivers, some of it twice or late, and commits
//! it; the life ends in peace or at a random step of a random disk, with a random part of what was not synced lost. At the end everything is indexed afresh from the final
//! chains, with the versions of the registry in the places that they came to, and the digests of all canonical tables
//! must be equal.
//!
//! Everything is drawn from the seed, in one order: a schedule that fails is played again by its seed.

mod chain;
mod contract;
mod late;
mod life;
mod node;
mod schedule;
mod settled;

use schedule::{Outcome, Totals};
use std::panic::AssertUnwindSafe;

/// Schedules in every run. Each has at least [`schedule::BLOCKS_MIN`] blocks.
const SCHEDULES: u64 = 2_000;

fn first_seed() -> u64 {
    let given = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_secs() / 60
    })
}

fn schedules() -> u64 {
    std::env::var("RXTRAIL_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(SCHEDULES)
}

#[test]
fn after_any_schedule_of_reorgs_and_crashes_the_tables_are_those_of_a_fresh_index() {
    let first = first_seed();
    println!("simulation: seeds {first}..{} (RXTRAIL_SEED, RXTRAIL_SCHEDULES)", first + schedules());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut totals = Totals::default();
    for seed in first..first + schedules() {
        let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(runtime.spawn(schedule::play(seed)))
        }));
        match played {
            Ok(Ok(Outcome { hits, blocks })) => totals.add(&hits, blocks),
            Ok(Err(error)) => panic!("seed {seed}: {error}"),
            Err(_) => panic!("seed {seed}"),
        }
    }
    println!("{totals}");
    totals.assert_everything_was_hit();
}

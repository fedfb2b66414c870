//! A store that crashes at any step of its files, with any part of what was not synced lost, loses nothing and
//! doubles nothing.

use super::super::memory_files::{Loss, MemoryFiles};
use super::schedule::{Outcome, Promises, tell};
use crate::testing::story::Story;

/// Crashes once at every step of a story, under every kind of loss.
fn crash_everywhere(seed: u64, length: usize) {
    let story = Story::without_events(seed, length);
    let whole = MemoryFiles::default();
    let outcome = tell(&story, &whole, &mut Promises::new());
    let Outcome::Told = outcome else { panic!("seed {seed}: a store without a crash: {outcome:?}") };
    let steps = whole.steps();
    assert!(steps > 100, "the story writes too little to be worth it: {steps}");
    for step in 0..steps {
        for loss in [Loss::Everything, Loss::Nothing, Loss::Some(step)] {
            let files = MemoryFiles::default();
            files.crash_at(step);
            let mut promises = Promises::new();
            // A crash that only kept a file from being removed is not even noticed.
            if let Outcome::Failed(reason) = tell(&story, &files, &mut promises) {
                panic!("seed {seed}, step {step}: {reason}");
            }
            let outcome = tell(&story, &files.after_crash(loss), &mut promises);
            assert!(matches!(outcome, Outcome::Told), "seed {seed}, step {step}, {loss:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing_and_doubles_nothing() {
    crash_everywhere(2, 40);
}

#[test]
fn crashes_upon_crashes_lose_nothing_and_double_nothing() {
    for seed in 100..120 {
        let story = Story::new(seed, 50);
        let (mut files, mut promises) = (MemoryFiles::default(), Promises::new());
        for crash in 0..6 {
            // Each life is a little longer than the one before.
            files.crash_at(files.steps() + (seed * 7 + crash * 41) % 160);
            if let Outcome::Failed(reason) = tell(&story, &files, &mut promises) {
                panic!("seed {seed}, crash {crash}: {reason}");
            }
            files = files.after_crash(Loss::Some(seed * 31 + crash));
        }
        let outcome = tell(&story, &files, &mut promises);
        assert!(matches!(outcome, Outcome::Told), "seed {seed}: {outcome:?}");
    }
}

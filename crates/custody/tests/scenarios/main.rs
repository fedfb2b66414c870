//! Scenarios: each file in `scenarios/` is a story of a few events and the whole list of alerts that it must raise.
//!
//! ```toml
//! story = "what happens, and why it is or is not suspicious"
//! [[event]]                 # each event is a block of its own, a minute after its declared time unless `seen` says
//! at = "2026-03-01T08:00"   # declared time
//! do = "shipping"           # the step
//! item = "P1"               # P1.. are packs of the registered product, C1.. are logistic units
//! by = "maker"              # an actor of the cast
//! to = "wholesaler"
//! [[revert]]
//! after = 3                 # how many events are left standing
//! [[alert]]
//! rule = "SQ-03"
//! severity = "critical"
//! subject = "P1"
//! ```
//!
//! `times` repeats an event with the item's number counting on, in one block; `each_by_another` gives each its own
//! actor, `one_transaction` puts them into one transaction, `one_log` into one log; `together` puts an event into the
//! block of the one before. `[[alert]]` has `times` too, `members`, `under` (the rule
//! of its root), `explained`, `corrected` (closed because the registry was) and `retroactive`.
//!
//! `[[later]]` is a version of the registry that comes after so many events, and says what held before.
//!
//! `[tables]` lists the rows of a table in the end, where a story is about them: `custody = ["P1 0 owner …"]`, with the
//! columns of `shown.rs`. Block 1 holds the first event, block 2 the second, and so on.
//!
//! The cast and its registry are in `cast.rs`. Every scenario is also played by reverting each block once and
//! playing it again, and must end with the same rows.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a scenario ends where its file is wrong; nobody imports it"
)]

mod cast;
mod late;
mod play;
mod shown;

use play::{Story, Told};
use std::path::PathBuf;

fn stories() -> Vec<(String, Story)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let story = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, story)
    };
    files.iter().map(read).collect()
}

#[test]
fn every_story_raises_just_its_alerts() {
    let mut wrong = Vec::new();
    for (name, story) in stories() {
        let alerts = play::through(&story).alerts;
        if alerts != story.alerts {
            let missing = story.alerts.iter().filter(|alert| !alerts.contains(alert));
            let extra = alerts.iter().filter(|alert| !story.alerts.contains(alert));
            let missing = missing.map(|alert| format!("\n  - {alert:?}"));
            let lines: String = missing.chain(extra.map(|alert| format!("\n  + {alert:?}"))).collect();
            wrong.push(format!("{name}: {} alerts, expected {}{lines}", alerts.len(), story.alerts.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_story_leaves_just_the_rows_that_it_lists() {
    let mut wrong = Vec::new();
    for (name, story) in stories() {
        let played = play::through(&story);
        for (table, expected) in &story.tables {
            let lines = played.lines(table);
            if lines != *expected {
                wrong.push(format!("{name}: {table}\n  expected {expected:#?}\n  came {lines:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_reorg_before_each_event_changes_nothing_in_the_end() {
    for (name, story) in stories() {
        let straight = play::through(&story);
        let twice = play::with_every_block_reverted_once(&story);
        assert_eq!(straight.alerts, twice.alerts, "{name}");
        assert_eq!(straight.rows, twice.rows, "{name}");
        assert!(straight.state == twice.state, "{name}: the states differ");
        assert_eq!(straight.told_last(), twice.told_last(), "{name}");
    }
}

#[test]
fn a_restart_after_each_event_changes_nothing_in_the_end() {
    for (name, story) in stories() {
        let straight = play::through(&story);
        let restarted = play::with_a_restart_after_every_block(&story);
        assert_eq!(straight.alerts, restarted.alerts, "{name}");
        assert_eq!(straight.told_last(), restarted.told_last(), "{name}");
    }
}

#[test]
fn however_blocks_are_cut_into_segments_the_rows_are_the_same() {
    let mut played = 0;
    for (name, story) in stories() {
        let straight = play::through(&story);
        for blocks in [2, 3, usize::MAX] {
            let Some(in_runs) = play::in_runs_of(&story, blocks) else { continue };
            assert_eq!(straight.alerts, in_runs.alerts, "{name}, {blocks} blocks");
            assert_eq!(straight.rows, in_runs.rows, "{name}, {blocks} blocks");
            played += 1;
        }
    }
    assert!(played > 200, "only {played} stories were cut");
}

#[test]
fn what_was_judged_again_is_undone_with_its_block() {
    let mut reverted = 0;
    for (name, story) in stories() {
        let Some((back, never)) = play::and_revert_what_was_judged_again(&story) else { continue };
        assert_eq!(back.alerts, never.alerts, "{name}");
        assert_eq!(back.rows, never.rows, "{name}");
        assert!(back.state == never.state, "{name}: the states differ");
        reverted += 1;
    }
    assert!(reverted > 15, "only {reverted} stories end with later knowledge");
}

#[test]
fn what_was_told_of_an_orphaned_block_is_withdrawn() {
    let mut withdrawn = 0;
    for (name, story) in stories() {
        let played = play::and_revert_to_nothing(&story);
        assert_eq!(played.alerts, [], "{name}");
        for told in played.told_last() {
            assert_eq!(told.kind, "withdrawn", "{name}: {told:?}");
            withdrawn += 1;
        }
    }
    assert!(withdrawn > 20, "only {withdrawn} cases were there to be withdrawn");
}

#[test]
fn every_rule_has_a_story_that_raises_it_and_an_innocent_neighbour() {
    let stories = stories();
    for rule in custody::rules::ALL {
        let code = rule.card().code.0;
        let of_rule = || stories.iter().filter(|(name, _)| name.starts_with(code));
        assert!(
            of_rule().any(|(_, story)| story.alerts.iter().any(|alert: &Told| alert.rule == code)),
            "{code}: no story raises it"
        );
        assert!(of_rule().any(|(_, story)| story.alerts.is_empty()), "{code}: no innocent neighbour");
    }
}

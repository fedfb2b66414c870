//! Bounds on what one actor or contract can make us store, and the collapse of many alerts with one cause.
//!
//! Everything is counted within an hour of block time from the first event counted, in integers that a reorg takes back.

use crate::cases::{self, Cause};
use crate::state::{ChainState, HolderId};
use model::alert::CaseKey;
use serde::{Deserialize, Serialize};

/// Whose doings are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TallyKey {
    /// An address that acts.
    Actor(HolderId),
    /// A contract that logs.
    Contract(u32),
}

/// What was counted within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Block time of the first event of the hour, Unix seconds.
    pub since_secs: i64,
    /// Events within it.
    pub events: u32,
    /// Roots that were opened by it within the hour, at most [`ROOTS_MAX`].
    pub roots: Vec<CaseKey>,
    /// The case that took them in, once there is one.
    pub parent: Option<CaseKey>,
}

/// Roots that are remembered of one cause in one hour: more than that make a storm, whose parent takes in the rest.
/// Source: catalogue of rules, "a storm is 50 roots with one cause within one hour".
pub const ROOTS_MAX: usize = 50;

/// How long a tally runs.
const HOUR_SECS: i64 = 3_600;

/// The tally of `key` that runs at `now_secs`, or a new one.
pub fn tally(state: &ChainState, key: TallyKey, now_secs: i64) -> Tally {
    let fresh = || Tally { since_secs: now_secs, events: 0, roots: Vec::new(), parent: None };
    let runs = |tally: &&Tally| now_secs - tally.since_secs < HOUR_SECS;
    state.tallies.get(&key).filter(runs).cloned().unwrap_or_else(fresh)
}

/// Counts an event; returns how many there were within the hour, this one included.
pub fn count(state: &mut ChainState, key: TallyKey, now_secs: i64) -> u32 {
    let mut tally = tally(state, key, now_secs);
    tally.events = tally.events.saturating_add(1);
    let events = tally.events;
    state.tallies.set(key, Some(tally));
    events
}

/// Takes a new root into account: it goes under the parent of its cause, where there is one. Returns the roots of
/// the hour once they make a storm.
pub fn count_root(
    state: &mut ChainState,
    key: TallyKey,
    root: CaseKey,
    cause: &Cause,
) -> Option<Vec<CaseKey>> {
    let mut tally = tally(state, key, cause.raised_at_secs);
    if let Some(parent) = tally.parent {
        cases::adopt(state, root, parent, cause);
        return None;
    }
    tally.roots.push(root);
    let storm = (tally.roots.len() >= ROOTS_MAX).then(|| tally.roots.clone());
    state.tallies.set(key, Some(tally));
    storm
}

/// Puts the roots of the hour under `parent`, and those that still come.
pub fn gather(state: &mut ChainState, key: TallyKey, parent: CaseKey, cause: &Cause) {
    let mut tally = tally(state, key, cause.raised_at_secs);
    for root in std::mem::take(&mut tally.roots) {
        cases::adopt(state, root, parent, cause);
    }
    if let Some(storm) = tally.parent.replace(parent) {
        cases::adopt(state, storm, parent, cause);
    }
    state.tallies.set(key, Some(tally));
}

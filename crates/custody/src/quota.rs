//! Bounds on what one actor or contract can make us store: events counted within an hour of block time from the first
//! one counted, in integers that a reorg takes back.

use crate::state::{ChainState, HolderId};
use serde::{Deserialize, Serialize};

/// Whose doings are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TallyKey {
    /// An address that acts.
    Actor(HolderId),
    /// A contract that logs.
    Contract(u32),
}

/// What was counted within an hour. One for each actor and contract that was ever counted: they are interned, and
/// this adds 16 bytes to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Block time of the first event of the hour, Unix seconds.
    pub since_secs: i64,
    /// Events within it.
    pub events: u32,
}

/// How long a tally runs.
const HOUR_SECS: i64 = 3_600;

/// The tally of `key` that runs at `now_secs`, or a new one.
pub fn tally(state: &ChainState, key: TallyKey, now_secs: i64) -> Tally {
    let runs = |tally: &&Tally| now_secs - tally.since_secs < HOUR_SECS;
    state.tallies.get(&key).filter(runs).copied().unwrap_or(Tally { since_secs: now_secs, events: 0 })
}

/// Counts an event; returns how many there were within the hour, this one included.
pub fn count(state: &mut ChainState, key: TallyKey, now_secs: i64) -> u32 {
    let mut tally = tally(state, key, now_secs);
    tally.events = tally.events.saturating_add(1);
    state.tallies.set(key, Some(tally));
    tally.events
}

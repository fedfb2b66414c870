//! Late knowledge: a version of the registry says what held before it came, and what was judged then is judged again.
//!
//! ```text
//! version ──difference──▶ PastQuery ──store──▶ PastStep ──look twice──▶ cases
//! ```
//!
//! It happens once for a version, in the first block that the version is in force for and before that block's events:
//! what it changes is undone with the block and done again with the one in its place, and is the same however blocks
//! were cut into segments.
//!
//! - [`difference`]: which rows of the registry changed, and when they say something else.
//! - [`query`]: which steps that concerns.
//! - `steps`: rules that need nothing of the state as it was then look at these steps twice, with the version before
//!   and with this one. What only the new one shows is raised as retroactive; what it no longer shows is closed as
//!   corrected; what it shows otherwise is graded anew.
//! - `stories`: branches whose beginning an agreement or wallet makes lawful take their story's place.
//! - `contracts`: contracts that are named after all, and pairs of them that are announced.
//!
//! Nothing is erased: a closed case stays, and says why it was closed.

mod contracts;
pub mod difference;
mod found;
pub mod query;
mod steps;
mod stories;

use crate::apply;
use crate::decode::Profiles;
use crate::registry::Index;
use crate::rows::Rows;
use crate::rules::Parameters;
use crate::state::ChainState;
use crate::storm;
use model::event::{Event, EventKind};
use model::past::PastStep;
use model::{Address, chain::LogPosition};

/// A version of the registry that judges what came before it.
#[derive(Debug, Clone, Copy)]
pub struct Late<'a> {
    /// The version that was in force before it.
    pub old: &'a Index,
    /// The version.
    pub new: &'a Index,
    /// Parameters of the rules.
    pub parameters: &'a Parameters,
    /// The contracts that the configuration names.
    pub profiles: &'a Profiles,
    /// The first block that it is in force for.
    pub block: u64,
}

/// Judges by a version what came before it. `steps` are those that its query asks for, in the order of the chain.
pub fn version(state: &mut ChainState, late: &Late<'_>, steps: &[PastStep], rows: &mut Rows) {
    let aside = storm::put_aside(state);
    stories::settle(state, late, rows);
    contracts::settle(state, late, rows);
    steps::judge(state, late, steps);
    storm::put_back(state, aside);
    apply::fire_timers(state, state.now_secs, late.block);
}

/// What stands for the version where rows ask which event changed them: before the first log of its block. `secs` is
/// when that holds, Unix seconds.
fn event(late: &Late<'_>, secs: i64) -> Event {
    let position = LogPosition { block: late.block, log: 0, sub: 0 };
    Event { block_time_secs: secs, ..Event::bare(EventKind::Other, Address::ZERO, position) }
}

//! From the store to answers.
//!
//! ```text
//! store ──snapshot──▶ engine (one SQL door: guard, bounds, deadline) ──rows──▶ format ──▶ http, command line
//! ```
//!
//! - [`engine`]: the one door; what a statement may be is judged in `guard`, what it may cost is in [`limits`].
//! - [`named`]: the fraud queries that are asked by their names, with typed parameters.
//! - [`snapshot`]: what the engine reads, and the name of it that every answer carries.
//! - [`format`]: rows as a table, CSV, JSON, NDJSON or Parquet, written as they come.
//! - [`http`]: the loopback address.
//! - [`metrics`]: what can be seen of questions from outside.
//! - [`moment`]: several statements asked of one snapshot, which the answers below are made of.
//! - [`pedigree`]: one item's story with what was flagged, in place; [`item`]: the same with who is who, product and lot.
//! - [`verify`]: is this pack what it claims to be? [`cases`], [`lots`], [`directory`], [`overview`]: what people look at.

pub mod cases;
pub mod directory;
pub mod engine;
pub mod error;
pub mod format;
mod guard;
pub mod http;
pub mod item;
pub mod limits;
pub mod lots;
pub mod metrics;
pub mod moment;
pub mod named;
pub mod overview;
pub mod pedigree;
pub mod snapshot;
#[cfg(test)]
mod testing;
pub mod verify;

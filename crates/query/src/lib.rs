//! From the store to answers.
//!
//! ```text
//! store ──snapshot──▶ engine (one SQL door: guard, bounds, deadline) ──rows──▶ format ──▶ http, command line
//! ```
//!
//! - [`engine`]: the one door; what a statement may be is judged in `guard`, what it may cost is in [`limits`].
//! - [`snapshot`]: what the engine reads, and the name of it that every answer carries.
//! - [`format`]: rows as a table, CSV, JSON, NDJSON or Parquet, written as they come.
//! - [`http`]: the loopback address.
//! - [`metrics`]: what can be seen of questions from outside.
//! - [`pedigree`]: one item's story with what was flagged, in place.

pub mod engine;
pub mod error;
pub mod format;
mod guard;
pub mod http;
pub mod limits;
pub mod metrics;
pub mod pedigree;
pub mod snapshot;
#[cfg(test)]
mod testing;

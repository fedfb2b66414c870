//! Transform: from the bus through custody into the store, and word of alerts outward.
//!
//! ```text
//! Subscriber ──Record──▶ custody::Core ──Commit──▶ Writer ──▶ acknowledge, tell
//! ```
//!
//! One loop ([`run()`](run::run)) with no way back but the position. The core is pure; this is where it meets time,
//! files and failure.

pub mod error;
mod ledger;
pub mod metrics;
pub mod outward;
pub mod restore;
pub mod run;

pub use error::{Error, Result};
pub use metrics::Metrics;
pub use outward::{Outward, Told};
pub use run::run;

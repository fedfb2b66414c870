//! A process's life: how it logs, shows its health, retries, and ends.
//!
//! - [`logs`]: text to a terminal, JSON otherwise; registered secrets never come through.
//! - [`shutdown`]: the first signal asks everyone to end, the second ends the process.
//! - [`retry`]: bounded, with growing and jittered pauses.
//! - [`metrics`] and [`health`]: what Prometheus and an orchestrator ask, served by [`listener`]'s bounded connections.
//! - [`clock`]: the only place that knows the time of day. It serves metrics; rows know block time only.

pub mod clock;
pub mod error;
pub mod health;
pub mod listener;
pub mod logs;
pub mod metrics;
pub mod retry;
pub mod shutdown;

pub use error::{Error, Result};

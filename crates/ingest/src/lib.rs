//! From the chain to the bus: logs are read from nodes, verified, and published as changes.
//!
//! ```text
//! endpoint ─┐ rpc: answers       fetch: one range,     pool: which      run: what     published
//! endpoint ─┼──────────────────▶ verified ───────────▶ endpoint ──────▶ comes next ──────────▶ bus
//! endpoint ─┘ read as hostile                          (ChainSource)
//! ```
//!
//! In reading order:
//!
//! - [`config`] and [`filter`]: how a chain is read, and which logs of it.
//! - [`run`]: the loop, over a [`source`]: where the chain ends, and what that makes the next step.
//!   Its parts: `finality` (the step), `pipeline` (ranges in order, several at once), `reorg` (the common ancestor),
//!   `factory` (contracts found in events), `published` (what the bus holds).
//! - `pool`: the endpoints of a chain as one source. `endpoint`: one of them, with its health and its `range`.
//! - `fetch` and `verify`: a range becomes a segment that is verified at its level. `columns`: logs put together.
//! - [`rpc`]: JSON-RPC with one endpoint.
//! - [`probe`]: what endpoints can do, and what each level costs.
//! - [`registry`]: reference data from files.
//! - [`metrics`], `incidents`, [`error`].
//!
//! The chain is the only truth, and the node that serves it may lie: what is published says how far it was verified.

mod columns;
pub mod config;
mod endpoint;
pub mod error;
mod factory;
mod fetch;
pub mod filter;
mod finality;
mod incidents;
pub mod metrics;
mod pipeline;
mod pool;
pub mod probe;
mod published;
mod range;
pub mod registry;
mod reorg;
pub mod rpc;
pub mod run;
pub mod source;
mod verify;

#[cfg(test)]
mod testing;

pub use config::Config;
pub use error::{Error, Result};
pub use filter::Filter;
pub use run::{Inputs, RegistryFeed, run, run_over};

//! The core: decode, custody state, rules. Pure: no clock, no I/O, no async; same changes, same rows.
//!
//! ```text
//! Record ──decode──▶ events ──apply──▶ state, rows, cases ──▶ Commit
//! ```
//!
//! Start with [`core::Core`], which takes one record after the other. In reading order:
//!
//! - [`core`]: records in, commits out; reverts and finality.
//! - [`decode`]: raw logs to events, by contract profiles.
//! - [`apply`]: one event: scene, rules, state.
//! - [`numbers`]: what an event names, as the state knows it.
//! - [`scene`]: what a rule sees.
//! - [`machine`]: the custody state machine.
//! - [`units`]: the ledger of tokens held in quantities.
//! - [`rules`]: one file a rule.
//! - [`cases`], [`timers`], [`quota`], [`storm`], [`explain`]: what becomes of findings.
//! - [`rejudge`]: what later knowledge does to all of these.
//! - [`claims`] and [`across`]: what chains say of one item, compared.
//! - [`notices`]: what people are told.
//! - [`state`] and [`journal`]: what is remembered, and how it is taken back.
//! - [`registry`]: who is who, and who may do what.
//! - [`lineage`]: which item came from which.
//! - [`rows`]: what goes into the tables.

pub mod across;
pub mod apply;
pub mod cases;
pub mod claims;
pub mod core;
pub mod decode;
pub mod error;
pub mod explain;
pub mod journal;
pub mod lineage;
pub mod machine;
pub mod notices;
pub mod numbers;
pub mod quota;
pub mod registry;
pub mod rejudge;
pub mod rows;
pub mod rules;
pub mod scene;
pub mod state;
pub mod storm;
pub mod timers;
pub mod units;

pub use crate::core::{Core, Setup};
pub use error::Error;

//! The words of rxtrail: what every other crate speaks, and nothing that does anything.
//!
//! One value moves through the system, and it moves one way:
//!
//! ```text
//! ingest ──Change──▶ bus ──Change──▶ custody ──rows, alerts──▶ store ──tables──▶ query
//! ```
//!
//! In reading order:
//!
//! - [`chain`]: chains, blocks, positions of logs.
//! - [`segment`]: a contiguous run of blocks with its raw logs in columns.
//! - [`change`]: the only thing that moves: open, append, revert, finalize, registry.
//! - [`gs1`] and [`item`]: what a pack, a case or a lot is called.
//! - [`event`]: one decoded step of an item's life.
//! - [`registry`]: who may do what, with valid time and known time.
//! - [`alert`]: findings, cases, notices.
//! - [`commit`]: what one change does to the tables.
//! - [`incident`]: what went wrong while reading.
//! - [`past`]: what later knowledge asks of the past.
//! - [`tables`]: every table with the type, unit and meaning of its columns.
//! - [`error`]: the three ends that an error can have.
//!
//! Nothing here has a clock, I/O or async.

pub mod alert;
pub mod chain;
pub mod change;
pub mod commit;
pub mod error;
pub mod event;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod gs1;
pub mod incident;
pub mod item;
pub mod past;
pub mod registry;
pub mod segment;
pub mod tables;

pub use alloy_primitives::{Address, B256, Bloom, Bytes, I256, U256};

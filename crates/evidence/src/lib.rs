//! Proof that a log stands in a block: hashes, blooms, tries and signatures, built and verified.
//!
//! A node's answer goes in, and what comes out was recomputed, never taken:
//!
//! ```text
//! header JSON ──hash──▶ block hash ──parent hash──▶ the block below
//!   ├─ logs bloom         holds every log (or a log is missing, or made up)
//!   ├─ receipts root      every receipt and log, in order
//!   └─ transactions root  every transaction: hash, input, signature ──▶ sender
//! ```
//!
//! In reading order:
//!
//! - [`header`]: hash of a header, and its link to the block below.
//! - [`bloom`]: which logs a block may hold.
//! - [`receipt`] and [`transaction`]: a node's JSON to the bytes that the chain commits to.
//! - [`roots`]: the tries over those bytes.
//! - [`block`]: a whole block against its header, the node's indexes and hashes included.
//! - [`proof`]: one receipt or transaction out of a block, and [`log_proof`]: one log, for someone who trusts
//!   neither us nor the node.
//! - [`error`]: what disagrees, with the values.
//!
//! ingest verifies with it, the simulator builds blocks with it, query exports and verifies evidence with it.
//! Nothing here has a clock, I/O or async, and no input makes it panic.

pub mod block;
pub mod bloom;
pub mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod header;
mod json;
pub mod log_proof;
pub mod proof;
pub mod receipt;
pub mod roots;
#[cfg(test)]
mod sample;
pub mod transaction;

//! The chain: signed transactions in blocks whose hashes, roots, blooms and senders verify, and reorgs of them.
//!
//! In the order in which a block comes about:
//!
//! - [`transaction`]: a draft is signed.
//! - [`body`]: transactions are gathered into blocks.
//! - [`seal`]: a body gets its header on top of a parent.
//! - [`render`]: a sealed block is written as JSON once, so that answering is copying.
//! - [`ledger`]: the canonical chain, its head and finality, and what is still to be mined.
//! - [`reorg`]: the last blocks are replaced by siblings.

pub(crate) mod body;
pub(crate) mod ledger;
pub(crate) mod render;
pub(crate) mod reorg;
pub(crate) mod seal;
pub(crate) mod transaction;

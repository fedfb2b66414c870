//! Chains, blocks and positions: where in which chain something stands.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An EIP-155 chain id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainId(pub u64);

impl ChainId {
    /// The stream of what is found across chains: cases that no single chain tells. It has no blocks and is not on
    /// the bus. EIP-155 gives no chain this number.
    pub const ACROSS: Self = Self(0);
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A block named by number and hash: the pair that a reorg cannot blur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Height, from 0.
    pub number: u64,
    /// Keccak-256 of the header's RLP, computed by us, never taken from a node.
    pub hash: B256,
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number, self.hash)
    }
}

/// Where an event stands in its chain: block, log index within the block, and the index within the log
/// for logs that speak of several items (ERC-1155 batches). The order of the fields is the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogPosition {
    /// Block number.
    pub block: u64,
    /// Log index within the block.
    pub log: u32,
    /// Index within the log, 0 for a log that speaks of one item.
    pub sub: u32,
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.block, self.log)?;
        if self.sub > 0 { write!(f, ".{}", self.sub) } else { Ok(()) }
    }
}

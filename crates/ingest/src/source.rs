//! The seam between the chain and the loop: what [`run`](crate::run) asks of a chain, a few times per range.
//!
//! [`Pool`](crate::pool) implements it over JSON-RPC. A simulation implements it in memory, and drives the same
//! loop without sockets.

use crate::error::Result;
use crate::filter::Query;
use alloy_primitives::B256;
use async_trait::async_trait;
use model::chain::BlockRef;
use model::segment::{BlockMeta, Finality, Segment, VerificationLevel};
use std::sync::Arc;

/// One chain, as it stands now.
#[async_trait]
pub trait ChainSource: Send + Sync {
    /// The newest block, and the newest final one.
    async fn heads(&self) -> Result<Heads>;

    /// The block with this number; `None` above the newest.
    async fn block(&self, number: u64) -> Result<Option<BlockMeta>>;

    /// Does the chain hold this block? Asked before a final block is given up, so every endpoint has a say.
    async fn confirm(&self, block: BlockRef) -> Result<bool>;

    /// Reads blocks from `first` on, verified at the request's level, as one segment.
    ///
    /// The segment may end before `last` when it would be too large: the caller reads on from there. A segment whose
    /// parent is not the one that is expected says that the chain has changed.
    async fn read(&self, request: ReadRequest) -> Result<Segment>;

    /// How many blocks a read at `level` should span now.
    fn span(&self, level: VerificationLevel) -> u64;

    /// Returns when there may be a new head.
    async fn changed(&self);
}

/// The ends of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// The newest block.
    pub latest: BlockMeta,
    /// The newest block that the nodes call final; `None` before the first, and where the tag is not used.
    pub finalized: Option<BlockMeta>,
}

/// A range to read.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// Number of the first block.
    pub first: u64,
    /// Number of the last block, `first` or above; `first` itself for an open block.
    pub last: u64,
    /// Hash of the block below the first, where it is known.
    pub parent: Option<B256>,
    /// May the blocks still be orphaned?
    pub finality: Finality,
    /// How far they are verified.
    pub level: VerificationLevel,
    /// Which of them are verified as at level `receipts` whatever the level.
    pub sample: Sample,
    /// Which logs are asked for.
    pub query: Arc<Query>,
}

/// A seeded sample of blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// One in so many blocks; 0 for none.
    pub one_in: u64,
    /// Draws them.
    pub seed: u64,
}

impl Sample {
    /// Is this block in the sample? The same seed draws the same blocks.
    pub fn holds(&self, number: u64) -> bool {
        if self.one_in == 0 {
            return false;
        }
        // SplitMix64 over seed and number: one draw per block, without a state to keep (Steele et al., OOPSLA 2014).
        let mut draw = self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        draw = (draw ^ (draw >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        draw = (draw ^ (draw >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (draw ^ (draw >> 31)).is_multiple_of(self.one_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_its_seeds_and_about_one_in_so_many() {
        let drawn = |seed| {
            (0..100_000).filter(|number| Sample { one_in: 100, seed }.holds(*number)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!((800..1_200).contains(&drawn(1).len()), "{}", drawn(1).len());
        assert!(!Sample::default().holds(0) && Sample { one_in: 1, seed: 9 }.holds(7));
    }
}

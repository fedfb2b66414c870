//! Where our chain and the nodes' part: the highest block of ours that the chain still holds.
//!
//! Blocks are linked by hash, so one that is held answers for all below it: the search doubles its steps downwards
//! and then halves them, and a reorg of a thousand blocks costs twenty questions.

use crate::error::{Error, Result};
use crate::published::Standing;
use crate::source::ChainSource;
use model::chain::{BlockRef, ChainId};

/// The highest block on the bus that the chain still holds; `latest` is the number of the chain's newest block.
///
/// # Errors
/// [`Error::DeepReorg`] when a final block is no longer held by any endpoint; [`Error::Moved`] when the chain
/// changes during the search.
pub(crate) async fn common_ancestor(
    source: &dyn ChainSource,
    chain: ChainId,
    ours: &Standing,
    latest: u64,
) -> Result<BlockRef> {
    let open = &ours.open;
    let search = Search { source, chain, latest };
    // Nothing at `gone` or above is held.
    let (mut gone, mut step) = (open.len(), 1);
    let mut held = None;
    while gone > 0 && held.is_none() {
        let place = gone.saturating_sub(step);
        if search.is_held(open[place]).await? {
            held = Some(place);
        } else {
            gone = place;
            step *= 2;
        }
    }
    let Some(mut held) = held else { return search.below_open(ours).await };
    while gone - held > 1 {
        let place = held + (gone - held) / 2;
        if search.is_held(open[place]).await? { held = place } else { gone = place }
    }
    Ok(open[held])
}

struct Search<'s> {
    source: &'s dyn ChainSource,
    chain: ChainId,
    latest: u64,
}

impl Search<'_> {
    async fn is_held(&self, block: BlockRef) -> Result<bool> {
        match self.source.block(block.number).await? {
            Some(held) => Ok(held.block.hash == block.hash),
            None if block.number > self.latest => Ok(false),
            // A node that is behind the one that told of the newest block cannot tell.
            None => Err(Error::Moved { chain: self.chain, block: block.number }),
        }
    }

    /// Every open block is gone: the final one must still be held.
    async fn below_open(&self, ours: &Standing) -> Result<BlockRef> {
        let Some(finalized) = ours.finalized.or(ours.open.front().copied()).or(ours.tip) else {
            return Err(Error::Moved { chain: self.chain, block: self.latest });
        };
        if self.source.confirm(finalized).await? {
            return Ok(finalized);
        }
        let rewind_to = finalized.number.saturating_sub(1);
        Err(Error::DeepReorg { chain: self.chain, finalized, rewind_to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Heads, ReadRequest};
    use alloy_primitives::B256;
    use async_trait::async_trait;
    use model::segment::{BlockMeta, Segment, VerificationLevel};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A chain that shares our blocks up to `common`, and counts the questions.
    struct Parted {
        common: u64,
        latest: u64,
        asked: AtomicU64,
    }

    #[async_trait]
    impl ChainSource for Parted {
        async fn heads(&self) -> Result<Heads> {
            unreachable!("the search asks for blocks only")
        }

        async fn block(&self, number: u64) -> Result<Option<BlockMeta>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let block = ours(number, if number <= self.common { 1 } else { 2 });
            Ok((number <= self.latest).then_some(BlockMeta { block, parent_hash: B256::ZERO, time_secs: 0 }))
        }

        async fn confirm(&self, block: BlockRef) -> Result<bool> {
            Ok(block.number <= self.common)
        }

        async fn read(&self, _: ReadRequest) -> Result<Segment> {
            unreachable!("the search asks for blocks only")
        }

        fn span(&self, _: VerificationLevel) -> u64 {
            1
        }

        async fn changed(&self) {}
    }

    fn ours(number: u64, branch: u8) -> BlockRef {
        BlockRef { number, hash: B256::repeat_byte(branch) }
    }

    async fn search(finalized: u64, tip: u64, common: u64, latest: u64) -> (Result<BlockRef>, u64) {
        let open = (finalized + 1..=tip).map(|number| ours(number, 1)).collect();
        let standing = Standing { tip: Some(ours(tip, 1)), finalized: Some(ours(finalized, 1)), open };
        let chain = Parted { common, latest, asked: AtomicU64::new(0) };
        let found = common_ancestor(&chain, ChainId(1), &standing, latest).await;
        (found, chain.asked.into_inner())
    }

    #[tokio::test]
    async fn every_depth_is_found_down_to_the_final_block() {
        for common in 100..=164 {
            for latest in [common, common + 1, 164, 200] {
                let (found, _) = search(100, 164, common, latest.max(common)).await;
                assert_eq!(found.unwrap(), ours(common, 1), "common {common}, latest {latest}");
            }
        }
    }

    #[tokio::test]
    async fn a_deep_reorg_takes_few_questions() {
        let (found, asked) = search(0, 4096, 17, 5000).await;
        assert_eq!(found.unwrap(), ours(17, 1));
        assert!(asked <= 26, "{asked} questions");
    }

    #[tokio::test]
    async fn below_the_final_block_is_an_error_that_names_the_repair() {
        let (found, _) = search(100, 164, 99, 200).await;
        let error = found.unwrap_err();
        assert!(matches!(error, Error::DeepReorg { rewind_to: 99, .. }));
        assert!(error.to_string().contains("`rxtrail rewind --to 99`"), "{error}");
    }

    #[tokio::test]
    async fn a_node_that_is_behind_is_asked_again() {
        let open = [ours(101, 1), ours(102, 1)].into();
        let standing = Standing { tip: Some(ours(102, 1)), finalized: Some(ours(100, 1)), open };
        let behind = Parted { common: 200, latest: 101, asked: AtomicU64::new(0) };
        let found = common_ancestor(&behind, ChainId(1), &standing, 105).await;
        assert!(matches!(found, Err(Error::Moved { block: 102, .. })), "{found:?}");
    }
}

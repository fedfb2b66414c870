//! Where the chain ends and where it is final, and what that makes the next step. The step is a pure function.

use crate::config::FinalityRule;
use crate::error::{Error, Result};
use crate::published::Standing;
use crate::source::{ChainSource, Heads};
use model::chain::{BlockRef, ChainId};
use model::segment::BlockMeta;

/// The ends of the chain under the rule that is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) latest: BlockMeta,
    pub(crate) finalized: BlockMeta,
}

/// Asks where the chain ends. Before a chain has finalised anything, its first block is final.
pub(crate) async fn ends(source: &dyn ChainSource, chain: ChainId, rule: FinalityRule) -> Result<Ends> {
    let Heads { latest, finalized } = source.heads().await?;
    let number = match (rule, finalized) {
        // A node whose two answers crossed: what is final is not above the newest.
        (FinalityRule::Tag, Some(finalized)) if finalized.block.number <= latest.block.number => {
            return Ok(Ends { latest, finalized });
        }
        (FinalityRule::Tag, Some(_)) => return Ok(Ends { latest, finalized: latest }),
        (FinalityRule::Tag, None) => 0,
        (FinalityRule::Confirmations(confirmations), _) => latest.block.number.saturating_sub(confirmations),
    };
    let finalized = source.block(number).await?;
    Ok(Ends { latest, finalized: finalized.ok_or(Error::Moved { chain, block: number })? })
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read final blocks, up to this one.
    Backfill { first: u64, last: BlockRef },
    /// Blocks up to this one of ours became final.
    Finalize(BlockRef),
    /// Read open blocks.
    Extend { first: u64, last: u64 },
    /// The chain holds another block where we have one.
    Reorg,
    /// Too many open blocks: finality does not move.
    Stalled,
    /// There is nothing to do.
    Wait,
}

/// What to do next, given what the bus holds and where the chain ends.
pub(crate) fn next_step(ours: &Standing, ends: &Ends, start_block: u64, tail_limit: u64) -> Step {
    let (latest, finalized) = (ends.latest.block, ends.finalized.block);
    let Some(tip) = ours.tip else {
        // The stream begins with a final block, below the first one that is asked for if need be: so whatever is
        // taken back later, there is a block to go back to.
        return Step::Backfill { first: start_block.min(finalized.number), last: finalized };
    };
    if finalized.number > tip.number {
        return Step::Backfill { first: tip.number.saturating_add(1), last: finalized };
    }
    if ours.finalized.is_none_or(|known| finalized.number > known.number) {
        match ours.hash_at(finalized.number) {
            Some(hash) if hash == finalized.hash => return Step::Finalize(finalized),
            Some(_) => return Step::Reorg,
            // Not known after a restart: it becomes final with the first block that is.
            None => {}
        }
    }
    if latest.number > tip.number {
        let room = tail_limit.saturating_sub(ours.open.len() as u64);
        let first = tip.number.saturating_add(1);
        return match room {
            0 => Step::Stalled,
            room => Step::Extend { first, last: latest.number.min(tip.number.saturating_add(room)) },
        };
    }
    match ours.hash_at(latest.number) {
        Some(hash) if hash != latest.hash => Step::Reorg,
        _ => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    const BRANCH: u8 = 1;
    const OTHER: u8 = 2;
    const START: u64 = 10;
    const TAIL_LIMIT: u64 = 20;

    fn at(number: u64, branch: u8) -> BlockRef {
        BlockRef { number, hash: B256::repeat_byte(branch) }
    }

    fn meta(block: BlockRef) -> BlockMeta {
        BlockMeta { block, parent_hash: B256::ZERO, time_secs: 0 }
    }

    /// A stream from its final block to its tip.
    fn ours(finalized: u64, tip: u64) -> Standing {
        let open = (finalized + 1..=tip).map(|number| at(number, BRANCH)).collect();
        Standing { tip: Some(at(tip, BRANCH)), finalized: Some(at(finalized, BRANCH)), open }
    }

    fn next(ours: &Standing, finalized: BlockRef, latest: BlockRef) -> Step {
        next_step(ours, &Ends { latest: meta(latest), finalized: meta(finalized) }, START, TAIL_LIMIT)
    }

    #[test]
    fn a_stream_begins_with_a_final_block() {
        let empty = Standing::default();
        let step = |finalized| next(&empty, at(finalized, BRANCH), at(200, BRANCH));
        assert_eq!(step(150), Step::Backfill { first: START, last: at(150, BRANCH) });
        assert_eq!(step(4), Step::Backfill { first: 4, last: at(4, BRANCH) });
        assert_eq!(step(0), Step::Backfill { first: 0, last: at(0, BRANCH) });
    }

    #[test]
    fn final_blocks_come_before_open_ones_and_what_is_ours_is_finalised() {
        let table = [
            ("final blocks above the tip", 150, 200, Step::Backfill { first: 101, last: at(150, BRANCH) }),
            ("one of ours became final", 95, 102, Step::Finalize(at(95, BRANCH))),
            ("the tip became final", 100, 102, Step::Finalize(at(100, BRANCH))),
            ("finality stands, the head moves", 90, 102, Step::Extend { first: 101, last: 102 }),
            ("finality went back", 80, 102, Step::Extend { first: 101, last: 102 }),
            ("more than the tail takes", 90, 500, Step::Extend { first: 101, last: 110 }),
            ("nothing new", 90, 100, Step::Wait),
            ("a node that is behind", 90, 97, Step::Wait),
            ("a node that is far behind", 20, 30, Step::Wait),
        ];
        for (what, finalized, latest, step) in table {
            assert_eq!(next(&ours(90, 100), at(finalized, BRANCH), at(latest, BRANCH)), step, "{what}");
        }
    }

    #[test]
    fn another_block_where_we_have_one_is_a_reorg() {
        let table = [
            ("the head was replaced", at(90, BRANCH), at(100, OTHER)),
            ("a shorter branch", at(90, BRANCH), at(97, OTHER)),
            ("another branch became final", at(95, OTHER), at(102, OTHER)),
            ("down to the final block", at(80, OTHER), at(90, OTHER)),
        ];
        for (what, finalized, latest) in table {
            assert_eq!(next(&ours(90, 100), finalized, latest), Step::Reorg, "{what}");
        }
    }

    #[test]
    fn a_full_tail_waits_for_finality() {
        let full = ours(90, 90 + TAIL_LIMIT);
        assert_eq!(next(&full, at(90, BRANCH), at(111, BRANCH)), Step::Stalled);
        assert_eq!(next(&full, at(91, BRANCH), at(111, BRANCH)), Step::Finalize(at(91, BRANCH)));
        assert_eq!(next(&full, at(90, BRANCH), at(110, OTHER)), Step::Reorg);
    }

    #[test]
    fn a_block_of_ours_that_is_not_known_after_a_restart_is_left_until_the_tip_is_final() {
        let restarted = Standing { open: [at(100, BRANCH)].into(), ..ours(90, 100) };
        assert_eq!(next(&restarted, at(95, BRANCH), at(101, BRANCH)), Step::Extend { first: 101, last: 101 });
        assert_eq!(next(&restarted, at(100, BRANCH), at(101, BRANCH)), Step::Finalize(at(100, BRANCH)));
    }
}

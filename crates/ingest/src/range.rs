//! How many blocks one `eth_getLogs` spans: learnt from the answers and refusals of one endpoint.
//!
//! It grows on success towards an answer of [`ANSWER_LOGS`] logs, shrinks on refusal, and remembers: a bound in
//! blocks that the provider names holds for good; a span that failed for any other reason is not tried again until
//! some successes later.

use crate::rpc::error::RangeHint;
use std::sync::{Mutex, PoisonError};

/// Logs that one answer is aimed at: about 6 MB of JSON at 640 bytes a log, and the cap of most providers.
pub(crate) const ANSWER_LOGS: u64 = 10_000;

/// Where growth begins: below the smallest block bound of paid plans (reported: 800), seven doublings from the top.
const START_BLOCKS: u64 = 512;

/// The largest span: the default bound of reth, and a day of a two-second chain.
pub(crate) const BLOCKS_MAX: u64 = 65_536;

/// Successes after which a span that failed may be tried again: one wasted call in so many.
const FORGIVEN_AFTER: u32 = 32;

/// The span of one endpoint, shared by the reads that are under way.
#[derive(Debug)]
pub(crate) struct Span(Mutex<Learnt>);

#[derive(Debug, Clone, Copy)]
struct Learnt {
    /// Blocks that the next call spans.
    blocks: u64,
    /// Never above: what the provider said it answers for.
    ceiling: u64,
    /// A span that failed, and the successes since.
    failed: Option<(u64, u32)>,
}

impl Default for Span {
    fn default() -> Self {
        Self(Mutex::new(Learnt { blocks: START_BLOCKS, ceiling: BLOCKS_MAX, failed: None }))
    }
}

impl Span {
    /// How many blocks the next call spans; at least 1.
    pub(crate) fn blocks(&self) -> u64 {
        self.with(|learnt| learnt.blocks)
    }

    /// A call over `blocks` blocks brought `logs` logs.
    pub(crate) fn succeeded(&self, blocks: u64, logs: u64) {
        self.with(|learnt| learnt.succeeded(blocks, logs));
    }

    /// A call over `blocks` blocks was refused.
    pub(crate) fn refused(&self, blocks: u64, hint: Option<RangeHint>) {
        self.with(|learnt| learnt.refused(blocks, hint));
    }

    /// A panic elsewhere leaves four numbers, each valid.
    fn with<T>(&self, then: impl FnOnce(&mut Learnt) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Learnt {
    fn succeeded(&mut self, blocks: u64, logs: u64) {
        if let Some((_, successes)) = &mut self.failed {
            *successes += 1;
            if *successes >= FORGIVEN_AFTER {
                self.failed = None;
            }
        }
        // A remainder that was much shorter than the span says little about it.
        if blocks < self.blocks.div_ceil(2) {
            return;
        }
        let aim = blocks.saturating_mul(ANSWER_LOGS) / logs.max(1);
        let below_failed = self.failed.map_or(u64::MAX, |(failed, _)| failed.saturating_sub(1));
        let next = aim.clamp(self.blocks.div_ceil(2), self.blocks * 2);
        self.blocks = next.min(self.ceiling).min(below_failed).max(1);
    }

    /// Another read may have shrunk the span already: then this refusal is of the past, and only its bound counts.
    fn refused(&mut self, blocks: u64, hint: Option<RangeHint>) {
        let suggested = match hint {
            Some(RangeHint::Blocks(bound)) => {
                self.ceiling = self.ceiling.min(bound.max(1));
                bound
            }
            Some(RangeHint::Range { first, last }) => (last - first).saturating_add(1),
            None => 0,
        };
        // A suggestion that is no smaller than what failed can never be fetched (zksync-era#3412).
        let next = if (1..blocks).contains(&suggested) { suggested } else { blocks / 2 };
        if !matches!(hint, Some(RangeHint::Blocks(_))) {
            self.failed = Some((blocks, 0));
        }
        self.blocks = self.blocks.min(next).min(self.ceiling).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};

    #[test]
    fn it_grows_towards_full_answers_and_no_further() {
        let span = Span::default();
        for _ in 0..20 {
            span.succeeded(span.blocks(), 0);
        }
        assert_eq!(span.blocks(), BLOCKS_MAX);
        let density_per_block = 50;
        for _ in 0..20 {
            span.succeeded(span.blocks(), span.blocks() * density_per_block);
        }
        assert_eq!(span.blocks(), ANSWER_LOGS / density_per_block);
    }

    #[test]
    fn a_bound_that_the_provider_names_holds_for_good() {
        let span = Span::default();
        span.refused(512, Some(RangeHint::Blocks(100)));
        for _ in 0..100 {
            span.succeeded(span.blocks(), 0);
        }
        assert_eq!(span.blocks(), 100);
    }

    #[test]
    fn a_span_that_failed_is_tried_again_only_after_some_successes() {
        let span = Span::default();
        span.refused(512, None);
        assert_eq!(span.blocks(), 256);
        for _ in 1..FORGIVEN_AFTER {
            span.succeeded(span.blocks(), 0);
            assert!(span.blocks() < 512);
        }
        span.succeeded(span.blocks(), 0);
        assert!(span.blocks() >= 512);
    }

    #[test]
    fn a_suggestion_that_is_no_smaller_is_not_believed() {
        let span = Span::default();
        span.refused(512, Some(RangeHint::Range { first: 0, last: 511 }));
        assert_eq!(span.blocks(), 256);
        span.refused(256, Some(RangeHint::Range { first: 1_000, last: 1_009 }));
        assert_eq!(span.blocks(), 10);
    }

    #[test]
    fn the_refusal_of_an_older_wider_call_does_not_shrink_twice() {
        let span = Span::default();
        span.refused(512, None);
        span.refused(512, None);
        assert_eq!(span.blocks(), 256);
    }

    proptest! {
        #[test]
        fn it_is_never_zero_nor_above_a_named_bound(steps in proptest::collection::vec(step(), 0..200)) {
            let span = Span::default();
            let mut bound = BLOCKS_MAX;
            for step in steps {
                match step {
                    Step::Succeeded(logs) => span.succeeded(span.blocks(), logs),
                    Step::Refused(blocks, hint) => {
                        if let Some(RangeHint::Blocks(named)) = hint {
                            bound = bound.min(named.max(1));
                        }
                        span.refused(blocks, hint);
                    }
                }
                prop_assert!((1..=bound).contains(&span.blocks()));
            }
        }

        /// A node that refuses more than `most` blocks, whatever its words: each round ends in an answer.
        #[test]
        fn it_always_comes_down_to_what_is_answered(most in 1u64..100_000, rounds in 1usize..50) {
            let span = Span::default();
            for _ in 0..rounds {
                let mut refusals = 0;
                while span.blocks() > most {
                    span.refused(span.blocks(), None);
                    refusals += 1;
                    prop_assert!(refusals <= 17);
                }
                span.succeeded(span.blocks(), 0);
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Succeeded(u64),
        Refused(u64, Option<RangeHint>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let hint = prop_oneof![
            any::<u64>().prop_map(RangeHint::Blocks),
            (any::<u64>(), any::<u64>())
                .prop_map(|(a, b)| RangeHint::Range { first: a.min(b), last: a.max(b) }),
        ];
        prop_oneof![
            any::<u64>().prop_map(Step::Succeeded),
            (1..=BLOCKS_MAX, proptest::option::of(hint))
                .prop_map(|(blocks, hint)| Step::Refused(blocks, hint)),
        ]
    }
}

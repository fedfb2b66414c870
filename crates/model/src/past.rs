//! The past as later knowledge asks for it: which steps of a chain a new version of the registry may judge otherwise.
//!
//! ```text
//! custody ──PastQuery──▶ store ──PastStep──▶ custody
//! ```
//!
//! Custody is pure and keeps no history: it says what it wants to see again, and the store, which has it, answers.

pub mod rows;

use crate::chain::LogPosition;
use crate::event::EventKind;
use crate::gs1::{Gtin, Text};
use crate::item::ItemKey;
use crate::registry::Tier;
use alloy_primitives::{Address, B256};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Steps that one version of the registry may judge again. A step takes about 500 bytes, so these take 50 MB for as
/// long as one record is taken, and some tenths of a second to judge twice. The newest are judged: their goods may still
/// be stopped. The others are counted.
pub const PAST_STEPS_MAX: usize = 100_000;

/// How far the declared time of a step may lie after its block for the step to be found by its declared time: a day,
/// which no clock is wrong by. It lets files be passed over by block time.
pub const AHEAD_SECS: i64 = 86_400;

/// A time in which a row of the registry says something else than before. Half-open, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First second.
    pub from_secs: i64,
    /// First second after it.
    pub to_secs: i64,
}

impl Window {
    fn holds(&self, time_secs: i64) -> bool {
        self.from_secs <= time_secs && time_secs < self.to_secs
    }

    /// Was the step in it, by its block's time or its declared one?
    fn holds_step(&self, times: Times) -> bool {
        let declared_far_ahead = times.block_secs < self.from_secs.saturating_sub(AHEAD_SECS);
        !declared_far_ahead && (self.holds(times.block_secs) || self.holds(times.judged_secs))
    }
}

/// The two times of a step, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Timestamp of its block.
    pub block_secs: i64,
    /// Its declared time, else that of its block.
    pub judged_secs: i64,
}

/// What of a step says whether it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    /// Its times.
    pub times: Times,
    /// Product of its item.
    pub gtin: Option<Gtin>,
    /// Lot of its item.
    pub lot: Option<Text>,
    /// The one who acts, the one it leaves, the one it goes to.
    pub addresses: [Option<Address>; 3],
}

/// The steps of one chain that a version of the registry may judge otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastQuery {
    /// The last block of which steps are wanted: the version is in force for events after it.
    pub after: u64,
    /// Kinds of steps that are wanted.
    pub kinds: BTreeSet<EventKind>,
    /// Products of which they are wanted, and when.
    pub products: BTreeMap<Gtin, Vec<Window>>,
    /// The same of lots.
    pub lots: BTreeMap<(Gtin, Text), Vec<Window>>,
    /// The same of those who act, send or receive.
    pub addresses: BTreeMap<Address, Vec<Window>>,
}

impl PastQuery {
    /// Does it ask for nothing?
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() || self.windows().next().is_none()
    }

    /// Block time before which no step is wanted, Unix seconds.
    pub fn earliest_block_secs(&self) -> i64 {
        let from = self.windows().map(|window| window.from_secs).min().unwrap_or(i64::MAX);
        from.saturating_sub(AHEAD_SECS)
    }

    /// Is a step of block `block` and kind `kind` wanted?
    pub fn wants(&self, block: u64, kind: EventKind, of: &Traits) -> bool {
        let times = of.times;
        let then = |windows: Option<&Vec<Window>>| {
            windows.is_some_and(|windows| windows.iter().any(|window| window.holds_step(times)))
        };
        block <= self.after
            && self.kinds.contains(&kind)
            && (of.gtin.is_some_and(|gtin| then(self.products.get(&gtin)))
                || of.gtin.zip(of.lot).is_some_and(|lot| then(self.lots.get(&lot)))
                || of.addresses.iter().flatten().any(|address| then(self.addresses.get(address))))
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        let goods = self.products.values().chain(self.lots.values());
        goods.chain(self.addresses.values()).flatten()
    }
}

/// A step of the past: what its row of `events` holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastStep {
    /// Where it stands in its chain.
    pub position: LogPosition,
    /// The transaction.
    pub tx_hash: B256,
    /// Timestamp of the block, Unix seconds.
    pub block_time_secs: i64,
    /// Declared time, Unix seconds, where the log carries one.
    pub event_time_secs: Option<i64>,
    /// What it does.
    pub kind: EventKind,
    /// The contract whose log it is.
    pub contract: Address,
    /// The contract whose tokens it speaks of.
    pub token_contract: Address,
    /// The item's key.
    pub item: Option<ItemKey>,
    /// Its lot.
    pub lot: Option<Text>,
    /// The one who does it.
    pub actor: Option<Address>,
    /// The one it leaves.
    pub from: Option<Address>,
    /// The one it goes to.
    pub to: Option<Address>,
    /// Did it fit the story so far?
    pub legal: bool,
    /// How far its contract was believed.
    pub tier: Tier,
}

impl PastStep {
    /// What says whether it is wanted.
    pub fn traits(&self) -> Traits {
        let judged_secs = self.event_time_secs.unwrap_or(self.block_time_secs);
        Traits {
            times: Times { block_secs: self.block_time_secs, judged_secs },
            gtin: self.item.as_ref().and_then(ItemKey::gtin),
            lot: self.lot,
            addresses: [self.actor, self.from, self.to],
        }
    }
}

/// What was found for a [`PastQuery`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The query's block.
    pub after: u64,
    /// The steps in the order of their chain: the newest [`PAST_STEPS_MAX`].
    pub steps: Vec<PastStep>,
    /// How many older ones were left out.
    pub left_out: u64,
}

/// Gathers the newest steps that come, in any order.
#[derive(Debug)]
pub struct Newest {
    most: usize,
    steps: BinaryHeap<Reverse<Ordered>>,
    left_out: u64,
}

#[derive(Debug)]
struct Ordered(PastStep);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.0.position == other.0.position
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.position.cmp(&other.0.position)
    }
}

impl Newest {
    /// At most `most` steps.
    pub fn new(most: usize) -> Self {
        Self { most, steps: BinaryHeap::new(), left_out: 0 }
    }

    /// Adds a step.
    pub fn push(&mut self, step: PastStep) {
        self.steps.push(Reverse(Ordered(step)));
        if self.steps.len() > self.most {
            self.steps.pop();
            self.left_out += 1;
        }
    }

    /// The steps in the order of their chain, and how many older ones were left out.
    pub fn finish(self, after: u64) -> Past {
        let mut steps: Vec<PastStep> = self.steps.into_iter().map(|Reverse(Ordered(step))| step).collect();
        steps.sort_unstable_by_key(|step| step.position);
        Past { after, steps, left_out: self.left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(block: u64, at_secs: i64, declared_secs: Option<i64>) -> PastStep {
        PastStep {
            position: LogPosition { block, log: 0, sub: 0 },
            tx_hash: B256::ZERO,
            block_time_secs: at_secs,
            event_time_secs: declared_secs,
            kind: EventKind::Dispensing,
            contract: Address::ZERO,
            token_contract: Address::ZERO,
            item: "01/04012345123456/21/A".parse().ok(),
            lot: "L1".parse().ok(),
            actor: Some(Address::repeat_byte(1)),
            from: None,
            to: Some(Address::repeat_byte(2)),
            legal: true,
            tier: Tier::Authoritative,
        }
    }

    fn query(add: impl FnOnce(&mut PastQuery, Vec<Window>)) -> PastQuery {
        let kinds = BTreeSet::from([EventKind::Dispensing]);
        let mut query = PastQuery { after: 9, kinds, ..PastQuery::default() };
        add(&mut query, vec![Window { from_secs: 100_000, to_secs: 200_000 }]);
        query
    }

    fn wants(query: &PastQuery, step: &PastStep) -> bool {
        query.wants(step.position.block, step.kind, &step.traits())
    }

    #[test]
    fn a_step_is_found_by_its_product_its_lot_or_whoever_takes_part() {
        let gtin = "04012345123456".parse().unwrap();
        let of = |text: &str| text.parse().unwrap();
        for (expected, query) in [
            (true, query(|query, then| _ = query.products.insert(gtin, then))),
            (true, query(|query, then| _ = query.lots.insert((gtin, of("L1")), then))),
            (false, query(|query, then| _ = query.lots.insert((gtin, of("L2")), then))),
            (true, query(|query, then| _ = query.addresses.insert(Address::repeat_byte(1), then))),
            (true, query(|query, then| _ = query.addresses.insert(Address::repeat_byte(2), then))),
            (false, query(|query, then| _ = query.addresses.insert(Address::repeat_byte(3), then))),
        ] {
            assert_eq!(wants(&query, &step(9, 150_000, None)), expected, "{query:?}");
            assert!(!wants(&query, &step(10, 150_000, None)), "after the version: {query:?}");
            let other = PastStep { kind: EventKind::Inspecting, ..step(9, 150_000, None) };
            assert!(!wants(&query, &other), "of another kind: {query:?}");
        }
    }

    #[test]
    fn either_time_counts_and_a_step_declared_long_before_it_happened_does_not() {
        let gtin = "04012345123456".parse().unwrap();
        let query = query(|query, then| _ = query.products.insert(gtin, then));
        for (expected, at_secs, declared_secs) in [
            (true, 100_000, None),
            (false, 200_000, None),
            (false, 99_999, None),
            (true, 900_000, Some(150_000)),
            (true, 150_000, Some(900_000)),
            (true, 20_000, Some(150_000)),
            (false, 10_000, Some(150_000)),
        ] {
            let step = step(1, at_secs, declared_secs);
            assert_eq!(wants(&query, &step), expected, "{at_secs} {declared_secs:?}");
            assert!(!expected || at_secs >= query.earliest_block_secs());
        }
    }

    #[test]
    fn of_too_many_the_newest_stay_and_the_others_are_counted() {
        let mut newest = Newest::new(2);
        [5, 1, 9, 7].into_iter().for_each(|block| newest.push(step(block, 0, None)));
        let past = newest.finish(9);
        let blocks: Vec<u64> = past.steps.iter().map(|step| step.position.block).collect();
        assert_eq!((blocks, past.left_out, past.after), (vec![7, 9], 2, 9));
    }
}

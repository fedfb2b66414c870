//! The timeline: which stories happen when, and all their transactions in the order of one clock.
//!
//! ```text
//! plan ──stories by start──▶ heap of drafts by time ──next──▶ blocks
//! ```
//!
//! Frauds and noise are told first, because they are few and their size is not known before; the supply fills the
//! world up to the number of events asked for, and is told only as the clock reaches each story, so that a world of
//! millions of events never stands in memory as drafts.

use crate::behaviour::noise::onchain::deployment;
use crate::behaviour::{Behaviour, fraud, noise, supply};
use crate::contract::tokens;
use crate::error::Result;
use crate::keys::{KeyName, derive};
use crate::story::script::{Draft, Script, Told};
use crate::world::{DAY_SECS, HOUR_SECS, SPAN_DAYS, START_SECS, World};
use model::registry::Registry;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Frauds begin within these days: the longest takes 17 (a lot has to expire on the shelf), and three quiet days
/// have to follow the last one so that every timer of a day has run out.
const FRAUD_DAYS: std::ops::Range<i64> = 1..21;
/// Noise begins within these days.
const NOISE_DAYS: std::ops::Range<i64> = 0..25;
/// The supply begins within these days.
const SUPPLY_DAYS: std::ops::Range<i64> = 0..SPAN_DAYS - 6;

/// All transactions of the world, in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Timeline<'w> {
    world: &'w World,
    /// Drafts of the stories that have been told, by time; the second number keeps the order of equal times.
    heap: BinaryHeap<Reverse<(i64, u64, Entry)>>,
    told: u64,
    /// Stories of the supply that have not been told, by start.
    supply: VecDeque<Planned>,
    /// Rows that the stories told so far have brought.
    rows: Registry,
}

/// A story of the supply that will be told.
#[derive(Debug, Clone, Copy)]
struct Planned {
    start: i64,
    story: u32,
    packs: u32,
}

/// A draft in the heap: it takes no part in the order.
#[derive(Debug)]
struct Entry(Draft);

impl PartialEq for Entry {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl<'w> Timeline<'w> {
    /// Tells the frauds and the noise, and plans a supply that brings the world to `events` logs at least.
    pub(crate) fn new(world: &'w World, events: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::from_seed(derive(world.seed, "plan").0);
        let (heap, supply, rows) = (BinaryHeap::new(), VecDeque::new(), Registry::default());
        let mut timeline = Self { world, heap, told: 0, supply, rows };
        let mut story = 0;
        let mut logs = timeline.deploy_and_close();
        for (behaviour, days) in timeline.drawn(&mut rng) {
            story += 1;
            let start = START_SECS + rng.random_range(days.start * DAY_SECS..days.end * DAY_SECS);
            logs += timeline.tell(&behaviour, story, start)?;
        }
        timeline.plan_supply(&mut rng, story, events.saturating_sub(logs));
        Ok(timeline)
    }

    /// The next transaction; `None` at the end of the world.
    pub(crate) fn next(&mut self) -> Result<Option<Draft>> {
        while let Some(planned) = self.supply.front().copied() {
            if self.heap.peek().is_some_and(|Reverse((time, ..))| *time <= planned.start) {
                break;
            }
            self.supply.pop_front();
            let mut script = Script::new(self.world, planned.story, planned.start, planned.packs);
            supply::lot(&mut script)?;
            self.add(script.end());
        }
        Ok(self.heap.pop().map(|Reverse((_, _, Entry(draft)))| draft))
    }

    /// The rows that the stories have brought. Complete once [`Self::next`] has said `None`.
    pub(crate) fn rows(self) -> Registry {
        self.rows
    }

    /// Every behaviour as often as the scale asks, in an order of its own, with the days that it may begin in.
    fn drawn(&self, rng: &mut ChaCha8Rng) -> Vec<(Behaviour, std::ops::Range<i64>)> {
        let scale = self.world.scale;
        let two_chains = self.world.contracts.bridged.is_some();
        let mut drawn = Vec::new();
        for (table, times, days) in
            [(fraud::ALL, scale.frauds_per_variant, FRAUD_DAYS), (noise::ALL, scale.noise_rounds, NOISE_DAYS)]
        {
            for behaviour in table.iter().filter(|behaviour| two_chains || !behaviour.two_chains) {
                drawn.extend((0..times).map(|_| (*behaviour, days.clone())));
            }
        }
        drawn.shuffle(rng);
        drawn
    }

    fn tell(&mut self, behaviour: &Behaviour, story: u32, start: i64) -> Result<u64> {
        let mut script = Script::new(self.world, story, start, 0);
        (behaviour.tell)(&mut script)?;
        tracing::trace!(story, behaviour.name, drafts = script.drafts.len(), "story told");
        Ok(self.add(script.end()))
    }

    /// The first and the last transaction of each chain: contracts are deployed, and weeks later metadata refreshed.
    fn deploy_and_close(&mut self) -> u64 {
        let contracts =
            self.world.contracts.list(&self.world.chains.iter().map(|chain| chain.0).collect::<Vec<_>>());
        let mut script = Script::new(self.world, 0, START_SECS - HOUR_SECS, 0);
        for contract in &contracts {
            let chain = self.world.chains.iter().position(|chain| *chain == contract.chain).unwrap_or(0);
            deployment(&mut script, chain, contract.address);
        }
        for chain in 0..self.world.chains.len() {
            script.now = START_SECS + SPAN_DAYS * DAY_SECS;
            let of_chain = contracts.iter().find(|contract| contract.chain == self.world.chains[chain]);
            let logs = of_chain.map(|contract| tokens::all_metadata_updated(contract.address));
            script.send_as(KeyName::Admin, chain, logs.into_iter().collect());
        }
        self.add(script.end())
    }

    /// Draws lots until their packs make enough logs at the least, spread evenly over the days.
    fn plan_supply(&mut self, rng: &mut ChaCha8Rng, mut story: u32, logs: u64) {
        let packs = self.world.scale.packs_per_lot;
        let count = (logs * 100).div_ceil(u64::from(packs) * supply::LOGS_PER_100_PACKS_MIN);
        let days = SUPPLY_DAYS.start * DAY_SECS..SUPPLY_DAYS.end * DAY_SECS;
        let mut planned: Vec<Planned> = (0..count)
            .map(|_| {
                story += 1;
                Planned { start: START_SECS + rng.random_range(days.clone()), story, packs }
            })
            .collect();
        planned.sort_by_key(|planned| (planned.start, planned.story));
        self.supply = planned.into();
    }

    fn add(&mut self, told: Told) -> u64 {
        let mut logs = 0;
        for draft in told.drafts {
            self.told += 1;
            logs += draft.logs.len() as u64;
            self.heap.push(Reverse((draft.time, self.told, Entry(draft))));
        }
        append(&mut self.rows, told.rows);
        logs
    }
}

/// Adds the rows of `more` to `rows`.
pub(crate) fn append(rows: &mut Registry, mut more: Registry) {
    rows.parties.append(&mut more.parties);
    rows.sites.append(&mut more.sites);
    rows.wallets.append(&mut more.wallets);
    rows.licences.append(&mut more.licences);
    rows.delegations.append(&mut more.delegations);
    rows.agreements.append(&mut more.agreements);
    rows.products.append(&mut more.products);
    rows.lots.append(&mut more.lots);
    rows.recalls.append(&mut more.recalls);
    rows.extensions.append(&mut more.extensions);
    rows.contracts.append(&mut more.contracts);
    rows.announcements.append(&mut more.announcements);
    rows.lanes.append(&mut more.lanes);
    rows.confirmations.append(&mut more.confirmations);
}

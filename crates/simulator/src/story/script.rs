//! A script: one story's clock, its dice, and the transactions that it has sent so far.

use crate::error::Result;
use crate::keys::{KeyName, derive};
use crate::label::Intent;
use crate::world::country::{COUNTRIES, CountryId};
use crate::world::party::{Actor, Signer};
use crate::world::{DAY_SECS, HOUR_SECS, World};
use alloy_primitives::{Address, Log};
use model::alert::Subject;
use model::registry::Registry;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// A transaction that a story wants mined.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// When it is sent, Unix seconds: no block before may hold it.
    pub(crate) time: i64,
    /// Place of its chain in the configuration.
    pub(crate) chain: usize,
    /// Who signs it.
    pub(crate) sender: KeyName,
    /// The contract that it calls.
    pub(crate) to: Address,
    /// What it makes contracts log.
    pub(crate) logs: Vec<Log>,
    /// The story, so that a reorg can keep a story's order.
    pub(crate) story: u32,
    /// What is planted with it.
    pub(crate) intents: Vec<Intent>,
}

/// People scan, then systems upload: seconds between an event and its transaction.
const UPLOAD_DELAY_SECS: Range<i64> = 40..500;
/// One in so many small transactions goes through a relayer.
const RELAYED_ONE_IN: u32 = 32;
/// Relayers take no large uploads: a few logs each.
const RELAYED_LOGS_MAX: usize = 8;
/// How many relayers there are.
const RELAYERS: u8 = 8;
/// People work from 7 to 19 h local time.
const WORK_HOURS: Range<i64> = 7..19;

/// One story being written.
#[derive(Debug)]
pub(crate) struct Script<'w> {
    pub(crate) world: &'w World,
    pub(crate) rng: ChaCha8Rng,
    /// The story's clock, Unix seconds.
    pub(crate) now: i64,
    /// Number of the story, unique in the world.
    pub(crate) story: u32,
    /// Packs that it makes, where its size is given.
    pub(crate) packs: u32,
    /// Rows that only it needs.
    pub(crate) rows: Registry,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) issued: Issued,
}

/// How many of each identifier the story has issued.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    pub(crate) tokens: u64,
    pub(crate) units: u64,
    pub(crate) lots: u64,
    pub(crate) people: u32,
}

/// What a story leaves behind.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) rows: Registry,
}

impl<'w> Script<'w> {
    /// An empty script of story `story` that begins at `now`.
    pub(crate) fn new(world: &'w World, story: u32, now: i64, packs: u32) -> Self {
        let rng = ChaCha8Rng::from_seed(derive(world.seed, &format!("story/{story}")).0);
        let (rows, drafts, issued) = (Registry::default(), Vec::new(), Issued::default());
        Self { world, rng, now, story, packs, rows, drafts, issued }
    }

    /// Ends the story.
    pub(crate) fn end(self) -> Told {
        Told { drafts: self.drafts, rows: self.rows }
    }

    /// Lets time pass, between so many seconds.
    pub(crate) fn wait_secs(&mut self, range: Range<i64>) {
        self.now += self.rng.random_range(range);
    }

    /// Lets time pass, between so many hours.
    pub(crate) fn wait_hours(&mut self, range: Range<i64>) {
        self.wait_secs(range.start * HOUR_SECS..range.end * HOUR_SECS);
    }

    /// Lets time pass, between so many days.
    pub(crate) fn wait_days(&mut self, range: Range<i64>) {
        self.wait_secs(range.start * DAY_SECS..range.end * DAY_SECS);
    }

    /// Goes on when people are at work in a country.
    pub(crate) fn at_work(&mut self, country: CountryId) {
        let local = self.now + COUNTRIES[country].utc_offset_secs;
        let since_midnight = local.rem_euclid(DAY_SECS);
        let hour = since_midnight / HOUR_SECS;
        if !WORK_HOURS.contains(&hour) {
            let morning = local - since_midnight + WORK_HOURS.start * HOUR_SECS;
            let next = if hour < WORK_HOURS.start { morning } else { morning + DAY_SECS };
            self.now += next - local;
            self.wait_secs(0..2 * HOUR_SECS);
        }
    }

    /// Is it so, once in `n`?
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_ratio(1, n)
    }

    /// Sends a transaction of `by` that makes contracts log `logs`. Its events are of `now`; it is sent a little later,
    /// and the clock goes on from there.
    pub(crate) fn send(&mut self, by: &Actor, chain: usize, logs: Vec<Log>) {
        let small = logs.len() <= RELAYED_LOGS_MAX;
        if small && self.one_in(RELAYED_ONE_IN) {
            let relayer = KeyName::Relayer(self.rng.random_range(0..RELAYERS));
            self.send_as(relayer, chain, logs);
        } else {
            self.send_own(by, chain, logs);
        }
    }

    /// Sends a transaction that the actor's own key, or a member of its multisig, signs.
    pub(crate) fn send_own(&mut self, by: &Actor, chain: usize, logs: Vec<Log>) {
        match by.signer {
            Signer::Key(key) => self.send_as(key, chain, logs),
            Signer::Multisig(one, other) => {
                let member = if self.one_in(2) { one } else { other };
                self.call(member, by.address, chain, logs);
            }
        }
    }

    /// Sends a transaction signed by a key, to the contract that logs first.
    pub(crate) fn send_as(&mut self, sender: KeyName, chain: usize, logs: Vec<Log>) {
        if let Some(to) = logs.first().map(|log| log.address) {
            self.call(sender, to, chain, logs);
        }
    }

    fn call(&mut self, sender: KeyName, to: Address, chain: usize, logs: Vec<Log>) {
        if logs.is_empty() {
            return;
        }
        self.wait_secs(UPLOAD_DELAY_SECS);
        let (time, story) = (self.now, self.story);
        self.drafts.push(Draft { time, chain, sender, to, logs, story, intents: Vec::new() });
        // The next step of the story is another transaction, never earlier.
        self.wait_secs(5..30);
    }

    /// Says that the last transaction breaks a rule.
    pub(crate) fn plant(
        &mut self,
        rule: &'static str,
        variant: &'static str,
        subject: Subject,
        also: &'static [&'static str],
    ) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.intents.push(Intent { rule, variant, subject, also });
        }
    }

    /// The key of someone who appears in this story only.
    pub(crate) fn stranger(&mut self) -> Result<(KeyName, Address)> {
        self.issued.people += 1;
        let key = KeyName::Story(self.story, self.issued.people);
        Ok((key, crate::keys::address_of(self.world.seed, key)?))
    }
}

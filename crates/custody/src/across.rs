//! Across chains: two living tokens for one serialised item on different chains are one case of ID-01.
//!
//! ```text
//! claims of each chain ──lives──▶ judge ──pairs──▶ alerts ──▶ Across: what people are told ──▶ Commit
//! ```
//!
//! No order exists between chains, so [`judge`] is a function of the *set* of facts of all of them: the lives of the
//! item's tokens and how far the time of each chain was taken. Of two lives the second is the one that is later by
//! (block time, chain, position), whichever was read first.
//!
//! A pair is a clone when both tokens live on past the moment that is *due*: the second's beginning, or the end of
//! the grace where the registry names a migration or bridge between the two contracts. Nothing is said before both
//! chains have passed that moment: the chain that is behind may still tell that its token was burnt in time.

mod told;

pub use told::Across;

use crate::rules::{self, ID_01, ID_01_CARD};
use model::alert::{Alert, CaseKey, RuleCode, Severity, Standing, Subject};
use model::chain::{ChainId, LogPosition};
use model::item::ItemKey;
use model::registry::Tier;
use model::{Address, B256, U256};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One life of a token as an item, as its chain tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub contract: Address,
    /// The token.
    pub token: U256,
    /// The event that began it.
    pub begun: LogPosition,
    /// Its block time, Unix seconds.
    pub begun_secs: i64,
    /// Block time of its burn, Unix seconds; [`LIVING`](crate::claims::LIVING) before.
    pub ended_secs: i64,
    /// Transaction of the event that began it.
    pub tx_hash: B256,
    /// How far its contract was believed: recognised or authoritative.
    pub tier: Tier,
    /// Did its minter own the product, or was delegated for it?
    pub entitled: bool,
    /// Who minted it: address, or GLN where known.
    pub minter: Option<String>,
    /// The same in words.
    pub minter_in_words: String,
}

impl Life {
    fn order(&self) -> (i64, ChainId, LogPosition) {
        (self.begun_secs, self.chain, self.begun)
    }
}

/// How far the time of a chain was taken, Unix seconds of block time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// Its newest block.
    pub now_secs: i64,
    /// Its newest final block.
    pub final_secs: i64,
}

/// What lives are judged by beside themselves.
pub struct View<'a> {
    /// How far each chain was taken.
    pub clocks: &'a BTreeMap<ChainId, Clock>,
    /// How long a migration or bridge may take to complete the pair, seconds.
    pub grace_secs: i64,
    /// Does the registry name a migration or bridge between the contracts of two lives?
    pub announced: &'a dyn Fn(&Life, &Life) -> bool,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("clocks", &self.clocks).finish_non_exhaustive()
    }
}

impl View<'_> {
    /// Have both chains passed the moment, by one reading of their clocks?
    fn passed(&self, overlap: &Overlap<'_>, second: &Life, reading: impl Fn(&Clock) -> i64) -> bool {
        [overlap.first, second]
            .into_iter()
            .all(|life| self.clocks.get(&life.chain).is_some_and(|clock| reading(clock) > overlap.due_secs))
    }
}

/// Two lives of one item that overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The earlier one.
    pub first: Life,
    /// The later one.
    pub second: Life,
    /// Block time at which both should not have lived any more, Unix seconds.
    pub due_secs: i64,
    /// Nothing can change it any more.
    pub is_final: bool,
}

/// What is to be said of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Its clones in the order of their second lives, each with the one that it is a clone of.
    pub pairs: Vec<Pair>,
    /// Times that chains have yet to pass, some of them with a final block, for all to be settled. Unix seconds.
    pub waits: Vec<i64>,
}

/// Judges the lives of one item: in any order, the same.
pub fn judge(mut lives: Vec<Life>, view: &View<'_>) -> Judged {
    lives.sort_by_key(Life::order);
    let mut judged = Judged::default();
    for (at, second) in lives.iter().enumerate() {
        let overlaps = overlaps(&lives[..at], second, view);
        let passed = |overlap: &&Overlap<'_>| view.passed(overlap, second, |clock| clock.now_secs);
        let Some(clear) = overlaps.iter().position(|overlap| passed(&overlap)) else {
            judged.waits.extend(overlaps.iter().map(|overlap| overlap.due_secs));
            continue;
        };
        // What comes before it is told of instead once its chain has come as far.
        let is_final = clear == 0 && view.passed(&overlaps[0], second, |clock| clock.final_secs);
        if !is_final {
            judged.waits.extend(overlaps[..=clear].iter().map(|overlap| overlap.due_secs));
        }
        let Overlap { due_secs, first } = overlaps[clear];
        judged.pairs.push(Pair { first: first.clone(), second: second.clone(), due_secs, is_final });
    }
    judged.waits.sort_unstable();
    judged.waits.dedup();
    judged
}

/// A life that another one overlaps for too long, as far as is known.
#[derive(Debug, Clone, Copy)]
struct Overlap<'a> {
    due_secs: i64,
    first: &'a Life,
}

/// The lives on other chains that `second` overlaps, in the order in which they are due.
fn overlaps<'a>(earlier: &'a [Life], second: &Life, view: &View<'_>) -> Vec<Overlap<'a>> {
    let others = earlier.iter().filter(|first| first.chain != second.chain);
    let mut overlaps: Vec<Overlap<'a>> = others
        .filter_map(|first| {
            let grace = if (view.announced)(first, second) { view.grace_secs } else { 0 };
            let due_secs = second.begun_secs.saturating_add(grace);
            (first.ended_secs.min(second.ended_secs) > due_secs).then_some(Overlap { due_secs, first })
        })
        .collect();
    // Of several that are due at once the first counts: the sort keeps it before the others.
    overlaps.sort_by_key(|overlap| overlap.due_secs);
    overlaps
}

/// The alerts of an item's clones. The first is the root of those that came within the time of one episode.
pub fn alerts(item: &ItemKey, pairs: &[Pair], parameters: &str) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let same_transaction = |other: &&Pair| {
            (other.second.chain, other.second.tx_hash) == (pair.second.chain, pair.second.tx_hash)
        };
        let ordinal = pairs[..at].iter().filter(same_transaction).count() as u32;
        let mut alert = alert(item, pair, ordinal);
        alert.parameters = parameters.to_owned();
        let before =
            alerts.last().map(|before| (before.raised_at_secs, before.root.unwrap_or(before.case_key)));
        alert.root = before
            .filter(|(secs, _)| alert.raised_at_secs - secs <= crate::cases::QUIET_SECS)
            .map(|(_, root)| root);
        alerts.push(alert);
    }
    alerts
}

fn alert(item: &ItemKey, pair: &Pair, ordinal: u32) -> Alert {
    let Pair { first, second, due_secs, .. } = pair;
    let subject = Subject::Item(item.to_string());
    let case_key = CaseKey::across_chains(RuleCode(ID_01), &subject, second.chain, second.tx_hash, ordinal);
    let mut evidence = vec![(first.chain, first.begun), (second.chain, second.begun)];
    evidence.sort_unstable();
    Alert {
        case_key,
        rule: ID_01.to_owned(),
        rule_version: ID_01_CARD.version,
        severity: Severity::Critical,
        standing: Standing::Standing,
        item: Some(item.to_string()),
        subject,
        chain: second.chain,
        position: second.begun,
        tx_hash: second.tx_hash,
        raised_at_secs: *due_secs,
        expected: expected(pair),
        came: format!("{} was minted by {}", named(second), second.minter_in_words),
        accused: accused(first, second),
        victim: None,
        witness: None,
        root: None,
        members: 0,
        members_query: None,
        retroactive: false,
        explained_as: None,
        parameters: String::new(),
        evidence,
    }
}

fn expected(pair: &Pair) -> String {
    let Pair { first, second, due_secs, .. } = pair;
    let (has, since) = (named(first), rules::time(first.begun_secs));
    let one = format!(
        "one living token for this identity; it has {has}, minted by {} at {since}",
        first.minter_in_words
    );
    if *due_secs > second.begun_secs {
        format!("{one}, which an announced migration or bridge had to end by {}", rules::time(*due_secs))
    } else {
        one
    }
}

fn named(life: &Life) -> String {
    format!("token {} of contract {} on chain {}", life.token, life.contract, life.chain)
}

/// Coming first proves nothing: the minter on the contract of lower authority, else the one who had no right to mint,
/// else nobody.
fn accused(first: &Life, second: &Life) -> Option<String> {
    let lower = (first.tier, first.entitled).cmp(&(second.tier, second.entitled));
    match lower {
        Ordering::Less => first.minter.clone(),
        Ordering::Greater => second.minter.clone(),
        Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests;

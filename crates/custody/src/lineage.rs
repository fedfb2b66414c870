//! Lineage: which item came from which. Collected while events are applied, written as rows of `lineage`.
//!
//! - *repackaged*: items that are decommissioned as repackaged, and items that the same actor commissions in the same
//!   transaction. What was taken apart comes first: each run of sources makes the run of results after it; where the
//!   results come first, they are linked only when the transaction holds just one run of each.
//! - *migrated*, *bridged*: an item gets a token of an announced successor or across an announced bridge.
//! - *relabelled*, *named*: a token that stood for one item stands for another; *named* where it had no name before.
//!
//! A transaction lies within one block and a block within one segment, so nothing is remembered between segments, and
//! a block that is orphaned takes its rows with it. A repackaging told in several transactions names no pairs on the
//! chain, and has no rows.

use crate::state::{ChainState, ItemId, TokenId};
use model::chain::LogPosition;
use model::event::{Event, EventKind, Reason};
use model::item::ItemKey;
use model::{Address, B256, U256};
use std::collections::BTreeMap;

/// Sources that a result is linked to one by one. A run of more is a batch, of which pairs say little: its results have
/// one row without source, and their transaction names the sources.
pub const SOURCES_MAX: usize = 64;

/// One end of a link: an item and the token that it has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Key of the item.
    pub item: ItemKey,
    /// Contract and id of the token, where there is one.
    pub token: Option<(Address, U256)>,
}

impl End {
    /// An item with a token of it.
    pub fn of(state: &ChainState, item: ItemId, token: Option<TokenId>) -> Self {
        let named = |token: TokenId| (*state.contracts.key(state.tokens.key(token).0), state.token_id(token));
        Self { item: state.items.key(item).clone(), token: token.map(named) }
    }
}

/// How one item came from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Made of what was in it.
    Repackaged,
    /// Has a token of an announced successor.
    Migrated,
    /// Has a token across an announced bridge.
    Bridged,
    /// The token stands for another item.
    Relabelled,
    /// The token had no name before.
    Named,
}

impl Link {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repackaged => "repackaged",
            Self::Migrated => "migrated",
            Self::Bridged => "bridged",
            Self::Relabelled => "relabelled",
            Self::Named => "named",
        }
    }
}

/// One item came from another: a row of `lineage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descent {
    /// What came of it.
    pub result: End,
    /// What it came from; `None` when that was a batch.
    pub source: Option<End>,
    /// How.
    pub link: Link,
    /// The event that says so.
    pub position: LogPosition,
    /// Its declared or block time, Unix seconds.
    pub secs: i64,
    /// Its transaction.
    pub tx_hash: B256,
    /// Who did it.
    pub actor: Option<Address>,
}

impl Descent {
    /// `result` came from `source` by `event`.
    pub fn new(event: &Event, link: Link, result: End, source: Option<End>) -> Self {
        Self {
            result,
            source,
            link,
            position: event.position,
            secs: event.judged_at_secs(),
            tx_hash: event.tx_hash,
            actor: crate::scene::acting(event),
        }
    }
}

/// What a repackaging takes and makes.
#[derive(Debug)]
enum Part {
    Source(End),
    Result(Descent),
}

/// The lineage that a segment tells.
#[derive(Debug, Default)]
pub struct Lineage {
    told: Vec<Descent>,
    /// The transaction that is being taken in, and what each actor took and made in it.
    transaction: B256,
    parts: BTreeMap<Address, Vec<Part>>,
}

impl Lineage {
    /// Adds a link that one event tells.
    pub fn tell(&mut self, descent: Descent) {
        self.told.push(descent);
    }

    /// Takes a legal step of `end` into account: what a repackaging takes, or makes.
    pub fn step(&mut self, event: &Event, end: impl FnOnce() -> End) {
        let taken = event.kind == EventKind::Decommissioning && event.reason == Some(Reason::Repackaged);
        if !taken && event.kind != EventKind::Commissioning {
            return;
        }
        let Some(actor) = crate::scene::acting(event) else { return };
        if self.transaction != event.tx_hash {
            self.close();
            self.transaction = event.tx_hash;
        }
        let part = if taken {
            Part::Source(end())
        } else {
            Part::Result(Descent::new(event, Link::Repackaged, end(), None))
        };
        self.parts.entry(actor).or_default().push(part);
    }

    /// Every row, in the order of the chain.
    pub fn finish(mut self) -> Vec<Descent> {
        self.close();
        self.told.sort_by_key(|descent| descent.position);
        self.told
    }

    /// Links what the transaction took and made.
    fn close(&mut self) {
        for parts in std::mem::take(&mut self.parts).into_values() {
            for (sources, results) in runs(parts) {
                for result in results {
                    link(&sources, &result, &mut self.told);
                }
            }
        }
    }
}

fn link(sources: &[End], result: &Descent, told: &mut Vec<Descent>) {
    if sources.len() > SOURCES_MAX {
        told.push(result.clone());
    } else {
        told.extend(sources.iter().map(|source| Descent { source: Some(source.clone()), ..result.clone() }));
    }
}

/// Sources with what was made of them.
fn runs(parts: Vec<Part>) -> Vec<(Vec<End>, Vec<Descent>)> {
    let mut runs: Vec<(Vec<End>, Vec<Descent>)> = Vec::new();
    let mut early = Vec::new();
    for part in parts {
        match (part, runs.last_mut()) {
            (Part::Source(source), Some((sources, results))) if results.is_empty() => sources.push(source),
            (Part::Source(source), _) => runs.push((vec![source], Vec::new())),
            (Part::Result(result), Some((_, results))) => results.push(result),
            (Part::Result(result), None) => early.push(result),
        }
    }
    if let [(_, results)] = runs.as_mut_slice()
        && results.is_empty()
    {
        *results = early;
    }
    runs
}

#[cfg(test)]
mod tests;

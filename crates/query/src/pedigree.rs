//! One item's story: every step that was told of it, what was flagged in place, and who held it.
//!
//! Steps on a parent carry its contents, and the contents are not logged: so the story of a pack also holds what
//! happened to the case around it while it was inside, and to the pallet around the case.

mod rows;

pub use rows::{Entry, EventRow, ItemRow, TokenRow};

use crate::cases::Alert;
use crate::engine::Engine;
use crate::error::Result;
use crate::moment::{Moment, cut, quoted};
use crate::snapshot::SnapshotName;
use model::item::ItemKey;
use rows::ContainmentRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steps of one item, or alerts on it, that are told. An honest pack has ten; a flood of thousands is counted.
const ROWS: usize = 1000;

/// Pack, case, pallet, container: parents above one another that are followed.
const LEVELS: usize = 4;

/// Stays inside parents that are followed at one level. An honest pack is packed and unpacked a few times.
const STAYS: usize = 32;

/// One item's story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pedigree {
    /// Key of the item.
    pub item: String,
    /// The moment that the story is told of.
    pub snapshot: SnapshotName,
    /// The item as it stands, on each chain that knows it.
    pub now: Vec<ItemRow>,
    /// The tokens that stand for it.
    pub tokens: Vec<TokenRow>,
    /// What was told of it, in the order of each chain.
    pub entries: Vec<Entry>,
    /// Alerts about it that stand at none of the entries: timers, and those raised by events of others.
    pub other_alerts: Vec<Alert>,
    /// More was told than is told here.
    pub truncated: bool,
}

impl Pedigree {
    /// Does the store know nothing of the item?
    pub fn is_empty(&self) -> bool {
        self.now.is_empty()
            && self.tokens.is_empty()
            && self.entries.is_empty()
            && self.other_alerts.is_empty()
    }

    /// Every alert of the story, in place or not.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.entries.iter().flat_map(|entry| &entry.alerts).chain(&self.other_alerts)
    }
}

/// Tells the story of the item that `text` names: a Digital Link path or URI, or a token in CAIP-19.
///
/// # Errors
/// [`crate::error::Error::Item`] when the text names no item, and every error of a query.
pub async fn pedigree(engine: &Engine, text: &str) -> Result<Pedigree> {
    tell(&Moment::newest(engine), text).await
}

/// The same of a moment.
///
/// # Errors
/// As [`pedigree`].
pub async fn tell(moment: &Moment<'_>, text: &str) -> Result<Pedigree> {
    let item = text.trim().parse::<ItemKey>()?.to_string();
    let key = quoted(&item);
    let now = moment.rows(&format!("SELECT * FROM items WHERE item = {key} ORDER BY chain")).await?;
    let tokens = moment
        .rows(&format!("SELECT * FROM tokens WHERE item = {key} ORDER BY chain, contract, token_id"))
        .await?;
    let (mut entries, mut truncated) = told(moment, &item).await?;
    let alerts = format!(
        "SELECT * FROM alerts WHERE item = {key} OR (subject_kind = 'item' AND subject = {key}) \
         ORDER BY chain, block_number, log_index, sub_index, rule LIMIT {}",
        ROWS + 1
    );
    let mut alerts: Vec<Alert> = moment.rows(&alerts).await?;
    truncated |= cut(&mut alerts, ROWS);
    let other_alerts = place(&mut entries, alerts);
    Ok(Pedigree { item, snapshot: moment.name(), now, tokens, entries, other_alerts, truncated })
}

/// A stay inside a parent: which positions of the parent's chain it spans.
#[derive(Debug, Clone)]
struct Stay {
    chain: u64,
    parent: String,
    from: (u64, u32),
    to: (u64, u32),
}

/// Entries of the item and of its parents while it was inside, in order; and whether there are more.
async fn told(moment: &Moment<'_>, item: &str) -> Result<(Vec<Entry>, bool)> {
    let own = format!("SELECT * FROM events WHERE item = {} {ORDER} LIMIT {}", quoted(item), ROWS + 1);
    let mut events: Vec<EventRow> = moment.rows(&own).await?;
    let mut truncated = cut(&mut events, ROWS);
    let mut entries: Vec<Entry> = events.into_iter().map(|event| event.into_entry(None)).collect();
    let whole = Stay { chain: 0, parent: item.to_owned(), from: (0, 0), to: (u64::MAX, u32::MAX) };
    let mut level = vec![whole];
    for depth in 0..LEVELS {
        level = parents(moment, &level, depth == 0).await?;
        truncated |= cut(&mut level, STAYS);
        for stay in &level {
            let mut events: Vec<EventRow> = moment.rows(&stay.events()).await?;
            truncated |= cut(&mut events, ROWS);
            entries.extend(events.into_iter().map(|event| event.into_entry(Some(&stay.parent))));
        }
    }
    entries.sort_by_key(Entry::position);
    entries.dedup_by(|a, b| a.position() == b.position());
    truncated |= cut(&mut entries, ROWS);
    Ok((entries, truncated))
}

/// The stays of these parents inside parents of their own, as far as they overlap.
async fn parents(moment: &Moment<'_>, stays: &[Stay], any_chain: bool) -> Result<Vec<Stay>> {
    let mut found = Vec::new();
    for stay in stays {
        let chain = if any_chain { String::new() } else { format!("AND chain = {}", stay.chain) };
        let sql = format!(
            "SELECT chain, parent, from_block, from_log, to_block, to_log FROM containment \
             WHERE child = {} {chain} ORDER BY chain, from_block, from_log LIMIT {}",
            quoted(&stay.parent),
            STAYS + 1
        );
        let rows: Vec<ContainmentRow> = moment.rows(&sql).await?;
        found.extend(rows.into_iter().filter_map(|row| stay.inside(row)));
    }
    Ok(found)
}

const ORDER: &str = "ORDER BY chain, block_number, log_index, sub_index";

impl Stay {
    /// The part of a parent's own stay that overlaps this one.
    fn inside(&self, row: ContainmentRow) -> Option<Self> {
        let to = row.to_block.zip(row.to_log).unwrap_or((u64::MAX, u32::MAX));
        let (from, to) = (self.from.max((row.from_block, row.from_log)), self.to.min(to));
        (from <= to).then_some(Self { chain: row.chain, parent: row.parent, from, to })
    }

    /// What happened to the parent while the item was inside.
    fn events(&self) -> String {
        let Self { chain, parent, from, to } = self;
        let (parent, more) = (quoted(parent), ROWS + 1);
        format!(
            "SELECT * FROM events WHERE item = {parent} AND chain = {chain} \
             AND (block_number > {} OR (block_number = {} AND log_index >= {})) \
             AND (block_number < {} OR (block_number = {} AND log_index <= {})) {ORDER} LIMIT {more}",
            from.0, from.0, from.1, to.0, to.0, to.1
        )
    }
}

/// Puts each alert at the entry that raised it; returns those without one.
fn place(entries: &mut [Entry], alerts: Vec<Alert>) -> Vec<Alert> {
    let places: BTreeMap<_, _> =
        entries.iter().enumerate().map(|(at, entry)| (entry.position(), at)).collect();
    let mut others = Vec::new();
    for alert in alerts {
        match places.get(&alert.position()).and_then(|at| entries.get_mut(*at)) {
            Some(entry) => entry.alerts.push(alert),
            None => others.push(alert),
        }
    }
    others
}

#[cfg(test)]
mod tests;

//! One item with all that is known of it: its story, who had it when, its product and its lot; and how one is found.

use crate::cases::Alert;
use crate::error::{Error, Result};
use crate::moment::{Moment, Party, cut, quoted};
use crate::pedigree::{self, ItemRow, Pedigree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Intervals of custody that are told. An honest pack has thirty.
const INTERVALS: usize = 1000;

/// Items that a search gives at most.
const FOUND_MAX: usize = 100;

/// One item with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Its story.
    #[serde(flatten)]
    pub pedigree: Pedigree,
    /// Who is behind the addresses of the story.
    pub parties: BTreeMap<String, Party>,
    /// Who had it when, in each of the three ways of having.
    pub custody: Vec<Interval>,
    /// Its product, as the registry says.
    pub product: Option<Product>,
    /// Its lot, as the registry says.
    pub lot: Option<Lot>,
}

/// An interval of custody: columns of `custody`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Interval {
    pub chain: u64,
    pub branch: u32,
    pub role: String,
    pub holder: String,
    pub quantity: Option<String>,
    pub from_block: u64,
    pub from_time: String,
    pub to_block: Option<u64>,
    pub to_time: Option<String>,
    pub finality: String,
}

/// A product: columns of `registry_products`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Product {
    pub gtin: String,
    pub name: String,
    pub owner: String,
    pub level: Option<String>,
    pub markets: Option<String>,
}

/// A lot: columns of `registry_lots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct Lot {
    pub gtin: String,
    pub lot: String,
    pub expiry: Option<String>,
    pub quantity: Option<u64>,
    pub markets: Option<String>,
}

/// An item that was found, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its key.
    pub item: String,
    /// How it stands.
    #[serde(flatten)]
    pub now: ItemRow,
}

/// All that is known of the item that `text` names; `None` when nothing is.
///
/// # Errors
/// [`Error::Item`] when the text names no item, and every error of a question.
pub async fn item(moment: &Moment<'_>, text: &str) -> Result<Option<Item>> {
    let mut pedigree = pedigree::tell(moment, text).await?;
    if pedigree.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT * FROM custody WHERE item = {} ORDER BY chain, from_block, from_log, from_sub, role, branch, holder \
         LIMIT {}",
        quoted(&pedigree.item),
        INTERVALS + 1
    );
    let mut custody: Vec<Interval> = moment.rows(&sql).await?;
    pedigree.truncated |= cut(&mut custody, INTERVALS);
    let known = pedigree.now.first();
    let (gtin, lot) = known.map_or((None, None), |now| (now.gtin.clone(), now.lot.clone()));
    let product = match &gtin {
        Some(gtin) => product(moment, gtin).await?,
        None => None,
    };
    let lot = match (&gtin, &lot) {
        (Some(gtin), Some(lot)) => self::lot(moment, gtin, lot).await?,
        _ => None,
    };
    let parties = moment.parties(addresses(&pedigree, &custody)).await?;
    Ok(Some(Item { pedigree, parties, custody, product, lot }))
}

/// The product of that number in the newest registry.
///
/// # Errors
/// Every error of a question.
pub async fn product(moment: &Moment<'_>, gtin: &str) -> Result<Option<Product>> {
    let sql = format!(
        "SELECT gtin, name, owner, level, markets FROM registry_products WHERE gtin = {} AND to_block IS NULL \
         ORDER BY valid_from DESC NULLS LAST, chain LIMIT 1",
        quoted(gtin)
    );
    moment.first(&sql).await
}

/// The lot of that product in the newest registry.
///
/// # Errors
/// Every error of a question.
pub async fn lot(moment: &Moment<'_>, gtin: &str, lot: &str) -> Result<Option<Lot>> {
    let sql = format!(
        "SELECT gtin, lot, expiry, quantity, markets FROM registry_lots WHERE gtin = {} AND lot = {} AND to_block IS NULL \
         ORDER BY valid_to DESC NULLS FIRST, valid_from DESC NULLS LAST, chain LIMIT 1",
        quoted(gtin),
        quoted(lot)
    );
    moment.first(&sql).await
}

/// Items whose key, serial, lot, product or token is what `text` says, or begins with it.
///
/// # Errors
/// [`Error::Parameter`] when there is no text, and every error of a question.
pub async fn search(moment: &Moment<'_>, text: &str, limit: usize) -> Result<Vec<Found>> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::parameter(
            "q",
            "write a serial, a lot, a product's number, or the beginning of a key",
        ));
    }
    let limit = limit.clamp(1, FOUND_MAX);
    let (text, lower) = (quoted(text), quoted(&text.to_lowercase()));
    let sql = format!(
        "SELECT * FROM items WHERE item = {text} OR serial = {text} OR lot = {text} OR gtin = {text} \
         OR possessor = {lower} OR owner = {lower} OR starts_with(item, {text}) OR starts_with(serial, {text}) \
         ORDER BY item, chain LIMIT {limit}"
    );
    moment.rows(&sql).await
}

fn addresses<'p>(pedigree: &'p Pedigree, custody: &'p [Interval]) -> impl Iterator<Item = Option<&'p str>> {
    let now = pedigree.now.iter().flat_map(|now| [&now.possessor, &now.owner, &now.consignee, &now.maker]);
    let events = pedigree.entries.iter().flat_map(|entry| {
        let event = &entry.event;
        [&event.from_address, &event.to_address, &event.actor]
    });
    let told = now.chain(events).map(Option::as_deref);
    let flagged = pedigree.alerts().flat_map(Alert::addresses);
    told.chain(flagged).chain(custody.iter().map(|interval| Some(interval.holder.as_str())))
}

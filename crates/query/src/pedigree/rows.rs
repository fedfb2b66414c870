//! Rows of the views that a pedigree is made of.

use crate::cases::Alert;
use serde::{Deserialize, Serialize};

/// An item as it stands on one chain: the columns of `items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct ItemRow {
    pub chain: u64,
    pub gtin: Option<String>,
    pub serial: Option<String>,
    pub lot: Option<String>,
    pub expiry: Option<String>,
    pub state: String,
    pub possessor: Option<String>,
    pub owner: Option<String>,
    pub consignee: Option<String>,
    pub parent: Option<String>,
    pub maker: Option<String>,
    pub branches: u32,
    pub commissioned_at: Option<String>,
    pub steps: u32,
    pub finality: String,
}

/// A token that stands for the item: the columns of `tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct TokenRow {
    pub chain: u64,
    pub contract: String,
    pub token_id: String,
    pub standard: String,
    pub owner: Option<String>,
    pub minted_block: Option<u64>,
    pub burnt_block: Option<u64>,
    pub finality: String,
}

/// One thing that was told of the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The event.
    pub event: EventRow,
    /// The parent that it happened to, with the item inside.
    pub inside: Option<String>,
    /// What was flagged at it.
    pub alerts: Vec<Alert>,
}

impl Entry {
    /// Where the event stands.
    pub(super) fn position(&self) -> (u64, u64, u32, u32) {
        let EventRow { chain, block_number, log_index, sub_index, .. } = self.event;
        (chain, block_number, log_index, sub_index)
    }
}

/// An event: columns of `events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct EventRow {
    pub chain: u64,
    pub block_number: u64,
    pub log_index: u32,
    pub sub_index: u32,
    pub block_time: String,
    pub event_time: Option<String>,
    pub tx_hash: String,
    pub contract: String,
    pub token_id: Option<String>,
    pub kind: String,
    pub branch: u32,
    pub legal: bool,
    pub authority: String,
    pub from_address: Option<String>,
    pub to_address: Option<String>,
    pub actor: Option<String>,
    pub parent: Option<String>,
    pub quantity: Option<String>,
    pub place: Option<String>,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub finality: String,
}

impl EventRow {
    /// The event as an entry; `inside` is the parent that it happened to.
    pub(super) fn into_entry(self, inside: Option<&str>) -> Entry {
        Entry { event: self, inside: inside.map(str::to_owned), alerts: Vec::new() }
    }
}

/// A stay inside a parent: columns of `containment`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ContainmentRow {
    pub(super) chain: u64,
    pub(super) parent: String,
    pub(super) from_block: u64,
    pub(super) from_log: u32,
    pub(super) to_block: Option<u64>,
    pub(super) to_log: Option<u32>,
}

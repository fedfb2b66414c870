//! An event: one log, or one entry of a batch, in the words of GS1.
//!
//! The decoder makes events from raw logs and contract profiles; custody state and rules read nothing else.
//! An event says what its log says. What the state adds (which item the token stands for, which branch
//! it belongs to) is beside it in the row, not in it.

use crate::chain::LogPosition;
use crate::gs1::{Gln, Gtin, Sscc, Text};
use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What an event does. Steps move custody (CBV 2.0 business steps where one fits); facts are about tokens,
/// contracts and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the doc of each kind is its row in `EventKind::TABLE`")]
pub enum EventKind {
    Commissioning,
    Shipping,
    Receiving,
    Accepting,
    VoidShipping,
    Packing,
    Unpacking,
    Dispensing,
    PartialDispensing,
    Decommissioning,
    Destroying,
    Reactivating,
    Quarantining,
    Inspecting,
    Returning,
    Exporting,
    TheftReported,
    TheftWithdrawn,
    Locking,
    Unlocking,
    Recalling,
    RecallLifted,
    Transfer,
    TransferRange,
    TransferQuantity,
    Identity,
    Approval,
    ApprovalForAll,
    MetadataUpdate,
    UriChanged,
    TokenLocked,
    TokenUnlocked,
    SoulboundIssued,
    UserChanged,
    NestProposed,
    SensorEngaged,
    SensorAlarm,
    RoleGranted,
    RoleRevoked,
    OwnershipTransferred,
    Upgraded,
    AdminChanged,
    Paused,
    Unpaused,
    ContractDiscovered,
    Other,
}

impl EventKind {
    /// Every kind with its name in configuration and tables, and what it means.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Commissioning, "commissioning", "an identifier is given to an object for the first time"),
        (Self::Shipping, "shipping", "sent to a named receiver; possession not yet taken over"),
        (Self::Receiving, "receiving", "taken over by the receiver of a shipping"),
        (Self::Accepting, "accepting", "possession changes in one phase"),
        (Self::VoidShipping, "void_shipping", "a shipping is declared not to have happened"),
        (Self::Packing, "packing", "put into a parent"),
        (Self::Unpacking, "unpacking", "taken out of a parent"),
        (Self::Dispensing, "dispensing", "supplied in full to a patient"),
        (Self::PartialDispensing, "partial_dispensing", "some units supplied"),
        (Self::Decommissioning, "decommissioning", "identifier withdrawn, with a reason; may be reactivated"),
        (Self::Destroying, "destroying", "destroyed: nothing may follow"),
        (Self::Reactivating, "reactivating", "a decommissioning is undone"),
        (Self::Quarantining, "holding", "held back for investigation"),
        (Self::Inspecting, "inspecting", "looked at; moves nothing"),
        (
            Self::Returning,
            "returning",
            "shipped back towards a former holder, the maker or a reverse distributor",
        ),
        (Self::Exporting, "exporting", "leaves the market"),
        (Self::TheftReported, "theft_reported", "declared stolen, from an effective time"),
        (Self::TheftWithdrawn, "theft_withdrawn", "a theft report is taken back"),
        (Self::Locking, "locking", "status locked by an authority"),
        (Self::Unlocking, "unlocking", "lock lifted"),
        (Self::Recalling, "recalling", "recalled by maker or authority"),
        (Self::RecallLifted, "recall_lifted", "a recall is resolved"),
        (Self::Transfer, "transfer", "a token changes owner on the chain; from zero a mint, to zero a burn"),
        (Self::TransferRange, "transfer_range", "tokens token..=range_end change owner (ERC-2309)"),
        (Self::TransferQuantity, "transfer_quantity", "units of a token change owner (ERC-1155)"),
        (Self::Identity, "identity", "a token is named: product, serial, lot, expiry"),
        (Self::Approval, "approval", "one token may be moved by another address"),
        (Self::ApprovalForAll, "approval_for_all", "an operator is set or removed"),
        (Self::MetadataUpdate, "metadata_update", "metadata of token..=range_end changed (ERC-4906)"),
        (Self::UriChanged, "uri_changed", "URI of a token or contract changed"),
        (Self::TokenLocked, "token_locked", "token may not move (ERC-5192)"),
        (Self::TokenUnlocked, "token_unlocked", "token may move again (ERC-5192)"),
        (Self::SoulboundIssued, "soulbound_issued", "issued with a burn authorisation (ERC-5484)"),
        (Self::UserChanged, "user_changed", "right of use given until a time (ERC-4907)"),
        (Self::NestProposed, "nest_proposed", "a child is offered to a parent (ERC-7401)"),
        (Self::SensorEngaged, "sensor_engaged", "owner or user engaged an asset (ERC-4519)"),
        (Self::SensorAlarm, "sensor_alarm", "an asset missed its timeout (ERC-4519)"),
        (Self::RoleGranted, "role_granted", "role given on a contract"),
        (Self::RoleRevoked, "role_revoked", "role taken on a contract"),
        (Self::OwnershipTransferred, "ownership_transferred", "contract has a new owner"),
        (Self::Upgraded, "upgraded", "proxy has a new implementation"),
        (Self::AdminChanged, "admin_changed", "proxy has a new admin"),
        (Self::Paused, "paused", "contract paused"),
        (Self::Unpaused, "unpaused", "contract works again"),
        (Self::ContractDiscovered, "contract_discovered", "a factory made a contract"),
        (Self::Other, "other", "a known event that moves nothing"),
    ];

    /// The name in configuration and tables.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(kind, ..)| *kind == self).map_or("other", |(_, name, _)| name)
    }

    /// Does it move custody or state of an item, so that it counts as a step of its story?
    pub fn is_step(self) -> bool {
        self <= Self::RecallLifted
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::TABLE.iter().find(|(_, name, _)| *name == text);
        found.map(|(kind, ..)| *kind).ok_or_else(|| format!("'{text}' is not a step"))
    }
}

/// Where the actor was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorSource {
    /// A field of the log.
    Log,
    /// The sender of the transaction.
    Sender,
    /// The token's owner at that point.
    Owner,
}

impl ActorSource {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Sender => "sender",
            Self::Owner => "owner",
        }
    }
}

/// Why an item left the chain or its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Reason {
    Unspecified,
    Damaged,
    Expired,
    Sample,
    Exported,
    CheckedOut,
    Repackaged,
    Withdrawn,
    Recalled,
    Stolen,
    Migrated,
    Bridged,
}

impl Reason {
    /// Every reason with its name in configuration and tables.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Unspecified, "unspecified"),
        (Self::Damaged, "damaged"),
        (Self::Expired, "expired"),
        (Self::Sample, "sample"),
        (Self::Exported, "exported"),
        (Self::CheckedOut, "checked_out"),
        (Self::Repackaged, "repackaged"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Recalled, "recalled"),
        (Self::Stolen, "stolen"),
        (Self::Migrated, "migrated"),
        (Self::Bridged, "bridged"),
    ];

    /// The name in configuration and tables.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|(reason, _)| *reason == self).map_or("unspecified", |(_, name)| name)
    }
}

impl FromStr for Reason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::TABLE.iter().find(|(_, name)| *name == text);
        found.map(|(reason, _)| *reason).ok_or_else(|| format!("'{text}' is not a reason"))
    }
}

/// What a log says an item is. All fields that the log carries; the strings as they came where they are no key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The product.
    pub gtin: Option<Gtin>,
    /// The serial.
    pub serial: Option<Text>,
    /// The lot.
    pub lot: Option<Text>,
    /// Expiry, as the day's number since 1970-01-01 (a month without day is its last day).
    pub expiry_day: Option<i32>,
    /// The logistic unit.
    pub sscc: Option<Sscc>,
    /// Fields that are no key, as `field: value (why)`; the item keeps its token's name then.
    pub rejected: Option<String>,
}

impl Identity {
    /// Does it say nothing?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One decoded event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Where it stands in its chain.
    pub position: LogPosition,
    /// The transaction.
    pub tx_hash: B256,
    /// Index of the transaction in the block.
    pub tx_index: u32,
    /// Timestamp of the block, Unix seconds.
    pub block_time_secs: i64,
    /// Declared time, Unix seconds, where the log carries one.
    pub event_time_secs: Option<i64>,
    /// The contract whose log it is.
    pub contract: Address,
    /// The contract whose tokens it speaks of: `contract` itself, or its family's token contract.
    pub token_contract: Address,
    /// What it does.
    pub kind: EventKind,
    /// The token, where it speaks of one.
    pub token: Option<U256>,
    /// Last token of a range, inclusive.
    pub range_end: Option<U256>,
    /// What the log says the item is.
    pub identity: Identity,
    /// The one it leaves.
    pub from: Option<Address>,
    /// The one it goes to.
    pub to: Option<Address>,
    /// The one who does it.
    pub actor: Option<Address>,
    /// Where the actor was read from.
    pub actor_source: Option<ActorSource>,
    /// Sender of the transaction, where carried.
    pub sender: Option<Address>,
    /// The parent's token (in `parent_contract`), for packing and unpacking.
    pub parent: Option<U256>,
    /// Contract of the parent's token.
    pub parent_contract: Option<Address>,
    /// Units, for quantities.
    pub quantity: Option<U256>,
    /// The place.
    pub place: Option<Gln>,
    /// Why, for decommissioning.
    pub reason: Option<Reason>,
    /// Anything else that the profile names, as text: role, URI, recall id.
    pub detail: Option<String>,
}

impl Event {
    /// An event of `contract` that says nothing but what it does.
    pub fn bare(kind: EventKind, contract: Address, position: LogPosition) -> Self {
        Self {
            position,
            tx_hash: B256::ZERO,
            tx_index: 0,
            block_time_secs: 0,
            event_time_secs: None,
            contract,
            token_contract: contract,
            kind,
            token: None,
            range_end: None,
            identity: Identity::default(),
            from: None,
            to: None,
            actor: None,
            actor_source: None,
            sender: None,
            parent: None,
            parent_contract: None,
            quantity: None,
            place: None,
            reason: None,
            detail: None,
        }
    }

    /// The time at which licences, delegations and dates are judged: declared where there is one, else the block's.
    pub fn judged_at_secs(&self) -> i64 {
        self.event_time_secs.unwrap_or(self.block_time_secs)
    }
}

/// A log that matches the filter and is no event: kept, counted, never dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Where it stands in its chain.
    pub position: LogPosition,
    /// The transaction.
    pub tx_hash: B256,
    /// The contract.
    pub contract: Address,
    /// First topic, where there is one.
    pub topic0: Option<B256>,
    /// Why it is no event.
    pub reason: DeadReason,
    /// One sentence: which field, what came.
    pub detail: String,
}

/// Why a log is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "`as_str` and the table of `dead_letters` say it")]
pub enum DeadReason {
    NoTopics,
    UnknownEvent,
    AmbiguousLayout,
    TopicCount,
    ShortData,
    BadOffset,
    BadLength,
    HugeClaim,
    DirtyPadding,
    LengthMismatch,
    BadText,
    BadEnum,
    BadValue,
    OverQuota,
    NoItem,
}

impl DeadReason {
    /// The name in tables and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTopics => "no_topics",
            Self::UnknownEvent => "unknown_event",
            Self::AmbiguousLayout => "ambiguous_layout",
            Self::TopicCount => "topic_count",
            Self::ShortData => "short_data",
            Self::BadOffset => "bad_offset",
            Self::BadLength => "bad_length",
            Self::HugeClaim => "huge_claim",
            Self::DirtyPadding => "dirty_padding",
            Self::LengthMismatch => "length_mismatch",
            Self::BadText => "bad_text",
            Self::BadEnum => "bad_enum",
            Self::BadValue => "bad_value",
            Self::OverQuota => "over_quota",
            Self::NoItem => "no_item",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_and_reads_back() {
        for (kind, name, _) in EventKind::TABLE {
            assert_eq!(kind.as_str(), *name);
            assert_eq!(name.parse::<EventKind>(), Ok(*kind));
        }
        assert!(EventKind::Commissioning.is_step() && EventKind::RecallLifted.is_step());
        assert!(!EventKind::Transfer.is_step());
    }
}

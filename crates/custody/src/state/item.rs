//! An item and its stories: what is remembered of a pack, a case or a lot.
//!
//! An item has one story while nothing contradicts it. An illegal event opens a *branch*: a second story, told by
//! whoever acted. Branch 0 is the story with provenance; only the others are accused.

use model::chain::LogPosition;
use model::event::{EventKind, Reason};
use model::item::ItemKey;
use serde::{Deserialize, Serialize};

/// Number of an item in its chain's state.
pub type ItemId = u32;
/// Number of an address in its chain's state.
pub type HolderId = u32;
/// Number of a token in its chain's state.
pub type TokenId = u32;
/// Number of a contract in its chain's state.
pub type ContractId = u32;
/// Number of a place.
pub type PlaceId = u32;

/// How many branches of an item are told apart. Beyond it, events join the last: who makes more contradictions
/// than this of one pack adds nothing that a person could use.
pub const BRANCHES_MAX: u32 = 8;

/// Where a story stands: the custody state machine of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Nothing but claims that were not accepted is known.
    Unknown,
    /// In the possession of its holder.
    Active,
    /// Sent, not yet received.
    InTransit,
    /// Sent back, not yet received.
    Returning,
    /// Inside a parent.
    Packed,
    /// Some units were supplied.
    PartiallyDispensed,
    /// Supplied in full.
    Dispensed,
    /// Identifier withdrawn; may be reactivated.
    Inactive(Reason),
    /// The end.
    Destroyed,
}

impl State {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::InTransit => "in_transit",
            Self::Returning => "returning",
            Self::Packed => "packed",
            Self::PartiallyDispensed => "partially_dispensed",
            Self::Dispensed => "dispensed",
            Self::Inactive(_) => "inactive",
            Self::Destroyed => "destroyed",
        }
    }

    /// Is it on the way to someone?
    pub fn is_moving(self) -> bool {
        matches!(self, Self::InTransit | Self::Returning)
    }

    /// Is it in circulation: neither supplied, withdrawn nor destroyed?
    pub fn is_living(self) -> bool {
        matches!(
            self,
            Self::Active | Self::InTransit | Self::Returning | Self::Packed | Self::PartiallyDispensed
        )
    }
}

/// One story of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Where it stands.
    pub state: State,
    /// Who has it (the sender, while it is on the way).
    pub possessor: Option<HolderId>,
    /// Whom it is on the way to.
    pub consignee: Option<HolderId>,
    /// What it is inside of.
    pub parent: Option<ItemId>,
    /// Since when its possessor has it.
    pub held_from: LogPosition,
    /// The same as time: declared or block time, Unix seconds.
    pub held_from_secs: i64,
    /// Its last step.
    pub last: LogPosition,
    /// The same as time.
    pub last_secs: i64,
    /// Number of the place of its last step, where one was named.
    pub place: Option<u32>,
    /// Is its declarer another than its possessor, or since another step? Then it stands in a map of its own:
    /// mostly who has an item declares its steps, and nothing more need be remembered.
    pub declared_apart: bool,
}

/// Who has a role towards an item, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// Who.
    pub holder: HolderId,
    /// Since which event.
    pub from: LogPosition,
    /// The same as time: declared or block time, Unix seconds.
    pub from_secs: i64,
}

impl Story {
    /// A story that begins at `position` with `possessor`.
    pub fn begin(state: State, possessor: Option<HolderId>, position: LogPosition, secs: i64) -> Self {
        Self {
            state,
            possessor,
            consignee: None,
            parent: None,
            held_from: position,
            held_from_secs: secs,
            last: position,
            last_secs: secs,
            place: None,
            declared_apart: false,
        }
    }

    /// Who has it, and since when.
    pub fn possession(&self) -> Option<Tenure> {
        let (from, from_secs) = (self.held_from, self.held_from_secs);
        self.possessor.map(|holder| Tenure { holder, from, from_secs })
    }
}

/// A story that somebody tells beside the one with provenance, with the step that it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The story as it stands.
    pub story: Story,
    /// What it began with.
    pub kind: EventKind,
    /// Who has the item by that step.
    pub holder: Option<HolderId>,
    /// Where that step stands.
    pub begun: LogPosition,
    /// The same as time: declared or block time, Unix seconds.
    pub begun_secs: i64,
    /// Who took that step.
    pub actor: Option<HolderId>,
    /// Who could have taken it, or let another take it, where it was refused for who took it: who had the item or was
    /// to receive it, and who owned it.
    pub rightful: [Option<HolderId>; 2],
}

/// What is remembered of an item beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The story with provenance.
    pub story: Story,
    /// How many branches there are beside it; they stand in a map of their own.
    pub branches: u32,
    /// Number of its lot.
    pub lot: Option<u32>,
    /// The token that it was commissioned under, or first seen under.
    pub token: Option<TokenId>,
    /// Who commissioned it.
    pub maker: Option<HolderId>,
    /// When, declared or block time, Unix seconds.
    pub commissioned_secs: Option<i64>,
    /// Steps so far, all branches.
    pub steps: u32,
    /// Repeated dispensings by the one who dispensed it.
    pub repeats: u8,
}

impl Item {
    /// An item that nothing is known of yet.
    pub fn unknown(position: LogPosition, secs: i64) -> Self {
        Self {
            story: Story::begin(State::Unknown, None, position, secs),
            branches: 0,
            lot: None,
            token: None,
            maker: None,
            commissioned_secs: None,
            steps: 0,
            repeats: 0,
        }
    }
}

/// A token: an alias of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The item that it stands for.
    pub item: Option<ItemId>,
    /// Owner on the chain; `None` before the mint was seen, once burnt, and where it is held in quantities.
    pub owner: Option<HolderId>,
    /// Since when.
    pub owned_from: LogPosition,
    /// The same as block time.
    pub owned_from_secs: i64,
    /// Where it was commissioned as an item: the claim that a clone is judged by.
    pub commissioned: Option<LogPosition>,
    /// Block of its mint.
    pub minted_block: Option<u64>,
    /// Block of its burn.
    pub burnt_block: Option<u64>,
    /// Is it held in quantities, so that who has how much stands in the ledger?
    pub in_units: bool,
    /// The last event that changed it.
    pub updated: LogPosition,
}

impl Token {
    /// A token that was first seen at `position`.
    pub fn seen(position: LogPosition, secs: i64) -> Self {
        Self {
            item: None,
            owner: None,
            owned_from: position,
            owned_from_secs: secs,
            commissioned: None,
            minted_block: None,
            burnt_block: None,
            in_units: false,
            updated: position,
        }
    }
}

/// An open sending of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Who sent it.
    pub consignor: HolderId,
    /// Whom to.
    pub consignee: Option<HolderId>,
    /// Where it was sent.
    pub shipped: LogPosition,
    /// When, declared or block time, Unix seconds.
    pub shipped_secs: i64,
}

/// When an item went into its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packing {
    /// The parent.
    pub parent: ItemId,
    /// Where it was packed.
    pub packed: LogPosition,
    /// When, declared or block time, Unix seconds.
    pub packed_secs: i64,
}

/// What is remembered of a lot: what its commissionings said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotEntry {
    /// Last day of use, days since 1970-01-01, as first declared.
    pub expiry_day: Option<i32>,
}

crate::journal::keep_as_is!(LotEntry);

/// The text of an item's key and its parts, as tables show them.
pub fn serial_of(key: &ItemKey) -> Option<String> {
    match key {
        ItemKey::Sgtin(_, serial) => Some(serial.to_string()),
        ItemKey::Sscc(_) | ItemKey::Lot(..) | ItemKey::Token(_) => None,
    }
}

//! Contract profiles: how the logs of a kind of contract are read. Configuration, not code.
//!
//! A profile is a TOML text: standard, meaning of transfers, observability, and one `[[event]]` per event of
//! the contract's own. Events of the standards come with it; an event of its own takes the place of a
//! standard one.
//!
//! ```toml
//! standard = "erc721"            # erc721, erc1155, none
//! transfer = "ownership"         # custody: a mint is commissioning, a burn decommissioning, else accepting
//! abi = '[…]'                    # optional JSON ABI: a signature may then be a name alone
//! calls = ["f(uint256[] ids)"]   # functions whose input explains indexed texts and lists
//!
//! [observability]
//! steps = ["shipping"]           # else: the steps of the events below
//! complete_history = true
//! times_at_scan = true
//! forcing_role = "ADMIN_ROLE"    # name or hash
//!
//! [[event]]
//! signature = "Moved(uint256[] ids, address indexed to, uint8 status, (string gln, uint64 at) where)"
//! step = "other"                 # a name of `EventKind::TABLE`; what values below do not say
//! step_by_enum = { field = "status", values = { 1 = "shipping", 2 = "receiving" } }  # or a list: 0, 1, 2 …
//! token = "ids"                  # a list: one event per entry
//! place = "where.0"              # parts of a tuple by place, or by name where an ABI names them
//! time = "where.1"
//! ```
//!
//! Keys of an event, each naming a field of it: `token`, `range_end`, `token_contract`, `parent`,
//! `parent_contract`, `from`, `to`, `actor` (else the sender, marked), `time` (`time_unit` s, ms, days;
//! `time_offset_secs`), `place`, `item` (Digital Link, URN or element string), `gtin`, `serial`, `lot`,
//! `sscc`, `expiry` (`expiry_format` yyyymmdd, yymmdd, unix, days), `quantity` (`quantity_scale` 12 or
//! "1/1000"), `reason` (`enums.reason`), `detail` (one or a list), `metadata` (data URI). Beside them: `of`
//! (name of the watched contract whose tokens it speaks of), `trailing_data` (refused, ignored),
//! `named_contracts_only`. An id that is a text is its Keccak-256.

use super::layout::Layout;
use super::mapping::Mapping;
use super::profile_toml;
use super::standards;
use alloy_primitives::B256;
use hashbrown::HashMap;
use model::event::EventKind;
use std::sync::Arc;

pub use super::profile_error::{ProfileError, ProfileProblem};

/// Which token standard a contract follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standard {
    /// One token, one owner.
    Erc721,
    /// One token id, many units.
    Erc1155,
    /// No token: events of its own only.
    None,
}

impl Standard {
    /// Every standard with its name in configuration.
    pub const TABLE: &'static [(Self, &'static str)] =
        &[(Self::Erc721, "erc721"), (Self::Erc1155, "erc1155"), (Self::None, "none")];
}

/// What a transfer of a token says about the thing that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferMeaning {
    /// A mint is commissioning, a burn decommissioning, any other transfer accepting.
    Custody,
    /// The token's owner changes and nothing else: custody is told by events of the contract's own.
    Ownership,
}

impl TransferMeaning {
    /// Every meaning with its name in configuration.
    pub const TABLE: &'static [(Self, &'static str)] =
        &[(Self::Custody, "custody"), (Self::Ownership, "ownership")];
}

/// What a contract can tell: rules that need more do not run, and answers say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observability {
    /// The steps that it can speak, ascending.
    pub steps: Vec<EventKind>,
    /// Is its history complete from our first block?
    pub complete_history: bool,
    /// Are declared times those of the scan, not of the upload?
    pub times_at_scan: bool,
    /// Role that may move tokens of others: Keccak-256 of its name, as in `RoleGranted`.
    pub forcing_role: Option<B256>,
}

impl Observability {
    /// Can the contract speak of this step?
    pub fn speaks(&self, step: EventKind) -> bool {
        self.steps.binary_search(&step).is_ok()
    }
}

/// How the logs of a kind of contract are read.
#[derive(Debug, Clone)]
pub struct ContractProfile {
    /// Its name.
    pub name: String,
    /// The standard that it follows.
    pub standard: Standard,
    /// What its transfers mean.
    pub transfer: TransferMeaning,
    /// What it can tell.
    pub observability: Observability,
    pub(super) events: HashMap<(B256, u8), Arc<Mapping>>,
    /// First topics of the events that are its own.
    pub(super) own_topics: Vec<B256>,
    /// Functions whose input holds the preimages of indexed texts and lists.
    pub(super) calls: Vec<Call>,
    /// Names of other contracts whose tokens its events speak of.
    pub(super) families: Vec<String>,
}

/// A function whose input is read for preimages.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) selector: [u8; 4],
    pub(super) layout: Layout,
}

impl ContractProfile {
    /// Reads the profile `name` from its TOML text.
    ///
    /// # Errors
    /// The first thing that is wrong, with line, column and a suggestion where one is near.
    pub fn parse(name: &str, toml_text: &str) -> Result<Self, ProfileError> {
        profile_toml::parse(name, toml_text)
    }

    /// First topics of all events that it can read, ascending.
    pub fn topics(&self) -> Vec<B256> {
        let mut topics: Vec<B256> = self.events.keys().map(|(topic0, _)| *topic0).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// First topics to ask for where the contract is not named by its address: those of its own events, else
    /// those of its standard's transfers. Asking for the other topics of a standard would bring half of the
    /// chain.
    pub fn telling_topics(&self) -> Vec<B256> {
        if self.own_topics.is_empty() {
            standards::transfer_topics(self.standard)
        } else {
            self.own_topics.clone()
        }
    }

    /// Is the transaction's sender needed, because a step names no actor: one of its own, or a transfer that is
    /// custody?
    pub fn needs_sender(&self) -> bool {
        let own = self.events.values().filter(|mapping| self.own_topics.contains(&mapping.shape.topic0));
        let mut unnamed = own.filter(|mapping| mapping.fields.actor.is_none());
        let custody = self.transfer == TransferMeaning::Custody && self.standard == Standard::Erc721;
        custody || unnamed.any(|mapping| mapping.kind.kinds().into_iter().any(EventKind::is_step))
    }

    /// Is the input of transactions needed, to read indexed texts and lists?
    pub fn needs_input(&self) -> bool {
        !self.calls.is_empty()
    }
}

/// The profiles that come with the binary, by name.
const BUILTIN: &[(&str, &str)] = &[
    ("gs1-pack", include_str!("../../profiles/gs1-pack.toml")),
    ("erc721", include_str!("../../profiles/erc721.toml")),
    ("erc1155-lot", include_str!("../../profiles/erc1155-lot.toml")),
    ("rootpharma", include_str!("../../profiles/rootpharma.toml")),
    ("pharmaceutical-batch", include_str!("../../profiles/pharmaceutical-batch.toml")),
];

/// Names of the profiles that come with the binary.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The profile of that name that comes with the binary.
pub fn builtin(name: &str) -> Option<ContractProfile> {
    let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    ContractProfile::parse(name, text).ok()
}

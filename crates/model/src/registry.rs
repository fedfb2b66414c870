//! Reference data: who exists, who may do what, what was made. Loaded from files, positioned in the stream.
//!
//! Every row has valid time (when it holds in the world) and known time (when it was told): half-open
//! intervals in Unix seconds. Judgements ask what was valid at the event's time; alerts tell apart what
//! was known then from what was learnt later.

use crate::chain::ChainId;
use crate::gs1::{Gln, Gtin, Text};
use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// When a row holds and since when it is known. Half-open: `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Validity {
    /// First second at which it holds; `i64::MIN` when open.
    pub from_secs: i64,
    /// First second at which it no longer holds; `i64::MAX` when open.
    pub to_secs: i64,
    /// Since when it is known; `i64::MIN` when always.
    pub known_from_secs: i64,
}

impl Validity {
    /// Holds always, always known.
    pub const ALWAYS: Self = Self { from_secs: i64::MIN, to_secs: i64::MAX, known_from_secs: i64::MIN };

    /// Does the row hold at `time_secs`?
    pub fn holds_at(&self, time_secs: i64) -> bool {
        self.from_secs <= time_secs && time_secs < self.to_secs
    }
}

/// A closed list of words that a registry column may hold.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in files and tables.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    format!("'{text}' is none of {}", words.join(", "))
                })
            }
        }
    };
}

words!(
    /// What a party does in the chain of supply. Source: DSCSA §581 trading partners; EU 2001/83/EC actors.
    Role {
        /// Makes and owns products.
        Manufacturer = "manufacturer",
        /// Makes for a manufacturer.
        ContractMaker = "contract_maker",
        /// Repacks or relabels.
        Repackager = "repackager",
        /// Buys and sells.
        Wholesaler = "wholesaler",
        /// Holds or carries for others, owns nothing.
        Logistics = "logistics",
        /// Dispenses to patients.
        Dispenser = "dispenser",
        /// Takes returns and destroys.
        ReverseDistributor = "reverse_distributor",
        /// Supervises.
        Authority = "authority",
    }
);
words!(
    /// What a licence allows.
    LicenceType {
        /// To make medicines.
        Manufacturing = "manufacturing",
        /// To repack medicines.
        Repackaging = "repackaging",
        /// To trade in medicines.
        Wholesale = "wholesale",
        /// To hold or carry medicines for others.
        Logistics = "logistics",
        /// To dispense.
        Dispensing = "dispensing",
        /// To take returns and destroy.
        Disposal = "disposal",
    }
);
words!(
    /// Standing of a licence within its interval.
    LicenceStatus {
        /// In force.
        Active = "active",
        /// Taken away for a time.
        Suspended = "suspended",
        /// Taken away.
        Revoked = "revoked",
    }
);
words!(
    /// Standing of a wallet.
    WalletStatus {
        /// Signs for its party.
        Active = "active",
        /// Its key is known to be in other hands.
        Compromised = "compromised",
        /// No longer used.
        Retired = "retired",
    }
);
words!(
    /// How far a contract is believed. The order is the order of authority.
    Tier {
        /// Named by nobody: its events change no item's state.
        Unknown = "unknown",
        /// A partner's, a bridge, an announced successor.
        Recognised = "recognised",
        /// Named by the product's owner or a regulator.
        Authoritative = "authoritative",
    }
);
words!(
    /// What two parties agreed.
    AgreementKind {
        /// The agent holds, carries or declares for the principal.
        Logistics = "logistics",
        /// The agent makes for the principal.
        ContractMaking = "contract_making",
        /// Stock at the agent stays the principal's until sold.
        Consignment = "consignment",
        /// The principal sells, the agent ships.
        DropShipment = "drop_shipment",
        /// One group.
        Affiliate = "affiliate",
        /// The agent takes returns for the principal.
        Returns = "returns",
    }
);
words!(
    /// Packaging level of a product.
    Level {
        /// The saleable pack.
        Pack = "pack",
        /// Holds packs.
        Case = "case",
        /// Holds cases.
        Pallet = "pallet",
    }
);
words!(
    /// Legal regime of a market.
    Regime {
        /// US Drug Supply Chain Security Act.
        UsDscsa = "us-dscsa",
        /// EU Falsified Medicines Directive, Regulation 2016/161.
        EuFmd = "eu-fmd",
        /// Anywhere else.
        Generic = "generic",
    }
);
words!(
    /// What an announcement says of two contracts.
    AnnouncementKind {
        /// Tokens move from `contract` to `successor` for good.
        Migration = "migration",
        /// Tokens of `contract` are wrapped in `successor` while locked.
        Bridge = "bridge",
    }
);

/// A legal person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// Its global location number.
    pub gln: Gln,
    /// Its name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What it does.
    pub role: Role,
    /// IANA time zone.
    pub tz: String,
    /// When this holds.
    pub validity: Validity,
}

/// A place of a party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The place.
    pub gln: Gln,
    /// Whose it is.
    pub party: Gln,
    /// What kind of place, in words.
    pub kind: String,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// How exact the coordinates are.
    pub precision_km: Option<f64>,
    /// When this holds.
    pub validity: Validity,
}

/// A key that signs for a party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wallet {
    /// The chain; `None` for every chain.
    pub chain: Option<ChainId>,
    /// The address.
    pub address: Address,
    /// Whose it is.
    pub party: Gln,
    /// Its standing.
    pub status: WalletStatus,
    /// When this holds.
    pub validity: Validity,
}

/// A licence in one jurisdiction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// Who holds it.
    pub party: Gln,
    /// What it allows.
    pub kind: LicenceType,
    /// ISO 3166-1 alpha-2 of the jurisdiction; `*` for all.
    pub jurisdiction: String,
    /// Its standing.
    pub status: LicenceStatus,
    /// When this holds.
    pub validity: Validity,
}

/// The owner of a product lets another mint its identities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delegation {
    /// Who owns the product.
    pub principal: Gln,
    /// Who may mint.
    pub agent: Gln,
    /// The product; `None` for all of the principal's.
    pub gtin: Option<Gtin>,
    /// Lots, `*` at the end matches any rest; `None` for all.
    pub lot_pattern: Option<String>,
    /// Where; `None` for anywhere.
    pub site: Option<Gln>,
    /// When this holds.
    pub validity: Validity,
}

/// Two parties agreed that one acts for the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// For whom.
    pub principal: Gln,
    /// Who acts.
    pub agent: Gln,
    /// How.
    pub kind: AgreementKind,
    /// A product that it is limited to; `None` for all.
    pub scope: Option<Gtin>,
    /// When this holds.
    pub validity: Validity,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Its number.
    pub gtin: Gtin,
    /// Who owns it.
    pub owner: Gln,
    /// Its name.
    pub name: String,
    /// Packaging level.
    pub level: Level,
    /// Units in one.
    pub units: u32,
    /// ISO 3166-1 alpha-2 of the markets that it is licensed in.
    pub markets: Vec<String>,
    /// When this holds.
    pub validity: Validity,
}

/// A lot of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// The product.
    pub gtin: Gtin,
    /// The lot.
    pub lot: Text,
    /// Last day of use, days since 1970-01-01.
    pub expiry_day: i32,
    /// Declared saleable packs.
    pub quantity: Option<u64>,
    /// Markets that it is destined for.
    pub markets: Vec<String>,
    /// When making it ended, Unix seconds.
    pub closed_at_secs: Option<i64>,
    /// When this holds.
    pub validity: Validity,
}

/// A recall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// Its name.
    pub id: String,
    /// The product.
    pub gtin: Gtin,
    /// The lot; `None` for all.
    pub lot: Option<Text>,
    /// First serial covered, in byte order; `None` from the beginning.
    pub serial_from: Option<Text>,
    /// Last serial covered, inclusive; `None` to the end.
    pub serial_to: Option<Text>,
    /// ISO 3166-1 alpha-2 of the market; `None` for all.
    pub market: Option<String>,
    /// Class of the recall, in the regime's words.
    pub class: String,
    /// From when, Unix seconds.
    pub effective_at_secs: i64,
    /// Until when; `None` while open.
    pub resolved_at_secs: Option<i64>,
    /// When this holds.
    pub validity: Validity,
}

/// A later expiry for a lot, by an authority.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// The product.
    pub gtin: Gtin,
    /// The lot.
    pub lot: Text,
    /// The new last day of use, days since 1970-01-01.
    pub expiry_day: i32,
    /// When this holds.
    pub validity: Validity,
}

/// How far a contract is believed about a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractAuthority {
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub address: Address,
    /// How far.
    pub tier: Tier,
    /// The product; `None` for all that it speaks of.
    pub gtin: Option<Gtin>,
    /// When this holds.
    pub validity: Validity,
}

/// A migration or bridge was announced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which of the two.
    pub kind: AnnouncementKind,
    /// Chain of the contract that tokens leave.
    pub chain: ChainId,
    /// The contract that tokens leave.
    pub contract: Address,
    /// Chain of the contract that they go to.
    pub successor_chain: ChainId,
    /// The contract that they go to.
    pub successor: Address,
    /// When this holds.
    pub validity: Validity,
}

/// How long goods take between two parties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// From whom; `None` for anyone.
    pub from: Option<Gln>,
    /// To whom; `None` for anyone.
    pub to: Option<Gln>,
    /// 99th percentile of the time in transit.
    pub p99_secs: i64,
    /// When this holds.
    pub validity: Validity,
}

/// A case that people confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The item, as text of its key.
    pub item: String,
    /// Who is concerned, where known.
    pub party: Option<Gln>,
    /// What was confirmed, in words.
    pub finding: String,
    /// When this holds.
    pub validity: Validity,
}

/// Everything that the files say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each list is the rows of its type")]
pub struct Registry {
    pub parties: Vec<Party>,
    pub sites: Vec<Site>,
    pub wallets: Vec<Wallet>,
    pub licences: Vec<Licence>,
    pub delegations: Vec<Delegation>,
    pub agreements: Vec<Agreement>,
    pub products: Vec<Product>,
    pub lots: Vec<Lot>,
    pub recalls: Vec<Recall>,
    pub extensions: Vec<Extension>,
    pub contracts: Vec<ContractAuthority>,
    pub announcements: Vec<Announcement>,
    pub lanes: Vec<Lane>,
    pub confirmations: Vec<Confirmation>,
}

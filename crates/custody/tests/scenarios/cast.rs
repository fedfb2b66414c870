//! The cast of the scenarios: parties, wallets, licences, one product, three contracts.

use model::Address;
use model::chain::ChainId;
use model::gs1::{Gln, Gtin, check_digit};
use model::registry::{
    Agreement, AgreementKind, Announcement, AnnouncementKind, ContractAuthority, Delegation, Extension,
    Level, Licence, LicenceStatus, LicenceType, Party, Product, Recall, Registry, Role, Tier, Validity,
    Wallet, WalletStatus,
};
use serde::Deserialize;

/// The chain of every scenario.
pub const CHAIN: ChainId = ChainId(1);

/// Name, role, country, licence.
const PARTIES: &[(&str, Role, &str, LicenceType)] = &[
    ("maker", Role::Manufacturer, "US", LicenceType::Manufacturing),
    ("contract_maker", Role::ContractMaker, "US", LicenceType::Manufacturing),
    ("wholesaler", Role::Wholesaler, "US", LicenceType::Wholesale),
    ("second_wholesaler", Role::Wholesaler, "US", LicenceType::Wholesale),
    ("logistics", Role::Logistics, "US", LicenceType::Logistics),
    ("pharmacy", Role::Dispenser, "US", LicenceType::Dispensing),
    ("second_pharmacy", Role::Dispenser, "DE", LicenceType::Dispensing),
    ("reverse_distributor", Role::ReverseDistributor, "US", LicenceType::Disposal),
];

/// Contracts: authoritative, recognised, and one that nobody named.
const CONTRACTS: &[(&str, Tier)] = &[
    ("packs", Tier::Authoritative),
    ("partner", Tier::Recognised),
    ("fake", Tier::Unknown),
    ("lots", Tier::Recognised),
    ("old_lots", Tier::Recognised),
];

/// Everyone and every contract that has a name.
pub fn names() -> impl Iterator<Item = &'static str> {
    let parties = PARTIES.iter().map(|(name, ..)| *name);
    parties.chain(CONTRACTS.iter().map(|(name, _)| *name)).chain(["stranger", "accomplice", "zero"])
}

/// Changes of the registry that a scenario makes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// Parties whose licence is revoked from the beginning.
    pub revoked: Vec<String>,
    /// Parties whose licence is suspended from the beginning.
    pub suspended: Vec<String>,
    /// Parties whose licence ends then.
    pub ends: Vec<(String, String)>,
    /// Parties whose licence ends then and is renewed from that moment.
    pub renewed: Vec<(String, String)>,
    /// The contract maker's delegation ends then.
    pub delegation_ends: Option<String>,
    /// A recall of the lot from then on.
    pub recall: Option<String>,
    /// A recall of this serial only.
    pub recall_serial: Option<String>,
    /// `packs` migrates to `partner`.
    pub migration: bool,
    /// Parties whose licence is revoked from then on.
    pub revoked_from: Vec<(String, String)>,
    /// The recall is over then.
    pub recall_resolved: Option<String>,
    /// The contract maker has no delegation.
    pub no_delegation: bool,
    /// The contract maker's delegation begins then.
    pub delegation_from: Option<String>,
    /// The wholesaler has no agreement with its agent.
    pub no_agreement: bool,
    /// The wholesaler's agreement with its agent begins then.
    pub agreement_from: Option<String>,
    /// The lot may be used up to that day.
    pub extended: Option<String>,
    /// The contract that nobody named is recognised from then on.
    pub fake_from: Option<String>,
    /// Parties whose wallet is not known.
    pub unbound: Vec<String>,
}

/// Seconds of a time like `2026-03-01T08:00`, in UTC.
pub fn secs(text: &str) -> i64 {
    let time: jiff::civil::DateTime = text.parse().unwrap_or_else(|error| panic!("'{text}': {error}"));
    time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second()
}

fn numbered(body: u64, width: usize) -> String {
    format!("{:0width$}", body * 10 + u64::from(check_digit(body)))
}

/// The product.
pub fn gtin() -> Gtin {
    numbered(409_876_500_001, 14).parse().unwrap()
}

/// A product that nobody registered.
pub fn unknown_gtin() -> Gtin {
    numbered(409_111_100_001, 14).parse().unwrap()
}

/// The logistic unit of a number.
pub fn sscc(number: u64) -> model::gs1::Sscc {
    numbered(10_614_141_000_000_000 + number, 18).parse().unwrap()
}

fn gln(index: usize) -> Gln {
    numbered(409_876_510_000 + index as u64, 13).parse().unwrap()
}

/// GLN of a party by name.
pub fn gln_of(name: &str) -> Gln {
    gln(PARTIES.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| panic!("no party '{name}'")))
}

/// Address of a party's wallet, of a contract, or of a stranger (any other name).
pub fn address(name: &str) -> Address {
    if name == "zero" {
        return Address::ZERO;
    }
    Address::from_slice(&model_hash(name)[12..])
}

fn model_hash(name: &str) -> [u8; 32] {
    let mut hash = [0x11; 32];
    for (at, byte) in name.bytes().enumerate() {
        hash[12 + at % 20] ^= byte.rotate_left((at / 20) as u32 + 1);
    }
    hash
}

/// The registry with the changes of a scenario.
pub fn registry(changes: &Changes) -> Registry {
    let always = Validity::ALWAYS;
    let mut registry = Registry::default();
    for (index, (name, role, country, kind)) in PARTIES.iter().enumerate() {
        registry.parties.push(Party {
            gln: gln(index),
            name: (*name).to_owned(),
            country: (*country).to_owned(),
            role: *role,
            tz: "UTC".to_owned(),
            validity: always,
        });
        let wallet = || Wallet {
            chain: None,
            address: address(name),
            party: gln(index),
            status: WalletStatus::Active,
            validity: always,
        };
        let is_bound = !changes.unbound.iter().any(|unbound| unbound == name);
        registry.wallets.extend(is_bound.then(wallet));
        registry.licences.extend(licences(changes, name, gln(index), *kind));
    }
    registry.products.push(Product {
        gtin: gtin(),
        owner: gln_of("maker"),
        name: "Examplin 10 mg".to_owned(),
        level: Level::Pack,
        units: 30,
        markets: vec!["US".to_owned(), "DE".to_owned()],
        validity: always,
    });
    registry.contracts = CONTRACTS.iter().filter(|(_, tier)| *tier != Tier::Unknown).map(contract).collect();
    registry.contracts.extend(
        changes
            .fake_from
            .as_deref()
            .map(|time| ContractAuthority { validity: from(time), ..contract(&("fake", Tier::Recognised)) }),
    );
    registry.delegations.extend((!changes.no_delegation).then(|| delegation(changes)));
    registry.agreements.extend((!changes.no_agreement).then(|| agreement(changes)));
    registry.recalls = recalls(changes);
    registry.extensions.extend(changes.extended.as_deref().map(extension));
    if changes.migration {
        registry.announcements.push(Announcement {
            kind: AnnouncementKind::Migration,
            chain: CHAIN,
            contract: address("packs"),
            successor_chain: CHAIN,
            successor: address("partner"),
            validity: always,
        });
    }
    registry
}

fn contract((name, tier): &(&str, Tier)) -> ContractAuthority {
    ContractAuthority {
        chain: CHAIN,
        address: address(name),
        tier: *tier,
        gtin: None,
        validity: Validity::ALWAYS,
    }
}

fn until(time: &str) -> Validity {
    Validity { to_secs: secs(time), ..Validity::ALWAYS }
}

fn from(time: &str) -> Validity {
    Validity { from_secs: secs(time), ..Validity::ALWAYS }
}

fn licences(changes: &Changes, name: &str, party: Gln, kind: LicenceType) -> Vec<Licence> {
    let row = |status, validity| Licence { party, kind, jurisdiction: "*".to_owned(), status, validity };
    let end =
        |list: &[(String, String)]| list.iter().find(|(who, _)| who == name).map(|(_, time)| time.clone());
    let is = |list: &[String]| list.iter().any(|who| who == name);
    if is(&changes.revoked) {
        return vec![row(LicenceStatus::Revoked, Validity::ALWAYS)];
    }
    if is(&changes.suspended) {
        return vec![row(LicenceStatus::Suspended, Validity::ALWAYS)];
    }
    if let Some(time) = end(&changes.ends) {
        return vec![row(LicenceStatus::Active, until(&time))];
    }
    if let Some(time) = end(&changes.renewed) {
        return vec![row(LicenceStatus::Active, until(&time)), row(LicenceStatus::Active, from(&time))];
    }
    if let Some(time) = end(&changes.revoked_from) {
        let active = row(LicenceStatus::Active, Validity::ALWAYS);
        return vec![active, row(LicenceStatus::Revoked, from(&time))];
    }
    vec![row(LicenceStatus::Active, Validity::ALWAYS)]
}

fn extension(day: &str) -> Extension {
    Extension {
        gtin: gtin(),
        lot: "L1".parse().unwrap(),
        expiry_day: i32::try_from(secs(&format!("{day}T00:00")) / 86_400).unwrap(),
        validity: Validity::ALWAYS,
    }
}

fn agreement(changes: &Changes) -> Agreement {
    Agreement {
        principal: gln_of("wholesaler"),
        agent: gln_of("logistics"),
        kind: AgreementKind::Logistics,
        scope: None,
        validity: changes.agreement_from.as_deref().map_or(Validity::ALWAYS, from),
    }
}

fn delegation(changes: &Changes) -> Delegation {
    Delegation {
        principal: gln_of("maker"),
        agent: gln_of("contract_maker"),
        gtin: Some(gtin()),
        lot_pattern: Some("L*".to_owned()),
        site: None,
        validity: match (&changes.delegation_ends, &changes.delegation_from) {
            (Some(time), _) => until(time),
            (None, Some(time)) => from(time),
            (None, None) => Validity::ALWAYS,
        },
    }
}

fn recalls(changes: &Changes) -> Vec<Recall> {
    let Some(time) = &changes.recall else { return Vec::new() };
    let serial = changes.recall_serial.as_ref().map(|serial| serial.parse().unwrap());
    vec![Recall {
        id: "R-1".to_owned(),
        gtin: gtin(),
        lot: Some("L1".parse().unwrap()),
        serial_from: serial,
        serial_to: serial,
        market: None,
        class: "I".to_owned(),
        effective_at_secs: secs(time),
        resolved_at_secs: changes.recall_resolved.as_deref().map(secs),
        validity: Validity::ALWAYS,
    }]
}

//! The registry as the rules ask it: who is behind an address, who may mint what, which licence held when.
//!
//! Built once for each version; every answer is for a time. Knowledge is positioned: a version is in force for
//! events after its block ([`model::change::RegistryVersion`]).

use crate::rows::registered;
use hashbrown::{HashMap, HashSet};
use model::chain::ChainId;
use model::change::RegistryVersion;
use model::gs1::{Gln, Gtin, Text};
use model::registry::{
    Agreement, AnnouncementKind, ContractAuthority, Delegation, LicenceStatus, LicenceType, Lot, Party,
    Product, Recall, Regime, Registry, Role, Tier, Validity, Wallet,
};
use model::{Address, B256};
use std::sync::{Arc, OnceLock};

/// One version of the registry, indexed.
#[derive(Debug)]
pub struct Index {
    version: RegistryVersion,
    parties: HashMap<Gln, Vec<usize>>,
    wallets: HashMap<Address, Vec<usize>>,
    licences: HashMap<Gln, Vec<usize>>,
    delegations: HashMap<Gln, Vec<usize>>,
    agreements: HashMap<Gln, Vec<usize>>,
    products: HashMap<Gtin, Vec<usize>>,
    lots: HashMap<(Gtin, Text), Vec<usize>>,
    extensions: HashMap<(Gtin, Text), Vec<usize>>,
    recalls: HashMap<Gtin, Vec<usize>>,
    contracts: HashMap<(ChainId, Address), Vec<usize>>,
    authoritative: HashMap<Gtin, Vec<usize>>,
    /// Names of its rows, made when they are first asked for.
    row_hashes: OnceLock<HashSet<B256>>,
}

fn by<T, K: Eq + std::hash::Hash>(rows: &[T], key: impl Fn(&T) -> Option<K>) -> HashMap<K, Vec<usize>> {
    let mut index: HashMap<K, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(key) = key(row) {
            index.entry(key).or_default().push(at);
        }
    }
    index
}

impl Index {
    /// Indexes a version.
    pub fn new(version: RegistryVersion) -> Self {
        let rows: Arc<Registry> = Arc::clone(&version.rows);
        Self {
            parties: by(&rows.parties, |row| Some(row.gln)),
            wallets: by(&rows.wallets, |row| Some(row.address)),
            licences: by(&rows.licences, |row| Some(row.party)),
            delegations: by(&rows.delegations, |row| Some(row.agent)),
            agreements: by(&rows.agreements, |row| Some(row.agent)),
            products: by(&rows.products, |row| Some(row.gtin)),
            lots: by(&rows.lots, |row| Some((row.gtin, row.lot))),
            extensions: by(&rows.extensions, |row| Some((row.gtin, row.lot))),
            recalls: by(&rows.recalls, |row| Some(row.gtin)),
            contracts: by(&rows.contracts, |row| Some((row.chain, row.address))),
            authoritative: by(&rows.contracts, |row| row.gtin.filter(|_| row.tier == Tier::Authoritative)),
            row_hashes: OnceLock::new(),
            version,
        }
    }

    /// The version that this is the index of.
    pub fn version(&self) -> &RegistryVersion {
        &self.version
    }

    /// Is there a row that says this?
    pub fn has_row(&self, hash: &B256) -> bool {
        let hashes = || registered::named(&self.version.rows).map(|(hash, _)| hash).collect();
        self.row_hashes.get_or_init(hashes).contains(hash)
    }

    fn rows<'a, T, K: Eq + std::hash::Hash>(
        index: &'a HashMap<K, Vec<usize>>,
        rows: &'a [T],
        key: &K,
    ) -> impl Iterator<Item = &'a T> {
        index.get(key).into_iter().flatten().map(|at| &rows[*at])
    }

    /// Who signs with `address` on `chain` at `time_secs`.
    pub fn wallet(&self, chain: ChainId, address: Address, time_secs: i64) -> Option<&Wallet> {
        Self::rows(&self.wallets, &self.version.rows.wallets, &address)
            .find(|row| row.chain.is_none_or(|of| of == chain) && row.validity.holds_at(time_secs))
    }

    /// The party that `address` signs for.
    pub fn party_of(&self, chain: ChainId, address: Address, time_secs: i64) -> Option<&Party> {
        self.party(self.wallet(chain, address, time_secs)?.party, time_secs)
    }

    /// The party named `gln`.
    pub fn party(&self, gln: Gln, time_secs: i64) -> Option<&Party> {
        Self::rows(&self.parties, &self.version.rows.parties, &gln)
            .find(|row| row.validity.holds_at(time_secs))
    }

    /// The product.
    pub fn product(&self, gtin: Gtin, time_secs: i64) -> Option<&Product> {
        Self::rows(&self.products, &self.version.rows.products, &gtin)
            .find(|row| row.validity.holds_at(time_secs))
    }

    /// The lot.
    pub fn lot(&self, gtin: Gtin, lot: Text, time_secs: i64) -> Option<&Lot> {
        Self::rows(&self.lots, &self.version.rows.lots, &(gtin, lot))
            .find(|row| row.validity.holds_at(time_secs))
    }

    /// The last day of use that an authority extended the lot to, where it did.
    pub fn extended_expiry_day(&self, gtin: Gtin, lot: Text, time_secs: i64) -> Option<i32> {
        Self::rows(&self.extensions, &self.version.rows.extensions, &(gtin, lot))
            .filter(|row| row.validity.holds_at(time_secs))
            .map(|row| row.expiry_day)
            .max()
    }

    /// Recalls that concern `gtin`, effective or not.
    pub fn recalls(&self, gtin: Gtin) -> impl Iterator<Item = &Recall> {
        self.recalls.get(&gtin).into_iter().flatten().map(|at| &self.version.rows.recalls[*at])
    }

    /// How far `contract` is believed about `gtin` at `time_secs`.
    pub fn tier(&self, chain: ChainId, contract: Address, gtin: Option<Gtin>, time_secs: i64) -> Tier {
        let speaks = |row: &&ContractAuthority| {
            row.validity.holds_at(time_secs) && (row.gtin.is_none() || gtin.is_none() || row.gtin == gtin)
        };
        Self::rows(&self.contracts, &self.version.rows.contracts, &(chain, contract))
            .filter(speaks)
            .map(|row| row.tier)
            .max()
            .unwrap_or(Tier::Unknown)
    }

    /// A contract, on any chain, that is authoritative for `gtin`: named for it, or named for every product of its
    /// owner's registry row.
    pub fn authoritative_contract(&self, gtin: Gtin, time_secs: i64) -> Option<&ContractAuthority> {
        let named = Self::rows(&self.authoritative, &self.version.rows.contracts, &gtin)
            .find(|row| row.validity.holds_at(time_secs));
        let general = || {
            let known = self.product(gtin, time_secs).is_some();
            let mut rows = self.version.rows.contracts.iter();
            rows.find(|row| {
                known
                    && row.tier == Tier::Authoritative
                    && row.gtin.is_none()
                    && row.validity.holds_at(time_secs)
            })
        };
        named.or_else(general)
    }

    /// The owner of `gtin` lets `agent` mint this lot at `time_secs`.
    pub fn delegated(&self, agent: Gln, gtin: Gtin, lot: Option<Text>, time_secs: i64) -> bool {
        let Some(product) = self.product(gtin, time_secs) else { return false };
        let covers = |row: &Delegation| {
            row.principal == product.owner
                && row.gtin.is_none_or(|only| only == gtin)
                && row.lot_pattern.as_deref().is_none_or(|pattern| lot_matches(pattern, lot))
                && row.validity.holds_at(time_secs)
        };
        Self::rows(&self.delegations, &self.version.rows.delegations, &agent).any(covers)
    }

    /// `agent` may act for `principal` on `gtin` at `time_secs`.
    pub fn acts_for(&self, agent: Gln, principal: Gln, gtin: Option<Gtin>, time_secs: i64) -> bool {
        let covers = |row: &Agreement| {
            row.principal == principal
                && row.scope.is_none_or(|only| Some(only) == gtin)
                && row.validity.holds_at(time_secs)
        };
        agent == principal || Self::rows(&self.agreements, &self.version.rows.agreements, &agent).any(covers)
    }

    /// Is the address `actor` that of `holder`, one of the same party, or one of an agent of that party?
    pub fn stands_for(
        &self,
        chain: ChainId,
        (actor, holder): (Address, Address),
        gtin: Option<Gtin>,
        time_secs: i64,
    ) -> bool {
        let party = |address| self.party_of(chain, address, time_secs);
        actor == holder
            || party(actor)
                .zip(party(holder))
                .is_some_and(|(agent, principal)| self.acts_for(agent.gln, principal.gln, gtin, time_secs))
    }

    /// Was `from` → `to` announced as a migration or bridge at `time_secs`?
    pub fn announced(
        &self,
        from: (ChainId, Address),
        to: (ChainId, Address),
        time_secs: i64,
    ) -> Option<AnnouncementKind> {
        let rows = &self.version.rows.announcements;
        let covers = |a: (ChainId, Address), b: (ChainId, Address)| {
            rows.iter().find(|row| {
                (row.chain, row.contract) == a
                    && (row.successor_chain, row.successor) == b
                    && row.validity.holds_at(time_secs)
            })
        };
        covers(from, to).or_else(|| covers(to, from)).map(|row| row.kind)
    }

    /// How `party` stands with licences of one of `kinds` at `time_secs` in its country: the best of its kinds.
    /// Within one kind, what was taken away outweighs a row that still says active.
    pub fn licence(&self, party: &Party, kinds: &[LicenceType], time_secs: i64) -> LicenceStanding {
        let of_kind = |kind: LicenceType| {
            Self::rows(&self.licences, &self.version.rows.licences, &party.gln)
                .filter(move |row| row.kind == kind)
                .filter(|row| row.jurisdiction == "*" || row.jurisdiction == party.country)
                .map(|row| standing(row.status, &row.validity, time_secs))
                .min_by_key(|standing| standing.weight_within_kind())
        };
        let standings = kinds.iter().filter_map(|kind| of_kind(*kind));
        standings.min_by_key(|standing| standing.weight_across_kinds()).unwrap_or(LicenceStanding::None)
    }
}

/// `*` at the end matches any rest.
fn lot_matches(pattern: &str, lot: Option<Text>) -> bool {
    let Some(lot) = lot else { return false };
    match pattern.strip_suffix('*') {
        Some(start) => lot.as_str().starts_with(start),
        None => lot.as_str() == pattern,
    }
}

fn standing(status: LicenceStatus, validity: &Validity, time_secs: i64) -> LicenceStanding {
    if time_secs < validity.from_secs {
        return LicenceStanding::None;
    }
    match status {
        LicenceStatus::Active if time_secs < validity.to_secs => LicenceStanding::Active,
        LicenceStatus::Active => {
            LicenceStanding::Expired { for_secs: time_secs.saturating_sub(validity.to_secs) }
        }
        LicenceStatus::Suspended if time_secs < validity.to_secs => LicenceStanding::Suspended,
        LicenceStatus::Revoked if time_secs < validity.to_secs => LicenceStanding::Revoked,
        LicenceStatus::Suspended | LicenceStatus::Revoked => LicenceStanding::None,
    }
}

/// How a party stands with a kind of licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenceStanding {
    /// In force.
    Active,
    /// Ran out this long ago.
    Expired {
        /// Seconds since its end.
        for_secs: i64,
    },
    /// Taken away for a time.
    Suspended,
    /// Taken away.
    Revoked,
    /// Never had one.
    None,
}

impl LicenceStanding {
    /// Least first: what decides among rows of one kind.
    fn weight_within_kind(self) -> (u8, i64) {
        match self {
            Self::Revoked => (0, 0),
            Self::Suspended => (1, 0),
            Self::Active => (2, 0),
            Self::Expired { for_secs } => (3, for_secs),
            Self::None => (4, 0),
        }
    }

    /// Least first: what decides among kinds of which one is enough.
    fn weight_across_kinds(self) -> (u8, i64) {
        if self == Self::Active {
            (0, 0)
        } else {
            let (weight, secs) = self.weight_within_kind();
            (weight + 1, secs)
        }
    }
}

/// Licences of which one is needed to hold, trade or dispense in `role`. Source: DSCSA §581(2).
pub fn licences_of(role: Role) -> &'static [LicenceType] {
    match role {
        Role::Manufacturer | Role::ContractMaker => &[LicenceType::Manufacturing],
        Role::Repackager => &[LicenceType::Repackaging, LicenceType::Manufacturing],
        Role::Wholesaler => &[LicenceType::Wholesale],
        Role::Logistics => &[LicenceType::Logistics, LicenceType::Wholesale],
        Role::Dispenser => &[LicenceType::Dispensing],
        Role::ReverseDistributor => &[LicenceType::Disposal, LicenceType::Wholesale],
        Role::Authority => &[],
    }
}

/// EU member states and those bound by Regulation 2016/161, ISO 3166-1 alpha-2.
const EU_FMD: [&str; 30] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT",
    "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO",
];

/// The regime of a country.
pub fn regime_of(country: &str) -> Regime {
    match country {
        "US" => Regime::UsDscsa,
        _ if EU_FMD.contains(&country) => Regime::EuFmd,
        _ => Regime::Generic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_that_was_renewed_in_time_is_in_force() {
        let validity = |from_secs, to_secs| Validity { from_secs, to_secs, known_from_secs: i64::MIN };
        let first = standing(LicenceStatus::Active, &validity(0, 100), 150);
        let second = standing(LicenceStatus::Active, &validity(100, 200), 150);
        assert_eq!(first, LicenceStanding::Expired { for_secs: 50 });
        assert_eq!(
            [first, second].into_iter().min_by_key(|s| s.weight_within_kind()),
            Some(LicenceStanding::Active)
        );
        assert_eq!(standing(LicenceStatus::Revoked, &validity(100, i64::MAX), 150), LicenceStanding::Revoked);
        assert_eq!(standing(LicenceStatus::Revoked, &validity(100, i64::MAX), 50), LicenceStanding::None);
    }

    #[test]
    fn lot_patterns_match_whole_lots_or_beginnings() {
        let lot = |text: &str| text.parse::<Text>().ok();
        assert!(lot_matches("A1*", lot("A12")) && lot_matches("A1", lot("A1")));
        assert!(
            !lot_matches("A1", lot("A12")) && !lot_matches("A1*", lot("B1")) && !lot_matches("A1*", None)
        );
    }
}

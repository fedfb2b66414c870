//! The world that stories happen in: countries, parties with keys and licences, products, contracts.
//!
//! All of it follows from the seed. Stories read it and add rows of their own (lots, recalls, newcomers).

pub(crate) mod contracts;
pub(crate) mod country;
pub(crate) mod party;
pub(crate) mod product;

use crate::config::{Config, Scale};
use crate::error::{Error, Result};
use crate::keys::{KeyName, address_of};
use contracts::Contracts;
use country::{BR, COUNTRIES, CountryId};
use model::chain::ChainId;
use model::registry::{Agreement, AgreementKind, Delegation, Lane, Registry, Role, Validity};
use party::{Actor, Applicant, enrol};
use product::Product;

/// Monday 2025-03-03, 06:00 UTC: the first block.
pub(crate) const START_SECS: i64 = 1_740_981_600;
/// Stories begin within so many days. Six weeks hold a delivery, a stay on the shelf, a recall and a return.
pub(crate) const SPAN_DAYS: i64 = 42;
/// Seconds in a day.
pub(crate) const DAY_SECS: i64 = 86_400;
/// Seconds in an hour.
pub(crate) const HOUR_SECS: i64 = 3_600;

/// Company numbers of parties that one story brings in begin here; those of the base world stay below.
pub(crate) const STORY_COMPANIES: u32 = 50_000;

/// Everything that stories share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) chains: Vec<ChainId>,
    pub(crate) scale: Scale,
    pub(crate) contracts: Contracts,
    pub(crate) products: Vec<Product>,
    /// Rows that hold whatever the stories are.
    pub(crate) registry: Registry,
    actors: Vec<Actor>,
}

impl World {
    /// The world of a configuration.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let scale = Scale::of(config.events);
        let chains: Vec<_> = config.chains.iter().copied().map(ChainId).collect();
        let contracts =
            Contracts::of(config.seed, chains.len() > 1, address_of(config.seed, KeyName::Admin)?);
        let mut registry = Registry::default();
        let actors = settle(config.seed, scale, &mut registry)?;
        let products = product::launch(config.seed, &actors, &contracts, &mut registry)?;
        let industry: Vec<_> =
            products.iter().filter(|p| p.contract == contracts.packs).map(|p| p.gtin).collect();
        contracts.enter(&config.chains, &industry, &mut registry);
        agree(&actors, &mut registry);
        delegate(&actors, &products, &mut registry);
        let lane = Lane { from: None, to: None, p99_secs: 14 * DAY_SECS, validity: Validity::ALWAYS };
        registry.lanes.push(lane);
        Ok(Self { seed: config.seed, chains, scale, contracts, products, registry, actors })
    }

    /// The `n`th party, counted round, of a role in a country.
    pub(crate) fn actor(&self, role: Role, country: CountryId, n: usize) -> Result<Actor> {
        let mut found = self.actors.iter().filter(|actor| actor.role == role && actor.country == country);
        let count = found.clone().count();
        let missing = Error::NoParty { role: role.as_str(), country: COUNTRIES[country].code };
        if count == 0 { Err(missing) } else { found.nth(n % count).copied().ok_or(missing) }
    }

    /// The actor of a head office's number.
    pub(crate) fn actor_by_gln(&self, gln: model::gs1::Gln) -> Option<Actor> {
        self.actors.iter().find(|actor| actor.gln == gln).copied()
    }
}

/// Invented company names; none is anyone's.
const STEMS: [&str; 24] = [
    "Alvoren",
    "Brightmoor",
    "Calvessa",
    "Dunmarrow",
    "Eskerine",
    "Farrowmed",
    "Galdensis",
    "Hartwyn",
    "Ilvara",
    "Jorvane",
    "Kestrelle",
    "Lumenor",
    "Marvessa",
    "Nordhelm",
    "Orvanta",
    "Pelliger",
    "Quillarn",
    "Ravensol",
    "Solmarine",
    "Tervanne",
    "Ulmenor",
    "Vantrelle",
    "Wexmoor",
    "Yarovel",
];

/// Parties of a country: role, how many, what their names end in.
fn census(scale: Scale) -> [(Role, u32, &'static str); 7] {
    [
        (Role::Manufacturer, 2, "Pharma"),
        (Role::ContractMaker, 1, "Contract Manufacturing"),
        (Role::Wholesaler, 3, "Wholesale"),
        (Role::Logistics, 1, "Logistics"),
        (Role::ReverseDistributor, 1, "Returns"),
        (Role::Authority, 1, "Medicines Authority"),
        (Role::Dispenser, scale.pharmacies, ""),
    ]
}

fn settle(seed: u64, scale: Scale, registry: &mut Registry) -> Result<Vec<Actor>> {
    let mut actors = Vec::new();
    for (country, place) in COUNTRIES.iter().enumerate() {
        let mut company = 10_000;
        for (role, count, trade) in census(scale) {
            for n in 0..count {
                let key = u32::try_from(actors.len()).unwrap_or(u32::MAX);
                let stem = STEMS[(key as usize * 7 + n as usize) % STEMS.len()];
                let name = match role {
                    Role::Dispenser => format!("{} {stem} {}", place.pharmacy, n + 1),
                    Role::Authority => format!("{} {trade}", place.code),
                    _ => format!("{stem} {trade} {}", place.legal_form),
                };
                // Large companies sign with two: some makers and wholesalers have a multisig.
                let multisig = matches!(role, Role::Manufacturer | Role::Wholesaler) && n == 1;
                company += 7;
                let applicant = Applicant {
                    key: KeyName::Party(key),
                    company,
                    name,
                    role,
                    country,
                    multisig,
                    validity: Validity::ALWAYS,
                };
                actors.push(enrol(seed, &applicant, registry)?);
            }
        }
    }
    Ok(actors)
}

/// Each country's logistics company serves all who send; its reverse distributor takes returns from all.
fn agree(actors: &[Actor], registry: &mut Registry) {
    for agent in actors {
        let kind = match agent.role {
            Role::Logistics => AgreementKind::Logistics,
            Role::ReverseDistributor => AgreementKind::Returns,
            Role::ContractMaker => AgreementKind::ContractMaking,
            _ => continue,
        };
        let served = |principal: &&Actor| {
            let role = principal.role;
            let by_role = match agent.role {
                Role::Logistics => {
                    matches!(role, Role::Manufacturer | Role::ContractMaker | Role::Wholesaler)
                }
                Role::ContractMaker => role == Role::Manufacturer,
                _ => matches!(role, Role::Manufacturer | Role::Wholesaler | Role::Dispenser),
            };
            by_role && principal.country == agent.country
        };
        for principal in actors.iter().filter(served) {
            registry.agreements.push(Agreement {
                principal: principal.gln,
                agent: agent.gln,
                kind,
                scope: None,
                validity: Validity::ALWAYS,
            });
        }
    }
}

/// Lots made under contract have this before their code, so that a delegation can name them by a pattern.
pub(crate) const CONTRACT_LOT_PREFIX: &str = "CM";

/// Each country's contract maker may mint some products of its makers: the first by lot pattern, the next in full.
fn delegate(actors: &[Actor], products: &[Product], registry: &mut Registry) {
    for agent in actors.iter().filter(|actor| actor.role == Role::ContractMaker && actor.country != BR) {
        let own = products.iter().filter(|product| product.country == agent.country);
        for (place, product) in own.step_by(2).enumerate() {
            registry.delegations.push(Delegation {
                principal: product.owner.gln,
                agent: agent.gln,
                gtin: Some(product.gtin),
                lot_pattern: (place == 0).then(|| format!("{CONTRACT_LOT_PREFIX}*")),
                site: None,
                validity: Validity::ALWAYS,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_world_has_every_role_everywhere_and_no_number_twice() {
        let world = World::new(&Config::new(3)).unwrap();
        for country in 0..COUNTRIES.len() {
            for (role, ..) in census(world.scale) {
                assert_eq!(world.actor(role, country, 5).unwrap().role, role);
            }
        }
        let glns: Vec<_> = world
            .registry
            .parties
            .iter()
            .map(|p| p.gln)
            .chain(world.registry.sites.iter().map(|s| s.gln))
            .collect();
        assert_eq!(glns.iter().collect::<HashSet<_>>().len(), glns.len());
        let wallets: HashSet<_> = world.registry.wallets.iter().map(|w| w.address).collect();
        assert_eq!(wallets.len(), world.registry.wallets.len());
    }
}

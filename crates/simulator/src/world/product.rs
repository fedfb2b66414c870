//! Products: what is made, by whom, for which markets, on which contract.

use crate::error::Result;
use crate::world::contracts::{ContractRef, Contracts};
use crate::world::country::{BR, COUNTRIES, CountryId, by_code};
use crate::world::party::Actor;
use model::gs1::Gtin;
use model::registry::{Level, Registry, Role, Validity};

/// A saleable product as stories need it.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    /// The pack.
    pub(crate) gtin: Gtin,
    /// Whose it is.
    pub(crate) owner: Actor,
    /// The owner's country.
    pub(crate) country: CountryId,
    /// Units (tablets, ampoules) in a pack.
    pub(crate) units: u32,
    /// Where it may be sold.
    pub(crate) markets: Vec<CountryId>,
    /// Where its packs are commissioned.
    pub(crate) contract: ContractRef,
}

const NAMES: [&str; 12] = [
    "Corvamide",
    "Lestrapine",
    "Mirovanol",
    "Nexatrine",
    "Oltavir",
    "Pranexol",
    "Quorizine",
    "Rivadoline",
    "Sertavane",
    "Tolmevir",
    "Uvaprazole",
    "Zelomine",
];
const FORMS: [(&str, u32); 6] = [
    ("10 mg tablets", 28),
    ("50 mg capsules", 30),
    ("5 mg/ml ampoules", 10),
    ("250 mg tablets", 20),
    ("20 mg tablets", 98),
    ("100 mg capsules", 14),
];
/// Packs that each maker has on the market.
const PRODUCTS_PER_MAKER: u32 = 2;

/// Enters each maker's products, pack and case, and returns the packs.
pub(crate) fn launch(
    seed: u64,
    actors: &[Actor],
    contracts: &Contracts,
    registry: &mut Registry,
) -> Result<Vec<Product>> {
    let mut products = Vec::new();
    for owner in actors.iter().filter(|actor| actor.role == Role::Manufacturer) {
        for item in 1..=PRODUCTS_PER_MAKER {
            let count = products.len() + seed as usize % 5;
            let (form, units) = FORMS[count % FORMS.len()];
            let name = format!("{} {form}", NAMES[count % NAMES.len()]);
            let markets = COUNTRIES[owner.country].markets;
            for (level, digit, of) in [(Level::Pack, 0, units), (Level::Case, 5, 10)] {
                registry.products.push(model::registry::Product {
                    gtin: owner.prefix.gtin(digit, item)?,
                    owner: owner.gln,
                    name: name.clone(),
                    level,
                    units: of,
                    markets: markets.iter().map(|code| (*code).to_owned()).collect(),
                    validity: Validity::ALWAYS,
                });
            }
            products.push(Product {
                gtin: owner.prefix.gtin(0, item)?,
                owner: *owner,
                country: owner.country,
                units,
                markets: markets.iter().map(|code| by_code(code)).collect(),
                contract: if owner.country == BR { contracts.partner } else { contracts.packs },
            });
        }
    }
    Ok(products)
}

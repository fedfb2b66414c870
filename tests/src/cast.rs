//! The cast of the tests on a real node: parties with wallets and licences, their products, and the registry's files.

use crate::node::{Contract, Node};
use alloy_primitives::Address;
use model::gs1::check_digit;
use std::fs;
use std::path::Path;

/// Anvil's chain.
pub(crate) const CHAIN: u64 = 31_337;

/// Name, role, licence, its standing. Each has the account of its place, from 1: account 0 deploys contracts.
const PARTIES: &[(&str, &str, &str, &str)] = &[
    ("maker", "manufacturer", "manufacturing", "active"),
    ("wholesaler", "wholesaler", "wholesale", "active"),
    ("rival", "wholesaler", "wholesale", "active"),
    ("pharmacy", "dispenser", "dispensing", "active"),
    ("corner_shop", "dispenser", "dispensing", "active"),
    ("struck_off", "dispenser", "dispensing", "revoked"),
    ("carrier", "logistics", "logistics", "active"),
];

/// Accounts that the registry does not know.
const STRANGERS: &[&str] = &["admin", "thief", "passer_by"];

/// Who acts, and under which address.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    names: Vec<(&'static str, Address)>,
}

/// A key of GS1 with its check digit.
fn numbered(body: u64, width: usize) -> String {
    format!("{:0width$}", body * 10 + u64::from(check_digit(body)))
}

/// The product of the maker that everything is about.
pub(crate) fn gtin() -> String {
    numbered(409_876_500_001, 14)
}

/// The logistic unit of a number.
pub(crate) fn sscc(number: u64) -> String {
    numbered(10_614_141_000_000_000 + number, 18)
}

impl Cast {
    /// Gives everyone an account of the node.
    pub(crate) fn on(node: &Node) -> Self {
        let accounts = node.accounts();
        let parties = PARTIES.iter().map(|(name, ..)| *name);
        let names = STRANGERS[..1].iter().copied().chain(parties).chain(STRANGERS[1..].iter().copied());
        Self { names: names.zip(accounts.iter().copied()).collect() }
    }

    /// The address of `name`.
    pub(crate) fn address(&self, name: &str) -> Address {
        let found = self.names.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}")).1
    }

    /// The location number of a party.
    pub(crate) fn gln(name: &str) -> String {
        let place = PARTIES.iter().position(|(known, ..)| *known == name);
        numbered(409_876_510_000 + place.unwrap_or_else(|| panic!("no party is called {name}")) as u64, 13)
    }

    /// The text with names for addresses, location numbers and the product.
    pub(crate) fn told(&self, text: &str, contracts: &[(&str, &Contract)]) -> String {
        let mut told = text.replace(&format!("01/{}/21/", gtin()), "pack ").replace(&gtin(), "GTIN");
        let contracts = contracts.iter().map(|(name, contract)| (*name, contract.address));
        for (name, address) in self.names.iter().copied().chain(contracts) {
            told = told.replace(&address.to_string(), name).replace(&format!("{address:#x}"), name);
        }
        for (name, ..) in PARTIES {
            told = told.replace(&Self::gln(name), name);
        }
        told
    }

    /// Writes the registry: the cast, the product, `tiers` of contracts, and `more` files with their rows.
    pub(crate) fn write_registry(&self, dir: &Path, tiers: &[(&Contract, &str)], more: &[(&str, &[String])]) {
        fs::create_dir_all(dir).expect("a folder");
        let party =
            |(name, role, ..): &(&str, &str, &str, &str)| format!("{},{name},US,{role},UTC", Self::gln(name));
        let wallet = |(name, ..): &(&str, &str, &str, &str)| {
            format!("{CHAIN},{},{},active", self.address(name), Self::gln(name))
        };
        let licence = |(name, _, licence, standing): &(&str, &str, &str, &str)| {
            format!("{},{licence},US,{standing}", Self::gln(name))
        };
        let tier = |(contract, tier): &(&Contract, &str)| format!("{CHAIN},{},{tier},", contract.address);
        let product = format!("{},{},Examplin 10 mg,pack,30,US", gtin(), Self::gln("maker"));
        let lists = [
            ("parties", "gln,name,country,role,tz", PARTIES.iter().map(party).collect()),
            ("wallets", "chain,address,party,status", PARTIES.iter().map(wallet).collect()),
            ("licences", "party,type,jurisdiction,status", PARTIES.iter().map(licence).collect()),
            ("products", "gtin,owner,name,level,units,markets", vec![product]),
            ("contracts", "chain,address,tier,gtin", tiers.iter().map(tier).collect::<Vec<_>>()),
        ];
        let more = more.iter().map(|(header, rows)| {
            let (name, header) = header.split_once(": ").expect("name: header");
            (name, header, rows.to_vec())
        });
        for (name, header, rows) in lists.into_iter().chain(more) {
            let lines: Vec<String> = rows.iter().map(|row| format!("{row},,,\n")).collect();
            let text = format!("{header},valid_from,valid_to,known_from\n{}", lines.concat());
            fs::write(dir.join(format!("{name}.csv")), text).expect("a file of the registry");
        }
    }
}

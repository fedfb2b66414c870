//! What holds between rows: every name that is used is defined, and no key means two things at one time.
//!
//! One address bound to two parties is not refused: it is what a rule looks for. Nor are licences of one kind that
//! overlap: a suspension lies within the licence that it suspends.

use super::Tables;
use super::fault::{Fault, Faults};
use super::table::{
    AGREEMENTS, CONFIRMATIONS, CONTRACTS, DELEGATIONS, EXTENSIONS, LANES, LICENCES, LOTS, Numbered, PARTIES,
    PRODUCTS, RECALLS, SITES, Spec, WALLETS,
};
use model::gs1::{Gln, Gtin};
use model::registry::{ContractAuthority, Validity};
use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

/// Notes what does not hold.
pub(super) fn check(tables: &Tables, faults: &mut Faults) {
    check_parties(tables, faults);
    check_sites(tables, faults);
    check_products(tables, faults);
    check_overlaps(tables, faults);
}

/// Keys that a file defines, and who may use them.
struct Defined<'a, K> {
    keys: HashSet<K>,
    file: &'static str,
    faults: &'a mut Faults,
    /// Rows of the file are wrong: what is missing may be one of them, and is not told twice.
    is_known: bool,
}

impl<'a, K: Copy + Eq + Hash + Display> Defined<'a, K> {
    fn new(keys: impl Iterator<Item = K>, spec: &Spec, faults: &'a mut Faults) -> Self {
        let is_known = !faults.concern(spec.file);
        Self { keys: keys.collect(), file: spec.file, faults, is_known }
    }

    fn require<T>(
        &mut self,
        spec: &Spec,
        rows: &[Numbered<T>],
        column: &'static str,
        key: impl Fn(&T) -> Option<K>,
    ) {
        if !self.is_known {
            return;
        }
        for numbered in rows {
            let Some(key) = key(&numbered.row).filter(|key| !self.keys.contains(key)) else { continue };
            self.faults.push(Fault {
                file: spec.file.into(),
                line: Some(numbered.line),
                column: Some(column),
                problem: format!("'{key}' is not in {}", self.file),
                help: "add it there or correct it".into(),
            });
        }
    }
}

fn check_parties(tables: &Tables, faults: &mut Faults) {
    let parties = tables.parties.iter().map(|party| party.row.gln);
    let mut parties: Defined<'_, Gln> = Defined::new(parties, &PARTIES, faults);
    parties.require(&SITES, &tables.sites, "party", |site| Some(site.party));
    parties.require(&WALLETS, &tables.wallets, "party", |wallet| Some(wallet.party));
    parties.require(&LICENCES, &tables.licences, "party", |licence| Some(licence.party));
    parties.require(&DELEGATIONS, &tables.delegations, "principal", |delegation| Some(delegation.principal));
    parties.require(&DELEGATIONS, &tables.delegations, "agent", |delegation| Some(delegation.agent));
    parties.require(&AGREEMENTS, &tables.agreements, "principal", |agreement| Some(agreement.principal));
    parties.require(&AGREEMENTS, &tables.agreements, "agent", |agreement| Some(agreement.agent));
    parties.require(&PRODUCTS, &tables.products, "owner", |product| Some(product.owner));
    parties.require(&LANES, &tables.lanes, "from", |lane| lane.from);
    parties.require(&LANES, &tables.lanes, "to", |lane| lane.to);
    parties.require(&CONFIRMATIONS, &tables.confirmations, "party", |confirmation| confirmation.party);
}

fn check_sites(tables: &Tables, faults: &mut Faults) {
    let sites = tables.sites.iter().map(|site| site.row.gln);
    let mut sites: Defined<'_, Gln> = Defined::new(sites, &SITES, faults);
    sites.require(&DELEGATIONS, &tables.delegations, "site", |delegation| delegation.site);
}

fn check_products(tables: &Tables, faults: &mut Faults) {
    let products = tables.products.iter().map(|product| product.row.gtin);
    let mut products: Defined<'_, Gtin> = Defined::new(products, &PRODUCTS, faults);
    products.require(&DELEGATIONS, &tables.delegations, "gtin", |delegation| delegation.gtin);
    products.require(&AGREEMENTS, &tables.agreements, "scope", |agreement| agreement.scope);
    products.require(&LOTS, &tables.lots, "gtin", |lot| Some(lot.gtin));
    products.require(&RECALLS, &tables.recalls, "gtin", |recall| Some(recall.gtin));
    products.require(&EXTENSIONS, &tables.extensions, "gtin", |extension| Some(extension.gtin));
    products.require(&CONTRACTS, &tables.contracts, "gtin", |contract| contract.gtin);
}

fn check_overlaps(tables: &Tables, faults: &mut Faults) {
    overlaps(&PARTIES, &tables.parties, "gln", faults, |row| (row.gln, row.validity));
    overlaps(&SITES, &tables.sites, "gln", faults, |row| (row.gln, row.validity));
    overlaps(&PRODUCTS, &tables.products, "gtin", faults, |row| (row.gtin, row.validity));
    overlaps(&LOTS, &tables.lots, "lot", faults, |row| (format!("{} {}", row.gtin, row.lot), row.validity));
    overlaps(&CONTRACTS, &tables.contracts, "address", faults, |row| (contract_key(row), row.validity));
}

fn contract_key(row: &ContractAuthority) -> String {
    let about = row.gtin.map_or_else(|| "every product".into(), |gtin| gtin.to_string());
    format!("{} on chain {} for {about}", row.address, row.chain)
}

/// Notes rows whose key another row has at the same time.
fn overlaps<T, K: Ord + Display>(
    spec: &Spec,
    rows: &[Numbered<T>],
    column: &'static str,
    faults: &mut Faults,
    key: impl Fn(&T) -> (K, Validity),
) {
    let mut sorted: Vec<_> = rows.iter().map(|numbered| (key(&numbered.row), numbered.line)).collect();
    sorted.sort_by(|((a, a_holds), a_line), ((b, b_holds), b_line)| {
        (a, a_holds.from_secs, a_line).cmp(&(b, b_holds.from_secs, b_line))
    });
    // Of the rows of a key so far, the one that holds longest.
    let mut longest: Option<(&K, i64, u64)> = None;
    for ((key, holds), line) in &sorted {
        let before = longest.filter(|(of, ..)| *of == key);
        if let Some((_, to_secs, other)) = before
            && holds.from_secs < to_secs
        {
            faults.push(Fault {
                file: spec.file.into(),
                line: Some(other.max(*line)),
                column: Some(column),
                problem: format!("'{key}' holds at the same time as in line {}", other.min(*line)),
                help: "end one (valid_to) before the other begins, or remove it".into(),
            });
        }
        if before.is_none_or(|(_, to_secs, _)| to_secs < holds.to_secs) {
            longest = Some((key, holds.to_secs, *line));
        }
    }
}

//! Which steps of the past a version of the registry may judge otherwise than the one before.

use super::difference::{Changed, changed, windows};
use crate::registry::Index;
use crate::rules::{self, Parameters};
use model::Address;
use model::chain::ChainId;
use model::gs1::Gln;
use model::past::{AHEAD_SECS, PastQuery, Window};
use model::registry::{Licence, LicenceStatus, Recall, Registry, Validity};
use std::collections::{BTreeMap, BTreeSet};

/// What a query is made for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The chain.
    pub chain: ChainId,
    /// The last block before the version.
    pub after: u64,
    /// No block up to there has a later time, Unix seconds.
    pub until_secs: i64,
    /// Which rules run.
    pub parameters: &'a Parameters,
}

/// The steps that `new` may judge otherwise than `old`.
pub fn query(old: &Index, new: &Index, scope: Scope<'_>) -> PastQuery {
    let (old, new) = (&*old.version().rows, &*new.version().rows);
    let kinds = rules::of_the_past(scope.parameters).flat_map(|rule| rule.past_kinds()).copied().collect();
    let mut asked = Asked {
        query: PastQuery { after: scope.after, kinds, ..PastQuery::default() },
        // A step of a later time there is none, but for one that is declared ahead of its block.
        latest_secs: scope.until_secs.saturating_add(AHEAD_SECS),
    };
    asked.goods(old, new);
    asked.parties(old, new, scope.chain);
    asked.query
}

struct Asked {
    query: PastQuery,
    latest_secs: i64,
}

fn lasting(validity: &Validity) -> (i64, i64) {
    (validity.from_secs, validity.to_secs)
}

/// A recall is in force while it is effective, whenever its row was entered.
fn recalled(recall: &Recall) -> (i64, i64) {
    (recall.effective_at_secs, recall.resolved_at_secs.unwrap_or(i64::MAX))
}

/// A licence that ran out says so ever after.
fn licensed(licence: &Licence) -> (i64, i64) {
    match licence.status {
        LicenceStatus::Active => (licence.validity.from_secs, i64::MAX),
        LicenceStatus::Suspended | LicenceStatus::Revoked => lasting(&licence.validity),
    }
}

fn licence_windows(change: &Changed<'_, Licence>) -> Vec<Window> {
    match change {
        Changed::Moved(old, new) if old.status == LicenceStatus::Active => {
            let (old, new) = (old.validity, new.validity);
            let differs = if old.from_secs == new.from_secs {
                old.to_secs.min(new.to_secs)
            } else {
                old.from_secs.min(new.from_secs)
            };
            let ends = (old.from_secs, old.to_secs) != (new.from_secs, new.to_secs);
            ends.then_some(Window { from_secs: differs, to_secs: i64::MAX }).into_iter().collect()
        }
        _ => windows(change, licensed),
    }
}

impl Asked {
    fn within(&self, windows: Vec<Window>) -> impl Iterator<Item = Window> {
        let latest_secs = self.latest_secs;
        windows.into_iter().filter(move |window| window.from_secs <= latest_secs)
    }

    /// Recalls, products, lots and their extensions: the steps of these goods.
    fn goods(&mut self, old: &Registry, new: &Registry) {
        let recalls = changed((&old.recalls, &new.recalls), |row| row.id.clone(), |row| &mut row.validity);
        for recall in recalls.iter().flat_map(Changed::forms) {
            let found: Vec<Window> = self.within(windows(&Changed::Whole(recall), recalled)).collect();
            match recall.lot {
                Some(lot) => add(&mut self.query.lots, (recall.gtin, lot), found),
                None => add(&mut self.query.products, recall.gtin, found),
            }
        }
        for change in changed((&old.products, &new.products), |row| row.gtin, |row| &mut row.validity) {
            let found: Vec<Window> = self.within(windows(&change, |row| lasting(&row.validity))).collect();
            change.forms().for_each(|row| add(&mut self.query.products, row.gtin, found.clone()));
        }
        for change in changed((&old.lots, &new.lots), |row| (row.gtin, row.lot), |row| &mut row.validity) {
            let found: Vec<Window> = self.within(windows(&change, |row| lasting(&row.validity))).collect();
            change.forms().for_each(|row| add(&mut self.query.lots, (row.gtin, row.lot), found.clone()));
        }
        let extensions = (old.extensions.as_slice(), new.extensions.as_slice());
        for change in changed(extensions, |row| (row.gtin, row.lot), |row| &mut row.validity) {
            let found: Vec<Window> = self.within(windows(&change, |row| lasting(&row.validity))).collect();
            change.forms().for_each(|row| add(&mut self.query.lots, (row.gtin, row.lot), found.clone()));
        }
    }

    /// Parties, their licences, delegations and wallets: the steps that these parties take part in.
    fn parties(&mut self, old: &Registry, new: &Registry, chain: ChainId) {
        let mut of_party: BTreeMap<Gln, Vec<Window>> = BTreeMap::new();
        for change in changed((&old.parties, &new.parties), |row| row.gln, |row| &mut row.validity) {
            let found = windows(&change, |row| lasting(&row.validity));
            change.forms().for_each(|row| add(&mut of_party, row.gln, found.clone()));
        }
        for change in changed((&old.licences, &new.licences), |row| row.party, |row| &mut row.validity) {
            let found = licence_windows(&change);
            change.forms().for_each(|row| add(&mut of_party, row.party, found.clone()));
        }
        let delegations = (old.delegations.as_slice(), new.delegations.as_slice());
        for change in changed(delegations, |row| row.agent, |row| &mut row.validity) {
            let found = windows(&change, |row| lasting(&row.validity));
            change.forms().for_each(|row| add(&mut of_party, row.agent, found.clone()));
        }
        for change in changed((&old.wallets, &new.wallets), |row| row.address, |row| &mut row.validity) {
            let found = windows(&change, |row| lasting(&row.validity));
            change.forms().for_each(|row| add(&mut of_party, row.party, found.clone()));
        }
        if of_party.is_empty() {
            return;
        }
        for (party, addresses) in wallets(old, new, chain) {
            let Some(found) = of_party.get(&party) else { continue };
            let found: Vec<Window> = self.within(found.clone()).collect();
            addresses.into_iter().for_each(|address| add(&mut self.query.addresses, address, found.clone()));
        }
    }
}

/// The addresses that ever signed for each party, by either version.
fn wallets(old: &Registry, new: &Registry, chain: ChainId) -> BTreeMap<Gln, BTreeSet<Address>> {
    let mut of: BTreeMap<Gln, BTreeSet<Address>> = BTreeMap::new();
    let here = old.wallets.iter().chain(&new.wallets).filter(|row| row.chain.is_none_or(|of| of == chain));
    here.for_each(|row| _ = of.entry(row.party).or_default().insert(row.address));
    of
}

fn add<K: Ord>(map: &mut BTreeMap<K, Vec<Window>>, key: K, windows: Vec<Window>) {
    if windows.is_empty() {
        return;
    }
    let known = map.entry(key).or_default();
    for window in windows {
        if !known.contains(&window) {
            known.push(window);
        }
    }
}

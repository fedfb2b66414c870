//! Contracts that a version of the registry names after all (CT-01), and pairs of them that it announces (ID-01).

use super::Late;
use super::difference::{Changed, changed};
use crate::apply::late::drop_branch;
use crate::cases::{CaseEntry, Cause, Finding, SubjectKey};
use crate::explain::{self, By};
use crate::rows::Rows;
use crate::rules::{self, ID_01, ID_01_CARD};
use crate::state::{ChainState, ItemId, TokenId};
use crate::timers::{self, Due, Timer};
use model::alert::Standing;
use model::item::ItemKey;
use model::registry::{ContractAuthority, Tier};
use std::collections::BTreeSet;

/// Closes cases about contracts that are named, and about pairs that are announced, and were not before.
pub(super) fn settle(state: &mut ChainState, late: &Late<'_>, rows: &mut Rows) {
    let (old, new) = (&late.old.version().rows, &late.new.version().rows);
    let named =
        changed((&old.contracts, &new.contracts), |row| (row.chain, row.address), |row| &mut row.validity);
    if !named.is_empty() {
        let addresses: BTreeSet<_> = named.iter().flat_map(Changed::forms).map(|row| row.address).collect();
        for case in standing(state, rules::CT_01) {
            let SubjectKey::Contract(contract) = case.subject else { continue };
            if addresses.contains(state.contracts.key(contract)) && is_named(state, late, &case, contract) {
                explain::explain_case(state, case.alert.case_key, By::Registry(late.block));
            }
        }
    }
    if old.announcements != new.announcements {
        for case in standing(state, ID_01) {
            pair_announced(state, late, &case, rows);
        }
    }
}

/// The standing cases of a rule, in the order of the chain.
fn standing(state: &ChainState, rule: &str) -> Vec<CaseEntry> {
    let stands = |entry: &&CaseEntry| entry.alert.standing != Standing::Explained;
    let all = state.cases.iter().map(|(_, entry)| entry);
    let mut cases: Vec<CaseEntry> =
        all.filter(|entry| entry.alert.rule == rule).filter(stands).cloned().collect();
    cases.sort_by_key(|entry| (entry.alert.position, entry.alert.case_key));
    cases
}

/// Did the registry name the contract, when it first claimed an identity, for the product that it claimed?
fn is_named(state: &ChainState, late: &Late<'_>, case: &CaseEntry, contract: u32) -> bool {
    let (alert, address) = (&case.alert, *state.contracts.key(contract));
    let claimed =
        alert.item.as_ref().and_then(|item| item.parse::<ItemKey>().ok()).and_then(|key| key.gtin());
    let owned = |row: &ContractAuthority| {
        let Some(gtin) = row.gtin else { return true };
        // What was claimed is not always known; whose product it was always is.
        let product = late.new.product(gtin, alert.raised_at_secs);
        match claimed {
            Some(claimed) => claimed == gtin,
            None => product.map(|product| product.owner.to_string()) == alert.victim,
        }
    };
    late.new.version().rows.contracts.iter().any(|row| {
        (row.chain, row.address) == (state.chain, address)
            && row.tier > Tier::Unknown
            && row.validity.holds_at(alert.raised_at_secs)
            && owned(row)
    })
}

/// Closes the case of a second token whose contract is an announced successor. The old token has its grace to end.
fn pair_announced(state: &mut ChainState, late: &Late<'_>, case: &CaseEntry, rows: &mut Rows) {
    let SubjectKey::Item(item) = case.subject else { return };
    let position = case.alert.position;
    let tokens: Vec<TokenId> = state.tokens_of(item).collect();
    let commissioned = |token: &TokenId| state.tokens.get(*token).commissioned == Some(position);
    let Some(second) = tokens.iter().copied().find(commissioned) else { return };
    let place = |token: TokenId| (state.chain, *state.contracts.key(state.tokens.key(token).0));
    let begun = |key: &(u32, u32)| state.branches.get(key).is_some_and(|branch| branch.begun == position);
    let numbers: Vec<(ItemId, u32)> = state.branch_numbers(item).map(|number| (item, number)).collect();
    let branch = numbers.into_iter().find(begun).and_then(|key| Some((key, *state.branches.get(&key)?)));
    let at_secs = branch.map_or(case.alert.raised_at_secs, |(_, branch)| branch.begun_secs);
    let announced = |first: &TokenId| {
        let (from, to) = (place(*first), place(second));
        let by = |registry: &crate::registry::Index| registry.announced(from, to, at_secs).is_some();
        from != to && by(late.new) && !by(late.old)
    };
    let first: Vec<TokenId> = tokens.iter().copied().filter(announced).collect();
    if first.is_empty() {
        return;
    }
    let lives = first.iter().any(|token| state.tokens.get(*token).burnt_block.is_none());
    explain::explain_case(state, case.alert.case_key, By::Registry(late.block));
    if let Some((key, branch)) = branch.filter(|(_, branch)| branch.story.last == branch.begun) {
        drop_branch(state, key, &super::event(late, branch.begun_secs), rows);
    }
    if lives {
        wait(state, late, case);
    }
}

/// Starts the grace of a pair as it would have started then.
fn wait(state: &mut ChainState, late: &Late<'_>, case: &CaseEntry) {
    let alert = &case.alert;
    let finding = Finding {
        expected: alert.expected.clone(),
        came: alert.came.clone(),
        accused: alert.accused.clone(),
        victim: alert.victim.clone(),
        witness: alert.witness.clone(),
        parameters: alert.parameters.clone(),
        evidence: alert.evidence.clone(),
        ..Finding::new(&ID_01_CARD, alert.severity, case.subject)
    };
    let cause = Cause {
        position: alert.position,
        tx_hash: alert.tx_hash,
        raised_at_secs: alert.raised_at_secs,
        deadline_secs: None,
        rests_on: late.block,
        contract: None,
        container: None,
        known_in: Some(late.block),
    };
    let grace_secs = late.parameters.get(&ID_01_CARD, "grace_secs");
    let deadline_secs = alert.raised_at_secs.saturating_add(grace_secs);
    let timer = Timer { due: Due::Raise(Box::new(finding)), cause };
    timers::start(state, ID_01, case.subject, deadline_secs, timer);
}

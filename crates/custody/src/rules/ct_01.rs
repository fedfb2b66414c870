//! CT-01: a contract that nobody named claims identities of a product that has an authoritative contract.
//!
//! A look-alike can emit any log; it must not be able to recall, kill or clone a genuine pack. Its events change no
//! item, and one alert stands for all of them.

use super::{Card, Report, Reported, rank};
use crate::cases::{Finding, SubjectKey};
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;
use model::registry::Tier;

/// The rule's code, by which contracts that were named late are found.
pub(crate) const CODE: &str = "CT-01";

static CARD: Card = Card {
    code: RuleCode(CODE),
    version: 1,
    title: "impostor contract",
    rank: rank::CT_01_SP_01,
    severity: "HIGH; CRITICAL once a licensed party receives from it",
    trigger: "a contract that the registry does not name claims identities of a product that has an authoritative contract; one per contract",
    innocent: "contracts about products that nobody registered; partners, bridges and announced successors, which are recognised",
    source: "RULES, identity and contracts; ERC-721 (any contract may emit any log)",
    parameters: &[],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        if scene.tier != Tier::Unknown {
            return;
        }
        let Some(contract) = scene.numbers.contract else { return };
        let subject = SubjectKey::Contract(contract);
        match scene.state.episodes.get(&subject) {
            Some(episode) => receipt_makes_it_worse(scene, report, episode.root),
            None => claim(scene, report, subject),
        }
    }
}

fn claim(scene: &Scene<'_>, report: &mut Report<'_>, subject: SubjectKey) {
    let event = scene.event;
    let Some(gtin) = event.identity.gtin else { return };
    let Some(genuine) = scene.registry.authoritative_contract(gtin, scene.at_secs()) else { return };
    let owner = scene.registry.product(gtin, scene.at_secs());
    report.push(Reported::Now(Finding {
        expected: format!("identities of {gtin} only from contract {} or one that it recognises", genuine.address),
        came: format!("contract {}, which the registry does not name, claims {}", event.token_contract,
            scene.key.map_or_else(|| gtin.to_string(), ToString::to_string)),
        accused: Some(event.token_contract.to_string()),
        victim: owner.map(|product| product.owner.to_string()),
        ..report.finding(Severity::High, subject)
    }));
}

fn receipt_makes_it_worse(scene: &Scene<'_>, report: &mut Report<'_>, root: model::alert::CaseKey) {
    let takes = matches!(scene.event.kind, EventKind::Receiving | EventKind::Accepting);
    let ours = scene.state.cases.get(&root).is_some_and(|case| case.alert.rule == CARD.code.0);
    if takes && ours && scene.actor_party.is_some() {
        report.push(Reported::Worse(root, Severity::Critical));
    }
}

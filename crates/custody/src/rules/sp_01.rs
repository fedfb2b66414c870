//! SP-01: an actor or contract that nobody knows makes more events than its quota.
//!
//! What one stranger can make us store or send is bounded. Beyond the quota its events go to the dead letters,
//! counted; the alerts that it caused within the hour hang under this one.

use super::{Card, Report, Reported, rank};
use crate::cases::{Finding, SubjectKey};
use crate::quota::{TallyKey, tally};
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::registry::Tier;

/// The rule's card.
pub(crate) static CARD: Card = Card {
    code: RuleCode("SP-01"),
    version: 1,
    title: "beyond its quota",
    rank: rank::CT_01_SP_01,
    severity: "HIGH, operations",
    trigger: "an unknown contract, or an address of no known party, makes more events than its quota within an hour of block time",
    innocent: "known parties and named contracts: batch uploads run to thousands an hour",
    source: "RULES §1, bounds",
    parameters: &[("quota", 200, "events within an hour of block time")],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let Some((key, subject)) = counted(scene) else { return };
        let quota = report.parameter("quota");
        let tally = tally(scene.state, key, scene.event.block_time_secs);
        if i64::from(tally.events) != quota + 1 {
            return;
        }
        let who = match subject {
            SubjectKey::Contract(_) => format!("contract {}", scene.event.contract),
            _ => super::actor(scene),
        };
        report.push(Reported::Now(Finding {
            expected: format!("at most {quota} events an hour of a contract or address that the registry does not know"),
            came: format!("{who} made more; what it does beyond is counted in the dead letters"),
            accused: Some(match subject {
                SubjectKey::Contract(_) => scene.event.contract.to_string(),
                _ => scene.actor_address().map_or_else(String::new, |address| address.to_string()),
            }),
            accused_holder: scene.numbers.actor.filter(|_| matches!(subject, SubjectKey::Party(_))),
            ..report.finding(Severity::High, subject)
        }));
    }
}

/// Whose events are counted against a quota: the contract that nobody named, else the actor that is no party.
/// Without wallets in the registry nobody is known, and actors are not told apart by it.
pub(crate) fn counted(scene: &Scene<'_>) -> Option<(TallyKey, SubjectKey)> {
    if scene.tier == Tier::Unknown && !scene.believed {
        let contract = scene.state.contracts.find(&scene.event.contract)?;
        return Some((TallyKey::Contract(contract), SubjectKey::Contract(contract)));
    }
    let stranger = scene.actor_party.is_none() && !scene.registry.version().rows.wallets.is_empty();
    let actor = scene.numbers.actor.filter(|_| stranger && scene.event.kind.is_step())?;
    Some((TallyKey::Actor(actor), SubjectKey::Party(actor)))
}

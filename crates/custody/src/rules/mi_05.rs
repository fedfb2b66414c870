//! MI-05: more units leave a holder than ever reached him.

use super::{Card, Report, Reported, rank};
use crate::cases::{Finding, SubjectKey};
use crate::scene::Scene;
use crate::units;
use model::alert::{RuleCode, Severity};

static CARD: Card = Card {
    code: RuleCode("MI-05"),
    version: 1,
    title: "inflation",
    rank: rank::REST,
    severity: "CRITICAL",
    trigger: "a transfer or burn of more units of a lot than its holder has, or a balance above 2^256 - 1, on a contract whose history is complete from our first block",
    innocent: "contracts whose history began before our first block: the units may be older",
    source: "RULES, minting and quantity; ERC-1155 (a transfer reverts when the balance is too low)",
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
        let Some(moved) = scene.units.filter(|moved| scene.believed && moved.complete_history) else { return };
        let Some(came) = units::impossible(scene.state, scene.numbers.token, &moved) else { return };
        let Some(subject) = super::item_subject(scene).or(scene.numbers.contract.map(SubjectKey::Contract)) else { return };
        let holder = moved.from.or(moved.to);
        report.push(Reported::Now(Finding {
            expected: format!("a balance of token {} that covers it", scene.event.token.unwrap_or_default()),
            came,
            accused: holder.map(|address| scene.name_of(address)),
            accused_holder: holder.and_then(|address| scene.state.holders.find(&address)),
            ..report.finding(Severity::Critical, subject)
        }));
    }
}

//! ST-01: dispensed twice.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};

static CARD: Card = Card {
    code: RuleCode("ST-01"),
    version: 1,
    title: "double dispense",
    rank: rank::ST_01_02_03,
    severity: "CRITICAL (A7); LOW for repeats by the same actor and place (A10)",
    trigger: "a full dispense of an item that is dispensed and was not reactivated",
    innocent: "dispensing after a reactivation; partial dispensing until empty",
    source: "EMVS codes A7 and A10; Regulation (EU) 2016/161 art. 24",
    parameters: &[
        ("repeat_secs", 24 * 3_600, "how long after the first the same actor and place may repeat it, seconds"),
        ("repeats", 3, "how many repeats are a matter of handling"),
    ],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let Some(Illegal::DispensedAgain) = scene.verdict.and_then(|verdict| verdict.illegal) else { return };
        let (Some(subject), Some(story)) = (item_subject(scene), scene.story()) else { return };
        let severity = if is_repeat(scene, report) { Severity::Low } else { Severity::Critical };
        let first = story.possessor.map_or_else(|| "someone".to_owned(), |holder| scene.describe_holder(holder));
        let mut finding = Finding {
            expected: format!("nothing more: dispensed by {first} at {}", super::time(story.last_secs)),
            came: format!("dispensed again by {}", super::actor(scene)),
            witness: story.possessor.map(|holder| scene.name_of(*scene.state.holders.key(holder))),
            evidence: vec![scene.state.evidence(story.last)],
            ..report.finding(severity, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

fn is_repeat(scene: &Scene<'_>, report: &Report<'_>) -> bool {
    let (Some(item), Some(story)) = (scene.item, scene.story()) else { return false };
    let same = story.possessor.is_some() && story.possessor == scene.numbers.actor && story.place == scene.numbers.place;
    let soon = scene.at_secs() - story.last_secs <= report.parameter("repeat_secs");
    same && soon && i64::from(scene.state.items.get(item).repeats) < report.parameter("repeats")
}

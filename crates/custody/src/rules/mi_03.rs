//! MI-03: an identity that was withdrawn or destroyed is minted again.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};

static CARD: Card = Card {
    code: RuleCode("MI-03"),
    version: 1,
    title: "re-mint",
    rank: rank::MI,
    severity: "CRITICAL",
    trigger: "commissioning of an identity that is inactive or destroyed",
    innocent: "reactivation, which is its own step; releases of bridges and migrations, which end a token and not the pack",
    source: "CBV 2.0, decommissioning: re-commissioned only with a new instance-level identifier; destroying: no subsequent events",
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
        let Some(Illegal::CommissionedAfterEnd) = scene.verdict.and_then(|verdict| verdict.illegal) else { return };
        let (Some(subject), Some(story)) = (item_subject(scene), scene.story()) else { return };
        let mut finding = Finding {
            expected: format!("no commissioning: this identity is {} since {}", story.state.as_str(), super::time(story.last_secs)),
            came: format!("commissioned again by {}", super::actor(scene)),
            evidence: vec![scene.state.evidence(story.last)],
            ..report.finding(Severity::Critical, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

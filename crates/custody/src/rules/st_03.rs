//! ST-03: something follows the end.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};

static CARD: Card = Card {
    code: RuleCode("ST-03"),
    version: 1,
    title: "after the end",
    rank: rank::ST_01_02_03,
    severity: "CRITICAL",
    trigger: "after destroying: any step; after decommissioning: any but reactivation, destroying, disposal, the authority, or leaving the market when exported",
    innocent: "reactivation; returns to the maker or a reverse distributor for disposal; inspections",
    source: "CBV 2.0, destroying: should not be the subject of subsequent events; inactive: may be reintroduced",
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
        let end = match scene.verdict.and_then(|verdict| verdict.illegal) {
            Some(Illegal::AfterDestroying) => "destroyed",
            Some(Illegal::AfterInactive) => "withdrawn",
            _ => return,
        };
        let (Some(subject), Some(story)) = (item_subject(scene), scene.story()) else { return };
        let mut finding = Finding {
            expected: format!("nothing more: {end} at {}", super::time(story.last_secs)),
            came: format!("{} by {}", scene.event.kind.as_str(), super::actor(scene)),
            evidence: vec![scene.state.evidence(story.last)],
            ..report.finding(Severity::Critical, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

//! SQ-03: sent or handed over by someone who neither has the item nor acts for the one who has.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;

static CARD: Card = Card {
    code: RuleCode("SQ-03"),
    version: 1,
    title: "not the holder",
    rank: rank::SQ_03,
    severity: "CRITICAL",
    trigger: "the actor of a shipping or hand-over is neither possessor nor owner nor agent of either; the first on each branch",
    innocent: "3PLs and other agents under an agreement; another wallet of the same party; the holder of the parent",
    source: "DSCSA §582 (transactions only by the owner); RULES, sequence",
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
        let hands_over = matches!(scene.event.kind, EventKind::Shipping | EventKind::Returning | EventKind::Accepting);
        let Some(Illegal::NotHolder) = scene.verdict.and_then(|verdict| verdict.illegal) else { return };
        let (true, Some(subject), Some(story)) = (hands_over, item_subject(scene), scene.story()) else { return };
        let holder = story.possessor.map_or_else(|| "its holder".to_owned(), |holder| scene.describe_holder(holder));
        let mut finding = Finding {
            expected: format!("{} by {holder}, who has it since {}", scene.event.kind.as_str(), super::time(story.held_from_secs)),
            came: format!("{} by {}", scene.event.kind.as_str(), super::actor(scene)),
            victim: story.possessor.map(|holder| scene.name_of(*scene.state.holders.key(holder))),
            evidence: vec![scene.state.evidence(story.held_from)],
            ..report.finding(Severity::Critical, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

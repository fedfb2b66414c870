//! SQ-01: received without having been sent.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};

/// The rule's code, by which a late shipping stops its timer.
pub(crate) const CODE: &str = "SQ-01";

static CARD: Card = Card {
    code: RuleCode(CODE),
    version: 1,
    title: "receive without ship",
    rank: rank::REST,
    severity: "HIGH",
    trigger: "received by someone to whom no sending is open: at once when it is open to someone else, else when no matching shipping comes within the grace",
    innocent: "late uploads of the shipping; receiving what one has already",
    source: "GS1 US implementation guideline, exceptions 1-4 and 1-5; RULES, sequence",
    parameters: &[("grace_secs", 24 * 3_600, "how long the matching shipping may be late, seconds of block time")],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let illegal = scene.verdict.and_then(|verdict| verdict.illegal);
        if !matches!(illegal, Some(Illegal::WrongReceiver(_) | Illegal::NotShipped)) {
            return;
        }
        let (Some(subject), Some(story)) = (item_subject(scene), scene.story()) else { return };
        let has = story.possessor.map_or_else(|| "its holder".to_owned(), |holder| scene.describe_holder(holder));
        let mut finding = Finding {
            came: format!("received by {}", super::actor(scene)),
            evidence: vec![scene.state.evidence(story.last)],
            victim: story.possessor.map(|holder| scene.name_of(*scene.state.holders.key(holder))),
            ..report.finding(Severity::High, subject)
        };
        accuse_actor(scene, &mut finding);
        match illegal {
            Some(Illegal::WrongReceiver(consignee)) => {
                finding.expected = format!("received by {}, to whom {has} sent it", scene.describe_holder(consignee));
                report.push(Reported::Now(finding));
            }
            Some(Illegal::NotShipped) => {
                finding.expected = format!("a shipping by {has} before it");
                report.push(Reported::Waiting { finding, grace_secs: report.parameter("grace_secs") });
            }
            _ => {}
        }
    }
}

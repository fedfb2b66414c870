//! SQ-04: a step that the custody state machine does not allow, and that no other rule speaks of.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;
use model::registry::Regime;

static CARD: Card = Card {
    code: RuleCode("SQ-04"),
    version: 1,
    title: "illegal step",
    rank: rank::REST,
    severity: "impossible: HIGH; a mandatory step skipped: MEDIUM",
    trigger: "a step that cannot follow the item's state, or that left out a step which its regime makes mandatory",
    innocent: "optional steps left out; unpacking without saying so; what ID-01, MI-03, SQ-01, SQ-03, AG-01, ST-01 and ST-03 speak of",
    source: "RULES §1, custody state machine; CBV 2.0 business steps",
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
        let (Some(subject), Some(story), Some(verdict)) = (item_subject(scene), scene.story(), scene.verdict) else { return };
        let Some((severity, expected)) = judged(scene, verdict) else { return };
        let mut finding = Finding {
            expected: format!("{expected}: the item is {} since {}", story.state.as_str(), super::time(story.last_secs)),
            came: format!("{} by {}", scene.event.kind.as_str(), super::actor(scene)),
            evidence: vec![scene.state.evidence(story.last)],
            ..report.finding(severity, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

fn judged(scene: &Scene<'_>, verdict: &crate::machine::Verdict) -> Option<(Severity, &'static str)> {
    let hands_over = matches!(scene.event.kind, EventKind::Shipping | EventKind::Returning | EventKind::Accepting);
    match verdict.illegal {
        None => {
            // Only the US trade must report every receipt; elsewhere it is optional or not seen.
            let mandatory = scene.regime() == Regime::UsDscsa && verdict.skipped.is_some();
            mandatory.then_some((Severity::Medium, "received before it is dispensed"))
        }
        Some(Illegal::Impossible) => Some((Severity::High, "a step that its state allows")),
        Some(Illegal::NotHolder) if !hands_over => Some((Severity::High, "a step by the one who has it")),
        Some(Illegal::CommissionedAgain) if is_same_token(scene) => Some((Severity::High, "commissioned once")),
        Some(_) => None,
    }
}

/// Does the event commission the token again that the item has already? (With another token it is a clone.)
fn is_same_token(scene: &Scene<'_>) -> bool {
    let mine = scene.numbers.token;
    let living = |token| scene.state.tokens.get(token).burnt_block.is_none();
    scene.item.is_some_and(|item| !scene.state.tokens_of(item).any(|token| Some(token) != mine && living(token)))
}

//! AG-01: a step on an item that is inside something that the actor does not have.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;

static CARD: Card = Card {
    code: RuleCode("AG-01"),
    version: 1,
    title: "child away from its parent",
    rank: rank::AG_01,
    severity: "HIGH; CRITICAL if dispensed",
    trigger: "an event on a child whose open parent's holder chain does not include the actor or an agent",
    innocent: "the parent's holder, who unpacks without saying so; packs never unpacked on the chain",
    source: "CBV 2.0, packing and unpacking; EPCIS 2.0 aggregation",
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
        let Some(Illegal::NotParentsHolder) = scene.verdict.and_then(|verdict| verdict.illegal) else { return };
        let (Some(subject), Some(item)) = (item_subject(scene), scene.item) else { return };
        let holder = scene.state.possessor(item);
        let parent = scene.story().and_then(|story| story.parent);
        let dispensed = matches!(scene.event.kind, EventKind::Dispensing | EventKind::PartialDispensing);
        let mut finding = Finding {
            expected: format!("a step by {}, who has the parent {} that it is inside of",
                holder.map_or_else(|| "its holder".to_owned(), |holder| scene.describe_holder(holder)),
                parent.map_or_else(String::new, |parent| scene.state.items.key(parent).to_string())),
            came: format!("{} by {}", scene.event.kind.as_str(), super::actor(scene)),
            victim: holder.map(|holder| scene.name_of(*scene.state.holders.key(holder))),
            evidence: scene.state.packings.get(&item).map(|packing| scene.state.evidence(packing.packed)).into_iter().collect(),
            ..report.finding(if dispensed { Severity::Critical } else { Severity::High }, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

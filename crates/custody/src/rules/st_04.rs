//! ST-04: a recalled item moves.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;
use model::item::ItemKey;
use model::registry::Recall;

static CARD: Card = Card {
    code: RuleCode("ST-04"),
    version: 1,
    title: "recalled item moved",
    rank: rank::ST_04,
    severity: "dispensed: CRITICAL at once; other moves: HIGH, CRITICAL after the grace",
    trigger: "any step but quarantine, the return path and destroying, after the effective time of an unresolved recall that covers the item",
    innocent: "quarantine, returns, destroying; receiving what was sent before the recall took effect; voiding a shipment; unpacking",
    source: "21 CFR 7; Directive 2001/83/EC art. 117; EMVS: no code for recalled packs",
    parameters: &[("grace_secs", 24 * 3_600, "how long word of a recall takes, seconds of block time")],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn past_kinds(&self) -> &'static [EventKind] {
        &[
            EventKind::Shipping,
            EventKind::Accepting,
            EventKind::Packing,
            EventKind::Reactivating,
            EventKind::Exporting,
            EventKind::Dispensing,
            EventKind::PartialDispensing,
        ]
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let (Some(subject), true) = (item_subject(scene), scene.believed && moves_on(scene)) else { return };
        let Some(recall) = recall_in_force(scene) else { return };
        let dispensed = is_dispensing(scene.event.kind);
        let severity = if dispensed { Severity::Critical } else { Severity::High };
        let mut finding = Finding {
            expected: format!("quarantine, return or destruction: recall {} of {} is in force since {}", recall.id,
                recall.lot.map_or_else(|| "every lot".to_owned(), |lot| format!("lot {lot}")), super::time(recall.effective_at_secs)),
            came: format!("{} by {}", scene.event.kind.as_str(), super::actor(scene)),
            ..report.finding(severity, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(if dispensed {
            Reported::Now(finding)
        } else {
            Reported::Escalating { finding, grace_secs: report.parameter("grace_secs"), severity: Severity::Critical }
        });
    }
}

fn is_dispensing(kind: EventKind) -> bool {
    matches!(kind, EventKind::Dispensing | EventKind::PartialDispensing)
}

/// Does the step carry the item further into the trade?
fn moves_on(scene: &Scene<'_>) -> bool {
    match scene.event.kind {
        EventKind::Shipping | EventKind::Accepting => !scene.is_return_path(),
        EventKind::Packing | EventKind::Reactivating | EventKind::Exporting => true,
        kind => is_dispensing(kind),
    }
}

fn recall_in_force<'a>(scene: &Scene<'a>) -> Option<&'a Recall> {
    let (at, gtin) = (scene.at_secs(), scene.gtin()?);
    scene.registry.recalls(gtin).find(|recall| {
        recall.effective_at_secs <= at && recall.resolved_at_secs.is_none_or(|end| at < end) && covers(recall, scene)
    })
}

fn covers(recall: &Recall, scene: &Scene<'_>) -> bool {
    let lot = recall.lot.is_none_or(|lot| scene.lot == Some(lot));
    let serial = match scene.key {
        Some(ItemKey::Sgtin(_, serial)) => {
            recall.serial_from.is_none_or(|from| from.as_str() <= serial.as_str())
                && recall.serial_to.is_none_or(|to| serial.as_str() <= to.as_str())
        }
        _ => recall.serial_from.is_none() && recall.serial_to.is_none(),
    };
    let country = scene.actor_party.map(|party| party.country.as_str());
    let market = recall.market.as_deref().is_none_or(|market| country.is_none_or(|country| country == market));
    lot && serial && market
}

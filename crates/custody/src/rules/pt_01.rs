//! PT-01: a party acts without the licence that its part needs.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::registry::{LicenceStanding, licences_of};
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;
use model::registry::Party;

static CARD: Card = Card {
    code: RuleCode("PT-01"),
    version: 1,
    title: "unlicensed party",
    rank: rank::PT_01,
    severity: "revoked or never licensed CRITICAL, suspended HIGH, expired MEDIUM up to 30 days and HIGH beyond",
    trigger: "the sender at shipping, the receiver at receiving, or the one who dispenses has no licence of the needed type and jurisdiction in force at the event's time",
    innocent: "licences renewed in time; newly licensed parties; agents, who are judged by their own part",
    source: "DSCSA §581(2) authorised trading partner; Directive 2001/83/EC art. 77",
    parameters: &[("expired_secs", 30 * 86_400, "how long an expired licence is a matter of paper, seconds")],
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
            EventKind::Returning,
            EventKind::Receiving,
            EventKind::Accepting,
            EventKind::Dispensing,
            EventKind::PartialDispensing,
        ]
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let (Some(subject), Some(party)) = (item_subject(scene), judged(scene)) else { return };
        if !scene.believed {
            return;
        }
        let needed = licences_of(party.role);
        let standing = if needed.is_empty() { LicenceStanding::Active } else { scene.registry.licence(party, needed, scene.at_secs()) };
        let expired_secs = report.parameter("expired_secs");
        let (severity, how) = match standing {
            LicenceStanding::Active => return,
            LicenceStanding::Revoked => (Severity::Critical, "was revoked".to_owned()),
            LicenceStanding::Suspended => (Severity::High, "is suspended".to_owned()),
            LicenceStanding::None => (Severity::Critical, "does not exist".to_owned()),
            LicenceStanding::Expired { for_secs } => {
                let severity = if for_secs <= expired_secs { Severity::Medium } else { Severity::High };
                (severity, format!("ran out {} days before", for_secs / 86_400))
            }
        };
        let kinds: Vec<_> = needed.iter().map(|kind| kind.as_str()).collect();
        let mut finding = Finding {
            expected: format!("a {} licence of {} in {}", kinds.join(" or "), party.name, party.country),
            came: format!("{}; the licence {how}", scene.event.kind.as_str()),
            ..report.finding(severity, subject)
        };
        accuse_actor(scene, &mut finding);
        finding.accused = Some(party.gln.to_string());
        report.push(Reported::Now(finding));
    }
}

/// Whose licence the step is judged by.
fn judged<'a>(scene: &Scene<'a>) -> Option<&'a Party> {
    match scene.event.kind {
        EventKind::Shipping | EventKind::Returning | EventKind::Receiving | EventKind::Dispensing
        | EventKind::PartialDispensing => scene.actor_party,
        EventKind::Accepting => scene.event.to.and_then(|to| scene.party_of(to)),
        _ => None,
    }
}

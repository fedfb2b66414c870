//! ID-01: two living tokens for one serialised item.
//!
//! Here are those of one chain; what two chains say of one item is compared in [`crate::across`].

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::machine::Illegal;
use crate::scene::Scene;
use crate::state::TokenId;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;

/// The rule's code, by which the end of the old token stops its timer.
pub(crate) const CODE: &str = "ID-01";

pub(crate) static CARD: Card = Card {
    code: RuleCode(CODE),
    version: 2,
    title: "clone",
    rank: rank::REST,
    severity: "CRITICAL",
    trigger: "a second living token is commissioned for one identity among authoritative and recognised contracts, on one chain or on several",
    innocent: "announced migrations and registered bridges, which have a grace to complete the pair; tokens that were burnt before",
    source: "CBV 2.0, commissioning: an identifier not previously used",
    parameters: &[("grace_secs", 72 * 3_600, "how long an announced migration or bridge may take to end the old token, seconds of block time")],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        let (Some(subject), Some(item), Some(verdict)) = (item_subject(scene), scene.item, scene.verdict) else { return };
        let second = scene.event.kind == EventKind::Commissioning
            && matches!(verdict.illegal, None | Some(Illegal::CommissionedAgain));
        if !second {
            return;
        }
        let Some(other) = other_living_token(scene, item) else { return };
        let token = scene.state.tokens.get(other);
        let contract = *scene.state.contracts.key(scene.state.tokens.key(other).0);
        let mut finding = Finding {
            expected: format!("one living token for this identity; it has token {} of contract {contract}", scene.state.token_id(other)),
            came: format!("commissioned as token {} of contract {} by {}", scene.event.token.unwrap_or_default(),
                scene.event.token_contract, super::actor(scene)),
            evidence: token.commissioned.map(|position| scene.state.evidence(position)).into_iter().collect(),
            ..report.finding(Severity::Critical, subject)
        };
        accuse_actor(scene, &mut finding);
        // The state machine lets an announced successor go on with the story: it has a grace to end the old token.
        report.push(match verdict.illegal {
            None => Reported::Waiting { finding, grace_secs: report.parameter("grace_secs") },
            Some(_) => Reported::Now(finding),
        });
    }
}

/// A token of the item that is not burnt and is not the one of the event.
fn other_living_token(scene: &Scene<'_>, item: u32) -> Option<TokenId> {
    let mine = scene.numbers.token;
    let living = |token: &TokenId| Some(*token) != mine && scene.state.tokens.get(*token).burnt_block.is_none();
    scene.state.tokens_of(item).find(living)
}

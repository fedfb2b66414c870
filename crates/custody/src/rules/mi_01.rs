//! MI-01: minted by someone who may not make the product.

use super::{Card, Report, Reported, accuse_actor, item_subject, rank};
use crate::cases::Finding;
use crate::registry::LicenceStanding;
use crate::scene::Scene;
use model::alert::{RuleCode, Severity};
use model::event::EventKind;
use model::gs1::Gtin;
use model::registry::{LicenceType, Party, Product};

static CARD: Card = Card {
    code: RuleCode("MI-01"),
    version: 1,
    title: "unauthorised minter",
    rank: rank::MI,
    severity: "CRITICAL",
    trigger: "the beneficiary of a mint is, at block time, neither the owner of the product with a manufacturing licence nor delegated for product and lot",
    innocent: "contract makers under a delegation; relayers and multisig senders, who are not the beneficiary; products that nobody registered",
    source: "DSCSA §581(10) manufacturer; Regulation (EU) 2016/161 art. 33 (upload by the holder of the authorisation)",
    parameters: &[],
};

/// The rule.
#[derive(Debug)]
pub(super) struct Rule;

impl super::Rule for Rule {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn past_kinds(&self) -> &'static [EventKind] {
        &[EventKind::Commissioning]
    }

    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>) {
        if scene.event.kind != EventKind::Commissioning || !scene.believed {
            return;
        }
        let (Some(subject), Some(gtin)) = (item_subject(scene), scene.gtin()) else { return };
        let at = scene.event.block_time_secs;
        let Some(product) = scene.registry.product(gtin, at) else { return };
        let Some(reason) = refused(scene, product, gtin, at) else { return };
        let mut finding = Finding {
            expected: format!("minted by {} or one whom it delegated for this product and lot", owner(scene, product, at)),
            came: format!("minted by {}, {reason}", super::actor(scene)),
            victim: Some(product.owner.to_string()),
            ..report.finding(Severity::Critical, subject)
        };
        accuse_actor(scene, &mut finding);
        report.push(Reported::Now(finding));
    }
}

/// May the beneficiary of the event mint the item? A product that nobody registered is anyone's.
pub(crate) fn may_mint(scene: &Scene<'_>) -> bool {
    let at = scene.event.block_time_secs;
    let Some(gtin) = scene.gtin() else { return true };
    scene.registry.product(gtin, at).is_none_or(|product| refused(scene, product, gtin, at).is_none())
}

fn owner(scene: &Scene<'_>, product: &Product, at: i64) -> String {
    let party = scene.registry.party(product.owner, at);
    party.map_or_else(|| product.owner.to_string(), |party| format!("{} ({})", party.name, party.gln))
}

/// Why the beneficiary may not mint; `None` when it may.
fn refused(scene: &Scene<'_>, product: &Product, gtin: Gtin, at: i64) -> Option<&'static str> {
    let beneficiary = scene.event.to.or(scene.actor_address());
    let party: Option<&Party> = beneficiary.and_then(|address| scene.registry.party_of(scene.state.chain, address, at));
    let Some(party) = party else { return Some("whom the registry does not know") };
    if party.gln == product.owner {
        let licence = scene.registry.licence(party, &[LicenceType::Manufacturing], at);
        return (licence != LicenceStanding::Active).then_some("who owns the product and has no manufacturing licence in force");
    }
    let delegated = scene.registry.delegated(party.gln, gtin, scene.lot, at);
    (!delegated).then_some("who neither owns the product nor is delegated for it")
}

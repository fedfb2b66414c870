//! One event: read the scene, let the rules look, then change the state. The only place that changes it.
//!
//! `tokens` follows the chain's own facts; `stories` follows the steps of custody; `late` settles what came late.

pub(crate) mod late;
mod stories;
mod tokens;

use crate::cases::{self, Cause, Finding};
use crate::claims::{self, Right};
use crate::decode::Profiles;
use crate::lineage::End;
use crate::machine::{self, Verdict};
use crate::numbers::Numbers;
use crate::quota;
use crate::registry::Index;
use crate::rows::{Judged, Rows};
use crate::rules::{self, Parameters, Reported};
use crate::scene::{self, Scene};
use crate::state::{ChainState, Item, ItemId, LotEntry};
use crate::storm;
use crate::timers::{self, Due, Timer};
use crate::units::{self, Moved};
use model::event::{DeadLetter, DeadReason, Event, EventKind};
use model::gs1::Text;
use model::item::{ItemKey, TokenRef, TokenStandard};
use model::registry::Tier;

/// What one event meets beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The registry in force.
    pub registry: &'a Index,
    /// Parameters of the rules.
    pub parameters: &'a Parameters,
    /// The contracts that the configuration names.
    pub profiles: &'a Profiles,
}

/// How the event names its item.
#[derive(Debug)]
struct Named {
    key: Option<ItemKey>,
    item: Option<ItemId>,
    numbers: Numbers,
    lot: Option<Text>,
    tier: Tier,
    believed: bool,
    /// Units that the event moves.
    units: Option<Moved>,
}

/// Takes one event into the state, and what it makes into `rows`; gives how it was judged, for its own row. `None` when
/// it is beyond a quota.
pub fn event(
    state: &mut ChainState,
    setting: &Setting<'_>,
    event: &Event,
    rows: &mut Rows,
) -> Option<Judged> {
    fire_timers(state, event.block_time_secs, event.position.block);
    let mut named = name(state, setting, event);
    let names = event.kind == EventKind::Identity && tokens::may_be_named(state, event, &named);
    if named.believed && (names || event.kind.is_step()) {
        enter_item(state, event, &mut named);
    }
    if over_quota(state, setting, event, &named) {
        rows.dead_letter(over_quota_letter(event));
        return None;
    }
    let verdict = judge(state, setting, event, &named);
    let (reported, right) = {
        let scene = scene_of(state, setting, event, &named, verdict.as_ref());
        (rules::look(&scene, setting.parameters), Right::of(&scene))
    };
    let judged = judged(state, event, &named, verdict.as_ref());
    let cause = (!reported.is_empty()).then(|| cause_of(state, event, &named));
    let before = known_token(state, &named);
    tokens::take(state, event, &mut named, rows);
    if let (Some(item), true) = (named.item, named.believed && names) {
        tokens::bind(state, setting, event, (item, &named), rows);
    }
    if let (Some(item), Some(verdict)) = (named.item, &verdict) {
        tokens::bind(state, setting, event, (item, &named), rows);
        stories::take(state, event, (item, &named.numbers), verdict, rows);
        if verdict.illegal.is_none() {
            rows.lineage.step(event, || End::of(state, item, named.numbers.token));
        }
    }
    let after = known_token(state, &named);
    claims::follow(state, event, before, after, right);
    if let Some(cause) = cause {
        report(state, &cause, &named, reported);
    }
    Some(judged)
}

/// Fires what is due before `now_secs`, and forgets what was quiet for long.
pub fn fire_timers(state: &mut ChainState, now_secs: i64, block: u64) {
    timers::fire(state, now_secs, block);
    storm::forget(state, now_secs);
    state.now_secs = state.now_secs.max(now_secs);
}

/// The key that the log itself names.
fn claimed_key(event: &Event) -> Option<ItemKey> {
    let identity = &event.identity;
    match (identity.gtin, identity.serial, identity.lot, identity.sscc) {
        (Some(gtin), Some(serial), ..) => Some(ItemKey::Sgtin(gtin, serial)),
        (_, _, _, Some(sscc)) => Some(ItemKey::Sscc(sscc)),
        (Some(gtin), None, Some(lot), None) => Some(ItemKey::Lot(gtin, lot)),
        _ => None,
    }
}

fn known_token(state: &ChainState, named: &Named) -> claims::Known {
    named.numbers.token.map(|token| (token, state.tokens.get(token)))
}

/// How people call a token that nothing has named.
fn token_key(state: &ChainState, event: &Event) -> Option<ItemKey> {
    let standard = if event.kind == EventKind::TransferQuantity {
        TokenStandard::Erc1155
    } else {
        TokenStandard::Erc721
    };
    let (chain, contract) = (state.chain, event.token_contract);
    event.token.map(|id| ItemKey::Token(Box::new(TokenRef { chain, contract, id, standard })))
}

fn name(state: &mut ChainState, setting: &Setting<'_>, event: &Event) -> Named {
    let numbers = Numbers::enter(state, event);
    let known = numbers.token.and_then(|token| state.tokens.get(token).item);
    let claimed = claimed_key(event);
    let gtin = claimed.as_ref().or(known.map(|item| state.items.key(item))).and_then(ItemKey::gtin);
    let tier = setting.registry.tier(state.chain, event.token_contract, gtin, event.judged_at_secs());
    // A contract speaks for its own tokens; for identities of products and units only once the registry names it.
    let own_token_only =
        claimed.is_none() && known.is_none_or(|item| matches!(state.items.key(item), ItemKey::Token(_)));
    let believed = tier > Tier::Unknown
        || (own_token_only && setting.profiles.watches(state.chain, event.token_contract));
    let key = claimed
        .or_else(|| known.map(|item| state.items.key(item).clone()))
        .or_else(|| token_key(state, event));
    let item = key.as_ref().and_then(|key| state.items.find(key));
    let lot_of = |item: ItemId| state.items.get(item).lot.map(|lot| state.lots.key(lot).1);
    let lot = event.identity.lot.or_else(|| item.and_then(lot_of));
    let units = units::moved(setting.profiles, state.chain, event);
    Named { key, item, numbers, lot, tier, believed, units }
}

/// Enters the item that a believed step speaks of, its lot and its token.
fn enter_item(state: &mut ChainState, event: &Event, named: &mut Named) {
    let Some(key) = named.key.clone() else { return };
    let (position, secs) = (event.position, event.judged_at_secs());
    let lot = event.identity.lot.zip(event.identity.gtin).map(|(lot, gtin)| {
        state.lots.enter((gtin, lot), || LotEntry { expiry_day: event.identity.expiry_day })
    });
    let item = state.items.enter(key, || Item::unknown(position, secs));
    if lot.is_some() && state.items.get(item).lot.is_none() {
        state.items.change(item, |entry| entry.lot = lot);
    }
    named.item = Some(item);
    named.numbers = named.numbers.with_token(state, event);
}

/// Counts the event against the quota of whoever nobody knows.
fn over_quota(state: &mut ChainState, setting: &Setting<'_>, event: &Event, named: &Named) -> bool {
    let counted = rules::counted(&scene_of(state, setting, event, named, None));
    let Some((key, _)) = counted else { return false };
    let events = quota::count(state, key, event.block_time_secs);
    // The first event beyond the quota is judged: it raises SP-01. What comes after it is only counted.
    i64::from(events) > rules::quota(setting.parameters) + 1
}

fn over_quota_letter(event: &Event) -> DeadLetter {
    DeadLetter {
        position: event.position,
        tx_hash: event.tx_hash,
        contract: event.contract,
        topic0: None,
        reason: DeadReason::OverQuota,
        detail: format!("{} beyond the quota of its actor or contract in this hour", event.kind.as_str()),
    }
}

fn scene_of<'a>(
    state: &'a ChainState,
    setting: &Setting<'a>,
    event: &'a Event,
    named: &'a Named,
    verdict: Option<&'a Verdict>,
) -> Scene<'a> {
    let actor = scene::acting(event);
    Scene {
        state,
        registry: setting.registry,
        event,
        tier: named.tier,
        believed: named.believed,
        key: named.key.as_ref(),
        item: named.item,
        lot: named.lot,
        numbers: named.numbers,
        actor_party: actor.and_then(|a| setting.registry.party_of(state.chain, a, event.judged_at_secs())),
        verdict,
        units: named.units,
    }
}

fn judge(state: &ChainState, setting: &Setting<'_>, event: &Event, named: &Named) -> Option<Verdict> {
    // The state machine is of single items; units of a lot have a ledger instead.
    let judged = named.believed && event.kind.is_step() && named.units.is_none();
    let item = named.item.filter(|_| judged)?;
    let scene = scene_of(state, setting, event, named, None);
    Some(machine::judge(&scene, item))
}

fn judged(state: &ChainState, event: &Event, named: &Named, verdict: Option<&Verdict>) -> Judged {
    let parent_token = machine::parent_token(state, event, &named.numbers);
    Judged {
        key: named.key.clone(),
        lot: named.lot,
        branch: verdict.map_or(0, |verdict| verdict.branch),
        legal: verdict.map_or(named.believed || !event.kind.is_step(), |verdict| verdict.illegal.is_none()),
        tier: named.tier,
        parent: parent_token
            .and_then(|token| state.tokens.get(token).item)
            .map(|item| state.items.key(item).clone()),
    }
}

/// What raises the findings of an event, as the state was before it.
fn cause_of(state: &ChainState, event: &Event, named: &Named) -> Cause {
    Cause {
        position: event.position,
        tx_hash: event.tx_hash,
        raised_at_secs: event.block_time_secs,
        deadline_secs: None,
        rests_on: event.position.block,
        contract: state.contracts.find(&event.contract),
        container: named.item.and_then(|item| state.container_of(item)),
        known_in: None,
    }
}

/// Raises what the rules reported.
fn report(state: &mut ChainState, cause: &Cause, named: &Named, reported: Vec<Reported>) {
    for reported in reported {
        match reported {
            Reported::Now(mut finding) => {
                finding.item = finding.item.or(named.item);
                storm::raise(state, &finding, cause);
            }
            Reported::Escalating { finding, grace_secs, severity } => {
                if let Some(case) = storm::raise(state, &finding, cause) {
                    start(state, cause, &finding, grace_secs, Due::Escalate(case, severity));
                }
            }
            Reported::Waiting { finding, grace_secs } => {
                let due = Due::Raise(Box::new(finding.clone()));
                start(state, cause, &finding, grace_secs, due);
            }
            Reported::Worse(case, severity) => cases::escalate(state, case, severity, cause),
        }
    }
}

/// Starts the timer of a finding.
fn start(state: &mut ChainState, cause: &Cause, finding: &Finding, grace_secs: i64, due: Due) {
    let deadline = cause.raised_at_secs.saturating_add(grace_secs);
    timers::start(state, &finding.rule, finding.subject, deadline, Timer { due, cause: *cause });
}

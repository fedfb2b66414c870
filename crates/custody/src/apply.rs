//! One event: read the scene, let the rules look, then change the state. The only place that changes it.

use crate::cases::{self, Cause, SubjectKey};
use crate::claims::{self, Right};
use crate::decode::Profiles;
use crate::machine::{self, Verdict};
use crate::quota::{self, TallyKey};
use crate::registry::Index;
use crate::rows::{Judged, Rows};
use crate::rules::{self, Parameters, Reported};
use crate::scene::{self, Scene};
use crate::state::{
    BRANCHES_MAX, ChainState, Item, ItemId, LotEntry, Packing, Shipment, State, Story, Token, TokenId,
};
use crate::storm;
use crate::timers::{self, Due, Timer};
use model::Address;
use model::event::{DeadLetter, DeadReason, Event, EventKind, Reason};
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
    token: Option<TokenId>,
    lot: Option<Text>,
    tier: Tier,
    believed: bool,
}

/// Takes one event into the state, and what it makes into `rows`.
pub fn event(state: &mut ChainState, setting: &Setting<'_>, event: &Event, rows: &mut Rows) {
    fire_timers(state, event.block_time_secs, event.position.block);
    enter_names(state, event);
    let mut named = name(state, setting, event);
    if named.believed && event.kind.is_step() {
        enter_item(state, event, &mut named);
    }
    if over_quota(state, setting, event, &named) {
        rows.dead_letter(over_quota_letter(event));
        return;
    }
    let verdict = judge(state, setting, event, &named);
    let (reported, right) = {
        let scene = scene_of(state, setting, event, &named, verdict.as_ref());
        (rules::look(&scene, setting.parameters), Right::of(&scene))
    };
    rows.event(event, judged(state, event, &named, verdict.as_ref()));
    let before = known_token(state, event);
    take_fact(state, event, &named, rows);
    if let (Some(item), Some(verdict)) = (named.item, &verdict) {
        take_step(state, event, item, verdict, rows);
    }
    let after = known_token(state, event);
    claims::follow(state, event, before, after, right);
    report(state, event, &named, reported);
}

/// Fires what is due before `now_secs`, and takes new roots into account.
pub fn fire_timers(state: &mut ChainState, now_secs: i64, block: u64) {
    for fired in timers::fire(state, now_secs, block) {
        if let (true, Some(holder)) = (fired.raised.opened, fired.accused) {
            storm::count_root(state, TallyKey::Actor(holder), fired.raised.root, &fired.cause);
        }
    }
    state.now_secs = state.now_secs.max(now_secs);
}

fn enter_names(state: &mut ChainState, event: &Event) {
    state.contracts.enter(event.contract, || ());
    state.contracts.enter(event.token_contract, || ());
    for address in [scene::acting(event), event.from, event.to].into_iter().flatten() {
        if address != Address::ZERO {
            state.holders.enter(address, || ());
        }
    }
    if let Some(place) = event.place {
        state.places.enter(place, || ());
    }
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

fn token_of(state: &ChainState, event: &Event) -> Option<TokenId> {
    state.tokens.find(&(state.contracts.find(&event.token_contract)?, event.token?))
}

fn known_token(state: &ChainState, event: &Event) -> claims::Known {
    token_of(state, event).map(|token| (token, *state.tokens.get(token)))
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

fn name(state: &ChainState, setting: &Setting<'_>, event: &Event) -> Named {
    let token = token_of(state, event);
    let known = token.and_then(|token| state.tokens.get(token).item);
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
    Named { key, item, token, lot, tier, believed }
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
    if let (Some(contract), Some(id)) = (state.contracts.find(&event.token_contract), event.token) {
        let token = state.tokens.enter((contract, id), || Token::seen(position, event.block_time_secs));
        named.token = Some(token);
    }
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
        actor: actor.and_then(|address| state.holders.find(&address)),
        actor_party: actor.and_then(|a| setting.registry.party_of(state.chain, a, event.judged_at_secs())),
        verdict,
    }
}

fn judge(state: &ChainState, setting: &Setting<'_>, event: &Event, named: &Named) -> Option<Verdict> {
    let item = named.item.filter(|_| named.believed && event.kind.is_step())?;
    let scene = scene_of(state, setting, event, named, None);
    Some(machine::judge(&scene, item))
}

fn judged(state: &ChainState, event: &Event, named: &Named, verdict: Option<&Verdict>) -> Judged {
    let parent_contract = state.contracts.find(&event.parent_contract.unwrap_or(event.token_contract));
    let parent_token = parent_contract.zip(event.parent).and_then(|key| state.tokens.find(&key));
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

/// What happens to tokens, whatever custody says: the owner on the chain always follows the chain.
fn take_fact(state: &mut ChainState, event: &Event, named: &Named, rows: &mut Rows) {
    if !named.believed {
        return;
    }
    let moves = match event.kind {
        EventKind::Transfer => true,
        EventKind::Commissioning | EventKind::Accepting | EventKind::Decommissioning => {
            event.from.is_some() && event.to.is_some()
        }
        _ => false,
    };
    if moves {
        take_transfer(state, event, rows);
    }
    let reason = event.reason.unwrap_or(Reason::Unspecified);
    let leaves =
        event.kind == EventKind::Decommissioning && matches!(reason, Reason::Migrated | Reason::Bridged);
    if let (true, Some(token)) = (leaves, named.token) {
        state.tokens.change(token, |entry| {
            entry.burnt_block = entry.burnt_block.or(Some(event.position.block));
            entry.updated = event.position;
        });
        if let Some(item) = named.item {
            timers::stop(state, rules::ID_01, SubjectKey::Item(item));
        }
    }
}

fn take_transfer(state: &mut ChainState, event: &Event, rows: &mut Rows) {
    let (Some(contract), Some(id)) = (state.contracts.find(&event.token_contract), event.token) else {
        return;
    };
    let (position, secs) = (event.position, event.block_time_secs);
    let token = state.tokens.enter((contract, id), || Token::seen(position, secs));
    let old = *state.tokens.get(token);
    let owner = event.to.filter(|to| *to != Address::ZERO).and_then(|to| state.holders.find(&to));
    if owner == old.owner && owner.is_some() {
        return;
    }
    state.tokens.change(token, |entry| {
        entry.owner = owner;
        entry.owned_from = position;
        entry.owned_from_secs = secs;
        entry.updated = position;
        if event.from == Some(Address::ZERO) {
            entry.minted_block = entry.minted_block.or(Some(position.block));
            entry.burnt_block = None;
        }
        if owner.is_none() {
            entry.burnt_block = Some(position.block);
        }
    });
    if let Some(item) = old.item {
        if owner.is_none() {
            // A second token of the item was waiting for this one to end.
            timers::stop(state, rules::ID_01, SubjectKey::Item(item));
        }
        // The item's row shows the owner: it is written again.
        state.items.change(item, |_| {});
        rows.owner_ends(state, item, token, &old, event);
        rows.owner_begins(state, item, token);
    }
}

/// Takes a step into the item's stories.
fn take_step(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
    bind_token(state, event, item, rows);
    let commissioned = event.kind == EventKind::Commissioning && verdict.illegal.is_none();
    let (maker, secs) = (verdict.next.possessor, event.judged_at_secs());
    let again = verdict.illegal == Some(machine::Illegal::DispensedAgain);
    state.items.change(item, |entry| {
        entry.steps = entry.steps.saturating_add(1);
        entry.repeats = if again { entry.repeats.saturating_add(1) } else { entry.repeats };
        if commissioned {
            entry.maker = maker;
            entry.commissioned_secs = Some(secs);
        }
    });
    match verdict.illegal {
        None => follow(state, event, item, verdict, rows),
        Some(_) => branch_off(state, event, item, verdict, rows),
    }
    settle_late_shipping(state, event, item, rows);
}

/// Makes the event's token an alias of the item.
fn bind_token(state: &mut ChainState, event: &Event, item: ItemId, rows: &mut Rows) {
    let Some(token) = token_of(state, event) else { return };
    let entry = *state.tokens.get(token);
    let commissioned = (event.kind == EventKind::Commissioning).then_some(event.position);
    if entry.item == Some(item) && commissioned.is_none() {
        return;
    }
    state.tokens.change(token, |entry| {
        if entry.item.is_some_and(|before| before != item) {
            entry.owned_from = event.position;
            entry.owned_from_secs = event.block_time_secs;
        }
        entry.item = Some(item);
        entry.commissioned = entry.commissioned.or(commissioned);
        entry.updated = event.position;
    });
    if entry.item != Some(item) {
        if let Some(before) = entry.item {
            rows.owner_ends(state, before, token, &entry, event);
            state.items.change(before, |_| {});
        }
        rows.owner_begins(state, item, token);
    }
    match state.items.get(item).token {
        None => state.items.change(item, |entry| entry.token = Some(token)),
        Some(first) if first != token => state.aliases.set((item, token), Some(())),
        Some(_) => {}
    }
}

fn place_of(state: &ChainState, event: &Event) -> Option<u32> {
    event.place.and_then(|place| state.places.find(&place))
}

/// A legal step: the story goes on.
fn follow(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
    let old = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = place_of(state, event).or(next.place);
    change_story(state, (item, verdict.branch), Some(&old), next, event, rows);
}

/// Sets a story, with the open shipment and packing that go with it.
fn change_story(
    state: &mut ChainState,
    (item, branch): (ItemId, u32),
    old: Option<&Story>,
    next: Story,
    event: &Event,
    rows: &mut Rows,
) {
    rows.story_changed(state, (item, branch), old, &next, event);
    state.set_story(item, branch, next);
    let (position, secs) = (event.position, event.judged_at_secs());
    let moved = next.last == position;
    if next.state.is_moving() && moved {
        let shipment = next.possessor.map(|consignor| Shipment {
            consignor,
            consignee: next.consignee,
            shipped: position,
            shipped_secs: secs,
        });
        state.shipments.set((item, branch), shipment);
    } else if !next.state.is_moving() && old.is_some_and(|old| old.state.is_moving()) {
        state.shipments.set((item, branch), None);
    }
    if branch == 0 && old.and_then(|old| old.parent) != next.parent {
        let packing = next.parent.map(|parent| Packing { parent, packed: position, packed_secs: secs });
        state.packings.set(item, packing);
    }
}

/// An illegal step: the actor's story becomes a branch, unless it only repeats the one that it contradicts.
fn branch_off(state: &mut ChainState, event: &Event, item: ItemId, verdict: &Verdict, rows: &mut Rows) {
    let against = state.story(item, verdict.branch);
    let mut next = verdict.next;
    next.place = place_of(state, event);
    let tells_nothing_new =
        (against.state, against.possessor, against.consignee) == (next.state, next.possessor, next.consignee);
    if tells_nothing_new {
        return;
    }
    let last = state.branch_numbers(item).last().unwrap_or(0);
    let branch = (last + 1).min(BRANCHES_MAX);
    let old = (branch == last).then(|| state.story(item, branch));
    if old.is_none() {
        state.items.change(item, |entry| entry.branches += 1);
    }
    change_story(state, (item, branch), old.as_ref(), next, event, rows);
}

/// A shipping that comes after its receiving: the receiver's branch was the story all along.
fn settle_late_shipping(state: &mut ChainState, event: &Event, item: ItemId, rows: &mut Rows) {
    let subject = SubjectKey::Item(item);
    let waits = state.pending.get(&(subject, rules::SQ_01.to_owned())).is_some();
    let story = state.items.get(item).story;
    if !waits || story.state != State::InTransit || story.last != event.position {
        return;
    }
    let told = |branch: &u32| {
        let other = state.story(item, *branch);
        *branch > 0 && other.possessor == story.consignee && other.held_from_secs >= event.judged_at_secs()
    };
    let Some(branch) = state.branch_numbers(item).find(told) else { return };
    let received = state.story(item, branch);
    rows.branch_ends(state, item, branch, &received, event);
    state.branches.set((item, branch), None);
    state.items.change(item, |entry| entry.branches = entry.branches.saturating_sub(1));
    change_story(state, (item, 0), Some(&story), received, event, rows);
    timers::stop(state, rules::SQ_01, subject);
}

/// Raises what the rules reported.
fn report(state: &mut ChainState, event: &Event, named: &Named, reported: Vec<Reported>) {
    let cause = Cause {
        position: event.position,
        tx_hash: event.tx_hash,
        raised_at_secs: event.block_time_secs,
        deadline_secs: None,
        rests_on: event.position.block,
    };
    for reported in reported {
        match reported {
            Reported::Now(mut finding) => {
                finding.item = finding.item.or(named.item);
                raise(state, &finding, &cause);
            }
            Reported::Escalating { finding, grace_secs, severity } => {
                let (rule, subject) = (finding.rule.clone(), finding.subject);
                let due = Due::Escalate(raise(state, &finding, &cause).case, severity);
                timers::start(
                    state,
                    &rule,
                    subject,
                    event.block_time_secs.saturating_add(grace_secs),
                    Timer { due, cause },
                );
            }
            Reported::Waiting { finding, grace_secs } => {
                let (rule, subject) = (finding.rule.clone(), finding.subject);
                let due = Due::Raise(Box::new(finding));
                timers::start(
                    state,
                    &rule,
                    subject,
                    event.block_time_secs.saturating_add(grace_secs),
                    Timer { due, cause },
                );
            }
            Reported::Worse(case, severity) => cases::escalate(state, case, severity, &cause),
        }
    }
}

fn raise(state: &mut ChainState, finding: &cases::Finding, cause: &Cause) -> cases::Raised {
    let raised = cases::raise(state, finding, cause);
    let tally = match (finding.subject, finding.accused_holder) {
        (SubjectKey::Party(holder), _) => Some((TallyKey::Actor(holder), true)),
        (SubjectKey::Contract(contract), _) => Some((TallyKey::Contract(contract), true)),
        (SubjectKey::Item(_) | SubjectKey::Lot(_), Some(holder)) => Some((TallyKey::Actor(holder), false)),
        (SubjectKey::Item(_) | SubjectKey::Lot(_), None) => None,
    };
    match tally {
        Some((key, true)) => quota::gather(state, key, raised.root, cause),
        Some((key, false)) if raised.opened => storm::count_root(state, key, raised.root, cause),
        Some((_, false)) | None => {}
    }
    raised
}

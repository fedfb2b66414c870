//! The custody state machine: which step may follow which, by whom, and on which branch of an item's story.
//!
//! [`judge`] tries every branch. A step that fits one belongs to it and is legal. A step that fits none is illegal:
//! the verdict names why, and tells the story that the actor claims, which becomes a branch of its own.

use crate::numbers::Numbers;
use crate::scene::Scene;
use crate::state::{ChainState, HolderId, State, Story, TokenId};
use model::chain::LogPosition;
use model::event::{Event, EventKind, Reason};
use model::registry::Role;

/// What the state machine says of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The branch that it belongs to; for an illegal step, the one that it contradicts.
    pub branch: u32,
    /// Why it is illegal; `None` when it is legal.
    pub illegal: Option<Illegal>,
    /// A mandatory step that was left out before it.
    pub skipped: Option<EventKind>,
    /// The story after it: of `branch` when legal, else what the actor claims.
    pub next: Story,
}

/// Why a step is illegal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Illegal {
    /// Commissioned while it is in circulation.
    CommissionedAgain,
    /// Commissioned after its identifier was withdrawn or it was destroyed.
    CommissionedAfterEnd,
    /// By someone who neither has it nor acts for the one who has.
    NotHolder,
    /// By someone who does not have the parent that it is inside of.
    NotParentsHolder,
    /// Received with no sending to the receiver.
    NotShipped,
    /// Received by someone else than it was sent to.
    WrongReceiver(HolderId),
    /// Dispensed after it was dispensed.
    DispensedAgain,
    /// After it was destroyed.
    AfterDestroying,
    /// After its identifier was withdrawn.
    AfterInactive,
    /// The state does not allow it.
    Impossible,
}

/// Judges a step of a known item.
pub fn judge(scene: &Scene<'_>, item: u32) -> Verdict {
    let mut refused: Option<(u32, Illegal)> = None;
    for branch in scene.state.branch_numbers(item) {
        let story = scene.state.story(item, branch);
        match attempt(scene, story) {
            Ok((next, skipped)) => return Verdict { branch, illegal: None, skipped, next },
            Err(illegal) => {
                // The branch whose holder acts says why; else the story with provenance.
                let by_its_holder = !matches!(illegal, Illegal::NotHolder | Illegal::NotParentsHolder);
                if refused.is_none_or(|(_, why)| {
                    by_its_holder && matches!(why, Illegal::NotHolder | Illegal::NotParentsHolder)
                }) {
                    refused = Some((branch, illegal));
                }
            }
        }
    }
    let (branch, illegal) = refused.unwrap_or((0, Illegal::Impossible));
    Verdict { branch, illegal: Some(illegal), skipped: None, next: claimed(scene) }
}

/// The story that begins with the first step seen of an item: its commissioning, or, where the history before is
/// not on this contract, whatever comes first.
pub fn first(scene: &Scene<'_>) -> Verdict {
    Verdict { branch: 0, illegal: None, skipped: None, next: claimed(scene) }
}

type Attempt = Result<(Story, Option<EventKind>), Illegal>;

fn attempt(scene: &Scene<'_>, story: Story) -> Attempt {
    if story.state == State::Unknown {
        return Ok((claimed(scene), None));
    }
    let kind = scene.event.kind;
    after_end(scene, &story)?;
    match kind {
        // An announced successor gives the item a new token; its story goes on.
        EventKind::Commissioning if moves_here(scene) => Ok((touched(scene, story), None)),
        EventKind::Commissioning => Err(Illegal::CommissionedAgain),
        EventKind::Shipping | EventKind::Returning => send(scene, story),
        EventKind::Receiving => receive(scene, story),
        EventKind::Accepting => accept(scene, story),
        EventKind::VoidShipping => void_shipping(scene, story),
        EventKind::Packing => pack(scene, story),
        EventKind::Unpacking => unpack(scene, story),
        EventKind::Dispensing => dispense(scene, story, State::Dispensed),
        EventKind::PartialDispensing => dispense(scene, story, State::PartiallyDispensed),
        EventKind::Decommissioning => end(scene, story),
        EventKind::Destroying => end(scene, story),
        EventKind::Exporting => end(scene, story),
        EventKind::Reactivating => reactivate(scene, story),
        _ => Ok((touched(scene, story), None)),
    }
}

/// Was a migration or bridge between a contract that the item has a token of and this one announced?
fn moves_here(scene: &Scene<'_>) -> bool {
    let Some(item) = scene.item else { return false };
    let to = (scene.state.chain, scene.event.token_contract);
    scene.state.tokens_of(item).any(|token| {
        let from = (scene.state.chain, *scene.state.contracts.key(scene.state.tokens.key(token).0));
        from != to && scene.registry.announced(from, to, scene.at_secs()).is_some()
    })
}

/// What an ended story still allows.
fn after_end(scene: &Scene<'_>, story: &Story) -> Result<(), Illegal> {
    let kind = scene.event.kind;
    let moves_nothing = matches!(
        kind,
        EventKind::Quarantining
            | EventKind::Inspecting
            | EventKind::TheftReported
            | EventKind::TheftWithdrawn
            | EventKind::Locking
            | EventKind::Unlocking
            | EventKind::Recalling
            | EventKind::RecallLifted
    );
    match story.state {
        State::Destroyed if kind == EventKind::Commissioning => Err(Illegal::CommissionedAfterEnd),
        // Only corrections of what was said of it may follow.
        State::Destroyed if matches!(kind, EventKind::TheftWithdrawn | EventKind::RecallLifted) => Ok(()),
        State::Destroyed => Err(Illegal::AfterDestroying),
        State::Inactive(_) if kind == EventKind::Commissioning => Err(Illegal::CommissionedAfterEnd),
        State::Inactive(reason) => match kind {
            EventKind::Reactivating | EventKind::Destroying | EventKind::Decommissioning => Ok(()),
            EventKind::Shipping | EventKind::Returning if scene.is_return_path() => Ok(()),
            EventKind::Shipping | EventKind::Exporting if reason == Reason::Exported => Ok(()),
            _ if moves_nothing => Ok(()),
            _ => Err(Illegal::AfterInactive),
        },
        State::Dispensed => match kind {
            EventKind::Commissioning => Err(Illegal::Impossible),
            EventKind::Dispensing | EventKind::PartialDispensing => Err(Illegal::DispensedAgain),
            EventKind::Reactivating | EventKind::Destroying | EventKind::Decommissioning => Ok(()),
            EventKind::Shipping | EventKind::Returning if scene.is_return_path() => Ok(()),
            _ if moves_nothing => Ok(()),
            _ => Err(Illegal::Impossible),
        },
        State::Unknown
        | State::Active
        | State::InTransit
        | State::Returning
        | State::Packed
        | State::PartiallyDispensed => Ok(()),
    }
}

/// The outermost story around `story`: where a packed item is, and who has it.
fn outermost(scene: &Scene<'_>, story: Story) -> Story {
    scene.state.outermost(&story).map_or(story, |item| scene.state.items.get(item).story)
}

/// Checks that the actor has the item or acts for the one who has it, through whatever it is inside of.
fn held(scene: &Scene<'_>, story: Story) -> Result<Story, Illegal> {
    let around = outermost(scene, story);
    let by_owner = || {
        let owner = scene.item.and_then(|item| scene.state.owner_of(item));
        story.parent.is_none() && owner.is_some_and(|owner| scene.stands_for(scene.actor_address(), owner))
    };
    let by_possessor =
        around.possessor.is_none_or(|possessor| scene.stands_for(scene.actor_address(), possessor));
    match (by_possessor || by_owner(), story.parent) {
        (true, _) => Ok(around),
        (false, Some(_)) => Err(Illegal::NotParentsHolder),
        (false, None) => Err(Illegal::NotHolder),
    }
}

fn at(scene: &Scene<'_>) -> (LogPosition, i64) {
    (scene.event.position, scene.at_secs())
}

/// The story after a step that moves nothing.
fn touched(scene: &Scene<'_>, story: Story) -> Story {
    let (last, last_secs) = at(scene);
    Story { last, last_secs, ..story }
}

/// The story after the item came into the hands of `possessor`.
fn taken(scene: &Scene<'_>, story: Story, state: State, possessor: Option<HolderId>) -> Story {
    let (last, last_secs) = at(scene);
    let moved = possessor != story.possessor;
    Story {
        state,
        possessor,
        consignee: None,
        parent: None,
        held_from: if moved { last } else { story.held_from },
        held_from_secs: if moved { last_secs } else { story.held_from_secs },
        last,
        last_secs,
        place: story.place,
        declared_apart: story.declared_apart,
    }
}

fn sending_state(event: &Event) -> State {
    if event.kind == EventKind::Returning { State::Returning } else { State::InTransit }
}

fn send(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = held(scene, story)?;
    if around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    let mut next = taken(scene, story, sending_state(scene.event), around.possessor);
    next.consignee = scene.numbers.to;
    Ok((next, None))
}

fn receive(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = outermost(scene, story);
    let receiver = scene.actor_address();
    let arrived = || (taken(scene, story, State::Active, scene.numbers.actor), None);
    match (around.state.is_moving(), around.consignee) {
        (true, None) => Ok(arrived()),
        (true, Some(consignee)) if scene.stands_for(receiver, consignee) => {
            let possessor = if story.parent.is_some() { scene.numbers.actor } else { Some(consignee) };
            Ok((taken(scene, story, State::Active, possessor), None))
        }
        (true, Some(consignee)) => Err(Illegal::WrongReceiver(consignee)),
        // Receiving what one already has confirms it.
        (false, _) if around.possessor.is_some_and(|has| scene.stands_for(receiver, has)) => {
            Ok((touched(scene, story), None))
        }
        (false, _) if story.parent.is_some() => Err(Illegal::NotParentsHolder),
        (false, _) => Err(Illegal::NotShipped),
    }
}

fn accept(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = held(scene, story)?;
    if around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    Ok((taken(scene, story, State::Active, scene.numbers.to), None))
}

fn void_shipping(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = held(scene, story)?;
    if !around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    Ok((taken(scene, story, State::Active, around.possessor), None))
}

fn pack(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = held(scene, story)?;
    if around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    let mut next = taken(scene, story, State::Packed, around.possessor);
    next.parent = parent_of(scene);
    Ok((next, None))
}

/// The item that the event names as parent, where it is known.
pub fn parent_of(scene: &Scene<'_>) -> Option<u32> {
    let token = parent_token(scene.state, scene.event, &scene.numbers)?;
    scene.state.tokens.get(token).item
}

/// The token that the event names as parent, where it is known.
pub fn parent_token(state: &ChainState, event: &Event, numbers: &Numbers) -> Option<TokenId> {
    let id = event.parent?;
    let contract = match event.parent_contract {
        Some(contract) => state.contracts.find(&contract),
        None => numbers.contract,
    };
    state.find_token(contract?, id)
}

fn unpack(scene: &Scene<'_>, story: Story) -> Attempt {
    let around = held(scene, story)?;
    if story.parent.is_none() {
        // Taken out by a step before, which unpacked it without saying so.
        return Ok((touched(scene, story), None));
    }
    if around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    Ok((taken(scene, story, State::Active, around.possessor), None))
}

fn dispense(scene: &Scene<'_>, story: Story, state: State) -> Attempt {
    let around = outermost(scene, story);
    if let (true, Some(consignee)) = (around.state.is_moving(), around.consignee)
        && scene.stands_for(scene.actor_address(), consignee)
    {
        let next = taken(scene, story, state, scene.numbers.actor);
        return Ok((next, Some(EventKind::Receiving)));
    }
    let around = held(scene, story)?;
    if around.state.is_moving() {
        return Err(Illegal::Impossible);
    }
    Ok((taken(scene, story, state, around.possessor), None))
}

/// Decommissioning, destroying, exporting: by the holder, the product's owner or an authority.
fn end(scene: &Scene<'_>, story: Story) -> Attempt {
    let by_authority = scene.actor_party.is_some_and(|party| party.role == Role::Authority);
    let owner = scene.gtin().and_then(|gtin| scene.registry.product(gtin, scene.at_secs())).map(|p| p.owner);
    let by_owner = scene.actor_party.is_some_and(|party| owner == Some(party.gln));
    let possessor = match held(scene, story) {
        Ok(around) => around.possessor,
        Err(_) if by_authority || by_owner => outermost(scene, story).possessor,
        Err(illegal) => return Err(illegal),
    };
    let event = scene.event;
    let reason = event.reason.unwrap_or(Reason::Unspecified);
    let state = match event.kind {
        EventKind::Destroying => State::Destroyed,
        EventKind::Exporting => State::Inactive(Reason::Exported),
        // The token ends, the pack lives on under its other token.
        _ if matches!(reason, Reason::Migrated | Reason::Bridged) => {
            return Ok((touched(scene, story), None));
        }
        _ => State::Inactive(reason),
    };
    Ok((taken(scene, story, state, possessor), None))
}

fn reactivate(scene: &Scene<'_>, story: Story) -> Attempt {
    held(scene, story)?;
    match story.state {
        State::Inactive(_) | State::Dispensed => {
            Ok((taken(scene, story, State::Active, story.possessor), None))
        }
        _ => Err(Illegal::Impossible),
    }
}

/// The story as the actor tells it: what a branch begins with.
fn claimed(scene: &Scene<'_>) -> Story {
    let event = scene.event;
    let (position, secs) = at(scene);
    let actor = scene.numbers.actor;
    let receiver = scene.numbers.to;
    let begin = |state, possessor| Story::begin(state, possessor, position, secs);
    match event.kind {
        EventKind::Commissioning => begin(State::Active, receiver.or(actor)),
        EventKind::Shipping | EventKind::Returning => {
            Story { consignee: receiver, ..begin(sending_state(event), actor) }
        }
        EventKind::Accepting => begin(State::Active, receiver.or(actor)),
        EventKind::Packing => {
            let parent = parent_of(scene);
            Story { parent, ..begin(if parent.is_some() { State::Packed } else { State::Active }, actor) }
        }
        EventKind::Dispensing => begin(State::Dispensed, actor),
        EventKind::PartialDispensing => begin(State::PartiallyDispensed, actor),
        EventKind::Destroying => begin(State::Destroyed, actor),
        EventKind::Decommissioning => {
            begin(State::Inactive(event.reason.unwrap_or(Reason::Unspecified)), actor)
        }
        EventKind::Exporting => begin(State::Inactive(Reason::Exported), actor),
        _ => begin(State::Active, actor),
    }
}

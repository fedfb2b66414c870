//! Looks at steps of the past twice: as the registry had them judged, and as it has them judged now.

use super::{Late, found};
use crate::cases::{self, Cause, Finding};
use crate::explain::{self, By};
use crate::numbers::Numbers;
use crate::registry::Index;
use crate::rules::{self, Reported, Rule};
use crate::scene::{self, Scene};
use crate::state::ChainState;
use crate::storm;
use crate::timers::{self, Due, Timer};
use model::event::Event;
use model::item::ItemKey;
use model::past::PastStep;
use model::registry::Tier;

/// Judges the steps again, in the order of the chain.
pub(super) fn judge(state: &mut ChainState, late: &Late<'_>, steps: &[PastStep]) {
    let rules: Vec<&dyn Rule> = rules::of_the_past(late.parameters).collect();
    for step in steps {
        let event = event(step);
        for rule in rules.iter().filter(|rule| rule.past_kinds().contains(&step.kind)) {
            let look = |registry| {
                let scene = scene(state, (registry, late), step, &event);
                rules::look_with(*rule, &scene, late.parameters)
            };
            let (before, now) = (look(late.old), look(late.new));
            if let Some(change) = change(before, now) {
                settle(state, late, step, change);
            }
        }
    }
}

/// What a version of the registry does to a finding.
enum Change {
    /// It shows it.
    Raise(Reported),
    /// It no longer shows it.
    Close(Finding),
    /// It shows it as better or worse.
    Regrade(Finding),
}

fn change(before: Option<Reported>, now: Option<Reported>) -> Option<Change> {
    match (before.and_then(finding), now) {
        (None, Some(now)) => Some(Change::Raise(now)),
        (Some(before), None) => Some(Change::Close(before)),
        (Some(before), Some(now)) => {
            let now = finding(now)?;
            (now.severity != before.severity).then_some(Change::Regrade(now))
        }
        (None, None) => None,
    }
}

fn finding(reported: Reported) -> Option<Finding> {
    match reported {
        Reported::Now(finding) | Reported::Escalating { finding, .. } | Reported::Waiting { finding, .. } => {
            Some(finding)
        }
        Reported::Worse(..) => None,
    }
}

fn settle(state: &mut ChainState, late: &Late<'_>, step: &PastStep, change: Change) {
    let (Change::Close(of) | Change::Regrade(of)) = &change else {
        if let Change::Raise(reported) = change {
            raise(state, late, step, reported);
        }
        return;
    };
    let case = found::standing(state, (&of.rule, of.subject), (step.position, step.tx_hash));
    match (change, case) {
        (Change::Close(_), Some(case)) => explain::explain_case(state, case, By::Registry(late.block)),
        (Change::Regrade(finding), Some(case)) => {
            cases::regrade(state, case, &finding, &cause(state, late, step));
        }
        _ => {}
    }
}

fn cause(state: &ChainState, late: &Late<'_>, step: &PastStep) -> Cause {
    Cause {
        position: step.position,
        tx_hash: step.tx_hash,
        raised_at_secs: step.block_time_secs,
        deadline_secs: None,
        rests_on: late.block,
        contract: state.contracts.find(&step.contract),
        // What it was inside of then is not remembered.
        container: None,
        known_in: Some(late.block),
    }
}

fn raise(state: &mut ChainState, late: &Late<'_>, step: &PastStep, reported: Reported) {
    let cause = cause(state, late, step);
    let (mut finding, worse) = match reported {
        Reported::Now(finding) => (finding, None),
        Reported::Escalating { finding, grace_secs, severity } => (finding, Some((grace_secs, severity))),
        Reported::Waiting { .. } | Reported::Worse(..) => return,
    };
    finding.item = finding.item.or_else(|| state.items.find(step.item.as_ref()?));
    let place = (step.position, step.tx_hash);
    if found::standing(state, (&finding.rule, finding.subject), place).is_some() {
        return;
    }
    let Some((case, (grace_secs, severity))) = storm::raise(state, &finding, &cause).zip(worse) else {
        return;
    };
    let deadline_secs = cause.raised_at_secs.saturating_add(grace_secs);
    if deadline_secs < state.now_secs {
        cases::escalate(state, case, severity, &cause);
    } else {
        let timer = Timer { due: Due::Escalate(case, severity), cause };
        timers::start(state, &finding.rule, finding.subject, deadline_secs, timer);
    }
}

fn event(step: &PastStep) -> Event {
    Event {
        tx_hash: step.tx_hash,
        block_time_secs: step.block_time_secs,
        event_time_secs: step.event_time_secs,
        token_contract: step.token_contract,
        from: step.from,
        to: step.to,
        actor: step.actor,
        ..Event::bare(step.kind, step.contract, step.position)
    }
}

fn scene<'a>(
    state: &'a ChainState,
    (registry, late): (&'a Index, &Late<'a>),
    step: &'a PastStep,
    event: &'a Event,
) -> Scene<'a> {
    let actor = scene::acting(event);
    let unnamed = matches!(step.item, Some(ItemKey::Token(_)));
    let own_token = unnamed && late.profiles.watches(state.chain, step.token_contract);
    Scene {
        state,
        registry,
        event,
        tier: step.tier,
        believed: step.tier > Tier::Unknown || own_token,
        key: step.item.as_ref(),
        item: step.item.as_ref().and_then(|key| state.items.find(key)),
        lot: step.lot,
        numbers: Numbers::find(state, event),
        actor_party: actor
            .and_then(|address| registry.party_of(state.chain, address, event.judged_at_secs())),
        verdict: None,
        units: None,
    }
}

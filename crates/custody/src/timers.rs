//! Timers: findings that wait for an explanation, and cases that grow worse when none comes.
//!
//! A timer is due at a block time. It fires before the first event past its deadline, or at the end of the segment
//! that passes it, and is stamped with the deadline, so that it makes no difference how blocks were cut into segments.

use crate::cases::{self, Cause, Finding, SubjectKey};
use crate::state::ChainState;
use crate::storm;
use model::alert::{CaseKey, Severity};
use model::chain::LogPosition;
use serde::{Deserialize, Serialize};

/// Orders timers by when they are due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerKey {
    /// Block time at which it is due, Unix seconds.
    pub deadline_secs: i64,
    /// The event that started it.
    pub position: LogPosition,
    /// Code of its rule.
    pub rule: String,
    /// What it is about.
    pub subject: SubjectKey,
}

/// What happens when a timer is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// The finding is raised.
    Raise(Box<Finding>),
    /// The case becomes worse.
    Escalate(CaseKey, Severity),
}

/// A running timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// What happens.
    pub due: Due,
    /// What started it.
    pub cause: Cause,
}

/// Starts a timer of `rule` about `subject`; one that runs already for both goes on instead.
pub fn start(state: &mut ChainState, rule: &str, subject: SubjectKey, deadline_secs: i64, timer: Timer) {
    let slot = (subject, rule.to_owned());
    if state.pending.get(&slot).is_some() {
        return;
    }
    let key = TimerKey { deadline_secs, position: timer.cause.position, rule: rule.to_owned(), subject };
    state.timers.set(key.clone(), Some(timer));
    state.pending.set(slot, Some(key));
}

/// Stops the timer of `rule` about `subject`: what it waited for came.
pub fn stop(state: &mut ChainState, rule: &str, subject: SubjectKey) {
    let slot = (subject, rule.to_owned());
    if let Some(key) = state.pending.get(&slot).cloned() {
        state.timers.set(key, None);
        state.pending.set(slot, None);
    }
}

/// Fires what is due before `now_secs`. `block` is the block whose time passed the deadlines.
pub fn fire(state: &mut ChainState, now_secs: i64, block: u64) {
    while let Some((key, timer)) = state.timers.first() {
        if key.deadline_secs >= now_secs {
            break;
        }
        let (key, timer) = (key.clone(), timer.clone());
        stop(state, &key.rule, key.subject);
        let deadline = key.deadline_secs;
        let cause =
            Cause { raised_at_secs: deadline, deadline_secs: Some(deadline), rests_on: block, ..timer.cause };
        match timer.due {
            Due::Raise(finding) => {
                storm::raise(state, &finding, &cause);
            }
            Due::Escalate(case, severity) => {
                if let Some(case) = cases::told_under(state, case, &key.rule) {
                    cases::escalate(state, case, severity, &cause);
                }
            }
        }
    }
}

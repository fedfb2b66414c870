//! The rules: one file each, one code each. Adding one takes its file and its name in [`rules!`] below.
//!
//! A rule is a pure function of a [`Scene`]: the state before the event, the event, the registry, what the state
//! machine says. It reports findings; what becomes of them (episodes, roots, storms) is not its business.

mod parameters;

pub use parameters::{ParameterError, Parameters};

use crate::cases::{Cause, Finding, SubjectKey};
use crate::scene::Scene;
use model::alert::{CaseKey, RuleCode, Severity};
use model::event::EventKind;
use std::fmt;

/// A rule's index card: what people read of it, and what its findings carry.
#[derive(Debug)]
pub struct Card {
    /// Its code.
    pub code: RuleCode,
    /// Counts its versions.
    pub version: u32,
    /// Its name.
    pub title: &'static str,
    /// Its class in the order of precedence; 0 is highest.
    pub rank: u8,
    /// How bad, in words, where regimes differ.
    pub severity: &'static str,
    /// What raises it.
    pub trigger: &'static str,
    /// What looks like it and is innocent.
    pub innocent: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Its parameters: name, default, meaning with unit.
    pub parameters: &'static [(&'static str, i64, &'static str)],
}

/// One rule.
pub trait Rule: Sync + Send + fmt::Debug {
    /// Its index card.
    fn card(&self) -> &'static Card;

    /// Looks at one event and reports what it finds.
    fn look(&self, scene: &Scene<'_>, report: &mut Report<'_>);

    /// The kinds of steps that it can look at again when the registry is told later what held then: it asks of the
    /// state nothing that a later step changes. None for a rule of the story, which [`crate::rejudge`] settles.
    fn past_kinds(&self) -> &'static [EventKind] {
        &[]
    }
}

/// What comes of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// It is an alert now.
    Now(Finding),
    /// It is an alert now, and worse if nothing explains it in time.
    Escalating {
        /// The alert.
        finding: Finding,
        /// How long an explanation may take, seconds of block time.
        grace_secs: i64,
        /// How bad it is then.
        severity: Severity,
    },
    /// It is an alert if nothing explains it in time.
    Waiting {
        /// The alert.
        finding: Finding,
        /// How long an explanation may take, seconds of block time.
        grace_secs: i64,
    },
    /// An alert that stands becomes worse.
    Worse(CaseKey, Severity),
}

/// Where a rule reports.
#[derive(Debug)]
pub struct Report<'a> {
    card: &'static Card,
    parameters: &'a Parameters,
    reported: &'a mut Vec<Reported>,
}

impl Report<'_> {
    /// A parameter of the rule: as configured, else its default.
    pub fn parameter(&self, name: &str) -> i64 {
        self.parameters.get(self.card, name)
    }

    /// An empty finding about `subject`.
    pub fn finding(&self, severity: Severity, subject: SubjectKey) -> Finding {
        Finding {
            parameters: self.parameters.describe(self.card),
            ..Finding::new(self.card, severity, subject)
        }
    }

    /// Reports.
    pub fn push(&mut self, reported: Reported) {
        self.reported.push(reported);
    }
}

/// Lets every rule look at `scene`, highest class first.
pub fn look(scene: &Scene<'_>, parameters: &Parameters) -> Vec<Reported> {
    let mut reported = Vec::new();
    for rule in ALL {
        let card = rule.card();
        if parameters.is_on(card) {
            rule.look(scene, &mut Report { card, parameters, reported: &mut reported });
        }
    }
    reported
}

/// Lets one rule look at `scene`: its first finding.
pub(crate) fn look_with(rule: &dyn Rule, scene: &Scene<'_>, parameters: &Parameters) -> Option<Reported> {
    let (mut reported, card) = (Vec::new(), rule.card());
    rule.look(scene, &mut Report { card, parameters, reported: &mut reported });
    reported.into_iter().next()
}

/// Rules that look at the past again, highest class first.
pub(crate) fn of_the_past(parameters: &Parameters) -> impl Iterator<Item = &'static dyn Rule> {
    let on = |rule: &&&dyn Rule| !rule.past_kinds().is_empty() && parameters.is_on(rule.card());
    ALL.iter().filter(on).copied()
}

/// The rule of that code, as the text that lives as long as the program.
pub fn code_of(code: &str) -> &'static str {
    ALL.iter()
        .map(|rule| rule.card().code.0)
        .chain([crate::storm::CARD.code.0])
        .find(|known| *known == code)
        .unwrap_or("")
}

macro_rules! rules {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+

        /// Every rule, in the order of precedence.
        pub static ALL: &[&dyn Rule] = &[$(&$file::Rule),+];
    };
}

rules!(
    ct_01, sp_01, mi_01, mi_03, mi_05, st_04, sq_03, ag_01, st_01, st_03, st_05, pt_01, id_01, sq_01, sq_04,
);

pub(crate) use ct_01::CODE as CT_01;
pub(crate) use id_01::{CARD as ID_01_CARD, CODE as ID_01};
pub(crate) use mi_01::may_mint;
pub(crate) use sp_01::counted;

/// Rules whose findings say that a step did not fit the story so far: a later upload may show that it did.
const OF_THE_STORY: &[&str] = &["SQ-01", "SQ-03", "SQ-04", "AG-01"];

/// May an event that comes later explain this finding? A clone only where it waited for the other half of an announced
/// migration.
pub(crate) fn may_be_explained(rule: &str, cause: &Cause) -> bool {
    OF_THE_STORY.contains(&rule) || (rule == ID_01 && cause.deadline_secs.is_some())
}
pub(crate) use sq_01::CODE as SQ_01;

/// How many events an hour a stranger has.
pub(crate) fn quota(parameters: &Parameters) -> i64 {
    parameters.get(&sp_01::CARD, "quota")
}

/// Classes of rules in the order of precedence: a finding of a lower number takes over the root of a higher one.
/// Source: catalogue of rules, "Episodes, precedence, storms".
pub mod rank {
    #![allow(missing_docs, reason = "the names are the codes of the rules of each class")]
    pub const SY: u8 = 0;
    pub const CT_01_SP_01: u8 = 1;
    pub const MI: u8 = 2;
    pub const ST_04: u8 = 5;
    pub const SQ_03: u8 = 7;
    pub const AG_01: u8 = 8;
    pub const ST_01_02_03: u8 = 9;
    pub const PT_01: u8 = 10;
    pub const REST: u8 = 13;
}

/// The subject of most findings: the item, where it is known.
fn item_subject(scene: &Scene<'_>) -> Option<SubjectKey> {
    scene.item.map(SubjectKey::Item)
}

/// Names the actor as the accused.
fn accuse_actor(scene: &Scene<'_>, finding: &mut Finding) {
    finding.accused = scene.actor_address().map(|address| scene.name_of(address));
    finding.accused_holder = scene.numbers.actor;
}

/// The actor in words.
fn actor(scene: &Scene<'_>) -> String {
    scene.actor_address().map_or_else(|| "nobody named".to_owned(), |address| scene.describe(address))
}

/// A day's number as a date.
fn date(day: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch
        .checked_add(jiff::Span::new().days(i64::from(day)))
        .map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

/// Unix seconds as a time.
pub(crate) fn time(secs: i64) -> String {
    jiff::Timestamp::from_second(secs).map_or_else(|_| format!("second {secs}"), |time| time.to_string())
}

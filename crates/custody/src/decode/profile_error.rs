//! What is wrong in a contract profile: where, what, and what was probably meant.

use model::error::ErrorClass;
use std::fmt;
use std::ops::Range;

/// Why a contract profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("contract profile '{profile}', line {line}, column {column}: {problem}{}", Suggested(suggestion.as_deref()))]
pub struct ProfileError {
    /// Name of the profile.
    pub profile: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: Box<ProfileProblem>,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl ProfileError {
    /// What may be done about it: correct the file.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::BadData
    }

    /// An error about the bytes `span` of `text`.
    pub(super) fn at(profile: &str, text: &str, span: Range<usize>, problem: ProfileProblem) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            profile: profile.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            problem: Box::new(problem),
            suggestion: None,
        }
    }

    /// Adds the one of `known` that is nearest to `given`, where one is near.
    pub(super) fn suggest<'k>(mut self, given: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        self.suggestion = nearest(given, known).map(str::to_owned);
        self
    }
}

struct Suggested<'s>(Option<&'s str>);

impl fmt::Display for Suggested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(suggestion) => write!(f, "; did you mean '{suggestion}'?"),
            None => Ok(()),
        }
    }
}

/// The word of `known` that is nearest to `given`, unless all are far.
pub(super) fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |word: &str| strsim::jaro_winkler(given, word);
    let best = known.into_iter().map(|word| (likeness(word), word)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.75).map(|(_, word)| word)
}

/// What is wrong in a contract profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that nobody reads.
    #[error("unknown key '{0}'")]
    UnknownKey(String),
    /// A key that must be there.
    #[error("missing key '{0}'")]
    MissingKey(&'static str),
    /// A value of another type.
    #[error("'{key}' must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A word that is not on its list.
    #[error("'{key}' is '{given}', which is none of {known}")]
    UnknownWord {
        /// The key.
        key: String,
        /// What was given.
        given: String,
        /// The list.
        known: String,
    },
    /// A number that is out of its range.
    #[error("'{key}' is {given}: {why}")]
    BadNumber {
        /// The key.
        key: String,
        /// What was given.
        given: String,
        /// What is expected.
        why: String,
    },
    /// Not the signature of an event or function.
    #[error("bad signature '{signature}': {why}")]
    BadSignature {
        /// The signature.
        signature: String,
        /// Why.
        why: String,
    },
    /// The inline ABI is no ABI.
    #[error("bad abi: {0}")]
    BadAbi(String),
    /// The event has no such field.
    #[error("event {event} has no field '{field}'; it has {known}")]
    NoSuchField {
        /// The event.
        event: String,
        /// The field.
        field: String,
        /// The fields that it has.
        known: String,
    },
    /// The field is there but cannot be used so.
    #[error("'{key}' cannot be '{field}': {why}")]
    UnfitField {
        /// The key.
        key: String,
        /// The field.
        field: String,
        /// Why.
        why: String,
    },
    /// Two events with one first topic and one number of topics.
    #[error("event {0} is mapped twice: same first topic, same number of topics")]
    Duplicate(String),
    /// A table of values without values, or of a field that is not mapped.
    #[error("'{key}': {why}")]
    BadEnum {
        /// The key.
        key: String,
        /// Why.
        why: String,
    },
    /// A profile that reads nothing.
    #[error("the profile has no events: give a standard, or at least one [[event]]")]
    Empty,
    /// More than the bound.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
}

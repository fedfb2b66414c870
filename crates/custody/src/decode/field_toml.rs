//! Reads the fields of one `[[event]]`: finds them in the event, and checks that they can be what they are
//! mapped to.

use super::abi_type::Scalar;
use super::fields::Meanings;
use super::layout::described;
use super::profile_error::{ProfileError, ProfileProblem};
use super::shape::{PathError, Shape};
use super::source::Source;
use super::toml_section::{At, Section};

/// Most values with a meaning in one table.
const MAX_MEANINGS: usize = 256;

/// What a field is used as, and so which types it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldClass {
    /// An address.
    Address,
    /// The id of a token: a number, bytes, an address, or a text whose hash is the id.
    Id,
    /// A whole number, signed or not.
    Number,
    /// A whole number that is not negative.
    Quantity,
    /// A text.
    Text,
    /// A GS1 key or date: a text, bytes that hold a text, or a number.
    Key,
    /// A number, boolean or text with a table of meanings.
    Enum,
    /// Anything.
    Any,
}

impl FieldClass {
    fn takes(self, scalar: Scalar) -> bool {
        match self {
            Self::Address => scalar == Scalar::Address,
            Self::Id => !matches!(scalar, Scalar::Int(_) | Scalar::Bool),
            Self::Number => matches!(scalar, Scalar::Uint(_) | Scalar::Int(_)),
            Self::Quantity => matches!(scalar, Scalar::Uint(_)),
            Self::Text => matches!(scalar, Scalar::Text | Scalar::Bytes),
            Self::Key => {
                matches!(scalar, Scalar::Uint(_) | Scalar::FixedBytes(_) | Scalar::Bytes | Scalar::Text)
            }
            Self::Enum => matches!(scalar, Scalar::Uint(_) | Scalar::Bool | Scalar::Text),
            Self::Any => true,
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Address => "an address",
            Self::Id => "an id (uint, bytes, address or string)",
            Self::Number => "a whole number",
            Self::Quantity => "an unsigned number",
            Self::Text => "a string",
            Self::Key => "a string, bytes or an unsigned number",
            Self::Enum => "an enum (uint8), a bool or a string",
            Self::Any => "a value",
        }
    }
}

/// Reads fields of one section against the shape of its event.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldReader<'r, 't> {
    pub(super) section: &'r Section<'t>,
    pub(super) shape: &'r Shape,
}

impl FieldReader<'_, '_> {
    /// The field that `key` names, where the key is there.
    pub(super) fn field(&self, key: &str, class: FieldClass) -> Result<Option<Source>, ProfileError> {
        let field = self.section.text(key)?;
        field.map(|field| self.source(key, &field, class)).transpose()
    }

    /// The field `field` of the event, to be used as `key`.
    pub(super) fn source(
        &self,
        key: &str,
        field: &At<&str>,
        class: FieldClass,
    ) -> Result<Source, ProfileError> {
        let unfit = |why: String| {
            let problem = ProfileProblem::UnfitField { key: key.into(), field: field.value.into(), why };
            self.section.document.error(field.span.clone(), problem)
        };
        let source = self.shape.source(field.value).map_err(|error| match error {
            PathError::NoValue(why) => unfit(format!("it {why}")),
            PathError::Unknown(known) => {
                let problem = ProfileProblem::NoSuchField {
                    event: self.shape.name.to_string(),
                    field: field.value.into(),
                    known: if known.is_empty() { "none".into() } else { known.join(", ") },
                };
                let error = self.section.document.error(field.span.clone(), problem);
                error.suggest(field.value, known.iter().map(String::as_str))
            }
        })?;
        if class.takes(source.scalar) {
            Ok(source)
        } else {
            Err(unfit(format!("it is {}, and must be {}", described(source.scalar), class.described())))
        }
    }

    /// Refuses keys that mean nothing without the key `owner`.
    pub(super) fn refuse_without(&self, owner: &str, dependants: &[&str]) -> Result<(), ProfileError> {
        match dependants.iter().find(|key| self.section.has(key)) {
            None => Ok(()),
            Some(key) => {
                let why = format!("means nothing without the key '{owner}'");
                Err(self.section.error(ProfileProblem::BadEnum { key: (*key).to_owned(), why }))
            }
        }
    }

    /// The table `key` of `section`: what the values of `source` mean.
    pub(super) fn meanings<T: Copy>(
        &self,
        section: &Section<'_>,
        key: &str,
        source: &Source,
        known: &[(T, &str)],
    ) -> Result<Meanings<T>, ProfileError> {
        let bad = |why: &str| ProfileProblem::BadEnum { key: key.to_owned(), why: why.to_owned() };
        let given = section.meanings(key)?;
        if given.is_empty() {
            return Err(section.error(bad("no value has a meaning")));
        }
        if given.len() > MAX_MEANINGS {
            return Err(section.error(ProfileProblem::TooMany { what: "values", max: MAX_MEANINGS }));
        }
        let mut meanings = Meanings { numbers: Vec::new(), texts: Vec::new() };
        for meaning in given {
            let word = section.word_of(key, &meaning.word, known)?;
            if source.scalar == Scalar::Text {
                meanings.texts.push((meaning.value.value, word));
                continue;
            }
            let number = match meaning.value.value.as_str() {
                "false" => Some(0),
                "true" => Some(1),
                text => text.parse().ok(),
            };
            let number = number.ok_or_else(|| {
                let why = format!("'{}' is no value of {}", meaning.value.value, described(source.scalar));
                section.document.error(meaning.value.span.clone(), bad(&why))
            })?;
            meanings.numbers.push((number, word));
        }
        Ok(meanings)
    }
}

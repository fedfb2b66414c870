//! A table of a TOML text whose every error knows its line and column.

use super::profile_error::{ProfileError, ProfileProblem};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text with the name under which its errors are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'t> {
    pub(super) name: &'t str,
    pub(super) text: &'t str,
}

impl<'t> Document<'t> {
    /// Parses the text.
    ///
    /// # Errors
    /// Where it is not TOML.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'t>>, ProfileError> {
        DeTable::parse(self.text).map_err(|error| {
            self.error(
                error.span().unwrap_or(0..0),
                ProfileProblem::Syntax(error.message().trim_end().replace('\n', ", ")),
            )
        })
    }

    /// An error about the bytes `span`.
    pub(super) fn error(&self, span: Range<usize>, problem: ProfileProblem) -> ProfileError {
        ProfileError::at(self.name, self.text, span, problem)
    }
}

/// One table of a document.
#[derive(Debug, Clone)]
pub(super) struct Section<'t> {
    pub(super) document: Document<'t>,
    pub(super) span: Range<usize>,
    table: &'t DeTable<'t>,
}

/// A value with the bytes that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) span: Range<usize>,
    pub(super) value: T,
}

impl<'t> Section<'t> {
    /// The section of a parsed document or table.
    pub(super) fn new(document: Document<'t>, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        Self { document, span, table }
    }

    /// An error about the whole section.
    pub(super) fn error(&self, problem: ProfileProblem) -> ProfileError {
        self.document.error(self.span.clone(), problem)
    }

    /// Refuses keys that are not among `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ProfileError> {
        // The table is sorted by key; the error is about the first in the text.
        let strangers = self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        match strangers.min_by_key(|key| key.span().start) {
            None => Ok(()),
            Some(key) => {
                let problem = ProfileProblem::UnknownKey(key.get_ref().to_string());
                Err(self.document.error(key.span(), problem).suggest(key.get_ref(), known.iter().copied()))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    fn wrong_type(&self, key: &str, expected: &'static str, found: &Spanned<DeValue<'_>>) -> ProfileError {
        let problem =
            ProfileProblem::WrongType { key: key.to_owned(), expected, found: found.get_ref().type_str() };
        self.document.error(found.span(), problem)
    }

    /// Is the key there?
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<At<&'t str>>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        match found.get_ref().as_str() {
            Some(value) => Ok(Some(At { span: found.span(), value })),
            None => Err(self.wrong_type(key, "a string", found)),
        }
    }

    /// A text that must be there.
    pub(super) fn required_text(&self, key: &'static str) -> Result<At<&'t str>, ProfileError> {
        self.text(key)?.ok_or_else(|| self.error(ProfileProblem::MissingKey(key)))
    }

    /// True or false, false where it is not there.
    pub(super) fn flag(&self, key: &str) -> Result<bool, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(false) };
        found.get_ref().as_bool().ok_or_else(|| self.wrong_type(key, "true or false", found))
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &str) -> Result<Option<At<i64>>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        let integer = found.get_ref().as_integer();
        let value = integer.and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok());
        match value {
            Some(value) => Ok(Some(At { span: found.span(), value })),
            None => Err(self.wrong_type(key, "a whole number of 64 bits", found)),
        }
    }

    /// A whole number, or a text.
    pub(super) fn text_or_integer(&self, key: &str) -> Result<Option<At<String>>, ProfileError> {
        let is_integer = self.get(key).is_some_and(|found| found.get_ref().is_integer());
        if is_integer {
            let integer = self.integer(key)?;
            return Ok(integer.map(|At { span, value }| At { span, value: value.to_string() }));
        }
        Ok(self.text(key)?.map(|At { span, value }| At { span, value: value.to_owned() }))
    }

    /// A word of the list `known`.
    pub(super) fn word<T: Copy>(&self, key: &str, known: &[(T, &str)]) -> Result<Option<T>, ProfileError> {
        let Some(given) = self.text(key)? else { return Ok(None) };
        self.word_of(key, &given, known).map(Some)
    }

    /// `given` as a word of the list `known`.
    pub(super) fn word_of<T: Copy>(
        &self,
        key: &str,
        given: &At<&str>,
        known: &[(T, &str)],
    ) -> Result<T, ProfileError> {
        let found = known.iter().find(|(_, word)| *word == given.value);
        found.map(|(value, _)| *value).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(_, word)| *word).collect();
            let problem = ProfileProblem::UnknownWord {
                key: key.to_owned(),
                given: given.value.to_owned(),
                known: words.join(", "),
            };
            self.document.error(given.span.clone(), problem).suggest(given.value, words)
        })
    }

    /// A list of texts; one text is a list of one.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<At<&'t str>>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(Vec::new()) };
        if let Some(value) = found.get_ref().as_str() {
            return Ok(vec![At { span: found.span(), value }]);
        }
        let list =
            found.get_ref().as_array().ok_or_else(|| self.wrong_type(key, "a list of strings", found))?;
        let text = |entry: &'t Spanned<DeValue<'t>>| match entry.get_ref().as_str() {
            Some(value) => Ok(At { span: entry.span(), value }),
            None => Err(self.wrong_type(key, "a list of strings", entry)),
        };
        list.iter().map(text).collect()
    }

    /// A table.
    pub(super) fn section(&self, key: &str) -> Result<Option<Self>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(None) };
        let table = found.get_ref().as_table().ok_or_else(|| self.wrong_type(key, "a table", found))?;
        Ok(Some(Self::new(self.document, found.span(), table)))
    }

    /// A list of tables.
    pub(super) fn sections(&self, key: &str) -> Result<Vec<Self>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(Vec::new()) };
        let list =
            found.get_ref().as_array().ok_or_else(|| self.wrong_type(key, "a list of tables", found))?;
        let section = |entry: &'t Spanned<DeValue<'t>>| match entry.get_ref().as_table() {
            Some(table) => Ok(Self::new(self.document, entry.span(), table)),
            None => Err(self.wrong_type(key, "a list of tables", entry)),
        };
        list.iter().map(section).collect()
    }

    /// Values with their meaning: a table by value, or a list whose first entry is value 0. An empty meaning
    /// is none.
    pub(super) fn meanings(&self, key: &str) -> Result<Vec<Meaning<'t>>, ProfileError> {
        let Some(found) = self.get(key) else { return Ok(Vec::new()) };
        let mut meanings = Vec::new();
        if let Some(table) = found.get_ref().as_table() {
            for (value, meaning) in table {
                let text = meaning.get_ref().as_str();
                let text = text.ok_or_else(|| self.wrong_type(value.get_ref(), "a string", meaning))?;
                let value = At { span: value.span(), value: value.get_ref().to_string() };
                meanings.push(Meaning { value, word: At { span: meaning.span(), value: text } });
            }
        } else {
            for (index, word) in self.texts(key)?.into_iter().enumerate() {
                let value = At { span: word.span.clone(), value: index.to_string() };
                meanings.push(Meaning { value, word });
            }
        }
        meanings.retain(|meaning| !meaning.word.value.is_empty());
        Ok(meanings)
    }
}

/// One value of a field and the word for what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning<'t> {
    pub(super) value: At<String>,
    pub(super) word: At<&'t str>,
}

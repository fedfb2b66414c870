//! Named questions: the fraud queries that a regulator, a maker or an operator asks again and again.
//!
//! ```text
//! queries/NAME.sql ──header──▶ NamedQuery ──bind(arguments)──▶ Asked ──the one door──▶ Answer
//! ```
//!
//! Each is one file: a header that says who asks it and why, which parameters it takes and which columns it gives, and
//! one statement over the views. A value never becomes text of the statement: it is read as what its parameter says
//! and bound into the plan. The statement passes the guard like every other.

mod files;
mod header;
mod parameter;

pub use parameter::{Parameter, ParameterError, Type};

use crate::engine::Asked;
use crate::error::{Error, Result};
use datafusion::common::ScalarValue;
use serde::Serialize;
use std::sync::LazyLock;

/// Rows of an answer when nothing is said of them: what a person looks through.
const ROWS: &str = "1000";

/// The parameter that every query takes.
const LIMIT: &str = "limit";

/// One named question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedQuery {
    /// Its name, as in paths and on the command line.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub title: String,
    /// Who asks it.
    pub asks: String,
    /// Why.
    pub why: String,
    /// What it takes, `limit` among them.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub columns: Vec<NamedColumn>,
    /// The statement.
    pub sql: &'static str,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedColumn {
    /// Its name.
    pub name: String,
    /// What it means.
    pub doc: String,
}

static CATALOGUE: LazyLock<std::result::Result<Vec<NamedQuery>, String>> =
    LazyLock::new(|| files::FILES.iter().map(|(name, text)| header::parse(name, text)).collect());

/// Every query, in the order of names.
///
/// # Errors
/// [`Error::Catalogue`] when a header cannot be read, which a test of this crate makes impossible.
pub fn catalogue() -> Result<&'static [NamedQuery]> {
    CATALOGUE.as_deref().map_err(|error| Error::Catalogue(error.clone()))
}

/// The query of that name.
///
/// # Errors
/// [`Error::NoSuchQuery`], with the name that was meant where one is near.
pub fn find(name: &str) -> Result<&'static NamedQuery> {
    let all = catalogue()?;
    all.iter().find(|query| query.name == name).ok_or_else(|| {
        let names = all.iter().map(|query| query.name);
        Error::NoSuchQuery { name: name.chars().take(80).collect(), near: nearest(name, names) }
    })
}

/// A name that is spelt much like this one, as the end of a sentence.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|known| (strsim::jaro_winkler(name, known), known)).filter(|(near, _)| *near > 0.8);
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default()
}

impl NamedQuery {
    /// The statement with these values; what is left out, or empty, has its default.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub(crate) fn bind(&self, arguments: &[(String, String)], rows_max: u64) -> Result<Asked> {
        self.check_names(arguments)?;
        let mut values = Vec::with_capacity(self.parameters.len());
        let mut rows = rows_max;
        for parameter in &self.parameters {
            let given = arguments.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value);
            let value = parameter.value(given.map(String::as_str))?;
            if parameter.name == LIMIT {
                rows = rows.min(limit_of(&value));
                // One more, so that the answer knows whether there are more.
                let asked = i64::try_from(rows.saturating_add(1)).unwrap_or(i64::MAX);
                values.push((LIMIT.to_owned(), ScalarValue::Int64(Some(asked))));
            } else {
                values.push((parameter.name.clone(), value));
            }
        }
        Ok(Asked { sql: self.sql.to_owned(), values: Some(values), rows })
    }

    fn check_names(&self, arguments: &[(String, String)]) -> Result<()> {
        for (at, (name, _)) in arguments.iter().enumerate() {
            if !self.parameters.iter().any(|parameter| parameter.name == *name) {
                let known: Vec<&str> = self.parameters.iter().map(|known| known.name.as_str()).collect();
                let name = name.chars().take(80).collect();
                return Err(ParameterError::Unknown { name, known: known.join(", ") }.into());
            }
            if arguments.iter().take(at).any(|(before, _)| before == name) {
                return Err(ParameterError::Twice { name: name.clone() }.into());
            }
        }
        Ok(())
    }
}

fn limit_of(value: &ScalarValue) -> u64 {
    match value {
        ScalarValue::Int64(Some(limit)) => u64::try_from(*limit).unwrap_or_default(),
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests;

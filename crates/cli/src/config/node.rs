//! A configuration as a tree whose every value knows where it came from.
//!
//! The file is parsed into it, environment and flags are laid over it, and only then is it read: so that what is wrong
//! is shown at its place, whichever place that is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Bytes of the configuration file.
    File(Range<usize>),
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The value.
    pub(crate) value: Value,
    /// Where it came from.
    pub(crate) place: Place,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
    /// A kind that no key takes: a float, a date.
    Other(&'static str),
}

/// A table: each key with its own place.
pub(crate) type Table = BTreeMap<String, (Place, Node)>;

impl Value {
    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// What TOML cannot say, with its place: syntax, or a number beyond 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// What is wrong.
    pub(crate) message: String,
    /// Bytes of the file.
    pub(crate) span: Range<usize>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Parses a file; gives as much of it as can be read, and everything that cannot.
pub(crate) fn parse(text: &str) -> (Table, Vec<SyntaxError>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let end = text.len();
    let mut errors: Vec<SyntaxError> = errors
        .into_iter()
        .map(|error| SyntaxError {
            message: error.message().to_owned(),
            span: error.span().unwrap_or(end..end),
        })
        .collect();
    let table = table(root.get_ref(), &mut errors);
    (table, errors)
}

fn table(from: &DeTable<'_>, errors: &mut Vec<SyntaxError>) -> Table {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>),
                 errors: &mut Vec<SyntaxError>| {
        let key: &toml::Spanned<std::borrow::Cow<'_, str>> = key;
        (key.get_ref().to_string(), (Place::File(key.span()), node(value, errors)))
    };
    from.iter().map(|pair| entry(pair, errors)).collect()
}

fn node(from: &toml::Spanned<DeValue<'_>>, errors: &mut Vec<SyntaxError>) -> Node {
    let span = from.span();
    let value = match from.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) => Value::Integer(value),
            Err(error) => {
                errors.push(SyntaxError {
                    message: format!("not a number of 64 bits: {error}"),
                    span: span.clone(),
                });
                Value::Integer(0)
            }
        },
        DeValue::Array(list) => Value::List(list.iter().map(|item| node(item, errors)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, errors)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { value, place: Place::File(span) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let text = "a = 0x10\n[b]\nc = ['x', true]\n";
        let (table, errors) = parse(text);
        assert_eq!(errors, []);
        let (key, a) = &table["a"];
        assert_eq!((key, &a.value, &a.place), (&Place::File(0..1), &Value::Integer(16), &Place::File(4..8)));
        let Value::Table(b) = &table["b"].1.value else { panic!() };
        let Value::List(c) = &b["c"].1.value else { panic!() };
        assert_eq!((&c[0].value, &c[1].value), (&Value::Text("x".into()), &Value::Boolean(true)));
        assert_eq!(c[1].place, Place::File(text.find("true").map(|at| at..at + 4).unwrap()));
    }

    #[test]
    fn every_syntax_error_is_told_with_its_place() {
        let (_, errors) = parse("a = \nb = 'x\nc = 99999999999999999999\n");
        assert!(errors.len() >= 2, "{errors:?}");
        assert!(errors.iter().any(|error| error.span.start == 4), "{errors:?}");
    }
}

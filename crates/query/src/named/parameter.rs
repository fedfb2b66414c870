//! What a named question takes: values with a type, read from text and bound into a plan as what they are.

use arrow_cast::parse::Parser as _;
use datafusion::arrow::datatypes::TimestampSecondType;
use datafusion::common::ScalarValue;
use model::Address;
use model::gs1::Gtin;
use model::item::ItemKey;
use serde::Serialize;
use std::str::FromStr;

/// The longest text that a value may be: a key of an item has less than half of it.
const TEXT_CHARS: usize = 256;

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Any text up to 256 characters.
    Text,
    /// A whole number from 0.
    Integer,
    /// RFC 3339, or a day, which is its first second in UTC.
    Time,
    /// A GTIN of 8, 12, 13 or 14 digits; all 14 are bound.
    Gtin,
    /// An address in lower case, or in the checksum form of EIP-55.
    Address,
    /// The key of an item.
    Item,
}

impl Type {
    /// Every type.
    const ALL: [Self; 6] = [Self::Text, Self::Integer, Self::Time, Self::Gtin, Self::Address, Self::Item];

    /// The word in headers and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Time => "time",
            Self::Gtin => "gtin",
            Self::Address => "address",
            Self::Item => "item",
        }
    }

    /// A text as a value of this type, or why it is none.
    fn read(self, text: &str) -> Result<ScalarValue, String> {
        if text.chars().count() > TEXT_CHARS {
            return Err(format!("a value has at most {TEXT_CHARS} characters"));
        }
        match self {
            Self::Text => Ok(ScalarValue::from(text)),
            Self::Integer => integer(text),
            Self::Time => time(text),
            Self::Gtin => match text.parse::<Gtin>() {
                Ok(gtin) => Ok(ScalarValue::from(gtin.to_string())),
                Err(error) => Err(error.to_string()),
            },
            Self::Address => address(text),
            Self::Item => match text.parse::<ItemKey>() {
                Ok(item) => Ok(ScalarValue::from(item.to_string())),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// No value, of this type.
    fn none(self) -> ScalarValue {
        match self {
            Self::Integer => ScalarValue::Int64(None),
            Self::Time => ScalarValue::TimestampSecond(None, Some("UTC".into())),
            Self::Text | Self::Gtin | Self::Address | Self::Item => ScalarValue::Utf8(None),
        }
    }
}

impl FromStr for Type {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is none of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

fn integer(text: &str) -> Result<ScalarValue, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<i64>().ok().filter(|_| is_number);
    number
        .map(|number| ScalarValue::Int64(Some(number)))
        .ok_or_else(|| format!("'{text}' is no whole number from 0 to {}", i64::MAX))
}

fn time(text: &str) -> Result<ScalarValue, String> {
    match TimestampSecondType::parse(text) {
        Some(secs) => Ok(ScalarValue::TimestampSecond(Some(secs), Some("UTC".into()))),
        None => Err(format!("'{text}' is no time: 2026-11-23T10:00:00Z or 2026-11-23 is expected")),
    }
}

/// An address of one case carries no check; one of both cases is in the checksum form, and must fit it.
fn address(text: &str) -> Result<ScalarValue, String> {
    let wrong = || format!("'{text}' is no address: 0x and 40 hexadecimal digits are expected");
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    let address = text.parse::<Address>().map_err(|_| wrong())?;
    let has = |is: fn(&u8) -> bool| digits.bytes().any(|byte| is(&byte));
    if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && address.to_string() != text {
        return Err(format!("'{text}' does not fit its checksum (EIP-55): is a digit wrong?"));
    }
    Ok(ScalarValue::from(format!("0x{}", hex::encode(address))))
}

/// One parameter of a named question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be.
    #[serde(rename = "type")]
    pub of: Type,
    /// Must it be given?
    pub required: bool,
    /// What it is when left out; `None` with `required = false` asks without it.
    pub default: Option<String>,
    /// What it means.
    pub doc: String,
}

impl Parameter {
    /// The value that is bound for `given`.
    pub(super) fn value(&self, given: Option<&str>) -> Result<ScalarValue, ParameterError> {
        let given = given.filter(|given| !given.is_empty()).or(self.default.as_deref());
        match given {
            Some(text) => {
                self.of.read(text).map_err(|why| ParameterError::Value { name: self.name.clone(), why })
            }
            None if self.required => {
                let (name, of, doc) = (self.name.clone(), self.of.as_str(), self.doc.clone());
                Err(ParameterError::Missing { name, of, doc })
            }
            None => Ok(self.of.none()),
        }
    }
}

/// Why a named question cannot be asked so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// It must be given.
    #[error("the parameter {name} ({of}) is missing: {doc}")]
    Missing {
        /// Its name.
        name: String,
        /// Its type.
        of: &'static str,
        /// Its meaning.
        doc: String,
    },
    /// The query has no such parameter.
    #[error("there is no parameter '{name}'; this query takes {known}")]
    Unknown {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// It was given more than once.
    #[error("the parameter {name} is given twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// The text is no value of its type.
    #[error("the parameter {name}: {why}")]
    Value {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

//! Parameters of the rules: defaults on their cards, changes from the configuration.

use super::{ALL, Card};
use std::collections::BTreeMap;

/// What the configuration says of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    values: BTreeMap<(&'static str, &'static str), i64>,
    off: Vec<&'static str>,
}

/// A parameter that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// No rule of that code.
    #[error("there is no rule '{code}'")]
    Rule {
        /// The code.
        code: String,
        /// Codes that exist.
        known: Vec<&'static str>,
    },
    /// The rule has no such parameter.
    #[error("rule {code} has no parameter '{name}'")]
    Name {
        /// The code.
        code: String,
        /// The name.
        name: String,
        /// Names that exist.
        known: Vec<&'static str>,
    },
    /// The value is below zero.
    #[error("{name} of rule {code} is {value}: it cannot be below 0")]
    Value {
        /// The code.
        code: String,
        /// The name.
        name: String,
        /// The value.
        value: i64,
    },
}

fn card_of(code: &str) -> Result<&'static Card, ParameterError> {
    let cards = || ALL.iter().map(|rule| rule.card());
    let unknown =
        || ParameterError::Rule { code: code.to_owned(), known: cards().map(|card| card.code.0).collect() };
    cards().find(|card| card.code.0 == code).ok_or_else(unknown)
}

impl Parameters {
    /// Sets a parameter.
    ///
    /// # Errors
    /// When there is no such rule or parameter, or the value is below zero.
    pub fn set(&mut self, code: &str, name: &str, value: i64) -> Result<(), ParameterError> {
        let card = card_of(code)?;
        let known = || card.parameters.iter().map(|(name, ..)| *name);
        let unknown = || ParameterError::Name {
            code: code.to_owned(),
            name: name.to_owned(),
            known: known().collect(),
        };
        let name = known().find(|known| *known == name).ok_or_else(unknown)?;
        if value < 0 {
            return Err(ParameterError::Value { code: code.to_owned(), name: name.to_owned(), value });
        }
        self.values.insert((card.code.0, name), value);
        Ok(())
    }

    /// Switches a rule off.
    ///
    /// # Errors
    /// When there is no such rule.
    pub fn switch_off(&mut self, code: &str) -> Result<(), ParameterError> {
        self.off.push(card_of(code)?.code.0);
        Ok(())
    }

    /// Does the rule run?
    pub fn is_on(&self, card: &Card) -> bool {
        !self.off.contains(&card.code.0)
    }

    /// A parameter of a rule: as configured, else its default.
    pub fn get(&self, card: &Card, name: &str) -> i64 {
        let default =
            || card.parameters.iter().find(|(known, ..)| *known == name).map_or(0, |(_, value, _)| *value);
        let key = (card.code.0, name);
        self.values
            .iter()
            .find(|((code, name), _)| (*code, *name) == key)
            .map_or_else(default, |(_, value)| *value)
    }

    /// All parameters of a rule as `name=value`, sorted by name.
    pub fn describe(&self, card: &Card) -> String {
        let mut parts: Vec<_> =
            card.parameters.iter().map(|(name, ..)| format!("{name}={}", self.get(card, name))).collect();
        parts.sort_unstable();
        parts.join(" ")
    }
}

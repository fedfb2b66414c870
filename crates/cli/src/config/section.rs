//! Reads a table key by key; what was not asked for is unknown.

use super::diagnostic::Findings;
use super::node::{Node, Place, Table, Value};
use std::cell::RefCell;
use std::path::PathBuf;
use std::str::FromStr;

/// How near a word must be to be suggested: `adress` is 0.97 to `address`, `foo` 0 to anything.
const NEAR: f64 = 0.75;

/// One table of the configuration while it is read.
pub(crate) struct Section<'a> {
    /// Its name as the file has it: `chains.ethereum`; empty for the file itself.
    name: String,
    table: &'a Table,
    place: &'a Place,
    findings: &'a Findings,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// Begins to read a table.
    pub(crate) fn new(
        name: impl Into<String>,
        table: &'a Table,
        place: &'a Place,
        findings: &'a Findings,
    ) -> Self {
        Self { name: name.into(), table, place, findings, asked: RefCell::default() }
    }

    /// Where the table stands.
    pub(crate) fn place(&self) -> &'a Place {
        self.place
    }

    /// Where faults are noted.
    pub(crate) fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key);
        self.table.get(key).map(|(_, node)| node)
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &'static str, example: &str) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} has no {key}", self.shown());
            self.findings.note(
                "config::missing-key",
                self.place,
                message,
                Some(format!("for example {key} = {example}")),
            );
        }
        found
    }

    /// A text.
    pub(crate) fn text(&self, key: &'static str) -> Option<(&'a str, &'a Place)> {
        let node = self.get(key)?;
        self.as_text(key, node)
    }

    /// A text that must be there.
    pub(crate) fn need_text(&self, key: &'static str, example: &str) -> Option<(&'a str, &'a Place)> {
        let node = self.need(key, example)?;
        self.as_text(key, node)
    }

    /// A text of its own type.
    pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, key: &'static str) -> Option<T> {
        let (text, place) = self.text(key)?;
        self.parse(key, text, place)
    }

    /// A whole number within bounds.
    pub(crate) fn number(&self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let node = self.get(key)?;
        let Value::Integer(number) = node.value else {
            self.wrong(key, node, "a whole number");
            return None;
        };
        match u64::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let message = format!("{key} is {number}, it must be from {least} to {most}");
                self.findings.note("config::out-of-bounds", &node.place, message, None);
                None
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::List(list) = &node.value else {
            self.wrong(key, node, "a list of texts");
            return Vec::new();
        };
        list.iter().filter_map(|node| Some(self.as_text(key, node)?.0.to_owned())).collect()
    }

    /// Yes or no.
    pub(crate) fn boolean(&self, key: &'static str) -> Option<bool> {
        let node = self.get(key)?;
        let Value::Boolean(value) = node.value else {
            self.wrong(key, node, "true or false");
            return None;
        };
        Some(value)
    }

    /// A path; one that is not absolute begins at `base`.
    pub(crate) fn path(&self, key: &'static str, base: &std::path::Path) -> Option<PathBuf> {
        let (text, _) = self.text(key)?;
        Some(base.join(text))
    }

    /// A table within.
    pub(crate) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let node = self.get(key)?;
        self.as_section(key, node)
    }

    /// The tables within a table of tables, by name.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<(&'a str, Section<'a>)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::Table(table) = &node.value else {
            self.wrong(key, node, "a table of tables");
            return Vec::new();
        };
        let inner = |(name, (place, node)): (&'a String, &'a (Place, Node))| {
            let full = format!("{key}.{name}");
            match &node.value {
                Value::Table(table) => Some((name.as_str(), Section::new(full, table, place, self.findings))),
                _ => {
                    self.wrong(&full, node, "a table");
                    None
                }
            }
        };
        table.iter().filter_map(inner).collect()
    }

    /// The tables of a list.
    pub(crate) fn list(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::List(list) = &node.value else {
            self.wrong(key, node, &format!("a list of tables: [[{key}]]"));
            return Vec::new();
        };
        list.iter().filter_map(|node| self.as_section(key, node)).collect()
    }

    /// A value as the type that its text has.
    pub(crate) fn parse<T: FromStr<Err: std::fmt::Display>>(
        &self,
        key: &str,
        text: &str,
        place: &Place,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.findings.note("config::bad-value", place, format!("{key}: {error}"), None);
                None
            }
        }
    }

    /// A value as text.
    pub(crate) fn as_text(&self, key: &str, node: &'a Node) -> Option<(&'a str, &'a Place)> {
        match &node.value {
            Value::Text(text) => Some((text, &node.place)),
            _ => {
                self.wrong(key, node, "text");
                None
            }
        }
    }

    /// A value as a table.
    pub(crate) fn as_section(&self, key: &str, node: &'a Node) -> Option<Section<'a>> {
        match &node.value {
            Value::Table(table) => Some(Section::new(self.full(key), table, &node.place, self.findings)),
            _ => {
                self.wrong(key, node, "a table");
                None
            }
        }
    }

    /// Notes that a value is of another kind.
    pub(crate) fn wrong(&self, key: &str, node: &Node, expected: &str) {
        let message = format!("{key} must be {expected}, not {}", node.value.kind());
        self.findings.note("config::wrong-type", &node.place, message, None);
    }

    /// Ends the reading: keys that were not asked for are unknown.
    pub(crate) fn finish(self) {
        let known = self.asked.borrow();
        for (key, (place, _)) in self.table.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let message = format!("{} has no key '{key}'", self.shown());
            let help = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("its keys are {}", known.join(", ")),
            };
            self.findings.note("config::unknown-key", place, message, Some(help));
        }
    }

    fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn shown(&self) -> String {
        if self.name.is_empty() { "the configuration".to_owned() } else { format!("[{}]", self.name) }
    }
}

/// The word that was probably meant.
pub(crate) fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let likeness = |word: &str| strsim::jaro_winkler(given, word);
    let best = known.into_iter().map(|word| (likeness(word), word)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > NEAR).map(|(_, word)| word)
}

//! `[rules.CODE]`: parameters of rules, and which are off.

use super::node::Value;
use super::section::{Section, nearest};
use custody::rules::{ALL, Card};
use std::collections::BTreeMap;

/// What the configuration says of the rules.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) parameters: BTreeMap<(String, String), i64>,
    pub(super) off: Vec<String>,
}

/// Reads one rule's table into `rules`.
pub(super) fn read(code: &str, section: Section<'_>, rules: &mut Rules) {
    let findings = section.findings();
    let Some(card) = ALL.iter().map(|rule| rule.card()).find(|card| card.code.0.eq_ignore_ascii_case(code))
    else {
        let codes = || ALL.iter().map(|rule| rule.card().code.0);
        let help = match nearest(&code.to_uppercase(), codes()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("rules are {}", codes().collect::<Vec<_>>().join(", ")),
        };
        findings.note(
            "config::unknown-rule",
            section.place(),
            format!("there is no rule '{code}'"),
            Some(help),
        );
        return;
    };
    if section.boolean("enabled") == Some(false) {
        rules.off.push(card.code.0.to_owned());
    }
    for (name, ..) in card.parameters {
        read_parameter(card, name, &section, rules);
    }
    section.finish();
}

fn read_parameter(card: &Card, name: &'static str, section: &Section<'_>, rules: &mut Rules) {
    let Some(node) = section.get(name) else { return };
    match node.value {
        Value::Integer(value @ 0..) => {
            rules.parameters.insert((card.code.0.to_owned(), name.to_owned()), value);
        }
        Value::Integer(value) => {
            let message = format!("{name} is {value}, it cannot be below 0");
            section.findings().note("config::out-of-bounds", &node.place, message, None);
        }
        _ => section.wrong(name, node, "a whole number"),
    }
}

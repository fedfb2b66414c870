//! `rules`: the catalogue of what is flagged.

use crate::args::Rules;
use crate::config::section_nearest;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{entry, print};
use custody::rules::{ALL, Card};
use serde_json::json;

/// Writes the catalogue, or one rule of it.
pub(super) fn execute(args: &Rules) -> Result<Exit> {
    let mut cards: Vec<&Card> = ALL.iter().map(|rule| rule.card()).collect();
    cards.sort_by_key(|card| card.code);
    if let Some(code) = &args.code {
        let known: Vec<&str> = cards.iter().map(|card| card.code.0).collect();
        cards.retain(|card| card.code.0.eq_ignore_ascii_case(code));
        if cards.is_empty() {
            let near = section_nearest(&code.to_uppercase(), known);
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(Error::Request(format!("there is no rule '{code}'{near}")));
        }
    }
    let text = if args.json {
        as_json(&cards)
    } else {
        cards.iter().map(|card| as_text(card)).collect::<Vec<_>>().join("\n")
    };
    print(&text)?;
    Ok(Exit::Ok)
}

fn as_text(card: &Card) -> String {
    let mut out = format!("{}  {} (version {})\n", card.code, card.title, card.version);
    for (name, text) in [
        ("severity", card.severity),
        ("raised by", card.trigger),
        ("innocent", card.innocent),
        ("source", card.source),
    ] {
        entry(&mut out, name, text);
    }
    for (name, default, meaning) in card.parameters {
        entry(&mut out, "parameter", &format!("{name} = {default}: {meaning}"));
    }
    out
}

fn as_json(cards: &[&Card]) -> String {
    let card = |card: &&Card| {
        let parameter = |(name, default, meaning): &(&str, i64, &str)| json!({"name": name, "default": default, "meaning": meaning});
        json!({
            "code": card.code.0, "version": card.version, "title": card.title, "severity": card.severity,
            "trigger": card.trigger, "innocent": card.innocent, "source": card.source,
            "parameters": card.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    };
    let list: Vec<_> = cards.iter().map(card).collect();
    format!("{:#}\n", serde_json::Value::from(list))
}

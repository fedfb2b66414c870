//! `rules`: the catalogue of what is flagged.

use crate::args::Rules;
use crate::config::section_nearest;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::print;
use custody::rules::{ALL, Card};
use serde_json::json;
use std::fmt::Write as _;

/// Width of the text beside a card's words.
const WIDTH: usize = 96;

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
        push(&mut out, name, text);
    }
    for (name, default, meaning) in card.parameters {
        push(&mut out, "parameter", &format!("{name} = {default}: {meaning}"));
    }
    out
}

/// A word and a text beside it, wrapped.
fn push(out: &mut String, name: &str, text: &str) {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().filter(|line| line.is_empty() || line.len() + 1 + word.len() <= WIDTH);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let head = if at == 0 { name } else { "" };
        // Writing to a text cannot fail.
        writeln!(out, "  {head:<10} {line}").ok();
    }
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

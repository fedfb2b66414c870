//! `pedigree`: one item's story for a person.

use crate::args::{Common, Pedigree as Args};
use crate::door::Door;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{painted, print, printable, tell};
use query::cases::Alert;
use query::pedigree::{Entry, ItemRow, Pedigree};
use std::fmt::Write as _;
use std::io::stdout;

/// Tells the story of an item.
pub(super) async fn execute(common: &Common, args: &Args) -> Result<Exit> {
    let told = Door::open(common, &args.data).await?.pedigree(&args.item).await?;
    if args.json {
        let text = serde_json::to_string_pretty(&told).map_err(|error| Error::Internal(error.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&as_text(&told, common.color.is_on(&stdout())))?;
    }
    tell(&told.snapshot.to_string());
    if told.is_empty() {
        tell(&format!("nothing is known of {}", told.item));
        return Ok(Exit::Findings);
    }
    Ok(Exit::Ok)
}

/// The story as text.
fn as_text(told: &Pedigree, colours: bool) -> String {
    let mut out = format!("{}\n", painted(&told.item, "1", colours));
    for item in &told.now {
        now(&mut out, item);
    }
    for token in &told.tokens {
        let owner = token.owner.as_deref().unwrap_or("nobody: it is burnt");
        let (standard, contract, id) = (&token.standard, &token.contract, &token.token_id);
        writeln!(out, "  token   eip155:{}/{standard}:{contract}/{id}, owner {owner}", token.chain).ok();
    }
    if !told.entries.is_empty() {
        out.push('\n');
    }
    for entry in &told.entries {
        step(&mut out, entry, colours);
    }
    if !told.other_alerts.is_empty() {
        out.push_str("\n  raised elsewhere:\n");
        told.other_alerts.iter().for_each(|alert| flagged(&mut out, alert, colours));
    }
    if told.truncated {
        out.push_str("\n  … there is more: ask the tables events and alerts\n");
    }
    out
}

fn now(out: &mut String, item: &ItemRow) {
    let mut parts = vec![format!("chain {}: {}", item.chain, item.state)];
    let mut tell = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{name} {}", printable(value)));
        }
    };
    tell("held by", &item.possessor);
    tell("on the way to", &item.consignee);
    tell("inside", &item.parent);
    tell("lot", &item.lot);
    tell("expires", &item.expiry);
    if item.branches > 1 {
        parts.push(format!("{} contradicting stories", item.branches));
    }
    parts.push(item.finality.clone());
    writeln!(out, "  now     {}", parts.join(", ")).ok();
}

fn step(out: &mut String, entry: &Entry, colours: bool) {
    let event = &entry.event;
    let time = event.event_time.as_deref().unwrap_or(&event.block_time);
    let illegal = if event.legal { "" } else { "  ILLEGAL" };
    let branch = if event.branch > 0 { format!("  story {}", event.branch) } else { String::new() };
    let unsettled = if event.finality == "final" { "" } else { "  provisional" };
    let place = format!("{}:{}/{}", event.chain, event.block_number, event.log_index);
    let line = format!("{time}  {:<20} {place}{branch}{illegal}{unsettled}", event.kind);
    writeln!(out, "  {}", if event.legal { line } else { painted(&line, "31", colours) }).ok();
    let mut details = Vec::new();
    let mut tell = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            details.push(format!("{name} {}", printable(value)));
        }
    };
    tell("by", &event.actor);
    tell("from", &event.from_address);
    tell("to", &event.to_address);
    tell("into", &event.parent);
    tell("at", &event.place);
    tell("because", &event.reason);
    tell("quantity", &event.quantity);
    tell("carried by", &entry.inside);
    if !details.is_empty() {
        writeln!(out, "      {}", details.join("  ")).ok();
    }
    entry.alerts.iter().for_each(|alert| flagged(out, alert, colours));
}

fn flagged(out: &mut String, alert: &Alert, colours: bool) {
    let head = format!("! {} {}", alert.severity, alert.rule);
    let standing =
        if alert.standing == "standing" { String::new() } else { format!(" ({})", alert.standing) };
    let (expected, came) = (printable(&alert.expected), printable(&alert.came));
    writeln!(out, "    {}{standing}: expected {expected}; came {came}", painted(&head, "1;31", colours)).ok();
}

#[cfg(test)]
mod tests;

//! `[[contracts]]`: which contracts are watched, and how their logs are read.

use super::chains::Chain;
use super::diagnostic::Finding;
use super::node::{Node, Place, Value};
use super::section::{Section, nearest};
use crate::deployment::{Contract, Profile, Who};
use alloy_dyn_abi::Specifier as _;
use alloy_json_abi::Event;
use alloy_primitives::Address;
use custody::decode::profile::{ContractProfile, builtin, builtin_names};
use ingest::filter::{AddressPlace, Factory};
use miette::NamedSource;
use std::path::Path;
use std::sync::Arc;

/// Reads one contract.
pub(super) fn read(section: Section<'_>, chains: &[(&str, Option<Chain>)], base: &Path) -> Option<Contract> {
    let name = section.need_text("name", "\"packs\"").map(|(name, _)| name.to_owned());
    let chain = chain(&section, chains);
    let who = who(&section);
    let profile = profile(&section, base);
    let from_block = section.number("from_block", 0, u64::MAX).unwrap_or(0);
    section.finish();
    Some(Contract { name: name?, chain: chain?, who: who?, profile: profile?, from_block })
}

fn chain(section: &Section<'_>, chains: &[(&str, Option<Chain>)]) -> Option<model::chain::ChainId> {
    let (name, place) = section.need_text("chain", "\"ethereum\"")?;
    if let Some((_, chain)) = chains.iter().find(|(known, _)| *known == name) {
        // A chain that is wrong itself is told of at its own place.
        return chain.as_ref().map(|chain| chain.ingest.id);
    }
    let known = chains.iter().map(|(name, _)| *name);
    let help = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("chains are {}", known.collect::<Vec<_>>().join(", ")),
    };
    section.findings().note(
        "config::unknown-chain",
        place,
        format!("there is no [chains.{name}]"),
        Some(help),
    );
    None
}

fn who(section: &Section<'_>) -> Option<Who> {
    let (address, factory, any) = (section.get("address"), section.get("factory"), section.get("any"));
    match (address, factory, any) {
        (Some(_), None, None) => section.parsed::<Address>("address").map(Who::Address),
        (None, Some(node), None) => read_factory(section, node).map(Who::Factory),
        (None, None, Some(node)) => match section.boolean("any") {
            Some(true) => Some(Who::Any),
            Some(false) => {
                section.findings().note("config::bad-value", &node.place, "any is true or left out", None);
                None
            }
            None => None,
        },
        _ => {
            let message = "a contract has one of address, factory and any";
            let help = "address = \"0x…\" for one contract, factory = { address = \"0x…\", event = \"…\", field = \"…\" } for those \
                        that it makes, any = true for whoever logs the profile's events";
            section.findings().note("config::contract", section.place(), message, Some(help.to_owned()));
            None
        }
    }
}

fn read_factory(section: &Section<'_>, node: &Node) -> Option<Factory> {
    let Value::Table(table) = &node.value else {
        section.wrong("factory", node, "a table with address, event and field");
        return None;
    };
    let inner = Section::new("contracts.factory", table, &node.place, section.findings());
    inner.need("address", "\"0x…\"");
    let address = inner.parsed::<Address>("address");
    let event = inner.need_text("event", "\"Created(address indexed made)\"");
    let field = inner.need_text("field", "\"made\"");
    inner.finish();
    let ((signature, event_place), (field, field_place)) = (event?, field?);
    let event = match parse_event(signature) {
        Ok(event) => event,
        Err(message) => {
            section.findings().note("config::bad-value", event_place, format!("event: {message}"), None);
            return None;
        }
    };
    match address_place(&event, field) {
        Ok(place) => Some(Factory { address: address?, topic: event.selector(), place }),
        Err(message) => {
            section.findings().note("config::bad-value", field_place, message, None);
            None
        }
    }
}

/// An event whose every type is one.
fn parse_event(signature: &str) -> Result<Event, String> {
    let event = Event::parse(signature).map_err(|error| error.to_string())?;
    for input in &event.inputs {
        input.resolve().map_err(|error| format!("'{}' is no type: {error}", input.ty))?;
    }
    Ok(event)
}

/// Where a field of type address stands in a log of the event.
fn address_place(event: &Event, field: &str) -> Result<AddressPlace, String> {
    let (mut topic, mut word) = (1_u8, 0_u16);
    for input in &event.inputs {
        if input.name == field {
            if input.ty != "address" {
                return Err(format!("'{field}' is of type {}, a contract is named by an address", input.ty));
            }
            return Ok(if input.indexed { AddressPlace::Topic(topic) } else { AddressPlace::Data(word) });
        }
        if input.indexed {
            topic += 1;
        } else if input.components.is_empty() && !input.ty.ends_with(']') {
            word += 1;
        } else {
            return Err(format!("'{field}' stands after {}, whose width is not one word", input.ty));
        }
    }
    Err(format!("the event has no field '{field}'"))
}

fn profile(section: &Section<'_>, base: &Path) -> Option<Profile> {
    let (name, place) = section.need_text("profile", "\"gs1-pack\"")?;
    if let Some(found) = builtin(name) {
        return Some(Profile { name: name.to_owned(), text: None, parsed: Arc::new(found) });
    }
    let findings = section.findings();
    if !name.ends_with(".toml") {
        let help = match nearest(name, builtin_names()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!(
                "built in are {}; a file of your own ends in .toml",
                builtin_names().collect::<Vec<_>>().join(", ")
            ),
        };
        findings.note("config::unknown-profile", place, format!("there is no profile '{name}'"), Some(help));
        return None;
    }
    let path = base.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            findings.note("config::profile", place, format!("cannot read {}: {error}", path.display()), None);
            return None;
        }
    };
    match ContractProfile::parse(name, &text) {
        Ok(parsed) => Some(Profile { name: name.to_owned(), text: Some(text), parsed: Arc::new(parsed) }),
        Err(error) => {
            findings.push(Finding {
                code: "profile::refused",
                message: error.problem.to_string(),
                label: "here".to_owned(),
                place: Place::File(error.span.clone()),
                help: error.suggestion.as_ref().map(|near| format!("did you mean '{near}'?")),
                source: Some(Arc::new(NamedSource::new(path.display().to_string(), text))),
            });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_contract_is_found_in_its_topic_or_word() {
        let place = |signature: &str, field: &str| address_place(&Event::parse(signature).unwrap(), field);
        assert_eq!(
            place("Made(uint256 indexed id, address indexed made)", "made"),
            Ok(AddressPlace::Topic(2))
        );
        assert_eq!(
            place("Made(uint256 indexed id, string name, address made)", "made"),
            Ok(AddressPlace::Data(1))
        );
        assert!(place("Made(uint256[2] ids, address made)", "made").unwrap_err().contains("uint256[2]"));
        assert!(place("Made(uint256 made)", "made").unwrap_err().contains("type uint256"));
        assert!(place("Made(address made)", "pack").unwrap_err().contains("no field 'pack'"));
    }
}

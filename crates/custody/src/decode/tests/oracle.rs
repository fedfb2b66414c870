//! Every event of every profile that ships, encoded by an independent library from random values, and read
//! back. What a field should be is worked out here from the text of the profile, not by the code under test.

use super::kit::{Random, TestLog, decode, log_of, shipped};
use crate::decode::Profiles;
use alloy_dyn_abi::{DynSolType, DynSolValue, Specifier};
use alloy_json_abi::Event as AbiEvent;
use alloy_primitives::{Address, I256, U256, keccak256};
use model::event::{ActorSource, Event, EventKind};
use model::gs1::{Gtin, Sscc, Text};

const SEED: u64 = 0x0d15_ea5e;
const ROUNDS: usize = 40;

/// Name of a profile that has the events of the text.
const TEXTS: &[(&str, &str)] = &[
    ("erc721", include_str!("../../../profiles/standards/erc721.toml")),
    ("erc721", include_str!("../../../profiles/standards/nft-extensions.toml")),
    ("erc721", include_str!("../../../profiles/standards/administration.toml")),
    ("erc1155-lot", include_str!("../../../profiles/standards/erc1155.toml")),
    ("gs1-pack", include_str!("../../../profiles/gs1-pack.toml")),
    ("rootpharma", include_str!("../../../profiles/rootpharma.toml")),
    ("pharmaceutical-batch", include_str!("../../../profiles/pharmaceutical-batch.toml")),
];

const TEXT_VALUES: &[&str] = &[
    "",
    "10614141073464",
    "10614141073465",
    "106141412345678908",
    "0614141073467",
    "S-1",
    "L 7",
    "ünïcode \u{202e}",
    "a text of more than thirty-two bytes, so that it spans two words",
];

/// Dates as numbers, and the day that each is, worked out elsewhere.
const DATES: &[(u64, Option<i32>)] = &[
    (20_271_231, Some(21_183)),
    (20_240_200, Some(19_782)),
    (20_271_301, None),
    (0, None),
    (99_999_999, None),
];
const UNIX_DATES: &[(u64, Option<i32>)] = &[(1_830_297_600, Some(21_184)), (86_399, Some(0)), (0, None)];

#[test]
fn every_event_that_ships_is_read_as_an_independent_library_wrote_it() {
    let mut random = Random(SEED);
    let mut events = 0;
    for (profile, text) in TEXTS {
        let profiles = shipped(profile);
        let table: toml::Table = text.parse().unwrap();
        for event in table["event"].as_array().unwrap() {
            events += 1;
            for _ in 0..ROUNDS {
                Case::new(event.as_table().unwrap(), &mut random).check(&profiles, *profile == "erc721");
            }
        }
    }
    assert!(events > 90, "{events} events");
}

/// One event of a profile with one log of it.
struct Case<'t> {
    table: &'t toml::Table,
    abi: AbiEvent,
    values: Vec<DynSolValue>,
}

impl<'t> Case<'t> {
    fn new(table: &'t toml::Table, random: &mut Random) -> Self {
        let abi = AbiEvent::parse(table["signature"].as_str().unwrap()).unwrap();
        let entries = 1 + random.below(3);
        let mut case = Self { table, abi, values: Vec::new() };
        for input in &case.abi.inputs {
            let ty = input.resolve().unwrap();
            case.values.push(case.value(&input.name, &ty, entries, random));
        }
        case.order_range();
        case
    }

    fn key(&self, key: &str) -> Option<&'t str> {
        self.table.get(key).and_then(toml::Value::as_str)
    }

    /// A value that the field may have in an honest log.
    fn value(&self, name: &str, ty: &DynSolType, entries: usize, random: &mut Random) -> DynSolValue {
        let number = |number: u64| DynSolValue::Uint(U256::from(number), 256);
        if let Some(by) = self.table.get("step_by_enum").filter(|by| by["field"].as_str() == Some(name)) {
            let keys: Vec<u64> = meanings(&by["values"]).into_iter().map(|(key, _)| key).collect();
            let key = keys[random.below(keys.len())];
            return if *ty == DynSolType::Bool { DynSolValue::Bool(key == 1) } else { number(key) };
        }
        if self.key("time") == Some(name) {
            return number(1 + random.next() % 4_000_000_000);
        }
        if self.key("expiry") == Some(name) {
            let dates = self.dates();
            return number(dates[random.below(dates.len())].0);
        }
        if self.key("reason") == Some(name) {
            return number(random.next() % 12);
        }
        arbitrary(ty, entries, random)
    }

    fn dates(&self) -> &'static [(u64, Option<i32>)] {
        if self.key("expiry_format") == Some("unix") { UNIX_DATES } else { DATES }
    }

    /// Ranges do not run backwards in an honest log.
    fn order_range(&mut self) {
        if let (Some(first), Some(last)) = (self.key("token"), self.key("range_end")) {
            let place = |name| self.abi.inputs.iter().position(|input| input.name == name).unwrap();
            let (first, last) = (place(first), place(last));
            if self.values[first].as_uint() > self.values[last].as_uint() {
                self.values.swap(first, last);
            }
        }
    }

    fn check(&self, profiles: &Profiles, custody: bool) {
        let log: TestLog = log_of(&self.abi, &self.values);
        let decoded = decode(profiles, &[log]);
        let name = &self.abi.name;
        assert_eq!(decoded.dead_letters, [], "{name} {:?}", self.values);
        assert_eq!(decoded.events.len(), self.rows(), "{name}");
        for (row, event) in decoded.events.iter().enumerate() {
            self.check_parties(event, row);
            self.check_item(event, row);
            let kind = self.kind();
            let kind = if custody { custody_kind(kind, event) } else { kind };
            assert_eq!(event.kind, kind, "{name}");
        }
    }

    fn rows(&self) -> usize {
        self.values.iter().find_map(|value| value.as_array().map(<[_]>::len)).unwrap_or(1)
    }

    /// The value of the field that `key` maps, in `row`.
    fn field(&self, key: &str, row: usize) -> Option<&DynSolValue> {
        let name = self.key(key)?;
        let index = self.abi.inputs.iter().position(|input| input.name == name).unwrap();
        let value = &self.values[index];
        Some(value.as_array().map_or(value, |entries| &entries[row]))
    }

    fn check_parties(&self, event: &Event, row: usize) {
        let name = &self.abi.name;
        let address = |key: &str| self.field(key, row).map(|value| value.as_address().unwrap());
        assert_eq!(event.from, address("from"), "{name}");
        assert_eq!(event.to, address("to"), "{name}");
        assert_eq!(event.actor, address("actor"), "{name}");
        assert_eq!(event.actor_source, address("actor").map(|_| ActorSource::Log), "{name}");
        assert_eq!(event.token_contract, address("token_contract").unwrap_or(event.contract), "{name}");
        let parent = self.field("parent", row).map(|_| address("parent_contract").unwrap_or(event.contract));
        assert_eq!(event.parent_contract, parent, "{name}");
        let time = self.field("time", row).map(|value| i64::try_from(value.as_uint().unwrap().0).unwrap());
        assert_eq!(event.event_time_secs, time, "{name}");
    }

    fn check_item(&self, event: &Event, row: usize) {
        let name = &self.abi.name;
        let id = |key: &str| self.field(key, row).map(as_id);
        assert_eq!(event.token, id("token"), "{name}");
        assert_eq!(event.range_end, id("range_end"), "{name}");
        assert_eq!(event.parent, id("parent"), "{name}");
        assert_eq!(
            event.quantity,
            self.field("quantity", row).map(|value| value.as_uint().unwrap().0),
            "{name}"
        );
        let text = |key: &str| {
            self.field(key, row).map(|value| value.as_str().unwrap()).filter(|text| !text.is_empty())
        };
        let identity = &event.identity;
        assert_eq!(identity.gtin, text("gtin").and_then(|text| text.parse::<Gtin>().ok()), "{name}");
        assert_eq!(identity.serial, text("serial").and_then(|text| text.parse::<Text>().ok()), "{name}");
        assert_eq!(identity.lot, text("lot").and_then(|text| text.parse::<Text>().ok()), "{name}");
        assert_eq!(identity.sscc, text("sscc").and_then(|text| text.parse::<Sscc>().ok()), "{name}");
        let date = self.field("expiry", row).map(|value| u64::try_from(value.as_uint().unwrap().0).unwrap());
        let day = date.and_then(|date| self.dates().iter().find(|(known, _)| *known == date).unwrap().1);
        assert_eq!(identity.expiry_day, day, "{name}");
        let wrong = [
            text("gtin").is_some() && identity.gtin.is_none(),
            text("serial").is_some() && identity.serial.is_none(),
            text("lot").is_some() && identity.lot.is_none(),
            text("sscc").is_some() && identity.sscc.is_none(),
            date.is_some_and(|date| date > 0) && identity.expiry_day.is_none(),
        ];
        assert_eq!(identity.rejected.is_some(), wrong.contains(&true), "{name} {:?}", identity.rejected);
        if let Some(value) = self.field("reason", row) {
            let names = self.table["enums"]["reason"].as_array().unwrap();
            let index = usize::try_from(value.as_uint().unwrap().0).unwrap();
            assert_eq!(event.reason.unwrap().as_str(), names[index].as_str().unwrap());
        }
        if let Some(value) = self.field("detail", row) {
            assert_eq!(event.detail.as_deref().unwrap_or(""), as_text(value), "{name}");
        }
    }

    fn kind(&self) -> EventKind {
        let step = self.key("step");
        let by_value = self.table.get("step_by_enum").and_then(|by| {
            let name = by["field"].as_str().unwrap();
            let index = self.abi.inputs.iter().position(|input| input.name == name).unwrap();
            let value = match &self.values[index] {
                DynSolValue::Bool(flag) => u64::from(*flag),
                value => u64::try_from(value.as_uint().unwrap().0).unwrap(),
            };
            let found = meanings(&by["values"]).into_iter().find(|(key, _)| *key == value);
            found.map(|(_, meaning)| meaning)
        });
        by_value.as_deref().or(step).unwrap().parse().unwrap()
    }
}

fn meanings(values: &toml::Value) -> Vec<(u64, String)> {
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    match values {
        toml::Value::Array(list) => (0..).zip(list.iter().map(text)).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| match key.as_str() {
                "false" => (0, text(value)),
                "true" => (1, text(value)),
                key => (key.parse().unwrap(), text(value)),
            })
            .collect(),
        _ => panic!("neither list nor table"),
    }
}

fn custody_kind(kind: EventKind, event: &Event) -> EventKind {
    if kind != EventKind::Transfer {
        return kind;
    }
    match (event.from == Some(Address::ZERO), event.to == Some(Address::ZERO)) {
        (true, true) => EventKind::Other,
        (true, false) => EventKind::Commissioning,
        (false, true) => EventKind::Decommissioning,
        (false, false) => EventKind::Accepting,
    }
}

fn as_id(value: &DynSolValue) -> U256 {
    match value {
        DynSolValue::Uint(number, _) => *number,
        DynSolValue::FixedBytes(word, _) => U256::from_be_bytes(word.0),
        DynSolValue::Address(address) => U256::from_be_slice(address.as_slice()),
        DynSolValue::String(text) => U256::from_be_bytes(keccak256(text).0),
        other => panic!("no id: {other:?}"),
    }
}

fn as_text(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Int(number, _) => number.to_string(),
        DynSolValue::Bool(flag) => flag.to_string(),
        DynSolValue::FixedBytes(word, 32) => word.to_string(),
        DynSolValue::String(text) => text.replace('\u{202e}', "\\u{202e}"),
        other => panic!("no text: {other:?}"),
    }
}

/// A random value of the type; one in eight addresses is zero.
pub(super) fn arbitrary(ty: &DynSolType, entries: usize, random: &mut Random) -> DynSolValue {
    let word = random.word();
    match ty {
        DynSolType::Bool => DynSolValue::Bool(word.0[0] & 1 == 1),
        DynSolType::Uint(bits) => DynSolValue::Uint(U256::from_be_bytes(word.0) >> (256 - bits), *bits),
        DynSolType::Int(bits) => DynSolValue::Int(I256::from_raw(word.into()).asr(256 - bits), *bits),
        DynSolType::Address if word.0[0] < 32 => DynSolValue::Address(Address::ZERO),
        DynSolType::Address => DynSolValue::Address(Address::from_word(word)),
        DynSolType::FixedBytes(size) => {
            let mut bytes = word;
            bytes.0[*size..].fill(0);
            DynSolValue::FixedBytes(bytes, *size)
        }
        DynSolType::Bytes => DynSolValue::Bytes(word.0[..random.below(33)].to_vec()),
        DynSolType::String => DynSolValue::String(TEXT_VALUES[random.below(TEXT_VALUES.len())].to_owned()),
        DynSolType::Array(element) => {
            DynSolValue::Array((0..entries).map(|_| arbitrary(element, entries, random)).collect())
        }
        DynSolType::FixedArray(element, count) => {
            DynSolValue::FixedArray((0..*count).map(|_| arbitrary(element, entries, random)).collect())
        }
        DynSolType::Tuple(parts) => {
            DynSolValue::Tuple(parts.iter().map(|part| arbitrary(part, entries, random)).collect())
        }
        other => panic!("no generator for {other:?}"),
    }
}

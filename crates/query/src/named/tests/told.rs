//! Rows that the stories of these tests are told with. Block `n` is mined at the beginning of day `n` of January.

use crate::testing::Told;
use model::tables::Table;
use serde_json::{Map, Value, json};

/// A product, and its owner.
pub(super) const GTIN: &str = "04012345111118";
pub(super) const OTHER_GTIN: &str = "04012345123456";

/// An address as the tables hold it.
pub(super) fn address(last: &str) -> String {
    format!("{last:0>40}")
}

/// The same as people write it.
pub(super) fn shown(last: &str) -> String {
    format!("0x{}", address(last))
}

/// The beginning of a day of January.
pub(super) fn day(day: u64) -> String {
    format!("2026-01-{day:02}T00:00:00Z")
}

/// The key of a pack.
pub(super) fn pack(serial: &str) -> String {
    format!("01/{GTIN}/21/{serial}")
}

/// `row` with what `more` says.
pub(super) fn with(mut row: Value, more: Value) -> Value {
    let object: &mut Map<_, _> = row.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    row
}

/// A legal step on a pack in a block of chain 1, on the authoritative contract `c0`.
pub(super) fn step(block: u64, item: &str, kind: &str, actor: &str) -> Value {
    json!({
        "chain": 1, "block_number": block, "block_time": day(block), "item": item, "gtin": GTIN, "kind": kind,
        "legal": true, "authority": "authoritative", "actor": address(actor), "contract": address("c0"),
        "token_contract": address("c0"),
    })
}

/// A pack as it stands.
pub(super) fn item(serial: &str, state: &str, possessor: &str) -> Value {
    json!({
        "chain": 1, "item": pack(serial), "gtin": GTIN, "serial": serial, "lot": "L1", "state": state,
        "possessor": address(possessor), "branches": 1, "steps": 2, "commissioned_at": day(1),
    })
}

/// Someone is behind an address.
pub(super) fn actor(last: &str, gln: &str, name: &str, role: &str) -> Value {
    json!({
        "address": shown(last), "gln": gln, "name": name, "country": "DE", "role": role, "status": "active",
    })
}

/// Someone has an item, from one day to another.
pub(super) fn possession(item: &str, holder: &str, from: u64, to: Option<u64>) -> Value {
    json!({
        "chain": 1, "item": item, "role": "possessor", "holder": address(holder), "from_block": from,
        "from_time": day(from), "to_block": to, "to_log": to.map(|_| 0), "to_time": to.map(day),
    })
}

/// An item is inside another, from one day to another.
pub(super) fn inside(child: &str, parent: &str, from: u64, to: Option<u64>) -> Value {
    json!({
        "chain": 1, "child": child, "parent": parent, "from_block": from, "from_time": day(from), "to_block": to,
        "to_log": to.map(|_| 0), "to_time": to.map(day),
    })
}

/// Three parties of one supply chain: a maker (`a1`), a wholesaler (`b1`) and a dispenser (`d1`).
pub(super) fn company() -> Told {
    Told::default()
        .registry(
            "actors",
            [
                actor("a1", "1", "Maker", "manufacturer"),
                actor("b1", "2", "Trader", "wholesaler"),
                actor("d1", "3", "Shop", "dispenser"),
            ],
        )
        .registry(
            "registry_products",
            [json!({"gtin": GTIN, "owner": "1", "name": "Pills", "level": "pack"})],
        )
        .rows(Table::Blocks, [20, 11].map(|at| json!({"chain": 1, "number": at, "time": day(at)})))
}

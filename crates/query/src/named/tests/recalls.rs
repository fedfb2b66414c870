//! Where recalled packs are, and what they should not have done.

use super::answer;
use super::told::{GTIN, OTHER_GTIN, actor, address, company, day, inside, item, pack, step, with};
use crate::testing::Told;
use model::tables::Table;
use serde_json::{Value, json};

const CASE: &str = "00/340123451111111128";
const PALLET: &str = "00/340123451111111111";

fn carrier(key: &str, state: &str, possessor: Option<&str>, more: Value) -> Value {
    let row = json!({
        "chain": 1, "item": key, "state": state, "possessor": possessor.map(address), "branches": 1, "steps": 1,
    });
    with(row, more)
}

#[tokio::test]
async fn the_packs_of_a_lot_are_where_their_cases_are() {
    let packed = |serial| with(item(serial, "packed", "a1"), json!({"possessor": null, "parent": CASE}));
    let told = company().rows(
        Table::Items,
        [
            packed("1"),
            packed("2"),
            carrier(CASE, "packed", None, json!({"parent": PALLET})),
            carrier(PALLET, "in_transit", Some("b1"), json!({"consignee": address("d1")})),
            item("3", "dispensed", "d1"),
            item("4", "active", "ee"),
            // Another lot, and another product.
            with(item("5", "active", "d1"), json!({"lot": "L2"})),
            with(item("6", "active", "d1"), json!({"gtin": OTHER_GTIN})),
            // The lot itself is no pack.
            with(item("7", "active", "d1"), json!({"serial": null})),
        ],
    );
    assert_eq!(
        answer(&told, "recall-reach", &[("gtin", GTIN), ("lot", "L1")]).await,
        [
            "1|in_transit|@b1|2|Trader|DE|@d1|Shop|2|2",
            "1|active|@ee||||||1|0",
            "1|dispensed|@d1|3|Shop|DE|||1|0",
        ]
    );
    assert_eq!(answer(&told, "recall-reach", &[("gtin", GTIN)]).await.len(), 4);
}

/// A recall of serials B to D of lot L1 from day 5 to day 15.
fn recalled() -> Told {
    company()
        .registry("actors", [actor("f1", "8", "Ashes", "reverse_distributor")])
        .registry(
            "registry_recalls",
            [
                json!({
                    "id": "R-1", "gtin": GTIN, "lot": "L1", "serial_from": "B", "serial_to": "D", "class": "I",
                    "effective_at": day(5), "resolved_at": day(15),
                }),
                // Taken back; of another country; of another chain's registry.
                json!({"id": "R-2", "gtin": GTIN, "class": "I", "effective_at": day(1), "to_block": 2}),
                json!({"id": "R-3", "gtin": GTIN, "class": "I", "effective_at": day(1), "market": "US"}),
                json!({"id": "R-4", "gtin": GTIN, "class": "I", "effective_at": day(1), "chain": 2}),
            ],
        )
        .registry(
            "registry_products",
            [
                json!({"gtin": GTIN, "owner": "8", "to_block": 3}),
                json!({"gtin": OTHER_GTIN, "owner": "99"}),
            ],
        )
        .rows(Table::Items, ["A", "B", "C", "D", "E"].map(|serial| item(serial, "active", "b1")))
        .rows(
            Table::Items,
            [
                with(item("C2", "active", "b1"), json!({"lot": "L2"})),
                with(item("C3", "active", "b1"), json!({"maker": address("0c")})),
                with(item("C4", "active", "b1"), json!({"serial": null})),
            ],
        )
}

#[tokio::test]
async fn a_recalled_pack_may_be_returned_and_no_more() {
    let to = |step: Value, last: &str| with(step, json!({"to_address": address(last)}));
    let told = recalled().rows(
        Table::Events,
        [
            step(6, &pack("B"), "dispensing", "d1"),
            step(7, &pack("A"), "dispensing", "d1"),
            step(4, &pack("C"), "dispensing", "d1"),
            // Held, sent back to its maker, and to who destroys it.
            step(6, &pack("C"), "holding", "b1"),
            to(step(8, &pack("C"), "shipping", "b1"), "a1"),
            to(step(9, &pack("D"), "shipping", "b1"), "f1"),
            step(15, &pack("D"), "dispensing", "d1"),
            // Beyond the serials, of another lot, the lot itself.
            step(6, &pack("E"), "dispensing", "d1"),
            step(6, &pack("C2"), "dispensing", "d1"),
            step(6, &pack("C4"), "dispensing", "d1"),
            // Back to the contractor that made it.
            to(step(6, &pack("C3"), "shipping", "b1"), "0c"),
            with(step(6, &pack("D"), "dispensing", "ee"), json!({"authority": "unknown"})),
            to(with(step(10, &pack("D"), "shipping", "b1"), json!({"event_time": day(11)})), "ee"),
        ],
    );
    let told =
        told.registry("actors", [with(actor("5a", "5", "Abroad", "dispenser"), json!({"country": "US"}))]);
    let told = told.rows(
        Table::Events,
        [
            step(3, &pack("A"), "dispensing", "5a"),
            step(3, &pack("C4"), "dispensing", "5a"),
            step(7, &pack("B"), "packing", "ee"),
        ],
    );
    let whole = [
        format!("R-1|I|{GTIN}|L1|{0}|dispensing|2026-01-06|{0}|@d1|3|Shop|1|6|0|0", pack("B")),
        format!("R-1|I|{GTIN}|L1|{0}|packing|2026-01-07|{0}|@ee|||1|7|0|0", pack("B")),
        format!("R-1|I|{GTIN}|L1|{0}|shipping|2026-01-11|{0}|@b1|2|Trader|1|10|0|0", pack("D")),
    ];
    let abroad = format!("R-3|I|{GTIN}|L1|{0}|dispensing|2026-01-03|{0}|@5a|5|Abroad|1|3|0|0", pack("A"));
    // Whose country nobody knows may be there.
    let maybe = whole[1].replacen("R-1", "R-3", 1);
    let all = [abroad, whole[0].clone(), whole[1].clone(), maybe, whole[2].clone()];
    assert_eq!(answer(&told, "recall-breaches", &[]).await, all);
    assert_eq!(answer(&told, "recall-breaches", &[("recall", "R-1"), ("gtin", GTIN)]).await, whole);
    assert_eq!(answer(&told, "recall-breaches", &[("recall", "R-2")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_case_that_moves_moves_the_recalled_packs_that_were_inside_then() {
    let ships = |block, item: &str| with(step(block, item, "shipping", "b1"), json!({"gtin": null}));
    let told = recalled()
        .rows(
            Table::Containment,
            [
                inside(&pack("A"), CASE, 1, None),
                inside(&pack("B"), CASE, 1, Some(8)),
                inside(CASE, PALLET, 6, Some(7)),
            ],
        )
        .rows(
            Table::Events,
            [
                ships(5, CASE),
                with(ships(6, PALLET), json!({"log_index": 3})),
                ships(7, PALLET),
                ships(9, CASE),
            ],
        );
    let moved = |at: u64, what: &str, log: u64| {
        format!("R-1|I|{GTIN}|L1|{}|shipping|2026-01-{at:02}|{what}|@b1|2|Trader|1|{at}|{log}|0", pack("B"))
    };
    assert_eq!(
        answer(&told, "recall-breaches", &[]).await,
        [moved(5, CASE, 0), moved(6, PALLET, 3), moved(7, PALLET, 0)]
    );
}

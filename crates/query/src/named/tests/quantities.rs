//! Too many packs, stock, and stock that is too old.

use super::answer;
use super::told::{
    GTIN, OTHER_GTIN, actor, address, company, day, inside, item, pack, possession, shown, step, with,
};
use crate::testing::Told;
use model::tables::Table;
use serde_json::{Value, json};

fn declared(lot: &str, quantity: u64, more: Value) -> Value {
    with(json!({"gtin": GTIN, "lot": lot, "expiry": "2027-01-31", "quantity": quantity}), more)
}

fn made(serial: &str, lot: &str, more: Value) -> Value {
    let maker = json!({"lot": lot, "maker": address("a1")});
    with(with(item(serial, "active", "a1"), maker), more)
}

#[tokio::test]
async fn a_lot_has_more_serials_than_were_declared_and_its_neighbours_do_not() {
    let told = company()
        .registry(
            "registry_lots",
            [
                declared("OVER", 2, json!({})),
                declared("OVER", 2, json!({"chain": 2})),
                declared("DROPS", 1, json!({"gtin": OTHER_GTIN})),
                // What was said before it was corrected.
                declared("OVER", 9, json!({"to_block": 1})),
                declared("EXACT", 2, json!({})),
                declared("REJECTS", 1, json!({})),
            ],
        )
        .rows(
            Table::Items,
            [
                made("1", "OVER", json!({})),
                made("2", "OVER", json!({"commissioned_at": day(2)})),
                // Rejected on the line, on both chains.
                made("11", "OVER", json!({"state": "inactive"})),
                made("11", "OVER", json!({"state": "inactive", "chain": 2})),
                made("3", "OVER", json!({"commissioned_at": day(3)})),
                // Rejected after it was sold: made all the same.
                made("4", "OVER", json!({"state": "inactive", "possessor": address("b1")})),
                // A pack that two chains know.
                made("1", "OVER", json!({"chain": 2})),
                made("5", "EXACT", json!({})),
                made("6", "EXACT", json!({})),
                made("7", "REJECTS", json!({})),
                made("8", "REJECTS", json!({"state": "inactive"})),
                made("8", "REJECTS", json!({"state": "inactive", "chain": 2})),
                made("9", "UNDECLARED", json!({})),
                made("1", "DROPS", json!({"gtin": OTHER_GTIN})),
                made("2", "DROPS", json!({"gtin": OTHER_GTIN})),
                // Heard of, and never commissioned; and the lot itself.
                made("10", "EXACT", json!({"commissioned_at": null})),
                made("", "OVER", json!({"serial": null, "commissioned_at": day(9)})),
            ],
        )
        .registry("registry_products", [json!({"gtin": GTIN, "owner": "1", "name": "Zinc", "to_block": 1})]);
    let pills = format!("{GTIN}|Pills|OVER|2|5|1|2|2026-01-01|2026-01-03");
    let drops = format!("{OTHER_GTIN}||DROPS|1|2|0|1|2026-01-01|2026-01-01");
    assert_eq!(answer(&told, "over-production", &[]).await, [pills.clone(), drops]);
    assert_eq!(answer(&told, "over-production", &[("gtin", GTIN)]).await, [pills]);
}

/// What the tables say of a wholesaler's stock.
fn stock() -> Told {
    let case = "00/340123451111111128";
    let wallet = |last: &str, party: &str, more| {
        with(json!({"address": shown(last), "party": party, "status": "active"}), more)
    };
    let serials = ["SHELF", "BOXED", "SOLD", "BACK", "OTHERS", "MOVED", "OLD", "AGAIN"];
    let [shelf, boxed, sold, back, others, moved, old, again] = serials.map(pack);
    let owned = |row| with(row, json!({"role": "owner"}));
    let other_story = |row| with(row, json!({"branch": 1}));
    company()
        .registry(
            "registry_wallets",
            [
                wallet("b1", "2", json!({})),
                wallet("b1", "2", json!({"on_chain": 1})),
                wallet("d1", "3", json!({})),
                // The keys of others, of another chain, and of another time.
                wallet("d1", "2", json!({"to_block": 3})),
                wallet("d1", "2", json!({"on_chain": 2})),
                wallet("d1", "2", json!({"valid_from": day(30)})),
                wallet("d1", "2", json!({"valid_to": day(1)})),
                wallet("b2", "2", json!({"valid_from": day(11), "valid_to": day(12)})),
            ],
        )
        .rows(Table::Items, serials.map(|serial| item(serial, "active", "b1")))
        .rows(Table::Items, [with(item("LOT", "active", "b1"), json!({"item": case, "serial": null}))])
        .rows(
            Table::Custody,
            [
                possession(&shelf, "b1", 2, None),
                // Packed by the maker, and in the hands of who has the case.
                possession(&boxed, "a1", 1, None),
                possession(case, "a1", 1, Some(3)),
                possession(case, "b1", 3, Some(9)),
                possession(case, "d1", 9, None),
                possession(&sold, "b1", 2, None),
                possession(&back, "b1", 2, None),
                possession(&again, "d1", 2, Some(4)),
                possession(&again, "b1", 4, None),
                possession(&moved, "b1", 2, None),
                possession(&old, "b2", 2, None),
                possession(&others, "d1", 2, None),
                owned(possession(&others, "b1", 2, None)),
                other_story(possession(&others, "b1", 2, None)),
            ],
        )
        .rows(
            Table::Containment,
            [inside(&boxed, case, 1, None), inside(&shelf, "00/340123451111111111", 13, Some(14))],
        )
        .rows(
            Table::Shipments,
            [
                sent(case, 7, Some(9), 0),
                // Told twice, by another story, and long ago.
                sent(case, 7, Some(9), 1),
                sent(&shelf, 3, Some(4), 1),
                sent(&back, 2, Some(3), 0),
            ],
        )
        .rows(Table::Events, steps_of_stock())
}

/// What was done with that stock.
fn steps_of_stock() -> [Value; 10] {
    let [shelf, sold, back, moved, again] = ["SHELF", "SOLD", "BACK", "MOVED", "AGAIN"].map(pack);
    [
        step(5, &sold, "dispensing", "b1"),
        step(4, &back, "dispensing", "b1"),
        step(5, &back, "reactivating", "b1"),
        step(2, &again, "dispensing", "d1"),
        step(3, &again, "reactivating", "d1"),
        step(4, &again, "dispensing", "b1"),
        // A token that ended; a step that others refused, and one of another story.
        with(step(5, &moved, "decommissioning", "b1"), json!({"reason": "migrated"})),
        with(step(5, &shelf, "dispensing", "ee"), json!({"legal": false})),
        with(step(5, &shelf, "dispensing", "ee"), json!({"branch": 1})),
        step(5, &shelf, "inspecting", "b1"),
    ]
}

fn sent(item: &str, from: u64, to: Option<u64>, branch: u32) -> Value {
    json!({
        "chain": 1, "item": item, "branch": branch, "consignor": address("b1"), "status": "received",
        "shipped_block": from, "shipped_time": day(from), "ended_block": to, "ended_time": to.map(day),
    })
}

#[tokio::test]
async fn what_a_party_had_is_told_for_any_time() {
    let told = stock();
    for (time, packs) in [
        ("2026-01-01", None),
        // One of them is on the way.
        ("2026-01-02", Some("4|1")),
        ("2026-01-03", Some("5|0")),
        ("2026-01-04", Some("4|0")),
        ("2026-01-06", Some("4|0")),
        ("2026-01-07", Some("4|1")),
        ("2026-01-08", Some("4|1")),
        ("2026-01-09", Some("3|0")),
        ("2026-01-10", Some("3|0")),
        // Another key of the party, for a day.
        ("2026-01-11", Some("4|0")),
        ("2026-01-12", Some("3|0")),
        // On a pallet of which nobody says who has it.
        ("2026-01-13", Some("2|0")),
        ("2026-01-14", Some("3|0")),
        ("", Some("3|0")),
    ] {
        let found = answer(&told, "stock-of-party", &[("party", "2"), ("time", time)]).await;
        let expected: Vec<_> = packs.map(|packs| format!("{GTIN}|Pills|L1|1|{packs}")).into_iter().collect();
        assert_eq!(found, expected, "at {time}");
    }
}

#[tokio::test]
async fn stock_is_told_by_product_and_lot_the_most_first() {
    let told = stock()
        .registry("registry_products", [json!({"gtin": GTIN, "owner": "1", "name": "Zinc", "to_block": 1})])
        .rows(Table::Items, [with(item("X", "active", "b1"), json!({"gtin": OTHER_GTIN, "lot": "A"}))])
        .rows(Table::Custody, [possession(&pack("X"), "b1", 2, None)]);
    assert_eq!(
        answer(&told, "stock-of-party", &[("party", "2")]).await,
        [format!("{GTIN}|Pills|L1|1|3|0"), format!("{OTHER_GTIN}||A|1|1|0")]
    );
}

#[tokio::test]
async fn expired_packs_in_trade_are_told_with_who_has_them() {
    let case = "00/340123451111111128";
    let expires = |serial: &str, lot: &str, state: &str, expiry: &str| {
        with(item(serial, state, "d1"), json!({"lot": lot, "expiry": expiry}))
    };
    let told = company()
        .registry("actors", [actor("e1", "9", "Far", "dispenser")])
        .registry(
            "registry_extensions",
            [
                json!({"gtin": GTIN, "lot": "LONGER", "expiry": "2026-01-15"}),
                json!({"gtin": GTIN, "lot": "LONGER", "expiry": "2026-01-25"}),
                json!({"gtin": GTIN, "lot": "OLD", "expiry": "2026-01-25", "to_block": 3}),
            ],
        )
        .rows(
            Table::Items,
            [
                expires("1", "OLD", "active", "2026-01-10"),
                with(expires("2", "OLD", "packed", "2026-01-10"), json!({"possessor": null, "parent": case})),
                with(
                    item("CASE", "active", "e1"),
                    json!({"item": case, "gtin": null, "serial": null, "lot": null}),
                ),
                expires("3", "LONGER", "active", "2026-01-10"),
                with(expires("6", "OLD", "active", "2026-01-10"), json!({"possessor": address("ee")})),
                with(expires("7", "OLD", "active", "2026-01-10"), json!({"possessor": address("ee")})),
                with(expires("8", "OLD", "active", "2026-01-10"), json!({"serial": null})),
                expires("4", "OLD", "destroyed", "2026-01-10"),
                // Its last day is the day that is asked for.
                expires("5", "TODAY", "active", "2026-01-20"),
            ],
        );
    assert_eq!(
        answer(&told, "expired-stock", &[]).await,
        [
            format!("||@ee|1|{GTIN}|OLD|2026-01-10|10|2"),
            format!("3|Shop|@d1|1|{GTIN}|OLD|2026-01-10|10|1"),
            format!("9|Far|@e1|1|{GTIN}|OLD|2026-01-10|10|1")
        ]
    );
    let later = answer(&told, "expired-stock", &[("time", "2026-01-26T12:00:00Z")]).await;
    assert_eq!(later.len(), 5, "{later:?}");
}

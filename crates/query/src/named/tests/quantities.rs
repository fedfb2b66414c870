//! Too many packs, stock, and stock that is too old.

use super::answer;
use super::told::{
    GTIN, OTHER_GTIN, actor, address, company, day, inside, item, pack, possession, shown, step, with,
};
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
                made("3", "OVER", json!({"commissioned_at": day(3)})),
                // Rejected after it was sold: made all the same.
                made("4", "OVER", json!({"state": "inactive", "possessor": address("b1")})),
                // A pack that two chains know.
                made("1", "OVER", json!({"chain": 2})),
                made("5", "EXACT", json!({})),
                made("6", "EXACT", json!({})),
                made("7", "REJECTS", json!({})),
                made("8", "REJECTS", json!({"state": "inactive"})),
                made("9", "UNDECLARED", json!({})),
            ],
        );
    let over = [format!("{GTIN}|Pills|OVER|2|4|0|2|2026-01-01|2026-01-03")];
    assert_eq!(answer(&told, "over-production", &[]).await, over);
    assert_eq!(answer(&told, "over-production", &[("gtin", OTHER_GTIN)]).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_party_had_is_told_for_any_time() {
    let case = "00/340123451111111128";
    let [shelf, boxed, sold, back, others] = ["SHELF", "BOXED", "SOLD", "BACK", "OTHERS"].map(pack);
    let told = company()
        .registry(
            "registry_wallets",
            [
                json!({"address": shown("b1"), "party": "2", "status": "active"}),
                json!({"address": shown("d1"), "party": "3", "status": "active"}),
            ],
        )
        .rows(Table::Items, ["SHELF", "BOXED", "SOLD", "BACK", "OTHERS"].map(|serial| item(serial, "active", "b1")))
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
                possession(&others, "d1", 2, None),
            ],
        )
        .rows(Table::Containment, [inside(&boxed, case, 1, None)])
        .rows(
            Table::Shipments,
            [json!({
                "chain": 1, "item": case, "consignor": address("b1"), "status": "received", "shipped_block": 7,
                "shipped_time": day(7), "ended_block": 9, "ended_time": day(9),
            })],
        )
        .rows(
            Table::Events,
            [
                step(5, &sold, "dispensing", "b1"),
                step(4, &back, "dispensing", "b1"),
                step(5, &back, "reactivating", "b1"),
            ],
        );
    for (time, packs) in [
        ("2026-01-01", None),
        ("2026-01-02", Some("3|0")),
        ("2026-01-03", Some("4|0")),
        ("2026-01-04", Some("3|0")),
        ("2026-01-06", Some("3|0")),
        ("2026-01-08", Some("3|1")),
        ("2026-01-09", Some("2|0")),
        ("", Some("2|0")),
    ] {
        let found = answer(&told, "stock-of-party", &[("party", "2"), ("time", time)]).await;
        let expected: Vec<_> = packs.map(|packs| format!("{GTIN}|Pills|L1|1|{packs}")).into_iter().collect();
        assert_eq!(found, expected, "at {time}");
    }
}

#[tokio::test]
async fn expired_packs_in_trade_are_told_with_who_has_them() {
    let case = "00/340123451111111128";
    let expires = |serial: &str, lot: &str, state: &str, expiry: &str| {
        with(item(serial, state, "d1"), json!({"lot": lot, "expiry": expiry}))
    };
    let told = company()
        .registry("actors", [actor("e1", "9", "Far", "dispenser")])
        .registry("registry_extensions", [json!({"gtin": GTIN, "lot": "LONGER", "expiry": "2026-01-25"})])
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
                expires("4", "OLD", "destroyed", "2026-01-10"),
                // Its last day is the day that is asked for.
                expires("5", "TODAY", "active", "2026-01-20"),
            ],
        );
    assert_eq!(
        answer(&told, "expired-stock", &[]).await,
        [
            format!("3|Shop|@d1|1|{GTIN}|OLD|2026-01-10|10|1"),
            format!("9|Far|@e1|1|{GTIN}|OLD|2026-01-10|10|1")
        ]
    );
    let later = answer(&told, "expired-stock", &[("time", "2026-01-26T12:00:00Z")]).await;
    assert_eq!(later.len(), 4, "{later:?}");
}

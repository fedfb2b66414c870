//! Routes, and what does not arrive.

use super::answer;
use super::told::{GTIN, OTHER_GTIN, actor, address, company, day, pack, possession, with};
use model::tables::Table;
use serde_json::{Value, json};

#[tokio::test]
async fn the_routes_between_two_parties_are_told_with_how_many_took_them() {
    let route = |serial: &str, holders: &[&str]| {
        let holders: Vec<_> = (1..).zip(holders.iter().copied()).collect();
        let last = holders.len() as u64;
        let key = pack(serial);
        holders
            .into_iter()
            .map(move |(day, holder)| possession(&key, holder, day, (day < last).then_some(day + 1)))
            .collect::<Vec<_>>()
    };
    let told = company()
        .rows(Table::Custody, route("1", &["a1", "b1", "d1"]))
        .rows(Table::Custody, route("2", &["0f", "a1", "b1", "d1", "b1"]))
        .rows(Table::Custody, route("3", &["a1", "ee", "d1"]))
        // Back to the first, and twice to the last.
        .rows(Table::Custody, route("7", &["a1", "b1", "a1", "d1"]))
        .rows(Table::Custody, route("8", &["a1", "d1", "b1", "d1"]))
        // Owned, not had.
        .rows(
            Table::Custody,
            route("9", &["a1", "d1"]).into_iter().map(|row| with(row, json!({"role": "owner"}))),
        )
        // The wrong way round, and not there yet.
        .rows(Table::Custody, route("4", &["d1", "a1"]))
        .rows(Table::Custody, route("5", &["a1", "b1"]))
        // What another tells of it.
        .rows(
            Table::Custody,
            route("6", &["a1", "d1"]).into_iter().map(|row| with(row, json!({"branch": 1}))),
        );
    let arguments = [("from_party", "1"), ("to_party", "3")];
    assert_eq!(
        answer(&told, "routes-between", &arguments).await,
        [
            "1 > 2 > 3|2|2|2026-01-01|2026-01-04",
            // An address stands before a number.
            "1 > @ee > 3|2|1|2026-01-01|2026-01-03",
            "1 > 2 > 1 > 3|3|1|2026-01-01|2026-01-04",
            "1 > 3|1|1|2026-01-01|2026-01-02",
        ]
    );
    let other = [arguments[0], arguments[1], ("gtin", OTHER_GTIN)];
    assert_eq!(answer(&told, "routes-between", &other).await, Vec::<String>::new());
    let own = [arguments[0], arguments[1], ("gtin", GTIN)];
    assert_eq!(answer(&told, "routes-between", &own).await.len(), 4);
}

fn sent(serial: &str, from: &str, to: &str, at: u64, more: Value) -> Value {
    let row = json!({
        "chain": 1, "item": pack(serial), "consignor": address(from), "consignee": address(to), "status": "open",
        "shipped_block": at, "shipped_time": day(at),
    });
    with(row, more)
}

#[tokio::test]
async fn a_shipment_is_overdue_by_its_own_lane() {
    let lane = |from: Option<&str>, to: Option<&str>, days: u64| json!({"consignor": from, "consignee": to, "p99_secs": days * 86_400});
    let received = |at: u64| json!({"status": "received", "ended_block": at, "ended_time": day(at)});
    let told = company()
        .registry(
            "actors",
            [actor("b2", "4", "Trader 2", "wholesaler"), actor("9a", "9", "New", "dispenser")],
        )
        .registry(
            "registry_lanes",
            [
                lane(Some("1"), Some("2"), 15),
                lane(Some("1"), None, 3),
                lane(None, Some("3"), 6),
                lane(None, Some("3"), 5),
                // Taken back; not yet; no longer.
                with(lane(Some("2"), Some("4"), 1), json!({"to_block": 1})),
                with(lane(Some("2"), Some("4"), 1), json!({"valid_from": day(21)})),
                with(lane(Some("2"), Some("4"), 1), json!({"valid_to": day(17)})),
                // From today on.
                with(lane(None, Some("9"), 2), json!({"valid_from": day(20)})),
                with(lane(None, None, 1), json!({"valid_to": day(9)})),
            ],
        )
        .rows(
            Table::Shipments,
            [
                // 15 days on a lane of 15.
                sent("1", "a1", "b1", 5, json!({})),
                sent("2", "a1", "b1", 4, json!({})),
                // The maker's own lane, and that to the shop.
                sent("3", "a1", "ee", 10, json!({})),
                sent("4", "b1", "d1", 13, json!({})),
                // No lane: 14 days.
                sent("5", "b1", "b2", 6, json!({})),
                sent("6", "b1", "b2", 5, json!({})),
                sent("7", "a1", "b1", 1, received(18)),
                sent("8", "a1", "b1", 1, received(17)),
                // From whom nobody knows, to who is new.
                sent("9", "e5", "9a", 16, json!({})),
            ],
        );
    let line = |serial: &str, who: &str, shipped: u64, usual: u64, over: u64| {
        format!("1|{}|{who}|2026-01-{shipped:02}|{}|{}", pack(serial), usual * 86_400, over * 86_400)
    };
    let (maker, stranger) =
        (line("2", "@a1|Maker|@b1|Trader", 4, 15, 1), line("3", "@a1|Maker|@ee|", 10, 3, 7));
    let new = line("9", "@e5||@9a|New", 16, 2, 2);
    let (shop, traders) =
        (line("4", "@b1|Trader|@d1|Shop", 13, 6, 1), line("6", "@b1|Trader|@b2|Trader 2", 5, 14, 1));
    assert_eq!(
        answer(&told, "overdue-in-transit", &[]).await,
        [stranger.clone(), new.clone(), maker.clone(), shop.clone(), traders]
    );
    assert_eq!(answer(&told, "overdue-in-transit", &[("days", "15")]).await, [stranger, new, maker, shop]);
    // Three days before, one of them was on the way for 16 days.
    let then = answer(&told, "overdue-in-transit", &[("time", "2026-01-17")]).await;
    assert_eq!(then, [line("3", "@a1|Maker|@ee|", 10, 3, 4), line("7", "@a1|Maker|@b1|Trader", 1, 15, 1)]);
}

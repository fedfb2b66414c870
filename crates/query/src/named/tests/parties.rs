//! Licences, strangers, keys, habits.

use super::answer;
use super::told::{actor, address, company, day, pack, shown, step, with};
use model::tables::Table;
use serde_json::{Value, json};

fn licence(party: &str, kind: &str, status: &str, from: Option<u64>, to: Option<u64>) -> Value {
    json!({
        "party": party, "kind": kind, "jurisdiction": "DE", "status": status, "valid_from": from.map(day),
        "valid_to": to.map(day),
    })
}

#[tokio::test]
async fn steps_without_a_licence_are_told_by_party_and_renewed_licences_leave_no_gap() {
    let told = company()
        .registry("actors", [actor("a9", "9", "Ministry", "authority")])
        .registry(
            "registry_licences",
            [
                licence("1", "manufacturing", "active", None, None),
                // Renewed on the day that it ran out.
                licence("2", "wholesale", "active", None, Some(5)),
                licence("2", "wholesale", "active", Some(5), Some(10)),
                licence("2", "wholesale", "suspended", Some(10), Some(11)),
                licence("3", "dispensing", "active", None, None),
                licence("3", "dispensing", "suspended", Some(6), Some(8)),
                licence("3", "dispensing", "revoked", Some(15), None),
                licence("3", "dispensing", "suspended", Some(15), None),
                with(licence("3", "dispensing", "suspended", Some(15), None), json!({"jurisdiction": "*"})),
                // Another trade, and another country.
                licence("2", "dispensing", "active", None, None),
                with(licence("2", "wholesale", "active", None, None), json!({"jurisdiction": "US"})),
                // Taken back by the registry.
                with(licence("2", "wholesale", "active", None, None), json!({"to_block": 3})),
            ],
        )
        .rows(
            Table::Events,
            [
                step(2, &pack("1"), "commissioning", "a1"),
                step(4, &pack("1"), "shipping", "b1"),
                step(5, &pack("1"), "shipping", "b1"),
                step(10, &pack("1"), "shipping", "b1"),
                step(11, &pack("2"), "shipping", "b1"),
                // Told late, of a time at which the licence held.
                with(step(12, &pack("2"), "shipping", "b1"), json!({"event_time": day(9)})),
                // Who takes it over is judged, not who gives it.
                with(step(13, &pack("2"), "accepting", "a1"), json!({"to_address": address("b1")})),
                step(5, &pack("3"), "dispensing", "d1"),
                step(6, &pack("3"), "dispensing", "d1"),
                step(8, &pack("3"), "dispensing", "d1"),
                step(15, &pack("4"), "dispensing", "d1"),
                with(step(15, &pack("4"), "dispensing", "d1"), json!({"log_index": 1})),
                step(9, &pack("3"), "returning", "a9"),
                with(step(11, &pack("9"), "shipping", "b1"), json!({"authority": "unknown"})),
            ],
        );
    let lines = [
        "2|Trader|DE|wholesaler|none in force|shipping|1|1|2026-01-11|2026-01-11",
        "2|Trader|DE|wholesaler|suspended|shipping|1|1|2026-01-10|2026-01-10",
        "2|Trader|DE|wholesaler|none in force|accepting|1|1|2026-01-13|2026-01-13",
        "3|Shop|DE|dispenser|revoked|dispensing|2|1|2026-01-15|2026-01-15",
        "3|Shop|DE|dispenser|suspended|dispensing|3|2|2026-01-06|2026-01-15",
        "3|Shop|DE|dispenser|suspended|dispensing|2|1|2026-01-15|2026-01-15",
    ];
    let [shipping, barred, accepting, revoked, suspended, suspended_again] = lines;
    assert_eq!(
        answer(&told, "unlicensed-activity", &[]).await,
        [suspended, revoked, accepting, shipping, barred]
    );
    assert_eq!(
        answer(&told, "unlicensed-activity", &[("since", "2026-01-13")]).await,
        [revoked, suspended_again, accepting]
    );
}

#[tokio::test]
async fn alerts_are_held_against_the_steps_of_the_accused() {
    let steps = (1..=4).map(|block| step(block, &pack("1"), "shipping", "b1"));
    let alert = |case: u8, accused: &str, more: Value| {
        let row = json!({
            "case_key": format!("{case:064x}"), "rule": "SQ-03", "chain": 1, "standing": "standing",
            "accused": accused,
        });
        with(row, more)
    };
    let told = company()
        .rows(
            Table::Events,
            steps.chain([
                step(9, &pack("2"), "dispensing", "d1"),
                // No step on goods.
                with(step(9, "", "role_granted", "b1"), json!({"item": null})),
            ]),
        )
        .rows(
            Table::Alerts,
            [
                // Of one party, by its number and by its address.
                alert(1, "2", json!({})),
                alert(2, &shown("b1"), json!({})),
                alert(3, "2", json!({"root": "01".repeat(32)})),
                alert(4, "2", json!({"standing": "explained"})),
                alert(5, "3", json!({"rule": "ST-01"})),
                alert(6, &shown("ee"), json!({})),
            ],
        );
    let (shop, trader) = ("3|Shop|dispenser|ST-01|1|1|10000.0", "2|Trader|wholesaler|SQ-03|2|4|5000.0");
    assert_eq!(answer(&told, "alert-rates", &[]).await, [shop, trader]);
    assert_eq!(answer(&told, "alert-rates", &[("least_steps", "2")]).await, [trader]);
}

#[tokio::test]
async fn whom_the_registry_does_not_know_is_told_by_how_much_went_through_him() {
    let told = company().rows(
        Table::Events,
        [
            step(2, &pack("1"), "receiving", "ee"),
            with(step(3, &pack("1"), "shipping", "ee"), json!({"legal": false})),
            step(4, &pack("2"), "receiving", "ee"),
            step(5, &pack("3"), "dispensing", "ef"),
            step(5, &pack("3"), "receiving", "e1"),
            step(5, &pack("3"), "dispensing", "e1"),
            // Nobody did it.
            with(step(5, &pack("3"), "dispensing", "e1"), json!({"actor": null})),
            step(6, &pack("4"), "receiving", "b1"),
            with(step(7, &pack("5"), "transfer", "e0"), json!({"to_address": address("b1")})),
        ],
    );
    let lines = [
        "1|@ee|3|2|receiving shipping|1|2026-01-02|2026-01-04",
        "1|@e1|2|1|dispensing receiving|0|2026-01-05|2026-01-05",
        "1|@ef|1|1|dispensing|0|2026-01-05|2026-01-05",
    ];
    assert_eq!(answer(&told, "unknown-actors", &[]).await, lines);
    assert_eq!(answer(&told, "unknown-actors", &[("since", "2026-01-05")]).await, lines[1..]);
}

#[tokio::test]
async fn what_a_stolen_key_signed_is_told_from_the_theft_on() {
    let told = company()
        .registry(
            "registry_parties",
            [
                json!({"gln": "2", "name": "Trader", "country": "DE", "role": "wholesaler"}),
                json!({"gln": "2", "name": "Was another", "country": "DE", "role": "wholesaler", "to_block": 1}),
            ],
        )
        .registry(
            "registry_wallets",
            [
                json!({"address": shown("b1"), "party": "2", "status": "active", "valid_to": day(5)}),
                json!({"address": shown("b1"), "party": "2", "status": "compromised", "valid_from": day(5)}),
                json!({"on_chain": 2, "address": shown("b2"), "party": "2", "status": "compromised"}),
                // Said, and taken back; and found again in the right hands.
                json!({"address": shown("d1"), "party": "3", "status": "compromised", "to_block": 2}),
                json!({"address": shown("a1"), "party": "1", "status": "compromised", "valid_to": day(6)}),
            ],
        )
        .rows(
            Table::Events,
            [
                step(4, &pack("1"), "shipping", "b1"),
                step(5, &pack("1"), "shipping", "b1"),
                step(6, &pack("2"), "shipping", "b1"),
                step(7, &pack("2"), "shipping", "b1"),
                step(6, &pack("3"), "shipping", "b2"),
                step(6, &pack("3"), "dispensing", "d1"),
                step(5, &pack("3"), "commissioning", "a1"),
                step(6, &pack("4"), "commissioning", "a1"),
            ],
        );
    let (stolen, lent) = (
        "1|@b1|2|Trader|shipping|3|2|2026-01-05|2026-01-07",
        "1|@a1|1|Maker|commissioning|1|1|2026-01-05|2026-01-05",
    );
    assert_eq!(answer(&told, "compromised-keys", &[]).await, [stolen, lent]);
    assert_eq!(answer(&told, "compromised-keys", &[("party", "2")]).await, [stolen]);
    assert_eq!(answer(&told, "compromised-keys", &[("party", "3")]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_habit_of_telling_late_shows_in_its_share() {
    let told_at =
        |block, at, actor| with(step(block, &pack("1"), "shipping", actor), json!({"event_time": day(at)}));
    let told = company().rows(
        Table::Events,
        [
            told_at(9, 4, "b1"),
            told_at(9, 9, "b1"),
            told_at(10, 9, "b1"),
            told_at(9, 9, "d1"),
            told_at(9, 7, "ee"),
            step(9, &pack("1"), "shipping", "b1"),
        ],
    );
    let late = format!("2|Trader|@b1|1|3|1|0.3333|{}", 5 * 86_400);
    let stranger = format!("||@ee|1|1|1|1.0|{}", 2 * 86_400);
    assert_eq!(answer(&told, "late-declarations", &[]).await, [late, stranger.clone()]);
    let strict = format!("2|Trader|@b1|1|3|2|0.6667|{}", 5 * 86_400);
    assert_eq!(answer(&told, "late-declarations", &[("hours", "23")]).await, [strict, stranger]);
}

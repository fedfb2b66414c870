//! What cannot be read, what is left out, what is open.

use super::answer;
use super::told::{address, company, day, pack, shown, step, with};
use model::tables::Table;
use serde_json::{Value, json};

#[tokio::test]
async fn logs_that_cannot_be_read_are_held_against_those_that_can() {
    let dead = |block: u64, contract: &str, reason: &str, detail: &str| {
        json!({
            "chain": 1, "block_number": block, "contract": address(contract), "reason": reason, "detail": detail,
        })
    };
    let told = company()
        .rows(
            Table::DeadLetters,
            [
                dead(4, "c0", "bad-field", "serial: too long"),
                dead(2, "c0", "bad-field", "gtin: check digit"),
                dead(3, "c0", "unknown-topic", "0x1234"),
                dead(9, "c9", "unknown-topic", "0x5678"),
            ],
        )
        .rows(
            Table::Events,
            (1..=7)
                .map(|block| step(block, &pack("1"), "shipping", "b1"))
                .chain([with(step(8, &pack("1"), "shipping", "b1"), json!({"contract": address("c1")}))]),
        );
    let (field, topic) =
        ("1|@c0|bad-field|2|0.2|gtin: check digit|2|4", "1|@c0|unknown-topic|1|0.1|0x1234|3|3");
    assert_eq!(
        answer(&told, "dead-letters", &[]).await,
        [field, topic, "1|@c9|unknown-topic|1|1.0|0x5678|9|9"]
    );
    assert_eq!(answer(&told, "dead-letters", &[("contract", &shown("c0"))]).await, [field, topic]);
}

#[tokio::test]
async fn what_steps_leave_out_is_told_as_shares() {
    let full = json!({"event_time": day(1), "place": "4012345000009", "lot": "L1"});
    let token = |id: u64, item: Option<String>| {
        json!({
            "chain": 1, "contract": address("c0"), "token_id": format!("{id:064x}"), "standard": "erc721",
            "item": item,
        })
    };
    let told = company()
        .rows(
            Table::Events,
            [
                with(step(1, &pack("1"), "shipping", "b1"), full.clone()),
                with(step(2, &pack("1"), "shipping", "b1"), json!({"event_time": day(2)})),
                with(step(3, &pack("1"), "shipping", "b1"), json!({"lot": "L1"})),
                // A case has no lot, and a transfer of a token no place.
                with(step(4, "00/340123451111111128", "shipping", "b1"), json!({"gtin": null})),
                step(5, &pack("1"), "transfer", "b1"),
                with(
                    with(step(6, &pack("2"), "shipping", "b1"), full),
                    json!({"token_contract": address("c1")}),
                ),
            ],
        )
        .rows(
            Table::Tokens,
            [
                token(1, Some(pack("1"))),
                token(2, Some("eip155:1/erc721:0x00000000000000000000000000000000000000c0/2".to_owned())),
                token(3, None),
            ],
        );
    let (poor, good) = ("1|@c0|4|0.5|0.75|0.3333|3|0.6667", "1|@c1|1|0.0|0.0|0.0|0|");
    assert_eq!(answer(&told, "data-quality", &[]).await, [poor, good]);
    assert_eq!(answer(&told, "data-quality", &[("contract", &shown("c1"))]).await, [good]);
}

#[tokio::test]
async fn a_contract_is_told_day_by_day() {
    let told = company().rows(
        Table::Events,
        [
            step(2, &pack("1"), "shipping", "b1"),
            with(step(2, &pack("2"), "shipping", "ee"), json!({"log_index": 1, "legal": false})),
            step(2, &pack("1"), "packing", "b1"),
            with(step(2, &pack("1"), "packing", "b1"), json!({"log_index": 2})),
            step(3, &pack("1"), "shipping", "b1"),
            with(step(3, &pack("1"), "shipping", "b1"), json!({"contract": address("c1")})),
        ],
    );
    let days =
        ["1|2026-01-02|packing|2|1|1|0", "1|2026-01-02|shipping|2|2|2|1", "1|2026-01-03|shipping|1|1|1|0"];
    let contract = shown("c0");
    assert_eq!(answer(&told, "contract-activity", &[("contract", &contract)]).await, days);
    let upper = format!("0x{}", contract[2..].to_uppercase());
    let since = [("contract", upper.as_str()), ("since", "2026-01-03")];
    assert_eq!(answer(&told, "contract-activity", &since).await, days[2..]);
    let until = [("contract", contract.as_str()), ("until", "2026-01-03")];
    assert_eq!(answer(&told, "contract-activity", &until).await, days[..2]);
}

#[tokio::test]
async fn open_cases_are_told_by_rule_the_worst_first() {
    let case = |key: u8, rule: &str, severity: &str, at: u64, more: Value| {
        let row = json!({
            "case_key": format!("{key:064x}"), "rule": rule, "severity": severity, "standing": "standing",
            "raised_at": day(at), "members": 0, "chain": 1,
        });
        with(row, more)
    };
    let told = company().rows(
        Table::Alerts,
        [
            case(1, "SQ-01", "high", 2, json!({})),
            case(2, "SQ-01", "high", 4, json!({"standing": "in_grace", "members": 3})),
            case(3, "ID-01", "critical", 3, json!({})),
            case(4, "ID-01", "critical", 3, json!({"standing": "explained"})),
            case(5, "SQ-01", "high", 5, json!({"root": format!("{:064x}", 1)})),
            case(6, "ST-05", "low", 1, json!({})),
            case(7, "AG-01", "high", 3, json!({})),
        ],
    );
    assert_eq!(
        answer(&told, "open-cases", &[]).await,
        [
            "critical|ID-01|1|0|1|0|2026-01-03|2026-01-03",
            "high|SQ-01|2|1|2|3|2026-01-02|2026-01-04",
            "high|AG-01|1|0|1|0|2026-01-03|2026-01-03",
            "low|ST-05|1|0|1|0|2026-01-01|2026-01-01",
        ]
    );
}

//! What is given becomes a value of its type, or an error that says what is wrong with it.

use super::told::{GTIN, company, item, pack};
use super::{answer, ask};
use crate::testing::Told;
use model::tables::Table;

async fn refused(name: &str, arguments: &[(&str, &str)]) -> String {
    let error = ask(&Told::default(), name, arguments).await.unwrap_err();
    assert_eq!(error.code(), "parameters", "{error}");
    error.to_string()
}

#[tokio::test]
async fn what_is_no_value_of_its_type_says_why() {
    let contract = "contract-activity";
    for (name, arguments, said) in [
        ("recall-reach", &[][..], "the parameter gtin (gtin) is missing: the product"),
        ("recall-reach", &[("gtin", "")], "the parameter gtin (gtin) is missing: the product"),
        (
            "recall-reach",
            &[("product", GTIN)],
            "there is no parameter 'product'; this query takes gtin, lot, limit",
        ),
        ("recall-reach", &[("gtin", GTIN), ("gtin", GTIN)], "the parameter gtin is given twice"),
        (
            "overdue-in-transit",
            &[("days", "-1")],
            "the parameter days: '-1' is no whole number from 0 to 9223372036854775807",
        ),
        (
            "overdue-in-transit",
            &[("limit", "+1")],
            "the parameter limit: '+1' is no whole number from 0 to 9223372036854775807",
        ),
        (
            "overdue-in-transit",
            &[("time", "yesterday")],
            "the parameter time: 'yesterday' is no time: 2026-11-23T10:00:00Z or 2026-11-23 is expected",
        ),
        (
            contract,
            &[("contract", "0x1234")],
            "the parameter contract: '0x1234' is no address: 0x and 40 hexadecimal digits are expected",
        ),
        (
            contract,
            &[("contract", "0x52908400098527886E0F7030069857D2E4169Ee7")],
            "the parameter contract: '0x52908400098527886E0F7030069857D2E4169Ee7' does not fit its checksum \
             (EIP-55): is a digit wrong?",
        ),
    ] {
        assert_eq!(refused(name, arguments).await, said, "{name} {arguments:?}");
    }
    let long = "x".repeat(257);
    assert_eq!(
        refused("recall-breaches", &[("recall", &long)]).await,
        "the parameter recall: a value has at most 256 characters"
    );
    let digit = refused("recall-reach", &[("gtin", "04012345111119")]).await;
    assert!(digit.starts_with("the parameter gtin: ") && digit.contains("check digit"), "{digit}");
    let nothing = refused("travelled-with", &[("item", "pack 12")]).await;
    assert!(nothing.starts_with("the parameter item: 'pack 12' names no item"), "{nothing}");
}

#[tokio::test]
async fn a_value_is_bound_as_what_it_is_and_never_read_as_sql() {
    let told = company().rows(Table::Items, [item("1", "active", "a1")]);
    let whole = ["1|active|@a1|1|Maker|DE|||1|0"];
    // All forms of one GTIN, and a lot that is only a text.
    for gtin in [GTIN, "4012345111118"] {
        assert_eq!(answer(&told, "recall-reach", &[("gtin", gtin), ("lot", "L1")]).await, whole);
    }
    for lot in ["L1' OR '1'='1", "' UNION SELECT * FROM alerts --", "$gtin", "%"] {
        assert_eq!(
            answer(&told, "recall-reach", &[("gtin", GTIN), ("lot", lot)]).await,
            Vec::<String>::new()
        );
    }
    let key = format!("https://id.gs1.org/{}", pack("1"));
    assert_eq!(answer(&told, "travelled-with", &[("item", &key)]).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_has_as_many_rows_as_are_asked_for_and_says_when_there_are_more() {
    let packs = ["1", "2", "3"].map(|serial| item(serial, "active", &format!("e{serial}")));
    let told = company().rows(Table::Items, packs);
    for (limit, rows, truncated) in
        [("2", 2, true), ("3", 3, false), ("4", 3, false), ("0", 0, true), ("", 3, false)]
    {
        let (batches, cut) = ask(&told, "recall-reach", &[("gtin", GTIN), ("limit", limit)]).await.unwrap();
        let count: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!((count, cut), (rows, truncated), "limit {limit}");
    }
}

//! A pack inside a case, told from the tables.

use super::pedigree;
use crate::engine::Engine;
use crate::error::Error;
use crate::limits::Limits;
use crate::testing::{Told, engine_over};
use model::tables::Table;
use serde_json::json;
use std::sync::Arc;

const PACK: &str = "01/04012345111118/21/P%27--1";
const CASE: &str = "00/340123451111111111";

/// Commissioned, packed into a case that is shipped and received, taken out, dispensed twice; the case goes on alone.
fn story() -> Engine {
    let event = |block: u64, item: &str, kind: &str, legal: bool| json!({"chain": 1, "block_number": block, "item": item, "kind": kind, "legal": legal, "authority": "authoritative"});
    let told = Told::default()
        .rows(Table::Items, [json!({"chain": 1, "item": PACK, "state": "dispensed", "branches": 1, "steps": 5})])
        .rows(Table::Tokens, [json!({"chain": 1, "item": PACK, "standard": "erc721"})])
        .rows(
            Table::Events,
            [
                event(1, PACK, "commissioning", true),
                event(1, CASE, "commissioning", true),
                event(2, PACK, "packing", true),
                event(3, CASE, "shipping", true),
                event(4, CASE, "receiving", true),
                event(5, PACK, "unpacking", true),
                event(6, CASE, "shipping", true),
                event(7, PACK, "dispensing", true),
                event(8, PACK, "dispensing", false),
                event(9, "01/04012345111118/21/OTHER", "dispensing", true),
            ],
        )
        .rows(
            Table::Containment,
            [json!({"chain": 1, "child": PACK, "parent": CASE, "from_block": 2, "from_log": 0, "to_block": 5, "to_log": 0})],
        )
        .rows(
            Table::Alerts,
            [
                json!({"rule": "ST-01", "severity": "critical", "standing": "standing", "subject_kind": "item", "subject": PACK,
                    "item": PACK, "chain": 1, "block_number": 8, "expected": "no further step", "came": "dispensing"}),
                json!({"rule": "SQ-01", "severity": "high", "standing": "standing", "subject_kind": "item", "subject": PACK,
                    "item": PACK, "chain": 1, "block_number": 3, "sub_index": 9, "expected": "x", "came": "y"}),
            ],
        );
    engine_over(Arc::new(told), Limits::default())
}

#[tokio::test]
async fn a_pack_tells_what_its_case_carried_and_what_was_flagged_in_place() {
    let told = pedigree(&story(), PACK).await.unwrap();
    let entries = told.entries.iter().map(|entry| {
        let rules: Vec<_> = entry.alerts.iter().map(|alert| alert.rule.as_str()).collect();
        (entry.event.block_number, entry.event.kind.as_str(), entry.inside.as_deref(), rules)
    });
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            (1, "commissioning", None, vec![]),
            (2, "packing", None, vec![]),
            (3, "shipping", Some(CASE), vec![]),
            (4, "receiving", Some(CASE), vec![]),
            (5, "unpacking", None, vec![]),
            (7, "dispensing", None, vec![]),
            (8, "dispensing", None, vec!["ST-01"]),
        ]
    );
    let others: Vec<_> = told.other_alerts.iter().map(|alert| alert.rule.as_str()).collect();
    assert_eq!(others, ["SQ-01"]);
    assert_eq!((told.now[0].state.as_str(), told.tokens.len(), told.truncated), ("dispensed", 1, false));
}

#[tokio::test]
async fn every_form_of_the_key_tells_the_same_story() {
    let engine = story();
    let told = pedigree(&engine, PACK).await.unwrap();
    let web = pedigree(&engine, &format!(" https://id.gs1.org/{PACK}\n")).await.unwrap();
    assert_eq!(told, web);
}

#[tokio::test]
async fn what_nobody_spoke_of_is_empty_and_what_is_no_key_is_refused() {
    let engine = story();
    assert!(pedigree(&engine, "01/04012345111118/21/NOBODY").await.unwrap().is_empty());
    let error = pedigree(&engine, "' OR 1=1 --").await.unwrap_err();
    assert!(matches!(error, Error::Item(_)), "{error}");
}

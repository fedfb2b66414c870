//! A story as a person reads it.

use super::as_text;
use query::pedigree::Pedigree;
use serde_json::json;

#[test]
fn a_story_is_told_in_order_with_what_was_flagged_in_place() {
    let event = |block: u64, kind: &str, legal: bool, finality: &str| {
        json!({"chain": 1, "block_number": block, "log_index": 2, "sub_index": 0, "block_time": "2025-03-01T10:00:00Z", "event_time": null,
            "tx_hash": "0x01", "contract": "0xaa", "token_id": "7", "kind": kind, "branch": 0, "legal": legal, "authority": "authoritative",
            "from_address": null, "to_address": null, "actor": "0xbb", "parent": null, "quantity": null, "place": "4012345000009",
            "reason": null, "detail": null, "finality": finality})
    };
    let alert = json!({"case_key": "0x1", "rule": "ST-01", "severity": "critical", "standing": "standing", "chain": 1, "block_number": 9,
        "log_index": 2, "sub_index": 0, "raised_at": "2025-03-01T10:00:00Z", "expected": "nothing more", "came": "dispensing \u{7}",
        "accused": null, "victim": null, "witness": null, "root": null, "evidence": "1:9/2", "finality": "provisional",
        "subject_kind": "item", "subject": "01/04012345111118/21/2017", "item": null, "tx_hash": "0x01", "members": 0,
        "members_query": null, "retroactive": false, "explained_as": null});
    let told: Pedigree = serde_json::from_value(json!({
        "item": "01/04012345111118/21/2017",
        "snapshot": {"commit": 7, "chains": []},
        "now": [{"chain": 1, "gtin": null, "serial": null, "lot": "L1", "expiry": "2027-01-31", "state": "dispensed", "possessor": "0xbb",
            "owner": null, "consignee": null, "parent": null, "maker": null, "branches": 2, "commissioned_at": null, "steps": 2, "finality": "provisional"}],
        "tokens": [{"chain": 1, "contract": "0xaa", "token_id": "7", "standard": "erc721", "owner": null, "minted_block": 1, "burnt_block": 9, "finality": "final"}],
        "entries": [
            {"event": event(3, "shipping", true, "final"), "inside": "00/340123451111111111", "alerts": []},
            {"event": event(9, "dispensing", false, "provisional"), "inside": null, "alerts": [alert]}
        ],
        "other_alerts": [],
        "truncated": true
    }))
    .unwrap();
    assert_eq!(
        as_text(&told, false),
        "\
01/04012345111118/21/2017
  now     chain 1: dispensed, held by 0xbb, lot L1, expires 2027-01-31, 2 contradicting stories, provisional
  token   eip155:1/erc721:0xaa/7, owner nobody: it is burnt

  2025-03-01T10:00:00Z  shipping             1:3/2
      by 0xbb  at 4012345000009  carried by 00/340123451111111111
  2025-03-01T10:00:00Z  dispensing           1:9/2  ILLEGAL  provisional
      by 0xbb  at 4012345000009
    ! critical ST-01: expected nothing more; came dispensing \\u{7}

  … there is more: ask the tables events and alerts
"
    );
}

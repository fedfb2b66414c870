//! What people look at, over a world of two parties, one lot, and a recall.

use super::{Server, request, service};
use crate::http::router;
use crate::limits::Limits;
use crate::testing::{Told, engine_over};
use axum::Router;
use axum::http::StatusCode;
use model::tables::Table;
use serde_json::{Value, json};
use std::sync::Arc;

const GTIN: &str = "04012345111118";
const NORTH: &str = "4012345000009";
const SOUTH: &str = "4012345000016";

fn address(n: u8) -> String {
    format!("0x{n:040x}")
}

fn item(serial: &str) -> String {
    format!("01/{GTIN}/21/{serial}")
}

/// A row of the registry with a number that names it.
fn registered(number: u8, list: &str, row: Value) -> Value {
    let mut row = row;
    row["chain"] = json!(1);
    row["list"] = json!(list);
    row["row_hash"] = json!(format!("{number:064x}"));
    row
}

fn registry() -> Vec<Value> {
    let party =
        |gln: &str, name: &str, role: &str| json!({"gln": gln, "name": name, "country": "DE", "role": role});
    let wallet =
        |n: u8, party: &str| json!({"address": format!("{n:040x}"), "party": party, "status": "active"});
    let lot = |lot: &str, expiry: &str| json!({"gtin": GTIN, "lot": lot, "expiry": expiry, "quantity": 3});
    let recall = |id: &str, from: &str, to: &str| {
        json!({"id": id, "gtin": GTIN, "lot": "L2", "class": "I", "effective_at": "2026-03-02T00:00:00Z",
            "serial_from": from, "serial_to": to})
    };
    let rows = [
        ("parties", party(NORTH, "North", "wholesaler")),
        ("parties", party(SOUTH, "South", "dispenser")),
        ("wallets", wallet(10, NORTH)),
        ("wallets", wallet(11, SOUTH)),
        ("licences", json!({"party": SOUTH, "kind": "dispensing", "jurisdiction": "DE", "status": "active"})),
        (
            "products",
            json!({"gtin": GTIN, "name": "Mirovanol", "owner": NORTH, "level": "pack", "markets": "DE"}),
        ),
        ("lots", lot("L1", "2027-01-31")),
        ("lots", lot("L2", "2027-01-31")),
        ("lots", lot("L3", "2026-02-28")),
        ("extensions", json!({"gtin": GTIN, "lot": "L3", "expiry": "2026-06-30"})),
        ("recalls", recall("R-7", "A", "C")),
        ("recalls", recall("R-8", "X", "Z")),
        (
            "contracts",
            json!({"on_chain": 1, "address": format!("{:040x}", 20), "tier": "authoritative", "gtin": GTIN}),
        ),
    ];
    let numbered = rows.into_iter().zip(1..);
    numbered.map(|((list, row), number)| registered(number, list, row)).collect()
}

fn items() -> Vec<Value> {
    let pack = |serial: &str, lot: &str, expiry: &str, state: &str| {
        json!({"chain": 1, "item": item(serial), "gtin": GTIN, "serial": serial, "lot": lot, "expiry": expiry,
            "state": state, "possessor": format!("{:040x}", 10), "branches": 1, "steps": 2, "commissioned_at": "2026-01-01T00:00:00Z"})
    };
    let mut inside = pack("BOXED", "L2", "2027-01-31", "packed");
    inside["possessor"] = Value::Null;
    inside["parent"] = json!("00/340123451111111111");
    let mut crated = pack("CRATED", "L1", "2027-01-31", "packed");
    crated["possessor"] = Value::Null;
    crated["parent"] = json!("00/340123451111111128");
    let mut blank = pack("BLANK", "", "", "active");
    (blank["lot"], blank["expiry"]) = (Value::Null, Value::Null);
    vec![
        crated,
        blank,
        json!({"chain": 1, "item": "00/340123451111111128", "state": "destroyed"}),
        pack("GOOD", "L1", "2027-01-31", "active"),
        pack("GONE", "L1", "2027-01-31", "dispensed"),
        pack("OLD", "L4", "2026-01-31", "active"),
        pack("LONGER", "L3", "2026-02-28", "active"),
        pack("BACK", "L2", "2027-01-31", "active"),
        pack("SPARED", "L2", "2027-01-31", "active"),
        pack("ODD", "L1", "2027-01-31", "active"),
        pack("FOREIGN", "L1", "2027-01-31", "unknown"),
        inside,
        json!({"chain": 1, "item": "00/340123451111111111", "state": "active", "possessor": format!("{:040x}", 11)}),
    ]
}

fn alert(number: u8, item: &str, severity: &str, root: Option<u8>) -> Value {
    json!({"case_key": format!("{number:064x}"), "rule": "ST-04", "severity": severity, "standing": "standing",
        "subject_kind": "item", "subject": item, "item": item, "chain": 1, "block_number": number,
        "raised_at": format!("2026-03-0{number}T00:00:00Z"), "expected": "quarantine", "came": "dispensing",
        "accused": SOUTH, "root": root.map(|root| format!("{root:064x}"))})
}

fn server() -> Server {
    let event = json!({"chain": 1, "block_number": 5, "item": item("BACK"), "gtin": GTIN, "lot": "L2", "kind": "shipping",
        "legal": true, "authority": "authoritative", "block_time": "2026-03-03T00:00:00Z", "actor": format!("{:040x}", 10),
        "contract": format!("{:040x}", 20)});
    let mut before = event.clone();
    before["block_number"] = json!(2);
    before["block_time"] = json!("2026-03-01T00:00:00Z");
    before["contract"] = json!(format!("{:040x}", 21));
    let mut spared = event.clone();
    spared["item"] = json!(item("SPARED"));
    let told = Told::default()
        .rows(Table::Registry, registry())
        .rows(Table::Items, items())
        .rows(Table::Blocks, [json!({"chain": 1, "number": 9, "time": "2026-03-10T12:00:00Z"})])
        .rows(Table::Events, [before, event, spared])
        .rows(
            Table::Alerts,
            [
                alert(1, &item("ODD"), "critical", None),
                alert(2, &item("BACK"), "high", None),
                alert(3, &item("BACK"), "low", Some(2)),
                alert(4, &item("GOOD"), "low", None),
            ],
        );
    let engine = Arc::new(engine_over(Arc::new(told), Limits::default()));
    Server(router(service(engine), Router::new()))
}

async fn json_of(server: &mut Server, path: &str) -> Value {
    let reply = server.get(path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// The texts of one field of each element.
fn each<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap_or("–")).collect()
}

/// What is said of a claim: the verdict, the standard's code of a failure, its further codes, the codes of reasons.
async fn said(server: &mut Server, claim: &Value) -> String {
    let mut whole = claim.clone();
    whole["gtin"] = json!("4012345111118");
    let headers = [("content-type", "application/json")];
    let reply = server.send(request("POST", "/v1/verify", &headers, &whole.to_string())).await;
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    let verdict = answer["verdict"].as_str().unwrap();
    assert_eq!(answer["verified"], verdict == "verified", "{claim}");
    let failure = answer["verification_failure_reason"].as_str().unwrap_or("–");
    let info: Vec<&str> =
        answer["additional_info"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    format!("{verdict} {failure} [{}] [{}]", info.join(" "), each(&answer["reasons"], "code").join(" "))
}

#[tokio::test]
async fn a_pack_is_verified_by_what_the_chain_and_the_registry_say() {
    let mut server = server();
    let stopped = "not_verified Not_for_re-distribution";
    for (claim, expected) in [
        (json!({"serial": "GOOD", "lot": "l1", "expiry": "2027-01-31"}), "verified – [] []".to_owned()),
        (json!({"serial": "GOOD", "expiry": "2027-01-00"}), "verified – [] []".to_owned()),
        (
            json!({"serial": "GOOD", "lot": "L9"}),
            "suspect No_match_GTIN_Serial_Lot [] [lot_mismatch]".to_owned(),
        ),
        (
            json!({"serial": "GOOD", "lot": "L9", "expiry": "2028-01-31"}),
            "suspect No_match_GTIN_Serial_Lot_Expiry [] [lot_mismatch expiry_mismatch]".to_owned(),
        ),
        (json!({"serial": "GONE"}), format!("{stopped} [] [dispensed]")),
        (json!({"serial": "OLD"}), format!("{stopped} [Expired] [expired]")),
        (
            json!({"serial": "LONGER", "expiry": "2026-06-30"}),
            "verified – [ExpirationExtended] []".to_owned(),
        ),
        (json!({"serial": "BOXED"}), format!("{stopped} [Recalled] [recalled]")),
        (
            json!({"serial": "BACK"}),
            "suspect Not_for_re-distribution [Recalled Suspect] [open_alert recalled]".to_owned(),
        ),
        (json!({"serial": "ODD"}), "suspect Not_for_re-distribution [Suspect] [open_alert]".to_owned()),
        (json!({"serial": "FOREIGN"}), "unknown No_match_GTIN_Serial [] [unknown_serial]".to_owned()),
        (json!({"serial": "NOBODY"}), "unknown No_match_GTIN_Serial [] [unknown_serial]".to_owned()),
    ] {
        assert_eq!(said(&mut server, &claim).await, expected, "{claim}");
    }
}

#[tokio::test]
async fn what_is_around_a_pack_counts_and_where_the_chain_is_silent_what_is_printed() {
    let mut server = server();
    let stopped = "not_verified Not_for_re-distribution";
    for (claim, expected) in [
        (json!({"serial": "CRATED"}), format!("{stopped} [] [not_active]")),
        (json!({"serial": "BLANK"}), "verified – [] []".to_owned()),
        (json!({"serial": "BLANK", "lot": "l2"}), format!("{stopped} [Recalled] [recalled]")),
        (json!({"serial": "BLANK", "expiry": "2026-02-00"}), format!("{stopped} [Expired] [expired]")),
    ] {
        assert_eq!(said(&mut server, &claim).await, expected, "{claim}");
    }
}

#[tokio::test]
async fn a_claim_that_is_none_is_refused_with_what_is_wrong() {
    let mut server = server();
    for (claim, code) in [
        (json!({"gtin": "4012345111117", "serial": "A"}), "parameters"),
        (json!({"gtin": "123", "serial": "A"}), "parameters"),
        (json!({"gtin": "4012345111118", "serial": "A", "expiry": "31.01.2027"}), "parameters"),
        (json!({"gtin": "4012345111118", "serial": "A", "expiry": "2027-13-01"}), "parameters"),
        (json!({"gtin": "4012345111118", "serial": "A", "colour": "red"}), "body"),
    ] {
        let headers = [("content-type", "application/json")];
        let reply = server.send(request("POST", "/v1/verify", &headers, &claim.to_string())).await;
        assert!(reply.status.is_client_error());
        assert_eq!(reply.code(), code, "{claim}");
    }
}

#[tokio::test]
async fn a_recall_reaches_packs_through_what_is_around_them() {
    let mut server = server();
    let lot = json_of(&mut server, &format!("/v1/lots/{GTIN}/L2")).await;
    assert_eq!(
        lot["holders"],
        json!([
            {"holder": address(10), "state": "active", "items": 2},
            {"holder": address(11), "state": "packed", "items": 1},
        ])
    );
    assert_eq!((&lot["declared"], &lot["commissioned"]), (&json!(3), &json!(3)));
    assert_eq!(each(&lot["recalls"], "id"), ["R-7", "R-8"]);
    // Neither the step before it took effect, nor that of a pack beyond its serials.
    let after = (each(&lot["after_recall"], "item"), each(&lot["after_recall"], "block_time"));
    assert_eq!(after, (vec![item("BACK").as_str()], vec!["2026-03-03T00:00:00Z"]));
    assert_eq!(each(&lot["alerts"], "severity"), ["low", "high"]);
    assert_eq!(lot["parties"][address(11)]["name"], "South");
    let lots = json_of(&mut server, "/v1/lots?q=miro").await;
    assert_eq!(each(&lots["lots"], "lot"), ["L2", "L1", "L3", "L4"]);
    assert_eq!(server.get(&format!("/v1/lots/{GTIN}/NONE")).await.code(), "not-found");
    assert_eq!(server.get("/v1/lots/04012345111117/L1").await.code(), "parameters");
}

#[tokio::test]
async fn cases_are_found_by_what_is_asked_and_paged_without_a_gap() {
    let mut server = server();
    let all = json_of(&mut server, "/v1/alerts").await;
    assert_eq!(
        (each(&all["alerts"], "severity"), &all["total"]),
        (vec!["low", "high", "critical"], &json!(3))
    );
    assert_eq!(all["alerts"][0]["title"], "recalled");
    assert_eq!(all["parties"][SOUTH]["name"], "South");
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = json_of(&mut server, &format!("/v1/alerts?limit=1&members=true{after}")).await;
        paged.push(page["alerts"][0]["block_number"].as_u64().unwrap());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(paged, [4, 3, 2, 1]);
    for (filter, found) in [
        ("severity=high,critical", vec!["high", "critical"]),
        ("rule=ID-01", vec![]),
        ("q=BACK", vec!["high"]),
        ("q=st-04&standing=standing&finality=provisional", vec!["low", "high", "critical"]),
        ("finality=final", vec![]),
    ] {
        let page = json_of(&mut server, &format!("/v1/alerts?{filter}")).await;
        assert_eq!(each(&page["alerts"], "severity"), found, "{filter}");
    }
    for (path, code) in [
        ("/v1/alerts?severity=deadly", "parameters"),
        ("/v1/alerts?after=' OR 1=1", "parameters"),
        ("/v1/alerts?after=2026-03-01~0x1", "parameters"),
        ("/v1/alerts?colour=red", "parameters"),
        ("/v1/alerts/0x12", "parameters"),
    ] {
        let path = path.replace(' ', "%20");
        let reply = server.get(&path).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(reply.code(), code, "{path}");
    }
    let case = json_of(&mut server, &format!("/v1/alerts/0x{:064x}", 2)).await;
    assert_eq!(
        (&case["alert"]["severity"], each(&case["members"], "severity")),
        (&json!("high"), vec!["low"])
    );
    assert_eq!(server.get(&format!("/v1/alerts/0x{:064x}", 99)).await.code(), "not-found");
}

#[tokio::test]
async fn a_case_that_the_chain_took_back_is_told_as_people_were_told_of_it() {
    let key = format!("0x{:064x}", 7);
    let subject = model::alert::Subject::Item(item("BACK"));
    let told = json!({"case_key": key, "rule": "ST-04", "rule_version": 1, "severity": "high", "standing": "standing",
        "subject": subject, "item": item("BACK"), "chain": 1, "position": {"block": 5, "log": 3, "sub": 0},
        "tx_hash": key, "raised_at_secs": 1_772_496_000, "expected": "quarantine", "came": "shipping", "accused": SOUTH,
        "victim": null, "witness": null, "root": null, "members": 0, "members_query": null, "retroactive": false,
        "explained_as": null, "parameters": "", "evidence": [[1, {"block": 5, "log": 3, "sub": 0}]]});
    let notice = |revision: u32, kind: &str| {
        json!({"chain": 1, "stream_sequence": revision, "case_key": &key[2..], "revision": revision, "kind": kind,
            "rule": "ST-04", "severity": "high", "alert": told.to_string()})
    };
    let notices = [notice(1, "opened"), notice(2, "withdrawn")];
    let tables = Told::default().rows(Table::Registry, registry()).rows(Table::Notices, notices);
    let engine = Arc::new(engine_over(Arc::new(tables), Limits::default()));
    let mut server = Server(router(service(engine), Router::new()));
    let case = json_of(&mut server, &format!("/v1/alerts/{key}")).await;
    assert_eq!(each(&case["notices"], "kind"), ["opened", "withdrawn"]);
    let alert = &case["alert"];
    assert_eq!((&alert["finality"], &alert["came"]), (&json!("withdrawn"), &json!("shipping")));
    assert_eq!((&alert["raised_at"], &alert["evidence"]), (&json!("2026-03-03T00:00:00Z"), &json!("1:5/3")));
    assert_eq!(case["parties"][SOUTH]["name"], "South");
}

#[tokio::test]
async fn one_item_is_told_with_who_is_who() {
    let mut server = server();
    let written = [item("BACK"), item("BACK").replace('/', "%2F")];
    for key in written {
        let told = json_of(&mut server, &format!("/v1/items/{key}")).await;
        assert_eq!(each(&told["now"], "state"), ["active"]);
        assert_eq!(told["product"]["name"], "Mirovanol");
        assert_eq!(told["lot"]["quantity"], 3);
        assert_eq!(told["parties"][address(10)]["name"], "North");
        assert_eq!(told["entries"].as_array().unwrap().len(), 2);
    }
    let found = json_of(&mut server, "/v1/items?q=GO").await;
    assert_eq!(each(&found["items"], "serial"), ["GONE", "GOOD"]);
    assert_eq!(server.get("/v1/items/nonsense").await.code(), "item");
    assert_eq!(server.get(&format!("/v1/items/{}", item("NOBODY"))).await.code(), "not-found");
    assert_eq!(server.get("/v1/items").await.code(), "parameters");
}

#[tokio::test]
async fn who_takes_part_is_told_with_what_he_has() {
    let mut server = server();
    let parties = json_of(&mut server, "/v1/parties").await;
    let told: Vec<(&str, u64, u64)> = parties["parties_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (p["name"].as_str().unwrap(), p["stock"].as_u64().unwrap(), p["open_alerts"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(told, [("North", 9, 0), ("South", 1, 4)]);
    assert_eq!(each(&parties["parties_list"][1]["licences"], "kind"), ["dispensing"]);
    let contracts = json_of(&mut server, "/v1/contracts").await;
    assert_eq!(each(&contracts["contracts"], "tier"), ["unknown", "authoritative"]);
    assert_eq!(each(&contracts["contracts"], "contract"), [address(21), address(20)]);
    let system = json_of(&mut server, "/v1/system").await;
    assert_eq!(system["alerts"], json!({"critical": 1, "high": 1, "medium": 0, "low": 1}));
    assert_eq!(system["ready"], false, "nothing said yet that it is");
    assert_eq!(each(&json_of(&mut server, "/v1/rules").await["rules"], "code"), ["ST-04"]);
}

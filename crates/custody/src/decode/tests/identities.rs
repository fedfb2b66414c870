//! What logs say an item is, in honest and in hostile words.

use super::kit::{TestLog, decode, event, id, log, plain, shipped, who, written};
use model::event::{ActorSource, Event, EventKind, Identity};

const COMMISSIONED: &str = "Commissioned(uint256 indexed tokenId, address indexed maker, string gtin, \
                            string serial, \
                            string lot, uint32 expiry, uint64 at)";

fn commissioned(gtin: &str, serial: &str, lot: &str, expiry: &str) -> TestLog {
    log(COMMISSIONED, &["7", &who(1).to_string(), gtin, serial, lot, expiry, "1700000000"])
}

fn identity(gtin: &str, serial: &str, lot: &str, expiry: &str) -> Identity {
    event(&shipped("gs1-pack"), commissioned(gtin, serial, lot, expiry)).identity
}

#[test]
fn a_pack_is_commissioned_under_its_name() {
    let expected = Event {
        token: id(7),
        to: Some(who(1)),
        actor: Some(who(1)),
        actor_source: Some(ActorSource::Log),
        event_time_secs: Some(1_700_000_000),
        identity: Identity {
            gtin: Some("10614141073464".parse().unwrap()),
            serial: Some("S-1".parse().unwrap()),
            lot: Some("L7".parse().unwrap()),
            expiry_day: Some(21_183),
            ..Identity::default()
        },
        ..plain(EventKind::Commissioning)
    };
    assert_eq!(
        event(&shipped("gs1-pack"), commissioned("10614141073464", "S-1", "L7", "20271231")),
        expected
    );
    // DD=00 is the month's last day.
    let month = event(&shipped("gs1-pack"), commissioned("10614141073464", "S-1", "L7", "20271200"));
    assert_eq!(month, expected);
}

#[test]
fn names_that_are_no_keys_are_shown_and_the_event_stays() {
    let hostile = identity("10614141073465", "\u{1b}[31mred", &"L".repeat(5000), "20271301");
    assert_eq!((hostile.gtin, hostile.serial, hostile.lot, hostile.expiry_day), (None, None, None, None));
    let rejected = hostile.rejected.unwrap();
    assert!(rejected.starts_with(
        "gtin: '10614141073465' (its check digit is 4); serial: '\\u{1b}[31mred' (not 1 to 20 characters \
         of the GS1 \
         set 82); lot: 'LLLL"
    ));
    assert!(rejected.ends_with("expiry: '20271301' (no such day)"), "{rejected}");
    assert!(rejected.len() < 800, "{}", rejected.len());
}

#[test]
fn what_a_contract_leaves_empty_is_absent_and_not_wrong() {
    assert_eq!(identity("", "", "", "0"), Identity::default());
}

#[test]
fn a_place_is_a_gln_or_a_remark() {
    let received = |gln: &str| {
        let signature = "Received(uint256 indexed tokenId, address indexed by, uint64 at, string gln)";
        let log = log(signature, &["7", &who(2).to_string(), "1700000000", gln]);
        let event = event(&shipped("gs1-pack"), log);
        assert_eq!(event.kind, EventKind::Receiving);
        (event.place.map(|place| place.to_string()), event.detail)
    };
    assert_eq!(received("0614141073467"), (Some("0614141073467".into()), None));
    assert_eq!(received("urn:epc:id:sgln:0614141.07346.0"), (Some("0614141073467".into()), None));
    assert_eq!(received(""), (None, None));
    assert_eq!(received("Hamburg\n"), (None, Some("gln: 'Hamburg\\u{a}' is no GLN".into())));
}

#[test]
fn a_time_that_no_calendar_holds_is_a_remark() {
    let destroyed = |at: &str| {
        let signature = "Destroyed(uint256 indexed tokenId, address indexed by, uint64 at)";
        let event = event(&shipped("gs1-pack"), log(signature, &["7", &who(2).to_string(), at]));
        (event.event_time_secs, event.detail)
    };
    assert_eq!(destroyed("1700000000"), (Some(1_700_000_000), None));
    assert_eq!(destroyed("0"), (None, None));
    let never = u64::MAX.to_string();
    assert_eq!(destroyed(&never), (None, Some(format!("at: {never} is no time"))));
}

#[test]
fn identities_come_as_numbers_bytes_and_whole_texts() {
    let profiles = written(
        r#"
        standard = "erc721"
        transfer = "ownership"
        [[event]]
        signature = "Named(uint256 indexed id, uint64 gtin, uint256 serial, bytes32 lot, uint32 expires)"
        step = "identity"
        token = "id"
        gtin = "gtin"
        serial = "serial"
        lot = "lot"
        expiry = "expires"
        expiry_format = "days"
        [[event]]
        signature = "Labelled(uint256 indexed id, string epc)"
        step = "identity"
        token = "id"
        item = "epc"
        "#,
    );
    let lot = alloy_primitives::hex::encode_prefixed(alloy_primitives::B256::right_padding_from(b"L-7"));
    let numbers = log(
        "Named(uint256 indexed id, uint64 gtin, uint256 serial, bytes32 lot, uint32 expires)",
        &["7", "4012345111118", "2017", &lot, "21183"],
    );
    let expected = Identity {
        gtin: Some("04012345111118".parse().unwrap()),
        serial: Some("2017".parse().unwrap()),
        lot: Some("L-7".parse().unwrap()),
        expiry_day: Some(21_183),
        ..Identity::default()
    };
    assert_eq!(event(&profiles, numbers).identity, expected);
    let label = "https://id.gs1.org/01/04012345111118/10/L-7/21/2017?17=271231";
    let labelled = log("Labelled(uint256 indexed id, string epc)", &["7", label]);
    assert_eq!(event(&profiles, labelled).identity, expected);
    let urn = log("Labelled(uint256 indexed id, string epc)", &["7", "urn:epc:id:sscc:0614141.1234567890"]);
    assert_eq!(event(&profiles, urn).identity.sscc, Some("106141412345678908".parse().unwrap()));
    let nonsense = log("Labelled(uint256 indexed id, string epc)", &["7", "pack \u{200b}12"]);
    assert_eq!(
        event(&profiles, nonsense).identity.rejected.unwrap(),
        "item: 'pack \\u{200b}12' (neither Digital Link, EPC URN nor element string)"
    );
}

#[test]
fn a_uri_that_holds_its_metadata_names_the_token_at_once() {
    let uri = r#"data:application/json,{"gtin":"04012345111118","lot":"L-7"}"#;
    let decoded =
        decode(&shipped("erc1155-lot"), &[log("URI(string value, uint256 indexed id)", &[uri, "7"])]);
    let changed = Event { token: id(7), detail: Some(uri.into()), ..plain(EventKind::UriChanged) };
    let mut named = Event { detail: None, kind: EventKind::Identity, ..changed.clone() };
    named.position.sub = 1;
    named.identity.gtin = Some("04012345111118".parse().unwrap());
    named.identity.lot = Some("L-7".parse().unwrap());
    assert_eq!(decoded.events, [changed, named]);
    let remote = log("URI(string value, uint256 indexed id)", &["ipfs://bafybeigdyrzt5", "7"]);
    assert_eq!(event(&shipped("erc1155-lot"), remote).detail.unwrap(), "ipfs://bafybeigdyrzt5");
}

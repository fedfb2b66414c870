//! Logs that speak of several items: ERC-1155 batches and lists of a contract's own.

use super::kit::{TestLog, decode, event, id, log, plain, refusal, shipped, who, written};
use alloy_primitives::U256;
use model::event::{ActorSource, DeadReason, Event, EventKind};

const SINGLE: &str = "TransferSingle(address indexed operator, address indexed from, address indexed to, \
                      uint256 id, uint256 value)";
const BATCH: &str = "TransferBatch(address indexed operator, address indexed from, address indexed to, \
                     uint256[] ids, \
                     uint256[] values)";

fn transfer(layout: &str, what: &str, how_many: &str) -> TestLog {
    let parties = [9, 1, 2].map(|byte| who(byte).to_string());
    log(layout, &[&parties[0], &parties[1], &parties[2], what, how_many])
}

fn moved(sub: u32, token: u64, quantity: u64) -> Event {
    let mut event = Event {
        token: id(token),
        from: Some(who(1)),
        to: Some(who(2)),
        actor: Some(who(9)),
        actor_source: Some(ActorSource::Log),
        quantity: Some(U256::from(quantity)),
        ..plain(EventKind::TransferQuantity)
    };
    event.position.sub = sub;
    event
}

#[test]
fn a_single_transfer_moves_units_of_a_lot() {
    assert_eq!(event(&shipped("erc1155-lot"), transfer(SINGLE, "7", "40")), moved(0, 7, 40));
}

#[test]
fn a_batch_is_one_event_per_entry_also_for_a_repeated_id() {
    let decoded = decode(&shipped("erc1155-lot"), &[transfer(BATCH, "[7, 8, 7]", "[40, 0, 2]")]);
    assert_eq!(decoded.events, [moved(0, 7, 40), moved(1, 8, 0), moved(2, 7, 2)]);
}

#[test]
fn an_empty_batch_moves_nothing_and_is_accounted_for() {
    let expected = Event { kind: EventKind::Other, token: None, ..moved(0, 0, 0) };
    assert_eq!(event(&shipped("erc1155-lot"), transfer(BATCH, "[]", "[]")), expected);
}

#[test]
fn a_batch_whose_lists_differ_is_one_dead_letter_and_no_event() {
    let logs =
        [transfer(SINGLE, "1", "1"), transfer(BATCH, "[7, 8, 9]", "[40, 1]"), transfer(SINGLE, "2", "1")];
    let decoded = decode(&shipped("erc1155-lot"), &logs);
    assert_eq!(decoded.events.len(), 2);
    assert_eq!(decoded.dead_letters.len(), 1);
    let letter = &decoded.dead_letters[0];
    assert_eq!((letter.position.log, letter.reason), (1, DeadReason::LengthMismatch));
    assert_eq!(letter.detail, "ids has 3 entries, values has 2");
}

#[test]
fn transfers_of_units_are_custody_where_the_profile_says_so() {
    let profiles = written("standard = \"erc1155\"\ntransfer = \"custody\"");
    let zero = who(0).to_string();
    let mint = log(BATCH, &[&who(9).to_string(), &zero, &who(2).to_string(), "[7, 8]", "[40, 1]"]);
    let kinds: Vec<EventKind> = decode(&profiles, &[mint]).events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Commissioning, EventKind::Commissioning]);
    assert_eq!(event(&profiles, transfer(SINGLE, "7", "40")).kind, EventKind::Accepting);
}

#[test]
fn lists_of_a_contracts_own_become_rows_beside_what_they_share() {
    let profiles = written(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "BatchShipped(uint256[] ids, string[] lots, address indexed to, uint64 at)"
        step = "shipping"
        token = "ids"
        lot = "lots"
        to = "to"
        time = "at"
        "#,
    );
    let shipped = "BatchShipped(uint256[] ids, string[] lots, address indexed to, uint64 at)";
    let two = log(shipped, &["[7, 8]", "[A, B]", &who(2).to_string(), "1700000000"]);
    let decoded = decode(&profiles, &[two]);
    let expected = |sub: u32, token: u64, lot: &str| {
        let mut event = Event {
            token: id(token),
            to: Some(who(2)),
            event_time_secs: Some(1_700_000_000),
            ..plain(EventKind::Shipping)
        };
        event.identity.lot = Some(lot.parse().unwrap());
        event.position.sub = sub;
        event
    };
    assert_eq!(decoded.events, [expected(0, 7, "A"), expected(1, 8, "B")]);
    let unequal = log(shipped, &["[7, 8]", "[A]", &who(2).to_string(), "1700000000"]);
    assert_eq!(refusal(&profiles, unequal).0, DeadReason::LengthMismatch);
}

#[test]
fn fields_inside_structures_are_found_by_name_and_by_place() {
    let abi = r#"[{"type":"event","name":"Moved","anonymous":false,"inputs":[
        {"name":"by","type":"address","indexed":true},
        {"name":"items","type":"tuple[]","indexed":false,"components":[
            {"name":"id","type":"uint256"},{"name":"where","type":"tuple","components":[
                {"name":"gln","type":"string"},{"name":"shelf","type":"uint8"}]}]}]}]"#;
    let profiles = written(&format!(
        "standard = \"none\"\ntransfer = \"ownership\"\nabi = '''{abi}'''\n[[event]]\nsignature = \"Moved\"\n\
         step = \"receiving\"\ntoken = \"items.0\"\nplace = \"items.where.gln\"\nactor = \"by\"\ndetail = \
         \"items.where.1\""
    ));
    let moved = log(
        "Moved(address indexed by, (uint256,(string,uint8))[] items)",
        &[&who(3).to_string(), "[(7, (0614141073467, 4)), (8, (\"\", 5))]"],
    );
    let decoded = decode(&profiles, &[moved]);
    let expected = |sub: u32, token: u64, place: Option<&str>, shelf: &str| {
        let mut event = Event {
            token: id(token),
            actor: Some(who(3)),
            actor_source: Some(ActorSource::Log),
            place: place.map(|gln| gln.parse().unwrap()),
            detail: Some(shelf.into()),
            ..plain(EventKind::Receiving)
        };
        event.position.sub = sub;
        event
    };
    assert_eq!(decoded.events, [expected(0, 7, Some("0614141073467"), "4"), expected(1, 8, None, "5")]);
}

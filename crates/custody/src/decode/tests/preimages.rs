//! Indexed texts and lists leave only their hash: what can be known of them, and what cannot.

use super::kit::{TestLog, call, decode, event, id, log, plain, who, written};
use crate::decode::Profiles;
use alloy_primitives::{U256, keccak256};
use model::event::{ActorSource, Event, EventKind};

// The shapes of thuphamfintechtai/drug-traceability-contracts, myNFT.sol.
const HANDED_OVER: &str = "ManufacturerToDistributor(address indexed manufacturerAddress, address indexed \
                           distributorAddress, uint256[] indexed tokenId, uint256 receivedTimestamp)";
const CALL: &str = "manufacturerToDistributor(uint256[] tokenId, address distributorAddress)";

fn list_profile() -> Profiles {
    written(&format!(
        r#"
        standard = "erc721"
        transfer = "ownership"
        calls = ["{CALL}"]
        [[event]]
        signature = "{HANDED_OVER}"
        step = "accepting"
        token = "tokenId"
        from = "manufacturerAddress"
        to = "distributorAddress"
        actor = "manufacturerAddress"
        time = "receivedTimestamp"
        "#
    ))
}

fn handed_over() -> TestLog {
    log(HANDED_OVER, &[&who(1).to_string(), &who(2).to_string(), "[7, 8]", "1700000000"])
}

fn accepted() -> Event {
    Event {
        from: Some(who(1)),
        to: Some(who(2)),
        actor: Some(who(1)),
        actor_source: Some(ActorSource::Log),
        event_time_secs: Some(1_700_000_000),
        ..plain(EventKind::Accepting)
    }
}

#[test]
fn a_hashed_list_is_read_from_the_call() {
    let input = call(CALL, &["[7, 8]", &who(2).to_string()]);
    let first = Event { token: id(7), ..accepted() };
    let mut second = Event { token: id(8), ..accepted() };
    second.position.sub = 1;
    assert_eq!(
        decode(&list_profile(), &[handed_over().called_with(&input)]).events,
        [first.clone(), second.clone()]
    );
    // Wallets append a note of their own to calls.
    let noted = [input.as_slice(), b"via-some-wallet"].concat();
    assert_eq!(decode(&list_profile(), &[handed_over().called_with(&noted)]).events, [first, second]);
}

#[test]
fn a_hashed_list_that_nothing_explains_is_one_event_with_its_hash() {
    let hash = handed_over().topics[3];
    let unknown = Event { detail: Some(format!("tokenId: hash {hash}")), ..accepted() };
    let other_list = call(CALL, &["[7, 9]", &who(2).to_string()]);
    let other_function =
        call("other(uint256[] tokenId, address distributorAddress)", &["[7, 8]", &who(2).to_string()]);
    for input in [None, Some(other_list), Some(other_function), Some(vec![1, 2]), Some(Vec::new())] {
        let log = TestLog { input: input.clone(), ..handed_over() };
        assert_eq!(event(&list_profile(), log), unknown, "{input:?}");
    }
}

// The shapes of a contract found in several copies: the drug's id is an indexed text.
const MANUFACTURED: &str = "DrugManufactured(string indexed drugId, string drugName, uint256 quantity)";
const REGISTERED: &str = "DrugRegistered(string drugId)";

fn text_profile() -> Profiles {
    written(&format!(
        r#"
        standard = "none"
        transfer = "ownership"
        [[event]]
        signature = "{MANUFACTURED}"
        step = "commissioning"
        token = "drugId"
        lot = "drugId"
        quantity = "quantity"
        detail = "drugName"
        [[event]]
        signature = "{REGISTERED}"
        step = "identity"
        token = "drugId"
        lot = "drugId"
        "#
    ))
}

#[test]
fn a_hashed_text_is_read_from_another_log_of_the_transaction() {
    let token = U256::from_be_bytes(keccak256("DRUG-1").0);
    let manufactured = log(MANUFACTURED, &["DRUG-1", "Aspirin", "40"]);
    let registered = log(REGISTERED, &["DRUG-1"]);
    let mut named = Event {
        token: Some(token),
        quantity: Some(U256::from(40)),
        detail: Some("Aspirin".into()),
        ..plain(EventKind::Commissioning)
    };
    named.identity.lot = Some("DRUG-1".parse().unwrap());
    let mut registration = Event { token: Some(token), ..plain(EventKind::Identity) };
    registration.identity.lot = Some("DRUG-1".parse().unwrap());
    // Before or after it, but in the same transaction only.
    let mut after = registration.clone();
    after.position.log = 1;
    assert_eq!(
        decode(&text_profile(), &[manufactured.clone(), registered.clone()]).events,
        [named.clone(), after]
    );
    let mut second = named.clone();
    second.position.log = 1;
    assert_eq!(
        decode(&text_profile(), &[registered.clone(), manufactured.clone()]).events,
        [registration, second]
    );
    let apart = decode(&text_profile(), &[registered, manufactured.in_tx(1)]);
    let unnamed = &apart.events[1];
    assert_eq!((unnamed.token, unnamed.identity.lot), (Some(token), None));
    assert_eq!(unnamed.detail, Some(format!("Aspirin; drugId: hash {}", keccak256("DRUG-1"))));
}

// A list of the call costs nothing more to name again: the events that come of it are bounded.
#[test]
fn a_list_that_many_logs_name_is_not_expanded_without_end() {
    let ids = format!("[{}]", (0..2_000).map(|id| id.to_string()).collect::<Vec<_>>().join(","));
    let input = call(CALL, &[&ids, &who(2).to_string()]);
    let one = log(HANDED_OVER, &[&who(1).to_string(), &who(2).to_string(), &ids, "1700000000"]);
    let decoded = decode(&list_profile(), &vec![one.called_with(&input); 100]);
    // 32 logs of 2,000 tokens fit 65,536; the other 68 are one event each, with the hash.
    assert_eq!(decoded.events.len(), 32 * 2_000 + 68);
    let told = decoded.events.iter().filter(|event| event.detail.is_some());
    assert_eq!(told.count(), 68);
}

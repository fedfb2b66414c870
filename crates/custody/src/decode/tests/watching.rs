//! Which profile reads which log: addresses, any contract, families, profiles that change at a block.

use super::kit::{BLOCK, CHAIN, TestLog, decode, emitter, event, id, log, plain, refusal, watched, who};
use crate::decode::profile::{ContractProfile, builtin};
use crate::decode::{Profiles, WatchError, WatchedContract};
use model::chain::ChainId;
use model::event::{DeadReason, Event, EventKind};
use std::collections::BTreeSet;
use std::sync::Arc;

const TRANSFER: &str = "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)";
const DESTROYED: &str = "Destroyed(uint256 indexed tokenId, address indexed by, uint64 at)";

fn transfer() -> TestLog {
    log(TRANSFER, &[&who(1).to_string(), &who(2).to_string(), "7"])
}

fn destroyed() -> TestLog {
    log(DESTROYED, &["7", &who(1).to_string(), "0"])
}

fn contract(name: &str, address: Option<u8>, profile: &str) -> WatchedContract {
    WatchedContract { name: name.into(), address: address.map(who), ..watched(builtin(profile).unwrap()) }
}

#[test]
fn a_contract_that_is_not_watched_is_a_dead_letter_unless_any_is() {
    let named = vec![contract("packs", Some(0xaa), "gs1-pack")];
    let profiles = Profiles::new(named.clone()).unwrap();
    assert_eq!(
        refusal(&profiles, destroyed()),
        (DeadReason::UnknownEvent, "the contract is not watched in block 100".into())
    );
    let with_any = Profiles::new([named, vec![contract("impostors", None, "gs1-pack")]].concat()).unwrap();
    assert_eq!(event(&with_any, destroyed()).kind, EventKind::Destroying);
    assert_eq!(with_any.watched(CHAIN, emitter(), BLOCK).unwrap().name, "impostors");
    assert_eq!(with_any.watched(CHAIN, who(0xaa), BLOCK).unwrap().name, "packs");
    assert!(with_any.watches(CHAIN, who(0xaa)) && !with_any.watches(CHAIN, emitter()));
    assert!(with_any.watched(ChainId(2), who(0xaa), BLOCK).is_none());
}

#[test]
fn a_filter_asks_for_every_log_of_an_address_and_for_telling_topics_of_any() {
    let packs = Profiles::new(vec![contract("packs", Some(0xaa), "gs1-pack")]).unwrap();
    assert_eq!((packs.addresses(CHAIN), packs.topics(CHAIN)), (BTreeSet::from([who(0xaa)]), BTreeSet::new()));
    let any = Profiles::new(vec![contract("any", None, "gs1-pack")]).unwrap();
    let topics = any.topics(CHAIN);
    assert!(topics.contains(&destroyed().topics[0]));
    assert!(!topics.contains(&transfer().topics[0]), "a Transfer of any contract is half of the chain");
    assert_eq!((topics.len(), any.addresses(CHAIN).len(), any.topics(ChainId(2)).len()), (17, 0, 0));
    let tokens = Profiles::new(vec![contract("any", None, "erc721")]).unwrap();
    assert!(tokens.topics(CHAIN).contains(&transfer().topics[0]));
}

#[test]
fn what_a_profile_needs_beside_logs_is_asked_for() {
    let needs_sender = |profile: &str| {
        let profiles = Profiles::new(vec![contract("it", Some(0xaa), profile)]).unwrap();
        assert!(!profiles.needs_sender(ChainId(2)) && !profiles.needs_input(CHAIN));
        profiles.needs_sender(CHAIN)
    };
    assert!(!needs_sender("gs1-pack"), "every step names its actor");
    assert!(!needs_sender("erc1155-lot"), "a transfer of units names its operator");
    assert!(needs_sender("erc721"), "a Transfer that is custody names no actor");
    assert!(needs_sender("rootpharma"), "BatchMinted names no address");
    let text = "standard = \"none\"\ntransfer = \"ownership\"\ncalls = [\"f(uint256[] ids)\"]\n[[event]]\n\
                signature = \"Moved(uint256[] indexed ids)\"\nstep = \"accepting\"\ntoken = \"ids\"";
    let calls = watched(ContractProfile::parse("calls", text).unwrap());
    assert!(Profiles::new(vec![calls]).unwrap().needs_input(CHAIN));
}

#[test]
fn a_profile_may_change_at_a_block() {
    let versions = |second: u64| {
        let later = WatchedContract { from_block: second, ..contract("packs", Some(0xcc), "erc721") };
        Profiles::new(vec![contract("packs", Some(0xcc), "gs1-pack"), later]).unwrap()
    };
    assert_eq!(event(&versions(BLOCK + 1), transfer()).kind, EventKind::Transfer);
    assert_eq!(event(&versions(BLOCK), transfer()).kind, EventKind::Accepting);
    let later = WatchedContract { from_block: BLOCK + 1, ..contract("packs", Some(0xcc), "erc721") };
    assert_eq!(refusal(&Profiles::new(vec![later]).unwrap(), transfer()).0, DeadReason::UnknownEvent);
}

#[test]
fn events_of_one_contract_speak_of_tokens_of_another() {
    let text = "standard = \"none\"\ntransfer = \"ownership\"\n[[event]]\nsignature = \"Handed(uint256 \
                indexed id)\"\n\
                step = \"receiving\"\ntoken = \"id\"\nof = \"packs\"";
    let profile = Arc::new(ContractProfile::parse("hand-over", text).unwrap());
    let hand_over =
        WatchedContract { name: "hand-over".into(), profile, ..contract("", Some(0xcc), "erc721") };
    let handed = || log("Handed(uint256 indexed id)", &["7"]);
    let profiles = Profiles::new(vec![hand_over.clone(), contract("packs", Some(0xaa), "erc721")]).unwrap();
    let expected = Event { token_contract: who(0xaa), token: id(7), ..plain(EventKind::Receiving) };
    assert_eq!(event(&profiles, handed()), expected);
    let error = Profiles::new(vec![hand_over, contract("pack", Some(0xaa), "erc721")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "contract 'hand-over': its profile says of = 'packs', which no contract of chain 1 with an address \
         is called; \
         did you mean 'pack'?"
    );
    let family = WatchedContract { family: Some(who(0xbb)), ..contract("recalls", Some(0xcc), "rootpharma") };
    let recalled = log("BatchRecalled(uint256 indexed tokenId)", &["7"]);
    let expected = Event { token_contract: who(0xbb), token: id(7), ..plain(EventKind::Recalling) };
    assert_eq!(event(&Profiles::new(vec![family]).unwrap(), recalled), expected);
}

#[test]
fn contradictions_are_refused() {
    let twice = vec![contract("a", Some(1), "erc721"), contract("b", Some(1), "gs1-pack")];
    assert!(matches!(Profiles::new(twice), Err(WatchError::AddressTwice { .. })));
    let name = vec![contract("a", Some(1), "erc721"), contract("a", Some(2), "erc721")];
    assert!(matches!(Profiles::new(name), Err(WatchError::NameTwice { .. })));
}

#[test]
fn a_log_whose_block_the_segment_does_not_know_is_told() {
    let profiles = Profiles::new(vec![contract("packs", Some(0xcc), "gs1-pack")]).unwrap();
    let mut segment = super::kit::segment_of(&[transfer()]);
    segment.blocks.clear();
    let decoded = crate::decode::segment(&profiles, CHAIN, &segment);
    crate::decode::fuzz::assert_accounted(&decoded, 1);
    assert_eq!(decoded.dead_letters[0].detail, "the segment has no header of block 100");
    assert_eq!(decode(&profiles, &[transfer()]).events.len(), 1);
}

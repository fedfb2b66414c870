//! Token transfers in every layout that is met in the wild.

use super::kit::{TestLog, decode, emitter, event, id, log, plain, refusal, shipped, watched, who};
use crate::decode::profile::builtin;
use crate::decode::{Profiles, WatchedContract};
use alloy_primitives::{Address, B256};
use model::event::{ActorSource, DeadReason, Event, EventKind};

const STANDARD: &str = "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)";
const CRYPTO_KITTIES: &str = "Transfer(address from, address to, uint256 tokenId)";
const AXIE: &str = "Transfer(address indexed from, address indexed to, uint256 tokenId)";

fn transfer(layout: &str, from: u8, to: u8, token: u64) -> TestLog {
    log(layout, &[&who(from).to_string(), &who(to).to_string(), &token.to_string()])
}

fn moved(kind: EventKind, from: u8, to: u8, token: u64) -> Event {
    Event { token: id(token), from: Some(who(from)), to: Some(who(to)), ..plain(kind) }
}

// Measured: three well-known indexers keep 10 of these 30 logs and say nothing of the others.
#[test]
fn thirty_of_thirty_transfers_in_three_layouts_are_kept() {
    let layouts = [STANDARD, CRYPTO_KITTIES, AXIE];
    let logs: Vec<TestLog> =
        (0..30).map(|token| transfer(layouts[usize::try_from(token % 3).unwrap()], 1, 2, token)).collect();
    let decoded = decode(&shipped("erc721"), &logs);
    assert_eq!(decoded.dead_letters, []);
    let expected: Vec<Event> = (0..30)
        .map(|token| {
            let mut event = moved(EventKind::Accepting, 1, 2, token);
            event.position.log = u32::try_from(token).unwrap();
            event
        })
        .collect();
    assert_eq!(decoded.events, expected);
}

#[test]
fn a_plain_transfer_is_custody_where_the_profile_says_so() {
    let profiles = shipped("erc721");
    for (from, to, kind) in [
        (0, 2, EventKind::Commissioning),
        (1, 0, EventKind::Decommissioning),
        (1, 2, EventKind::Accepting),
        (1, 1, EventKind::Accepting),
        (0, 0, EventKind::Other),
    ] {
        assert_eq!(event(&profiles, transfer(STANDARD, from, to, 7)), moved(kind, from, to, 7));
    }
    let ownership = shipped("gs1-pack");
    for (from, to) in [(0, 2), (1, 0), (1, 2)] {
        assert_eq!(
            event(&ownership, transfer(STANDARD, from, to, 7)),
            moved(EventKind::Transfer, from, to, 7)
        );
    }
}

#[test]
fn data_behind_four_topics_changes_nothing() {
    let mut log = transfer(STANDARD, 1, 2, 7);
    log.data = vec![0xff; 33];
    assert_eq!(event(&shipped("erc721"), log), moved(EventKind::Accepting, 1, 2, 7));
}

#[test]
fn other_numbers_of_topics_and_bytes_are_dead_letters() {
    let profiles = shipped("erc721");
    let mut two_topics = transfer(AXIE, 1, 2, 7);
    two_topics.topics.pop();
    assert_eq!(
        refusal(&profiles, two_topics),
        (DeadReason::TopicCount, "Transfer has 2 topics; a log of it has 1 or 3 or 4".into())
    );
    let mut empty = transfer(CRYPTO_KITTIES, 1, 2, 7);
    empty.data.clear();
    assert_eq!(
        refusal(&profiles, empty),
        (DeadReason::ShortData, "0 bytes of data, at least 96 needed".into())
    );
    let mut long = transfer(AXIE, 1, 2, 7);
    long.data.extend([0; 32]);
    assert_eq!(
        refusal(&profiles, long),
        (DeadReason::BadLength, "64 bytes of data, the encoding ends after 32".into())
    );
    let mut dirty = transfer(STANDARD, 1, 2, 7);
    dirty.topics[2].0[0] = 1;
    assert_eq!(
        refusal(&profiles, dirty),
        (DeadReason::DirtyPadding, "topic 2: bits outside the address are set".into())
    );
    let anonymous = TestLog::new(Vec::new(), vec![1, 2, 3]);
    assert_eq!(refusal(&profiles, anonymous).0, DeadReason::NoTopics);
    let stranger = TestLog::new(vec![B256::repeat_byte(5)], Vec::new());
    assert_eq!(refusal(&profiles, stranger).0, DeadReason::UnknownEvent);
}

#[test]
fn an_erc20_transfer_is_never_a_token() {
    // Of a contract whose standard is not ERC-721.
    assert_eq!(refusal(&shipped("erc1155-lot"), transfer(AXIE, 1, 2, 7)).0, DeadReason::AmbiguousLayout);
    // Of any contract, even where ERC-721 is looked for.
    let any = WatchedContract { address: None, ..watched(builtin("erc721").unwrap()) };
    let profiles = Profiles::new(vec![any]).unwrap();
    assert_eq!(refusal(&profiles, transfer(AXIE, 1, 2, 7)).0, DeadReason::AmbiguousLayout);
    assert_eq!(refusal(&profiles, transfer(CRYPTO_KITTIES, 1, 2, 7)).0, DeadReason::AmbiguousLayout);
    assert_eq!(event(&profiles, transfer(STANDARD, 1, 2, 7)), moved(EventKind::Accepting, 1, 2, 7));
}

#[test]
fn approvals_come_in_the_same_layouts() {
    let profiles = shipped("erc721");
    for layout in [
        "Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)",
        "Approval(address owner, address approved, uint256 tokenId)",
        "Approval(address indexed owner, address indexed approved, uint256 tokenId)",
    ] {
        assert_eq!(event(&profiles, transfer(layout, 1, 2, 7)), moved(EventKind::Approval, 1, 2, 7));
    }
    let all = "ApprovalForAll(address indexed owner, address indexed operator, bool approved)";
    let log = log(all, &[&who(1).to_string(), &who(2).to_string(), "true"]);
    let expected = Event {
        from: Some(who(1)),
        to: Some(who(2)),
        detail: Some("true".into()),
        ..plain(EventKind::ApprovalForAll)
    };
    assert_eq!(event(&profiles, log), expected);
}

#[test]
fn a_range_is_one_event_however_long_and_never_runs_backwards() {
    let profiles = shipped("erc721");
    let range = "ConsecutiveTransfer(uint256 indexed fromTokenId, uint256 toTokenId, address indexed \
                 fromAddress, \
                 address indexed toAddress)";
    let max = alloy_primitives::U256::MAX;
    let huge = log(range, &["0", &max.to_string(), &Address::ZERO.to_string(), &who(2).to_string()]);
    let expected = Event {
        token: id(0),
        range_end: Some(max),
        from: Some(Address::ZERO),
        to: Some(who(2)),
        ..plain(EventKind::TransferRange)
    };
    assert_eq!(event(&profiles, huge), expected);
    let backwards = log(range, &["9", "8", &Address::ZERO.to_string(), &who(2).to_string()]);
    assert_eq!(
        refusal(&profiles, backwards),
        (DeadReason::BadValue, "the range ends at 8, before it begins at 9".into())
    );
}

#[test]
fn the_sender_stands_in_for_an_actor_that_the_log_does_not_name() {
    let log = transfer(STANDARD, 1, 2, 7).sent_by(who(9));
    let expected = Event {
        actor: Some(who(9)),
        actor_source: Some(ActorSource::Sender),
        sender: Some(who(9)),
        ..moved(EventKind::Accepting, 1, 2, 7)
    };
    assert_eq!(event(&shipped("erc721"), log), expected);
}

#[test]
fn the_two_nesting_standards_are_told_apart() {
    let profiles = shipped("erc721");
    let child = who(0xdd).to_string();
    let old = "ChildTransferred(uint256 indexed tokenId, uint256 childIndex, address indexed childAddress, \
               uint256 \
               indexed childId, bool fromPending)";
    let new = "ChildTransferred(uint256 indexed tokenId, uint256 childIndex, address indexed childAddress, \
               uint256 \
               indexed childId, bool fromPending, bool toZero)";
    let unpacked = Event {
        token_contract: who(0xdd),
        token: id(5),
        parent: id(3),
        parent_contract: Some(emitter()),
        ..plain(EventKind::Unpacking)
    };
    assert_eq!(event(&profiles, log(old, &["3", "0", &child, "5", "false"])), unpacked);
    let never_inside = Event { kind: EventKind::Other, detail: Some("true".into()), ..unpacked };
    assert_eq!(event(&profiles, log(new, &["3", "0", &child, "5", "true", "true"])), never_inside);
}

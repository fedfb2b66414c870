//! A corpus of malformed logs: each has one right reason, and none becomes an event.

use super::kit::{TestLog, event, log, refusal, shipped, watching, who, written};
use crate::decode::Profiles;
use crate::decode::profile::builtin;
use alloy_primitives::{B256, U256};
use model::event::DeadReason;

const BATCH: &str = "TransferBatch(address indexed operator, address indexed from, address indexed to, \
                     uint256[] ids, \
                     uint256[] values)";
const COMMISSIONED: &str = "Commissioned(uint256 indexed tokenId, address indexed maker, string gtin, \
                            string serial, \
                            string lot, uint32 expiry, uint64 at)";
const DECOMMISSIONED: &str =
    "Decommissioned(uint256 indexed tokenId, address indexed by, uint8 reason, uint64 at)";

fn batch() -> TestLog {
    let parties = [9, 1, 2].map(|byte| who(byte).to_string());
    log(BATCH, &[&parties[0], &parties[1], &parties[2], "[7, 8]", "[40, 1]"])
}

fn commissioned() -> TestLog {
    log(COMMISSIONED, &["7", &who(1).to_string(), "10614141073464", "S-1", "L7", "20271231", "1700000000"])
}

fn decommissioned() -> TestLog {
    log(DECOMMISSIONED, &["7", &who(1).to_string(), "2", "1700000000"])
}

/// Sets word `index` of the data.
fn word(mut log: TestLog, index: usize, value: U256) -> TestLog {
    log.data[index * 32..][..32].copy_from_slice(&value.to_be_bytes::<32>());
    log
}

/// Changes the data or the topics.
fn with(mut log: TestLog, change: impl FnOnce(&mut TestLog)) -> TestLog {
    change(&mut log);
    log
}

fn number(number: u64) -> U256 {
    U256::from(number)
}

#[test]
fn the_logs_that_the_corpus_breaks_are_right() {
    event(&shipped("gs1-pack"), commissioned());
    event(&shipped("gs1-pack"), decommissioned());
    assert_eq!(super::kit::decode(&shipped("erc1155-lot"), &[batch()]).events.len(), 2);
}

#[test]
fn broken_batches() {
    // Data of the batch: offset of ids, offset of values, 2, 7, 8, 2, 40, 1.
    let far = U256::MAX;
    let cases: &[(&str, TestLog, DeadReason)] = &[
        ("no data", with(batch(), |log| log.data.clear()), DeadReason::ShortData),
        ("one offset only", with(batch(), |log| log.data.truncate(32)), DeadReason::ShortData),
        ("offset past the end", word(batch(), 1, number(4096)), DeadReason::BadOffset),
        ("offset beyond 64 bits", word(batch(), 0, far), DeadReason::BadOffset),
        ("both lists at one place", word(batch(), 1, number(64)), DeadReason::BadOffset),
        ("a list over the heads", word(batch(), 0, number(0)), DeadReason::BadOffset),
        ("an offset within a word", word(batch(), 1, number(161)), DeadReason::BadOffset),
        ("a gap before the second list", word(batch(), 1, number(192)), DeadReason::BadOffset),
        ("a length past the end", word(batch(), 5, number(3)), DeadReason::BadLength),
        ("a length that leaves bytes", word(batch(), 5, number(1)), DeadReason::BadLength),
        ("more entries than a block has gas for", word(batch(), 2, number(65_537)), DeadReason::HugeClaim),
        ("a length of 2^256 - 1", word(batch(), 2, far), DeadReason::HugeClaim),
        ("an entry cut in two", with(batch(), |log| log.data.truncate(230)), DeadReason::BadLength),
        ("bytes behind the end", with(batch(), |log| log.data.push(0)), DeadReason::BadLength),
        ("a dirty operator", with(batch(), |log| log.topics[1].0[11] = 1), DeadReason::DirtyPadding),
        ("a topic too few", with(batch(), |log| log.topics.truncate(3)), DeadReason::TopicCount),
    ];
    check(&shipped("erc1155-lot"), cases);
}

#[test]
fn broken_texts_and_words() {
    // Data: offsets of gtin, serial, lot; expiry, at; then 14, gtin; 3, serial; 2, lot.
    let cases: &[(&str, TestLog, DeadReason)] = &[
        (
            "a text that is not UTF-8",
            with(commissioned(), |log| log.data[8 * 32] = 0xff),
            DeadReason::BadText,
        ),
        (
            "padding behind a text",
            with(commissioned(), |log| log.data[9 * 32 - 1] = 1),
            DeadReason::DirtyPadding,
        ),
        ("an expiry above 32 bits", word(commissioned(), 3, number(1 << 32)), DeadReason::DirtyPadding),
        ("a time above 64 bits", word(commissioned(), 4, U256::from(1) << 64), DeadReason::DirtyPadding),
        (
            "texts in another order",
            word(word(commissioned(), 0, number(224)), 1, number(160)),
            DeadReason::BadOffset,
        ),
        ("a text longer than its bytes", word(commissioned(), 9, number(5000)), DeadReason::BadLength),
        ("a text of 16 MiB and one", word(commissioned(), 5, number((16 << 20) + 1)), DeadReason::HugeClaim),
        ("the last text cut", with(commissioned(), |log| log.data.truncate(288)), DeadReason::ShortData),
        ("the last word cut", with(commissioned(), |log| log.data.truncate(351)), DeadReason::BadLength),
        ("a reason above 8 bits", word(decommissioned(), 0, number(258)), DeadReason::DirtyPadding),
        ("a dirty actor", with(decommissioned(), |log| log.topics[2].0[0] = 0x80), DeadReason::DirtyPadding),
        (
            "a topic too many",
            with(decommissioned(), |log| log.topics.push(B256::ZERO)),
            DeadReason::TopicCount,
        ),
    ];
    check(&shipped("gs1-pack"), cases);
}

#[test]
fn broken_flags_signs_and_bytes() {
    let profiles = written(
        r#"
        standard = "erc721"
        transfer = "custody"
        [[event]]
        signature = "Read(int16 degrees, bytes4 tag, bool alarm)"
        step = "other"
        detail = ["degrees", "tag", "alarm"]
        "#,
    );
    let read = || log("Read(int16 degrees, bytes4 tag, bool alarm)", &["-5", "0x01020304", "true"]);
    assert_eq!(event(&profiles, read()).detail.unwrap(), "degrees=-5; tag=0x01020304; alarm=true");
    let cases: &[(&str, TestLog, DeadReason)] = &[
        ("a flag that is 2", word(read(), 2, number(2)), DeadReason::DirtyPadding),
        ("a number whose sign stops", word(read(), 0, number(0xffff)), DeadReason::DirtyPadding),
        ("a fifth byte", with(read(), |log| log.data[36] = 1), DeadReason::DirtyPadding),
    ];
    check(&profiles, cases);
}

#[test]
fn values_that_have_no_meaning() {
    let status = "BatchStatusUpdated(uint256 indexed batchId, uint8 oldStatus, uint8 newStatus, address \
                  indexed \
                  updater, string reason)";
    let update = log(status, &["7", "4", "11", &who(1).to_string(), ""]);
    assert_eq!(
        refusal(&shipped("pharmaceutical-batch"), update),
        (DeadReason::BadEnum, "newStatus: '11' is no step".into())
    );
    let profiles = written(
        r#"
        standard = "erc1155"
        transfer = "ownership"
        [[event]]
        signature = "Poured(uint256 indexed id, uint256 grams)"
        step = "partial_dispensing"
        token = "id"
        quantity = "grams"
        quantity_scale = "1/1000"
        "#,
    );
    let poured = |grams: &str| log("Poured(uint256 indexed id, uint256 grams)", &["1", grams]);
    assert_eq!(event(&profiles, poured("3000")).quantity, Some(number(3)));
    assert_eq!(
        refusal(&profiles, poured("3001")),
        (DeadReason::BadValue, "grams: 3001 is no whole number of units".into())
    );
}

// The step is known even where its reason is not: to drop it would hide that the pack has left.
#[test]
fn an_unknown_reason_is_told_and_drops_nothing() {
    let told = event(&watching(builtin("gs1-pack").unwrap()), word(decommissioned(), 0, number(12)));
    assert_eq!(told.kind, model::event::EventKind::Decommissioning);
    assert_eq!(told.reason, Some(model::event::Reason::Unspecified));
    assert_eq!(told.detail.unwrap(), "reason: '12' is no known reason");
}

fn check(profiles: &Profiles, cases: &[(&str, TestLog, DeadReason)]) {
    for (name, log, expected) in cases {
        let (reason, detail) = refusal(profiles, log.clone());
        assert_eq!(reason, *expected, "{name}: {detail}");
        assert!(!detail.is_empty(), "{name}");
    }
}

//! Later knowledge beside the stories: what the core asks for, and what it says where that was too much.

use crate::cast::{self, CHAIN, Changes};
use custody::decode::{Decoded, Profiles};
use custody::rules::Parameters;
use custody::{Core, Setup};
use model::B256;
use model::chain::BlockRef;
use model::change::{Change, Epoch, Record, RegistryVersion, Sequence};
use model::commit::Commit;
use model::event::EventKind;
use model::incident::IncidentKind;
use model::past::{Past, PastQuery, Window};
use model::segment::{Finality, LogsBuilder, Segment, VerificationLevel};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Time of block 0, Unix seconds; blocks come a second apart.
const START: &str = "2026-03-10T00:00";

fn core() -> Core {
    let profiles = Arc::new(Profiles::new(Vec::new()).unwrap());
    Core::new(Setup { profiles, parameters: Parameters::default() })
}

fn record(sequence: u64, change: Change) -> Record {
    Record { chain: CHAIN, epoch: Epoch(1), sequence: Sequence(sequence), change }
}

fn registry(version: u64, after: Option<u64>, changes: &Changes) -> Change {
    let rows = Arc::new(cast::registry(changes));
    Change::Registry(Arc::new(RegistryVersion { version, after, rows }))
}

/// A final run of blocks in which nothing happens.
fn blocks(first: u64, last: u64) -> Change {
    let hash = |number: u64| B256::from(model::U256::from(number + 1));
    Change::Append(Arc::new(Segment {
        first_number: first,
        parent_hash: hash(first.wrapping_sub(1)),
        last: BlockRef { number: last, hash: hash(last) },
        last_time_secs: u64::try_from(cast::secs(START)).unwrap() + last,
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: Vec::new(),
        logs: LogsBuilder::default().finish().unwrap(),
        incidents: Vec::new(),
    }))
}

fn take(core: &mut Core, record: &Record, past: Vec<Past>) -> Commit {
    core.step_decoded(record, Some(Decoded::default()), past).unwrap().unwrap()
}

fn recalled() -> Changes {
    Changes { recall: Some("2026-03-05T12:00".into()), ..Changes::default() }
}

fn begun(changes: &Changes) -> Core {
    let mut core = core();
    let begins = [Change::Open(Epoch(1)), registry(1, None, changes), blocks(0, 9)];
    for (sequence, change) in (1..).zip(begins) {
        let record = record(sequence, change);
        assert_eq!(core.wants_past(&record), [], "nothing is known late: {record:?}");
        take(&mut core, &record, Vec::new());
    }
    core
}

#[test]
fn only_the_first_block_of_a_version_that_says_something_else_asks_for_the_past() {
    let mut core = begun(&Changes::default());
    take(&mut core, &record(4, registry(2, Some(9), &recalled())), Vec::new());
    let first = record(5, blocks(10, 12));
    let lot = (cast::gtin(), "L1".parse().unwrap());
    let window = Window { from_secs: cast::secs("2026-03-05T12:00"), to_secs: i64::MAX };
    let asked = core.wants_past(&first);
    let goods: Vec<_> = asked.iter().map(|query| (query.after, query.lots.clone())).collect();
    assert_eq!(goods, [(9, BTreeMap::from([(lot, vec![window])]))]);
    let PastQuery { products, addresses, kinds, .. } = &asked[0];
    assert_eq!((products.len(), addresses.len()), (0, 0));
    assert!(kinds.contains(&EventKind::Dispensing) && !kinds.contains(&EventKind::Inspecting));
    take(&mut core, &first, Vec::new());
    assert_eq!(core.wants_past(&record(6, blocks(13, 13))), []);
    take(&mut core, &record(6, registry(3, Some(12), &recalled())), Vec::new());
    assert_eq!(core.wants_past(&record(7, blocks(13, 13))), [], "the same rows again");
}

#[test]
fn a_recall_that_takes_effect_later_asks_for_nothing() {
    let mut core = begun(&Changes::default());
    let later = Changes { recall: Some("2026-04-01T00:00".into()), ..Changes::default() };
    take(&mut core, &record(4, registry(2, Some(9), &later)), Vec::new());
    assert_eq!(core.wants_past(&record(5, blocks(10, 12))), []);
}

#[test]
fn what_was_left_out_is_an_incident_that_says_what_helps() {
    let mut core = begun(&Changes::default());
    take(&mut core, &record(4, registry(2, Some(10), &recalled())), Vec::new());
    let past = Past { after: 10, steps: Vec::new(), left_out: 7 };
    let commit = take(&mut core, &record(5, blocks(10, 12)), vec![past]);
    let told: Vec<_> = commit.incidents.iter().map(|told| (told.kind, told.block)).collect();
    assert_eq!(told, [(IncidentKind::PastLeftOut, Some(11))]);
    let detail = &commit.incidents[0].detail;
    assert!(detail.contains("concerns 7 steps beyond") && detail.contains("rxtrail rederive"), "{detail}");
}

/// What a version asks for of whom, after a version with `old`.
fn asked(old: &Changes, new: &Changes) -> BTreeMap<model::Address, Vec<(i64, i64)>> {
    let mut core = begun(old);
    take(&mut core, &record(4, registry(2, Some(9), new)), Vec::new());
    let queries = core.wants_past(&record(5, blocks(10, 12)));
    let windows = |windows: &Vec<Window>| windows.iter().map(|w| (w.from_secs, w.to_secs)).collect();
    queries.iter().flat_map(|query| &query.addresses).map(|(who, then)| (*who, windows(then))).collect()
}

#[test]
fn parties_are_asked_for_by_the_addresses_that_sign_for_them() {
    let (always, never_ends) = ((i64::MIN, i64::MAX), i64::MAX);
    let (first, second) = ("2026-03-01T00:00", "2026-03-03T00:00");
    let ends = |time: &str| Changes { ends: vec![("wholesaler".into(), time.into())], ..Changes::default() };
    let revoked = vec![("wholesaler".into(), second.into())];
    for (who, window, old, new) in [
        (
            "wholesaler",
            (cast::secs(second), never_ends),
            Changes::default(),
            Changes { revoked_from: revoked, ..Changes::default() },
        ),
        // Since it ran out the licence says how long ago that was.
        ("wholesaler", (cast::secs(first), never_ends), ends(first), ends(second)),
        (
            "contract_maker",
            (cast::secs(first), never_ends),
            Changes { no_delegation: true, ..Changes::default() },
            Changes { delegation_from: Some(first.into()), ..Changes::default() },
        ),
        (
            "maker",
            always,
            Changes { unbound: vec!["maker".into()], ..Changes::default() },
            Changes::default(),
        ),
    ] {
        assert_eq!(asked(&old, &new), BTreeMap::from([(cast::address(who), vec![window])]), "{who}");
    }
    let without = Changes { no_agreement: true, ..Changes::default() };
    assert_eq!(asked(&without, &Changes::default()), BTreeMap::new(), "branches tell of agreements");
}

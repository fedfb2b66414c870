//! The past is the same wherever its rows are: in files, in merged files, in memory, final or open.

use super::{config, open};
use crate::parquet::memory_files::{Loss, MemoryFiles};
use crate::testing::{block, commit_append, commit_effect, event_rows};
use crate::{Store, Writer};
use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampSecondArray,
};
use model::chain::{ChainId, LogPosition};
use model::commit::{Commit, Effect};
use model::event::EventKind;
use model::gs1::{Gtin, Text, check_digit};
use model::item::ItemKey;
use model::past::{PastQuery, PastStep, Window};
use model::registry::Tier;
use model::segment::Finality;
use model::tables::Table;
use model::{Address, B256};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);
const BLOCK_SECS: i64 = 40_000;

fn gtin(number: u64) -> Gtin {
    let body = 409_876_500_000 + number;
    format!("{:014}", body * 10 + u64::from(check_digit(body))).parse().unwrap()
}

fn lot(number: u64) -> Text {
    format!("L{number}").parse().unwrap()
}

fn address(number: u8) -> Address {
    Address::repeat_byte(number)
}

fn draw(random: &mut StdRng, block: u64, log: u32) -> PastStep {
    let kinds = [EventKind::Shipping, EventKind::Dispensing, EventKind::Inspecting];
    let serial = format!("S{block}.{log}").parse().unwrap();
    let named = random.random_bool(0.9);
    let block_time_secs = block as i64 * BLOCK_SECS;
    PastStep {
        position: LogPosition { block, log, sub: 0 },
        tx_hash: B256::from([log as u8; 32]),
        block_time_secs,
        event_time_secs: random
            .random_bool(0.7)
            .then(|| block_time_secs + random.random_range(-200_000..90_000)),
        kind: kinds[random.random_range(0..kinds.len())],
        contract: address(7),
        token_contract: address(8),
        item: named.then(|| ItemKey::Sgtin(gtin(random.random_range(0..3)), serial)),
        lot: named.then(|| lot(random.random_range(0..3))),
        actor: Some(address(random.random_range(1..5))),
        from: None,
        to: random.random_bool(0.5).then(|| address(random.random_range(1..5))),
        legal: random.random_bool(0.5),
        tier: Tier::Authoritative,
    }
}

/// Rows of `events` that hold these steps.
fn rows(steps: &[PastStep]) -> RecordBatch {
    let places: Vec<_> = steps.iter().map(|step| (step.position.block, step.position.log, 0)).collect();
    let base = event_rows(CHAIN.0, &places);
    let texts = |value: &dyn Fn(&PastStep) -> Option<String>| -> ArrayRef {
        Arc::new(steps.iter().map(value).collect::<StringArray>())
    };
    let times = |value: &dyn Fn(&PastStep) -> Option<i64>| -> ArrayRef {
        Arc::new(steps.iter().map(value).collect::<TimestampSecondArray>().with_timezone("UTC"))
    };
    let addresses = |value: &dyn Fn(&PastStep) -> Option<Address>| -> ArrayRef {
        let values = steps.iter().map(|step| value(step).map(|address| address.0));
        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 20).unwrap())
    };
    let hashes = steps.iter().map(|step| Some(step.tx_hash.0));
    let tx_hashes = FixedSizeBinaryArray::try_from_sparse_iter_with_size(hashes, 32).unwrap();
    let column = |name: &str| -> Option<ArrayRef> {
        Some(match name {
            "sub_index" => Arc::new(arrow_array::UInt32Array::from(vec![0; steps.len()])),
            "block_time" => times(&|step| Some(step.block_time_secs)),
            "event_time" => times(&|step| step.event_time_secs),
            "tx_hash" => Arc::new(tx_hashes.clone()),
            "contract" => addresses(&|step| Some(step.contract)),
            "token_contract" => addresses(&|step| Some(step.token_contract)),
            "kind" => texts(&|step| Some(step.kind.as_str().to_owned())),
            "item" => texts(&|step| step.item.as_ref().map(ToString::to_string)),
            "gtin" => texts(&|step| step.item.as_ref().and_then(ItemKey::gtin).map(|gtin| gtin.to_string())),
            "lot" => texts(&|step| step.lot.map(|lot| lot.to_string())),
            "legal" => Arc::new(steps.iter().map(|step| Some(step.legal)).collect::<BooleanArray>()),
            "authority" => texts(&|step| Some(step.tier.as_str().to_owned())),
            "actor" => addresses(&|step| step.actor),
            "from_address" => addresses(&|step| step.from),
            "to_address" => addresses(&|step| step.to),
            _ => return None,
        })
    };
    let columns = Table::Events.spec().columns.iter().zip(base.columns());
    let columns = columns.map(|(spec, base)| column(spec.name).unwrap_or_else(|| base.clone()));
    RecordBatch::try_new(Table::Events.schema(), columns.collect()).unwrap()
}

fn append(sequence: u64, blocks: RangeInclusive<u64>, finality: Finality, steps: &[PastStep]) -> Commit {
    let within: Vec<PastStep> =
        steps.iter().filter(|step| blocks.contains(&step.position.block)).cloned().collect();
    let mut commit = commit_append(CHAIN.0, sequence, blocks, 0, finality);
    if let Effect::Append { rows: of_commit, .. } = &mut commit.effect {
        of_commit.push((Table::Events, rows(&within)));
    }
    commit
}

fn draw_query(random: &mut StdRng) -> PastQuery {
    let mut query = PastQuery { after: random.random_range(0..40), ..PastQuery::default() };
    query.kinds = BTreeSet::from([EventKind::Shipping, EventKind::Dispensing]);
    let from_secs = random.random_range(0..40) * BLOCK_SECS;
    let open = random.random_bool(0.5);
    let to_secs = if open { i64::MAX } else { from_secs + random.random_range(1..20) * BLOCK_SECS };
    let window = vec![Window { from_secs, to_secs }];
    match random.random_range(0..3) {
        0 => _ = query.products.insert(gtin(random.random_range(0..3)), window),
        1 => _ = query.lots.insert((gtin(random.random_range(0..3)), lot(random.random_range(0..3))), window),
        _ => _ = query.addresses.insert(address(random.random_range(1..5)), window),
    }
    query
}

fn expected(steps: &[PastStep], query: &PastQuery) -> Vec<PastStep> {
    let wanted = |step: &&PastStep| query.wants(step.position.block, step.kind, &step.traits());
    steps.iter().filter(wanted).cloned().collect()
}

async fn compare(store: &Store, steps: &[PastStep], random: &mut StdRng, context: &str) -> usize {
    let mut found = 0;
    for _ in 0..20 {
        let query = draw_query(random);
        let past = store.past(CHAIN, &query).await.unwrap();
        assert_eq!(past.steps, expected(steps, &query), "{context}: {query:?}");
        assert_eq!((past.after, past.left_out), (query.after, 0));
        found += past.steps.len();
    }
    found
}

#[tokio::test]
async fn steps_are_found_in_files_merged_files_and_memory() {
    for seed in 0..10 {
        let random = &mut StdRng::seed_from_u64(seed);
        let mut steps = Vec::new();
        for block in 1..=35 {
            let logs = random.random_range(0..6);
            steps.extend((0..logs).map(|log| draw(random, block, log)));
        }
        let files = MemoryFiles::default();
        let mut store = open(&files).unwrap();
        for (sequence, first) in (1..).zip([1, 11, 16, 21]) {
            let last = [10, 15, 20, 30][sequence as usize - 1];
            store.commit(append(sequence, first..=last, Finality::Final, &steps)).await.unwrap();
        }
        for (sequence, block) in (5..).zip(31..=35) {
            store.commit(append(sequence, block..=block, Finality::Open, &steps)).await.unwrap();
        }
        let found = compare(&store, &steps, random, "files and memory").await;
        assert!(found > 20, "seed {seed}: {found}");
        store.flush().await.unwrap();
        assert!(store.compact().unwrap() > 0, "seed {seed}");
        compare(&store, &steps, random, "merged files and memory").await;

        store.commit(commit_effect(CHAIN.0, 10, Effect::Revert { to: block(32, 0) })).await.unwrap();
        let left: Vec<PastStep> = steps.iter().filter(|step| step.position.block <= 32).cloned().collect();
        compare(&store, &left, random, "after a reorg").await;
        drop(store);
        let store = open(&files.after_crash(Loss::Everything)).unwrap();
        let left: Vec<PastStep> = steps.iter().filter(|step| step.position.block <= 30).cloned().collect();
        compare(&store, &left, random, "after a crash").await;
    }
}

#[tokio::test]
async fn files_that_ended_before_are_not_opened() {
    let random = &mut StdRng::seed_from_u64(7);
    let steps: Vec<PastStep> =
        (1..=40).flat_map(|block| [0, 1].map(|log| (block, log))).map(|(b, l)| draw(random, b, l)).collect();
    let files = MemoryFiles::default();
    let mut store = Store::open_in(config(), Arc::new(files)).unwrap();
    for (sequence, first) in (1..).zip([1, 11, 21, 31]) {
        store.commit(append(sequence, first..=first + 9, Finality::Final, &steps)).await.unwrap();
        store.flush().await.unwrap();
    }
    let files_of = |from_block: i64, after| {
        let kinds = BTreeSet::from([EventKind::Shipping]);
        let mut query = PastQuery { after, kinds, ..PastQuery::default() };
        let window = Window { from_secs: from_block * BLOCK_SECS, to_secs: i64::MAX };
        query.products.insert(gtin(0), vec![window]);
        store.shared.core().unwrap().history(CHAIN, &query).file_count()
    };
    assert_eq!(files_of(1, 40), 4);
    // A step may be declared up to a day, which is two blocks here, after it stood in a block.
    assert_eq!((files_of(22, 40), files_of(25, 40)), (3, 2));
    assert_eq!((files_of(1, 30), files_of(1, 5)), (3, 1));
}

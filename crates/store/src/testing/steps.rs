//! Steps of the past for tests, as rows of events, and questions about them.

use crate::testing::{commit_append, event_rows};
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
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The chain of the steps.
pub(crate) const CHAIN: ChainId = ChainId(1);
/// Between two blocks.
pub(crate) const BLOCK_SECS: i64 = 40_000;

/// A product.
pub(crate) fn gtin(number: u64) -> Gtin {
    let body = 409_876_500_000 + number;
    format!("{:014}", body * 10 + u64::from(check_digit(body))).parse().unwrap()
}

fn lot(number: u64) -> Text {
    format!("L{number}").parse().unwrap()
}

fn address(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// A step at a place of the chain.
pub(crate) fn draw(random: &mut StdRng, block: u64, log: u32) -> PastStep {
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

/// An append of blocks with those of the steps that are in them.
pub(crate) fn append(
    sequence: u64,
    blocks: RangeInclusive<u64>,
    finality: Finality,
    steps: &[PastStep],
) -> Commit {
    let within: Vec<PastStep> =
        steps.iter().filter(|step| blocks.contains(&step.position.block)).cloned().collect();
    let mut commit = commit_append(CHAIN.0, sequence, blocks, 0, finality);
    if let Effect::Append { rows: of_commit, .. } = &mut commit.effect {
        of_commit.push((Table::Events, rows(&within)));
    }
    commit
}

/// A question about the past.
pub(crate) fn draw_query(random: &mut StdRng) -> PastQuery {
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

/// The steps that are asked for.
pub(crate) fn expected(steps: &[PastStep], query: &PastQuery) -> Vec<PastStep> {
    let wanted = |step: &&PastStep| query.wants(step.position.block, step.kind, &step.traits());
    steps.iter().filter(wanted).cloned().collect()
}

//! What a level costs: measured on a few blocks, multiplied over the range.

use super::LevelCost;
use crate::endpoint::Endpoint;
use crate::filter::Filter;
use crate::range::{ANSWER_LOGS, BLOCKS_MAX};
use crate::rpc::error::RpcError;
use crate::rpc::methods::{Hashing, Head};
use alloy_consensus::EMPTY_ROOT_HASH;
use model::segment::VerificationLevel;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::time::Instant;

/// Headers that are looked at, spread over the range: a share of one half is told to within 0.18 (2 σ).
const HEADERS: u64 = 32;
/// Blocks whose receipts and bodies are weighed.
const BODIES: usize = 3;
/// Ranges whose logs are counted, and the blocks of each.
const TRIALS: u64 = 3;
const TRIAL_BLOCKS: u64 = 512;

/// The work of one kind of call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Work {
    pub(super) bytes: f64,
    pub(super) secs: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    pub(super) blocks: f64,
    /// Blocks that one `eth_getLogs` takes.
    pub(super) span: f64,
    /// Share of blocks that carry logs of the filter, and of those whose bloom speaks of them.
    pub(super) carrying: f64,
    pub(super) matching: f64,
    /// One call each; a header within its batch.
    pub(super) logs: Work,
    pub(super) header: Work,
    pub(super) receipts: Work,
    pub(super) body: Work,
}

impl Measured {
    /// What `level` costs, with one in `sample` blocks proved whatever the level, and `at_once` reads at once.
    pub(super) fn cost(&self, level: VerificationLevel, sample: u64, at_once: usize) -> LevelCost {
        let matching = self.matching.max(self.carrying);
        let sampled = if sample == 0 { 0.0 } else { self.blocks / sample as f64 };
        let log_calls = (self.blocks / self.span).ceil();
        let (headers, receipts, bodies) = match level {
            VerificationLevel::Off | VerificationLevel::Present => (
                (self.blocks * self.carrying + 2.0 * log_calls + sampled).min(self.blocks),
                sampled * matching,
                sampled * matching,
            ),
            VerificationLevel::Bloom => (
                self.blocks,
                self.blocks * (matching - self.carrying) + sampled * matching,
                sampled * matching,
            ),
            VerificationLevel::Receipts => (self.blocks, self.blocks * matching, self.blocks * matching),
        };
        let parts =
            [(log_calls, self.logs), (headers, self.header), (receipts, self.receipts), (bodies, self.body)];
        let sum = |of: fn(&Work) -> f64| parts.iter().map(|(calls, work)| calls * of(work)).sum::<f64>();
        LevelCost {
            level,
            calls: parts.iter().map(|(calls, _)| calls).sum::<f64>().ceil() as u64,
            bytes: sum(|work| work.bytes).ceil() as u64,
            hours: sum(|work| work.secs) / at_once as f64 / 3_600.0,
        }
    }
}

/// Measures over `range`.
pub(super) async fn measure(
    endpoint: &Endpoint,
    filter: &Filter,
    range: RangeInclusive<u64>,
) -> Result<Measured, RpcError> {
    let query = filter.query([]);
    let spread = spread(&range, HEADERS);
    let (heads, all_headers) = weighed(endpoint, endpoint.client.headers(&spread, Hashing::Taken)).await?;
    let heads: Vec<Head> = heads.into_iter().flatten().collect();
    let matching = heads.iter().filter(|head| query.might_match(&head.header.logs_bloom)).count();
    let weighty: Vec<u64> = heads
        .iter()
        .filter(|head| head.header.transactions_root != EMPTY_ROOT_HASH)
        .map(Head::number)
        .step_by(heads.len().div_ceil(BODIES).max(1))
        .collect();
    let trial = trial(endpoint, filter, &range).await?;
    Ok(Measured {
        blocks: (range.end() - range.start()) as f64 + 1.0,
        span: (ANSWER_LOGS as f64 / trial.logs_per_block.max(f64::MIN_POSITIVE)).clamp(1.0, trial.span_max),
        carrying: trial.carrying,
        matching: matching as f64 / heads.len().max(1) as f64,
        logs: trial.work,
        header: all_headers.per(spread.len()),
        receipts: each(endpoint, &weighty, Part::Receipts).await?,
        body: each(endpoint, &weighty, Part::Body).await?,
    })
}

struct Trial {
    logs_per_block: f64,
    carrying: f64,
    span_max: f64,
    /// Of one call over the span that backfill would use.
    work: Work,
}

async fn trial(endpoint: &Endpoint, filter: &Filter, range: &RangeInclusive<u64>) -> Result<Trial, RpcError> {
    let query = filter.query([]);
    let (mut blocks, mut logs, mut carrying, mut calls) = (0u64, 0u64, 0usize, 0usize);
    let mut work = Work::default();
    for first in spread(range, TRIALS) {
        let mut last = first.saturating_add(TRIAL_BLOCKS.min(endpoint.span.blocks()) - 1).min(*range.end());
        loop {
            match weighed(endpoint, endpoint.client.logs(first, last, &query)).await {
                Ok((sets, weight)) => {
                    work = Work { bytes: work.bytes + weight.bytes, secs: work.secs + weight.secs };
                    blocks += last - first + 1;
                    logs += sets.iter().map(|set| set.logs.num_rows() as u64).sum::<u64>();
                    let numbers = sets.iter().flat_map(|set| &set.blocks).map(|block| block.number);
                    carrying += numbers.collect::<BTreeSet<u64>>().len();
                    calls += 1;
                    break;
                }
                Err(RpcError::RangeTooLarge { hint, .. }) if last > first => {
                    endpoint.span.refused(last - first + 1, hint);
                    last = first + (last - first).min(endpoint.span.blocks() - 1) / 2;
                }
                Err(error) => return Err(error),
            }
        }
    }
    let logs_per_block = logs as f64 / blocks.max(1) as f64;
    // An endpoint that has refused a span has said what it takes.
    let taken = if endpoint.span.blocks() < TRIAL_BLOCKS { endpoint.span.blocks() } else { BLOCKS_MAX };
    let span_max = taken.min((range.end() - range.start()).saturating_add(1)) as f64;
    let span = (ANSWER_LOGS as f64 / logs_per_block.max(f64::MIN_POSITIVE)).clamp(1.0, span_max);
    let per_block = work.per(usize::try_from(blocks).unwrap_or(usize::MAX));
    let per_call = work.per(calls);
    // Bytes grow with the blocks of a call; its time is at least that of the trial.
    let work = Work { bytes: per_block.bytes * span, secs: per_call.secs.max(per_block.secs * span) };
    Ok(Trial { logs_per_block, carrying: carrying as f64 / blocks.max(1) as f64, span_max, work })
}

#[derive(Clone, Copy)]
enum Part {
    Receipts,
    Body,
}

/// The mean over these blocks; nothing where there are none.
async fn each(endpoint: &Endpoint, numbers: &[u64], part: Part) -> Result<Work, RpcError> {
    let client = &endpoint.client;
    let (mut sum, mut count) = (Work::default(), 0);
    for number in numbers {
        let weight = match part {
            Part::Receipts => weighed(endpoint, client.receipts(&[*number])).await.map(|(_, weight)| weight),
            Part::Body => {
                weighed(endpoint, client.named_transactions(&[*number])).await.map(|(_, weight)| weight)
            }
        };
        match weight {
            Ok(weight) => sum = Work { bytes: sum.bytes + weight.bytes, secs: sum.secs + weight.secs },
            Err(RpcError::Unprovable(_)) => continue,
            Err(error) => return Err(error),
        }
        count += 1;
    }
    Ok(sum.per(count))
}

/// Does `work`, and weighs what came back.
async fn weighed<T>(
    endpoint: &Endpoint,
    work: impl Future<Output = Result<T, RpcError>>,
) -> Result<(T, Work), RpcError> {
    let (before, begun) = (endpoint.bytes_received(), Instant::now());
    let done = work.await?;
    let bytes = (endpoint.bytes_received() - before) as f64;
    Ok((done, Work { bytes, secs: secs(begun.elapsed()) }))
}

fn secs(time: Duration) -> f64 {
    time.as_secs_f64()
}

impl Work {
    fn per(self, count: usize) -> Self {
        let count = count.max(1) as f64;
        Self { bytes: self.bytes / count, secs: self.secs / count }
    }
}

/// Up to `count` numbers, evenly over the range.
fn spread(range: &RangeInclusive<u64>, count: u64) -> Vec<u64> {
    let (first, last) = (*range.start(), *range.end());
    let step = ((last - first) / count).max(1);
    (0..count).map(|place| first.saturating_add(place * step)).filter(|number| *number <= last).collect()
}

//! What the endpoints of a chain can do, and what each verification level would cost over the configured range.
//!
//! `rxtrail check` prints it. Everything is measured on a few blocks spread over the range; nothing is published.

use crate::config::{Config, FinalityRule};
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::filter::Filter;
use crate::metrics::Metrics;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Hashing;
use cost::Measured;
use model::chain::ChainId;
use model::segment::VerificationLevel;
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

mod cost;

/// What the endpoints of a chain can do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// The chain that is configured.
    pub chain: ChainId,
    /// Each endpoint, in the order of the configuration.
    pub endpoints: Vec<EndpointReport>,
    /// What each level costs in backfill, weakest first, by the first endpoint that works; empty when none does.
    pub costs: Vec<LevelCost>,
}

/// What one endpoint can do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointReport {
    /// Its configured name.
    pub name: String,
    /// Why it cannot be used.
    pub failure: Option<String>,
    /// The chain that it serves.
    pub serves: Option<u64>,
    /// Its newest block.
    pub head: Option<u64>,
    /// Its newest final block; `None` where it has none, or the tag is not used.
    pub finalized: Option<u64>,
    /// Does it know `eth_getBlockReceipts`? Without, each receipt is asked for on its own.
    pub block_receipts: Option<bool>,
    /// Calls that one batch holds at most; 1 where it takes none.
    pub batch: usize,
    /// From this block on it holds history, as far as the range is concerned; `None` where it could not be told.
    pub history_from: Option<u64>,
    /// Median time of a small call, in milliseconds.
    pub latency_ms: Option<u64>,
}

/// What one level costs over the range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LevelCost {
    /// The level.
    pub level: VerificationLevel,
    /// Calls, each entry of a batch counted.
    pub calls: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// Hours, at the configured concurrency and the measured speed.
    pub hours: f64,
}

/// Small calls that the latency is the median of.
const LATENCY_CALLS: usize = 5;

/// Asks each endpoint what it can do, and measures what levels cost.
///
/// # Errors
/// When the configuration or the filter cannot be used; an endpoint that fails is part of the report.
pub async fn probe(config: &Config, filter: &Filter) -> Result<ProbeReport> {
    let config = config.clone().validated()?;
    filter.check()?;
    let metrics = unseen_metrics()?;
    let endpoints: Vec<Endpoint> = config
        .endpoints
        .iter()
        .map(|endpoint| Endpoint::new(&config, endpoint, &metrics))
        .collect::<Result<_>>()?;
    Ok(probe_all(&config, filter, &endpoints).await)
}

async fn probe_all(config: &Config, filter: &Filter, endpoints: &[Endpoint]) -> ProbeReport {
    let mut report = ProbeReport { chain: config.id, endpoints: Vec::new(), costs: Vec::new() };
    for endpoint in endpoints {
        let mut seen = EndpointReport::of(endpoint);
        if let Err(error) = look_at(config, filter, endpoint, &mut seen).await {
            seen.failure = Some(error.to_string());
        }
        seen.batch = endpoint.client.batch_size();
        if let (true, Some(last)) =
            (report.costs.is_empty() && seen.failure.is_none(), seen.finalized.or(seen.head))
        {
            let first = filter.start_block.max(seen.history_from.unwrap_or(0));
            match cost::measure(endpoint, filter, first..=last.max(first)).await {
                Ok(measured) => report.costs = costs(&measured, config),
                Err(error) => seen.failure = Some(error.to_string()),
            }
        }
        report.endpoints.push(seen);
    }
    report
}

impl EndpointReport {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            failure: None,
            serves: None,
            head: None,
            finalized: None,
            block_receipts: None,
            batch: endpoint.client.batch_size(),
            history_from: None,
            latency_ms: None,
        }
    }
}

fn costs(measured: &Measured, config: &Config) -> Vec<LevelCost> {
    use VerificationLevel::{Bloom, Off, Present, Receipts};
    [Off, Present, Bloom, Receipts]
        .map(|level| measured.cost(level, config.verify.sample, config.concurrency))
        .to_vec()
}

async fn look_at(
    config: &Config,
    filter: &Filter,
    endpoint: &Endpoint,
    seen: &mut EndpointReport,
) -> std::result::Result<(), RpcError> {
    let client = &endpoint.client;
    let served = client.chain_id().await?;
    seen.serves = Some(served);
    if served != config.id.0 {
        return Err(RpcError::WrongChain(served));
    }
    let mut times = Vec::with_capacity(LATENCY_CALLS);
    for _ in 0..LATENCY_CALLS {
        let begun = Instant::now();
        client.chain_id().await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    seen.latency_ms =
        times.get(LATENCY_CALLS / 2).map(Duration::as_millis).and_then(|time| u64::try_from(time).ok());
    let hashing =
        if config.verify.head == VerificationLevel::Off { Hashing::Taken } else { Hashing::Checked };
    let head = client.latest(hashing).await?.number();
    seen.head = Some(head);
    seen.finalized = match config.finality {
        FinalityRule::Tag => client.finalized(hashing).await?.map(|block| block.number()),
        FinalityRule::Confirmations(confirmations) => Some(head.saturating_sub(confirmations)),
    };
    seen.block_receipts = Some(client.knows_block_receipts(head).await?);
    seen.history_from = history_from(endpoint, filter.start_block.min(head), head).await?;
    Ok(())
}

/// The lowest block from `first` on whose receipts are there. Nodes prune from below, so the place is searched for by
/// halves; `None` when not even the newest blocks can be looked into.
async fn history_from(
    endpoint: &Endpoint,
    first: u64,
    head: u64,
) -> std::result::Result<Option<u64>, RpcError> {
    if holds(endpoint, first).await? {
        return Ok(Some(first));
    }
    if !holds(endpoint, head).await? {
        return Ok(None);
    }
    let (mut gone, mut held) = (first, head);
    while held - gone > 1 {
        let middle = gone + (held - gone) / 2;
        if holds(endpoint, middle).await? { held = middle } else { gone = middle }
    }
    Ok(Some(held))
}

async fn holds(endpoint: &Endpoint, number: u64) -> std::result::Result<bool, RpcError> {
    let client = &endpoint.client;
    match client.receipts(&[number]).await {
        // Nothing to lack: a block without transactions.
        Ok(receipts) if receipts.iter().flatten().count() > 0 => Ok(true),
        Ok(_) => Ok(client.headers(&[number], Hashing::Taken).await?.pop().flatten().is_some()),
        Err(RpcError::Pruned { .. }) => Ok(false),
        Err(RpcError::Unprovable(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// What a probe does is counted nowhere.
fn unseen_metrics() -> Result<Metrics> {
    Metrics::new(&prometheus::Registry::new()).map_err(|error| crate::error::Error::Config(error.to_string()))
}

#[cfg(test)]
mod tests;

//! What can be seen of ingest from outside: Prometheus metrics, named with their units.
//!
//! Labels are the chain's id and the configured name of an endpoint; nothing from the chain is a label.

use model::chain::ChainId;
use model::incident::IncidentKind;
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    Result,
};
use std::time::Duration;

/// The metrics of every chain that a process reads.
#[derive(Debug, Clone)]
pub struct Metrics {
    chain: ChainFamilies,
    endpoint: EndpointFamilies,
}

#[derive(Debug, Clone)]
struct ChainFamilies {
    head_block: IntGaugeVec,
    tip_block: IntGaugeVec,
    tip_timestamp_seconds: IntGaugeVec,
    finalized_block: IntGaugeVec,
    open_blocks: IntGaugeVec,
    finality_stalled: IntGaugeVec,
    discovered_contracts: IntGaugeVec,
    blocks: IntCounterVec,
    logs: IntCounterVec,
    segments: IntCounterVec,
    reorgs: IntCounterVec,
    reorg_depth_blocks: HistogramVec,
    incidents: IntCounterVec,
    retries: IntCounterVec,
}

#[derive(Debug, Clone)]
struct EndpointFamilies {
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    response_bytes: IntCounterVec,
    up: IntGaugeVec,
}

/// Blocks: mainnet reorgs are 1 or 2 deep, its finality 64 to 96, the default `tail_limit` 4,096.
const DEPTH_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 4096.0];
/// Seconds: loopback, same continent, far away, a provider at work, the timeout.
const REQUEST_BUCKETS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

const CHAIN: &[&str] = &["chain"];
const PHASE: &[&str] = &["chain", "phase"];
const ENDPOINT: &[&str] = &["chain", "endpoint"];

/// Makes metrics that are registered.
struct Maker<'r>(&'r Registry);

impl Maker<'_> {
    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.registered(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        self.registered(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> Result<HistogramVec> {
        self.registered(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?)
    }

    fn registered<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }
}

impl ChainFamilies {
    fn new(make: &Maker<'_>) -> Result<Self> {
        let gauge = |name, help| make.gauge(name, help, CHAIN);
        let phase = |name, help| make.counter(name, help, PHASE);
        let depth = "rxtrail_ingest_reorg_depth_blocks";
        let incident: &[&str] = &["chain", "endpoint", "kind"];
        Ok(Self {
            head_block: gauge("rxtrail_ingest_head_block", "Newest block that nodes know.")?,
            tip_block: gauge("rxtrail_ingest_tip_block", "Last block on the bus.")?,
            tip_timestamp_seconds: gauge(
                "rxtrail_ingest_tip_timestamp_seconds",
                "Time of the last block on the bus.",
            )?,
            finalized_block: gauge("rxtrail_ingest_finalized_block", "Last final block on the bus.")?,
            open_blocks: gauge("rxtrail_ingest_open_blocks", "Blocks on the bus that may be orphaned.")?,
            finality_stalled: gauge(
                "rxtrail_ingest_finality_stalled",
                "1 while reading pauses for finality.",
            )?,
            discovered_contracts: gauge(
                "rxtrail_ingest_discovered_contracts",
                "Contracts that factories made.",
            )?,
            blocks: phase("rxtrail_ingest_blocks_total", "Blocks published, by phase: backfill or tail.")?,
            logs: phase("rxtrail_ingest_logs_total", "Logs published, by phase.")?,
            segments: phase("rxtrail_ingest_segments_total", "Segments published, by phase.")?,
            reorgs: make.counter("rxtrail_ingest_reorgs_total", "Reorgs taken back.", CHAIN)?,
            reorg_depth_blocks: make.histogram(
                depth,
                "Blocks taken back by a reorg.",
                DEPTH_BUCKETS,
                CHAIN,
            )?,
            incidents: make.counter(
                "rxtrail_ingest_incidents_total",
                "What went wrong while reading, by kind.",
                incident,
            )?,
            retries: make.counter(
                "rxtrail_ingest_retries_total",
                "Steps that failed and are tried again.",
                CHAIN,
            )?,
        })
    }
}

impl EndpointFamilies {
    fn new(make: &Maker<'_>) -> Result<Self> {
        let outcome: &[&str] = &["chain", "endpoint", "method", "outcome"];
        let seconds = "rxtrail_rpc_request_duration_seconds";
        Ok(Self {
            requests: make.counter("rxtrail_rpc_requests_total", "Calls, by method and outcome.", outcome)?,
            request_seconds: make.histogram(seconds, "Time of a request.", REQUEST_BUCKETS, ENDPOINT)?,
            response_bytes: make.counter(
                "rxtrail_rpc_response_bytes_total",
                "Bytes of answers, unpacked.",
                ENDPOINT,
            )?,
            up: make.gauge(
                "rxtrail_rpc_endpoint_up",
                "1 while an endpoint is asked, 0 while it rests.",
                ENDPOINT,
            )?,
        })
    }
}

impl Metrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn new(registry: &Registry) -> Result<Self> {
        let make = Maker(registry);
        Ok(Self { chain: ChainFamilies::new(&make)?, endpoint: EndpointFamilies::new(&make)? })
    }

    /// The metrics of one chain.
    pub(crate) fn of_chain(&self, chain: ChainId) -> ChainMetrics {
        let families = &self.chain;
        let chain = chain.to_string();
        let gauge = |family: &IntGaugeVec| family.with_label_values(&[chain.as_str()]);
        let counter = |family: &IntCounterVec| family.with_label_values(&[chain.as_str()]);
        let phase = |name: &str| PhaseMetrics {
            blocks: families.blocks.with_label_values(&[chain.as_str(), name]),
            logs: families.logs.with_label_values(&[chain.as_str(), name]),
            segments: families.segments.with_label_values(&[chain.as_str(), name]),
        };
        ChainMetrics {
            head_block: gauge(&families.head_block),
            tip_block: gauge(&families.tip_block),
            tip_timestamp_seconds: gauge(&families.tip_timestamp_seconds),
            finalized_block: gauge(&families.finalized_block),
            open_blocks: gauge(&families.open_blocks),
            finality_stalled: gauge(&families.finality_stalled),
            discovered_contracts: gauge(&families.discovered_contracts),
            backfill: phase("backfill"),
            tail: phase("tail"),
            reorgs: counter(&families.reorgs),
            reorg_depth_blocks: families.reorg_depth_blocks.with_label_values(&[chain.as_str()]),
            retries: counter(&families.retries),
            incidents: families.incidents.clone(),
            chain,
        }
    }

    /// The metrics of one endpoint of a chain.
    pub(crate) fn of_endpoint(&self, chain: ChainId, endpoint: &str) -> EndpointMetrics {
        let families = &self.endpoint;
        let chain = chain.to_string();
        let label = [chain.as_str(), endpoint];
        EndpointMetrics {
            request_seconds: families.request_seconds.with_label_values(&label),
            response_bytes: families.response_bytes.with_label_values(&label),
            up: families.up.with_label_values(&label),
            requests: families.requests.clone(),
            endpoint: endpoint.to_owned(),
            chain,
        }
    }
}

/// The metrics of one chain.
#[derive(Debug, Clone)]
pub(crate) struct ChainMetrics {
    pub(crate) head_block: IntGauge,
    pub(crate) tip_block: IntGauge,
    pub(crate) tip_timestamp_seconds: IntGauge,
    pub(crate) finalized_block: IntGauge,
    pub(crate) open_blocks: IntGauge,
    pub(crate) finality_stalled: IntGauge,
    pub(crate) discovered_contracts: IntGauge,
    pub(crate) backfill: PhaseMetrics,
    pub(crate) tail: PhaseMetrics,
    pub(crate) reorgs: IntCounter,
    pub(crate) reorg_depth_blocks: Histogram,
    pub(crate) retries: IntCounter,
    incidents: IntCounterVec,
    chain: String,
}

/// What was published in one phase.
#[derive(Debug, Clone)]
pub(crate) struct PhaseMetrics {
    pub(crate) blocks: IntCounter,
    pub(crate) logs: IntCounter,
    pub(crate) segments: IntCounter,
}

impl ChainMetrics {
    pub(crate) fn incident(&self, endpoint: &str, kind: IncidentKind) {
        self.incidents.with_label_values(&[self.chain.as_str(), endpoint, kind.as_str()]).inc();
    }
}

/// The metrics of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct EndpointMetrics {
    pub(crate) request_seconds: Histogram,
    pub(crate) response_bytes: IntCounter,
    pub(crate) up: IntGauge,
    requests: IntCounterVec,
    endpoint: String,
    chain: String,
}

impl EndpointMetrics {
    /// Counts `calls` calls of one method, in one request that took `time`.
    pub(crate) fn request(&self, method: &str, outcome: &str, calls: usize, time: Duration) {
        self.requests
            .with_label_values(&[self.chain.as_str(), &self.endpoint, method, outcome])
            .inc_by(calls as u64);
        self.request_seconds.observe(time.as_secs_f64());
    }
}

/// A block number or time as a gauge holds it.
pub(crate) fn gauge_value(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_registered_once_and_carry_chain_and_endpoint() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        assert!(Metrics::new(&registry).is_err());
        metrics.of_chain(ChainId(1)).incident("main", IncidentKind::Bloom);
        metrics.of_endpoint(ChainId(1), "main").request("eth_getLogs", "ok", 3, Duration::from_millis(2));
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(
            text.contains(r#"rxtrail_ingest_incidents_total{chain="1",endpoint="main",kind="bloom"} 1"#),
            "{text}"
        );
        assert!(text.contains(
            r#"rxtrail_rpc_requests_total{chain="1",endpoint="main",method="eth_getLogs",outcome="ok"} 3"#
        ));
    }
}

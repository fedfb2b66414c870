//! Metrics of the transform. Labels are bounded by configuration and code: chains, rules, severities, kinds.

use model::chain::ChainId;
use model::commit::{Commit, Effect};
use model::tables::Table;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

/// Handles of the transform's metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    rows: IntCounterVec,
    notices: IntCounterVec,
    incidents: IntCounterVec,
    reverts: IntCounterVec,
    retries: IntCounter,
    tip: IntGaugeVec,
    finalized: IntGaugeVec,
    step_secs: Histogram,
    commit_secs: Histogram,
}

impl Metrics {
    /// Makes the handles and enters them in `registry`.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter =
            |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let gauge = |name: &str, help: &str| IntGaugeVec::new(Opts::new(name, help), &["chain"]);
        // From a tenth of a millisecond (a head block) to ten seconds (a large backfill segment).
        let buckets = prometheus::exponential_buckets(0.000_1, 3.0, 11)?;
        let secs = |name: &str, help: &str| {
            Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.clone()))
        };
        let metrics = Self {
            rows: counter("rxtrail_transform_rows_total", "Rows made, by table.", &["chain", "table"])?,
            notices: counter(
                "rxtrail_alert_notices_total",
                "Notices of cases, by rule, severity and kind.",
                &["rule", "severity", "kind"],
            )?,
            incidents: counter(
                "rxtrail_incidents_total",
                "Incidents that came with changes, by kind.",
                &["chain", "kind"],
            )?,
            reverts: counter("rxtrail_reverts_total", "Reverts taken.", &["chain"])?,
            retries: IntCounter::new(
                "rxtrail_transform_commit_retries_total",
                "Commits that the store did not take, and that were tried again.",
            )?,
            tip: gauge("rxtrail_chain_indexed_block", "Number of the last block that was committed.")?,
            finalized: gauge(
                "rxtrail_chain_finalized_block",
                "Number of the last final block that was committed.",
            )?,
            step_secs: secs(
                "rxtrail_transform_step_seconds",
                "Time to decode a change and take it into custody.",
            )?,
            commit_secs: secs("rxtrail_transform_commit_seconds", "Time to commit a change.")?,
        };
        for counters in [&metrics.rows, &metrics.notices, &metrics.incidents, &metrics.reverts] {
            registry.register(Box::new(counters.clone()))?;
        }
        registry.register(Box::new(metrics.retries.clone()))?;
        for gauges in [&metrics.tip, &metrics.finalized] {
            registry.register(Box::new(gauges.clone()))?;
        }
        for histogram in [&metrics.step_secs, &metrics.commit_secs] {
            registry.register(Box::new(histogram.clone()))?;
        }
        Ok(metrics)
    }

    pub(crate) fn time_step(&self) -> prometheus::HistogramTimer {
        self.step_secs.start_timer()
    }

    pub(crate) fn time_commit(&self) -> prometheus::HistogramTimer {
        self.commit_secs.start_timer()
    }

    pub(crate) fn count(&self, commit: &Commit) {
        let chain = commit.chain.to_string();
        match &commit.effect {
            Effect::Append { rows, .. } => {
                for (table, batch) in rows.iter().filter(|(table, _)| *table != Table::State) {
                    self.rows
                        .with_label_values(&[chain.as_str(), table.name()])
                        .inc_by(batch.num_rows() as u64);
                }
            }
            Effect::Revert { .. } => self.reverts.with_label_values(&[&chain]).inc(),
            Effect::None | Effect::Finalize { .. } => {}
        }
        for notice in &commit.notices {
            let labels = [notice.alert.rule.as_str(), notice.alert.severity.as_str(), notice.kind.as_str()];
            self.notices.with_label_values(&labels).inc();
        }
        for incident in &commit.incidents {
            self.incidents.with_label_values(&[chain.as_str(), incident.kind.as_str()]).inc();
        }
    }

    pub(crate) fn count_retry(&self) {
        self.retries.inc();
    }

    /// Notes how far a chain is committed.
    pub(crate) fn set_heights(&self, chain: ChainId, position: model::change::Position) {
        let chain = chain.to_string();
        for (gauge, block) in [(&self.tip, position.tip), (&self.finalized, position.finalized)] {
            if let Some(number) = block.and_then(|block| i64::try_from(block.number).ok()) {
                gauge.with_label_values(&[&chain]).set(number);
            }
        }
    }
}

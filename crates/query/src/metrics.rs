//! What can be seen of questions from outside. No label holds anything that was asked.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use std::time::Instant;

/// Handles of the metrics of questions.
#[derive(Debug, Clone)]
pub struct Metrics {
    questions: IntCounterVec,
    running: IntGauge,
    rows: IntCounter,
    secs: Histogram,
}

impl Metrics {
    /// Makes the handles and enters them in `registry`.
    ///
    /// # Errors
    /// When a name is taken already.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let outcome = Opts::new(
            "rxtrail_query_total",
            "Questions that ended, by outcome: ok, truncated, cancelled, or the code of an error.",
        );
        // From a millisecond (a key that is looked up) to the deadline's order of magnitude.
        let buckets = prometheus::exponential_buckets(0.001, 4.0, 9)?;
        let secs = HistogramOpts::new("rxtrail_query_seconds", "Time from a question to its last row.")
            .buckets(buckets);
        let metrics = Self {
            questions: IntCounterVec::new(outcome, &["outcome"])?,
            running: IntGauge::new("rxtrail_query_running", "Questions that are being answered.")?,
            rows: IntCounter::new("rxtrail_query_rows_total", "Rows given in answers.")?,
            secs: Histogram::with_opts(secs)?,
        };
        registry.register(Box::new(metrics.questions.clone()))?;
        registry.register(Box::new(metrics.running.clone()))?;
        registry.register(Box::new(metrics.rows.clone()))?;
        registry.register(Box::new(metrics.secs.clone()))?;
        Ok(metrics)
    }
}

/// One question from its beginning to its end, whichever end that is.
#[derive(Debug)]
pub(crate) struct Course {
    metrics: Metrics,
    started: Instant,
    outcome: &'static str,
}

impl Course {
    /// Begins.
    pub(crate) fn begin(metrics: &Metrics) -> Self {
        metrics.running.inc();
        Self { metrics: metrics.clone(), started: Instant::now(), outcome: "cancelled" }
    }

    /// So many rows were given.
    pub(crate) fn gave(&self, rows: usize) {
        self.metrics.rows.inc_by(rows as u64);
    }

    /// How it ended.
    pub(crate) fn ended(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        self.metrics.running.dec();
        self.metrics.secs.observe(self.started.elapsed().as_secs_f64());
        self.metrics.questions.with_label_values(&[self.outcome]).inc();
    }
}

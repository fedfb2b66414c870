//! What the Kafka bus counts. A series for each chain of the configuration, no more.

use model::chain::ChainId;
use model::change::Epoch;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// Counts what writers and the reader meet.
#[derive(Debug, Clone)]
pub struct Metrics {
    epoch: IntGaugeVec,
    produce_errors: IntCounterVec,
    produce_waits: IntCounterVec,
    foreign_messages: IntCounterVec,
    lag_messages: IntGaugeVec,
    is_stopped: IntGaugeVec,
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name, help| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["chain"])?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let gauge = |name, help| {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["chain"])?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        Ok(Self {
            epoch: gauge(
                "rxtrail_kafka_epoch",
                "Epoch under which this process writes the stream of a chain",
            )?,
            produce_errors: counter(
                "rxtrail_kafka_produce_errors_total",
                "Records that the brokers refused for good",
            )?,
            produce_waits: counter(
                "rxtrail_kafka_produce_waits_total",
                "Times that a record had waited ten more seconds for a broker",
            )?,
            foreign_messages: counter(
                "rxtrail_kafka_foreign_messages_total",
                "Messages on a topic of ours that somebody else wrote",
            )?,
            lag_messages: gauge(
                "rxtrail_kafka_lag_messages",
                "Messages on a chain's topic that the transform has not taken",
            )?,
            is_stopped: gauge(
                "rxtrail_kafka_stopped",
                "1 while a chain stands still because a record of its topic cannot be read",
            )?,
        })
    }

    pub(super) fn epoch(&self, chain: ChainId, epoch: Epoch) {
        self.epoch.with_label_values(&[&chain.to_string()]).set(i64::try_from(epoch.0).unwrap_or(i64::MAX));
    }

    pub(super) fn failed(&self, chain: ChainId) {
        self.produce_errors.with_label_values(&[&chain.to_string()]).inc();
    }

    pub(super) fn waiting(&self, chain: ChainId) {
        self.produce_waits.with_label_values(&[&chain.to_string()]).inc();
    }

    pub(super) fn foreign(&self, chain: ChainId) {
        self.foreign_messages.with_label_values(&[&chain.to_string()]).inc();
    }

    pub(super) fn lag(&self, chain: ChainId, messages: i64) {
        self.lag_messages.with_label_values(&[&chain.to_string()]).set(messages);
    }

    pub(super) fn stopped(&self, chain: ChainId, is_stopped: bool) {
        self.is_stopped.with_label_values(&[&chain.to_string()]).set(i64::from(is_stopped));
    }
}

//! The bus on Kafka: a topic for each chain, one partition each, so that a chain has one order.
//!
//! ```text
//! publish ──▶ pieces ──▶ topic of the chain (acks from all in sync) ──▶ pieces ──▶ next
//! ```
//!
//! Kafka is trusted to keep an order and to keep records, with nothing else. Records name themselves; a writer takes
//! a stream over with a higher epoch, reads what others wrote since it looked, and finds out by the offset that each
//! of its records gets whether somebody else writes too. The reader drops what it took before and what a fenced
//! writer wrote late. Neither transactions nor the offsets that Kafka keeps for a group are relied on.
//!
//! - [`config`]: how the brokers are reached, what topics are made like.
//! - `parcel`: a record as messages; `intake`: what messages mean; `books`: what a writer knows. All three are pure.
//! - `topic`, `scan`, `writer`, `reader`: the edge to the client library.
//! - [`inspect`]: what is on a topic, for people; [`outlet`]: a topic that others read.
//! - [`metrics`]: what is counted.

pub mod config;
pub mod inspect;
pub mod metrics;
pub mod outlet;

mod books;
mod intake;
mod parcel;
mod reader;
mod scan;
#[cfg(test)]
mod tests;
mod topic;
mod writer;

pub use config::Config;
pub use metrics::Metrics;

use crate::error::{Error, Result};
use crate::{Bus, Publisher, Subscriber};
use model::chain::ChainId;
use model::change::Position;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A cluster of brokers as the bus of some chains. The brokers are asked once a record is written or read.
#[derive(Debug)]
pub struct KafkaBus {
    config: Arc<Config>,
    metrics: Metrics,
    reader: Mutex<Option<reader::Reader>>,
}

impl KafkaBus {
    /// The bus of these chains, each with where the store would have it read again from: its `state_at`.
    pub fn new(config: Config, committed: BTreeMap<ChainId, Position>, metrics: Metrics) -> Self {
        let config = Arc::new(config);
        let reader = reader::Reader::new(config.clone(), committed, metrics.clone());
        Self { config, metrics, reader: Mutex::new(Some(reader)) }
    }
}

impl Bus for KafkaBus {
    fn publisher(&self, chain: ChainId) -> Result<Box<dyn Publisher>> {
        Ok(Box::new(writer::Writer::new(self.config.clone(), chain, self.metrics.clone())))
    }

    fn subscriber(&self) -> Result<Box<dyn Subscriber>> {
        let reader = self.reader.lock().ok().and_then(|mut reader| reader.take());
        reader.map(|reader| Box::new(reader) as Box<dyn Subscriber>).ok_or(Error::Taken)
    }
}

//! Incidents on their way: counted and logged at once, and carried by the next segment that is published.

use crate::metrics::ChainMetrics;
use model::chain::ChainId;
use model::incident::{Incident, IncidentKind};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many incidents wait for a segment. More than that at once is one cause; the metric counts them all.
const WAITING_MAX: usize = 256;

/// Collects the incidents of one chain. Cheap to clone: clones share what waits.
#[derive(Debug, Clone)]
pub(crate) struct Incidents {
    chain: ChainId,
    metrics: ChainMetrics,
    waiting: Arc<Mutex<VecDeque<Incident>>>,
}

impl Incidents {
    pub(crate) fn new(chain: ChainId, metrics: ChainMetrics) -> Self {
        Self { chain, metrics, waiting: Arc::default() }
    }

    /// Counts and logs an incident, and keeps it for the next segment unless the same one waits already.
    /// When too many wait, the oldest is dropped.
    pub(crate) fn report(&self, kind: IncidentKind, block: Option<u64>, endpoint: &str, detail: &str) {
        self.metrics.incident(endpoint, kind);
        tracing::warn!(chain = self.chain.0, kind = kind.as_str(), block, endpoint, detail, "incident");
        let incident =
            Incident { chain: self.chain, block, kind, endpoint: endpoint.into(), detail: detail.into() };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.contains(&incident) {
            return;
        }
        if waiting.len() == WAITING_MAX {
            waiting.pop_front();
        }
        waiting.push_back(incident);
    }

    /// Takes everything that waits.
    pub(crate) fn take(&self) -> Vec<Incident> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn they_wait_once_each_and_within_a_bound() {
        let metrics = Metrics::new(&prometheus::Registry::new()).unwrap().of_chain(ChainId(1));
        let incidents = Incidents::new(ChainId(1), metrics);
        incidents.report(IncidentKind::Bloom, Some(7), "main", "a");
        incidents.report(IncidentKind::Bloom, Some(7), "main", "a");
        let taken: Vec<_> =
            incidents.clone().take().into_iter().map(|incident| (incident.kind, incident.block)).collect();
        assert_eq!(taken, [(IncidentKind::Bloom, Some(7))]);
        for block in 0..1_000 {
            incidents.report(IncidentKind::Bloom, Some(block), "main", "a");
        }
        let blocks: Vec<_> = incidents.take().into_iter().filter_map(|incident| incident.block).collect();
        assert_eq!(blocks, (744..1_000).collect::<Vec<_>>());
        assert!(incidents.take().is_empty());
    }
}

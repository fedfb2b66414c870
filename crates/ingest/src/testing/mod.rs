//! What the tests of this crate share: a chain whose every root is right, nodes that serve it (and lie when told
//! to), and a bus that keeps its books as the real one does.

pub(crate) mod bus;
pub(crate) mod chain;
pub(crate) mod node;

use crate::config::{Config, EndpointConfig};
use crate::endpoint::Endpoint;
use crate::incidents::Incidents;
use crate::metrics::Metrics;
use crate::pool::Pool;
use model::chain::ChainId;
use model::incident::IncidentKind;
use node::Node;
use std::sync::Arc;
use std::time::Duration;

/// The chain id of every test.
pub(crate) const CHAIN: ChainId = ChainId(1337);

/// A configuration with defaults, one endpoint that is never dialled, and a sample that never draws.
pub(crate) fn config() -> Config {
    let endpoints = vec![EndpointConfig::new("http://unused.invalid".parse().unwrap())];
    let config = serde_json::json!({ "id": CHAIN.0, "endpoints": ["http://unused.invalid"] });
    let mut config: Config = serde_json::from_value(config).unwrap();
    config.endpoints = endpoints;
    config.verify.sample = 0;
    config.verify.sample_seed = Some(7);
    config.validated().unwrap()
}

pub(crate) fn metrics() -> Metrics {
    Metrics::new(&prometheus::Registry::new()).unwrap()
}

/// A pool over these nodes, called `a`, `b`, … in their order, and the incidents that it reports.
pub(crate) fn pool(config: &Config, nodes: &[Arc<Node>]) -> (Pool, Incidents) {
    let metrics = metrics();
    let incidents = Incidents::new(config.id, metrics.of_chain(config.id));
    let endpoints = nodes
        .iter()
        .zip(b'a'..)
        .map(|(node, name)| endpoint(config, node, &(name as char).to_string()))
        .collect();
    (Pool::over(endpoints, Vec::new(), config, incidents.clone()), incidents)
}

pub(crate) fn endpoint(config: &Config, node: &Arc<Node>, name: &str) -> Endpoint {
    Endpoint::over(Box::new(Arc::clone(node)), config, name, &metrics())
}

/// Kind, block and endpoint of what was reported, each once.
pub(crate) fn told(incidents: &Incidents) -> Vec<(IncidentKind, Option<u64>, String)> {
    let mut told: Vec<_> = incidents
        .take()
        .into_iter()
        .map(|incident| (incident.kind, incident.block, incident.endpoint))
        .collect();
    told.sort();
    told.dedup();
    told
}

/// Waits, in the test's own time, for `work`: what never comes about fails the test instead of hanging it.
pub(crate) async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(24 * 3600), work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not come about within a day"),
    }
}

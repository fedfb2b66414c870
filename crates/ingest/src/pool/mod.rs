//! The endpoints of one chain as one source: failover, comparison, news of heads.
//!
//! ```text
//! run ──ChainSource──▶ Pool ──▶ endpoint (first choice)
//!                       │  └──▶ endpoint (when the first rests)        news of heads ──▶ changed()
//!                       └──▶ every endpoint, now and then: do they hold the same blocks?
//! ```
//!
//! What may be orphaned is read from one endpoint as long as it does well, so that one view of the chain is followed;
//! final blocks are read from whichever is least loaded. An answer that does not hold is an incident, and the next
//! endpoint is asked.

use crate::config::{Config, EndpointConfig, FinalityRule};
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::incidents::Incidents;
use crate::metrics::Metrics;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Hashing;
use crate::rpc::websocket::WebSocket;
use crate::source::Heads;
use failures::Failures;
use futures::future::BoxFuture;
use model::chain::ChainId;
use model::incident::IncidentKind;
use model::segment::VerificationLevel;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

mod failures;
mod reads;
mod watching;

/// How often each endpoint is asked for one thing before the loop hears of it.
const ROUNDS_MAX: u32 = 3;
/// The longest wait for an endpoint that rests; a longer rest is left to the loop.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The endpoints of one chain.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    news: tokio::sync::Mutex<watch::Receiver<u64>>,
    /// News of heads and comparisons; they end with the pool.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    chain: ChainId,
    endpoints: Vec<Endpoint>,
    finality: FinalityRule,
    hashing: Hashing,
    poll: Duration,
    incidents: Incidents,
    /// The endpoint whose view of the head is followed.
    first: AtomicUsize,
    /// WebSockets that tell of heads at present.
    telling: AtomicUsize,
    heads: Mutex<Option<Heads>>,
}

/// What an endpoint is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Blocks that may be orphaned: one view of them.
    Head,
    /// Final blocks: any endpoint.
    History,
}

impl Pool {
    /// The endpoints of the configuration.
    pub(crate) fn new(config: &Config, metrics: &Metrics, incidents: Incidents) -> Result<Self> {
        let endpoints = config
            .endpoints
            .iter()
            .map(|endpoint| Endpoint::new(config, endpoint, metrics))
            .collect::<Result<_>>()?;
        let sockets = config.endpoints.iter().filter_map(|endpoint| socket(config, endpoint)).collect();
        Ok(Self::over(endpoints, sockets, config, incidents))
    }

    /// These endpoints, with these sockets that tell of heads.
    pub(crate) fn over(
        endpoints: Vec<Endpoint>,
        sockets: Vec<WebSocket>,
        config: &Config,
        incidents: Incidents,
    ) -> Self {
        let off = config.verify.head == VerificationLevel::Off;
        let shared = Arc::new(Shared {
            chain: config.id,
            endpoints,
            finality: config.finality,
            hashing: if off { Hashing::Taken } else { Hashing::Checked },
            poll: config.poll(),
            incidents,
            first: AtomicUsize::new(0),
            telling: AtomicUsize::new(0),
            heads: Mutex::new(None),
        });
        let (tell, news) = watch::channel(0);
        let mut tasks = JoinSet::new();
        for socket in sockets {
            tasks.spawn(watching::tell_heads(socket, Arc::clone(&shared), tell.clone()));
        }
        if shared.endpoints.len() > 1 {
            tasks.spawn(watching::compare(Arc::clone(&shared)));
        }
        Self { shared, news: tokio::sync::Mutex::new(news), _tasks: tasks }
    }
}

fn socket(config: &Config, endpoint: &EndpointConfig) -> Option<WebSocket> {
    let own = ["ws", "wss"].contains(&endpoint.url.scheme()).then_some(&endpoint.url);
    let url = endpoint.websocket.as_ref().or(own)?;
    Some(WebSocket::new(url.clone(), config.id, config.timeout()))
}

impl Shared {
    /// Asks one endpoint after the other until one gives an answer that holds.
    async fn ask<'s, T>(
        &'s self,
        purpose: Purpose,
        work: impl Fn(&'s Endpoint) -> BoxFuture<'s, std::result::Result<T, RpcError>> + Send + Sync,
    ) -> std::result::Result<T, Failures> {
        let mut failures = Failures::default();
        for round in 1..=ROUNDS_MAX {
            for place in self.order(purpose) {
                let endpoint = &self.endpoints[place];
                match endpoint.attempt(work(endpoint)).await {
                    Ok(answer) => return Ok(self.answered(purpose, place, answer)),
                    Err(error) => {
                        self.report(endpoint, &error);
                        failures.push(&endpoint.name, error);
                    }
                }
            }
            let done =
                failures.are_final(self.endpoints.len()) || failures.logs_were_wrong() || round == ROUNDS_MAX;
            if done || !self.wait_for_rest().await {
                break;
            }
        }
        Err(failures)
    }

    /// Who tells of the head is followed from now on.
    fn answered<T>(&self, purpose: Purpose, place: usize, answer: T) -> T {
        if purpose == Purpose::Head {
            self.first.store(place, Ordering::Relaxed);
        }
        answer
    }

    /// The endpoints that may be asked now, best first.
    fn order(&self, purpose: Purpose) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.endpoints.len())
            .filter(|place| self.endpoints[*place].rests_until().is_none())
            .collect();
        let first = self.first.load(Ordering::Relaxed);
        match purpose {
            Purpose::Head => places.sort_by_key(|place| (*place != first, *place)),
            Purpose::History => places.sort_by_key(|place| self.endpoints[*place].load()),
        }
        places
    }

    /// Waits until an endpoint may be asked again; `false` when that is too far off.
    async fn wait_for_rest(&self) -> bool {
        let rests: Option<Vec<Instant>> = self.endpoints.iter().map(Endpoint::rests_until).collect();
        let Some(until) = rests.and_then(|rests| rests.into_iter().min()) else { return true };
        if until.duration_since(Instant::now()) > WAIT_MAX {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }

    /// What an answer shows of its endpoint is an incident; that a call failed is not.
    fn report(&self, endpoint: &Endpoint, error: &RpcError) {
        let (kind, block, detail) = match error {
            RpcError::BadData { kind, block, detail } => (*kind, *block, detail.clone()),
            RpcError::Pruned { block, detail } => (IncidentKind::PrunedHistory, *block, detail.clone()),
            RpcError::WrongChain(served) => (
                IncidentKind::Disagreement,
                None,
                format!("serves chain {served}, chain {} is configured", self.chain),
            ),
            error => {
                tracing::debug!(chain = self.chain.0, endpoint = endpoint.name, %error, "call failed");
                return;
            }
        };
        self.incidents.report(kind, block, &endpoint.name, &detail);
    }

    fn remembered_heads(&self) -> Option<Heads> {
        *self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember_heads(&self, heads: Heads) {
        *self.heads.lock().unwrap_or_else(PoisonError::into_inner) = Some(heads);
    }
}

#[cfg(test)]
mod tests;

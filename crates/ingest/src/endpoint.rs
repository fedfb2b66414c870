//! One endpoint: its calls, what was learnt of it, and its health. It is spoken of by its name.

use crate::config::{Config, EndpointConfig};
use crate::error::Result;
use crate::metrics::{EndpointMetrics, Metrics};
use crate::range::Span;
use crate::rpc::client::Client;
use crate::rpc::error::RpcError;
use crate::rpc::http::Http;
use crate::rpc::transport::Transport;
use crate::rpc::websocket::WebSocket;
use model::chain::ChainId;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an endpoint rests after its first failure; doubled with each that follows.
const REST_FIRST: Duration = Duration::from_millis(500);
/// The longest rest after failures: an outage is noticed to be over within a minute.
const REST_MAX: Duration = Duration::from_secs(60);
/// The rest of an endpoint that refuses our credentials or serves another chain: people must act.
const REST_DENIED: Duration = Duration::from_secs(300);
/// The rest of an endpoint that denies a final block which another holds.
const REST_DISTRUSTED: Duration = Duration::from_secs(600);

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) span: Span,
    chain: ChainId,
    metrics: EndpointMetrics,
    /// Was the chain checked since the last failure of the connection?
    checked: AtomicBool,
    /// From this block on it was seen to hold logs.
    history_from: AtomicU64,
    under_way: AtomicUsize,
    health: Mutex<Health>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Health {
    failures: u32,
    rests_until: Option<Instant>,
    /// Moving average over about 8 answers.
    answer_time: Duration,
}

impl Endpoint {
    /// An endpoint as it is configured.
    pub(crate) fn new(config: &Config, endpoint: &EndpointConfig, metrics: &Metrics) -> Result<Self> {
        let transport: Box<dyn Transport> = match endpoint.url.scheme() {
            "ws" | "wss" => Box::new(WebSocket::new(endpoint.url.clone(), config.id, config.timeout())),
            _ => Box::new(Http::new(endpoint.url.clone(), config.timeout())?),
        };
        Ok(Self::over(transport, config, &endpoint.name, metrics))
    }

    /// An endpoint that is reached by `transport`.
    pub(crate) fn over(
        transport: Box<dyn Transport>,
        config: &Config,
        name: &str,
        metrics: &Metrics,
    ) -> Self {
        let metrics = metrics.of_endpoint(config.id, name);
        metrics.up.set(1);
        Self {
            name: name.to_owned(),
            client: Client::new(transport, config.batch, metrics.clone()),
            span: Span::default(),
            chain: config.id,
            metrics,
            checked: AtomicBool::new(false),
            history_from: AtomicU64::new(u64::MAX),
            under_way: AtomicUsize::new(0),
            health: Mutex::default(),
        }
    }

    /// Does `work` with the endpoint, once its chain is known, and takes note of how it went.
    pub(crate) async fn attempt<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, RpcError>>,
    ) -> std::result::Result<T, RpcError> {
        let begun = Instant::now();
        let _under_way = UnderWay::new(&self.under_way);
        let outcome = match self.check_chain().await {
            Ok(()) => work.await,
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(_) => self.succeeded(begun.elapsed()),
            Err(error) => self.failed(error),
        }
        outcome
    }

    /// Every connection may lead elsewhere: after a failure the chain is asked for again.
    async fn check_chain(&self) -> std::result::Result<(), RpcError> {
        if self.checked.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.client.chain_id().await? {
            served if served == self.chain.0 => {
                self.checked.store(true, Ordering::Release);
                Ok(())
            }
            served => Err(RpcError::WrongChain(served)),
        }
    }

    fn succeeded(&self, time: Duration) {
        let mut health = self.health();
        // A rest that was asked for meanwhile stands: this answer was on its way before.
        health.failures = 0;
        health.answer_time = (health.answer_time * 7 + time) / 8;
        let rests = health.rests_until.is_some_and(|until| until > Instant::now());
        drop(health);
        self.metrics.up.set((!rests).into());
    }

    fn failed(&self, error: &RpcError) {
        let mut health = self.health();
        let doubled = REST_FIRST.saturating_mul(1 << health.failures.min(16)).min(REST_MAX);
        let rest = match error {
            RpcError::Transient(_) | RpcError::Timeout(_) => {
                self.checked.store(false, Ordering::Release);
                doubled
            }
            RpcError::RateLimited { after, .. } => after.unwrap_or(doubled),
            RpcError::BadData { .. } => doubled,
            RpcError::Denied(_) | RpcError::WrongChain(_) => REST_DENIED,
            // It does not have this, and may be good for all else.
            RpcError::Pruned { .. }
            | RpcError::Unsupported(_)
            | RpcError::Unprovable(_)
            | RpcError::RangeTooLarge { .. }
            | RpcError::BatchRefused(_) => return,
        };
        health.failures = health.failures.saturating_add(1);
        health.rests_until = Some(Instant::now() + rest);
        drop(health);
        self.metrics.up.set(0);
    }

    /// It denied what another endpoint proved.
    pub(crate) fn distrust(&self) {
        self.health().rests_until = Some(Instant::now() + REST_DISTRUSTED);
        self.metrics.up.set(0);
    }

    /// Until when it rests; `None` when it may be asked.
    pub(crate) fn rests_until(&self) -> Option<Instant> {
        self.health().rests_until.filter(|until| *until > Instant::now())
    }

    /// The lower, the sooner it is asked: its answer time, for each request that it works on, and each failure.
    pub(crate) fn load(&self) -> Duration {
        let health = self.health();
        let under_way = u32::try_from(self.under_way.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        health
            .answer_time
            .saturating_mul(under_way.saturating_add(1))
            .saturating_mul(health.failures.saturating_add(1))
    }

    /// Was it seen to hold logs as old as this block?
    pub(crate) fn holds_history_of(&self, number: u64) -> bool {
        self.history_from.load(Ordering::Relaxed) <= number
    }

    /// It holds logs of this block.
    pub(crate) fn has_history_of(&self, number: u64) {
        self.history_from.fetch_min(number, Ordering::Relaxed);
    }

    /// Bytes of answers so far.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.metrics.response_bytes.get()
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts work for as long as it lasts, and no longer when it is dropped half way.
struct UnderWay<'e>(&'e AtomicUsize);

impl<'e> UnderWay<'e> {
    fn new(count: &'e AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

//! What Prometheus and an orchestrator ask a process: `/metrics`, `/health`, `/ready`.

use crate::error::Result;
use crate::health::{Component, Health, State as HealthState};
use crate::listener::BoundedListener;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};
use serde::Serialize;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Connections at once: a Prometheus pair, an orchestrator's probes and a few people, with room to spare.
const CONNECTIONS_MAX: usize = 64;

/// A scraper that keeps its connection asks every 15 to 60 seconds.
const IDLE: Duration = Duration::from_secs(120);

/// The process's metrics. Clones are the same metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Metrics of the process itself and of its build.
    ///
    /// # Errors
    /// Never for a registry that is new; the type is the registry's.
    pub fn new(version: &str) -> Result<Self> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = IntGaugeVec::new(
            Opts::new("rxtrail_build_info", "1, with the version of the build."),
            &["version"],
        )?;
        build.with_label_values(&[version]).set(1);
        registry.register(Box::new(build))?;
        Ok(Self { registry })
    }

    /// Where components register their own.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// All metrics in Prometheus's text format.
    ///
    /// # Errors
    /// When two collectors give the same metric with other labels.
    pub fn to_text(&self) -> Result<String> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

/// `/metrics`, `/health` (200 while the process lives) and `/ready` (503 until it may be given work).
pub fn router(metrics: &Metrics, health: &Health) -> Router {
    Router::new()
        .route("/metrics", get(show_metrics).with_state(metrics.clone()))
        .route("/health", get(show_health).with_state(health.clone()))
        .route("/ready", get(show_ready).with_state(health.clone()))
}

/// Serves `router` until `stop` is cancelled, then lets running answers end.
///
/// # Errors
/// When the listener has no address any more.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let listener = BoundedListener::new(listener, CONNECTIONS_MAX, IDLE);
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn show_metrics(State(metrics): State<Metrics>) -> Response {
    match metrics.to_text() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}

#[derive(Serialize)]
struct HealthAnswer {
    status: HealthState,
    components: Vec<Component>,
}

async fn show_health(State(health): State<Health>) -> Json<HealthAnswer> {
    Json(HealthAnswer { status: health.state(), components: health.components() })
}

#[derive(Serialize)]
struct ReadyAnswer {
    ready: bool,
    missing: Vec<Component>,
}

async fn show_ready(State(health): State<Health>) -> (StatusCode, Json<ReadyAnswer>) {
    let missing = health.missing();
    let ready = missing.as_ref().is_some_and(Vec::is_empty);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyAnswer { ready, missing: missing.unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use super::{Metrics, router, serve};
    use crate::health::{Health, State};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    /// Status and body of an answer.
    async fn ask(address: std::net::SocketAddr, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[tokio::test]
    async fn a_process_shows_its_metrics_its_health_and_what_it_waits_for() {
        let metrics = Metrics::new("1.2.3").unwrap();
        let health = Health::expecting(["ingest", "query"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let server = tokio::spawn(serve(listener, router(&metrics, &health), stop.clone()));

        health.update("ingest", State::Degraded, true, "1 of 2 endpoints answers");
        let starting = r#"{"name":"query","state":"starting","detail":"not begun","ready":false}"#;
        let degraded =
            r#"{"name":"ingest","state":"degraded","detail":"1 of 2 endpoints answers","ready":true}"#;
        let expected = format!(r#"{{"status":"degraded","components":[{degraded},{starting}]}}"#);
        assert_eq!(ask(address, "/health").await, (200, expected));
        assert_eq!(
            ask(address, "/ready").await,
            (503, format!(r#"{{"ready":false,"missing":[{starting}]}}"#))
        );
        health.update("query", State::Ok, true, "listening");
        assert_eq!(ask(address, "/ready").await, (200, r#"{"ready":true,"missing":[]}"#.into()));

        let (status, text) = ask(address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("rxtrail_build_info{version=\"1.2.3\"} 1\n"), "{text}");
        #[cfg(target_os = "linux")]
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");

        stop.cancel();
        server.await.unwrap().unwrap();
    }
}

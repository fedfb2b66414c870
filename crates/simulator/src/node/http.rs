//! HTTP: `POST /` is JSON-RPC, `GET /` becomes a WebSocket. Faults of the transport happen here.

use crate::faults::{Faults, hits};
use crate::node::connection::Scissors;
use crate::node::rpc;
use crate::node::socket;
use crate::node::state::Node;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bytes of a request's body at most, as in Geth.
const BODY_BYTES_MAX: usize = 5 << 20;
/// Bytes of a WebSocket message at most.
const MESSAGE_BYTES_MAX: usize = 5 << 20;

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) node: Arc<Node>,
    pub(crate) shutdown: CancellationToken,
}

/// The routes of a node.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", post(call).get(upgrade))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

async fn call(
    State(shared): State<Shared>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    body: Bytes,
) -> Response {
    let faults = shared.node.faults();
    if faults.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(faults.latency_ms)).await;
    }
    // Control has to get through whatever the faults are.
    if is_control(&body) {
        return json(rpc::answer(&shared.node, &body));
    }
    let request = Node::count(&shared.node.requests);
    if hits(faults.drop_connection_every, request) {
        scissors.cut();
        return StatusCode::NO_CONTENT.into_response();
    }
    if hits(faults.too_many_requests_every, request) {
        return too_many_requests(&faults);
    }
    let answer = rpc::answer(&shared.node, &body);
    if hits(faults.cut_body_every, request) { cut(answer) } else { json(answer) }
}

async fn upgrade(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| socket::serve(socket, shared))
}

fn is_control(body: &[u8]) -> bool {
    serde_json::from_slice::<rpc::Call<'_>>(body).is_ok_and(|call| call.method.starts_with("sim_"))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn json(answer: Vec<u8>) -> Response {
    if answer.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    ([(header::CONTENT_TYPE, JSON)], answer).into_response()
}

fn too_many_requests(faults: &Faults) -> Response {
    let mut answer = Vec::new();
    rpc::write_error(&mut answer, None, &rpc::RpcError::new(429, "Too Many Requests"));
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from(faults.retry_after_secs))];
    (StatusCode::TOO_MANY_REQUESTS, retry_after, json(answer)).into_response()
}

/// Promises the whole answer, sends half of it, and breaks off.
fn cut(answer: Vec<u8>) -> Response {
    let whole = answer.len();
    let half = Bytes::from(answer).slice(..whole / 2);
    let parts = [Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    let body = Body::from_stream(futures::stream::iter(parts));
    ([(header::CONTENT_TYPE, JSON), (header::CONTENT_LENGTH, HeaderValue::from(whole))], body).into_response()
}

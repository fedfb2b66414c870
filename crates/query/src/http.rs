//! The loopback address: the page, SQL and everything that people look at, with what the process says of itself.
//!
//! | path | what |
//! |---|---|
//! | `/` and what is no path of the others | the web page |
//! | `POST /v1/sql` | one statement, as text or as `{"sql": "…"}`; `Accept` decides the format |
//! | `POST /v1/verify` | is a pack what it claims to be? |
//! | `GET /v1/items/KEY`, `/v1/items?q=…` | one item with its story; items that are found by a text |
//! | `GET /v1/alerts`, `/v1/alerts/CASE`, `/v1/alerts/live` | cases by what is asked for, one of them, what comes |
//! | `GET /v1/lots`, `/v1/lots/GTIN/LOT` | lots; one with what a recall of it reaches |
//! | `GET /v1/parties`, `/v1/contracts`, `/v1/rules`, `/v1/system` | who takes part, what is flagged, how all stands |
//! | `GET /v1/pedigree?item=…` | one item's story as it is told on the command line |
//! | `GET /v1/queries` | the named questions |
//! | `GET /v1/queries/{name}?…` | one of them, with its parameters; `Accept` decides the format |
//! | `GET /metrics`, `/health`, `/ready` | the process |
//!
//! Every answer names its snapshot in `x-rxtrail-snapshot` and says in `x-rxtrail-truncated` whether rows were cut off:
//! in a header while the answer is short, else in a trailer. Errors are problem documents (RFC 9457) with stable codes.
//!
//! There is no login here, so who may ask is decided by where the question comes from: the address is loopback, and
//! a browser that was led here by a web page is told by the `Host` and `Origin` that it sends, and refused.

mod api;
mod body;
mod live;
mod local;
mod negotiate;
mod page;
mod problem;
mod queries;

use crate::engine::{Answer, Engine};
use crate::error::{Error, Result as QueryResult};
use crate::format::{Encoder, Format};
use crate::pedigree;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use problem::Problem;
use runtime::health::Health;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The moment that an answer is made of.
pub const SNAPSHOT: HeaderName = HeaderName::from_static("x-rxtrail-snapshot");

/// Were rows cut off? `true` or `false`; `trailer` when it is said after the body.
pub const TRUNCATED: HeaderName = HeaderName::from_static("x-rxtrail-truncated");

/// A statement of 64 KB written as a JSON string with every fourth character escaped.
const BODY_BYTES: usize = 256 << 10;

/// What answers.
#[derive(Debug)]
pub struct Service {
    engine: Arc<Engine>,
    rules: Vec<Rule>,
    health: Health,
    listeners: Arc<Semaphore>,
    stop: CancellationToken,
}

/// A rule as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// Its version.
    pub version: u32,
    /// What raises it.
    pub trigger: String,
    /// What looks like it and is innocent.
    pub innocent: Vec<String>,
    /// How grave it is.
    pub severity: String,
    /// Where it comes from.
    pub source: String,
}

impl Service {
    /// Answers from `engine`; cases are told with the titles of `rules`, the process with its `health`. `stop` ends what
    /// would go on for ever.
    pub fn new(engine: Arc<Engine>, rules: Vec<Rule>, health: Health, stop: CancellationToken) -> Self {
        Self { engine, rules, health, listeners: Arc::new(Semaphore::new(live::LISTENERS)), stop }
    }
}

/// The router of a process: questions, and `process` with what the process says of itself.
pub fn router(service: Service, process: Router) -> Router {
    Router::new()
        .route("/v1/sql", post(sql))
        .route("/v1/pedigree", get(tell))
        .route("/v1/alerts/live", get(live::live))
        .merge(api::routes())
        .route("/v1/queries", get(queries::list))
        .route("/v1/queries/{name}", get(queries::ask))
        .with_state(Arc::new(service))
        .merge(process)
        .fallback(page::page)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn(local::only))
}

async fn no_such_method() -> Problem {
    Problem::of(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "this path has another method: POST for /v1/sql and /v1/verify, GET for the others",
    )
}

async fn sql(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::of(rejection.status(), "body", &rejection.body_text()))?;
    let statement = negotiate::statement(&headers, &body)?;
    let format = negotiate::format(&headers)?;
    Ok(answer(&service.engine, &statement, format).await?)
}

async fn answer(engine: &Engine, statement: &str, format: Format) -> QueryResult<Response> {
    let answer = engine.ask(statement).await?;
    let encoder = Encoder::new(format, &answer.schema(), answer.snapshot())?;
    written(answer, encoder, format).await
}

/// The response with the rows of an answer, and the headers that every one has.
async fn written(answer: Answer, encoder: Encoder, format: Format) -> QueryResult<Response> {
    let snapshot = answer.snapshot().to_string();
    let mut response = body::respond(answer, encoder).await?;
    let headers = response.headers_mut();
    headers.insert(
        SNAPSHOT,
        HeaderValue::from_str(&snapshot).map_err(|error| Error::Output(error.to_string()))?,
    );
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[derive(Deserialize)]
struct WhichItem {
    item: String,
}

async fn tell(
    State(service): State<Arc<Service>>,
    which: Result<Query<WhichItem>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(WhichItem { item }) = which
        .map_err(|rejection| Problem::of(StatusCode::BAD_REQUEST, "parameters", &rejection.body_text()))?;
    let told = pedigree::pedigree(&service.engine, &item).await?;
    let snapshot = HeaderValue::from_str(&told.snapshot.to_string())
        .map_err(|error| Error::Output(error.to_string()))?;
    let status = if told.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((status, [(SNAPSHOT, snapshot), no_store], Json(told)).into_response())
}

#[cfg(test)]
mod tests;

//! The router, asked as a client asks.

mod live;
mod page;
mod queries;
mod read;

use super::{Rule, Service, router};
use crate::engine::Engine;
use crate::limits::Limits;
use crate::testing::engine;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use runtime::health::Health;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    trailers: Option<HeaderMap>,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem.
    fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], self.status.as_u16());
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["type"], format!("urn:rxtrail:problem:{code}"));
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        code.to_owned()
    }
}

/// What answers, with one rule of the catalogue.
fn service(engine: Arc<Engine>) -> Service {
    let text = |text: &str| text.to_owned();
    let rule = Rule {
        code: text("ST-04"),
        title: text("recalled"),
        version: 1,
        trigger: text("a step after a recall"),
        innocent: vec![text("the way back")],
        severity: text("CRITICAL"),
        source: text("RULES"),
    };
    Service::new(engine, vec![rule], Health::expecting(["query"]), CancellationToken::new())
}

struct Server(Router);

impl Server {
    fn new(rows: usize, limits: Limits) -> Self {
        let process = Router::new().route("/health", get(async || "well"));
        Self(router(service(Arc::new(engine(rows, limits))), process))
    }

    async fn send(&mut self, request: Request<Body>) -> Reply {
        let response = self.0.as_service().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned();
        let body = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
        Reply { status: parts.status, headers: parts.headers, trailers, body }
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.send(request("GET", path, &[], "")).await
    }

    async fn sql(&mut self, sql: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(request("POST", "/v1/sql", headers, sql)).await
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7474");
    for (name, value) in headers {
        let known = request.headers_mut().unwrap();
        known.insert(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_statement_is_text_or_json_and_accept_decides_the_format() {
    let mut server = Server::new(3, Limits::default());
    let sql = "SELECT block_number AS b FROM events WHERE block_number > 0 ORDER BY 1";
    for (accept, content_type, body) in [
        ("*/*", "application/json", "[{\"b\":1},\n{\"b\":2}]\n"),
        ("application/x-ndjson", "application/x-ndjson", "{\"b\":1}\n{\"b\":2}\n"),
        ("text/csv", "text/csv", "b\n1\n2\n"),
        ("text/plain", "text/plain", "+---+\n| b |\n+---+\n| 1 |\n| 2 |\n+---+\n"),
    ] {
        let reply = server.sql(sql, &[("accept", accept)]).await;
        let found = (reply.status, reply.header("content-type"), reply.body.as_str());
        assert_eq!(found, (StatusCode::OK, content_type, body), "{accept}");
    }
    let body = serde_json::json!({ "sql": sql }).to_string();
    let reply = server
        .sql(&body, &[("accept", "text/csv"), ("content-type", "application/json; charset=utf-8")])
        .await;
    assert_eq!(reply.body, "b\n1\n2\n");
    let parquet = server.sql(sql, &[("accept", "application/vnd.apache.parquet")]).await;
    assert!(parquet.body.starts_with("PAR1") && parquet.body.ends_with("PAR1"));
}

#[tokio::test]
async fn an_answer_names_its_snapshot_and_says_whether_it_was_cut() {
    let mut server = Server::new(60_000, Limits { rows: 30_000, ..Limits::default() });
    let short = server.sql("SELECT 1 AS x", &[]).await;
    assert!(
        short.header("x-rxtrail-snapshot").starts_with("commit=7; chain=1 head=4 (0x"),
        "{:?}",
        short.headers
    );
    assert_eq!((short.header("x-rxtrail-truncated"), &short.trailers), ("false", &None));
    let cut = server.sql("SELECT 1 AS x FROM events", &[("accept", "text/csv")]).await;
    assert_eq!((cut.header("x-rxtrail-truncated"), cut.body.lines().count()), ("true", 30_001));
    // Longer than what is held back: the end of it says so.
    for (sql, said) in
        [("SELECT * FROM events", "true"), ("SELECT * FROM events WHERE block_number < 20000", "false")]
    {
        let long = server.sql(sql, &[]).await;
        assert_eq!(
            (long.header("x-rxtrail-truncated"), long.header("trailer")),
            ("trailer", "x-rxtrail-truncated")
        );
        assert_eq!(long.trailers.unwrap()["x-rxtrail-truncated"], said);
        assert!(long.body.ends_with("]\n"));
    }
}

#[tokio::test]
async fn an_error_after_the_beginning_breaks_the_answer_off() {
    let mut server = Server::new(100_000, Limits::default());
    let sql = "SELECT tx_hash, 1 / (90000 - CAST(block_number AS BIGINT)) FROM events";
    let response = server.0.as_service().call(request("POST", "/v1/sql", &[], sql)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_with_a_stable_code() {
    let limits = Limits { deadline: Duration::from_millis(300), ..Limits::default() };
    let mut server = Server::new(50_000, limits);
    for (sql, status, code) in [
        ("SELEC 1", 400, "syntax"),
        ("SELECT * FROM nothing", 400, "plan"),
        ("SELECT * FROM events, events, events".repeat(4000).as_str(), 400, "too-complex"),
        ("DROP TABLE events", 403, "not-allowed"),
        ("SELECT 1/0", 422, "execution"),
        (
            "SELECT count(*) FROM events a JOIN events b ON a.block_number + b.block_number < 0",
            422,
            "deadline",
        ),
        ("x".repeat(300_000).as_str(), 413, "body"),
    ] {
        let reply = server.sql(sql, &[]).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code));
    }
    for (headers, status, code) in [
        (&[("content-type", "application/json")][..], 400, "body"),
        (&[("content-type", "image/png")], 415, "media-type"),
        (&[("accept", "image/png")], 406, "accept"),
        (&[("host", "evil.example")], 403, "host"),
        (&[("host", "rebound.evil.example:7474")], 403, "host"),
        (&[("origin", "https://evil.example")], 403, "origin"),
        (&[("origin", "null")], 403, "origin"),
        (&[("origin", "http://localhost:3000")], 403, "origin"),
        (&[("sec-fetch-site", "cross-site")], 403, "origin"),
    ] {
        let reply = server.sql("SELECT 1", headers).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{headers:?}");
    }
    for (method, path, status, code) in [
        ("GET", "/v1/none", 404, "path"),
        ("GET", "/v1/sql", 405, "method"),
        ("POST", "/v1/pedigree?item=x", 405, "method"),
        ("GET", "/v1/pedigree", 400, "parameters"),
        ("GET", "/v1/pedigree?item=pack%2012", 400, "item"),
    ] {
        let reply = server.send(request(method, path, &[], "")).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{method} {path}");
    }
}

#[tokio::test]
async fn a_page_of_this_address_may_ask() {
    let mut server = Server::new(1, Limits::default());
    let headers = [("origin", "http://127.0.0.1:7474"), ("sec-fetch-site", "same-origin")];
    assert_eq!(server.sql("SELECT 1 AS x", &headers).await.body, "[{\"x\":1}]\n");
    let health = server.send(request("GET", "/health", &[], "")).await;
    assert_eq!((health.status, health.body.as_str()), (StatusCode::OK, "well"));
    let rebound = server.send(request("GET", "/health", &[("host", "evil.example")], "")).await;
    assert_eq!(rebound.code(), "host");
}

#[tokio::test]
async fn a_server_without_a_free_place_says_when_to_come_back() {
    let limits = Limits { concurrent: 1, queue_wait: Duration::from_millis(20), ..Limits::default() };
    let engine = Arc::new(engine(200_000, limits));
    let held = engine.ask("SELECT * FROM events").await.unwrap();
    let mut server = Server(router(service(engine), Router::new()));
    let reply = server.sql("SELECT 1", &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str(), reply.header("retry-after")),
        (429, "busy", "1")
    );
    drop(held);
}

//! Listeners of what comes.

use super::{request, service};
use crate::http::live::LISTENERS;
use crate::http::router;
use crate::limits::Limits;
use crate::testing::{Told, engine_over};
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use futures::StreamExt as _;
use model::tables::Table;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

fn notices() -> Told {
    let notice = |sequence: u64, ordinal: u32, kind: &str| {
        json!({"chain": 1, "stream_sequence": sequence, "ordinal": ordinal, "revision": 1, "kind": kind,
            "rule": "ST-04", "severity": "high", "alert": "{\"came\":\"dispensing\"}"})
    };
    Told::default()
        .rows(Table::Notices, [notice(4, 0, "opened"), notice(4, 1, "changed"), notice(9, 0, "withdrawn")])
}

async fn ask(router: &mut Router, last: Option<&str>) -> Response<Body> {
    let headers: Vec<(&str, &str)> = last.map(|id| ("last-event-id", id)).into_iter().collect();
    router.as_service().call(request("GET", "/v1/alerts/live", &headers, "")).await.unwrap()
}

/// The events up to the first that tells where the chains stand: name, id, and what a notice says.
async fn told(response: Response<Body>) -> Vec<(String, String, Value)> {
    let mut stream = response.into_body().into_data_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    loop {
        text += str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap();
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().trim().to_owned()
            };
            let (name, data) = (field("event:"), field("data:"));
            let data: Value = serde_json::from_str(&data).unwrap();
            events.push((name.clone(), field("id:"), data["kind"].clone()));
            text = rest.to_owned();
            if name == "head" {
                return events;
            }
        }
    }
}

fn event(name: &str, id: &str, kind: &str) -> (String, String, Value) {
    (name.to_owned(), id.to_owned(), if kind.is_empty() { Value::Null } else { kind.into() })
}

#[tokio::test]
async fn who_comes_again_is_told_what_came_since_and_who_is_new_only_what_comes() {
    let engine = Arc::new(engine_over(Arc::new(notices()), Limits::default()));
    let mut router = router(service(engine), Router::new());
    let again = told(ask(&mut router, Some("1:4:0")).await).await;
    let since = [
        event("notice", "1:4:1", "changed"),
        event("notice", "1:9:0", "withdrawn"),
        event("head", "1:9:0", ""),
    ];
    assert_eq!(again, since);
    assert_eq!(told(ask(&mut router, None).await).await, [event("head", "1:9:4294967295", "")]);
    // An id of tables that had more is no reason to tell nothing, and one that is none of ours none to tell everything.
    assert_eq!(
        told(ask(&mut router, Some("1:99:0,7:3:0")).await).await,
        [event("head", "1:9:4294967295", "")]
    );
    assert_eq!(told(ask(&mut router, Some("yesterday")).await).await, [event("head", "1:9:4294967295", "")]);
}

#[tokio::test]
async fn so_many_may_listen_and_all_are_let_go_when_the_process_ends() {
    let engine = Arc::new(engine_over(Arc::new(notices()), Limits::default()));
    let (mut service, stop) = (service(engine), CancellationToken::new());
    service.stop = stop.clone();
    let mut router = router(service, Router::new());
    let mut listening = Vec::new();
    for _ in 0..LISTENERS {
        listening.push(ask(&mut router, None).await);
    }
    assert_eq!(ask(&mut router, None).await.status(), StatusCode::TOO_MANY_REQUESTS);
    listening.pop();
    listening.push(ask(&mut router, None).await);
    assert!(listening.iter().all(|response| response.status() == StatusCode::OK));
    stop.cancel();
    for response in listening {
        let mut stream = response.into_body().into_data_stream();
        while let Some(bytes) = stream.next().await {
            bytes.unwrap();
        }
    }
}

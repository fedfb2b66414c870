//! A real server on the loopback, and what comes back through a real client.

use super::*;
use crate::testing::chain::Chain;
use crate::testing::node::Node;
use alloy_json_rpc::{Id, Request};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap as Headers;
use axum::response::IntoResponse;
use axum::routing::post;
use std::sync::Arc;

const TIMEOUT: Duration = Duration::from_secs(20);

async fn serve(router: Router) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v2/secret-key").parse().unwrap()
}

fn packet() -> RequestPacket {
    RequestPacket::Single(Request::new("eth_chainId", Id::Number(1), ()).serialize().unwrap())
}

/// What a server's answer comes to.
async fn outcome<R: IntoResponse + Clone + Send + Sync + 'static>(
    answer: R,
) -> std::result::Result<Reply, RpcError> {
    let url = serve(Router::new().route("/v2/secret-key", post(async move || answer))).await;
    Http::new(url, TIMEOUT).unwrap().send(packet()).await
}

#[tokio::test]
async fn a_packet_goes_out_and_its_answer_comes_back() {
    let node = Node::with(Chain::of(3));
    let answer = async |State(node): State<Arc<Node>>, headers: Headers, body: String| {
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        node.body(&body).unwrap()
    };
    let url = serve(Router::new().route("/v2/secret-key", post(answer)).with_state(node)).await;
    let reply = Http::new(url, TIMEOUT).unwrap().send(packet()).await.unwrap();
    assert_eq!(reply.outcomes(1, 1).unwrap(), [Ok("\"0x539\"")]);
}

/// `{"jsonrpc":"2.0","id":1,"result":"0x539"}`, packed by gzip.
const PACKED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 42, 206, 207, 43, 42, 72, 86, 178, 82, 50, 210, 51, 80,
    210, 81, 202, 76, 81, 178, 50, 212, 81, 42, 74, 45, 46, 205, 41, 1, 138, 26, 84, 152, 26, 91, 42, 213, 2,
    0, 135, 161, 244, 203, 41, 0, 0, 0,
];

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let reply = outcome(([("content-encoding", "gzip")], PACKED)).await.unwrap();
    assert_eq!(reply.outcomes(1, 1).unwrap(), [Ok("\"0x539\"")]);
}

#[tokio::test]
async fn a_refusal_is_read_by_status_header_and_words() {
    let limited = |after: Option<u64>| move |error: &RpcError| matches!(error, RpcError::RateLimited { after: got, .. } if *got == after.map(Duration::from_secs));
    let range = |error: &RpcError| matches!(error, RpcError::RangeTooLarge { .. });
    let check = async |answer: (u16, Vec<(&'static str, &'static str)>, &'static str),
                       is: &dyn Fn(&RpcError) -> bool| {
        let (status, headers, body) = answer.clone();
        let mut response = axum::http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let (parts, ()) = response.body(()).unwrap().into_parts();
        let error = outcome((parts.status, parts.headers, body)).await.unwrap_err();
        assert!(is(&error), "{answer:?}: {error:?}");
        assert!(!error.to_string().contains("secret-key"), "{error}");
    };
    check((429, vec![], ""), &limited(None)).await;
    check((429, vec![("retry-after", "7")], "slow down"), &limited(Some(7))).await;
    check((429, vec![("retry-after", "99999999")], ""), &limited(Some(300))).await;
    check((429, vec![("retry-after", "soon")], ""), &limited(None)).await;
    let dated =
        vec![("retry-after", "Sun, 06 Nov 1994 08:49:49 GMT"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
    check((429, dated, ""), &limited(Some(12))).await;
    check((503, vec![("retry-after", "3")], ""), &limited(Some(3))).await;
    check(
        (413, vec![], r#"{"error":{"code":-32614,"message":"eth_getLogs is limited to a 10,000 range"}}"#),
        &range,
    )
    .await;
    check((413, vec![], ""), &range).await;
    check(
        (400, vec![], r#"{"error":{"code":-32602,"message":"range 20000 exceeds limit of 10000"}}"#),
        &range,
    )
    .await;
    check((401, vec![], "who are you"), &|error| matches!(error, RpcError::Denied(_))).await;
    check((403, vec![], r#"{"error":{"code":1,"message":"?"}}"#), &|error| {
        matches!(error, RpcError::Denied(_))
    })
    .await;
    check((504, vec![], "<html>"), &|error| matches!(error, RpcError::Timeout(_))).await;
    check((500, vec![], ""), &|error| matches!(error, RpcError::Transient(_))).await;
    // The address holds a key: nobody is followed elsewhere with it.
    check((307, vec![("location", "http://127.0.0.1:1/")], ""), &|error| {
        matches!(error, RpcError::Transient(_))
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = async || {
        Body::from_stream(futures::stream::repeat_with(|| {
            Ok::<_, std::convert::Infallible>(vec![b'['; 1 << 20])
        }))
    };
    let url = serve(Router::new().route("/v2/secret-key", post(endless))).await;
    let outcome = Http::new(url, TIMEOUT).unwrap().send(packet()).await;
    assert!(matches!(outcome, Err(RpcError::RangeTooLarge { hint: None, .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_named_by_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2/secret-key", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let http = Http::new(url, TIMEOUT).unwrap();
    let error = http.send(packet()).await.unwrap_err();
    assert!(matches!(&error, RpcError::Transient(detail) if !detail.contains("secret-key")), "{error:?}");
    assert!(!format!("{http:?}").contains("secret-key"));
}

#[tokio::test]
async fn an_answer_that_never_comes_times_out() {
    let url = serve(Router::new().route("/v2/secret-key", post(std::future::pending::<()>))).await;
    let outcome = Http::new(url, Duration::from_millis(50)).unwrap().send(packet()).await;
    assert!(matches!(outcome, Err(RpcError::Timeout(_))), "{outcome:?}");
}

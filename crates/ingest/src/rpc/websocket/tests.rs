//! A real server on the loopback.

use super::*;
use crate::testing::chain::Chain;
use crate::testing::node::Node;
use crate::testing::{CHAIN, in_time};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket as Socket, WebSocketUpgrade};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::broadcast;

const TIME_MAX: Duration = Duration::from_secs(20);

/// A node behind a socket. Each word that is told is a head, or `bye` to close every connection.
#[derive(Clone)]
struct Server {
    node: Arc<Node>,
    tell: broadcast::Sender<String>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> (Self, Url) {
        let server = Self {
            node: Node::with(Chain::of(3)),
            tell: broadcast::Sender::new(16),
            connections: Arc::default(),
        };
        let upgrade = async |State(server): State<Server>, upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(move |socket| server.talk(socket))
        };
        let router = Router::new().route("/secret-key", get(upgrade)).with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/secret-key", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, url)
    }

    async fn talk(self, mut socket: Socket) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let mut told = self.tell.subscribe();
        loop {
            let text = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.answer(&text),
                    Some(Ok(_)) => continue,
                    _ => return,
                },
                told = told.recv() => match told.unwrap().as_str() {
                    "bye" => return,
                    head => json!({ "jsonrpc": "2.0", "method": "eth_subscription", "params": { "subscription": "0x5", "result": { "number": head } } }).to_string(),
                },
            };
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, text: &str) -> String {
        let call: Value = serde_json::from_str(text).unwrap();
        match call["method"].as_str() {
            Some("eth_subscribe") => {
                json!({ "jsonrpc": "2.0", "id": call["id"], "result": "0x5" }).to_string()
            }
            _ => self.node.body(text).unwrap(),
        }
    }
}

fn calls(methods: &[&'static str]) -> RequestPacket {
    let request =
        |(id, method): (u64, &&'static str)| Request::new(*method, Id::Number(id), ()).serialize().unwrap();
    (1..).zip(methods).map(request).collect()
}

#[tokio::test]
async fn calls_are_answered_over_one_connection() {
    let (server, url) = Server::start().await;
    let socket = WebSocket::new(url, CHAIN, TIME_MAX);
    for _ in 0..3 {
        let reply = socket.send(calls(&["eth_chainId", "eth_unknown"])).await.unwrap();
        let outcomes = reply.outcomes(1, 2).unwrap();
        assert_eq!(outcomes[0], Ok("\"0x539\""));
        assert!(matches!(outcomes[1], Err(RpcError::Unsupported(_))), "{outcomes:?}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_to_another_chain_is_not_used() {
    let (server, url) = Server::start().await;
    server.node.serves(5);
    let socket = WebSocket::new(url, CHAIN, TIME_MAX);
    assert!(matches!(socket.send(calls(&["eth_chainId"])).await, Err(RpcError::WrongChain(5))));
    assert!(matches!(socket.new_heads().await, Err(RpcError::WrongChain(5))));
}

#[tokio::test]
async fn heads_are_told_until_the_connection_breaks_and_the_next_one_is_checked_again() {
    let (server, url) = Server::start().await;
    let socket = WebSocket::new(url, CHAIN, TIME_MAX);
    let mut heads = socket.new_heads().await.unwrap();
    for head in ["0x4", "0x5", "nonsense"] {
        server.tell.send(head.into()).unwrap();
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(in_time("a head", heads.next()).await);
    }
    assert_eq!(told, [Some(4), Some(5), Some(0)]);
    server.tell.send("bye".into()).unwrap();
    assert_eq!(in_time("the end", heads.next()).await, None);
    // The first call finds out, the next one connects.
    in_time("an answer", async { while socket.send(calls(&["eth_chainId"])).await.is_err() {} }).await;
    assert_eq!((server.connections.load(Ordering::SeqCst), server.node.asked("eth_chainId") >= 3), (2, true));
}

#[tokio::test]
async fn what_fails_is_told_without_the_address() {
    let url: Url = "ws://127.0.0.1:1/secret-key".parse().unwrap();
    let socket = WebSocket::new(url, CHAIN, TIME_MAX);
    let error = socket.send(calls(&["eth_chainId"])).await.unwrap_err();
    assert!(matches!(error, RpcError::Transient(_)), "{error:?}");
    assert!(!format!("{error} {socket:?}").contains("secret-key"));
}

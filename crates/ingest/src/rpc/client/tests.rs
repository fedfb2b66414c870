//! Batches: their order, their limits, their failures.

use super::*;
use crate::rpc::error::RpcError;
use crate::testing::chain::Chain;
use crate::testing::node::{Failure, Node};
use crate::testing::{CHAIN, metrics};
use serde_json::json;
use std::sync::{Arc, Mutex};

fn client(node: &Arc<Node>, batch: usize) -> Client {
    Client::new(Box::new(Arc::clone(node)), batch, metrics().of_endpoint(CHAIN, "a"))
}

fn blocks(numbers: std::ops::Range<u64>) -> Vec<Call> {
    let call =
        |number| Call { method: "eth_getBlockByNumber", params: json!([format!("{number:#x}"), false]) };
    numbers.map(call).collect()
}

fn number(_: usize, json: &str) -> Result<u64, RpcError> {
    let block: Value = serde_json::from_str(json).unwrap();
    Ok(u64::from_str_radix(block["number"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap())
}

/// The sizes of the packets that a node is sent, and a node that takes `most` calls in one.
struct Limited {
    node: Arc<Node>,
    most: usize,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl fmt::Debug for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limited")
    }
}

use async_trait::async_trait;
use std::fmt;

#[async_trait]
impl Transport for Limited {
    async fn send(&self, packet: RequestPacket) -> Result<Reply, RpcError> {
        self.sizes.lock().unwrap().push(packet.len());
        if packet.len() > self.most {
            return Ok(Reply::Body(r#"{"error":{"code":-32600,"message":"Batch size too large"}}"#.into()));
        }
        self.node.send(packet).await
    }
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_calls() {
    let client = client(&Node::with(Chain::of(30)), 7);
    assert_eq!(client.calls(&blocks(0..31), &number).await, Ok((0..31).collect()));
    assert_eq!(client.calls(&[], &number).await, Ok(vec![]));
}

#[tokio::test]
async fn a_batch_that_is_refused_is_halved_and_the_size_remembered() {
    let sizes = Arc::default();
    let limited = Limited { node: Node::with(Chain::of(30)), most: 5, sizes: Arc::clone(&sizes) };
    let client = Client::new(Box::new(limited), 20, metrics().of_endpoint(CHAIN, "a"));
    assert_eq!(client.calls(&blocks(0..20), &number).await, Ok((0..20).collect()));
    assert_eq!(*sizes.lock().unwrap(), [20, 10, 5, 5, 10, 5, 5]);
    sizes.lock().unwrap().clear();
    assert_eq!(client.calls(&blocks(0..10), &number).await, Ok((0..10).collect()));
    assert_eq!(*sizes.lock().unwrap(), [5, 5]);
}

#[tokio::test]
async fn an_endpoint_that_knows_no_batch_is_asked_one_by_one() {
    let sizes = Arc::default();
    let limited = Limited { node: Node::with(Chain::of(9)), most: 1, sizes: Arc::clone(&sizes) };
    let client = Client::new(Box::new(limited), 8, metrics().of_endpoint(CHAIN, "a"));
    assert_eq!(client.calls(&blocks(0..9), &number).await, Ok((0..9).collect()));
    assert_eq!(client.batch_size(), 1);
}

#[tokio::test]
async fn one_failure_fails_the_list_with_its_reason() {
    let node = Node::with(Chain::of(9));
    node.trick(|_, params, answer| match params[0].as_str() {
        Some("0x5") => Err(Failure::Says(429, "Too Many Requests".into())),
        _ => answer,
    });
    assert!(matches!(
        client(&node, 4).calls(&blocks(0..9), &number).await,
        Err(RpcError::RateLimited { .. })
    ));
}

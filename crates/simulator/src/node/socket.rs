//! WebSocket: the same calls, and subscriptions to new heads and logs.
//!
//! After a reorg the logs of orphans are sent again with `removed: true`, then the heads and logs of the siblings.

use crate::chain::seal::SealedBlock;
use crate::node::filter::Filter;
use crate::node::http::Shared;
use crate::node::lies;
use crate::node::rpc::{self, Call, RpcError};
use crate::node::state::{News, Node};
use axum::extract::ws::{Message, WebSocket};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tokio::sync::broadcast::error::RecvError;

/// Subscriptions of one connection at most.
const SUBSCRIPTIONS_MAX: usize = 128;

enum Subscription {
    NewHeads,
    Logs(Box<Filter>),
}

/// Serves one connection until it ends, lags too far behind, or the node stops.
pub(crate) async fn serve(mut socket: WebSocket, shared: Shared) {
    let mut news = shared.node.subscribe();
    let mut subscriptions = Subscriptions::default();
    loop {
        tokio::select! {
            () = shared.shutdown.cancelled() => return,
            message = socket.recv() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
                    Some(Ok(Message::Binary(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                };
                let answer = subscriptions.answer(&shared.node, &text);
                if !answer.is_empty() && send(&mut socket, answer).await.is_err() {
                    return;
                }
            }
            told = news.recv() => match told {
                Ok(told) => {
                    for notice in subscriptions.notices(&shared.node, &told) {
                        if send(&mut socket, notice).await.is_err() {
                            return;
                        }
                    }
                }
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            },
        }
    }
}

async fn send(socket: &mut WebSocket, json: Vec<u8>) -> Result<(), axum::Error> {
    socket.send(Message::Text(String::from_utf8(json).unwrap_or_default().into())).await
}

#[derive(Default)]
struct Subscriptions {
    made: u64,
    open: BTreeMap<u64, Subscription>,
}

impl Subscriptions {
    /// Answers a message: a subscription, its end, or whatever HTTP answers.
    fn answer(&mut self, node: &Node, text: &str) -> Vec<u8> {
        let Ok(call) = serde_json::from_str::<Call<'_>>(text) else {
            return rpc::answer(node, text.as_bytes());
        };
        let answered = match call.method.as_str() {
            "eth_subscribe" => self.subscribe(&call),
            "eth_unsubscribe" => Ok(self.unsubscribe(&call).to_string()),
            _ => return rpc::answer(node, text.as_bytes()),
        };
        let mut out = Vec::new();
        match answered {
            Ok(result) => {
                let id = call.id.map_or("null", RawValue::get);
                out.extend_from_slice(
                    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).as_bytes(),
                );
            }
            Err(error) => rpc::write_error(&mut out, call.id, &error),
        }
        out
    }

    fn subscribe(&mut self, call: &Call<'_>) -> Result<String, RpcError> {
        if self.open.len() >= SUBSCRIPTIONS_MAX {
            return Err(RpcError::new(-32000, "too many subscriptions"));
        }
        let subscription = match call.param(0).as_str() {
            Some("newHeads") => Subscription::NewHeads,
            Some("logs") => Subscription::Logs(Box::new(Filter::read(call.param(1))?)),
            _ => return Err(RpcError::params("newHeads or logs")),
        };
        self.made += 1;
        self.open.insert(self.made, subscription);
        Ok(format!("\"{:#x}\"", self.made))
    }

    fn unsubscribe(&mut self, call: &Call<'_>) -> bool {
        let id = call.param(0).as_str().and_then(|text| text.strip_prefix("0x"));
        let id = id.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        id.is_some_and(|id| self.open.remove(&id).is_some())
    }

    /// What the news are to each subscription.
    fn notices(&self, node: &Node, news: &News) -> Vec<Vec<u8>> {
        let mut notices = Vec::new();
        for (id, subscription) in &self.open {
            match (subscription, news) {
                (Subscription::NewHeads, News::Added(block)) => {
                    let mut header = vec![b'{'];
                    lies::write_header(&mut header, block, &node.faults());
                    header.push(b'}');
                    notices.push(notice(*id, &header));
                }
                (Subscription::NewHeads, News::Removed(_)) => {}
                (Subscription::Logs(filter), News::Added(block)) => {
                    notices.extend(log_notices(*id, node, filter, block, false));
                }
                (Subscription::Logs(filter), News::Removed(block)) => {
                    notices.extend(log_notices(*id, node, filter, block, true));
                }
            }
        }
        notices
    }
}

fn log_notices(id: u64, node: &Node, filter: &Filter, block: &SealedBlock, removed: bool) -> Vec<Vec<u8>> {
    if !filter.might_match(block) {
        return Vec::new();
    }
    let faults = node.faults();
    let wanted = (0..block.log_count()).filter(|index| filter.matches(block.log(*index)));
    let written = wanted.filter(|index| !lies::is_omitted(block, *index, &faults)).map(|index| {
        let mut log = Vec::new();
        if removed || lies::is_hinted(block, index, &faults) {
            lies::write_removed(&mut log, block.log(index));
        } else if lies::is_forged(block, index, &faults) {
            lies::write_forged(&mut log, block.log(index));
        } else {
            log.extend_from_slice(block.log(index));
        }
        notice(id, &log)
    });
    written.collect()
}

fn notice(id: u64, result: &[u8]) -> Vec<u8> {
    let head = format!(
        r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{id:#x}","result":"#
    );
    [head.as_bytes(), result, b"}}"].concat()
}

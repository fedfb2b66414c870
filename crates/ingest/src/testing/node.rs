//! A node in memory: it answers as a node does, keeps count of what it was asked, and lies when told to.

use super::chain::{Chain, quantity};
use crate::rpc::error::RpcError;
use crate::rpc::hex;
use crate::rpc::transport::{Reply, Transport};
use alloy_json_rpc::RequestPacket;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a node answers.
pub(crate) type Answer = Result<Value, Failure>;

/// Why it does not.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// An error object.
    Says(i64, String),
    /// Nothing comes back.
    Breaks(RpcError),
}

/// Changes an answer: a lie, a limit, an outage.
type Trick = Box<dyn FnMut(&str, &Value, Answer) -> Answer + Send>;

/// A node in memory.
pub(crate) struct Node {
    chain: Arc<Mutex<Chain>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tricks: Vec<Trick>,
    asked: Vec<String>,
    chain_id: Option<u64>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

impl Node {
    /// A node that serves `chain`, whatever becomes of it.
    pub(crate) fn of(chain: &Arc<Mutex<Chain>>) -> Arc<Self> {
        Arc::new(Self { chain: Arc::clone(chain), state: Mutex::default() })
    }

    /// A node with a chain of its own.
    pub(crate) fn with(chain: Chain) -> Arc<Self> {
        Self::of(&Arc::new(Mutex::new(chain)))
    }

    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap()
    }

    /// Passes every answer through `trick` from now on.
    pub(crate) fn trick(&self, trick: impl FnMut(&str, &Value, Answer) -> Answer + Send + 'static) {
        self.state.lock().unwrap().tricks.push(Box::new(trick));
    }

    /// Changes each answer to `method`.
    pub(crate) fn alter(
        &self,
        method: &'static str,
        mut change: impl FnMut(&Value, &mut Value) + Send + 'static,
    ) {
        self.trick(move |asked, params, answer| {
            let mut answer = answer?;
            if asked == method {
                change(params, &mut answer);
            }
            Ok(answer)
        });
    }

    /// Answers honestly again.
    pub(crate) fn repent(&self) {
        self.state.lock().unwrap().tricks.clear();
    }

    pub(crate) fn serves(&self, chain_id: u64) {
        self.state.lock().unwrap().chain_id = Some(chain_id);
    }

    /// How often `method` was asked.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| *asked == method).count()
    }

    /// The body that answers a request's body.
    pub(crate) fn body(&self, request: &str) -> Result<String, RpcError> {
        let request: Value = serde_json::from_str(request).unwrap();
        let reply = match request.as_array() {
            Some(calls) => calls.iter().map(|call| self.envelope(call)).collect::<Result<Value, _>>()?,
            None => self.envelope(&request)?,
        };
        Ok(reply.to_string())
    }

    fn envelope(&self, call: &Value) -> Result<Value, RpcError> {
        let (method, params) = (call["method"].as_str().unwrap(), &call["params"]);
        match self.answer(method, params) {
            Ok(result) => Ok(json!({ "jsonrpc": "2.0", "id": call["id"], "result": result })),
            Err(Failure::Says(code, message)) => Ok(
                json!({ "jsonrpc": "2.0", "id": call["id"], "error": { "code": code, "message": message } }),
            ),
            Err(Failure::Breaks(error)) => Err(error),
        }
    }

    fn answer(&self, method: &str, params: &Value) -> Answer {
        let mut state = self.state.lock().unwrap();
        state.asked.push(method.to_owned());
        let answer = honest(&self.chain.lock().unwrap(), state.chain_id, method, params);
        state.tricks.iter_mut().fold(answer, |answer, trick| trick(method, params, answer))
    }
}

fn honest(chain: &Chain, chain_id: Option<u64>, method: &str, params: &Value) -> Answer {
    let number = |tag: &Value| match tag.as_str().unwrap() {
        "latest" => chain.latest(),
        "finalized" => chain.finalized,
        number => hex::quantity(number).unwrap(),
    };
    Ok(match method {
        "eth_chainId" => json!(quantity(chain_id.unwrap_or(super::CHAIN.0))),
        "eth_getBlockByNumber" => {
            chain.block(number(&params[0])).map_or(Value::Null, |block| block.json(params[1] == json!(true)))
        }
        "eth_getBlockReceipts" => {
            chain.block(number(&params[0])).map_or(Value::Null, |block| json!(block.receipts_json()))
        }
        "eth_getTransactionReceipt" => {
            let receipts = chain.blocks.iter().flat_map(|block| block.receipts_json());
            receipts.into_iter().find(|receipt| receipt["transactionHash"] == params[0]).unwrap_or_default()
        }
        "eth_getLogs" => {
            json!(logs(chain, number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]), &params[0]))
        }
        other => {
            return Err(Failure::Says(-32601, format!("the method {other} does not exist/is not available")));
        }
    })
}

fn logs(chain: &Chain, first: u64, last: u64, filter: &Value) -> Vec<Value> {
    let holds = |list: &Value, value: &Value| list.as_array().is_none_or(|list| list.contains(value));
    let blocks = (first..=last.min(chain.latest())).filter_map(|number| chain.block(number));
    let all = blocks.flat_map(|block| block.logs_json());
    all.filter(|log| {
        holds(&filter["address"], &log["address"]) && holds(&filter["topics"][0], &log["topics"][0])
    })
    .collect()
}

#[async_trait]
impl Transport for Arc<Node> {
    async fn send(&self, packet: RequestPacket) -> Result<Reply, RpcError> {
        tokio::task::yield_now().await;
        let request = serde_json::to_string(&packet).unwrap();
        self.body(&request).map(|body| Reply::Body(body.into()))
    }
}

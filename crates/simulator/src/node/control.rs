//! The `sim_*` methods: tests change what the node does, and learn what it has done.
//!
//! `sim_status` · `sim_mine(n)` · `sim_reorg(depth, dice?)` · `sim_setFaults(faults)` · `sim_faults` ·
//! `sim_pause` · `sim_resume`

use crate::faults::Faults;
use crate::node::rpc::{Call, RpcError};
use crate::node::state::Node;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// Blocks that one `sim_mine` mines at most.
const MINE_MAX: u64 = 100_000;

/// Answers a call of a control method.
pub(crate) fn answer(node: &Node, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), RpcError> {
    let answer = match call.method.as_str() {
        "sim_status" => status(node),
        "sim_mine" => mine(node, call.param(0))?,
        "sim_reorg" => {
            let depth = call.param(0).as_u64().ok_or_else(|| RpcError::params("depth is a number"))?;
            node.reorg(depth, call.param(1).as_u64().unwrap_or(1))?;
            status(node)
        }
        "sim_setFaults" => {
            let faults = Faults::deserialize_from(call.param(0))?;
            node.set_faults(faults.clone());
            json!(faults)
        }
        "sim_faults" => json!(node.faults()),
        "sim_pause" | "sim_resume" => {
            node.paused.store(call.method == "sim_pause", Ordering::Relaxed);
            Value::Bool(true)
        }
        method => {
            return Err(RpcError::new(
                -32601,
                format!("the method {method} does not exist/is not available"),
            ));
        }
    };
    out.extend_from_slice(answer.to_string().as_bytes());
    Ok(())
}

impl Faults {
    fn deserialize_from(value: &Value) -> Result<Self, RpcError> {
        serde_json::from_value(value.clone()).map_err(|error| RpcError::params(&error.to_string()))
    }
}

fn mine(node: &Node, count: &Value) -> Result<Value, RpcError> {
    let count = count.as_u64().unwrap_or(1);
    if count > MINE_MAX {
        return Err(RpcError::params("at most 100,000 blocks at a time"));
    }
    for _ in 0..count {
        if !node.mine()? {
            break;
        }
    }
    Ok(status(node))
}

fn status(node: &Node) -> Value {
    let ledger = node.ledger();
    json!({
        "chainId": ledger.chain_id,
        "head": ledger.height(),
        "headHash": ledger.head().map(|head| head.hash.to_string()),
        "finalized": ledger.finalized(),
        "planned": ledger.plan.len(),
        "putOff": ledger.put_off.len(),
        "exhausted": ledger.is_exhausted(),
        "orphans": ledger.orphans.len(),
        "requests": node.requests.load(Ordering::Relaxed),
        "logCalls": node.log_calls.load(Ordering::Relaxed),
    })
}

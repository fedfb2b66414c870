//! JSON-RPC 2.0: requests, batches, answers and errors.

use crate::node::state::Node;
use crate::node::{control, logs, methods};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Requests in one batch at most, as in Geth.
const BATCH_MAX: usize = 1_000;
/// Bytes of one answer at most, batches included: 600,000 logs.
pub(crate) const ANSWER_BYTES_MAX: usize = 512 << 20;

/// An error as a node answers it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The parameters are wrong.
    pub(crate) fn params(why: &str) -> Self {
        Self::new(-32602, format!("invalid params: {why}"))
    }
}

impl From<crate::Error> for RpcError {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Depth { .. } => Self::new(-32602, error.to_string()),
            _ => Self::new(-32603, error.to_string()),
        }
    }
}

/// One call.
#[derive(Debug, Deserialize)]
pub(crate) struct Call<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) params: Value,
}

impl Call<'_> {
    /// A parameter; null when it is missing.
    pub(crate) fn param(&self, place: usize) -> &Value {
        self.params.get(place).unwrap_or(&Value::Null)
    }
}

/// Answers a body: one call or a batch. Notifications get no answer; an empty answer is none.
pub(crate) fn answer(node: &Node, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let is_batch = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_batch {
        match serde_json::from_slice::<Call<'_>>(body) {
            Ok(call) => answer_call(node, &call, &mut out),
            Err(_) => write_error(&mut out, None, &unreadable(body)),
        }
        return out;
    }
    match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(calls) if calls.is_empty() => write_error(&mut out, None, &RpcError::new(-32600, "empty batch")),
        Ok(calls) if calls.len() > BATCH_MAX => {
            write_error(&mut out, None, &RpcError::new(-32600, "batch too large"));
        }
        Ok(calls) => answer_batch(node, &calls, &mut out),
        Err(_) => write_error(&mut out, None, &unreadable(body)),
    }
    out
}

fn answer_batch(node: &Node, calls: &[&RawValue], out: &mut Vec<u8>) {
    out.push(b'[');
    for call in calls {
        let before = out.len();
        if before > 1 {
            out.push(b',');
        }
        let start = out.len();
        match serde_json::from_str::<Call<'_>>(call.get()) {
            Ok(call) => answer_call(node, &call, out),
            Err(_) => write_error(out, None, &RpcError::new(-32600, "invalid request")),
        }
        if out.len() == start {
            out.truncate(before);
        }
    }
    out.push(b']');
}

fn unreadable(body: &[u8]) -> RpcError {
    match serde_json::from_slice::<Value>(body) {
        Ok(_) => RpcError::new(-32600, "invalid request"),
        Err(_) => RpcError::new(-32700, "parse error"),
    }
}

fn answer_call(node: &Node, call: &Call<'_>, out: &mut Vec<u8>) {
    let Some(id) = call.id else { return };
    let start = out.len();
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    out.extend_from_slice(b",\"result\":");
    match dispatch(node, call, out) {
        Ok(()) => out.push(b'}'),
        Err(error) => {
            out.truncate(start);
            write_error(out, Some(id), &error);
        }
    }
}

/// Writes the result of a call.
pub(crate) fn dispatch(node: &Node, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), RpcError> {
    match call.method.as_str() {
        "eth_getLogs" => logs::get_logs(node, call.param(0), out),
        method if method.starts_with("sim_") => control::answer(node, call, out),
        _ => methods::answer(node, call, out),
    }
}

/// Writes an error answer.
pub(crate) fn write_error(out: &mut Vec<u8>, id: Option<&RawValue>, error: &RpcError) {
    let RpcError { code, message, data } = error;
    let mut body = serde_json::json!({ "code": code, "message": message });
    if let Some(data) = data {
        body["data"] = data.clone();
    }
    let id = id.map_or("null", RawValue::get);
    out.extend_from_slice(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{body}}}"#).as_bytes());
}

//! Refusals of `eth_getLogs` in providers' words.

use crate::faults::Wording;
use crate::node::rpc::RpcError;
use serde_json::json;

/// What a call asked for, and what would have been allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess {
    /// First block asked for.
    pub(crate) from: u64,
    /// Last block asked for.
    pub(crate) to: u64,
    /// Last block with which the call would have been answered.
    pub(crate) fits_to: u64,
    /// The limit: of blocks or of results.
    pub(crate) limit: u64,
}

/// The refusal.
pub(crate) fn refusal(wording: Wording, excess: Excess) -> RpcError {
    let Excess { from, to, fits_to, limit } = excess;
    let range = format!("[{from:#x}, {fits_to:#x}]");
    match wording {
        Wording::TryWithRange => RpcError {
            data: Some(
                json!({ "from": format!("{from:#X}"), "limit": limit, "to": format!("{fits_to:#X}") }),
            ),
            ..RpcError::new(
                -32005,
                format!("query returned more than {limit} results. Try with this block range {range}."),
            )
        },
        Wording::ResponseSize => RpcError::new(
            -32602,
            format!(
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit \
                 on the response size, or you can request any block range with a cap of 10K logs in the response. Based \
                 on your parameters and the response size limit, this block range should work: {range}"
            ),
        ),
        Wording::UpToBlocks => RpcError::new(
            -32600,
            format!(
                "You can make eth_getLogs requests with up to a {limit} block range. Based on your parameters, this \
                 block range should work: {range}"
            ),
        ),
        Wording::RetryWithRange => RpcError::new(
            -32602,
            format!("query exceeds max results {limit}, retry with the range {from}-{fits_to}"),
        ),
        Wording::LimitedTo => RpcError::new(-32614, format!("eth_getLogs is limited to a {limit} range")),
        Wording::TooLarge => RpcError::new(-32000, "block range is too large"),
        Wording::ExceedsLimit => {
            RpcError::new(-32602, format!("range {} exceeds limit of {limit}", to - from + 1))
        }
        Wording::LimitExceeded => RpcError::new(-32005, "limit exceeded"),
    }
}

/// The refusal of a call that took too long.
pub(crate) fn timed_out() -> RpcError {
    RpcError::new(-32005, "query timeout exceeded")
}

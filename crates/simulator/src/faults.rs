//! What a node can do wrong.
//!
//! All faults are off by default. They are set in the configuration and changed at run time by `sim_setFaults`,
//! whose parameter is the JSON form of [`Faults`] (fields that are left out are off). Everything that says "every"
//! counts or hashes positions, so that a run can be repeated: 1 is every one, 0 is none.

use serde::{Deserialize, Serialize};

/// Everything that a node can be told to do wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Faults {
    /// Milliseconds before each answer.
    pub latency_ms: u64,
    /// Every so many HTTP requests, one is refused with 429.
    pub too_many_requests_every: u64,
    /// What `Retry-After` says then, in seconds.
    pub retry_after_secs: u64,
    /// Every so many HTTP requests, one answer breaks off in the middle of its body.
    pub cut_body_every: u64,
    /// Every so many HTTP requests, one connection is closed without an answer.
    pub drop_connection_every: u64,
    /// Limits of `eth_getLogs`.
    pub logs_limit: Option<LogsLimit>,
    /// Every so many calls of `eth_getLogs`, one answers that it took too long.
    pub logs_timeout_every: u64,
    /// Every so many logs, one is left out of `eth_getLogs`. The same ones each time.
    pub omit_log_every: u64,
    /// Every so many logs, one is altered in `eth_getLogs`. The same ones each time.
    pub forge_log_every: u64,
    /// The altered logs are altered in receipts too.
    pub forge_receipts: bool,
    /// Every so many logs, one says `removed: true` though its block stands. The same ones each time.
    pub removed_hint_every: u64,
    /// Every so many transactions, one has another sender. The same ones each time.
    pub alter_sender_every: u64,
    /// Every so many blocks, one has an altered field in its header. The same ones each time.
    pub alter_header_every: u64,
    /// `eth_getLogs` finds nothing below this block, and does not say so.
    pub pruned_below: u64,
    /// The head is announced, and is null when asked for.
    pub null_head: bool,
}

/// A limit of `eth_getLogs`, with a provider's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsLimit {
    /// Blocks that one call may ask for.
    pub max_blocks: Option<u64>,
    /// Logs that one answer may hold.
    pub max_results: Option<u64>,
    /// How the refusal is worded.
    pub wording: Wording,
}

/// How providers word that a call asked for too much. Each was seen in a public report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wording {
    /// −32005 `query returned more than N results. Try with this block range […].`, the range also in `data`.
    TryWithRange,
    /// −32602 `Log response size exceeded. … this block range should work: […]`.
    ResponseSize,
    /// −32600 `You can make eth_getLogs requests with up to a N block range. … should work: […]`.
    UpToBlocks,
    /// −32602 `query exceeds max results N, retry with the range a-b`.
    RetryWithRange,
    /// −32614 `eth_getLogs is limited to a N range`.
    LimitedTo,
    /// −32000 `block range is too large`.
    TooLarge,
    /// −32602 `range N exceeds limit of M`.
    ExceedsLimit,
    /// −32005 `limit exceeded`: nothing to learn from.
    LimitExceeded,
}

/// Every wording, for tests that go through all of them.
pub const WORDINGS: [Wording; 8] = [
    Wording::TryWithRange,
    Wording::ResponseSize,
    Wording::UpToBlocks,
    Wording::RetryWithRange,
    Wording::LimitedTo,
    Wording::TooLarge,
    Wording::ExceedsLimit,
    Wording::LimitExceeded,
];

/// Is the `n`th one hit, when one of every `every` is?
pub(crate) fn hits(every: u64, n: u64) -> bool {
    every > 0 && n.is_multiple_of(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_what_is_given_and_unknown_ones_are_refused() {
        let read: Faults =
            serde_json::from_str(r#"{"latencyMs":5,"logsLimit":{"maxBlocks":10,"wording":"tooLarge"}}"#)
                .unwrap();
        let limit = LogsLimit { max_blocks: Some(10), max_results: None, wording: Wording::TooLarge };
        assert_eq!(read, Faults { latency_ms: 5, logs_limit: Some(limit), ..Faults::default() });
        assert!(serde_json::from_str::<Faults>(r#"{"lies":1}"#).is_err());
    }
}

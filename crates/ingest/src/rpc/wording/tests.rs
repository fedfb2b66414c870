//! Messages of real providers and nodes, as users and other indexers have reported them.

use super::*;
use RangeHint::{Blocks, Range};

/// What an error comes to, without the words.
#[derive(Debug, PartialEq)]
enum Means {
    Ranged(Option<RangeHint>),
    Rate(Option<Duration>),
    Batch,
    Pruned,
    Unsupported,
    Denied,
    Timeout,
    Transient,
}

fn means(error: &RpcError) -> Means {
    match error {
        RpcError::RangeTooLarge { hint, .. } => Means::Ranged(*hint),
        RpcError::RateLimited { after, .. } => Means::Rate(*after),
        RpcError::BatchRefused(_) => Means::Batch,
        RpcError::Pruned { .. } => Means::Pruned,
        RpcError::Unsupported(_) => Means::Unsupported,
        RpcError::Denied(_) => Means::Denied,
        RpcError::Timeout(_) => Means::Timeout,
        RpcError::Transient(_) => Means::Transient,
        RpcError::Unprovable(_) | RpcError::WrongChain(_) | RpcError::BadData { .. } => {
            panic!("an error object is no answer: {error}")
        }
    }
}

/// Code, message, and what it suggests.
const RANGES: &[(i64, &str, Option<RangeHint>)] = &[
    // Infura, zkSync
    (
        -32005,
        "query returned more than 10000 results. Try with this block range [0x4B5D4C, 0x4B5DA3].",
        Some(Range { first: 0x4b5d4c, last: 0x4b5da3 }),
    ),
    (-32602, "range 1000000 exceeds limit of 10000", Some(Blocks(10_000))),
    // Alchemy
    (
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0x1b4]",
        Some(Range { first: 0, last: 0x1b4 }),
    ),
    (
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x15a, 0x163]. Upgrade to PAYG for expanded block range.",
        Some(Range { first: 0x15a, last: 0x163 }),
    ),
    (-32000, "Log response size exceeded. Please reduce query block range.", None),
    // QuickNode, 1RPC, Blast
    (-32614, "eth_getLogs is limited to a 10,000 range", Some(Blocks(10_000))),
    (-32001, "eth_getLogs is limited to a 10.000 range", Some(Blocks(10_000))),
    // reth, LlamaRPC, Ankr
    (
        -32602,
        "query exceeds max results 20000, retry with the range 24383075-24383096",
        Some(Range { first: 24_383_075, last: 24_383_096 }),
    ),
    (-32000, "query exceeds max results 100000", None),
    (-32602, "query exceeds max block range 100000", Some(Blocks(100_000))),
    (-32600, "Query exceeds max block range of 10000", Some(Blocks(10_000))),
    (-32600, "block range is too wide", None),
    (-32000, "block range is too wide (maximum 1024)", Some(Blocks(1_024))),
    (-32000, "maximum [from, to] blocks distance: 10000", Some(Blocks(10_000))),
    // Cloudflare, Avalanche, thirdweb, BlockPI, Coinbase
    (
        -32047,
        "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
        Some(Blocks(800)),
    ),
    (-32000, "requested too many blocks from 1 to 9999, maximum is set to 2048", Some(Blocks(2_048))),
    (-32005, "Maximum allowed number of requested blocks is 3500", Some(Blocks(3_500))),
    (
        -32000,
        "eth_getLogs is limited to 1024 block range. Please check the parameter requirements",
        Some(Blocks(1_024)),
    ),
    (-32602, "please limit the query to at most 1,000 blocks", Some(Blocks(1_000))),
    // PublicNode and BNB chain, Hyperliquid, Swell, Somnia, Merkle, Harmony, Aurora
    (-32701, "exceed maximum block range: 50000", Some(Blocks(50_000))),
    (-32603, "query exceeds max block range 1000", Some(Blocks(1_000))),
    (-32000, "block range greater than 10000 max", Some(Blocks(10_000))),
    (-32000, "block range exceeds 1000", Some(Blocks(1_000))),
    (-32000, "eth_getLogs range is too large, max is 10k blocks", Some(Blocks(10_000))),
    (-32000, "query must be smaller than size 1024", Some(Blocks(1_024))),
    (-32000, "exceeds the range allowed for your plan (20000 > 10000)", Some(Blocks(10_000))),
    // Optimism, Base, Arbitrum, Chainstack, 1RPC, Polygon, others
    (-32020, "backend response too large", None),
    (-32600, "Block range is too large", None),
    (-32000, "block range too large", None),
    (-32000, "logs matched by query exceeds limit of 10000", None),
    (-32000, "Block range limit exceeded. See more details at https://docs.example/limits", None),
    (-32000, "response size should not greater than 10000000 bytes", None),
    (-32000, "query timeout exceeded", None),
    (-32005, "query returned more than 10000 results", None),
    (-32000, "log query timed out", None),
    (-32008, "response is too big", None),
    // BNB Smart Chain
    (-32005, "limit exceeded", None),
];

#[test]
fn a_range_that_is_too_large_is_recognised_in_every_providers_words() {
    for (code, message, hint) in RANGES {
        assert_eq!(means(&classify(*code, message, None)), Means::Ranged(*hint), "{message}");
    }
}

#[test]
fn everything_else_is_told_apart() {
    use Means::{Batch, Denied, Pruned, Rate, Timeout, Transient, Unsupported};
    let table = [
        (429, "Too Many Requests", Rate(None)),
        (-32005, "rate limited, try again in 4ms", Rate(Some(Duration::from_millis(4)))),
        (
            -32007,
            "100/second request limit reached - reduce calls per second or upgrade your account",
            Rate(None),
        ),
        (-32012, "credits limited to 6000/sec", Rate(None)),
        (
            429,
            "Your app has exceeded its compute units per second capacity. Retry in 2 seconds",
            Rate(Some(Duration::from_secs(2))),
        ),
        (-32005, "daily request count exceeded, request rate limited", Rate(None)),
        (-32600, "batch size too large", Batch),
        (-32000, "Too many requests in the batch", Batch),
        (-32600, "Batch requests are not supported", Batch),
        (4444, "pruned history unavailable", Pruned),
        (-32000, "old data not available due to pruning", Pruned),
        (-32601, "the method eth_getBlockReceipts does not exist/is not available", Unsupported),
        (-32601, "Method not found", Unsupported),
        (-32004, "Unsupported method: eth_getBlockReceipts", Unsupported),
        (-32000, "Unauthorized: You must authenticate your request with an API key", Denied),
        (-32002, "request timed out", Timeout),
        (-32000, "context deadline exceeded", Timeout),
        (-32000, "header not found", Transient),
        (-32000, "block range extends beyond current head block", Transient),
        (-32000, "requested to block 100 after last accepted block 90", Transient),
        (-32603, "Internal error", Transient),
        (-32011, "no backend is currently healthy to serve traffic", Transient),
        (i64::MIN, "", Transient),
    ];
    for (code, message, expected) in table {
        assert_eq!(means(&classify(code, message, None)), expected, "{message}");
    }
}

#[test]
fn infura_says_in_its_data_how_long_to_wait() {
    let after =
        |data| means(&classify(-32005, "daily request count exceeded, request rate limited", Some(data)));
    let data = r#"{"rate":{"allowed_rps":1,"backoff_seconds":24,"current_rps":1.5}}"#;
    assert_eq!(after(data), Means::Rate(Some(Duration::from_secs(24))));
    for hostile in
        ["", "null", "[]", r#"{"rate":{"backoff_seconds":-1}}"#, r#"{"rate":{"backoff_seconds":1e300}}"#]
    {
        assert_eq!(after(hostile), Means::Rate(None), "{hostile}");
    }
}

#[test]
fn no_node_makes_itself_be_waited_for_longer_than_five_minutes() {
    let at_most = Means::Rate(Some(Duration::from_secs(300)));
    for words in ["18446744073709551615s", "9999999 min", "99999999999 ms"] {
        let message = format!("rate limited, try again in {words}");
        assert_eq!(means(&classify(-32005, &message, None)), at_most, "{words}");
    }
    let data = r#"{"rate":{"backoff_seconds":1e19}}"#;
    assert_eq!(means(&classify(-32005, "rate limited", Some(data))), at_most);
}

#[test]
fn a_message_is_read_as_far_as_a_provider_would_write() {
    let after = |chars| means(&classify(1, &format!("{} rate limit", "é".repeat(chars)), None));
    assert_eq!(after(1_900), Means::Rate(None));
    assert_eq!(after(2_000), Means::Transient);
}

#[test]
fn a_hostile_suggestion_is_no_suggestion() {
    let table = [
        "Try with this block range [0x9, 0x1].",
        "Try with this block range [0xffffffffffffffffff, 0x1].",
        "Try with this block range [].",
        "block range exceeds 0",
        "block range exceeds 99999999999999999999999999",
    ];
    for message in table {
        assert_eq!(means(&classify(-32000, message, None)), Means::Ranged(None), "{message}");
    }
}

#[test]
fn only_the_beginning_of_a_message_is_kept_and_on_one_line() {
    let RpcError::Transient(detail) = classify(1, &"x\n".repeat(10_000), None) else {
        panic!("not transient")
    };
    assert!(detail.len() == 200 && !detail.contains('\n'), "{detail}");
}

//! What providers mean by the errors that they write. No standard says how a node refuses a range, so the words
//! are all there is (ethereum/execution-apis#876).
//!
//! The order of the questions matters: "limit exceeded" is said of ranges, of rates and of batches.

use super::error::{RETRY_AFTER_MAX, RangeHint, RpcError, excerpt};
use serde::Deserialize;
use std::time::Duration;

/// How much of a message is read: providers write a sentence or three. The rest may be megabytes, and each phrase
/// below is searched for.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// Reads an error object of JSON-RPC.
pub(crate) fn classify(code: i64, message: &str, data: Option<&str>) -> RpcError {
    let end = message.char_indices().nth(MESSAGE_CHARS_MAX).map_or(message.len(), |(end, _)| end);
    let message = &message[..end];
    let words = message.to_lowercase();
    let detail = excerpt(&format!("{code} {message}"));
    if any(&words, BEHIND) {
        return RpcError::Transient(detail);
    }
    if any(&words, PRUNED) || code == PRUNED_CODE {
        return RpcError::Pruned { block: None, detail };
    }
    if words.contains("batch") {
        return RpcError::BatchRefused(detail);
    }
    if let Some(hint) = range_hint(&words) {
        return RpcError::RangeTooLarge { hint: Some(hint), detail };
    }
    if any(&words, RANGE) {
        return RpcError::RangeTooLarge { hint: None, detail };
    }
    // BNB Smart Chain's public nodes say this and nothing else of a range. If it is of the rate after all, smaller
    // ranges do no harm; a range that is never shrunk would be asked for without end.
    if words.trim() == "limit exceeded" {
        return RpcError::RangeTooLarge { hint: None, detail };
    }
    if RATE_CODES.contains(&code) || any(&words, RATE) {
        return RpcError::RateLimited { after: retry_after(&words, data), detail };
    }
    if code == -32601 || any(&words, UNSUPPORTED) {
        return RpcError::Unsupported(detail);
    }
    if any(&words, DENIED) {
        return RpcError::Denied(detail);
    }
    if any(&words, TIMEOUT) {
        return RpcError::Timeout(detail);
    }
    RpcError::Transient(detail)
}

/// geth: the history was pruned (EIP-4444).
const PRUNED_CODE: i64 = 4444;
/// 429 as a code; -32005 is the "limit exceeded" of EIP-1474; -32029 and -32090 are providers' own.
const RATE_CODES: [i64; 4] = [429, -32005, -32029, -32090];

const BEHIND: &[&str] =
    &["beyond current head", "beyond head", "after last accepted block", "header not found", "unknown block"];
const PRUNED: &[&str] = &[
    "pruned",
    "pruning",
    "missing trie node",
    "history unavailable",
    "history not available",
    "ancient block",
];
const RANGE: &[&str] = &[
    "block range",
    "blocks range",
    "range too large",
    "range is too",
    "too many blocks",
    "too many logs",
    "max results",
    "more than 10000 results",
    "query returned more than",
    "logs matched by query exceeds",
    "response size",
    "response too large",
    "response is too big",
    "result set too large",
    "result too large",
    "query timeout exceeded",
    "query timed out",
    "log query timed out",
    "reduce the range",
    "narrow your filter",
];
const RATE: &[&str] = &[
    "rate limit",
    "rate exceeded",
    "too many requests",
    "request limit",
    "request count exceeded",
    "requests per second",
    "credits limited",
    "compute units",
    "capacity exceeded",
    "concurrent requests",
    "limit exceeded",
    "throttl",
];
const UNSUPPORTED: &[&str] = &[
    "method not found",
    "does not exist/is not available",
    "not supported",
    "unsupported method",
    "not whitelisted",
    "not implemented",
];
const DENIED: &[&str] =
    &["unauthorized", "forbidden", "api key", "must be authenticated", "access denied", "invalid project id"];
const TIMEOUT: &[&str] = &["timeout", "timed out", "deadline exceeded", "took too long"];

fn any(words: &str, list: &[&str]) -> bool {
    list.iter().any(|phrase| words.contains(phrase))
}

/// Words before which a provider writes the range that it would answer.
const SUGGESTED_RANGE: &[&str] =
    &["this block range should work:", "try with this block range", "retry with the range"];
/// Words before which a provider writes how many blocks it answers for.
const BLOCKS_BEFORE: &[&str] = &[
    "maximum is set to",
    "max range:",
    "number of requested blocks is",
    "limited to a",
    "limited to",
    "query to at most",
    "maximum block range:",
    "max block range of",
    "max block range",
    "block range greater than",
    "block range exceeds",
    "range is too large, max is",
    "smaller than size",
    "range is too wide (maximum",
    "with up to a",
    "blocks distance:",
    "range allowed for your plan (",
];

fn range_hint(words: &str) -> Option<RangeHint> {
    suggested_range(words).or_else(|| blocks_per_call(words)).or_else(|| plain_limit(words))
}

fn suggested_range(words: &str) -> Option<RangeHint> {
    let rest = SUGGESTED_RANGE.iter().find_map(|phrase| after(words, phrase))?;
    let mut numbers =
        rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).map(block_number);
    let (first, last) = (numbers.next()??, numbers.next()??);
    (first <= last).then_some(RangeHint::Range { first, last })
}

fn blocks_per_call(words: &str) -> Option<RangeHint> {
    // "credits limited to 6000/sec" is of rates.
    if !any(words, &["block", "range", "smaller than size"]) {
        return None;
    }
    let rest = BLOCKS_BEFORE.iter().find_map(|phrase| after(words, phrase))?;
    // "… for your plan (20000 > 10000)": the bound is the second number.
    let rest = rest.split_once('>').map_or(rest, |(_, bound)| bound);
    match leading_number(rest) {
        Some(0) | None => None,
        Some(blocks) => Some(RangeHint::Blocks(blocks)),
    }
}

/// "range 1000000 exceeds limit of 10000": blocks. "logs matched by query exceeds limit of 10000" is of logs.
fn plain_limit(words: &str) -> Option<RangeHint> {
    let (before, rest) = words.split_once("exceeds limit of")?;
    let blocks = leading_number(rest).filter(|blocks| *blocks > 0)?;
    before.trim_start().starts_with("range ").then_some(RangeHint::Blocks(blocks))
}

fn after<'a>(words: &'a str, phrase: &str) -> Option<&'a str> {
    words.split_once(phrase).map(|(_, rest)| rest)
}

fn block_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A number with thousands set apart, or with a `k` behind it, at the beginning of what follows.
fn leading_number(rest: &str) -> Option<u64> {
    let rest = rest.trim_start_matches([' ', '(', ':']);
    let mut number: u64 = 0;
    let mut chars = rest.chars().peekable();
    chars.peek().filter(|c| c.is_ascii_digit())?;
    while let Some(c) = chars.next() {
        match c {
            '0'..='9' => number = number.checked_mul(10)?.checked_add(u64::from(c.to_digit(10)?))?,
            ',' | '.' | '_' if chars.peek().is_some_and(char::is_ascii_digit) => {}
            'k' => return number.checked_mul(1_000),
            _ => break,
        }
    }
    Some(number)
}

/// "try again in 4ms", "retry in 1s", or Infura's `rate.backoff_seconds`; at most [`RETRY_AFTER_MAX`].
fn retry_after(words: &str, data: Option<&str>) -> Option<Duration> {
    let in_words = ["try again in ", "retry in ", "retry after "]
        .iter()
        .find_map(|phrase| after(words, phrase))
        .and_then(duration);
    let asked = in_words.or_else(|| {
        let data: Data = serde_json::from_str(data?).ok()?;
        Duration::try_from_secs_f64(data.rate.backoff_seconds).ok()
    });
    asked.map(|after| after.min(RETRY_AFTER_MAX))
}

/// What Infura sends beside an error. Only this is read: a tree of all that may stand there takes ten times its text.
#[derive(Deserialize)]
struct Data {
    rate: Rate,
}

#[derive(Deserialize)]
struct Rate {
    backoff_seconds: f64,
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    if unit.starts_with("ms") || unit.starts_with("milli") {
        return Some(Duration::from_millis(value));
    }
    if unit.starts_with("min") {
        return Some(Duration::from_secs(value.saturating_mul(60)));
    }
    Some(Duration::from_secs(value))
}

#[cfg(test)]
mod tests;

//! What must hold for anything that a node sends: nothing panics, what is taken is what was asked for, and an error is
//! short, on one line, and asks for nothing that does harm.
//!
//! The fuzz targets under `tests/fuzz` are one call each into this module; the unit tests run the same calls over
//! the seeds there, and over what one step of a fuzzer makes of them.

use super::error::{EXCERPT_CHARS_MAX, RETRY_AFTER_MAX, RangeHint, RpcError};
use super::logs::{self, LogSet};
use super::methods::{Hashing, number_in, read_head, read_quantity};
use super::transport::{Reply, error_in};
use super::{http, wording};
use crate::filter::{Filter, Query};
use alloy_primitives::{Address, B256};
use bytes::Bytes;
use model::segment::LogsView;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

/// The id of the first call that an answer is for.
const FIRST_ID: u64 = 7;

/// The blocks that logs are asked for.
const BLOCKS: std::ops::RangeInclusive<u64> = 10..=20;

/// An error's own words around the node's: names of unknown header fields are the longest, four of 40 characters,
/// each shown in up to ten.
const SAID_CHARS_MAX: usize = EXCERPT_CHARS_MAX + 2_000;

/// The body of an answer to one call, and to three: the envelope, then quantities and headers. Returns whether it
/// answered a call.
///
/// # Panics
/// When calls lose their answers, or an error is not as it must be.
pub fn answer(data: &[u8]) -> bool {
    if let Some(error) = error_in(data) {
        check_error(&error);
    }
    let body = Reply::Body(Bytes::copy_from_slice(data));
    let mut is_answered = false;
    for calls in [1, 3] {
        match body.outcomes(FIRST_ID, calls) {
            Ok(outcomes) => {
                assert_eq!(outcomes.len(), calls);
                is_answered |= outcomes.into_iter().filter(|outcome| read(outcome)).count() > 0;
            }
            Err(error) => check_error(&error),
        }
    }
    is_answered
}

/// Reads an answer as each method would.
fn read(outcome: &Result<&str, RpcError>) -> bool {
    let json = match outcome {
        Ok(json) => *json,
        Err(error) => {
            check_error(error);
            return false;
        }
    };
    number_in(json);
    check(read_quantity(json));
    for hashing in [Hashing::Checked, Hashing::Taken] {
        check(read_head(json, hashing));
    }
    true
}

/// An answer to `eth_getLogs`. Returns whether it was taken.
///
/// # Panics
/// When a log was taken that was not asked for, or blocks and logs disagree.
pub fn get_logs(data: &[u8]) -> bool {
    let Ok(json) = std::str::from_utf8(data) else { return false };
    let contracts = Filter { addresses: vec![Address::repeat_byte(0xc0)], ..Filter::default() };
    let topics = Filter { any_topics: vec![B256::repeat_byte(1)], ..Filter::default() };
    let mut is_taken = false;
    for query in [contracts.query([]), topics.query([])] {
        match logs::parse(json, *BLOCKS.start(), *BLOCKS.end(), &query) {
            Ok(set) => {
                check_logs(&set, &query);
                is_taken = true;
            }
            Err(error) => check_error(&error),
        }
    }
    is_taken
}

fn check_logs(set: &LogSet, query: &Query) {
    let view = LogsView::new(&set.logs).unwrap_or_else(|error| panic!("{error}"));
    let mut next = 0;
    for block in &set.blocks {
        assert_eq!(block.first_row, next);
        next += block.rows;
        let rows = (block.first_row..next).map(|row| view.get(row));
        assert!(rows.clone().all(|log| log.block_number == block.number));
        assert!(rows.map(|log| log.log_index).is_sorted_by(|a, b| a < b));
    }
    assert_eq!(next, set.logs.num_rows(), "each log is in a block");
    assert!(set.blocks.iter().all(|block| BLOCKS.contains(&block.number)));
    assert!(set.blocks.is_sorted_by(|a, b| a.number < b.number));
    assert!(view.iter().all(|log| query.wants(&log.contract, log.topics[0].as_ref())));
}

/// The words of an error, under each code that means something, and the data beside it: after the first line.
/// Returns whether they say more than "try again".
///
/// # Panics
/// When the error is not as it must be.
pub fn error_words(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (message, beside) = text.split_once('\n').unwrap_or((text, ""));
    let read = [0, 429, 4444, -32005, -32601].map(|code| wording::classify(code, message, Some(beside)));
    read.iter().for_each(check_error);
    !matches!(read[0], RpcError::Transient(_))
}

/// An answer whose status is not 200: a line each of status, `Retry-After` and `Date`, then the body. Returns
/// whether it says more than "try again".
///
/// # Panics
/// When the error is not as it must be.
pub fn refusal(data: &[u8]) -> bool {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let status = StatusCode::from_bytes(line()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &[u8]| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    };
    put(RETRY_AFTER, line());
    put(DATE, line());
    let error = http::refusal(status, &headers, line());
    check_error(&error);
    !matches!(error, RpcError::Transient(_))
}

fn check<T>(read: Result<T, RpcError>) {
    if let Err(error) = read {
        check_error(&error);
    }
}

/// It goes into logs and incidents, and decides what is asked next and when.
fn check_error(error: &RpcError) {
    let said = error.to_string();
    assert!(said.chars().count() <= SAID_CHARS_MAX && !said.chars().any(char::is_control), "{said:?}");
    match error {
        RpcError::RateLimited { after: Some(after), .. } => assert!(*after <= RETRY_AFTER_MAX, "{after:?}"),
        RpcError::RangeTooLarge { hint: Some(RangeHint::Blocks(blocks)), .. } => assert_ne!(*blocks, 0),
        RpcError::RangeTooLarge { hint: Some(RangeHint::Range { first, last }), .. } => {
            assert!(first <= last);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Runs a target over each seed, which it must take, and over the seed with each byte cut, changed or repeated.
    fn run(target: &str, property: fn(&[u8]) -> bool, count: usize) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds").join(target);
        let entries = std::fs::read_dir(folder).unwrap();
        let seeds: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(seeds.len(), count, "{target}");
        for path in seeds {
            let seed = std::fs::read(&path).unwrap();
            assert!(property(&seed), "{}", path.display());
            for at in 0..seed.len() {
                property(&seed[..at]);
                property(&[&seed[..at], &seed[at..=at], &seed[at..]].concat());
                for bit in 0..8 {
                    let mut flipped = seed.clone();
                    flipped[at] ^= 1 << bit;
                    property(&flipped);
                }
            }
        }
    }

    #[test]
    fn answers_hold_over_the_seeds() {
        run("rpc_answer", answer, 5);
    }

    #[test]
    fn logs_hold_over_the_seeds() {
        run("rpc_logs", get_logs, 2);
    }

    #[test]
    fn words_hold_over_the_seeds() {
        run("rpc_error", error_words, 6);
    }

    #[test]
    fn refusals_hold_over_the_seeds() {
        run("rpc_refusal", refusal, 3);
    }
}

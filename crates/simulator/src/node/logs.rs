//! `eth_getLogs`: copies the logs that a filter asks for, block by block.

use crate::chain::seal::SealedBlock;
use crate::faults::{Faults, hits};
use crate::node::filter::Filter;
use crate::node::lies;
use crate::node::limits::{Excess, refusal, timed_out};
use crate::node::methods::{hash, height};
use crate::node::rpc::{ANSWER_BYTES_MAX, RpcError};
use crate::node::state::Node;
use serde_json::Value;
use std::sync::Arc;

/// Bytes that an answer gets at once at most; longer ones grow.
const RESERVED_BYTES_MAX: usize = 64 << 20;

/// Answers a call with the logs of the filter object `query`.
pub(crate) fn get_logs(node: &Node, query: &Value, out: &mut Vec<u8>) -> Result<(), RpcError> {
    if !query.is_object() {
        return Err(RpcError::params("a filter is an object"));
    }
    let faults = node.faults();
    if hits(faults.logs_timeout_every, Node::count(&node.log_calls)) {
        return Err(timed_out());
    }
    let filter = Filter::read(query)?;
    let blocks = wanted(node, query, &faults)?;
    let max_results = faults.logs_limit.as_ref().and_then(|limit| limit.max_results).unwrap_or(u64::MAX);
    let texts: usize = blocks.iter().map(|block| block.logs.len()).sum();
    out.reserve(texts.min(RESERVED_BYTES_MAX));
    out.push(b'[');
    let start = out.len();
    let mut results = 0;
    for block in blocks.iter().filter(|block| filter.might_match(block)) {
        results += write_matching(out, block, &filter, &faults);
        if results > max_results || out.len() > ANSWER_BYTES_MAX {
            let from = blocks.first().map_or(0, |first| first.number());
            let to = blocks.last().map_or(from, |last| last.number());
            let fits_to = block.number().saturating_sub(1).max(from);
            let wording = faults
                .logs_limit
                .as_ref()
                .map_or(crate::faults::Wording::ResponseSize, |limit| limit.wording);
            return Err(refusal(wording, Excess { from, to, fits_to, limit: max_results.min(results) }));
        }
    }
    if out.len() > start {
        out.pop();
    }
    out.push(b']');
    Ok(())
}

/// The blocks that a query names. Blocks above the head have no logs; nor have pruned ones, says the node.
fn wanted(node: &Node, query: &Value, faults: &Faults) -> Result<Vec<Arc<SealedBlock>>, RpcError> {
    let ledger = node.ledger();
    let bounds = [&query["fromBlock"], &query["toBlock"]];
    if !query["blockHash"].is_null() {
        if bounds.iter().any(|bound| !bound.is_null()) {
            return Err(RpcError::params("blockHash with fromBlock or toBlock"));
        }
        let block = ledger.by_hash.get(&hash(&query["blockHash"])?);
        return block
            .map(|block| vec![Arc::clone(block)])
            .ok_or_else(|| RpcError::new(-32000, "unknown block"));
    }
    let [from, to] =
        bounds.map(|bound| if bound.is_null() { Ok(ledger.height()) } else { height(&ledger, bound) });
    let (from, to) = (from?, to?);
    if from > to {
        return Err(RpcError::params("fromBlock is above toBlock"));
    }
    if let Some(limit) = &faults.logs_limit {
        let max_blocks = limit.max_blocks.unwrap_or(u64::MAX).max(1);
        if to - from >= max_blocks {
            let excess = Excess { from, to, fits_to: from + max_blocks - 1, limit: max_blocks };
            return Err(refusal(limit.wording, excess));
        }
    }
    let from = from.max(faults.pruned_below);
    let end = to.min(ledger.height()) + 1;
    let range =
        usize::try_from(from.min(end)).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
    Ok(ledger.blocks.get(range).unwrap_or_default().to_vec())
}

/// Writes a block's matching logs, a comma after each; returns how many.
fn write_matching(out: &mut Vec<u8>, block: &SealedBlock, filter: &Filter, faults: &Faults) -> u64 {
    let mut written = 0;
    for index in 0..block.log_count() {
        let log = block.log(index);
        if !filter.matches(log) || lies::is_omitted(block, index, faults) {
            continue;
        }
        if lies::is_forged(block, index, faults) {
            lies::write_forged(out, log);
        } else if lies::is_hinted(block, index, faults) {
            lies::write_removed(out, log);
        } else {
            out.extend_from_slice(log);
        }
        out.push(b',');
        written += 1;
    }
    written
}

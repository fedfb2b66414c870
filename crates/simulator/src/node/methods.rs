//! The standard methods, but for logs.

use crate::chain::ledger::Ledger;
use crate::chain::seal::{SealedBlock, SealedTx};
use crate::faults::Faults;
use crate::node::lies;
use crate::node::rpc::{Call, RpcError};
use crate::node::state::Node;
use alloy_primitives::{Address, B256};
use serde_json::Value;
use std::sync::Arc;

type Answer = Result<(), RpcError>;

/// Answers a call of a standard method.
pub(crate) fn answer(node: &Node, call: &Call<'_>, out: &mut Vec<u8>) -> Answer {
    let faults = node.faults();
    let ledger = node.ledger();
    match call.method.as_str() {
        "eth_chainId" => quantity(out, ledger.chain_id),
        "net_version" => text(out, &ledger.chain_id.to_string()),
        "web3_clientVersion" => text(out, concat!("rxtrail-simulator/", env!("CARGO_PKG_VERSION"))),
        "eth_blockNumber" => quantity(out, ledger.height()),
        "eth_syncing" => raw(out, "false"),
        "eth_getCode" => code(&ledger, call, out),
        "eth_getBlockByNumber" => {
            let block = at_height(&ledger, call.param(0), &faults)?;
            write_block(out, block, call.param(1) == &Value::Bool(true), &faults)
        }
        "eth_getBlockByHash" => {
            let block = by_hash(&ledger, call.param(0))?;
            write_block(out, block, call.param(1) == &Value::Bool(true), &faults)
        }
        "eth_getBlockReceipts" => {
            let block = by_any(&ledger, call.param(0), &faults)?;
            write_receipts(out, block, &faults)
        }
        "eth_getTransactionByHash" => match find(&ledger, call.param(0))? {
            Some((block, tx)) => {
                lies::write_transaction(out, block, tx, &faults);
                Ok(())
            }
            None => raw(out, "null"),
        },
        "eth_getTransactionReceipt" => match find(&ledger, call.param(0))? {
            Some((block, tx)) => write_receipt(out, block, tx, &faults),
            None => raw(out, "null"),
        },
        method => {
            let message = format!("the method {method} does not exist/is not available");
            Err(RpcError::new(-32601, message))
        }
    }
}

/// A block's height by number or tag; heights above the head are given as they are.
pub(crate) fn height(ledger: &Ledger, value: &Value) -> Result<u64, RpcError> {
    match value.as_str() {
        Some("latest" | "pending") => Ok(ledger.height()),
        // As on a chain whose validators have justified half of what is not final.
        Some("safe") => Ok(ledger.height().saturating_sub(ledger.finality_depth / 2)),
        Some("finalized") => Ok(ledger.finalized()),
        Some("earliest") => Ok(0),
        Some(number) => {
            let digits =
                number.strip_prefix("0x").filter(|digits| !digits.is_empty() && !digits.starts_with('+'));
            let parsed = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            parsed.ok_or_else(|| RpcError::params("not a block number"))
        }
        None => Err(RpcError::params("a block is a hex number or a tag")),
    }
}

/// A block by number or tag, unless the fault of a missing head hides it.
fn at_height<'a>(
    ledger: &'a Ledger,
    value: &Value,
    faults: &Faults,
) -> Result<Option<&'a Arc<SealedBlock>>, RpcError> {
    let height = height(ledger, value)?;
    if faults.null_head && height == ledger.height() {
        return Ok(None);
    }
    Ok(usize::try_from(height).ok().and_then(|height| ledger.blocks.get(height)))
}

/// A hash of 32 bytes.
pub(crate) fn hash(value: &Value) -> Result<B256, RpcError> {
    let text = value.as_str().filter(|text| text.starts_with("0x"));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| RpcError::params("not a hash of 32 bytes"))
}

fn by_hash<'a>(ledger: &'a Ledger, value: &Value) -> Result<Option<&'a Arc<SealedBlock>>, RpcError> {
    Ok(ledger.by_hash.get(&hash(value)?))
}

/// A block by number, tag, hash, or an object with one of them (EIP-1898).
fn by_any<'a>(
    ledger: &'a Ledger,
    value: &Value,
    faults: &Faults,
) -> Result<Option<&'a Arc<SealedBlock>>, RpcError> {
    match value {
        Value::Object(object) if object.contains_key("blockHash") => by_hash(ledger, &object["blockHash"]),
        Value::Object(object) => at_height(ledger, object.get("blockNumber").unwrap_or(&Value::Null), faults),
        Value::String(text) if text.len() == 66 => by_hash(ledger, value),
        _ => at_height(ledger, value, faults),
    }
}

fn find<'a>(ledger: &'a Ledger, value: &Value) -> Result<Option<(&'a SealedBlock, &'a SealedTx)>, RpcError> {
    let place = ledger.tx_places.get(&hash(value)?);
    Ok(place.and_then(|(number, index)| {
        let block = ledger.blocks.get(usize::try_from(*number).ok()?)?;
        Some((block.as_ref(), block.txs.get(*index as usize)?))
    }))
}

fn write_block(out: &mut Vec<u8>, block: Option<&Arc<SealedBlock>>, full: bool, faults: &Faults) -> Answer {
    let Some(block) = block else { return raw(out, "null") };
    out.push(b'{');
    lies::write_header(out, block, faults);
    out.extend_from_slice(b",\"transactions\":[");
    for (place, tx) in block.txs.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        if full {
            lies::write_transaction(out, block, tx, faults);
        } else {
            out.extend_from_slice(format!("\"{}\"", tx.hash).as_bytes());
        }
    }
    raw(out, "]}")
}

fn write_receipts(out: &mut Vec<u8>, block: Option<&Arc<SealedBlock>>, faults: &Faults) -> Answer {
    let Some(block) = block else { return raw(out, "null") };
    out.push(b'[');
    for (place, tx) in block.txs.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_receipt(out, block, tx, faults)?;
    }
    raw(out, "]")
}

fn write_receipt(out: &mut Vec<u8>, block: &SealedBlock, tx: &SealedTx, faults: &Faults) -> Answer {
    lies::write_receipt_head(out, block, tx, faults);
    for index in tx.logs.clone() {
        if index > tx.logs.start {
            out.push(b',');
        }
        let index = index as usize;
        if faults.forge_receipts && lies::is_forged(block, index, faults) {
            lies::write_forged(out, block.log(index));
        } else {
            out.extend_from_slice(block.log(index));
        }
    }
    raw(out, "]}")
}

fn code(ledger: &Ledger, call: &Call<'_>, out: &mut Vec<u8>) -> Answer {
    let address = call.param(0).as_str().and_then(|text| text.parse::<Address>().ok());
    let address = address.ok_or_else(|| RpcError::params("not an address"))?;
    // `PUSH0 PUSH0 REVERT`: there is code, and nothing runs it.
    text(out, if ledger.contracts.contains(&address) { "0x5f5ffd" } else { "0x" })
}

/// Writes JSON as it is.
pub(crate) fn raw(out: &mut Vec<u8>, json: &str) -> Answer {
    out.extend_from_slice(json.as_bytes());
    Ok(())
}

fn text(out: &mut Vec<u8>, text: &str) -> Answer {
    raw(out, &format!("\"{text}\""))
}

fn quantity(out: &mut Vec<u8>, value: u64) -> Answer {
    raw(out, &format!("\"{value:#x}\""))
}

//! Lies: what a faulty node alters in its answers. Which ones it alters depends on their place, so that it tells the
//! same lie each time it is asked.

use crate::chain::seal::{SealedBlock, SealedTx};
use crate::faults::{Faults, hits};
use std::ops::Range;

/// A number that stands for a log's place on its chain.
fn place(block: &SealedBlock, index: usize) -> u64 {
    // 31 and 600 share no factor: neither all logs of one block nor the same log of all blocks are hit.
    block.number() * 31 + index as u64
}

/// Is the log left out of `eth_getLogs`?
pub(crate) fn is_omitted(block: &SealedBlock, index: usize, faults: &Faults) -> bool {
    hits(faults.omit_log_every, place(block, index))
}

/// Is the log altered?
pub(crate) fn is_forged(block: &SealedBlock, index: usize, faults: &Faults) -> bool {
    hits(faults.forge_log_every, place(block, index))
}

/// Is the log said to be removed though its block stands?
pub(crate) fn is_hinted(block: &SealedBlock, index: usize, faults: &Faults) -> bool {
    hits(faults.removed_hint_every, place(block, index))
}

/// Writes a log with the last digit of its data changed, or of its last topic when it has no data.
pub(crate) fn write_forged(out: &mut Vec<u8>, log: &[u8]) {
    let data_end = find(log, b"\",\"blockNumber\":").unwrap_or(log.len());
    let empty = log[..data_end].ends_with(b"\"data\":\"0x");
    let digit = if empty { find(log, b"\"],\"data\":").unwrap_or(1) - 1 } else { data_end - 1 };
    write_with_digit(out, log, digit);
}

/// Writes a log that says it was removed.
pub(crate) fn write_removed(out: &mut Vec<u8>, log: &[u8]) {
    out.extend_from_slice(log.strip_suffix(b"false}").unwrap_or(log));
    out.extend_from_slice(b"true}");
}

/// Writes a header's fields; a lie changes its state root, so that its hash is no longer that of its fields.
pub(crate) fn write_header(out: &mut Vec<u8>, block: &SealedBlock, faults: &Faults) {
    let text = part(block, &block.header_text);
    match find(text, b"\"stateRoot\":\"0x").filter(|_| hits(faults.alter_header_every, block.number())) {
        Some(at) => write_with_digit(out, text, at + b"\"stateRoot\":\"0x".len()),
        None => out.extend_from_slice(text),
    }
}

/// Writes a transaction; a lie changes its sender, which its signature does not give.
pub(crate) fn write_transaction(out: &mut Vec<u8>, block: &SealedBlock, tx: &SealedTx, faults: &Faults) {
    write_with_sender(out, part(block, &tx.text), is_sender_altered(block, tx, faults));
}

/// Writes a receipt up to its logs, with the same sender as its transaction.
pub(crate) fn write_receipt_head(out: &mut Vec<u8>, block: &SealedBlock, tx: &SealedTx, faults: &Faults) {
    write_with_sender(out, part(block, &tx.receipt), is_sender_altered(block, tx, faults));
}

fn is_sender_altered(block: &SealedBlock, tx: &SealedTx, faults: &Faults) -> bool {
    hits(faults.alter_sender_every, place(block, tx.logs.start as usize))
}

fn write_with_sender(out: &mut Vec<u8>, text: &[u8], altered: bool) {
    const SENDER: &[u8] = b"\"from\":\"0x";
    match find(text, SENDER).filter(|_| altered) {
        Some(at) => write_with_digit(out, text, at + SENDER.len()),
        None => out.extend_from_slice(text),
    }
}

fn write_with_digit(out: &mut Vec<u8>, text: &[u8], at: usize) {
    let start = out.len();
    out.extend_from_slice(text);
    if let Some(digit) = out.get_mut(start + at) {
        *digit = if *digit == b'7' { b'8' } else { b'7' };
    }
}

fn part<'a>(block: &'a SealedBlock, range: &Range<u32>) -> &'a [u8] {
    &block.text[range.start as usize..range.end as usize]
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

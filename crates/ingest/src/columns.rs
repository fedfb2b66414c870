//! Log columns put together: answers to several calls over one range, ranges that follow one another, and
//! the senders that were read apart from the logs.

use crate::error::Result;
use crate::rpc::error::RpcError;
use crate::rpc::logs::{LogBlock, LogSet};
use alloy_primitives::{Address, Bytes};
use arrow_array::builder::{BinaryBuilder, FixedSizeBinaryBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave_record_batch;
use model::segment::{LogsView, logs_schema};
use std::cmp::Ordering;
use std::sync::Arc;

/// Sender and call input of the transaction of one log.
pub(crate) type Sent = (Address, Bytes);

/// Column numbers of [`model::segment::logs_schema`].
const SENDER: usize = 10;
const INPUT: usize = 11;

/// No logs.
pub(crate) fn empty() -> LogSet {
    LogSet { logs: RecordBatch::new_empty(logs_schema()), blocks: Vec::new() }
}

/// The logs of sets over the same range, in chain order, each once.
///
/// # Errors
/// [`RpcError::BadData`] when two sets tell one log, or one block, differently.
pub(crate) fn union(sets: Vec<LogSet>) -> std::result::Result<LogSet, RpcError> {
    let mut sets = sets.into_iter();
    let Some(mut all) = sets.next() else { return Ok(empty()) };
    for set in sets {
        let logs = merge(&all.logs, &set.logs).map_err(|error| RpcError::malformed(error.to_string()))?;
        let blocks = merge_blocks(&all.blocks, &set.blocks, &logs)?;
        all = LogSet { logs, blocks };
    }
    Ok(all)
}

/// The logs of two batches in chain order, each once.
///
/// # Errors
/// When both hold a log of one place and say different things of it, or their columns are no logs.
pub(crate) fn merge(left: &RecordBatch, right: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    if right.num_rows() == 0 {
        return Ok(left.clone());
    }
    let (lefts, rights) = (LogsView::new(left)?, LogsView::new(right)?);
    let mut rows = Vec::with_capacity(lefts.len() + rights.len());
    let (mut at_left, mut at_right) = (0, 0);
    loop {
        let (from_left, from_right) = (place(&lefts, at_left), place(&rights, at_right));
        let order = match (from_left, from_right) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(&right),
        };
        match order {
            Ordering::Less => rows.push((0, at_left)),
            Ordering::Greater => rows.push((1, at_right)),
            Ordering::Equal if lefts.get(at_left) == rights.get(at_right) => rows.push((0, at_left)),
            Ordering::Equal => {
                let detail = format!("log {from_left:?} is told in two ways");
                return Err(ArrowError::InvalidArgumentError(detail));
            }
        }
        at_left += usize::from(order != Ordering::Greater);
        at_right += usize::from(order != Ordering::Less);
    }
    interleave_record_batch(&[left, right], &rows)
}

fn place(view: &LogsView<'_>, row: usize) -> Option<(u64, u32)> {
    (row < view.len()).then(|| view.get(row)).map(|log| (log.block_number, log.log_index))
}

fn merge_blocks(
    left: &[LogBlock],
    right: &[LogBlock],
    logs: &RecordBatch,
) -> std::result::Result<Vec<LogBlock>, RpcError> {
    let view = LogsView::new(logs).map_err(|error| RpcError::malformed(error.to_string()))?;
    let mut named: Vec<LogBlock> = left.iter().chain(right).copied().collect();
    named.sort_by_key(|block| block.number);
    let mut blocks: Vec<LogBlock> = Vec::with_capacity(named.len());
    for block in named {
        match blocks.last() {
            Some(before) if before.number != block.number => blocks.push(block),
            Some(before) if before.hash != block.hash => {
                let detail = format!("block {} has hashes {} and {}", block.number, before.hash, block.hash);
                return Err(RpcError::malformed(detail));
            }
            Some(_) => {}
            None => blocks.push(block),
        }
    }
    let mut row = 0;
    for block in &mut blocks {
        let end =
            (row..view.len()).find(|row| view.get(*row).block_number != block.number).unwrap_or(view.len());
        (block.first_row, block.rows) = (row, end - row);
        row = end;
    }
    Ok(blocks)
}

/// Sets over ranges that follow one another, as one.
pub(crate) fn chain(sets: Vec<LogSet>) -> std::result::Result<LogSet, ArrowError> {
    if sets.len() == 1 {
        return Ok(sets.into_iter().next().unwrap_or_else(empty));
    }
    let logs = concat_batches(&logs_schema(), sets.iter().map(|set| &set.logs))?;
    let mut blocks = Vec::new();
    let mut rows = 0;
    for set in sets {
        blocks.extend(
            set.blocks.into_iter().map(|block| LogBlock { first_row: rows + block.first_row, ..block }),
        );
        rows += set.logs.num_rows();
    }
    Ok(LogSet { logs, blocks })
}

/// The logs with the sender of each, and the input of each transaction beside its first log. `senders` has one
/// entry per row.
pub(crate) fn with_senders(logs: &RecordBatch, senders: &[Option<Sent>]) -> Result<RecordBatch> {
    let mut sender = FixedSizeBinaryBuilder::with_capacity(senders.len(), 20);
    let mut input = BinaryBuilder::with_capacity(senders.len(), senders.len() * 128);
    let view = LogsView::new(logs)?;
    let mut last = None;
    for (log, sent) in view.iter().zip(senders) {
        let transaction = Some((log.block_number, log.tx_index));
        let is_first = last != transaction;
        last = transaction;
        match sent {
            Some((address, _)) => sender.append_value(address)?,
            None => sender.append_null(),
        }
        input.append_option(sent.as_ref().filter(|_| is_first).map(|(_, bytes)| bytes));
    }
    let mut columns: Vec<ArrayRef> = logs.columns().to_vec();
    columns[SENDER] = Arc::new(sender.finish());
    columns[INPUT] = Arc::new(input.finish());
    Ok(RecordBatch::try_new(logs_schema(), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use model::segment::{LogsBuilder, RawLog};

    fn raw(block_number: u64, log_index: u32) -> RawLog<'static> {
        RawLog {
            block_number,
            log_index,
            tx_index: 0,
            tx_hash: B256::ZERO,
            contract: Address::ZERO,
            topics: [None; 4],
            data: b"",
            sender: None,
            input: None,
        }
    }

    fn set(places: &[(u64, u32)]) -> LogSet {
        let mut builder = LogsBuilder::default();
        let mut blocks: Vec<LogBlock> = Vec::new();
        for (row, (block, log)) in places.iter().enumerate() {
            builder.push(&raw(*block, *log)).unwrap();
            match blocks.last_mut() {
                Some(last) if last.number == *block => last.rows += 1,
                _ => blocks.push(LogBlock {
                    number: *block,
                    hash: B256::left_padding_from(&block.to_be_bytes()),
                    first_row: row,
                    rows: 1,
                }),
            }
        }
        LogSet { logs: builder.finish().unwrap(), blocks }
    }

    #[test]
    fn a_union_holds_each_log_once_in_chain_order() {
        let all = union(vec![set(&[(1, 0), (3, 2)]), set(&[(1, 0), (1, 1), (2, 0)]), set(&[(3, 1), (4, 0)])])
            .unwrap();
        assert_eq!(all, set(&[(1, 0), (1, 1), (2, 0), (3, 1), (3, 2), (4, 0)]));
        assert_eq!(union(vec![set(&[]), set(&[(1, 0)])]).unwrap(), set(&[(1, 0)]));
        assert_eq!(union(vec![]).unwrap(), empty());
    }

    #[test]
    fn what_two_answers_tell_differently_is_bad() {
        let mut other = set(&[(1, 0)]);
        other.blocks[0].hash = B256::repeat_byte(9);
        assert!(matches!(union(vec![set(&[(1, 0)]), other]), Err(RpcError::BadData { .. })));
        let mut builder = LogsBuilder::default();
        builder.push(&RawLog { data: b"other", ..raw(1, 0) }).unwrap();
        let altered = LogSet { logs: builder.finish().unwrap(), ..set(&[(1, 0)]) };
        assert!(matches!(union(vec![set(&[(1, 0)]), altered]), Err(RpcError::BadData { .. })));
    }

    #[test]
    fn ranges_follow_one_another() {
        let joined = chain(vec![set(&[(1, 0), (1, 1)]), set(&[]), set(&[(5, 0)])]).unwrap();
        assert_eq!(joined, set(&[(1, 0), (1, 1), (5, 0)]));
    }

    #[test]
    fn senders_go_beside_their_logs_and_inputs_beside_the_first_of_their_transaction() {
        let logs = set(&[(1, 0), (1, 1), (2, 0), (3, 0)]).logs;
        let (sender, input) = (Address::repeat_byte(7), Bytes::from_static(b"in"));
        let sent = Some((sender, input));
        let carried = with_senders(&logs, &[sent.clone(), sent.clone(), None, sent]).unwrap();
        let carried: Vec<_> =
            LogsView::new(&carried).unwrap().iter().map(|log| (log.sender, log.input)).collect();
        let input = Some(b"in".as_slice());
        let expected = [(Some(sender), input), (Some(sender), None), (None, None), (Some(sender), input)];
        assert_eq!(carried, expected);
    }
}

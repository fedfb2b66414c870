//! What a stream takes, what it refuses, and where a writer goes on.

use super::{Outcome, Stream};
use crate::Tail;
use crate::error::Result;
use crate::sample::{block, final_run, open_block, registry};
use crate::wire::{Header, Kind};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};

const CHAIN: ChainId = ChainId(1);

/// A stream that took `changes` in its first epoch.
fn stream(changes: &[Change]) -> Stream {
    let mut stream = Stream::resume(CHAIN, Position::default(), 0);
    publish(&mut stream, &Change::Open(Epoch(1))).unwrap();
    for change in changes {
        publish(&mut stream, change).unwrap();
    }
    stream
}

fn publish(stream: &mut Stream, change: &Change) -> Result<()> {
    let epoch = if let Change::Open(epoch) = change { *epoch } else { stream.tail().position.epoch };
    let header = stream.next_header(epoch, Kind::of(change));
    let before = stream.tail().position;
    stream.apply(&header)?;
    let record = Record { chain: CHAIN, epoch, sequence: header.sequence, change: change.clone() };
    assert_eq!(
        stream.tail().position,
        before.after(&record),
        "the position is the one that everybody computes"
    );
    Ok(())
}

fn refusal(stream: &mut Stream, change: &Change) -> String {
    let before = stream.clone();
    let error = publish(stream, change).unwrap_err();
    assert_eq!(*stream, before, "a refused change leaves no trace");
    error.to_string()
}

#[test]
fn a_chain_is_backfilled_followed_reorganised_and_finalised() {
    let mut stream = stream(&[registry(1), final_run(1, 100), open_block(101, 0, 0), open_block(102, 0, 0)]);
    publish(&mut stream, &Change::Revert(block(101, 0))).unwrap();
    publish(&mut stream, &open_block(102, 1, 0)).unwrap();
    publish(&mut stream, &open_block(103, 1, 1)).unwrap();
    publish(&mut stream, &Change::Finalize(block(102, 1))).unwrap();
    let position = Position {
        epoch: Epoch(1),
        sequence: Sequence(9),
        tip: Some(block(103, 1)),
        finalized: Some(block(102, 1)),
    };
    let expected = Tail { position, open_blocks: vec![block(103, 1)], registry_version: 1 };
    assert_eq!(*stream.tail(), expected);
}

#[test]
fn all_open_blocks_may_go_back_to_the_block_below_them() {
    let mut begun = stream(&[open_block(50, 0, 0), open_block(51, 0, 0)]);
    publish(&mut begun, &Change::Revert(block(49, 0))).unwrap();
    publish(&mut begun, &open_block(50, 1, 0)).unwrap();
    assert_eq!(begun.tail().open_blocks, [block(50, 1)]);

    let mut backfilled = stream(&[final_run(1, 100), open_block(101, 0, 0)]);
    publish(&mut backfilled, &Change::Revert(block(100, 0))).unwrap();
    assert_eq!(backfilled.tail().position.tip, Some(block(100, 0)));
    assert_eq!(backfilled.tail().open_blocks, []);
}

#[test]
fn what_does_not_stand_on_the_stream_is_refused() {
    let mut stream = stream(&[final_run(1, 100), open_block(101, 0, 0), open_block(102, 0, 0)]);
    let mut check = |change: Change, expected: &str| {
        let tip = format!("does not stand on the tip {:?}", Some(block(102, 0)));
        let expected = expected.replace("TIP", &tip);
        assert_eq!(refusal(&mut stream, &change), expected);
    };
    check(open_block(103, 1, 1), "chain 1: append of block 103 TIP");
    check(open_block(104, 0, 0), "chain 1: append of block 104 TIP");
    check(open_block(102, 0, 0), "chain 1: append of block 102 TIP");
    check(Change::Revert(block(101, 1)), "chain 1: revert of block 101 TIP");
    check(Change::Revert(block(99, 0)), "chain 1: revert of block 99 TIP");
    check(Change::Revert(block(103, 0)), "chain 1: revert of block 103 TIP");
    check(Change::Finalize(block(102, 1)), "chain 1: finalize of block 102 TIP");
    check(Change::Finalize(block(99, 0)), "chain 1: finalize of block 99 TIP");
    check(
        final_run(103, 200),
        "chain 1: append refused: a final run from block 103 on open blocks; finalize them first",
    );
    check(final_run(103, 102), "chain 1: append refused: it ends at block 102 before it begins at block 103");
}

#[test]
fn an_open_run_is_one_block() {
    let mut stream = stream(&[]);
    let Change::Append(segment) = open_block(5, 0, 0) else { unreachable!() };
    let mut long = model::segment::Segment::clone(&segment);
    long.first_number = 4;
    let error = refusal(&mut stream, &Change::Append(long.into()));
    assert_eq!(error, "chain 1: append refused: an open run of blocks 4 to 5; one block each");
}

#[test]
fn a_later_open_fences_the_earlier_writer() {
    let mut stream = stream(&[open_block(1, 0, 0)]);
    publish(&mut stream, &Change::Open(Epoch(3))).unwrap();
    let late = stream.next_header(Epoch(1), Kind::of(&open_block(2, 0, 0)));
    let error = stream.apply(&late).unwrap_err().to_string();
    assert_eq!(error, "chain 1: epoch 1 was fenced by epoch 3; another ingester runs for this chain");
    let again = refusal(&mut stream, &Change::Open(Epoch(3)));
    assert_eq!(again, "chain 1: epoch 3 was fenced by epoch 3; another ingester runs for this chain");
}

#[test]
fn a_reader_drops_repeats_fenced_writers_and_the_second_open_of_an_epoch() {
    let mut stream = stream(&[open_block(1, 0, 0)]);
    let header = |epoch, sequence, change: &Change| Header {
        chain: CHAIN,
        epoch: Epoch(epoch),
        sequence: Sequence(sequence),
        kind: Kind::of(change),
    };
    let mut receive = |header: Header| stream.receive(&header).unwrap();
    assert_eq!(receive(header(1, 2, &open_block(1, 0, 0))), Outcome::Stale, "a repeat");
    assert_eq!(receive(header(2, 3, &Change::Open(Epoch(2)))), Outcome::Applied);
    assert_eq!(receive(header(2, 4, &Change::Open(Epoch(2)))), Outcome::Stale, "the second open");
    assert_eq!(receive(header(1, 4, &open_block(2, 1, 0))), Outcome::Stale, "a fenced writer");
    assert_eq!(receive(header(2, 4, &open_block(2, 0, 0))), Outcome::Applied);
    let gap = stream.receive(&header(2, 6, &open_block(3, 0, 0))).unwrap_err().to_string();
    assert_eq!(gap, "chain 1: record 6 where 5 is the next");
}

#[test]
fn a_resumed_stream_stands_on_final_blocks_and_takes_what_made_them_final_again() {
    let committed = Position {
        epoch: Epoch(2),
        sequence: Sequence(10),
        tip: Some(block(100, 0)),
        finalized: Some(block(97, 0)),
    };
    let mut stream = Stream::resume(CHAIN, committed, 4);
    let position = Position { finalized: committed.tip, ..committed };
    let expected = Tail { position, open_blocks: vec![], registry_version: 4 };
    assert_eq!(*stream.tail(), expected);
    let header = |stream: &Stream, change: &Change| stream.next_header(Epoch(2), Kind::of(change));
    for change in [
        open_block(101, 0, 0),
        Change::Finalize(block(99, 0)),
        open_block(102, 0, 0),
        Change::Finalize(block(100, 0)),
        Change::Revert(block(100, 0)),
    ] {
        let header = header(&stream, &change);
        assert_eq!(stream.receive(&header).unwrap(), Outcome::Applied, "{change:?}");
        assert_eq!(stream.tail().position.finalized, committed.tip);
    }
    assert_eq!(stream.tail().open_blocks, []);
    for below in [block(97, 0), block(99, 0)] {
        let tip = format!("does not stand on the tip {:?}", committed.tip);
        let expected = format!("chain 1: revert of block {} {tip}", below.number);
        assert_eq!(refusal(&mut stream, &Change::Revert(below)), expected);
    }
}

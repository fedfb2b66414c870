//! The local bus: what is written is read again after a restart, in order, and forgotten once it is acknowledged.

use super::LocalBus;
use crate::error::Error;
use crate::memory::{MemoryDisk, PowerCut};
use crate::sample::{block, final_run, noise, open_block, open_block_with, registry};
use crate::{Bus as _, Publisher, Subscriber, Tail};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use model::error::ErrorClass;
use std::collections::BTreeMap;
use std::path::Path;
use std::task::{Context, Poll, Waker};

const CHAIN: ChainId = ChainId(1);
const OTHER: ChainId = ChainId(10);

fn nothing() -> BTreeMap<ChainId, Position> {
    BTreeMap::new()
}

fn record(chain: ChainId, epoch: u64, sequence: u64, change: Change) -> Record {
    Record { chain, epoch: Epoch(epoch), sequence: Sequence(sequence), change }
}

fn position(epoch: u64, sequence: u64, tip: u64, finalized: u64) -> Position {
    let (tip, finalized) = (Some(block(tip, 0)), Some(block(finalized, 0)));
    Position { epoch: Epoch(epoch), sequence: Sequence(sequence), tip, finalized }
}

/// Opens the folder again once the thread that wrote last has let go of it.
async fn reopened(folder: &Path, committed: BTreeMap<ChainId, Position>) -> LocalBus {
    loop {
        match LocalBus::open(folder, committed.clone()) {
            Err(Error::Locked { .. }) => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

async fn writer(bus: &LocalBus, chain: ChainId) -> Box<dyn Publisher> {
    let mut publisher = bus.publisher(chain).unwrap();
    publisher.open().await.unwrap();
    publisher
}

async fn publish(publisher: &mut Box<dyn Publisher>, changes: impl IntoIterator<Item = Change>) {
    for change in changes {
        publisher.publish(change).await.unwrap();
    }
}

/// Everything that the reader gets once all writers are gone.
async fn drain(mut subscriber: Box<dyn Subscriber>) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some(record) = subscriber.next().await.unwrap() {
        records.push(record);
    }
    records
}

fn on(disk: &MemoryDisk, committed: BTreeMap<ChainId, Position>) -> LocalBus {
    LocalBus::on(Box::new(disk.clone()), committed).unwrap()
}

#[tokio::test]
async fn the_reader_gets_each_chain_in_order_and_then_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let bus = LocalBus::open(&folder.path().join("bus"), nothing()).unwrap();
    let (mut one, mut other) = (writer(&bus, CHAIN).await, writer(&bus, OTHER).await);
    publish(&mut one, [registry(1), final_run(1, 9), open_block(10, 0, 0)]).await;
    publish(&mut other, [open_block(7, 0, 0), Change::Finalize(block(7, 0))]).await;
    let subscriber = bus.subscriber().unwrap();
    drop((bus, one, other));

    let records = drain(subscriber).await;
    let of = |chain| records.iter().filter(|record| record.chain == chain).cloned().collect::<Vec<_>>();
    let expected = [
        record(CHAIN, 1, 1, Change::Open(Epoch(1))),
        record(CHAIN, 1, 2, registry(1)),
        record(CHAIN, 1, 3, final_run(1, 9)),
        record(CHAIN, 1, 4, open_block(10, 0, 0)),
    ];
    assert_eq!(of(CHAIN), expected);
    let expected = [
        record(OTHER, 1, 1, Change::Open(Epoch(1))),
        record(OTHER, 1, 2, open_block(7, 0, 0)),
        record(OTHER, 1, 3, Change::Finalize(block(7, 0))),
    ];
    assert_eq!(of(OTHER), expected);
}

#[tokio::test]
async fn what_was_not_committed_is_read_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bus = LocalBus::open(folder.path(), nothing()).unwrap();
    let mut publisher = writer(&bus, CHAIN).await;
    publish(&mut publisher, [final_run(1, 9), open_block(10, 0, 0), registry(1), open_block(11, 0, 0)]).await;
    drop((bus, publisher));

    let committed = BTreeMap::from([(CHAIN, position(1, 3, 10, 9))]);
    let bus = reopened(folder.path(), committed).await;
    let mut publisher = bus.publisher(CHAIN).unwrap();
    let expected = Tail {
        // What the store's files hold is final.
        position: position(1, 5, 11, 10),
        open_blocks: vec![block(11, 0)],
        registry_version: 1,
    };
    assert_eq!(publisher.tail().await.unwrap(), expected);
    assert_eq!(publisher.open().await.unwrap(), Epoch(2));
    assert_eq!(publisher.publish(open_block(12, 0, 0)).await.unwrap(), Sequence(7));
    let subscriber = bus.subscriber().unwrap();
    drop((bus, publisher));
    let expected = [
        record(CHAIN, 1, 4, registry(1)),
        record(CHAIN, 1, 5, open_block(11, 0, 0)),
        record(CHAIN, 2, 6, Change::Open(Epoch(2))),
        record(CHAIN, 2, 7, open_block(12, 0, 0)),
    ];
    assert_eq!(drain(subscriber).await, expected);
}

#[tokio::test]
async fn what_stood_on_a_lost_final_run_is_published_again() {
    let disk = MemoryDisk::default();
    let bus = on(&disk, nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    publish(&mut publisher, [registry(1), final_run(1, 9), open_block(10, 0, 0), registry(2)]).await;
    drop((bus, publisher));

    // The final run passed through memory only and was not committed: what follows it is of no use.
    let bus = on(&disk, nothing());
    let mut publisher = bus.publisher(CHAIN).unwrap();
    let expected = Tail {
        position: Position { epoch: Epoch(1), sequence: Sequence(2), ..Position::default() },
        open_blocks: vec![],
        registry_version: 1,
    };
    assert_eq!(publisher.tail().await.unwrap(), expected);
    publisher.open().await.unwrap();
    publish(&mut publisher, [final_run(1, 9), open_block(10, 1, 0)]).await;
    drop((bus, publisher));

    // Dropped records do not come back beside those that took their places.
    let committed = BTreeMap::from([(CHAIN, position(2, 4, 9, 9))]);
    let bus = on(&disk, committed);
    let subscriber = bus.subscriber().unwrap();
    drop(bus);
    assert_eq!(drain(subscriber).await, [record(CHAIN, 2, 5, open_block(10, 1, 0))]);
}

#[tokio::test]
async fn what_was_dropped_does_not_count_once_others_took_its_place() {
    let disk = MemoryDisk::default();
    let bus = on(&disk, nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    publish(&mut publisher, [final_run(1, 9), registry(2)]).await;
    drop((bus, publisher));
    let bus = on(&disk, nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    publish(&mut publisher, [final_run(1, 9)]).await;
    drop((bus, publisher));

    let committed = position(2, 3, 9, 9);
    let bus = on(&disk, BTreeMap::from([(CHAIN, committed)]));
    let tail = bus.publisher(CHAIN).unwrap().tail().await.unwrap();
    assert_eq!(tail, Tail { position: committed, open_blocks: vec![], registry_version: 0 });
}

#[tokio::test]
async fn a_second_writer_fences_the_first() {
    let bus = on(&MemoryDisk::default(), nothing());
    let mut first = writer(&bus, CHAIN).await;
    publish(&mut first, [open_block(1, 0, 0)]).await;
    let mut second = writer(&bus, CHAIN).await;
    let error = first.publish(open_block(2, 0, 0)).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.class()),
        ("chain 1: epoch 1 was fenced by epoch 2; another ingester runs for this chain", ErrorClass::Fatal)
    );
    assert_eq!(second.publish(open_block(2, 0, 0)).await.unwrap(), Sequence(4));
}

#[tokio::test]
async fn a_refused_change_is_not_on_the_stream() {
    let bus = on(&MemoryDisk::default(), nothing());
    let mut publisher = bus.publisher(CHAIN).unwrap();
    let error = publisher.publish(open_block(1, 0, 0)).await.unwrap_err();
    assert_eq!(error.to_string(), "chain 1: published before the stream was opened");
    publisher.open().await.unwrap();
    publish(&mut publisher, [open_block(1, 0, 0)]).await;
    let error = publisher.publish(open_block(3, 0, 0)).await.unwrap_err();
    assert!(matches!(error, Error::NotLinked { change: "append", block: 3, .. }), "{error}");
    let error = publisher.publish(Change::Open(Epoch(9))).await.unwrap_err();
    assert_eq!(error.to_string(), "chain 1: open refused: a stream is opened by its own call");
    assert_eq!(publisher.publish(open_block(2, 0, 0)).await.unwrap(), Sequence(3));
    let subscriber = bus.subscriber().unwrap();
    drop((bus, publisher));
    let expected = [
        record(CHAIN, 1, 1, Change::Open(Epoch(1))),
        record(CHAIN, 1, 2, open_block(1, 0, 0)),
        record(CHAIN, 1, 3, open_block(2, 0, 0)),
    ];
    assert_eq!(drain(subscriber).await, expected);
}

#[tokio::test]
async fn there_is_one_reader_and_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let bus = LocalBus::open(folder.path(), nothing()).unwrap();
    let reader = bus.subscriber().unwrap();
    let error = bus.subscriber().err().unwrap();
    assert_eq!(error.to_string(), "the bus has one reader, and it was taken before");
    let error = LocalBus::open(folder.path(), nothing()).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is in use by another process", folder.path().display()));
    let mut publisher = writer(&bus, CHAIN).await;
    drop(reader);
    let error = publisher.publish(open_block(1, 0, 0)).await.unwrap_err();
    assert_eq!(error.to_string(), "the bus is closed");
}

#[tokio::test]
async fn a_change_that_is_given_up_is_whole_on_the_stream_or_not_at_all() {
    let bus = on(&MemoryDisk::default(), nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    let mut number = 1;
    while number <= 40 {
        let mut publishing = publisher.publish(open_block(number, 0, 0));
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(result) = publishing.as_mut().poll(&mut context) {
            result.unwrap();
        }
        drop(publishing);
        // Whichever it was, the tail tells, and the next change stands on it.
        let open = publisher.tail().await.unwrap().open_blocks;
        number = open.last().map_or(1, |block| block.number + 1);
        publisher.publish(open_block(number, 0, 0)).await.unwrap_or(Sequence(0));
        number = publisher.tail().await.unwrap().open_blocks.last().map_or(1, |block| block.number + 1);
    }
    let tail = publisher.tail().await.unwrap();
    let subscriber = bus.subscriber().unwrap();
    drop((bus, publisher));
    let sequences: Vec<u64> = drain(subscriber).await.iter().map(|record| record.sequence.0).collect();
    assert_eq!(sequences, (1..=tail.position.sequence.0).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_acknowledged_leaves_the_file_and_the_books_stay() {
    let folder = tempfile::tempdir().unwrap();
    let size = || std::fs::metadata(folder.path().join("changes.log")).unwrap().len();
    let bus = LocalBus::open(folder.path(), nothing()).unwrap();
    let (mut publisher, mut other) = (writer(&bus, CHAIN).await, writer(&bus, OTHER).await);
    let mut subscriber = bus.subscriber().unwrap();
    publish(&mut other, [registry(3), open_block(1, 0, 0)]).await;
    publish(&mut publisher, [registry(7)]).await;
    for number in 1..=20 {
        publish(&mut publisher, [open_block_with(number, 0, 0, &noise(number, 256 << 10))]).await;
    }
    assert!(size() > 5 << 20, "twenty blocks of a quarter megabyte are {} bytes", size());
    for _ in 0..5 + 20 {
        subscriber.next().await.unwrap().unwrap();
    }
    subscriber.acknowledge(CHAIN, position(1, 21, 19, 18)).await.unwrap();
    assert!(size() < 1 << 20, "one block is left of {} bytes", size());
    let error = subscriber.acknowledge(CHAIN, position(1, 99, 19, 18)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "chain 1: acknowledgement refused: record 99 was acknowledged, the last one is 22"
    );
    drop((bus, publisher, other, subscriber));

    let committed = BTreeMap::from([(CHAIN, position(1, 21, 19, 18))]);
    let bus = reopened(folder.path(), committed).await;
    let tail = bus.publisher(CHAIN).unwrap().tail().await.unwrap();
    let open_blocks = vec![block(20, 0)];
    assert_eq!(tail, Tail { position: position(1, 22, 20, 19), open_blocks, registry_version: 7 });
    let subscriber = bus.subscriber().unwrap();
    drop(bus);
    let expected = [
        record(CHAIN, 1, 22, open_block_with(20, 0, 0, &noise(20, 256 << 10))),
        record(OTHER, 1, 1, Change::Open(Epoch(1))),
        record(OTHER, 1, 2, registry(3)),
        record(OTHER, 1, 3, open_block(1, 0, 0)),
    ];
    let mut records = drain(subscriber).await;
    records.sort_by_key(|record| (record.chain, record.sequence));
    assert_eq!(records, expected);
}

#[tokio::test]
async fn a_store_that_begins_anew_is_given_what_it_does_not_hold() {
    let disk = MemoryDisk::default();
    let bus = on(&disk, nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    let noise = open_block_with(1, 0, 0, &noise(1, 5 << 20));
    publish(&mut publisher, [registry(1), registry(2), noise, open_block(2, 0, 0)]).await;
    let mut subscriber = bus.subscriber().unwrap();
    while subscriber.next().await.unwrap().unwrap().sequence < Sequence(5) {}
    // Large enough for the file to be replaced: the registries are in its books only.
    subscriber.acknowledge(CHAIN, position(1, 4, 1, 1)).await.unwrap();
    drop((bus, publisher, subscriber));

    let tail_from = async |committed: &[(ChainId, Position)]| {
        let bus = on(&disk.after(PowerCut::Kept), committed.iter().copied().collect());
        bus.publisher(CHAIN).unwrap().tail().await.unwrap()
    };
    let tail = tail_from(&[(CHAIN, position(1, 4, 1, 1))]).await;
    assert_eq!((tail.position.sequence, tail.registry_version), (Sequence(5), 2));
    let earlier = Position { epoch: Epoch(1), sequence: Sequence(2), ..Position::default() };
    let tail = tail_from(&[(CHAIN, earlier)]).await;
    assert_eq!((tail.position, tail.registry_version), (earlier, 1));
    assert_eq!(tail_from(&[]).await, Tail::default());
}

#[tokio::test]
async fn the_last_frame_may_be_torn_an_earlier_one_may_not() {
    let disk = MemoryDisk::default();
    let bus = on(&disk, nothing());
    let mut publisher = writer(&bus, CHAIN).await;
    publish(&mut publisher, [open_block(1, 0, 0), open_block(2, 0, 0)]).await;
    drop((bus, publisher));
    let mut files = disk.clone();
    let size = usize::try_from(super::disk::Disk::size(&mut files, "changes.log").unwrap().unwrap()).unwrap();

    let (mut torn, mut corrupt, mut whole) = (0, 0, 0);
    for offset in 0..size {
        let damaged = disk.after(PowerCut::Kept);
        damaged.damage("changes.log", offset);
        match LocalBus::on(Box::new(damaged), nothing()) {
            Ok(bus) => {
                let subscriber = bus.subscriber().unwrap();
                drop(bus);
                let sequences: Vec<u64> =
                    drain(subscriber).await.iter().map(|record| record.sequence.0).collect();
                assert!(sequences == [1, 2] || sequences == [1, 2, 3], "byte {offset}: {sequences:?}");
                (torn, whole) = if sequences.len() == 2 { (torn + 1, whole) } else { (torn, whole + 1) };
            }
            Err(error) => {
                assert!(matches!(error, Error::Corrupt { .. }), "byte {offset}: {error}");
                assert_eq!(error.class(), ErrorClass::BadData);
                corrupt += 1;
            }
        }
    }
    assert!(torn > 100 && corrupt > 100, "{torn} torn, {corrupt} corrupt");
    assert_eq!(whole, 0, "no byte goes unchecked");
}

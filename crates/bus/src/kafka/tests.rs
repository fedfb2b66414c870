//! The bus on a real broker.

#[path = "../../../../tests/src/broker.rs"]
mod broker;
#[cfg(feature = "kafka-tls")]
mod guarded;

use super::{Config, KafkaBus, Metrics};
use crate::error::Error;
use crate::sample::{block, final_run, noise, open_block, open_block_with, registry};
use crate::{Bus as _, Publisher, Subscriber, Tail};
use broker::Broker;
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use model::incident::IncidentKind;
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const CHAIN: ChainId = ChainId(1);
const OTHER: ChainId = ChainId(137);

fn bus(broker: &Broker, committed: &[(ChainId, Position)]) -> KafkaBus {
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    KafkaBus::new(Config::new(vec![broker.address()]), committed.iter().copied().collect(), metrics)
}

async fn publish(writer: &mut Box<dyn Publisher>, changes: &[Change]) {
    for change in changes {
        writer.publish(change.clone()).await.unwrap();
    }
}

/// The next records, each with its chain.
async fn next(reader: &mut Box<dyn Subscriber>, count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    while records.len() < count {
        records.push(reader.next().await.unwrap().unwrap());
    }
    records
}

fn changes(records: &[Record]) -> Vec<Change> {
    records.iter().map(|record| record.change.clone()).collect()
}

/// Puts a message of somebody else's on a topic.
async fn write_foreign(broker: &Broker, bytes: &[u8]) {
    let producer: FutureProducer = Config::new(vec![broker.address()]).client().create().unwrap();
    let record = FutureRecord::<(), [u8]>::to("rxtrail.changes.1").partition(0).payload(bytes);
    producer.send(record, Duration::from_secs(30)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_go_through_a_broker_and_reader_and_writer_go_on_where_they_left_off() {
    let broker = Broker::start("");
    let start = bus(&broker, &[(CHAIN, Position::default()), (OTHER, Position::default())]);
    let (mut writer, mut other) = (start.publisher(CHAIN).unwrap(), start.publisher(OTHER).unwrap());
    assert_eq!(writer.tail().await.unwrap(), Tail::default());
    assert_eq!((writer.open().await.unwrap(), other.open().await.unwrap()), (Epoch(1), Epoch(1)));
    let first = [
        registry(3),
        final_run(1, 100),
        open_block(101, 0, 0),
        open_block(102, 0, 0),
        Change::Revert(block(101, 0)),
        open_block(102, 1, 0),
        Change::Finalize(block(101, 0)),
    ];
    publish(&mut writer, &first).await;
    publish(&mut other, &[final_run(1, 7)]).await;
    let mut reader = start.subscriber().unwrap();
    assert!(matches!(start.subscriber(), Err(Error::Taken)));
    let mut by_chain: BTreeMap<ChainId, Vec<Record>> = BTreeMap::new();
    for record in next(&mut reader, 10).await {
        by_chain.entry(record.chain).or_default().push(record);
    }
    let taken = &by_chain[&CHAIN];
    assert_eq!(changes(taken), [&[Change::Open(Epoch(1))], &first[..]].concat());
    assert_eq!(changes(&by_chain[&OTHER]), [Change::Open(Epoch(1)), final_run(1, 7)]);
    let committed = taken[..4].iter().fold(Position::default(), Position::after);
    reader.acknowledge(CHAIN, committed).await.unwrap();
    drop((reader, writer));

    let again = bus(&broker, &[(CHAIN, committed)]);
    let mut writer = again.publisher(CHAIN).unwrap();
    assert_eq!(writer.open().await.unwrap(), Epoch(2));
    let tail = writer.tail().await.unwrap();
    let (tip, finalized) = (Some(block(102, 1)), Some(block(101, 0)));
    let position = Position { epoch: Epoch(2), sequence: Sequence(9), tip, finalized };
    assert_eq!(tail, Tail { position, open_blocks: vec![block(102, 1)], registry_version: 3 });
    publish(&mut writer, &[open_block(103, 1, 1)]).await;
    let mut reader = again.subscriber().unwrap();
    let rest = changes(&next(&mut reader, 6).await);
    assert_eq!(rest, [&first[3..], &[Change::Open(Epoch(2)), open_block(103, 1, 1)]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_is_not_read_as_if_it_were_the_old_one() {
    let broker = Broker::start("");
    let start = bus(&broker, &[(CHAIN, Position::default())]);
    start.publisher(CHAIN).unwrap().open().await.unwrap();
    let taken = Position { sequence: Sequence(7), epoch: Epoch(1), ..Position::default() };
    let error = bus(&broker, &[(CHAIN, taken)]).subscriber().unwrap().next().await.unwrap_err().to_string();
    assert!(error.contains("holds records up to 1, and 7 were taken from it"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_fences_the_first() {
    let broker = Broker::start("");
    let bus = bus(&broker, &[(CHAIN, Position::default())]);
    let (mut first, mut second) = (bus.publisher(CHAIN).unwrap(), bus.publisher(CHAIN).unwrap());
    first.open().await.unwrap();
    publish(&mut first, &[final_run(1, 5)]).await;
    second.open().await.unwrap();
    let fenced = first.publish(open_block(6, 9, 0)).await.unwrap_err().to_string();
    assert_eq!(fenced, "chain 1: epoch 1 was fenced by epoch 2; another ingester runs for this chain");
    publish(&mut second, &[open_block(6, 0, 0)]).await;
    let mut reader = bus.subscriber().unwrap();
    let expected = [Change::Open(Epoch(1)), final_run(1, 5), Change::Open(Epoch(2)), open_block(6, 0, 0)];
    assert_eq!(changes(&next(&mut reader, 4).await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_larger_than_the_broker_takes_and_what_is_not_ours_come_to_their_ends() {
    let broker = Broker::start("message.max.bytes=100000\n");
    let bus = bus(&broker, &[(CHAIN, Position::default())]);
    let mut writer = bus.publisher(CHAIN).unwrap();
    writer.open().await.unwrap();
    write_foreign(&broker, b"{\"not\":\"ours\"}").await;
    let large = open_block_with(1, 0, 0, &noise(1, 1 << 20));
    publish(&mut writer, std::slice::from_ref(&large)).await;
    let mut reader = bus.subscriber().unwrap();
    assert_eq!(changes(&next(&mut reader, 2).await), [Change::Open(Epoch(1)), large]);
    let told: Vec<_> =
        reader.incidents().into_iter().map(|told| (told.chain, told.kind, told.detail)).collect();
    let detail = "the message at offset 1 is not ours and was passed over".to_owned();
    assert_eq!(told, [(CHAIN, IncidentKind::ForeignRecord, detail)]);
    assert_eq!(reader.incidents(), [], "it is told once");
    // What looks like ours and cannot be read: readers stand still until the writer has taken the stream over there.
    write_foreign(&broker, b"rxtrail\x01 and nothing that fits").await;
    publish(&mut writer, &[open_block(2, 0, 0)]).await;
    assert_eq!(changes(&next(&mut reader, 2).await), [Change::Open(Epoch(2)), open_block(2, 0, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_asked_in_haste_begins_all_the_same() {
    let broker = Broker::start("");
    let bus = bus(&broker, &[(CHAIN, Position::default())]);
    let mut writer = bus.publisher(CHAIN).unwrap();
    writer.open().await.unwrap();
    let mut reader = bus.subscriber().unwrap();
    // Whoever asks has other things to do, and stops waiting long before the brokers are reached.
    let record = loop {
        if let Ok(record) = tokio::time::timeout(Duration::from_micros(200), reader.next()).await {
            break record.unwrap().unwrap();
        }
    };
    assert_eq!(record.change, Change::Open(Epoch(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_three_may_lose_its_leader_and_another_and_nothing_is_lost() {
    let mut cluster = Broker::start_many(3, "");
    let metrics = Metrics::new(&prometheus::Registry::new()).unwrap();
    let config = Config { replication: 3, ..Config::new(vec![cluster.address()]) };
    let bus = KafkaBus::new(config, [(CHAIN, Position::default())].into(), metrics);
    let mut writer = bus.publisher(CHAIN).unwrap();
    writer.open().await.unwrap();
    let mut reader = bus.subscriber().unwrap();
    assert_eq!(changes(&next(&mut reader, 1).await), [Change::Open(Epoch(1))]);
    let blocks: Vec<Change> = (1..=300).map(|number| open_block(number, 0, 0)).collect();
    let written = blocks.clone();
    let writing = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        for change in written {
            let began = Instant::now();
            writer.publish(change).await.unwrap();
            longest = longest.max(began.elapsed());
        }
        longest
    });
    let losing = tokio::task::spawn_blocking(move || {
        // One of the first two or the third leads. With two gone nobody may acknowledge, until one is back.
        for (first, second) in [(0, 1), (2, 0)] {
            cluster.kill(first);
            cluster.kill(second);
            cluster.restart(second);
            cluster.restart(first);
        }
        cluster
    });
    let longest = writing.await.unwrap();
    let cluster = losing.await.unwrap();
    assert_eq!(changes(&next(&mut reader, 300).await), blocks);
    println!(
        "kafka: three brokers lost two at a time, twice: 300 records, none lost; the longest wait {longest:?}"
    );
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_writer_and_reader_wait_and_nothing_is_lost() {
    let mut broker = Broker::start("");
    let bus = bus(&broker, &[(CHAIN, Position::default())]);
    let mut writer = bus.publisher(CHAIN).unwrap();
    writer.open().await.unwrap();
    let mut reader = bus.subscriber().unwrap();
    assert_eq!(changes(&next(&mut reader, 1).await), [Change::Open(Epoch(1))]);
    let blocks: Vec<Change> = (1..=60).map(|number| open_block(number, 0, 0)).collect();
    let written = blocks.clone();
    let writing = tokio::spawn(async move {
        publish(&mut writer, &written).await;
        writer
    });
    for _ in 0..2 {
        broker = tokio::task::spawn_blocking(move || {
            broker.restart(0);
            broker
        })
        .await
        .unwrap();
    }
    writing.await.unwrap();
    assert_eq!(changes(&next(&mut reader, 60).await), blocks);
}

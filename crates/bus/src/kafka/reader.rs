//! The reader of all chains' topics. Where it begins is the store's word; what Kafka remembers of it is a hint.

use super::config::Config;
use super::intake::{Intake, Taken};
use super::metrics::Metrics;
use super::scan::Scan;
use super::topic::{ANSWER_WITHIN, PARTITION, Topic, blocking};
use crate::Subscriber;
use crate::error::{Error, Result};
use async_trait::async_trait;
use model::chain::ChainId;
use model::change::{Position, Record, Sequence};
use model::incident::{Incident, IncidentKind};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The group under which the hint of where to begin is kept.
const GROUP: &str = "rxtrail-transform";

/// Before the brokers, which did not answer, are asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What is read ahead of the transform, all chains together, in KiB: a few runs of backfill.
const AHEAD_KIB: &str = "16384";

/// The one reader.
pub(super) struct Reader {
    begin: Arc<Begin>,
    /// What reaches the brokers: a task of its own, because whoever waits for a record may stop waiting and ask again.
    beginning: Option<JoinHandle<Result<Reading>>>,
    reading: Option<Reading>,
    /// What was passed over before the record that was handed on last.
    incidents: Vec<Incident>,
}

/// What a reader begins with.
struct Begin {
    config: Arc<Config>,
    committed: BTreeMap<ChainId, Position>,
    metrics: Metrics,
}

/// What a reader has once it reached the brokers.
struct Reading {
    consumer: Arc<StreamConsumer<Context>>,
    lanes: BTreeMap<String, Lane>,
}

/// One chain.
struct Lane {
    chain: ChainId,
    intake: Intake,
    /// Where the topic began when reading did.
    low: i64,
    /// Reading began after the topic's begin, on Kafka's word.
    is_hinted: bool,
    /// Messages of others since the last record.
    foreign: Option<Foreign>,
    /// Records that were handed on and are not durable yet, with the offset after each.
    unacknowledged: VecDeque<(Sequence, i64)>,
}

/// Messages of others between two records of ours, however many: one incident.
#[derive(Debug, Clone, Copy)]
struct Foreign {
    count: u64,
    first: i64,
    last: i64,
}

impl Foreign {
    fn and(before: Option<Self>, offset: i64) -> Self {
        let Self { count, first, .. } = before.unwrap_or(Self { count: 0, first: offset, last: offset });
        Self { count: count + 1, first, last: offset }
    }

    fn incident(self, chain: ChainId, topic: &str) -> Incident {
        let Self { count, first, last } = self;
        let detail = match count {
            1 => format!("the message at offset {first} is not ours and was passed over"),
            _ => format!("{count} messages from offset {first} to {last} are not ours and were passed over"),
        };
        let endpoint = format!("topic {topic}");
        Incident { chain, block: None, kind: IncidentKind::ForeignRecord, endpoint, detail }
    }
}

/// Tells how far the reader is behind.
struct Context {
    metrics: Metrics,
    chains: BTreeMap<String, ChainId>,
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        for (topic, chain) in &self.chains {
            let partition = statistics.topics.get(topic).and_then(|topic| topic.partitions.get(&PARTITION));
            if let Some(lag) = partition.map(|partition| partition.consumer_lag).filter(|lag| *lag >= 0) {
                self.metrics.lag(*chain, lag);
            }
        }
    }
}

impl ConsumerContext for Context {}

impl Reader {
    /// A reader that begins after what the store holds of each chain.
    pub(super) fn new(config: Arc<Config>, committed: BTreeMap<ChainId, Position>, metrics: Metrics) -> Self {
        let begin = Arc::new(Begin { config, committed, metrics });
        Self { begin, beginning: None, reading: None, incidents: Vec::new() }
    }

    /// Goes on with reaching the brokers.
    async fn reach(&mut self) -> Result<Reading> {
        let begin = &self.begin;
        let beginning = self.beginning.get_or_insert_with(|| tokio::spawn(Arc::clone(begin).patiently()));
        let reached = beginning.await;
        self.beginning = None;
        reached.map_err(|_| Error::Closed)?
    }

    /// Takes a message; gives the record that it completes.
    fn take(&mut self, topic: &str, offset: i64, bytes: &[u8]) -> Result<Option<Record>> {
        let Begin { committed, metrics, .. } = self.begin.as_ref();
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let Some(lane) = reading.lanes.get_mut(topic) else { return Ok(None) };
        match lane.intake.take(offset, bytes) {
            Taken::Nothing => Ok(None),
            Taken::Foreign => {
                metrics.foreign(lane.chain);
                lane.foreign = Some(Foreign::and(lane.foreign, offset));
                tracing::warn!(topic, offset, "a message that is not ours is passed over");
                Ok(None)
            }
            Taken::Record(record, _) => {
                metrics.stopped(lane.chain, false);
                self.incidents.clear();
                self.incidents.extend(lane.foreign.take().map(|foreign| foreign.incident(lane.chain, topic)));
                lane.unacknowledged.push_back((record.sequence, offset + 1));
                Ok(Some(record))
            }
            Taken::Damaged(why) | Taken::Gap(why) if lane.intake.is_settled() => {
                metrics.stopped(lane.chain, true);
                tracing::error!(
                    topic, offset, %why,
                    "a message cannot be read: the chain stands still until its ingester was started with \
                     --republish-from {}:{offset}", lane.chain
                );
                Ok(None)
            }
            Taken::Damaged(why) => {
                // It may be older than where reading begins: the next record says so.
                metrics.stopped(lane.chain, true);
                tracing::warn!(
                    topic, offset, %why,
                    "a message cannot be read; if the chain stands still, start its ingester with \
                     --republish-from {}:{offset}", lane.chain
                );
                Ok(None)
            }
            Taken::Gap(_) if lane.is_hinted => {
                // Kafka's word was wrong: everything that is there is read, and what was taken before is passed over.
                let position = committed.get(&lane.chain).copied().unwrap_or_default();
                (lane.intake, lane.is_hinted) = (Intake::new(lane.chain, position, 0), false);
                let begin = Offset::Offset(lane.low);
                let sought = reading.consumer.seek(topic, PARTITION, begin, ANSWER_WITHIN);
                sought.map(|()| None).map_err(|error| Error::kafka("go back in", topic, &error))
            }
            Taken::Gap(why) => {
                tracing::error!(topic, offset, %why, "what the topic begins with does not follow what the store holds");
                Err(Error::Forgotten { chain: lane.chain, topic: topic.to_owned() })
            }
        }
    }
}

impl Begin {
    /// Waits for the brokers as long as they are away.
    async fn patiently(self: Arc<Self>) -> Result<Reading> {
        loop {
            match self.begin().await {
                Err(error @ Error::Kafka { is_lasting: false, .. }) => {
                    tracing::warn!(%error, "trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                begun => return begun,
            }
        }
    }

    async fn begin(&self) -> Result<Reading> {
        let mut topics = Vec::with_capacity(self.committed.len());
        for chain in self.committed.keys() {
            topics.push(Topic::open(&self.config, *chain).await?);
        }
        let chains = topics.iter().map(|topic| (topic.name.clone(), topic.chain)).collect();
        let context = Context { metrics: self.metrics.clone(), chains };
        let mut client = self.config.client();
        client.set("group.id", GROUP).set("enable.auto.commit", "false");
        client.set("enable.auto.offset.store", "false").set("auto.offset.reset", "error");
        // Nobody's open transaction may hide what follows it.
        client.set("isolation.level", "read_uncommitted").set("check.crcs", "true");
        client.set("queued.max.messages.kbytes", AHEAD_KIB).set("statistics.interval.ms", "5000");
        let failed = |error: &KafkaError| Error::kafka("read", "the topics", error);
        let consumer = client.create_with_context(context).map_err(|error| failed(&error))?;
        let consumer: Arc<StreamConsumer<Context>> = Arc::new(consumer);
        let (mut lanes, mut assignment) = (BTreeMap::new(), TopicPartitionList::new());
        for topic in topics {
            let (offset, lane) = self.lane(&consumer, &topic).await?;
            let added = assignment.add_partition_offset(&topic.name, PARTITION, Offset::Offset(offset));
            added.map_err(|error| failed(&error))?;
            lanes.insert(topic.name, lane);
        }
        consumer.assign(&assignment).map_err(|error| failed(&error))?;
        Ok(Reading { consumer, lanes })
    }

    /// Where to begin with a topic.
    async fn lane(&self, consumer: &Arc<StreamConsumer<Context>>, topic: &Topic) -> Result<(i64, Lane)> {
        let failed = |error: KafkaError| Error::kafka("ask for the begin of", &topic.name, &error);
        let (asked, name) = (consumer.clone(), topic.name.clone());
        let found = blocking(move || {
            let (low, high) = asked.fetch_watermarks(&name, PARTITION, ANSWER_WITHIN)?;
            let mut wanted = TopicPartitionList::new();
            wanted.add_partition(&name, PARTITION);
            let committed = asked.committed_offsets(wanted, ANSWER_WITHIN)?;
            let hint = committed.find_partition(&name, PARTITION).map(|found| found.offset());
            let hint =
                hint.filter(|hint| matches!(hint, Offset::Offset(offset) if (low..=high).contains(offset)));
            Ok((low, hint))
        });
        let (low, hint) = found.await?.map_err(failed)?;
        let committed = self.committed.get(&topic.chain).copied().unwrap_or_default();
        let books = Scan::new(&self.config, topic).books(None).await?;
        let there = books.intake.tail().position;
        let (held, taken) = (there.sequence, committed.sequence);
        if held < taken || there.epoch < committed.epoch {
            // All that is committed was there once: this is another topic of that name.
            return Err(Error::OtherTopic { chain: topic.chain, topic: topic.name.clone(), held, taken });
        }
        let hint = match hint {
            Some(Offset::Offset(offset)) if committed.sequence.0 > 0 => Some(offset),
            _ => None,
        };
        let lane = Lane {
            chain: topic.chain,
            intake: Intake::new(topic.chain, committed, 0),
            low,
            is_hinted: hint.is_some(),
            foreign: None,
            unacknowledged: VecDeque::new(),
        };
        Ok((hint.unwrap_or(low), lane))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(beginning) = &self.beginning {
            beginning.abort();
        }
    }
}

#[async_trait]
impl Subscriber for Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        if self.reading.is_none() {
            self.reading = Some(self.reach().await?);
        }
        loop {
            let Some(consumer) = self.reading.as_ref().map(|reading| reading.consumer.clone()) else {
                return Err(Error::Closed);
            };
            let taken = match consumer.recv().await {
                Ok(message) => {
                    self.take(message.topic(), message.offset(), message.payload().unwrap_or_default())?
                }
                Err(error) => {
                    let error = Error::kafka("read", "the topics", &error);
                    if matches!(error, Error::Kafka { is_lasting: true, .. }) {
                        return Err(error);
                    }
                    // The client finds the brokers again by itself.
                    tracing::warn!(%error, "still reading");
                    None
                }
            };
            if taken.is_some() {
                return Ok(taken);
            }
        }
    }

    fn incidents(&mut self) -> Vec<Incident> {
        std::mem::take(&mut self.incidents)
    }

    async fn acknowledge(&mut self, chain: ChainId, durable: Position) -> Result<()> {
        let Some(reading) = &mut self.reading else { return Ok(()) };
        let Some((topic, lane)) = reading.lanes.iter_mut().find(|(_, lane)| lane.chain == chain) else {
            return Ok(());
        };
        let mut next = None;
        while let Some((_, after)) = lane.unacknowledged.pop_front_if(|(at, _)| *at <= durable.sequence) {
            next = Some(after);
        }
        let Some(next) = next else { return Ok(()) };
        let mut hint = TopicPartitionList::new();
        let added = hint.add_partition_offset(topic, PARTITION, Offset::Offset(next));
        if let Err(error) = added.and_then(|()| reading.consumer.commit(&hint, CommitMode::Async)) {
            // It is a hint: without it a restart reads more than it needs.
            tracing::warn!(topic, %error, "where to begin after a restart could not be noted");
        }
        Ok(())
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("committed", &self.begin.committed).finish_non_exhaustive()
    }
}

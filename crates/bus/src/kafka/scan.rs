//! Reads what a topic holds between two offsets, or up to its end: for a writer that looks where the stream stands.

use super::books::Books;
use super::config::Config;
use super::parcel::{self, Mark, Piece};
use super::topic::{ANSWER_WITHIN, PARTITION, Topic, blocking};
use crate::error::{Error, Result};
use model::change::{Epoch, Position};
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

/// How many messages from the end are looked at first for one of ours, and by how many times more the next time.
const LAST_MESSAGES: i64 = 16;

/// How long a message takes to come that the broker says is there.
const LAST_WITHIN: Duration = Duration::from_secs(2);

/// Reads one topic, in no group.
pub(super) struct Scan<'a> {
    config: &'a Config,
    topic: &'a Topic,
}

impl<'a> Scan<'a> {
    /// Prepares to read `topic`.
    pub(super) fn new(config: &'a Config, topic: &'a Topic) -> Self {
        Self { config, topic }
    }

    /// A consumer for one look. A second assignment of the same partition can end the process in the client library.
    fn consumer(&self) -> Result<StreamConsumer> {
        let mut client = self.config.client();
        // A group is wanted of every consumer; this one joins none and commits nothing.
        client.set("group.id", "rxtrail-scan").set("enable.auto.commit", "false");
        client.set("enable.partition.eof", "true").set("auto.offset.reset", "error");
        // Nobody's open transaction may hide what follows it.
        client.set("isolation.level", "read_uncommitted").set("check.crcs", "true");
        client.create().map_err(|error| Error::kafka("read", &self.topic.name, &error))
    }

    /// The first offset that is there, and the one after the last.
    pub(super) async fn ends(&self) -> Result<(i64, i64)> {
        let (consumer, name) = (self.consumer()?, self.topic.name.clone());
        let ends = blocking(move || consumer.fetch_watermarks(&name, PARTITION, ANSWER_WITHIN)).await?;
        ends.map_err(|error| Error::kafka("ask for the ends of", &self.topic.name, &error))
    }

    /// Gives each message from `from` up to, not including, `to` to `take`.
    pub(super) async fn each(&self, from: i64, to: i64, mut take: impl FnMut(i64, &[u8])) -> Result<()> {
        if from >= to {
            return Ok(());
        }
        let failed = |error: &KafkaError| Error::kafka("read", &self.topic.name, error);
        let consumer = self.consumer()?;
        let mut assignment = TopicPartitionList::new();
        let assigned = assignment.add_partition_offset(&self.topic.name, PARTITION, Offset::Offset(from));
        assigned.and_then(|()| consumer.assign(&assignment)).map_err(|error| failed(&error))?;
        let (mut at, mut is_whole) = (from, false);
        while at < to {
            let received = match is_whole {
                true => tokio::time::timeout(LAST_WITHIN, consumer.recv()).await,
                false => Ok(consumer.recv().await),
            };
            match received {
                Ok(Ok(message)) if message.offset() >= to => break,
                Ok(Ok(message)) => {
                    at = message.offset() + 1;
                    take(message.offset(), message.payload().unwrap_or_default());
                }
                // A broker that has just begun to lead may not know yet how far it goes.
                Ok(Err(KafkaError::PartitionEOF(_))) => {
                    is_whole = self.ends().await.is_ok_and(|(_, high)| high >= to);
                }
                Ok(Err(error)) => match failed(&error) {
                    // The client finds the brokers again by itself.
                    error @ Error::Kafka { is_lasting: false, .. } => tracing::warn!(%error, "still reading"),
                    error => return Err(error),
                },
                // What is left are marks of other people's transactions, which nobody is given.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// The books of the topic as it is now. They begin where the last record says; where `before` is given, the last
    /// one before that offset: whoever wrote what follows did not know that the message there cannot be read.
    pub(super) async fn books(&self, before: Option<i64>) -> Result<Books> {
        let (low, high) = self.ends().await?;
        let chain = self.topic.chain;
        let last = before.unwrap_or(high).clamp(low, high);
        let begin = match self.last_mark(low, last).await? {
            Some(mark) => Some(mark.anchor),
            None if low == 0 => None,
            None => return Err(self.forgotten()),
        };
        let mut books = match begin {
            Some(anchor) if !(low..=high).contains(&anchor.offset) => return Err(self.forgotten()),
            Some(anchor) => Books::new(chain, anchor.position, anchor.registry_version, anchor.offset),
            None => Books::new(chain, Position::default(), 0, low),
        };
        let from = books.next_offset;
        self.each(from, high, |offset, bytes| {
            books.take(offset, bytes);
        })
        .await?;
        Ok(books)
    }

    /// What the last message of the newest writer says: one that was fenced may have written after it.
    async fn last_mark(&self, low: i64, high: i64) -> Result<Option<Mark>> {
        let (mut back, mut found, mut newest) = (LAST_MESSAGES, None, Epoch::default());
        loop {
            let from = low.max(high.saturating_sub(back));
            self.each(from, high, |_, bytes| {
                if let Ok(Some(Piece { mark, header, .. })) = parcel::open(bytes)
                    && header.chain == self.topic.chain
                    && header.epoch >= newest
                {
                    (found, newest) = (Some(mark), header.epoch);
                }
            })
            .await?;
            if found.is_some() || from == low {
                return Ok(found);
            }
            back = back.saturating_mul(LAST_MESSAGES);
        }
    }

    fn forgotten(&self) -> Error {
        Error::Forgotten { chain: self.topic.chain, topic: self.topic.name.clone() }
    }
}

//! One chain's writer: each record is on the topic, with as many copies as it must have, before `publish` returns.

use super::books::Books;
use super::config::Config;
use super::metrics::Metrics;
use super::parcel;
use super::scan::Scan;
use super::topic::{PARTITION, Topic, blocking};
use crate::error::{Error, Result};
use crate::kafka::intake::Taken;
use crate::wire::{self, Header, Kind};
use crate::{Publisher, Tail};
use async_trait::async_trait;
use model::chain::ChainId;
use model::change::{Change, Epoch, Sequence};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use std::sync::Arc;
use std::time::Duration;

/// Between two words about a broker that does not take a record.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Before the brokers, which did not answer, are asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How often a stream is taken over for one record because of messages that cannot be read.
const TAKEOVERS_MAX: usize = 5;

/// Before the client's own queue, which is full, is tried again.
const ROOM_AFTER: Duration = Duration::from_millis(50);

/// One chain's writer.
pub(super) struct Writer {
    config: Arc<Config>,
    chain: ChainId,
    metrics: Metrics,
    open: Option<Open>,
    /// Of what the topic holds; `None` while a record is on its way, so that a writer that was interrupted there
    /// does not go on as if nothing was.
    books: Option<Books>,
}

/// What a writer has once it reached the brokers.
struct Open {
    topic: Topic,
    producer: FutureProducer,
    epoch: Epoch,
}

impl Writer {
    pub(super) fn new(config: Arc<Config>, chain: ChainId, metrics: Metrics) -> Self {
        Self { config, chain, metrics, open: None, books: None }
    }

    fn producer(&self, topic: &Topic) -> Result<FutureProducer> {
        let mut client = self.config.client();
        client.set("enable.idempotence", "true").set("acks", "all");
        // A record waits for its broker as long as it must: what cannot be written is not dropped.
        client.set("message.timeout.ms", "0").set("linger.ms", "0");
        client.set("queue.buffering.max.kbytes", "65536").set("message.max.bytes", "100000000");
        // Payloads are compressed already.
        client.set("compression.type", "none");
        // A broker's limit is on what comes in one batch: a piece fills it.
        client.set("batch.num.messages", "1");
        client.create().map_err(|error| Error::kafka("write to", &topic.name, &error))
    }

    /// Writes the messages of a record. Gives their offsets, ascending.
    async fn send(&self, open: &Open, messages: Vec<Vec<u8>>) -> Result<Vec<i64>> {
        let mut waiting = Vec::with_capacity(messages.len());
        for message in &messages {
            waiting.push(self.enqueue(open, message).await?);
        }
        let mut offsets = Vec::with_capacity(waiting.len());
        for delivery in waiting {
            offsets.push(self.delivered(open, delivery).await?);
        }
        Ok(offsets)
    }

    async fn enqueue(&self, open: &Open, message: &[u8]) -> Result<DeliveryFuture> {
        loop {
            let record = FutureRecord::<(), [u8]>::to(&open.topic.name).partition(PARTITION).payload(message);
            match open.producer.send_result(record) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(ROOM_AFTER).await;
                }
                Err((error, _)) => return Err(self.failed(open, &error)),
            }
        }
    }

    async fn delivered(&self, open: &Open, mut delivery: DeliveryFuture) -> Result<i64> {
        let mut waited = Duration::ZERO;
        loop {
            match tokio::time::timeout(SAY_EVERY, &mut delivery).await {
                Ok(Ok(Ok(delivered))) => return Ok(delivered.offset),
                Ok(Ok(Err((error, _)))) => return Err(self.failed(open, &error)),
                Ok(Err(_)) => return Err(Error::Closed),
                Err(_) => {
                    waited += SAY_EVERY;
                    self.metrics.waiting(self.chain);
                    let secs = waited.as_secs();
                    tracing::warn!(topic = %open.topic.name, secs, "no broker takes the record; waiting");
                }
            }
        }
    }

    fn failed(&self, open: &Open, error: &KafkaError) -> Error {
        self.metrics.failed(self.chain);
        Error::kafka("write to", &open.topic.name, error)
    }

    /// Writes a record and takes it into `books`, after whatever others wrote before it. `false` when it is not the
    /// next record any more because of them.
    async fn write(&self, open: &Open, books: &mut Books, header: &Header, payload: &[u8]) -> Result<bool> {
        let messages = parcel::pack(header, payload, books.anchor(), open.topic.piece_bytes)?;
        let offsets = self.send(open, messages).await?;
        let (Some(first), Some(last)) = (offsets.first().copied(), offsets.last().copied()) else {
            return Err(Error::Closed);
        };
        let expected = books.next_offset;
        if first < expected {
            let detail =
                format!("a record went to offset {first}, {expected} was next: the topic lost what it had");
            return Err(Error::Kafka {
                action: "write to",
                topic: open.topic.name.clone(),
                detail,
                is_lasting: true,
            });
        }
        if last + 1 - expected > offsets.len() as i64 {
            self.read_others(open, books, &offsets, (expected, last)).await?;
        }
        Ok(books.wrote(header, first, last))
    }

    /// Takes what others wrote from `expected` up to the last of our own `offsets` into the books.
    async fn read_others(
        &self,
        open: &Open,
        books: &mut Books,
        offsets: &[i64],
        (expected, last): (i64, i64),
    ) -> Result<()> {
        let mut is_whole = false;
        let others = |offset: i64, bytes: &[u8]| {
            is_whole |= offset == last;
            if offsets.binary_search(&offset).is_err() && books.take(offset, bytes) == Taken::Foreign {
                self.metrics.foreign(self.chain);
            }
        };
        Scan::new(&self.config, &open.topic).each(expected, last + 1, others).await?;
        if is_whole {
            return Ok(());
        }
        let detail = format!("the record that was put at offset {last} does not come");
        Err(Error::Kafka { action: "read", topic: open.topic.name.clone(), detail, is_lasting: true })
    }

    async fn wait_and_take_over(&self) -> Result<(Open, Books)> {
        if let Some(quiet) = self.config.standby {
            self.until_quiet(quiet).await?;
        }
        self.take_over(self.config.republish_from.get(&self.chain).copied()).await
    }

    /// Waits until nothing was written to the topic for so long.
    async fn until_quiet(&self, quiet: Duration) -> Result<()> {
        let topic = Topic::open(&self.config, self.chain).await?;
        let scan = Scan::new(&self.config, &topic);
        let (_, mut end) = scan.ends().await?;
        tracing::info!(topic = %topic.name, secs = quiet.as_secs(), "stands by until nothing is written");
        loop {
            tokio::time::sleep(quiet).await;
            let (_, now) = scan.ends().await?;
            if now == end {
                return Ok(());
            }
            end = now;
        }
    }

    /// Takes the stream over where it stands, or where it stood before an offset.
    async fn take_over(&self, before: Option<i64>) -> Result<(Open, Books)> {
        let topic = Topic::open(&self.config, self.chain).await?;
        let producer = self.producer(&topic)?;
        let mut books = Scan::new(&self.config, &topic).books(before).await?;
        let mut open = Open { topic, producer, epoch: Epoch::default() };
        loop {
            let none_left = || Error::Refused {
                chain: self.chain,
                change: "open",
                reason: "the topic names the highest epoch that there is".into(),
            };
            open.epoch = books.intake.next_epoch().ok_or_else(none_left)?;
            let header = books.intake.next_header(open.epoch, Kind::Open);
            // Another writer may have come before: then it is tried again, above its epoch.
            if self.write(&open, &mut books, &header, &[]).await? {
                return Ok((open, books));
            }
        }
    }
}

#[async_trait]
impl Publisher for Writer {
    async fn tail(&mut self) -> Result<Tail> {
        if let Some(books) = &self.books {
            return Ok(books.intake.tail().clone());
        }
        let topic = Topic::open(&self.config, self.chain).await?;
        let books = Scan::new(&self.config, &topic).books(None).await?;
        Ok(books.intake.tail().clone())
    }

    async fn open(&mut self) -> Result<Epoch> {
        self.books = None;
        let (open, books) = loop {
            match self.wait_and_take_over().await {
                Err(error @ Error::Kafka { is_lasting: false, .. }) => {
                    tracing::warn!(%error, "trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                taken => break taken?,
            }
        };
        let epoch = open.epoch;
        self.metrics.epoch(self.chain, epoch);
        (self.open, self.books) = (Some(open), Some(books));
        Ok(epoch)
    }

    async fn publish(&mut self, change: Change) -> Result<Sequence> {
        let (Some(open), Some(books)) = (&self.open, &self.books) else {
            return Err(Error::NotOpened { chain: self.chain });
        };
        if let Change::Open(_) = change {
            let reason = "a stream is opened by its own call".into();
            return Err(Error::Refused { chain: self.chain, change: change.kind(), reason });
        }
        let kind = Kind::of(&change);
        books.intake.check(&books.intake.next_header(open.epoch, kind))?;
        let payload = blocking(move || wire::encode_payload(&change)).await??;
        let (Some(mut open), Some(mut books)) = (self.open.take(), self.books.take()) else {
            return Err(Error::NotOpened { chain: self.chain });
        };
        for _ in 0..TAKEOVERS_MAX {
            let header = books.intake.next_header(open.epoch, kind);
            books.intake.check(&header)?;
            if self.write(&open, &mut books, &header, &payload).await? {
                (self.open, self.books) = (Some(open), Some(books));
                return Ok(header.sequence);
            }
            if !books.intake.is_damaged() {
                let current = books.intake.highest_epoch();
                return Err(Error::Fenced { chain: self.chain, held: open.epoch, current });
            }
            // Readers stand still at what was put before the record and cannot be read.
            tracing::warn!(topic = %open.topic.name, "a message cannot be read; the stream is taken over anew");
            (open, books) = self.take_over(None).await?;
            self.metrics.epoch(self.chain, open.epoch);
        }
        let reason = format!("{TAKEOVERS_MAX} times something that cannot be read was put before it");
        Err(Error::Refused { chain: self.chain, change: kind.as_str(), reason })
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("chain", &self.chain).finish_non_exhaustive()
    }
}

//! A topic that others read: what is sent is there once `send` returns, at least once.

use super::config::Config;
use super::topic;
use crate::error::{Error, Result};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::time::Duration;

/// Before the brokers, which did not answer, or the client's own queue, which is full, are tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// One message for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Messages of one key come in order.
    pub key: String,
    /// What it says.
    pub value: Vec<u8>,
}

/// The writing end of a topic that others read.
pub struct Outlet {
    topic: String,
    content_type: &'static str,
    producer: FutureProducer,
}

impl Outlet {
    /// Opens the topic, made with one partition if there is none. Waits for the brokers.
    ///
    /// # Errors
    /// [`Error::Kafka`] where no waiting helps.
    pub async fn open(config: &Config, topic: &str, content_type: &'static str) -> Result<Self> {
        let mut client = config.client();
        client.set("enable.idempotence", "true").set("acks", "all").set("message.timeout.ms", "0");
        // As every other client places a key by default, so that they agree where a case is.
        // Not every client of every language can read every compression.
        client.set("partitioner", "murmur2_random").set("compression.type", "none");
        let producer = client.create().map_err(|error| Error::kafka("write to", topic, &error))?;
        while let Err(error) = topic::make_for_others(config, topic).await {
            if !matches!(error, Error::Kafka { is_lasting: false, .. }) {
                return Err(error);
            }
            tracing::warn!(%error, "trying again");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Ok(Self { topic: topic.to_owned(), content_type, producer })
    }

    /// Sends messages in their order and waits until all are there.
    ///
    /// # Errors
    /// [`Error::Kafka`] where no waiting helps; some may be there then.
    pub async fn send(&self, messages: &[Message]) -> Result<()> {
        let failed = |error: &KafkaError| Error::kafka("write to", &self.topic, error);
        let mut waiting = Vec::with_capacity(messages.len());
        for message in messages {
            let delivery = loop {
                let headers = OwnedHeaders::new()
                    .insert(Header { key: "content-type", value: Some(self.content_type) });
                let record = FutureRecord::<str, [u8]>::to(&self.topic).key(&message.key);
                match self.producer.send_result(record.payload(&message.value).headers(headers)) {
                    Ok(delivery) => break delivery,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                        tokio::time::sleep(AGAIN_AFTER).await;
                    }
                    Err((error, _)) => return Err(failed(&error)),
                }
            };
            waiting.push(delivery);
        }
        for delivery in waiting {
            match delivery.await {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(failed(&error)),
                Err(_) => return Err(Error::Closed),
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("topic", &self.topic).finish_non_exhaustive()
    }
}

//! A chain's topic: made where there is none, and looked at before anything is written or read.

use super::config::Config;
use crate::error::{Error, Result};
use crate::kafka::parcel::OVERHEAD_BYTES;
use model::chain::ChainId;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;

/// How long a broker has to answer one question before it is asked again.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a broker takes in one message where it does not say: Kafka's own default, 1 MiB less its frame.
const MESSAGE_BYTES: usize = 1_000_000;

/// The most that is put in one message, whatever the broker takes: a piece is in memory three times on its way.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// The partition: a chain has a total order, so that there is one.
pub(super) const PARTITION: i32 = 0;

/// A topic that is there.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) chain: ChainId,
    pub(super) name: String,
    /// The largest piece of a payload that fits a message.
    pub(super) piece_bytes: usize,
}

impl Topic {
    /// The topic of `chain`, made if there is none.
    ///
    /// # Errors
    /// [`Error::Kafka`] when the brokers do not answer or do not allow it; [`Error::Refused`] when it is of another shape.
    pub(super) async fn open(config: &Config, chain: ChainId) -> Result<Self> {
        let name = name_of(config, chain);
        make(&admin(config, &name)?, config, &name).await?;
        Self::find(config, chain).await
    }

    /// The topic of `chain`.
    ///
    /// # Errors
    /// As [`open`](Self::open); when there is none.
    pub(super) async fn find(config: &Config, chain: ChainId) -> Result<Self> {
        let name = name_of(config, chain);
        let failed = |error: &KafkaError| Error::kafka("look at", &name, error);
        // A consumer: the question of another client would have the broker make the topic that it is asked for.
        let asked: BaseConsumer = config.client().create().map_err(|error| failed(&error))?;
        let topic = name.clone();
        let metadata = blocking(move || asked.fetch_metadata(Some(&topic), ANSWER_WITHIN)).await?;
        let metadata = metadata.map_err(|error| failed(&error))?;
        let partitions = metadata.topics().iter().find(|topic| topic.name() == name);
        match partitions.map(|topic| (topic.partitions().len(), topic.error())) {
            Some((1, None)) => {}
            Some((_, Some(refused))) => {
                return Err(Error::kafka("find", &name, &KafkaError::MetadataFetch(refused.into())));
            }
            Some((0, None)) | None => {
                let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
                return Err(Error::kafka("find", &name, &unknown));
            }
            Some((count, None)) => {
                let reason =
                    format!("topic {name} has {count} partitions; a chain's order needs exactly one");
                return Err(Error::Refused { chain, change: "stream", reason });
            }
        }
        let piece_bytes = message_bytes(&admin(config, &name)?, &name).await.saturating_sub(OVERHEAD_BYTES);
        Ok(Self { chain, name, piece_bytes: piece_bytes.clamp(1024, PIECE_BYTES_MAX) })
    }
}

fn admin(config: &Config, name: &str) -> Result<AdminClient<DefaultClientContext>> {
    config.client().create().map_err(|error| Error::kafka("reach", name, &error))
}

fn name_of(config: &Config, chain: ChainId) -> String {
    format!("{}{chain}", config.topic_prefix)
}

/// Makes a topic that others read, if there is none. It may have any number of partitions.
pub(super) async fn make_for_others(config: &Config, name: &str) -> Result<()> {
    make(&admin(config, name)?, config, name).await
}

/// Makes the topic. Whoever may not make topics finds the one that was made for him.
async fn make(admin: &AdminClient<DefaultClientContext>, config: &Config, name: &str) -> Result<()> {
    let retention_ms = config.retention.map_or("-1".to_owned(), |kept| kept.as_millis().to_string());
    // With three copies, two must have a record before it counts: one broker may be lost with nothing lost.
    let in_sync = if config.replication >= 3 { "2" } else { "1" };
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(i32::from(config.replication)))
        .set("cleanup.policy", "delete")
        .set("retention.ms", &retention_ms)
        .set("retention.bytes", "-1")
        .set("min.insync.replicas", in_sync);
    let options =
        AdminOptions::new().operation_timeout(Some(ANSWER_WITHIN)).request_timeout(Some(ANSWER_WITHIN));
    let made =
        admin.create_topics([&topic], &options).await.map_err(|error| Error::kafka("make", name, &error))?;
    match made.into_iter().next() {
        Some(Err((_, code))) if !is_there(code) => {
            Err(Error::kafka("make", name, &KafkaError::AdminOp(code)))
        }
        Some(_) | None => Ok(()),
    }
}

fn is_there(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAlreadyExists
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
    )
}

/// What the topic takes in one message.
async fn message_bytes(admin: &AdminClient<DefaultClientContext>, name: &str) -> usize {
    let options = AdminOptions::new().request_timeout(Some(ANSWER_WITHIN));
    let asked = admin.describe_configs([&ResourceSpecifier::Topic(name)], &options).await;
    let described = asked.ok().and_then(|described| described.into_iter().next()?.ok());
    let told = described.and_then(|topic| topic.get("max.message.bytes")?.value.clone()?.parse().ok());
    // Who may not ask is careful.
    told.unwrap_or(MESSAGE_BYTES)
}

/// Runs a call that waits for a broker where it may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Closed)
}

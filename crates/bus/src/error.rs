//! What can go wrong on the bus, and what may be done about it.

use model::chain::{BlockRef, ChainId};
use model::change::{Epoch, Sequence};
use model::error::ErrorClass;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::path::PathBuf;

/// Errors of the brokers that no waiting mends.
fn lasts(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::InvalidReplicationFactor
            | RDKafkaErrorCode::InvalidConfig
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::OffsetOutOfRange
            | RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::Fatal
    )
}

/// Result of a bus operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong on the bus.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried: `open`, `append to`, `sync`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A record of ours cannot be read: the log is damaged before its end.
    #[error("record at byte {offset} of {} is damaged: {detail}; republish from the last good position", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// What does not fit.
        detail: String,
    },
    /// Bytes are not a change in a version that we know.
    #[error("not a change: {0}")]
    Wire(String),
    /// A later writer has taken the stream over.
    #[error(
        "chain {chain}: epoch {held} was fenced by epoch {current}; another ingester runs for this chain"
    )]
    Fenced {
        /// The chain.
        chain: ChainId,
        /// The epoch of this writer.
        held: Epoch,
        /// The epoch in force.
        current: Epoch,
    },
    /// The change does not stand on what the stream holds.
    #[error("chain {chain}: {change} of block {block} does not stand on the tip {tip:?}")]
    NotLinked {
        /// The chain.
        chain: ChainId,
        /// The change's kind.
        change: &'static str,
        /// The block that it names.
        block: u64,
        /// The tip of the stream.
        tip: Option<BlockRef>,
    },
    /// The change is not one that the stream can take where it stands.
    #[error("chain {chain}: {change} refused: {reason}")]
    Refused {
        /// The chain.
        chain: ChainId,
        /// The change's kind.
        change: &'static str,
        /// Why.
        reason: String,
    },
    /// A record is not the next one of its stream.
    #[error("chain {chain}: record {found} where {expected} is the next")]
    OutOfSequence {
        /// The chain.
        chain: ChainId,
        /// The place that comes next.
        expected: Sequence,
        /// The record's place.
        found: Sequence,
    },
    /// A writer published before it opened the stream.
    #[error("chain {chain}: published before the stream was opened")]
    NotOpened {
        /// The chain.
        chain: ChainId,
    },
    /// The log holds as much as it may of what the reader has not acknowledged.
    #[error(
        "chain {chain}: the log holds {held_bytes} bytes that the reader has not acknowledged, at most {max_bytes}"
    )]
    Full {
        /// The chain.
        chain: ChainId,
        /// Bytes that are held.
        held_bytes: u64,
        /// Bytes that may be held.
        max_bytes: u64,
    },
    /// The brokers of Kafka refuse or do not answer.
    #[error("Kafka: cannot {action} {topic}: {detail}")]
    Kafka {
        /// What was tried: `reach`, `write to`, `read`, …
        action: &'static str,
        /// The topic, or what stands for several.
        topic: String,
        /// What the client library said.
        detail: String,
        /// Trying again will not help.
        is_lasting: bool,
    },
    /// A topic does not hold any more what comes next.
    #[error(
        "chain {chain}: topic {topic} no longer holds what comes next; keep records longer than any stop, and begin \
         anew: remove the topic, and rebuild the store from the chain"
    )]
    Forgotten {
        /// The chain.
        chain: ChainId,
        /// The topic.
        topic: String,
    },
    /// A topic holds less than was taken from it.
    #[error(
        "chain {chain}: topic {topic} holds records up to {held}, and {taken} were taken from it: it was made anew; use \
         another topic_prefix and an empty data_dir, or bring the topic back"
    )]
    OtherTopic {
        /// The chain.
        chain: ChainId,
        /// The topic.
        topic: String,
        /// The last record that it holds.
        held: Sequence,
        /// The last record that is committed.
        taken: Sequence,
    },
    /// Another process holds the log.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A write to the log failed before: what is on disk is only known once it is read again.
    #[error("an earlier write in {} failed; the bus must be opened again", path.display())]
    Broken {
        /// The folder.
        path: PathBuf,
    },
    /// The bus has one reader, and it was taken before.
    #[error("the bus has one reader, and it was taken before")]
    Taken,
    /// The other end is gone.
    #[error("the bus is closed")]
    Closed,
}

impl Error {
    /// What the client library of Kafka said while we tried to do something to a topic.
    pub(crate) fn kafka(action: &'static str, topic: &str, error: &KafkaError) -> Self {
        let is_lasting = match error {
            KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_) => true,
            _ => error.rdkafka_error_code().is_some_and(lasts),
        };
        Self::Kafka { action, topic: topic.to_owned(), detail: error.to_string(), is_lasting }
    }

    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Corrupt { .. }
            | Self::Wire(_)
            | Self::NotLinked { .. }
            | Self::Refused { .. }
            | Self::OutOfSequence { .. } => ErrorClass::BadData,
            Self::Full { .. } | Self::Kafka { is_lasting: false, .. } => ErrorClass::Transient,
            Self::Io { .. }
            | Self::Kafka { .. }
            | Self::Forgotten { .. }
            | Self::OtherTopic { .. }
            | Self::Fenced { .. }
            | Self::NotOpened { .. }
            | Self::Locked { .. }
            | Self::Broken { .. }
            | Self::Taken
            | Self::Closed => ErrorClass::Fatal,
        }
    }
}

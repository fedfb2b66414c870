//! What can go wrong between chain and bus, and what may be done about it.
//!
//! Endpoints appear by name only: their addresses may hold keys.

use model::chain::{BlockRef, ChainId};
use model::error::ErrorClass;

/// Result of an ingest operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong between chain and bus.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error("configuration: {0}")]
    Config(String),
    /// No endpoint gave an answer.
    #[error("chain {chain}: no endpoint answers {what}: {detail}")]
    Unavailable {
        /// The chain.
        chain: ChainId,
        /// What was asked for.
        what: String,
        /// What the last endpoint said, by its name.
        detail: String,
    },
    /// Endpoints answered, and no answer holds.
    #[error("chain {chain}: no endpoint's answer for {what} holds: {detail}")]
    Refuted {
        /// The chain.
        chain: ChainId,
        /// What was asked for.
        what: String,
        /// What does not hold, by endpoint.
        detail: String,
    },
    /// The chain moved while it was read; reading again settles it.
    #[error("chain {chain}: block {block} does not stand on the block below it; reading again")]
    Moved {
        /// The chain.
        chain: ChainId,
        /// The block.
        block: u64,
    },
    /// Every endpoint serves another chain.
    #[error("chain {chain}: every endpoint serves another chain: {detail}")]
    WrongChain {
        /// The chain that is configured.
        chain: ChainId,
        /// Endpoints and the chains that they serve.
        detail: String,
    },
    /// No endpoint holds the history that is asked for.
    #[error(
        "chain {chain}: no endpoint holds the history of block {block} ({detail}); add an archive endpoint"
    )]
    Pruned {
        /// The chain.
        chain: ChainId,
        /// The first block that is missing.
        block: u64,
        /// What the last endpoint said, by its name.
        detail: String,
    },
    /// No endpoint can do what the configuration needs.
    #[error("chain {chain}: no endpoint can give {what}: {detail}")]
    Unsupported {
        /// The chain.
        chain: ChainId,
        /// What was asked for.
        what: String,
        /// What the last endpoint said, by its name.
        detail: String,
    },
    /// A block that was final on the bus is no longer on the chain.
    #[error(
        "chain {chain}: block {finalized} was final and is no longer on the chain; \
         stop, check the endpoints, then run `rxtrail rewind --to {rewind_to}` or lower"
    )]
    DeepReorg {
        /// The chain.
        chain: ChainId,
        /// The block that was final.
        finalized: BlockRef,
        /// The highest block that may still be common.
        rewind_to: u64,
    },
    /// A factory made more contracts than can be watched.
    #[error("chain {chain}: factories made more than {limit} contracts; watch fewer")]
    TooManyContracts {
        /// The chain.
        chain: ChainId,
        /// The bound.
        limit: usize,
    },
    /// A reading task came to an end that is none.
    #[error("a reader ended: {0}")]
    Reader(String),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// Columns do not fit together.
    #[error("columns of logs: {0}")]
    Columns(#[from] arrow_schema::ArrowError),
}

impl Error {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } | Self::Moved { .. } => ErrorClass::Transient,
            Self::Refuted { .. } => ErrorClass::BadData,
            Self::Bus(error) => error.class(),
            Self::Config(_)
            | Self::WrongChain { .. }
            | Self::Pruned { .. }
            | Self::Unsupported { .. }
            | Self::DeepReorg { .. }
            | Self::TooManyContracts { .. }
            | Self::Reader(_)
            | Self::Columns(_) => ErrorClass::Fatal,
        }
    }

    /// May the chain be asked again? An answer that did not hold may hold later, from a node that caught up.
    pub(crate) fn is_worth_asking_again(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Moved { .. } | Self::Refuted { .. })
    }
}

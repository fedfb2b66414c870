//! What can go wrong in the core. Bad events are no errors: they are illegal steps or dead letters.

use crate::journal::RestoreError;
use model::chain::{BlockRef, ChainId};
use model::change::Sequence;
use model::error::ErrorClass;

/// What can go wrong in the core.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record is missing, or came twice.
    #[error("chain {chain}: record {got} came where {expected} was expected")]
    Sequence {
        /// The chain.
        chain: ChainId,
        /// The place after the last one taken.
        expected: Sequence,
        /// The place of the record.
        got: Sequence,
    },
    /// The change does not stand on the tip.
    #[error("chain {chain}: {change} of block {block} does not stand on the tip {tip:?}")]
    NotLinked {
        /// The chain.
        chain: ChainId,
        /// The change's kind.
        change: &'static str,
        /// The block that it names.
        block: BlockRef,
        /// The tip.
        tip: Option<BlockRef>,
    },
    /// The block's number is beyond what a position can name.
    #[error("chain {chain}: block {block} is beyond {max}, the highest that is kept", max = crate::state::BLOCK_MAX)]
    TooHigh {
        /// The chain.
        chain: ChainId,
        /// The block.
        block: u64,
    },
    /// State could not be written as bytes or read back.
    #[error(transparent)]
    State(#[from] RestoreError),
    /// Columns do not fit their schema.
    #[error(transparent)]
    Columns(#[from] arrow_schema::ArrowError),
}

impl Error {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Sequence { .. } | Self::NotLinked { .. } | Self::TooHigh { .. } => ErrorClass::BadData,
            Self::State(_) | Self::Columns(_) => ErrorClass::Fatal,
        }
    }
}

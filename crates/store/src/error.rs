//! What can go wrong in the store, and what may be done about it.

use model::error::ErrorClass;
use std::path::PathBuf;

/// Result of a store operation.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process holds the store.
    #[error("{} is in use by another process{}", path.display(), owner.as_ref().map(|o| format!(" at {o}")).unwrap_or_default())]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// Where that process can be asked.
        owner: Option<String>,
    },
    /// What is on disk is not what was written.
    #[error("{}: {detail}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        detail: String,
    },
    /// The change does not stand on what the store holds, or a replay gave something else than before.
    #[error("chain {chain}: {detail}")]
    Diverged {
        /// The chain.
        chain: model::chain::ChainId,
        /// What was expected and what came.
        detail: String,
    },
    /// A step failed half-way: what is in memory may no longer be what is on disk. Open the store again.
    #[error("the store must be opened again: {0}")]
    Closed(String),
    /// The store cannot go back that far: the files are gone.
    #[error("chain {chain}: {detail}; `rxtrail rederive` builds the tables anew from the chain")]
    TooFarBack {
        /// The chain.
        chain: model::chain::ChainId,
        /// What is missing.
        detail: String,
    },
    /// The server did not do what it was asked to.
    #[error("ClickHouse: cannot {action}: {detail}")]
    ClickHouse {
        /// What was tried.
        action: &'static str,
        /// What the server said, or why it said nothing.
        detail: String,
        /// What may be done about it.
        class: ErrorClass,
    },
    /// Another process writes to the store now: what this one sent last does not count.
    #[error("the store was taken over by the writer of epoch {epoch}")]
    Fenced {
        /// The epoch of that writer.
        epoch: u64,
    },
    /// Columns or files could not be made or read.
    #[error(transparent)]
    Arrow(#[from] arrow_schema::ArrowError),
    /// A Parquet file could not be made or read.
    #[error(transparent)]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// A scan could not be planned or run.
    #[error(transparent)]
    Scan(#[from] datafusion::common::DataFusionError),
}

impl Error {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::ClickHouse { class, .. } => *class,
            Self::Corrupt { .. } | Self::Diverged { .. } | Self::TooFarBack { .. } => ErrorClass::BadData,
            Self::Io { .. }
            | Self::Locked { .. }
            | Self::Fenced { .. }
            | Self::Closed(_)
            | Self::Arrow(_)
            | Self::Parquet(_)
            | Self::Scan(_) => ErrorClass::Fatal,
        }
    }
}

//! What can go wrong when a process is set up.

use model::error::ErrorClass;

/// Result of setting a process up.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong when a process is set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log filter cannot be read.
    #[error("log filter '{filter}': {detail}; write a level, or target=level pairs as in info,ingest=debug")]
    Filter {
        /// The filter as it came.
        filter: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Logs were started before.
    #[error("logs were started before")]
    LogsStarted,
    /// A metric cannot be registered or written.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Signals cannot be listened to.
    #[error("listen to signals: {0}")]
    Signals(#[source] std::io::Error),
}

impl Error {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Filter { .. } => ErrorClass::BadData,
            Self::LogsStarted | Self::Metrics(_) | Self::Signals(_) => ErrorClass::Fatal,
        }
    }
}

//! What can go wrong between the bus and the store.

use model::error::ErrorClass;

/// Result of the transform.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong between the bus and the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bus failed.
    #[error("bus: {0}")]
    Bus(#[from] bus::Error),
    /// The core refused a record.
    #[error("custody: {0}")]
    Custody(#[from] custody::Error),
    /// The store failed.
    #[error("store: {0}")]
    Store(#[from] store::Error),
    /// A row of the state is not what was written.
    #[error("state of chain {chain}: {detail}")]
    State {
        /// The chain.
        chain: model::chain::ChainId,
        /// What does not fit.
        detail: String,
    },
}

impl Error {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Bus(error) => error.class(),
            Self::Custody(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::State { .. } => ErrorClass::BadData,
        }
    }
}

//! What can go wrong in the simulator, and what a caller may do about it.

use model::error::ErrorClass;
use model::gs1::Gs1Error;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The result of the simulator's fallible calls.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the simulator could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration that no world can be made of.
    #[error("cannot simulate {what}: {why}")]
    Config {
        /// The field and its value.
        what: String,
        /// What it should be.
        why: &'static str,
    },
    /// An identifier that the world issued is not a GS1 key: a fault in the simulator itself.
    #[error("issued a wrong key: {0}")]
    Issued(#[from] Gs1Error),
    /// A key that cannot sign: a fault in the simulator itself.
    #[error("cannot sign as key {key}: {source}")]
    Signing {
        /// Name of the key.
        key: String,
        /// What the curve library says.
        source: k256::ecdsa::Error,
    },
    /// A block that cannot be sealed: a fault in the simulator itself.
    #[error("cannot seal a block: {0}")]
    Seal(#[from] evidence::error::Error),
    /// A story asked for a party that its world does not have.
    #[error("the world has no {role} in {country}")]
    NoParty {
        /// The role's name.
        role: &'static str,
        /// ISO 3166-1 alpha-2 of the country.
        country: &'static str,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not one listening address for each chain.
    #[error("{given} addresses to listen on for {chains} chains")]
    Listeners {
        /// How many were given.
        given: usize,
        /// How many chains there are.
        chains: usize,
    },
    /// A reorg that the chain no longer has the transactions for, or that would undo finality.
    #[error("cannot replace {depth} blocks: at most {max} can be")]
    Depth {
        /// How many were asked for.
        depth: u64,
        /// How many can be.
        max: u64,
    },
}

impl Error {
    /// What a caller may do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Config { .. } | Self::Depth { .. } | Self::Listeners { .. } => ErrorClass::BadData,
            Self::Issued(_) | Self::Signing { .. } | Self::NoParty { .. } | Self::Seal(_) => {
                ErrorClass::Fatal
            }
            Self::Write { .. } | Self::Listen { .. } => ErrorClass::Fatal,
        }
    }
}

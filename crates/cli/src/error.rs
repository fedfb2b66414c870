//! What a command can fail with, and the exit code that it ends with.

use crate::config::diagnostic::Refused;
use crate::exit::Exit;
use model::error::ErrorClass;
use std::path::PathBuf;

/// Result of a command's part.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What a command can fail with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Configuration { path: PathBuf, source: std::io::Error },
    /// The configuration cannot be used.
    #[error(transparent)]
    Refused(Refused),
    /// Neither a configuration nor a data folder was named or found.
    #[error("there is no {}: name one by --config, or a data folder by --data-dir; `rxtrail demo` needs neither", path.display())]
    NoConfiguration { path: PathBuf },
    /// Contracts contradict one another.
    #[error(transparent)]
    Watch(#[from] custody::decode::WatchError),
    /// A rule or parameter does not exist.
    #[error(transparent)]
    Parameter(#[from] custody::rules::ParameterError),
    /// The registry cannot be loaded.
    #[error(transparent)]
    Registry(#[from] ingest::registry::LoadError),
    /// Reading a chain failed.
    #[error("chain {name}: {source}")]
    Ingest { name: String, source: ingest::error::Error },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// Between bus and store.
    #[error(transparent)]
    Transform(#[from] transform::Error),
    /// A question failed.
    #[error(transparent)]
    Query(#[from] query::error::Error),
    /// The process could not be set up.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// The simulator failed.
    #[error(transparent)]
    Simulator(#[from] simulator::Error),
    /// A metric could not be registered.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The process that holds the data folder did not answer as it should.
    #[error("the process that holds {} {detail}", dir.display())]
    Owner { dir: PathBuf, detail: String },
    /// The process that holds the data folder refused the question.
    #[error("{detail}")]
    Refusal { code: String, detail: String },
    /// A file or address.
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// Data is not what it should be.
    #[error("{0}")]
    Data(String),
    /// An argument cannot be used.
    #[error("{0}")]
    Request(String),
    /// Rows in the store were made by another configuration.
    #[error("{}: rows were made with {what}; run `rxtrail rederive` to build them anew", dir.display())]
    OtherConfiguration { dir: PathBuf, what: &'static str },
    /// A part of the process ended that should not have.
    #[error("{part} ended: {detail}")]
    Ended { part: String, detail: String },
    /// A fault in rxtrail itself.
    #[error("{0}")]
    Internal(String),
    /// Ended by a signal.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Configuration { .. }
            | Self::Refused(_)
            | Self::NoConfiguration { .. }
            | Self::Watch(_)
            | Self::Parameter(_)
            | Self::OtherConfiguration { .. } => Exit::Config,
            Self::Registry(error) => of_class(error.class(), Exit::Data),
            Self::Ingest { source, .. } => of_ingest(source),
            Self::Store(error) => of_store(error),
            Self::Bus(error) => of_bus(error),
            Self::Transform(error) => of_transform(error),
            Self::Query(error) => of_query(error),
            Self::Runtime(runtime::Error::Filter { .. }) | Self::Request(_) => Exit::Request,
            Self::Simulator(error) => of_class(error.class(), Exit::Request),
            Self::Owner { .. } => Exit::Unavailable,
            Self::Refusal { code, .. } => of_code(code),
            Self::Io { source, .. } => of_io(source),
            Self::Data(_) => Exit::Data,
            Self::Ended { .. } | Self::Internal(_) | Self::Runtime(_) | Self::Metrics(_) => Exit::Software,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

fn of_class(class: ErrorClass, bad_data: Exit) -> Exit {
    match class {
        ErrorClass::Transient => Exit::Unavailable,
        ErrorClass::BadData => bad_data,
        ErrorClass::Fatal => Exit::Io,
    }
}

fn of_io(error: &std::io::Error) -> Exit {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => Exit::Permission,
        _ => Exit::Io,
    }
}

fn of_ingest(error: &ingest::error::Error) -> Exit {
    use ingest::error::Error as Ingest;
    match error {
        Ingest::Config(_) => Exit::Config,
        Ingest::Unavailable { .. }
        | Ingest::WrongChain { .. }
        | Ingest::Pruned { .. }
        | Ingest::Unsupported { .. } => Exit::Unavailable,
        Ingest::Bus(error) => of_bus(error),
        Ingest::Refuted { .. } | Ingest::DeepReorg { .. } => Exit::Data,
        other => of_class(other.class(), Exit::Data),
    }
}

fn of_store(error: &store::Error) -> Exit {
    match error {
        store::Error::Locked { .. } => Exit::Unavailable,
        store::Error::Io { source, .. } => of_io(source),
        other => of_class(other.class(), Exit::Data),
    }
}

fn of_bus(error: &bus::Error) -> Exit {
    match error {
        bus::Error::Locked { .. } => Exit::Unavailable,
        bus::Error::Io { source, .. } => of_io(source),
        other => of_class(other.class(), Exit::Data),
    }
}

fn of_transform(error: &transform::Error) -> Exit {
    match error {
        transform::Error::Bus(error) => of_bus(error),
        transform::Error::Store(error) => of_store(error),
        other => of_class(other.class(), Exit::Data),
    }
}

fn of_query(error: &query::error::Error) -> Exit {
    of_code(error.code())
}

/// The exit code of a question's error: the same whether it was answered here or by the owner of the folder.
fn of_code(code: &str) -> Exit {
    match code {
        "busy" | "closed" => Exit::Unavailable,
        "output" => Exit::Software,
        "execution" => Exit::Data,
        _ => Exit::Request,
    }
}

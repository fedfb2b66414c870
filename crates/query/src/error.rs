//! What can go wrong with a question, under codes that stay the same.

use datafusion::common::DataFusionError;
use model::error::ErrorClass;
use std::fmt;

/// Result of a question.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with a question.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement is no SQL.
    #[error("{0}")]
    Syntax(String),
    /// The statement does something else than read tables.
    #[error(
        "{what} is not allowed: only SELECT, WITH, VALUES, EXPLAIN of those, SHOW TABLES, SHOW COLUMNS and DESCRIBE are"
    )]
    NotAllowed {
        /// What it does.
        what: String,
    },
    /// The statement is larger than it may be.
    #[error("the statement has {found} {what}, at most {limit} are allowed")]
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// The statement names a table, column or function that does not exist, or types do not fit.
    #[error("{0}")]
    Plan(String),
    /// A value made the query fail: a division by zero, a cast that does not fit.
    #[error("{0}")]
    Execution(String),
    /// The query took longer than it may.
    #[error("the query was ended after {secs} s, its limit")]
    Deadline {
        /// The limit in seconds.
        secs: u64,
    },
    /// The query needed more memory or spill space than it may have.
    #[error("the query needs more memory than its limit: {0}")]
    Memory(String),
    /// Too many queries run at the same time.
    #[error("{running} queries are running, at most that many may, and none ended in {waited_secs} s")]
    Busy {
        /// How many may run.
        running: usize,
        /// How long this one waited in seconds.
        waited_secs: u64,
    },
    /// The text names no item.
    #[error(transparent)]
    Item(#[from] model::item::ItemKeyError),
    /// A parameter is not what it must be.
    #[error("parameter '{name}': {detail}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no named question of that name.
    #[error("there is no query '{name}'{near}")]
    NoSuchQuery {
        /// What was asked for.
        name: String,
        /// What may have been meant, as the end of the sentence.
        near: String,
    },
    /// A named question cannot be asked with these parameters.
    #[error(transparent)]
    Arguments(#[from] crate::named::ParameterError),
    /// The named questions cannot be read.
    #[error("{0}")]
    Catalogue(String),
    /// An answer cannot be written in its format.
    #[error("the answer cannot be written: {0}")]
    Output(String),
    /// The engine ended while the query ran.
    #[error("the query engine is shutting down")]
    Closed,
}

impl Error {
    /// Says what is wrong with a parameter.
    pub(crate) fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Parameter { name: name.into(), detail: detail.into() }
    }

    /// A code that stays the same between versions, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "syntax",
            Self::NotAllowed { .. } => "not-allowed",
            Self::TooComplex { .. } => "too-complex",
            Self::Plan(_) => "plan",
            Self::Execution(_) => "execution",
            Self::Deadline { .. } => "deadline",
            Self::Memory(_) => "memory",
            Self::Busy { .. } => "busy",
            Self::Item(_) => "item",
            Self::NoSuchQuery { .. } => "not-found",
            Self::Parameter { .. } | Self::Arguments(_) => "parameters",
            Self::Catalogue(_) => "catalogue",
            Self::Output(_) => "output",
            Self::Closed => "closed",
        }
    }

    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Busy { .. } => ErrorClass::Transient,
            Self::Closed | Self::Catalogue(_) => ErrorClass::Fatal,
            _ => ErrorClass::BadData,
        }
    }
}

/// Raised inside a running query when its time is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeIsOver {
    /// The limit in seconds.
    pub(crate) secs: u64,
}

impl fmt::Display for TimeIsOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time is over after {} s", self.secs)
    }
}

impl std::error::Error for TimeIsOver {}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let message = |error: &DataFusionError| error.message().into_owned();
        match error.find_root() {
            DataFusionError::SQL(source, _) => Self::Syntax(source.to_string()),
            DataFusionError::External(source) => match source.downcast_ref::<TimeIsOver>() {
                Some(over) => Self::Deadline { secs: over.secs },
                None => Self::Execution(source.to_string()),
            },
            DataFusionError::ResourcesExhausted(text) => Self::Memory(first_line(text)),
            root @ (DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_)) => Self::Plan(message(root)),
            root => Self::Execution(message(root)),
        }
    }
}

/// The engine appends a table of who holds memory: of no use to who asks.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

//! What one call to one endpoint can come to, when it does not come to an answer.

use evidence::error::Error as EvidenceError;
use model::incident::IncidentKind;
use std::time::Duration;

/// How much of a node's own words is kept: enough to recognise them, whatever is sent.
pub(crate) const EXCERPT_CHARS_MAX: usize = 200;

/// The longest wait that a node may ask for.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Why a call has no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The same call may succeed later.
    #[error("{0}")]
    Transient(String),
    /// The call took too long, here or at the node.
    #[error("timed out: {0}")]
    Timeout(String),
    /// Too many calls.
    #[error("rate limited: {detail}")]
    RateLimited {
        /// How long the node asks to wait, where it says so; at most 300 s.
        after: Option<Duration>,
        /// The node's words.
        detail: String,
    },
    /// Too many blocks, or too large an answer.
    #[error("range too large: {detail}")]
    RangeTooLarge {
        /// What the node suggests, where it does.
        hint: Option<RangeHint>,
        /// The node's words.
        detail: String,
    },
    /// The node takes no batch, or none of this size.
    #[error("batch refused: {0}")]
    BatchRefused(String),
    /// The node does not hold this history.
    #[error("no history: {detail}")]
    Pruned {
        /// The block that it lacks, where one is known.
        block: Option<u64>,
        /// How it showed.
        detail: String,
    },
    /// The node cannot do this at all.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The block holds what nobody here can encode, so nothing of it can be proved.
    #[error("cannot be proved: {0}; levels below `bloom` do without")]
    Unprovable(String),
    /// The node serves another chain: the one with this id.
    #[error("serves chain {0}")]
    WrongChain(u64),
    /// The node refuses these credentials.
    #[error("refused: {0}")]
    Denied(String),
    /// The answer is not what an honest node gives.
    #[error("{}: {detail}", kind.as_str())]
    BadData {
        /// What kind of thing is wrong.
        kind: IncidentKind,
        /// The block that it is wrong about, where one is known.
        block: Option<u64>,
        /// The values that disagree.
        detail: String,
    },
}

/// What a node says that it would answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeHint {
    /// So many blocks in one call: a bound of its own, whatever the blocks hold.
    Blocks(u64),
    /// This range: as far as its answer would not be too large.
    Range {
        /// First block.
        first: u64,
        /// Last block.
        last: u64,
    },
}

impl RpcError {
    /// An answer that cannot be read.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::BadData { kind: IncidentKind::MalformedAnswer, block: None, detail: detail.into() }
    }

    /// What a proof says of a block. A type that nobody here can encode is no lie: it cannot be verified at all.
    pub(crate) fn refuted(block: u64, error: &EvidenceError) -> Self {
        match error {
            EvidenceError::UnknownType { .. } => Self::Unprovable(format!("block {block}: {error}")),
            _ => Self::BadData { kind: error.incident(), block: Some(block), detail: error.to_string() },
        }
    }

    /// Name of the outcome in metrics.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Transient(_) => "transient",
            Self::Timeout(_) => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::RangeTooLarge { .. } => "range_too_large",
            Self::BatchRefused(_) => "batch_refused",
            Self::Pruned { .. } => "pruned",
            Self::Unsupported(_) => "unsupported",
            Self::Unprovable(_) => "unprovable",
            Self::WrongChain(_) => "wrong_chain",
            Self::Denied(_) => "denied",
            Self::BadData { .. } => "bad_data",
        }
    }
}

/// The beginning of what a node wrote, on one line: it may hold anything.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

//! Why a log, or one field of it, cannot be read: becomes a dead letter with its position.

use model::event::DeadReason;

/// The reason code and one sentence: which field, what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: DeadReason,
    pub(super) detail: String,
}

impl Refusal {
    /// A refusal; `detail` never holds text of chain origin that was not made showable.
    #[cold]
    pub(super) fn new(reason: DeadReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Names the field that it is about.
    #[cold]
    pub(super) fn of(mut self, field: &str) -> Self {
        self.detail = format!("{field}: {}", self.detail);
        self
    }
}

//! Labels: what was planted, where, and about whom. Written from a story's intent, never from what a detector finds.

use crate::error::{Error, Result};
use model::alert::Subject;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// One planted fraud, as a line of the label file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Code of the rule that it breaks.
    pub rule: &'static str,
    /// Which form of it.
    pub variant: &'static str,
    /// Chain id.
    pub chain: u64,
    /// Block of the transaction that commits it; a reorg may move it.
    pub block: u64,
    /// The transaction, as hex.
    pub tx: String,
    /// item, contract, lot or party.
    pub subject_kind: &'static str,
    /// What it is about, as an alert names it.
    pub subject: String,
    /// Codes of rules that may also speak of the same subject because of it.
    pub also: &'static [&'static str],
}

/// What a story says of a transaction that it is about to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) rule: &'static str,
    pub(crate) variant: &'static str,
    pub(crate) subject: Subject,
    pub(crate) also: &'static [&'static str],
}

impl Intent {
    /// The label of this intent once its transaction has a place.
    pub(crate) fn placed(self, chain: u64, block: u64, tx: String) -> Label {
        Label {
            rule: self.rule,
            variant: self.variant,
            chain,
            block,
            tx,
            subject_kind: self.subject.kind(),
            subject: self.subject.to_string(),
            also: self.also,
        }
    }
}

/// Writes labels as JSON lines.
///
/// # Errors
/// [`Error::Write`] when the file cannot be written.
pub fn write(labels: &[Label], path: &Path) -> Result<()> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut text = Vec::new();
    for label in labels {
        serde_json::to_writer(&mut text, label).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
    }
    std::fs::File::create(path).and_then(|mut file| file.write_all(&text)).map_err(failed)
}

//! What is wrong in the files of a registry, in words that say what to do.

use model::error::ErrorClass;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Faults that are told; more are counted. A person corrects no more than this before loading again.
pub(super) const FAULTS_MAX: usize = 100;

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// The line, from 1; `None` for the file as a whole.
    pub line: Option<u64>,
    /// The column, where it is one.
    pub column: Option<&'static str>,
    /// What is wrong, with the value.
    pub problem: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column '{column}'")?;
        }
        write!(f, ": {}; {}", self.problem, self.help)
    }
}

/// Why a registry was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder or a file cannot be read.
    #[error("read {}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Rows are wrong; nothing was loaded.
    #[error("the registry in {} was not loaded, {}", dir.display(), listed(faults, *total))]
    Rows {
        /// The folder.
        dir: PathBuf,
        /// The first faults.
        faults: Vec<Fault>,
        /// How many there are in all.
        total: usize,
    },
}

impl LoadError {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Io { .. } => ErrorClass::Fatal,
            Self::Rows { .. } => ErrorClass::BadData,
        }
    }
}

fn listed(faults: &[Fault], total: usize) -> String {
    let lines: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    let errors = if total == 1 { "1 error".into() } else { format!("{total} errors") };
    match total - faults.len() {
        0 => format!("{errors}:{lines}"),
        more => format!("{errors}:{lines}\n  and {more} more"),
    }
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
    total: usize,
    files: BTreeSet<String>,
}

impl Faults {
    /// Notes a fault; more than [`FAULTS_MAX`] are counted only.
    pub(super) fn push(&mut self, mut fault: Fault) {
        self.total += 1;
        if !self.files.contains(&fault.file) {
            self.files.insert(fault.file.clone());
        }
        if self.list.len() < FAULTS_MAX {
            // A value may hold line ends and worse: a fault stays one line.
            fault.problem = printable(&fault.problem);
            self.list.push(fault);
        }
    }

    /// Is anything wrong in this file?
    pub(super) fn concern(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    /// An error if there is any fault, in the order of files and lines.
    pub(super) fn into_result(mut self, dir: &Path) -> Result<(), LoadError> {
        if self.total == 0 {
            return Ok(());
        }
        self.list.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Err(LoadError::Rows { dir: dir.to_owned(), faults: self.list, total: self.total })
    }
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

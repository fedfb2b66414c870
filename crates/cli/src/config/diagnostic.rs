//! What is wrong in a configuration: all of it at once, each with its place and what to do.

use super::node::Place;
use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// A code that stays the same, as `config::unknown-key`.
    pub(crate) code: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    /// What the marked place is.
    pub(crate) label: String,
    /// Where it is.
    pub(crate) place: Place,
    /// What to do.
    pub(crate) help: Option<String>,
    /// Another file than the configuration, where it is in one.
    pub(crate) source: Option<Arc<NamedSource<String>>>,
}

/// Collects what is wrong while a configuration is read.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    /// Notes one.
    pub(crate) fn push(&self, finding: Finding) {
        self.0.borrow_mut().push(finding);
    }

    /// Notes one that needs no label of its own.
    pub(crate) fn note(
        &self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let (place, source) = (place.clone(), None);
        self.push(Finding { code, message: message.into(), label: "here".to_owned(), place, help, source });
    }

    /// Everything that was noted, in the order of the file.
    pub(crate) fn take(&self) -> Vec<Finding> {
        let mut findings = self.0.take();
        findings.sort_by_key(|finding| match &finding.place {
            Place::File(span) if finding.source.is_none() => span.start,
            _ => usize::MAX,
        });
        findings
    }
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What it is called: its path, or what stands in for one.
    pub(crate) name: String,
    problems: Vec<Problem>,
}

impl Refused {
    /// The refusal of the configuration `name` with this `text`.
    pub(crate) fn new(name: &str, text: &str, findings: Vec<Finding>) -> Self {
        let source = Arc::new(NamedSource::new(name, text.to_owned()));
        let problems =
            findings.into_iter().map(|finding| Problem { finding, file: source.clone() }).collect();
        Self { name: name.to_owned(), problems }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, count) = (&self.name, self.problems.len());
        write!(f, "{name}: {count} {} wrong", if count == 1 { "thing is" } else { "things are" })
    }
}

impl std::error::Error for Refused {}

impl Diagnostic for Refused {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// A finding with the file that it points into.
#[derive(Debug)]
struct Problem {
    finding: Finding,
    file: Arc<NamedSource<String>>,
}

impl Problem {
    fn source(&self) -> &NamedSource<String> {
        self.finding.source.as_ref().unwrap_or(&self.file)
    }

    fn span(&self) -> Option<Range<usize>> {
        match &self.finding.place {
            Place::File(span) => Some(span.clone()),
            Place::Environment(_) | Place::Flag(_) => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.finding.place {
            Place::File(_) => f.write_str(&self.finding.message),
            Place::Environment(name) => write!(f, "{} (environment variable {name})", self.finding.message),
            Place::Flag(name) => write!(f, "{} (flag {name})", self.finding.message),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span().map(|_| self.source() as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span()?;
        let label = LabeledSpan::new_with_span(Some(self.finding.label.clone()), span);
        Some(Box::new(std::iter::once(label)))
    }
}

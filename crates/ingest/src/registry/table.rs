//! One CSV file: its columns, its rows, and where each cell stands.

use super::cells::Reason;
use super::fault::{Fault, Faults, LoadError};
use csv::{ByteRecord, ReaderBuilder, Trim};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Name and columns of a file; every file has the times of [`VALIDITY`] behind its own columns.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) file: &'static str,
    pub(super) columns: &'static [&'static str],
}

impl Spec {
    fn all_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().chain(&VALIDITY).copied()
    }

    fn header(&self) -> String {
        self.all_columns().collect::<Vec<_>>().join(",")
    }
}

/// When a row holds, and since when it is known.
const VALIDITY: [&str; 3] = ["valid_from", "valid_to", "known_from"];

macro_rules! specs {
    ($($name:ident = $file:literal: $($column:ident)+;)+) => {
        $(pub(super) const $name: Spec = Spec { file: $file, columns: &[$(stringify!($column)),+] };)+
        const ALL: &[&Spec] = &[$(&$name),+];
    };
}

specs! {
    PARTIES = "parties.csv": gln name country role tz;
    SITES = "sites.csv": gln party kind lat lon precision_km;
    WALLETS = "wallets.csv": chain address party status;
    LICENCES = "licences.csv": party type jurisdiction status;
    DELEGATIONS = "delegations.csv": principal agent gtin lot_pattern site;
    AGREEMENTS = "agreements.csv": principal agent kind scope;
    PRODUCTS = "products.csv": gtin owner name level units markets;
    LOTS = "lots.csv": gtin lot expiry quantity markets closed_at;
    RECALLS = "recalls.csv": id gtin lot serial_from serial_to market class effective_at resolved_at;
    EXTENSIONS = "extensions.csv": gtin lot expiry;
    CONTRACTS = "contracts.csv": chain address tier gtin;
    ANNOUNCEMENTS = "announcements.csv": kind chain contract successor_chain successor;
    LANES = "lanes.csv": from to p99_hours;
    CONFIRMATIONS = "confirmations.csv": item party finding;
}

/// The largest file: two million rows of 128 bytes, far above the packs' makers and dispensers of a continent.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The longest cell. Names and sentences fit; a quote that nobody closed does not.
const CELL_BYTES_MAX: usize = 1000;

/// How alike two names must be for one to be a slip of the other.
const ALIKE: f64 = 0.6;

/// A row with its line, from 1.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    pub(super) line: u64,
    pub(super) row: T,
}

/// The folder that holds the files.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    dir: &'a Path,
}

/// Where the text of each file comes from.
pub(super) trait Files {
    /// The good rows of a file; faults of the others are noted.
    fn read<T>(
        &self,
        spec: &'static Spec,
        faults: &mut Faults,
        parse: fn(&mut Row<'_>) -> Option<T>,
    ) -> Result<Vec<Numbered<T>>, LoadError>;
}

impl<'a> Folder<'a> {
    /// Looks at which files there are: one whose name is no table's would be forgotten silently.
    pub(super) fn open(dir: &'a Path, faults: &mut Faults) -> Result<Self, LoadError> {
        let io = |source| LoadError::Io { path: dir.to_owned(), source };
        for entry in std::fs::read_dir(dir).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            let known = || ALL.iter().map(|spec| spec.file);
            if name.to_ascii_lowercase().ends_with(".csv") && !known().any(|file| file == name) {
                let help = did_you_mean(&name, known(), "move it elsewhere");
                let problem = "this is no file of the registry".into();
                faults.push(Fault { file: name, line: None, column: None, problem, help });
            }
        }
        Ok(Self { dir })
    }
}

impl Files for Folder<'_> {
    fn read<T>(
        &self,
        spec: &'static Spec,
        faults: &mut Faults,
        parse: fn(&mut Row<'_>) -> Option<T>,
    ) -> Result<Vec<Numbered<T>>, LoadError> {
        let path = self.dir.join(spec.file);
        let io = |source| LoadError::Io { path: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(error)),
        };
        let bytes = file.metadata().map_err(io)?.len();
        if bytes > FILE_BYTES_MAX {
            let problem = format!("it has {bytes} bytes, at most {FILE_BYTES_MAX}");
            let help = "leave out rows that no longer matter".into();
            faults.push(Fault { file: spec.file.into(), line: None, column: None, problem, help });
            return Ok(Vec::new());
        }
        rows(spec, file, faults, parse).map_err(|error| csv_error(error, &path))
    }
}

/// The good rows of a text; faults of the others are noted.
pub(super) fn rows<T>(
    spec: &'static Spec,
    text: impl io::Read,
    faults: &mut Faults,
    parse: fn(&mut Row<'_>) -> Option<T>,
) -> csv::Result<Vec<Numbered<T>>> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text);
    let mut record = ByteRecord::new();
    let mut columns = None;
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let Some(columns) = &columns else {
            match header(spec, &record, line, faults) {
                Some(places) => columns = Some(places),
                None => return Ok(Vec::new()),
            }
            continue;
        };
        let mut row = Row { spec, columns, record: &record, line, faults };
        if row.is_whole()
            && let Some(parsed) = parse(&mut row)
        {
            rows.push(Numbered { line, row: parsed });
        }
    }
    if columns.is_none() {
        let problem = "it has no header row".into();
        let help = format!("begin it with {}", spec.header());
        faults.push(Fault { file: spec.file.into(), line: None, column: None, problem, help });
    }
    Ok(rows)
}

pub(super) fn csv_error(error: csv::Error, path: &Path) -> LoadError {
    let path = PathBuf::from(path);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => LoadError::Io { path, source },
        kind => LoadError::Io { path, source: io::Error::other(format!("{kind:?}")) },
    }
}

/// Every column with its place in a record.
type Columns = Vec<(&'static str, usize)>;

/// Finds each column; `None` when the header is not that of `spec`.
fn header(spec: &Spec, record: &ByteRecord, line: u64, faults: &mut Faults) -> Option<Columns> {
    let expected = || spec.all_columns();
    let mut columns = Columns::new();
    let mut unknown = Vec::new();
    let mut problems = Vec::new();
    for (at, name) in record.iter().enumerate() {
        // Spreadsheets write a byte order mark before the first name.
        let name = String::from_utf8_lossy(name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name));
        match expected().find(|column| *column == name) {
            Some(column) if columns.iter().any(|(known, _)| *known == column) => {
                problems.push((format!("column '{column}' comes twice"), "remove one".to_owned()));
            }
            Some(column) => columns.push((column, at)),
            None => unknown.push(name.chars().take(80).collect::<String>()),
        }
    }
    let missing: Vec<_> =
        expected().filter(|column| !columns.iter().any(|(known, _)| known == column)).collect();
    for name in &unknown {
        let all = format!("the columns are {}", spec.header());
        problems
            .push((format!("unknown column '{name}'"), did_you_mean(name, missing.iter().copied(), &all)));
    }
    // A name that is a slip of a missing column's stands for both.
    for column in missing {
        if !unknown.iter().any(|name| alike(name, column) >= ALIKE) {
            problems.push((
                format!("column '{column}' is missing"),
                "add it; it may be empty in rows".to_owned(),
            ));
        }
    }
    let is_good = problems.is_empty();
    for (problem, help) in problems {
        faults.push(Fault { file: spec.file.into(), line: Some(line), column: None, problem, help });
    }
    is_good.then_some(columns)
}

fn alike(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&a.to_lowercase(), b)
}

fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let alike = known.map(|known| (alike(name, known), known)).filter(|(alike, _)| *alike >= ALIKE);
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map_or_else(|| otherwise.to_owned(), |(_, known)| format!("did you mean '{known}'?"))
}

/// One row; what is wrong in its cells is noted as they are read.
#[derive(Debug)]
pub(super) struct Row<'a> {
    spec: &'static Spec,
    columns: &'a Columns,
    record: &'a ByteRecord,
    line: u64,
    faults: &'a mut Faults,
}

impl Row<'_> {
    /// Reads a cell that must not be empty.
    pub(super) fn required<T>(
        &mut self,
        column: &'static str,
        parse: fn(&str) -> Result<T, Reason>,
    ) -> Option<T> {
        match self.cell(column)? {
            text if text.is_empty() => {
                self.fault(column, Reason::new("it is empty", "fill it in"));
                None
            }
            text => self.parsed(column, parse(&text)),
        }
    }

    /// Reads a cell that may be empty.
    pub(super) fn optional<T>(
        &mut self,
        column: &'static str,
        parse: fn(&str) -> Result<T, Reason>,
    ) -> Option<Option<T>> {
        match self.cell(column)? {
            text if text.is_empty() => Some(None),
            text => self.parsed(column, parse(&text)).map(Some),
        }
    }

    /// Reads a list separated by `|`; an empty cell is an empty list.
    pub(super) fn list<T>(
        &mut self,
        column: &'static str,
        parse: fn(&str) -> Result<T, Reason>,
    ) -> Option<Vec<T>> {
        match self.cell(column)? {
            text if text.is_empty() => Some(Vec::new()),
            text => {
                let items: Result<Vec<T>, Reason> = text.split('|').map(|item| parse(item.trim())).collect();
                self.parsed(column, items)
            }
        }
    }

    /// Notes what is wrong with a cell.
    pub(super) fn fault(&mut self, column: &'static str, reason: Reason) {
        let Reason { problem, help } = reason;
        let (file, line) = (self.spec.file.into(), Some(self.line));
        self.faults.push(Fault { file, line, column: Some(column), problem, help });
    }

    fn parsed<T>(&mut self, column: &'static str, result: Result<T, Reason>) -> Option<T> {
        result.map_err(|reason| self.fault(column, reason)).ok()
    }

    fn cell(&mut self, column: &'static str) -> Option<String> {
        let place = self.columns.iter().find(|(known, _)| *known == column)?.1;
        let bytes = self.record.get(place)?;
        let text = std::str::from_utf8(bytes).map(str::to_owned);
        let reason = match text {
            Ok(text) if text.len() <= CELL_BYTES_MAX => return Some(text),
            Ok(text) => {
                let start: String = text.chars().take(40).collect();
                let problem = format!("'{start}…' has {} bytes, at most {CELL_BYTES_MAX}", text.len());
                Reason::new(problem, "shorten it, or look for a quote that is not closed")
            }
            Err(_) => {
                let problem =
                    format!("'{}' is not UTF-8", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
                Reason::new(problem, "save the file as UTF-8")
            }
        };
        self.fault(column, reason);
        None
    }

    /// Has it as many cells as the header?
    fn is_whole(&mut self) -> bool {
        let (expected, found) = (self.columns.len(), self.record.len());
        if expected == found {
            return true;
        }
        let problem = format!("{found} cells under {expected} columns");
        let help = "separate cells by commas, and put a text that holds a comma in double quotes".into();
        let (file, line) = (self.spec.file.into(), Some(self.line));
        self.faults.push(Fault { file, line, column: None, problem, help });
        false
    }
}

//! Looks for damage: reads every record of the commit log and every byte of every segment, and compares hashes.

use super::config::Config;
use super::files::{DiskFiles, Files};
use super::log::{log_paths, read_file};
use super::manifest::Manifest;
use super::open::{commits_dir, lock, replay};
use super::record::Record;
use super::segment::{Segment, io_error};
use crate::error::Result;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// Bytes of a segment that are read at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records of the commit log whose hash chain was checked.
    pub records: u64,
    /// Live segments whose hash was checked.
    pub segments: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// What is wrong, one sentence each, with the file; empty when all is well.
    pub problems: Vec<String>,
}

/// Verifies the store in a data folder. Nothing is changed.
///
/// # Errors
/// [`crate::Error::Locked`] when a process has it open; otherwise only when files cannot be read at all. Damage is
/// no error: it is in the report.
pub fn verify(dir: &Path) -> Result<Report> {
    verify_in(dir, &(Arc::new(DiskFiles) as Arc<dyn Files>))
}

/// The same, in another file system.
pub fn verify_in(dir: &Path, files: &Arc<dyn Files>) -> Result<Report> {
    let _lock = lock(&**files, dir)?;
    let mut report = Report::default();
    let Some(records) = verify_log(&**files, &commits_dir(dir), &mut report)? else { return Ok(report) };
    match replay(&Config::new(dir), files, records, |_| {}) {
        Ok((manifest, _)) => verify_segments(&manifest, &mut report),
        Err(error) => report.problems.push(error.to_string()),
    }
    Ok(report)
}

/// Checks all files of the log; gives the records of the newest, if they can be read.
fn verify_log(files: &dyn Files, commits: &Path, report: &mut Report) -> Result<Option<Vec<Record>>> {
    let mut last: Option<(u64, [u8; 32])> = None;
    let mut newest = None;
    let paths = log_paths(files, commits)?;
    if paths.is_empty() {
        report.problems.push(format!("{}: there is no commit log", commits.display()));
    }
    for (place, path) in paths.iter().enumerate() {
        let file = match read_file(files, path) {
            Ok(file) => file,
            Err(error) => {
                report.problems.push(error.to_string());
                (last, newest) = (None, None);
                continue;
            }
        };
        let (Some(first), Some(end)) = (file.records.first(), file.records.last()) else {
            report.problems.push(format!("{}: its checkpoint cannot be read", path.display()));
            (last, newest) = (None, None);
            continue;
        };
        let follows =
            last.is_none_or(|(sequence, hash)| first.sequence == sequence + 1 && first.previous == hash);
        if !follows {
            report.problems.push(format!("{}: it does not follow the file before it", path.display()));
        }
        if place + 1 < paths.len() && file.good_bytes < file.bytes {
            report.problems.push(format!("{}: its end cannot be read", path.display()));
        }
        report.records += file.records.len() as u64;
        last = Some((end.sequence, file.hash));
        newest = Some(file.records);
    }
    Ok(newest)
}

fn verify_segments(manifest: &Manifest, report: &mut Report) {
    for segment in manifest.live() {
        match hash_of(segment) {
            Ok((bytes, hash)) if bytes == segment.meta.bytes && hash == segment.meta.hash => {
                report.segments += 1;
                report.rows += segment.meta.rows;
                report.bytes += bytes;
            }
            Ok(_) => report
                .problems
                .push(format!("{}: its bytes are not those that were written", segment.path().display())),
            Err(error) => report.problems.push(error.to_string()),
        }
    }
}

/// Length and SHA-256 of a segment's file.
fn hash_of(segment: &Segment) -> Result<(u64, [u8; 32])> {
    let path = segment.path();
    let input = segment.files().open(&path).map_err(io_error("open", &path))?;
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < input.size() {
        let len = CHUNK_BYTES.min(usize::try_from(input.size() - at).unwrap_or(CHUNK_BYTES));
        hash.update(input.read_at(at, len).map_err(io_error("read", &path))?);
        at += len as u64;
    }
    Ok((input.size(), hash.finalize().into()))
}

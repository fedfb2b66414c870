//! The commit log: files of framed records, appended and synced one by one, chained by hash.
//!
//! ```text
//! commits/00000000000000000001.log   checkpoint, record, record, …
//! commits/00000000000000004711.log   checkpoint, record, …            (the newest: all that a start reads)
//! frame = magic, length of payload, CRC-32 of payload, CRC-32 of the twelve bytes before, payload
//! payload = version byte, then the record in postcard
//! ```
//!
//! A crash can only tear the last frame, whose commit then never was. A frame that is wrong with a good one
//! behind it was good once: that is damage, and an error.

use super::files::{Files, Input, Output};
use super::record::{Body, Record};
use super::segment::io_error;
use super::writer::TEMPORARY;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: [u8; 4] = *b"RXL1";
const HEADER_BYTES: usize = 16;
/// Version of the payload.
const VERSION: u8 = 1;

/// The log begins a new file once this much follows the checkpoint: 16 MiB replay in a tenth of a second.
const ROTATE_BYTES: u64 = 16 * 1024 * 1024;

/// The open end of the commit log.
pub(crate) struct Log {
    files: Arc<dyn Files>,
    dir: PathBuf,
    output: Box<dyn Output>,
    sequence: u64,
    previous: [u8; 32],
    checkpoint_bytes: u64,
    bytes: u64,
}

/// What a log file holds.
#[derive(Debug, Default)]
pub(crate) struct LogFile {
    /// Its good records.
    pub(crate) records: Vec<Record>,
    /// SHA-256 of the last one's payload.
    pub(crate) hash: [u8; 32],
    /// Length of the good part.
    pub(crate) good_bytes: u64,
    /// Length of the first record.
    first_bytes: u64,
    /// Length of the file.
    pub(crate) bytes: u64,
}

impl Log {
    /// Begins a log in an empty folder, or a new file of one: `body` is a checkpoint.
    pub(crate) fn begin(
        files: Arc<dyn Files>,
        dir: PathBuf,
        after: (u64, [u8; 32]),
        body: Body,
    ) -> Result<Self> {
        let (last, previous) = after;
        let sequence = last + 1;
        let (frame, hash) = frame(&Record { sequence, previous, body })?;
        let temporary = dir.join(format!("{TEMPORARY}log"));
        let path = dir.join(format!("{sequence:020}.log"));
        let mut output = files.create(&temporary).map_err(io_error("create", &temporary))?;
        output.write_all(&frame).and_then(|()| output.sync()).map_err(io_error("write", &temporary))?;
        files.rename(&temporary, &path).map_err(io_error("rename", &path))?;
        files.sync_dir(&dir).map_err(io_error("sync", &dir))?;
        let bytes = frame.len() as u64;
        Ok(Self { files, dir, output, sequence, previous: hash, checkpoint_bytes: bytes, bytes })
    }

    /// Opens the newest file of a log for appending, after cutting what a crash tore. Gives the records in it;
    /// `None` when there is no log.
    pub(crate) fn open(files: Arc<dyn Files>, dir: PathBuf) -> Result<Option<(Self, Vec<Record>)>> {
        let Some(path) = log_paths(&*files, &dir)?.pop() else { return Ok(None) };
        let file = read_file(&*files, &path)?;
        let Some(last) = file.records.last() else {
            return Err(corrupt(&path, "its checkpoint cannot be read".into()));
        };
        if file.good_bytes < file.bytes {
            let torn_bytes = file.bytes - file.good_bytes;
            tracing::warn!(path = %path.display(), torn_bytes, "cut the end of the commit log that a crash tore");
            files.truncate(&path, file.good_bytes).map_err(io_error("cut", &path))?;
        }
        let output = files.append(&path).map_err(io_error("open", &path))?;
        let (sequence, previous) = (last.sequence, file.hash);
        let log = Self {
            files,
            dir,
            output,
            sequence,
            previous,
            checkpoint_bytes: file.first_bytes,
            bytes: file.good_bytes,
        };
        Ok(Some((log, file.records)))
    }

    /// Number of the last record.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Appends a record; it is durable on return. After an error the log is not to be used any more.
    pub(crate) fn append(&mut self, body: Body) -> Result<Body> {
        let record = Record { sequence: self.sequence + 1, previous: self.previous, body };
        let (frame, hash) = frame(&record)?;
        self.output
            .write_all(&frame)
            .and_then(|()| self.output.sync())
            .map_err(io_error("append to", &self.dir))?;
        self.sequence = record.sequence;
        self.previous = hash;
        self.bytes += frame.len() as u64;
        Ok(record.body)
    }

    /// Is it time for a new file? What follows the checkpoint is then at least twice as long as the checkpoint,
    /// so that checkpoints are at most a third of what is written.
    pub(crate) fn is_long(&self) -> bool {
        let after = self.bytes - self.checkpoint_bytes;
        after > ROTATE_BYTES.max(2 * self.checkpoint_bytes)
    }

    /// Begins a new file with `body`, a checkpoint.
    pub(crate) fn rotate(&mut self, body: Body) -> Result<()> {
        *self = Self::begin(self.files.clone(), self.dir.clone(), (self.sequence, self.previous), body)?;
        Ok(())
    }
}

/// Paths of the files of a log, oldest first.
pub(crate) fn log_paths(files: &dyn Files, dir: &Path) -> Result<Vec<PathBuf>> {
    let names = files.list(dir).map_err(io_error("list", dir))?;
    let mut paths: Vec<PathBuf> =
        names.iter().filter(|name| name.ends_with(".log")).map(|name| dir.join(name)).collect();
    paths.sort();
    Ok(paths)
}

/// Reads one file of a log: all good records, each checked against its checksum, number and predecessor.
pub(crate) fn read_file(files: &dyn Files, path: &Path) -> Result<LogFile> {
    let input = files.open(path).map_err(io_error("open", path))?;
    let bytes = read_whole(&*input).map_err(io_error("read", path))?;
    let mut file = LogFile { bytes: bytes.len() as u64, ..LogFile::default() };
    let mut at = 0;
    while let Some((record, hash, len)) = parse(&bytes[at..]).map_err(|detail| corrupt(path, detail))? {
        if let Some(last) = file.records.last() {
            if record.sequence != last.sequence + 1 || record.previous != file.hash {
                let detail = format!("record {} does not follow record {}", record.sequence, last.sequence);
                return Err(corrupt(path, detail));
            }
        } else {
            file.first_bytes = len as u64;
        }
        file.records.push(record);
        file.hash = hash;
        at += len;
    }
    if let Some(next) = good_frame_after(&bytes, at) {
        return Err(corrupt(path, format!("damaged at byte {at}: a good record follows at byte {next}")));
    }
    file.good_bytes = at as u64;
    Ok(file)
}

fn read_whole(input: &dyn Input) -> std::io::Result<bytes::Bytes> {
    let len = usize::try_from(input.size()).map_err(std::io::Error::other)?;
    input.read_at(0, len)
}

fn corrupt(path: &Path, detail: String) -> Error {
    Error::Corrupt { path: path.to_path_buf(), detail }
}

fn frame(record: &Record) -> Result<(Vec<u8>, [u8; 32])> {
    let mut payload = vec![VERSION];
    payload = postcard::to_extend(record, payload)
        .map_err(|error| Error::Closed(format!("cannot write a record: {error}")))?;
    let hash: [u8; 32] = Sha256::digest(&payload).into();
    let len = u32::try_from(payload.len()).map_err(|_| Error::Closed("a record is above 4 GiB".into()))?;
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&len.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_le_bytes());
    frame.extend_from_slice(&payload);
    Ok((frame, hash))
}

/// Payload of the frame that the bytes begin with; `None` when they do not begin with a good frame.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let header = bytes.get(..HEADER_BYTES)?;
    let word = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
    if header[..4] != MAGIC || word(12)? != crc32fast::hash(&header[..12]) {
        return None;
    }
    let payload = bytes[HEADER_BYTES..].get(..word(4)? as usize)?;
    (word(8)? == crc32fast::hash(payload)).then_some(payload)
}

/// The record that the bytes begin with, its hash, the length of its frame.
fn parse(bytes: &[u8]) -> std::result::Result<Option<(Record, [u8; 32], usize)>, String> {
    let Some(payload) = payload(bytes) else { return Ok(None) };
    let Some((version, record)) = payload.split_first() else { return Ok(None) };
    if *version != VERSION {
        return Err(format!("a record has version {version}, this program reads version {VERSION}"));
    }
    let record = postcard::from_bytes(record).map_err(|error| format!("a record cannot be read: {error}"))?;
    Ok(Some((record, Sha256::digest(payload).into(), HEADER_BYTES + payload.len())))
}

/// Where the next good frame begins, past one that is not good.
fn good_frame_after(bytes: &[u8], bad: usize) -> Option<usize> {
    let starts =
        bytes.get(bad + 1..)?.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
    starts.map(|(offset, _)| bad + 1 + offset).find(|at| payload(&bytes[*at..]).is_some())
}

#[cfg(test)]
#[path = "log/tests.rs"]
mod tests;

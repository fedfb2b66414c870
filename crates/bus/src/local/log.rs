//! The log file: frames of records, each frame durable before the next is begun.
//!
//! ```text
//! file  = "rxbuslog" | nonce 8 | frame of books | frame of records …
//! frame = nonce 8 | length 4 | crc32 4 | payload        the checksum covers the frame's place, length and payload
//! ```
//!
//! The nonce is drawn for each file, so that no bytes that come from a chain can pass for a frame. A frame that
//! cannot be read and has no frame after it was being written when the process died: it is cut. With a frame after
//! it, it was durable once: that is damage.
//!
//! The file is replaced by one without what may be forgotten: written aside, made durable, renamed. There are never
//! more than these two files.

use super::disk::Disk;
use crate::error::{Error, Result};
use crate::wire::{Header, RECORD_BYTES_MAX};
use model::chain::ChainId;
use model::change::{Epoch, Sequence};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::io;

/// The file.
pub(super) const LOG: &str = "changes.log";
const ASIDE: &str = "changes.log.new";
const MAGIC: [u8; 8] = *b"rxbuslog";
const FILE_HEAD_BYTES: u64 = 16;
const FRAME_HEAD_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

/// Records that share a frame, and so a sync, end when they reach this: a frame is at most this and one record.
pub(super) const GROUP_BYTES: usize = 4 << 20;

/// The longest payload of a frame.
const FRAME_BYTES_MAX: usize = GROUP_BYTES + RECORD_BYTES_MAX + LENGTH_BYTES;

/// A window in which a later frame is searched.
const SEARCH_BYTES: usize = 1 << 20;

/// What is kept of a chain when its records are forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The highest epoch that was ever opened: none is given out twice.
    pub(super) epoch: Epoch,
    /// Versions of the registry among forgotten records, with their places, ascending: a store that is taken back
    /// to an earlier position must be told what it does not hold.
    pub(super) registries: Vec<(Sequence, u64)>,
}

/// What is kept of all chains.
pub(super) type Books = BTreeMap<ChainId, Memory>;

/// Where a record's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    offset: u64,
    length: u32,
    checksum: u32,
}

impl Location {
    /// What the record takes in the file.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.length) + LENGTH_BYTES as u64
    }
}

/// What a log held when it was opened.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) books: Books,
    pub(super) records: Vec<(Header, Location)>,
}

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    disk: Box<dyn Disk>,
    nonce: [u8; 8],
    size: u64,
}

impl Log {
    /// Opens the log of `disk`, making an empty one if there is none; a frame that was being written is cut.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a frame that was durable cannot be read.
    pub(super) fn open(mut disk: Box<dyn Disk>) -> Result<(Self, Contents)> {
        disk.remove(ASIDE).map_err(io_error(&*disk, "remove", ASIDE))?;
        let size = disk.size(LOG).map_err(io_error(&*disk, "open", LOG))?;
        let Some(size) = size else {
            let mut log = Self { disk, nonce: [0; 8], size: 0 };
            log.replace(&Books::new(), &[])?;
            return Ok((log, Contents::default()));
        };
        let mut log = Self { disk, nonce: [0; 8], size };
        log.read_head()?;
        let contents = log.scan()?;
        Ok((log, contents))
    }

    /// Where the log is, for messages.
    pub(super) fn path(&self) -> std::path::PathBuf {
        self.disk.path().join(LOG)
    }

    /// Length of the file in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Appends `records` in one frame and makes them durable.
    pub(super) fn append(&mut self, records: &[Vec<u8>]) -> Result<Vec<Location>> {
        let (frame, locations) = records_frame(self.nonce, self.size, records)?;
        self.disk.append(LOG, &frame).map_err(io_error(&*self.disk, "append to", LOG))?;
        self.disk.sync(LOG).map_err(io_error(&*self.disk, "sync", LOG))?;
        self.size += frame.len() as u64;
        Ok(locations)
    }

    /// The bytes of a record.
    pub(super) fn read(&mut self, location: &Location) -> Result<Vec<u8>> {
        let bytes = self.read_at(location.offset, location.length as usize)?;
        if crc32fast::hash(&bytes) != location.checksum {
            return Err(self.corrupt(location.offset, "the record is not what was written".into()));
        }
        Ok(bytes)
    }

    /// Replaces the file by one that holds `books` and the records of `kept`; returns their new places.
    pub(super) fn replace(&mut self, books: &Books, kept: &[Location]) -> Result<Vec<Location>> {
        let nonce = std::hash::RandomState::new().hash_one(self.size).to_le_bytes();
        let mut size = self.begin_aside(nonce, books)?;
        let mut moved = Vec::with_capacity(kept.len());
        let mut waiting = kept;
        while !waiting.is_empty() {
            let (group, rest) = waiting.split_at(group_length(waiting));
            let records = group.iter().map(|location| self.read(location)).collect::<Result<Vec<_>>>()?;
            let (frame, locations) = records_frame(nonce, size, &records)?;
            self.disk.append(ASIDE, &frame).map_err(io_error(&*self.disk, "append to", ASIDE))?;
            size += frame.len() as u64;
            moved.extend(locations);
            waiting = rest;
        }
        self.disk.sync(ASIDE).map_err(io_error(&*self.disk, "sync", ASIDE))?;
        self.disk.rename(ASIDE, LOG).map_err(io_error(&*self.disk, "rename", ASIDE))?;
        self.disk.sync_folder().map_err(io_error(&*self.disk, "sync the folder of", LOG))?;
        (self.nonce, self.size) = (nonce, size);
        Ok(moved)
    }

    fn begin_aside(&mut self, nonce: [u8; 8], books: &Books) -> Result<u64> {
        let books =
            postcard::to_stdvec(books).map_err(|error| Error::Wire(format!("books of the log: {error}")))?;
        let mut head = [MAGIC, nonce].concat();
        head.extend(frame(nonce, FILE_HEAD_BYTES, &books));
        self.disk.append(ASIDE, &head).map_err(io_error(&*self.disk, "append to", ASIDE))?;
        Ok(head.len() as u64)
    }

    fn read_head(&mut self) -> Result<()> {
        if self.size < FILE_HEAD_BYTES {
            return Err(self.corrupt(0, format!("{} bytes are no log", self.size)));
        }
        let head = self.read_at(0, FILE_HEAD_BYTES as usize)?;
        match head.split_first_chunk::<8>() {
            Some((&MAGIC, nonce)) => {
                self.nonce.copy_from_slice(nonce);
                Ok(())
            }
            _ => Err(self.corrupt(0, "this is not a log of changes".into())),
        }
    }

    fn scan(&mut self) -> Result<Contents> {
        // The books came with the file, by a rename of what was durable: they are never half written.
        let Some(books) = self.read_frame(FILE_HEAD_BYTES)? else {
            return Err(self.corrupt(FILE_HEAD_BYTES, "the books of the log cannot be read".into()));
        };
        let mut at = FILE_HEAD_BYTES + (FRAME_HEAD_BYTES + books.len()) as u64;
        let books =
            postcard::from_bytes(&books).map_err(|error| self.corrupt(FILE_HEAD_BYTES, error.to_string()))?;
        let mut contents = Contents { books, records: Vec::new() };
        while at < self.size {
            let Some(payload) = self.read_frame(at)? else {
                self.cut(at)?;
                break;
            };
            self.index(at, &payload, &mut contents.records)?;
            at += (FRAME_HEAD_BYTES + payload.len()) as u64;
        }
        Ok(contents)
    }

    /// The payload of the frame at `at`; `None` when what is there is no whole frame.
    fn read_frame(&mut self, at: u64) -> Result<Option<Vec<u8>>> {
        let left = self.size.saturating_sub(at + FRAME_HEAD_BYTES as u64);
        if self.size - at < FRAME_HEAD_BYTES as u64 {
            return Ok(None);
        }
        let head = self.read_at(at, FRAME_HEAD_BYTES)?;
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| head[at + i]));
        let (length, checksum) = (word(8) as usize, word(12));
        if head[..8] != self.nonce || length > FRAME_BYTES_MAX || length as u64 > left {
            return Ok(None);
        }
        let payload = self.read_at(at + FRAME_HEAD_BYTES as u64, length)?;
        Ok((frame_checksum(at, &payload) == checksum).then_some(payload))
    }

    /// Cuts the file at a frame that was being written.
    fn cut(&mut self, at: u64) -> Result<()> {
        if let Some(later) = self.find_frame_after(at)? {
            return Err(self.corrupt(at, format!("it was durable once, as the frame at byte {later} shows")));
        }
        tracing::warn!(path = %self.path().display(), at, bytes = self.size - at, "cut what was being written at a crash");
        self.disk.truncate(LOG, at).map_err(io_error(&*self.disk, "cut", LOG))?;
        self.disk.sync(LOG).map_err(io_error(&*self.disk, "sync", LOG))?;
        self.size = at;
        Ok(())
    }

    fn find_frame_after(&mut self, at: u64) -> Result<Option<u64>> {
        let mut from = at + 1;
        while from < self.size {
            let length = (self.size - from).min(SEARCH_BYTES as u64);
            let window = self.read_at(from, length as usize)?;
            if let Some(found) = window.windows(8).position(|bytes| bytes == self.nonce) {
                return Ok(Some(from + found as u64));
            }
            // The last seven bytes may begin what the next window ends.
            from += length.saturating_sub(7).max(1);
        }
        Ok(None)
    }

    /// Notes where each record of a frame is.
    fn index(&self, at: u64, payload: &[u8], records: &mut Vec<(Header, Location)>) -> Result<()> {
        let mut rest = payload;
        while !rest.is_empty() {
            let offset = at + (FRAME_HEAD_BYTES + payload.len() - rest.len() + LENGTH_BYTES) as u64;
            let torn = || self.corrupt(at, "its records do not fill it".into());
            let (length, tail) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or_else(torn)?;
            let length = u32::from_le_bytes(*length);
            let record = tail.get(..length as usize).ok_or_else(torn)?;
            let (header, _) = Header::read(record).map_err(|error| self.corrupt(at, error.to_string()))?;
            records.push((header, Location { offset, length, checksum: crc32fast::hash(record) }));
            rest = &tail[length as usize..];
        }
        Ok(())
    }

    fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.disk.read(LOG, offset, length).map_err(io_error(&*self.disk, "read", LOG))
    }

    fn corrupt(&self, offset: u64, detail: String) -> Error {
        Error::Corrupt { path: self.path(), offset, detail }
    }
}

fn io_error(disk: &dyn Disk, action: &'static str, name: &str) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = disk.path().join(name);
    move |source| Error::Io { action, path, source }
}

/// How many of `waiting` share a frame; at least one.
fn group_length(waiting: &[Location]) -> usize {
    let mut bytes = 0;
    let fits = |location: &&Location| {
        let begun = bytes;
        bytes += location.length as usize + LENGTH_BYTES;
        begun < GROUP_BYTES
    };
    waiting.iter().take_while(fits).count().max(1)
}

fn records_frame(nonce: [u8; 8], at: u64, records: &[Vec<u8>]) -> Result<(Vec<u8>, Vec<Location>)> {
    let mut payload = Vec::with_capacity(records.iter().map(|record| record.len() + LENGTH_BYTES).sum());
    let mut locations = Vec::with_capacity(records.len());
    for record in records {
        let length = u32::try_from(record.len()).ok().filter(|_| record.len() <= RECORD_BYTES_MAX);
        let length = length.ok_or_else(|| Error::Wire(format!("a record of {} bytes", record.len())))?;
        let offset = at + (FRAME_HEAD_BYTES + payload.len() + LENGTH_BYTES) as u64;
        locations.push(Location { offset, length, checksum: crc32fast::hash(record) });
        payload.extend_from_slice(&length.to_le_bytes());
        payload.extend_from_slice(record);
    }
    Ok((frame(nonce, at, &payload), locations))
}

fn frame(nonce: [u8; 8], at: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(FRAME_HEAD_BYTES + payload.len());
    out.extend_from_slice(&nonce);
    // A payload is at most FRAME_BYTES_MAX, far below 4 GiB.
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&frame_checksum(at, payload).to_le_bytes());
    out.extend_from_slice(payload);
    out
}

/// The place is part of it: a frame moved elsewhere is no frame.
fn frame_checksum(at: u64, payload: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&at.to_le_bytes());
    checksum.update(&(payload.len() as u64).to_le_bytes());
    checksum.update(payload);
    checksum.finalize()
}

#[cfg(test)]
mod tests {
    use super::{LOG, Log};
    use crate::error::Error;
    use crate::local::disk::Disk;
    use crate::memory::MemoryDisk;
    use crate::sample::block;
    use crate::wire;
    use model::chain::ChainId;
    use model::change::{Change, Epoch, Record, Sequence};

    fn record(sequence: u64) -> Vec<u8> {
        let change = Change::Finalize(block(sequence, 0));
        wire::encode(&Record { chain: ChainId(1), epoch: Epoch(1), sequence: Sequence(sequence), change })
            .unwrap()
    }

    #[test]
    fn a_frame_belongs_to_its_place() {
        let mut disk = MemoryDisk::default();
        let (mut log, _) = Log::open(Box::new(disk.clone())).unwrap();
        let start = usize::try_from(log.size()).unwrap();
        log.append(&[record(1)]).unwrap();
        let middle = usize::try_from(log.size()).unwrap();
        log.append(&[record(2)]).unwrap();
        let size = usize::try_from(log.size()).unwrap();
        assert_eq!(middle - start, size - middle);
        let (_, contents) = Log::open(Box::new(disk.clone())).unwrap();
        let sequences: Vec<u64> = contents.records.iter().map(|(header, _)| header.sequence.0).collect();
        assert_eq!(sequences, [1, 2]);

        let bytes = disk.read(LOG, 0, size).unwrap();
        let exchanged = [&bytes[..start], &bytes[middle..], &bytes[start..middle]].concat();
        disk.append("exchanged", &exchanged).unwrap();
        disk.rename("exchanged", LOG).unwrap();
        let error = Log::open(Box::new(disk)).unwrap_err();
        assert!(matches!(error, Error::Corrupt { offset, .. } if offset == start as u64), "{error}");
    }

    #[test]
    fn what_is_no_log_is_left_alone() {
        let mut disk = MemoryDisk::default();
        disk.append(LOG, b"notes that somebody keeps here").unwrap();
        let error = Log::open(Box::new(disk.clone())).unwrap_err().to_string();
        let expected = "record at byte 0 of memory/changes.log is damaged: this is not a log of changes; republish from \
            the last good position";
        assert_eq!(error, expected);
        assert_eq!(disk.read(LOG, 0, 5).unwrap(), b"notes");
    }
}

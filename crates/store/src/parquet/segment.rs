//! A segment: one immutable Parquet file of rows of one table and one chain, and what the commit log knows of it.

use super::files::Files;
use crate::error::{Error, Result};
use model::chain::ChainId;
use model::tables::Table;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the commit log says of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentMeta {
    /// Names the segment within its generation; never given twice.
    pub(crate) id: u64,
    /// Name of its table.
    pub(crate) table: String,
    /// The chain of its rows.
    pub(crate) chain: ChainId,
    /// Least and greatest value of the table's order column.
    pub(crate) range: (u64, u64),
    /// Number of rows, at least one.
    pub(crate) rows: u64,
    /// Length of the file.
    pub(crate) bytes: u64,
    /// SHA-256 of the file.
    pub(crate) hash: [u8; 32],
    /// Of rows with one key and version, the one in the file of the highest rank counts: its flush was the latest.
    pub(crate) rank: u64,
    /// Made by merging others.
    pub(crate) merged: bool,
    /// Least and greatest values of the table's bounded columns, in their order; `None` where all are null.
    pub(crate) bounds: Vec<Option<Bounds>>,
}

/// Least and greatest value of a column in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Bounds {
    /// Of unsigned numbers.
    Unsigned(u64, u64),
    /// Of times, in their unit.
    Signed(i64, i64),
    /// Of texts and bytes.
    Bytes(Vec<u8>, Vec<u8>),
}

impl SegmentMeta {
    /// `events-1-100-250-17-9f86d081884c7d65.parquet`: table, chain, range, id, the head of the hash.
    pub(crate) fn file_name(&self) -> String {
        let (first, last) = self.range;
        let hash = hex::encode(&self.hash[..8]);
        format!("{}-{}-{first}-{last}-{}-{hash}.parquet", self.table, self.chain, self.id)
    }

    /// Its table.
    pub(crate) fn table(&self) -> Result<Table> {
        Table::by_name(&self.table).ok_or_else(|| Error::Corrupt {
            path: self.file_name().into(),
            detail: format!("there is no table '{}'", self.table),
        })
    }
}

/// Where segments of a generation lie.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file system.
    pub(crate) files: Arc<dyn Files>,
    /// The folder.
    pub(crate) dir: PathBuf,
    /// Only while the store is open are files removed: what is left over, the next one to open it removes.
    is_open: AtomicBool,
}

impl Place {
    /// A place in which nothing is removed yet.
    pub(crate) fn new(files: Arc<dyn Files>, dir: PathBuf) -> Self {
        Self { files, dir, is_open: AtomicBool::new(false) }
    }

    /// From now on files of replaced segments are removed with their last holder.
    pub(crate) fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    /// From now on nothing is removed here by this process.
    pub(crate) fn close(&self) {
        self.is_open.store(false, Ordering::Release);
    }
}

/// A segment in its place. Its file is there as long as the value is held.
pub(crate) struct Segment {
    /// What the commit log says of it.
    pub(crate) meta: SegmentMeta,
    place: Arc<Place>,
    doomed: AtomicBool,
}

impl Segment {
    /// The segment that `meta` speaks of, in `place`.
    pub(crate) fn new(meta: SegmentMeta, place: Arc<Place>) -> Self {
        Self { meta, place, doomed: AtomicBool::new(false) }
    }

    /// Path of its file.
    pub(crate) fn path(&self) -> PathBuf {
        self.place.dir.join(self.meta.file_name())
    }

    /// The file system that it lies in.
    pub(crate) fn files(&self) -> &dyn Files {
        &*self.place.files
    }

    /// Removes the file once the last one who holds the segment lets go.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if !self.doomed.load(Ordering::Acquire) || !self.place.is_open.load(Ordering::Acquire) {
            return;
        }
        let path = self.path();
        if let Err(error) = self.place.files.remove(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove a replaced file; the next start does");
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.meta.file_name())
    }
}

/// Gives an error of the file system its place.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::super::memory_files::MemoryFiles;
    use super::*;

    fn segment(place: &Arc<Place>) -> Segment {
        let meta = SegmentMeta {
            id: 17,
            table: "events".into(),
            chain: ChainId(1),
            range: (100, 250),
            rows: 1,
            bytes: 0,
            hash: [0xab; 32],
            rank: 1,
            merged: false,
            bounds: Vec::new(),
        };
        place.files.create(&place.dir.join(meta.file_name())).unwrap();
        Segment::new(meta, place.clone())
    }

    #[test]
    fn a_doomed_file_goes_with_its_last_holder_and_never_after_the_store_is_closed() {
        let files = MemoryFiles::default();
        files.create_dir(Path::new("/gen-1")).unwrap();
        let place = Arc::new(Place::new(Arc::new(files.clone()), "/gen-1".into()));
        place.open();
        let names = || files.list(Path::new("/gen-1")).unwrap();

        let held = Arc::new(segment(&place));
        let reader = held.clone();
        held.doom();
        drop(held);
        assert_eq!(names(), ["events-1-100-250-17-abababababababab.parquet"]);
        drop(reader);
        assert_eq!(names(), Vec::<String>::new());

        let late = segment(&place);
        late.doom();
        place.close();
        drop(late);
        assert_eq!(names().len(), 1);
    }
}

//! The file operations that the log needs, so that a crash can be played at any of them.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A folder of append-only files. Nothing is durable before [`sync`](Self::sync), no name before
/// [`sync_folder`](Self::sync_folder).
pub trait Disk: Send + fmt::Debug {
    /// Where the folder is, for messages.
    fn path(&self) -> &Path;

    /// Length of a file in bytes; `None` when there is none of that name.
    fn size(&mut self, name: &str) -> io::Result<Option<u64>>;

    /// Exactly `length` bytes from `offset`.
    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Appends, creating the file if there is none.
    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file.
    fn truncate(&mut self, name: &str, size: u64) -> io::Result<()>;

    /// Makes the file's content durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;

    /// Gives the file a new name, in place of the file that had it.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the file, if there is one.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes the names durable.
    fn sync_folder(&mut self) -> io::Result<()>;
}

/// Its lock keeps a second process out.
const LOCK_FILE: &str = "lock";

/// A folder of the file system, held by a lock until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    files: BTreeMap<String, File>,
    _lock: File,
}

impl Folder {
    /// Opens `path`, making it if there is none.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io = |action| move |source| Error::Io { action, path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(io("make"))?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|parent| parent.sync_all()).map_err(io("sync the folder of"))?;
        }
        let mut options = OpenOptions::new();
        let lock = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(io("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), files: BTreeMap::new(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io("lock")(source)),
        }
    }

    /// The file, opened once.
    fn file(&mut self, name: &str, create: bool) -> io::Result<&mut File> {
        if !self.files.contains_key(name) {
            let path = self.path.join(name);
            let file = OpenOptions::new().read(true).append(true).create(create).open(path)?;
            self.files.insert(name.to_owned(), file);
        }
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Folder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn size(&mut self, name: &str) -> io::Result<Option<u64>> {
        match self.file(name, false) {
            Ok(file) => Ok(Some(file.metadata()?.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.file(name, false)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name, true)?.write_all(bytes)
    }

    fn truncate(&mut self, name: &str, size: u64) -> io::Result<()> {
        self.file(name, false)?.set_len(size)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name, false)?.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))?;
        self.files.remove(to);
        if let Some(file) = self.files.remove(from) {
            self.files.insert(to.to_owned(), file);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.files.remove(name);
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

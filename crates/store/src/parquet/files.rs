//! The seam to the file system: the few operations that the store stands on, and what each promises.
//!
//! Nothing else in this crate touches a file. [`DiskFiles`] is the real thing; [`super::memory_files`] keeps
//! files in memory and forgets, on a crash, what was not synced.

use bytes::Bytes;
use std::any::Any;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A file system, as far as the store needs one.
pub trait Files: Debug + Send + Sync + 'static {
    /// Makes a folder and those above it. Durable once the folder above is synced.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Names in a folder, in no order; none when there is no such folder.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes an empty file, in place of one of the same name.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Opens a file for writing at its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Output>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>>;

    /// Cuts a file to `len` bytes; durable on return.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Gives a file or folder another name; a file of that name is replaced. Durable once the folder is synced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Durable once the folder is synced.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder with everything in it.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the exclusive lock that a file stands for, held until the value is dropped; `None` when another
    /// holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// A held lock.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A file that is being written.
pub trait Output: Write + Send {
    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is being read, by several at once. It can be read to the end even when its name is removed.
pub trait Input: Debug + Send + Sync {
    /// Its length in bytes.
    fn size(&self) -> u64;

    /// Exactly `len` bytes from `offset`.
    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(DiskOutput(File::create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(DiskOutput(OpenOptions::new().append(true).open(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Arc::new(DiskInput { file, size }))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // Only Unix lets a folder be opened and synced; elsewhere the rename itself is as durable as it gets.
        if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

struct DiskOutput(File);

impl Write for DiskOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Output for DiskOutput {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[derive(Debug)]
struct DiskInput {
    file: File,
    size: u64,
}

impl Input for DiskInput {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        // A length from a damaged footer must not allocate more than the file has.
        if offset.checked_add(len as u64).is_none_or(|end| end > self.size) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{len} bytes at {offset} of {}", self.size),
            ));
        }
        let mut bytes = vec![0; len];
        read_exact_at(&self.file, &mut bytes, offset)?;
        Ok(bytes.into())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[read..];
        offset += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_until_the_first_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let first = DiskFiles.lock(&path).unwrap();
        assert!(first.is_some());
        assert!(DiskFiles.lock(&path).unwrap().is_none());
        drop(first);
        assert!(DiskFiles.lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_is_read_where_asked_and_never_past_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut output = DiskFiles.create(&path).unwrap();
        output.write_all(b"hello").unwrap();
        output.sync().unwrap();
        let input = DiskFiles.open(&path).unwrap();
        assert_eq!((input.size(), &input.read_at(1, 3).unwrap()[..]), (5, &b"ell"[..]));
        assert_eq!(input.read_at(3, 3).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(input.read_at(u64::MAX, 3).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

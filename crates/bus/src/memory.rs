//! A disk in memory that loses power: the local bus for tests and simulation, byte for byte the one that ships.
//!
//! ```
//! use bus::local::LocalBus;
//! use bus::memory::{MemoryDisk, PowerCut};
//! use std::collections::BTreeMap;
//!
//! let disk = MemoryDisk::default();
//! let bus = LocalBus::on(Box::new(disk.clone()), BTreeMap::new())?;
//! // … publish, read, then lose everything that was not synced:
//! drop(bus);
//! let bus = LocalBus::on(Box::new(disk.after(PowerCut::Lost)), BTreeMap::new())?;
//! # Ok::<(), bus::Error>(())
//! ```

use crate::local::disk::Disk;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// What becomes of writes that were not synced when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCut {
    /// None of them reached the disk, no name that was not synced either.
    Lost,
    /// The first half of each file's reached it, and the names.
    Torn,
    /// Their length reached it, and the names, but the first half of their bytes are zeros.
    Scrambled,
    /// All of them reached it.
    Kept,
}

impl PowerCut {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Torn, Self::Scrambled, Self::Kept];
}

/// A folder in memory. Clones are the same folder.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    steps: u64,
    fails_after: Option<u64>,
    failed_in: Option<&'static str>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// `bytes` and `synced` agree up to here.
    same: usize,
}

impl MemoryDisk {
    /// Writing steps that were taken so far: appends, syncs, cuts, renames, removals.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Lets `steps` more writing steps succeed; all later ones fail, the first of them after an append or a rename
    /// was begun.
    pub fn fail_after(&self, steps: u64) {
        let mut state = self.state();
        state.fails_after = Some(state.steps + steps);
    }

    /// What the first step was doing that failed.
    pub fn failed_in(&self) -> Option<&'static str> {
        self.state().failed_in
    }

    /// Turns a bit of `name`, as a disk that rots. Nothing happens past its end.
    pub fn damage(&self, name: &str, offset: usize) {
        let mut state = self.state();
        if let Ok(file) = state.file(name) {
            for bytes in [&mut file.bytes, &mut file.synced] {
                if let Some(byte) = bytes.get_mut(offset) {
                    *byte ^= 1;
                }
            }
        }
    }

    /// The folder as it is found after the power came back.
    pub fn after(&self, cut: PowerCut) -> Self {
        let state = self.state();
        let names = if cut == PowerCut::Lost { &state.synced_names } else { &state.names };
        let files = state.files.iter().map(|file| file.after(cut)).collect();
        let after = State { files, names: names.clone(), synced_names: names.clone(), ..State::default() };
        Self { state: Arc::new(Mutex::new(after)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves plain bytes: they are as good as before.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl File {
    fn after(&self, cut: PowerCut) -> Self {
        let unsynced = self.bytes.len() - self.same;
        let half = self.same + unsynced / 2;
        let bytes = match cut {
            PowerCut::Lost => self.synced.clone(),
            PowerCut::Torn => self.bytes[..half].to_vec(),
            PowerCut::Scrambled => {
                let mut bytes = self.bytes.clone();
                bytes[self.same..half].fill(0);
                bytes
            }
            PowerCut::Kept => self.bytes.clone(),
        };
        Self { same: bytes.len(), synced: bytes.clone(), bytes }
    }
}

impl State {
    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        let file = self.names.get(name).and_then(|file| self.files.get_mut(*file));
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Counts a step; tells whether the power is there before and after it.
    fn step(&mut self, what: &'static str) -> (io::Result<()>, io::Result<()>) {
        let fail = || Err(io::Error::other("the power is gone"));
        let left = self.fails_after.map(|last| last.checked_sub(self.steps));
        self.steps += 1;
        if left.is_some_and(|left| left.is_none_or(|left| left == 0)) {
            self.failed_in.get_or_insert(what);
        }
        match left {
            None => (Ok(()), Ok(())),
            Some(None) => (fail(), fail()),
            Some(Some(0)) => (Ok(()), fail()),
            Some(Some(_)) => (Ok(()), Ok(())),
        }
    }
}

impl Disk for MemoryDisk {
    fn path(&self) -> &Path {
        Path::new("memory")
    }

    fn size(&mut self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.state().file(name).ok().map(|file| file.bytes.len() as u64))
    }

    fn read(&mut self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        let bytes = &state.file(name)?.bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let range = start..start.saturating_add(length);
        bytes.get(range).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let (before, after) = state.step("append");
        before?;
        if !state.names.contains_key(name) {
            let file = state.files.len();
            state.files.push(File::default());
            state.names.insert(name.to_owned(), file);
        }
        state.file(name)?.bytes.extend_from_slice(bytes);
        after
    }

    fn truncate(&mut self, name: &str, size: u64) -> io::Result<()> {
        let mut state = self.state();
        let (before, after) = state.step("cut");
        before?;
        let file = state.file(name)?;
        file.bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        file.same = file.same.min(file.bytes.len());
        after
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let (_, after) = state.step("sync");
        after?;
        let file = state.file(name)?;
        file.synced.truncate(file.same);
        file.synced.extend_from_slice(&file.bytes[file.same..]);
        file.same = file.bytes.len();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let (before, after) = state.step("rename");
        before?;
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        after
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let (before, after) = state.step("remove");
        before?;
        state.names.remove(name);
        after
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut state = self.state();
        let (_, after) = state.step("sync the folder");
        after?;
        state.synced_names = state.names.clone();
        Ok(())
    }
}

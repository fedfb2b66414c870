//! Files in memory that can crash: what was not synced is lost, wholly or in part, as on a real disk.
//!
//! Every operation that changes something is a *step*. A test runs a story once to count its steps, then once
//! for each step with a crash there, and looks at what a restart finds.
//!
//! The rules are those of POSIX, at their worst: bytes of a file are durable once the file is synced, names of
//! a folder once the folder is synced, and either may become durable earlier, in any order.

use super::files::{Files, Input, Lock, Output};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    disk: Arc<Mutex<Disk>>,
}

/// What a crash takes of all that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it: the machine lost power.
    Everything,
    /// Nothing: only the process died.
    Nothing,
    /// Each name and each file by the toss of a coin from this seed: writes torn, or replaced by zeros.
    Some(u64),
}

impl MemoryFiles {
    /// How many steps were taken so far.
    pub fn steps(&self) -> u64 {
        self.disk().steps
    }

    /// Makes step `step` (counted from 0) and every later one fail, without effect.
    pub fn crash_at(&self, step: u64) {
        self.disk().crash_at = Some(step);
    }

    /// What the first step was doing that failed.
    pub fn crashed_in(&self) -> Option<&'static str> {
        self.disk().crashed_in
    }

    /// What a restart finds after a crash now.
    pub fn after_crash(&self, loss: Loss) -> Self {
        let disk = self.disk().after_crash(loss);
        Self { disk: Arc::new(Mutex::new(disk)) }
    }

    /// Flips one bit of a file, behind everyone's back.
    pub fn flip(&self, path: &Path, byte: usize) -> io::Result<()> {
        let mut disk = self.disk();
        let inode = disk.inode(path)?;
        let file = disk.inodes.entry(inode).or_default();
        match file.bytes.get_mut(byte) {
            Some(byte) => *byte ^= 1,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        file.synced = file.bytes.clone();
        Ok(())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Clone, Default)]
struct Disk {
    inodes: BTreeMap<u64, Inode>,
    /// Names as everyone sees them.
    names: BTreeMap<PathBuf, Node>,
    /// Names as a crash would leave them at least.
    synced_names: BTreeMap<PathBuf, Node>,
    /// Changes of names since their folder was synced, oldest first.
    unsynced: Vec<NameChange>,
    locked: BTreeSet<PathBuf>,
    steps: u64,
    crash_at: Option<u64>,
    crashed_in: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Dir,
    File(u64),
}

#[derive(Debug, Clone)]
struct NameChange {
    removed: Vec<PathBuf>,
    added: Vec<(PathBuf, Node)>,
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        for path in &self.removed {
            names.remove(path);
        }
        names.extend(self.added.iter().cloned());
    }

    fn is_in(&self, dir: &Path) -> bool {
        let path = self.added.first().map(|(path, _)| path).or(self.removed.first());
        path.is_some_and(|path| path.parent() == Some(dir))
    }
}

impl Disk {
    fn step(&mut self, what: &'static str) -> io::Result<()> {
        if self.crash_at.is_some_and(|at| self.steps >= at) {
            self.crashed_in.get_or_insert(what);
            return Err(io::Error::other("the machine has crashed"));
        }
        self.steps += 1;
        Ok(())
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            Some(Node::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn after_crash(&self, loss: Loss) -> Self {
        let mut coin = Coin(match loss {
            Loss::Some(seed) => seed,
            Loss::Everything | Loss::Nothing => 0,
        });
        let mut names = self.synced_names.clone();
        for change in &self.unsynced {
            let kept = match loss {
                Loss::Everything => false,
                Loss::Nothing => true,
                Loss::Some(_) => coin.toss(2) == 0,
            };
            if kept {
                change.apply(&mut names);
            }
        }
        let inodes: BTreeMap<u64, Inode> = self
            .inodes
            .iter()
            .map(|(inode, file)| {
                let bytes = match loss {
                    Loss::Everything => file.synced.clone(),
                    Loss::Nothing => file.bytes.clone(),
                    Loss::Some(_) => torn(file, &mut coin),
                };
                (*inode, Inode { synced: bytes.clone(), bytes })
            })
            .collect();
        // A name whose folder is gone cannot be reached.
        let reachable = |path: &Path| {
            path.ancestors().skip(1).all(|dir| is_root(dir) || names.get(dir) == Some(&Node::Dir))
        };
        let names: BTreeMap<_, _> = names
            .iter()
            .filter(|(path, _)| reachable(path))
            .map(|(path, node)| (path.clone(), *node))
            .collect();
        Self { inodes, synced_names: names.clone(), names, ..Self::default() }
    }
}

fn is_root(dir: &Path) -> bool {
    dir.parent().is_none() || dir.as_os_str().is_empty()
}

/// A file of which only a part of the unsynced writes came through: cut somewhere, or zeros in their place.
fn torn(file: &Inode, coin: &mut Coin) -> Vec<u8> {
    if !file.bytes.starts_with(&file.synced) {
        return if coin.toss(2) == 0 { file.synced.clone() } else { file.bytes.clone() };
    }
    let unsynced = file.bytes.len() - file.synced.len();
    let kept = file.synced.len() + coin.toss(unsynced as u64 + 1) as usize;
    let mut bytes = file.bytes.get(..kept).unwrap_or_default().to_vec();
    if coin.toss(4) == 0 {
        let zeroed = file.synced.len() + coin.toss((kept - file.synced.len()) as u64 + 1) as usize;
        bytes.iter_mut().skip(zeroed).for_each(|byte| *byte = 0);
    }
    bytes
}

/// SplitMix64: a stream of numbers that a seed fixes.
struct Coin(u64);

impl Coin {
    fn toss(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }
}

impl Files for MemoryFiles {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("create a folder")?;
        let missing: Vec<PathBuf> = dir
            .ancestors()
            .filter(|dir| !is_root(dir) && !disk.names.contains_key(*dir))
            .map(Path::to_path_buf)
            .collect();
        for dir in missing.into_iter().rev() {
            disk.change(NameChange { removed: Vec::new(), added: vec![(dir, Node::Dir)] });
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        let names = disk.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let mut disk = self.disk();
        disk.step("create a file")?;
        let parent = path.parent().unwrap_or(Path::new(""));
        if !is_root(parent) && disk.names.get(parent) != Some(&Node::Dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = disk.inodes.last_key_value().map_or(1, |(last, _)| last + 1);
        disk.inodes.insert(inode, Inode::default());
        disk.change(NameChange { removed: Vec::new(), added: vec![(path.to_path_buf(), Node::File(inode))] });
        Ok(Box::new(MemoryOutput { files: self.clone(), inode }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let inode = self.disk().inode(path)?;
        Ok(Box::new(MemoryOutput { files: self.clone(), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Input>> {
        let disk = self.disk();
        let inode = disk.inode(path)?;
        let bytes = disk.inodes.get(&inode).map(|file| file.bytes.clone()).unwrap_or_default();
        Ok(Arc::new(MemoryInput(bytes.into())))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("cut a file")?;
        let inode = disk.inode(path)?;
        let file = disk.inodes.entry(inode).or_default();
        file.bytes.truncate(len as usize);
        file.synced = file.bytes.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("rename")?;
        let mut change = NameChange { removed: Vec::new(), added: Vec::new() };
        for (path, node) in &disk.names {
            if let Ok(inside) = path.strip_prefix(from) {
                // Joining nothing would add a slash to the name.
                let path_then =
                    if inside.as_os_str().is_empty() { to.to_path_buf() } else { to.join(inside) };
                change.removed.push(path.clone());
                change.added.push((path_then, *node));
            }
        }
        if change.removed.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.change(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("remove a file")?;
        disk.inode(path)?;
        disk.change(NameChange { removed: vec![path.to_path_buf()], added: Vec::new() });
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("remove a folder")?;
        let inside: Vec<PathBuf> = disk.names.keys().filter(|path| path.starts_with(dir)).cloned().collect();
        for path in inside.into_iter().rev() {
            disk.change(NameChange { removed: vec![path], added: Vec::new() });
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step("sync a folder")?;
        let (synced, unsynced) =
            std::mem::take(&mut disk.unsynced).into_iter().partition(|change| change.is_in(dir));
        disk.unsynced = unsynced;
        let synced: Vec<NameChange> = synced;
        for change in &synced {
            change.apply(&mut disk.synced_names);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        if !self.disk().locked.insert(path.to_path_buf()) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryLock { files: self.clone(), path: path.to_path_buf() })))
    }
}

struct MemoryLock {
    files: MemoryFiles,
    path: PathBuf,
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.files.disk().locked.remove(&self.path);
    }
}

struct MemoryOutput {
    files: MemoryFiles,
    inode: u64,
}

impl Write for MemoryOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.files.disk();
        disk.step("write")?;
        disk.inodes.entry(self.inode).or_default().bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for MemoryOutput {
    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.files.disk();
        disk.step("sync a file")?;
        let file = disk.inodes.entry(self.inode).or_default();
        file.synced = file.bytes.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryInput(Bytes);

impl Input for MemoryInput {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let end = usize::try_from(offset).ok().and_then(|start| Some((start, start.checked_add(len)?)));
        match end {
            Some((start, end)) if end <= self.0.len() => Ok(self.0.slice(start..end)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[cfg(test)]
#[path = "memory_files/tests.rs"]
mod tests;

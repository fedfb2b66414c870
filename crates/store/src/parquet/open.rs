//! Opens a data folder: takes the lock, reads the commit log, throws away what no record names.
//!
//! ```text
//! LOCK        held by the one process that has the folder open
//! owner.json  its process id, and the address at which it can be asked
//! commits/    the commit log
//! gen-N/      segments of generation N; the log names the live one
//! ```

use super::config::Config;
use super::core::Core;
use super::files::{Files, Lock};
use super::log::Log;
use super::manifest::Manifest;
use super::record::{Body, Record};
use super::segment::{Place, io_error};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who holds a data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// Process id.
    pub(crate) pid: u32,
    /// Loopback address at which it can be asked, once it listens.
    pub(crate) address: Option<String>,
}

/// The folder of the commit log.
pub(crate) fn commits_dir(dir: &Path) -> PathBuf {
    dir.join("commits")
}

/// The folder of a generation's segments.
pub(crate) fn generation_dir(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("gen-{generation}"))
}

/// Makes the folder when missing and takes its lock.
pub(crate) fn lock(files: &dyn Files, dir: &Path) -> Result<Lock> {
    make_dir(files, dir)?;
    let path = dir.join("LOCK");
    match files.lock(&path).map_err(io_error("lock", &path))? {
        Some(lock) => Ok(lock),
        None => Err(Error::Locked {
            path: dir.to_path_buf(),
            owner: owner(files, dir).and_then(|owner| owner.address),
        }),
    }
}

/// Says who holds the folder, for those who find it locked. Advice only: it is not synced.
pub(crate) fn announce(files: &dyn Files, dir: &Path, address: Option<String>) -> Result<()> {
    let owner = Owner { pid: std::process::id(), address };
    let text = serde_json::to_vec(&owner).map_err(|error| Error::Closed(error.to_string()))?;
    let (temporary, path) = (dir.join("owner.json.tmp"), dir.join("owner.json"));
    let written = files.create(&temporary).and_then(|mut output| output.write_all(&text));
    written.and_then(|()| files.rename(&temporary, &path)).map_err(io_error("write", &path))
}

/// Who holds the folder, as far as it says.
pub(crate) fn owner(files: &dyn Files, dir: &Path) -> Option<Owner> {
    let input = files.open(&dir.join("owner.json")).ok()?;
    let bytes = input.read_at(0, usize::try_from(input.size()).ok()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What the log of a folder says, ready to go on.
pub(crate) fn recover(config: Config, files: Arc<dyn Files>) -> Result<Core> {
    let commits = commits_dir(&config.dir);
    make_dir(&*files, &commits)?;
    let (log, manifest, place) = match Log::open(files.clone(), commits.clone())? {
        Some((log, records)) => {
            let (manifest, place) = replay(&config, &files, records, |_| {})?;
            (log, manifest, place)
        }
        None => {
            let place = place(&config, &files, 1);
            make_dir(&*files, &place.dir)?;
            let manifest = Manifest::new(place.clone(), 1, config.retain_flushes);
            let body = Body::Checkpoint(Box::new(manifest.checkpoint()));
            (Log::begin(files.clone(), commits.clone(), (0, [0; 32]), body)?, manifest, place)
        }
    };
    remove_strays(&*files, &config.dir, &commits, &manifest)?;
    place.open();
    Ok(Core::new(config, place, log, manifest))
}

/// The manifest after these records, the first of which is a checkpoint; `seen` is shown it after each.
pub(crate) fn replay(
    config: &Config,
    files: &Arc<dyn Files>,
    records: Vec<Record>,
    mut seen: impl FnMut(&Manifest),
) -> Result<(Manifest, Arc<Place>)> {
    let generation = match records.iter().rev().find_map(|record| generation_of(&record.body)) {
        Some(generation) => generation,
        None => return Err(no_checkpoint(&config.dir)),
    };
    let place = place(config, files, generation);
    let mut manifest = Manifest::new(place.clone(), generation, config.retain_flushes);
    for record in records {
        manifest.apply(record.body)?;
        seen(&manifest);
    }
    Ok((manifest, place))
}

fn generation_of(body: &Body) -> Option<u64> {
    match body {
        Body::Checkpoint(checkpoint) => Some(checkpoint.generation),
        Body::Moved(_) | Body::Flushed(_) | Body::Merged(_) => None,
    }
}

fn no_checkpoint(dir: &Path) -> Error {
    Error::Corrupt { path: commits_dir(dir), detail: "the log does not begin with a checkpoint".into() }
}

fn place(config: &Config, files: &Arc<dyn Files>, generation: u64) -> Arc<Place> {
    Arc::new(Place::new(files.clone(), generation_dir(&config.dir, generation)))
}

fn make_dir(files: &dyn Files, dir: &Path) -> Result<()> {
    files.create_dir(dir).map_err(io_error("make", dir))?;
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    files.sync_dir(parent).map_err(io_error("sync", parent))
}

/// Removes what a crash left over; a file that a record names and that is not there is damage.
fn remove_strays(files: &dyn Files, dir: &Path, commits: &Path, manifest: &Manifest) -> Result<()> {
    let live = manifest.dir();
    let needed = manifest.file_names();
    let mut there = files.list(&live).map_err(io_error("list", &live))?;
    there.retain(|name| {
        let keep = needed.contains(name);
        if !keep {
            remove(files, &live.join(name));
        }
        keep
    });
    there.sort_unstable();
    let retired: Vec<String> = manifest.retired.iter().map(|(_, segment)| segment.meta.file_name()).collect();
    let missing = |name: &&String| there.binary_search(name).is_err() && !retired.contains(name);
    if let Some(name) = needed.iter().find(missing) {
        let detail = "the commit log names it and it is not there".into();
        return Err(Error::Corrupt { path: live.join(name), detail });
    }
    for name in files.list(commits).map_err(io_error("list", commits))? {
        if !name.ends_with(".log") {
            remove(files, &commits.join(name));
        }
    }
    for name in files.list(dir).map_err(io_error("list", dir))? {
        let path = dir.join(&name);
        if name.starts_with("gen-") && path != live {
            files.remove_dir(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

/// What cannot be removed now is tried again at the next start.
fn remove(files: &dyn Files, path: &Path) {
    if let Err(error) = files.remove(path) {
        tracing::warn!(path = %path.display(), %error, "cannot remove a file that no record names");
    }
}

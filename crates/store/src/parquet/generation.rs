//! Building anew: the tables of the next generation are built beside the live ones, then take their place by one
//! record of the commit log.
//!
//! ```text
//! data/            the live store, generation N
//! data/next/       a store of its own while it is built
//! data/gen-(N+1)/  its segments, once it is promoted
//! ```

use super::config::Config;
use super::files::{DiskFiles, Files};
use super::open::{generation_dir, lock, recover};
use super::record::Checkpoint;
use super::segment::io_error;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the next generation of a data folder is built: open a [`super::Store`] there, and close it when it is done.
pub fn next_dir(dir: &Path) -> PathBuf {
    dir.join("next")
}

/// Gives up what was built of the next generation.
///
/// # Errors
/// [`Error::Locked`] while a process has the data folder open.
pub fn discard(dir: &Path) -> Result<()> {
    let files = DiskFiles;
    let _lock = lock(&files, dir)?;
    remove_dir(&files, &next_dir(dir))
}

/// Puts the next generation in the place of the live one: every table, every chain's place in its stream, and what
/// was told. A crash leaves the one or the other, whole.
///
/// # Errors
/// [`Error::Locked`] while a process has either open; [`Error::Corrupt`] when there is no next generation.
pub fn promote(config: Config) -> Result<()> {
    promote_in(config, Arc::new(DiskFiles))
}

/// The same, in another file system.
pub fn promote_in(config: Config, files: Arc<dyn Files>) -> Result<()> {
    let dir = config.dir.clone();
    let next = next_dir(&dir);
    let _lock = lock(&*files, &dir)?;
    if files.list(&next).map_err(io_error("list", &next))?.is_empty() {
        return Err(Error::Corrupt { path: next, detail: "no next generation was built".into() });
    }
    let mut live = recover(config.clone(), files.clone())?;
    let _next_lock = lock(&*files, &next)?;
    let built = recover(Config { dir: next.clone(), ..config }, files.clone())?;
    built.close();
    let generation = live.manifest.generation + 1;
    let (from, to) = (built.manifest.dir(), generation_dir(&dir, generation));
    files.rename(&from, &to).map_err(io_error("rename", &from))?;
    files.sync_dir(&dir).map_err(io_error("sync", &dir))?;
    let old = live.manifest.dir();
    live.close();
    live.replace(Checkpoint { generation, retired: Vec::new(), ..built.manifest.checkpoint() })?;
    drop((live, built));
    // What is left of the old generation counts no more: a crash before here leaves it to the next start.
    remove_dir(&*files, &old)?;
    remove_dir(&*files, &next)
}

fn remove_dir(files: &dyn Files, dir: &Path) -> Result<()> {
    let is_there = !files.list(dir).map_err(io_error("list", dir))?.is_empty();
    if is_there { files.remove_dir(dir).map_err(io_error("remove", dir)) } else { Ok(()) }
}

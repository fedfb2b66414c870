//! `rederive`: a fresh index of the chains with the present configuration, put in place of the old one.
//!
//! The new tables are built beside the old ones by the same path that `run` takes, from the chain itself. Only when
//! they have come as far as the old ones are the folders exchanged. An interrupted attempt is gone on with.

use crate::args::{Common, Rederive};
use crate::config::{Overrides, Settings};
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::goals::Goals;
use crate::terminal::{print, tell};
use crate::wiring::{self, Role, blocking};
use std::path::{Path, PathBuf};
use store::{Config, Store, Writer as _};

/// Builds and exchanges.
pub(super) async fn execute(common: &Common, args: &Rederive) -> Result<Exit> {
    let settings = load(common, &Overrides { data_dir: args.data.data_dir.clone(), ..Overrides::default() })?;
    settings.bus.only_local("rederive")?;
    settings.store.only_folder("rederive")?;
    let (old, new) = (settings.data_dir.clone(), beside(&settings.data_dir, "next")?);
    // Held until the folders are exchanged: nobody writes to the old tables meanwhile.
    let held = blocking({
        let old = old.clone();
        move || Ok(Store::open(Config { compaction: false, ..Config::new(old) })?)
    })
    .await?;
    let goals = goals(&held);
    let interrupted = runtime::shutdown::on_signal()?;
    let stop = interrupted.child_token();
    let building = Settings { data_dir: new.clone(), ..settings };
    let running = wiring::start(&building, Role::Whole, None, stop.clone()).await?;
    goals.reach(running, &stop).await?;
    if interrupted.is_cancelled() {
        tell("interrupted: the old tables are in place, the next rederive goes on from here");
        return Err(Error::Interrupted);
    }
    let aside = free(&beside(&old, "old")?);
    drop(held);
    exchange(&old, &new, &aside)?;
    if args.discard_old {
        std::fs::remove_dir_all(&aside).map_err(|source| Error::Io {
            action: "remove",
            path: aside.clone(),
            source,
        })?;
    } else {
        tell(&format!("the old tables are in {}", aside.display()));
    }
    print(&format!("{} was built anew\n", old.display()))?;
    Ok(Exit::Ok)
}

/// How far each chain has to come: the old tables' final blocks.
fn goals(store: &Store) -> Goals {
    let recovered = store.recovered().into_iter();
    let final_blocks = recovered.filter_map(|(chain, at)| Some((chain, at.state_at.finalized?.number)));
    Goals::final_blocks(final_blocks.collect())
}

/// The folder `NAME.suffix` beside `NAME`.
fn beside(dir: &Path, suffix: &str) -> Result<PathBuf> {
    let absolute = std::path::absolute(dir).map_err(|source| Error::Io {
        action: "find",
        path: dir.to_path_buf(),
        source,
    })?;
    let Some(name) = absolute.file_name().and_then(|name| name.to_str()) else {
        return Err(Error::Request(format!("{} has no name that could be added to", dir.display())));
    };
    Ok(absolute.with_file_name(format!("{name}.{suffix}")))
}

/// The first of `dir`, `dir-2`, `dir-3`, … that is not there.
fn free(dir: &Path) -> PathBuf {
    let numbered = |n: u32| PathBuf::from(format!("{}-{n}", dir.display()));
    std::iter::once(dir.to_path_buf())
        .chain((2..).map(numbered))
        .find(|path| !path.exists())
        .unwrap_or_else(|| dir.to_path_buf())
}

/// Moves the old folder aside and the new one in its place. Between the two there is no folder: a process that
/// starts then finds none, and says so.
fn exchange(old: &Path, new: &Path, aside: &Path) -> Result<()> {
    let rename = |from: &Path, to: &Path| {
        std::fs::rename(from, to).map_err(|source| Error::Io {
            action: "rename",
            path: from.to_path_buf(),
            source,
        })
    };
    rename(old, aside)?;
    rename(new, old).inspect_err(|_| {
        if let Err(error) = rename(aside, old) {
            tell(&format!("{error}; the old tables are in {}", aside.display()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_exchanged_and_the_old_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text) in [("data", "old"), ("data.next", "new"), ("data.old", "older")] {
            std::fs::create_dir(at(name)).unwrap();
            std::fs::write(at(name).join("x"), text).unwrap();
        }
        assert_eq!(beside(&at("data"), "next").unwrap(), at("data.next"));
        let aside = free(&beside(&at("data"), "old").unwrap());
        exchange(&at("data"), &at("data.next"), &aside).unwrap();
        let read = |name: &str| std::fs::read_to_string(at(name).join("x")).unwrap();
        assert_eq!([read("data"), read("data.old"), read("data.old-2")], ["new", "older", "old"]);
        assert!(!at("data.next").exists());
    }

    #[test]
    fn a_new_folder_that_cannot_be_moved_leaves_the_old_one_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("data")).unwrap();
        assert!(exchange(&at("data"), &at("missing"), &at("data.old")).is_err());
        assert!(at("data").exists() && !at("data.old").exists());
    }
}

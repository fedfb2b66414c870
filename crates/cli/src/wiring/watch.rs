//! Watches the registry's files while a process runs: what is told late must not wait for a restart.
//!
//! Files are written one after the other, so they are read once they have been left alone between two looks. Files
//! that are wrong change nothing: the version before stays in force, and health says what is wrong.

use super::registry::{self, Reference};
use crate::error::{Error, Result};
use crate::wiring::blocking;
use model::change::RegistryVersion;
use runtime::health::{Health, State};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Between two looks. A look asks the system for 14 files.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Versions that a chain's reader may be behind: it takes one at each of its steps.
pub(super) const VERSIONS_AHEAD: usize = 4;

/// The component's name in health.
const PART: &str = "registry";

/// What a folder looks like from outside: name, length and time of each file.
type Look = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// Where a registry is, and who is told of a new version of it.
pub(super) struct Watch {
    pub(super) dir: PathBuf,
    pub(super) data_dir: PathBuf,
    pub(super) readers: Vec<mpsc::Sender<Arc<RegistryVersion>>>,
    pub(super) health: Health,
}

/// What was seen so far.
struct Seen {
    /// When the files were read.
    read: Look,
    /// At the last look.
    last: Look,
}

impl Watch {
    /// Watches until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<()> {
        let mut seen = self.begin().await?;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if let Err(error) = self.step(&mut seen).await {
                self.warn(&error);
            }
        }
        Ok(())
    }

    async fn begin(&self) -> Result<Seen> {
        let read = self.look().await?;
        Ok(Seen { last: read.clone(), read })
    }

    /// Looks once.
    async fn step(&self, seen: &mut Seen) -> Result<()> {
        let now = self.look().await?;
        let rests = now == seen.last;
        seen.last.clone_from(&now);
        if rests && now != seen.read {
            seen.read = now;
            self.reload().await?;
        }
        Ok(())
    }

    async fn look(&self) -> Result<Look> {
        let dir = self.dir.clone();
        blocking(move || look(&dir).map_err(|source| Error::Io { action: "read", path: dir, source })).await
    }

    /// Reads the files and tells every chain's reader, when they say something else than before.
    async fn reload(&self) -> Result<()> {
        let reference = registry::load(Some(&self.dir), &self.data_dir).await?;
        if reference.digest != registry::last_digest(&self.data_dir)? {
            return self.tell(&reference).await;
        }
        self.health.update(PART, State::Ok, true, "as it was");
        Ok(())
    }

    async fn tell(&self, reference: &Reference) -> Result<()> {
        // Remembered first: a version that was told is never given to other rows.
        reference.save(&self.data_dir)?;
        let Some(version) = &reference.version else { return Ok(()) };
        for reader in &self.readers {
            // A reader that has ended needs no registry.
            reader.send(version.clone()).await.ok();
        }
        tracing::info!(version = version.version, "the registry changed");
        self.health.update(PART, State::Ok, true, format!("version {}", version.version));
        Ok(())
    }

    fn warn(&self, error: &Error) {
        tracing::warn!(%error, "the registry's files cannot be used; the version before stays in force");
        self.health.update(PART, State::Degraded, true, error.to_string());
    }
}

fn look(dir: &Path) -> std::io::Result<Look> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push((entry.path(), metadata.len(), metadata.modified().ok()));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "chain,address,tier,gtin,valid_from,valid_to,known_from\n";

    #[tokio::test]
    async fn a_change_of_the_files_is_told_once_it_rests_and_a_fault_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, data_dir) = (folder.path().join("files"), folder.path().join("data"));
        for dir in [&dir, &data_dir] {
            std::fs::create_dir(dir).unwrap();
        }
        let file = dir.join("contracts.csv");
        std::fs::write(&file, HEADER).unwrap();
        registry::load(Some(&dir), &data_dir).await.unwrap().save(&data_dir).unwrap();
        let (sender, mut told) = mpsc::channel(VERSIONS_AHEAD);
        let watch = Watch { dir, data_dir, readers: vec![sender], health: Health::default() };
        let mut seen = watch.begin().await.unwrap();

        std::fs::write(&file, format!("{HEADER}1,nonsense,authoritative,,,,\n")).unwrap();
        watch.step(&mut seen).await.unwrap();
        let error = watch.step(&mut seen).await.unwrap_err().to_string();
        assert!(error.contains("contracts.csv:2"), "{error}");
        // Told once, not at every look.
        watch.step(&mut seen).await.unwrap();

        std::fs::write(&file, format!("{HEADER}1,0x{:040x},authoritative,,,,\n", 7)).unwrap();
        watch.step(&mut seen).await.unwrap();
        assert!(told.try_recv().is_err(), "it may still be written to");
        watch.step(&mut seen).await.unwrap();
        let version = told.try_recv().unwrap();
        assert_eq!((version.version, version.rows.contracts.len()), (2, 1));

        // Written again with the same rows.
        std::fs::write(&file, format!("{HEADER}\n1,0x{:040x},authoritative,,,,\n", 7)).unwrap();
        watch.step(&mut seen).await.unwrap();
        watch.step(&mut seen).await.unwrap();
        assert!(told.try_recv().is_err());
    }
}

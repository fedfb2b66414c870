//! The registry's files as a version: the number grows by one when the rows are others than last time.

use crate::error::{Error, Result};
use crate::wiring::blocking;
use model::B256;
use model::change::RegistryVersion;
use model::registry::Registry;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The registry of a process.
#[derive(Debug)]
pub(super) struct Reference {
    /// Its rows with their version; `None` when no folder is configured.
    pub(super) version: Option<Arc<RegistryVersion>>,
    /// Digest of the rows.
    pub(super) digest: B256,
}

/// The last version that was made, as the data folder remembers it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Last {
    version: u64,
    digest: B256,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("registry.json")
}

/// Loads the files of `dir`.
///
/// # Errors
/// Everything that is wrong in the files.
pub(super) async fn load(dir: Option<&Path>, data_dir: &Path) -> Result<Reference> {
    let Some(dir) = dir.map(Path::to_path_buf) else {
        return Ok(Reference { version: None, digest: ingest::registry::digest(&Registry::default()) });
    };
    let rows = blocking(move || Ok(ingest::registry::load(&dir)?)).await?;
    let digest = ingest::registry::digest(&rows);
    let last = last(data_dir)?;
    let version = if last.digest == digest { last.version } else { last.version + 1 };
    let version = Arc::new(RegistryVersion { version, after: None, rows: Arc::new(rows) });
    Ok(Reference { version: Some(version), digest })
}

/// Digest of the rows that were last loaded for a data folder.
///
/// # Errors
/// When what the folder remembers cannot be read.
pub(super) fn last_digest(data_dir: &Path) -> Result<B256> {
    let last = last(data_dir)?;
    Ok(if last.version == 0 { ingest::registry::digest(&Registry::default()) } else { last.digest })
}

fn last(data_dir: &Path) -> Result<Last> {
    let path = path(data_dir);
    match std::fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|error| Error::Data(format!("{}: {error}", path.display())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Last::default()),
        Err(source) => Err(Error::Io { action: "read", path, source }),
    }
}

impl Reference {
    /// Remembers the version in the data folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(&self, data_dir: &Path) -> Result<()> {
        let Some(version) = &self.version else { return Ok(()) };
        let (path, temporary) = (path(data_dir), data_dir.join("registry.json.tmp"));
        let last = Last { version: version.version, digest: self.digest };
        let text = serde_json::to_vec(&last).map_err(|error| Error::Internal(error.to_string()))?;
        let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &path));
        written.map_err(|source| Error::Io { action: "write", path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_version_grows_when_the_rows_are_others() {
        let folder = tempfile::tempdir().unwrap();
        let (files, data) = (folder.path().join("files"), folder.path().join("data"));
        std::fs::create_dir_all(&files).unwrap();
        std::fs::create_dir_all(&data).unwrap();
        let write = |text: &str| std::fs::write(files.join("contracts.csv"), text).unwrap();
        let load = async || {
            let reference = load(Some(&files), &data).await.unwrap();
            reference.save(&data).unwrap();
            reference.version.unwrap().version
        };
        let header = "chain,address,tier,gtin,valid_from,valid_to,known_from\n";
        let row = format!("{header}1,0x{:040x},authoritative,,,,\n", 7);
        write(header);
        assert_eq!([load().await, load().await], [1, 1]);
        write(&row);
        assert_eq!([load().await, load().await], [2, 2]);
        write(header);
        assert_eq!(load().await, 3);
    }
}

//! The tables of a process: files of a data folder, or a database of a server.

use super::{blocking, open_store};
use crate::config::Settings;
use crate::config::store::StoreKind;
use crate::error::{Error, Result};
use model::chain::ChainId;
use query::snapshot::Source;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::clickhouse;
use store::{Recovery, Store, Versions, Writer};
use tokio_util::sync::CancellationToken;

/// Tables that this process writes.
#[derive(Debug)]
pub(super) enum Tables {
    /// Of a data folder.
    Folder(Store),
    /// Of a database.
    Database(Box<clickhouse::Store>),
}

impl Tables {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// When it is another process's, or cannot be opened.
    pub(super) async fn open(settings: &Settings, versions: &Versions) -> Result<Self> {
        match &settings.store {
            StoreKind::Folder => Ok(Self::Folder(open_store(&settings.data_dir, versions, true).await?)),
            StoreKind::ClickHouse(config) => {
                let config =
                    clickhouse::Config { versions: versions.clone(), ..clickhouse::Config::clone(config) };
                Ok(Self::Database(Box::new(clickhouse::Store::open(config).await?)))
            }
        }
    }

    /// Where questions find what is committed.
    pub(super) fn source(&self) -> Arc<dyn Source> {
        match self {
            Self::Folder(store) => Arc::new(store.reader()),
            Self::Database(store) => Arc::new(store.reader()),
        }
    }

    /// Where each chain was left.
    pub(super) fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        match self {
            Self::Folder(store) => store.recovered(),
            Self::Database(store) => store.recovered(),
        }
    }

    /// Tells other processes of this machine where this one can be asked. Those of a database ask the database.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(super) fn announce(&self, address: &str) -> Result<()> {
        match self {
            Self::Folder(store) => Ok(store.announce(address)?),
            Self::Database(_) => Ok(()),
        }
    }

    /// Rows of two configurations in one table would be rows of neither.
    ///
    /// # Errors
    /// [`Error::OtherConfiguration`] when what is stored was made by another one.
    pub(super) fn refuse_other_configuration(&self, versions: &Versions, dir: &Path) -> Result<()> {
        let stored = match self {
            Self::Folder(store) => store.stored_versions()?,
            Self::Database(store) => store.stored_versions().clone(),
        };
        if self.recovered().is_empty() || stored == Versions::default() {
            return Ok(());
        }
        let what = if stored.configuration != versions.configuration {
            "other chains, contracts or profiles"
        } else if stored.rules != versions.rules {
            "other rules or parameters"
        } else {
            return Ok(());
        };
        Err(Error::OtherConfiguration { dir: dir.to_path_buf(), what })
    }

    /// The end that the transform writes to.
    pub(super) fn into_writer(self) -> Box<dyn Writer> {
        match self {
            Self::Folder(store) => Box::new(store),
            Self::Database(store) => store,
        }
    }
}

/// Waits until nobody writes the tables, looking again after each `pause`.
///
/// # Errors
/// [`Error::Interrupted`] when the process is to end before; when the tables cannot be looked at.
pub(crate) async fn until_free(settings: &Settings, pause: Duration, stop: &CancellationToken) -> Result<()> {
    while !is_free(settings, pause).await? {
        tracing::info!("stands by: another process writes the tables");
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Err(Error::Interrupted);
        }
    }
    Ok(())
}

async fn is_free(settings: &Settings, pause: Duration) -> Result<bool> {
    match &settings.store {
        StoreKind::Folder => {
            let folder = settings.data_dir.clone();
            blocking(move || Ok(Store::is_free(&folder)?)).await
        }
        StoreKind::ClickHouse(config) => match clickhouse::silent_for(config).await {
            Ok(silent) => Ok(silent.is_none_or(|silent| silent >= pause)),
            // Who stands by is there when the server is there again.
            Err(error) if error.class() == model::error::ErrorClass::Transient => {
                tracing::warn!(%error, "stands by: the tables cannot be looked at");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        },
    }
}

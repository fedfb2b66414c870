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
    /// When it is another process's, or cannot be opened; [`Error::OtherConfiguration`] when what is stored was made by
    /// another one. Then a database has not been taken over from whoever writes it.
    pub(super) async fn open(settings: &Settings, versions: &Versions) -> Result<Self> {
        match &settings.store {
            StoreKind::Folder => {
                let store = open_store(&settings.data_dir, versions, true).await?;
                if !store.recovered().is_empty() {
                    refuse_other(&store.stored_versions()?, versions, &settings.data_dir)?;
                }
                Ok(Self::Folder(store))
            }
            StoreKind::ClickHouse(config) => {
                if let Some(stored) = clickhouse::stored_versions(config).await? {
                    refuse_other(&stored, versions, &settings.data_dir)?;
                }
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

    /// The end that the transform writes to.
    pub(super) fn into_writer(self) -> Box<dyn Writer> {
        match self {
            Self::Folder(store) => Box::new(store),
            Self::Database(store) => store,
        }
    }
}

/// Rows of two configurations in one table would be rows of neither.
fn refuse_other(stored: &Versions, versions: &Versions, dir: &Path) -> Result<()> {
    let what = if *stored == Versions::default() {
        return Ok(());
    } else if stored.configuration != versions.configuration {
        "other chains, contracts or profiles"
    } else if stored.rules != versions.rules {
        "other rules or parameters"
    } else {
        return Ok(());
    };
    Err(Error::OtherConfiguration { dir: dir.to_path_buf(), what })
}

/// Waits until nobody writes the tables, looking again after each `pause`.
///
/// # Errors
/// [`Error::Interrupted`] when the process is to end before; when the tables cannot be looked at.
pub(crate) async fn until_free(settings: &Settings, pause: Duration, stop: &CancellationToken) -> Result<()> {
    let waiting = async {
        while !is_free(settings, pause).await? {
            tracing::info!("stands by: another process writes the tables");
            tokio::time::sleep(pause).await;
        }
        Ok(())
    };
    stop.run_until_cancelled(waiting).await.unwrap_or(Err(Error::Interrupted))
}

async fn is_free(settings: &Settings, pause: Duration) -> Result<bool> {
    match &settings.store {
        StoreKind::Folder => {
            let folder = settings.data_dir.clone();
            blocking(move || Ok(Store::is_free(&folder)?)).await
        }
        StoreKind::ClickHouse(config) => match clickhouse::silent_for(config).await {
            // One that lives is heard every two seconds: it is not dead because it missed one of them.
            Ok(silent) => Ok(silent.is_none_or(|silent| silent >= pause.max(3 * config.beat_every))),
            // Who stands by is there when the server is there again.
            Err(error) if error.class() == model::error::ErrorClass::Transient => {
                tracing::warn!(%error, "stands by: the tables cannot be looked at");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        },
    }
}

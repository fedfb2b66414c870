//! Where questions about a data folder are asked: here, or of the process that holds it.

use crate::args::{Common, DataDir};
use crate::client::{Owner, Told};
use crate::config::store::StoreKind;
use crate::config::{self, Overrides};
use crate::error::{Error, Result};
use crate::logs;
use crate::wiring::{Reading, open_database, open_for_reading};
use futures::StreamExt as _;
use query::format::{Encoder, Format};
use query::limits::Limits;
use query::pedigree::{Pedigree, pedigree};
use std::io::Write;
use std::path::PathBuf;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<'a> {
    /// A statement.
    Sql(&'a str),
    /// A named question, with values of its parameters.
    Named(&'a str, &'a [(String, String)]),
}

/// Where questions are asked.
#[derive(Debug)]
pub(crate) enum Door {
    /// Here: no other process holds the folder.
    Here(Reading),
    /// Of the process that holds it.
    Owner(Owner),
}

/// The data folder that a command means.
///
/// # Errors
/// When none is named and there is no configuration, or it cannot be used.
pub(crate) fn data_dir(common: &Common, data: &DataDir) -> Result<PathBuf> {
    match settings(common, data)? {
        Means::Configured(settings) => Ok(settings.data_dir),
        Means::Folder(dir) => Ok(dir),
    }
}

/// What a command means that works on data.
enum Means {
    /// What a configuration says.
    Configured(Box<config::Settings>),
    /// A folder, without any.
    Folder(PathBuf),
}

fn settings(common: &Common, data: &DataDir) -> Result<Means> {
    match &data.data_dir {
        Some(dir) if !common.config.exists() => {
            logs::start(common, None)?;
            Ok(Means::Folder(dir.clone()))
        }
        _ => {
            let overrides = Overrides { data_dir: data.data_dir.clone(), ..Overrides::default() };
            Ok(Means::Configured(Box::new(load(common, &overrides)?)))
        }
    }
}

/// The configuration that a command means. Starts the logs: from here on it is known what must not come through.
///
/// # Errors
/// When there is none, or it cannot be used.
pub(crate) fn load(common: &Common, overrides: &Overrides) -> Result<config::Settings> {
    if !common.config.exists() {
        return Err(Error::NoConfiguration { path: common.config.clone() });
    }
    let settings = config::load(&common.config, overrides)?;
    logs::start(common, Some(&settings))?;
    Ok(settings)
}

impl Door {
    /// Opens the database, or the folder, or finds who holds it.
    ///
    /// # Errors
    /// When it cannot be read, or its holder does not say where it can be asked.
    pub(crate) async fn open(common: &Common, data: &DataDir) -> Result<Self> {
        let settings = match settings(common, data)? {
            Means::Folder(dir) => return Self::of_folder(dir, Limits::default()).await,
            Means::Configured(settings) => settings,
        };
        match &settings.store {
            StoreKind::ClickHouse(config) => Ok(Self::Here(open_database(config, &settings).await?)),
            StoreKind::Folder => Self::of_folder(settings.data_dir, settings.query.limits).await,
        }
    }

    async fn of_folder(dir: PathBuf, limits: Limits) -> Result<Self> {
        match open_for_reading(&dir, limits).await {
            Ok(reading) => Ok(Self::Here(reading)),
            Err(Error::Store(store::Error::Locked { owner: Some(address), .. })) => {
                Ok(Self::Owner(Owner::new(&dir, address)))
            }
            Err(Error::Store(store::Error::Locked { owner: None, .. })) => {
                let detail =
                    "does not say where it can be asked: it has just begun, or it answers no questions"
                        .to_owned();
                Err(Error::Owner { dir, detail })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks; writes the answer as it comes.
    ///
    /// # Errors
    /// What the question, or writing its answer, fails with.
    pub(crate) async fn ask(
        &self,
        question: Question<'_>,
        format: Format,
        out: &mut dyn Write,
    ) -> Result<Told> {
        let mut answer = match (self, question) {
            (Self::Owner(owner), Question::Sql(sql)) => return owner.sql(sql, format, out).await,
            (Self::Owner(owner), Question::Named(name, arguments)) => {
                return owner.named(name, arguments, format, out).await;
            }
            (Self::Here(reading), Question::Sql(sql)) => reading.engine.ask(sql).await?,
            (Self::Here(reading), Question::Named(name, arguments)) => {
                reading.engine.ask_named(name, arguments).await?
            }
        };
        let failed = |source| Error::Io { action: "write", path: PathBuf::from("the answer"), source };
        let mut encoder = Encoder::new(format, &answer.schema(), answer.snapshot())?;
        while let Some(batch) = answer.next().await {
            out.write_all(&encoder.batch(&batch?)?).map_err(failed)?;
        }
        out.write_all(&encoder.finish()?).map_err(failed)?;
        Ok(Told { snapshot: answer.snapshot().to_string(), truncated: answer.truncated() })
    }

    /// Asks for one item's story.
    ///
    /// # Errors
    /// What the question fails with.
    pub(crate) async fn pedigree(&self, item: &str) -> Result<Pedigree> {
        match self {
            Self::Here(reading) => Ok(pedigree(&reading.engine, item).await?),
            Self::Owner(owner) => {
                let body = owner.pedigree(item).await?;
                serde_json::from_slice(&body)
                    .map_err(|error| Error::Data(format!("the story cannot be read: {error}")))
            }
        }
    }
}

//! Reads a data folder that no process holds: opens it, and rebuilds the rows of unfinal blocks from the bus. Or a
//! database, which may be read whoever writes it.

use super::{answering, open_bus, open_store, registry};
use crate::config::Settings;
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use async_trait::async_trait;
use bus::Bus as _;
use custody::Core;
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::commit::Commit;
use model::past::{Past, PastQuery};
use model::tables::Table;
use prometheus::Registry;
use query::engine::Engine;
use query::limits::Limits;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use store::clickhouse;
use store::{Batches, Recovery, Store, Writer};
use tokio_util::sync::CancellationToken;
use transform::Outward;

/// A data folder that is open for questions. It is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Reading {
    /// What answers questions.
    pub(crate) engine: Arc<Engine>,
    /// The folder's; a database is nobody's who reads it.
    _store: Option<Store>,
}

/// Opens `dir` for questions.
///
/// # Errors
/// [`store::Error::Locked`] when a process holds it; when it holds no store.
pub(crate) async fn open_for_reading(dir: &Path, limits: Limits) -> Result<Reading> {
    if !dir.join("commits").is_dir() {
        return Err(Error::Request(format!("{} holds no data of rxtrail", dir.display())));
    }
    let deployment = Deployment::load(dir)?.unwrap_or_default();
    let versions = deployment.versions(registry::last_digest(dir)?)?;
    let store = open_store(dir, &versions, false).await?;
    let reader = store.reader();
    let store = rebuild(dir, &deployment, store).await?;
    let failed = |source| Error::Io { action: "start threads for", path: dir.to_path_buf(), source };
    let metrics = query::metrics::Metrics::new(&Registry::new())?;
    let engine = Engine::new(Arc::new(reader), limits, metrics).map_err(failed)?;
    Ok(Reading { engine: Arc::new(engine), _store: Some(store) })
}

/// Opens a database for questions.
///
/// # Errors
/// When the server cannot be reached, or it holds no such database.
pub(crate) async fn open_database(config: &clickhouse::Config, settings: &Settings) -> Result<Reading> {
    let engine = answering::engine(config, settings).await?;
    Ok(Reading { engine, _store: None })
}

/// Takes what the bus holds through the transform: its publishers are gone, so it comes to an end.
async fn rebuild(dir: &Path, deployment: &Deployment, store: Store) -> Result<Store> {
    let bus = open_bus(dir, store.recovered()).await?;
    let subscriber = bus.subscriber()?;
    drop(bus);
    let (give_back, given_back) = mpsc::channel();
    let lent = Lent { store: Some(store), give_back };
    let outward = Outward::new(transform::Metrics::new(&Registry::new())?);
    let core = Core::new(deployment.setup()?);
    transform::run(core, subscriber, Box::new(lent), outward, CancellationToken::new()).await?;
    given_back.try_recv().map_err(|error| Error::Internal(format!("the store was not given back: {error}")))
}

/// A store that takes what is replayed into its memory, and comes back to who lent it, with its lock.
#[derive(Debug)]
struct Lent {
    /// `None` once it was given back.
    store: Option<Store>,
    give_back: mpsc::Sender<Store>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            // Who lent it is gone, and the store with it.
            self.give_back.send(store).ok();
        }
    }
}

impl Lent {
    fn store(&self) -> store::Result<&Store> {
        self.store.as_ref().ok_or_else(given_back)
    }

    fn store_mut(&mut self) -> store::Result<&mut Store> {
        self.store.as_mut().ok_or_else(given_back)
    }
}

fn given_back() -> store::Error {
    store::Error::Closed("it was given back".to_owned())
}

#[async_trait]
impl Writer for Lent {
    fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        self.store.as_ref().map(Writer::recovered).unwrap_or_default()
    }

    async fn restore(&self, table: Table, chain: ChainId) -> store::Result<Batches> {
        self.store()?.restore(table, chain).await
    }

    async fn revisions(&self, chain: ChainId) -> store::Result<Vec<(CaseKey, u32)>> {
        self.store()?.revisions(chain).await
    }

    async fn past(&self, chain: ChainId, query: &PastQuery) -> store::Result<Past> {
        self.store()?.past(chain, query).await
    }

    async fn told_across(&self) -> store::Result<(Sequence, Vec<Notice>)> {
        self.store()?.told_across().await
    }

    async fn commit(&mut self, commit: Commit) -> store::Result<()> {
        self.store_mut()?.commit(commit).await
    }

    /// Who only reads writes no files: the rows stay in memory, and the next reader finds the folder as this one did.
    async fn flush(&mut self) -> store::Result<()> {
        Ok(())
    }

    /// Nothing is durable that was not before, so the bus has nothing to forget.
    fn durable(&self) -> BTreeMap<ChainId, Position> {
        BTreeMap::new()
    }
}

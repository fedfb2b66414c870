//! One process: store, bus, a reader for each chain, the transform, and the address where questions are answered.
//!
//! ```text
//! chains ──ingest──▶ bus ──transform──▶ store ──▶ query
//! ```

mod reading;
mod registry;
mod watch;

pub(crate) use reading::{Reading, open_for_reading};

use crate::config::Settings;
use crate::config::chains::Chain;
use crate::error::{Error, Result};
use bus::local::LocalBus;
use custody::Core;
use ingest::run::{Inputs, RegistryFeed};
use model::change::RegistryVersion;
use prometheus::Registry;
use query::engine::Engine;
use runtime::health::{Health, State};
use runtime::metrics::Metrics;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Config, Store, Versions, Writer as _};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transform::{Outward, Told};
use watch::Watch;

/// How long the parts of a process have to end once they were asked to: a flush of 128 Ki rows takes a second, an
/// answer under way a minute at most, and orchestrators kill after half a minute.
const END_WITHIN: Duration = Duration::from_secs(25);

/// Where the bus keeps its log, within the data folder.
pub(crate) fn bus_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("bus")
}

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where questions are answered; `None` when none are.
    pub(crate) address: Option<SocketAddr>,
    /// Word of alerts and of progress.
    pub(crate) outward: Outward,
    /// What answers questions.
    pub(crate) engine: Arc<Engine>,
    notices: broadcast::Receiver<Told>,
    parts: JoinSet<(String, Result<()>)>,
    stop: CancellationToken,
}

/// Starts everything that the settings say. `stop` ends it.
///
/// # Errors
/// When anything cannot be opened or listened on: nothing runs then.
pub(crate) async fn start(
    settings: &Settings,
    listen: Option<SocketAddr>,
    stop: CancellationToken,
) -> Result<Running> {
    let dir = settings.data_dir.clone();
    let setup = settings.deployment.setup()?;
    let reference = registry::load(settings.registry_dir.as_deref(), &dir).await?;
    let versions = settings.deployment.versions(reference.digest)?;
    let listener = match listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let store = open_store(&dir, &versions, true).await?;
    refuse_other_configuration(&store, &versions, &dir)?;
    settings.deployment.save(&dir)?;
    reference.save(&dir)?;
    let bus = open_bus(&dir, &store).await?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"))?;
    let health = Health::expecting(["query", "transform"]);
    let outward = Outward::new(transform::Metrics::new(metrics.registry())?);
    let seen = query::metrics::Metrics::new(metrics.registry())?;
    let engine = Engine::new(Arc::new(store.reader()), settings.query.limits.clone(), seen)
        .map_err(|source| Error::Io { action: "start threads for", path: dir.clone(), source })?;
    let engine = Arc::new(engine);
    let mut running = Running {
        address: None,
        // From before the first record: no notice is missed.
        notices: outward.notices.subscribe(),
        outward: outward.clone(),
        engine,
        parts: JoinSet::new(),
        stop: stop.clone(),
    };
    if let Some(listener) = listener {
        running.answer(listener, &store, &metrics, &health)?;
    }
    running.read_chains(settings, &bus, &reference, metrics.registry(), &health)?;
    let subscriber = bus.subscriber();
    health.update("transform", State::Ok, true, "takes records");
    let transform = transform::run(Core::new(setup), subscriber, Box::new(store), outward, stop.clone());
    running.spawn("transform".to_owned(), health, async move { transform.await.map_err(Error::from) });
    Ok(running)
}

impl Running {
    /// Every notice from the first record on, for who asks first; later ones only for who asks again.
    pub(crate) fn notices(&mut self) -> broadcast::Receiver<Told> {
        let again = self.outward.notices.subscribe();
        std::mem::replace(&mut self.notices, again)
    }

    /// Answers questions on `listener`, and says so in the data folder.
    fn answer(
        &mut self,
        listener: TcpListener,
        store: &Store,
        metrics: &Metrics,
        health: &Health,
    ) -> Result<()> {
        let failed = |source| Error::Io { action: "listen on", path: PathBuf::from("the address"), source };
        let address = listener.local_addr().map_err(failed)?;
        store.announce(&address.to_string())?;
        let router = query::http::router(self.engine.clone(), runtime::metrics::router(metrics, health));
        let served = runtime::metrics::serve(listener, router, self.stop.clone());
        health.update("query", State::Ok, true, format!("listening on {address}"));
        self.address = Some(address);
        self.spawn("query".to_owned(), health.clone(), async move { served.await.map_err(failed) });
        Ok(())
    }

    fn read_chains(
        &mut self,
        settings: &Settings,
        bus: &LocalBus,
        reference: &registry::Reference,
        registry: &Registry,
        health: &Health,
    ) -> Result<()> {
        let metrics = ingest::metrics::Metrics::new(registry)?;
        let mut readers = Vec::with_capacity(settings.chains.len());
        for chain in &settings.chains {
            let (reader, versions) = mpsc::channel(watch::VERSIONS_AHEAD);
            readers.push(reader);
            let inputs = Inputs {
                config: chain.ingest.clone(),
                filter: settings.deployment.filter(chain.ingest.id),
                publisher: bus.publisher(chain.ingest.id)?,
                registry: feed(reference.version.as_ref()).with_updates(versions),
                metrics: metrics.clone(),
            };
            let part = format!("chain {}", chain.name);
            health.update(&part, State::Starting, false, "not begun");
            let (name, stop) = (chain.name.clone(), self.stop.clone());
            let reading = Box::pin(ingest::run(inputs, stop));
            self.spawn(part.clone(), health.clone(), async move {
                reading.await.map_err(|source| Error::Ingest { name, source })
            });
            self.watch(part, chain, health.clone());
        }
        if let Some(dir) = settings.registry_dir.clone() {
            let watch = Watch { dir, data_dir: settings.data_dir.clone(), readers, health: health.clone() };
            self.spawn("registry".to_owned(), health.clone(), watch.run(self.stop.clone()));
        }
        Ok(())
    }

    /// Tells health how far a chain is, as what was committed says.
    fn watch(&self, part: String, chain: &Chain, health: Health) {
        let (mut progress, id) = (self.outward.progress.subscribe(), chain.ingest.id);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            while let Some(Ok(())) = stop.run_until_cancelled(progress.changed()).await {
                let last = progress.borrow_and_update().filter(|(chain, _)| *chain == id);
                if let Some(tip) = last.and_then(|(_, position)| position.tip) {
                    // Open blocks are only read once every final one is: then the past is caught up with.
                    let is_live =
                        last.is_some_and(|(_, position)| position.finalized.is_some_and(|block| block < tip));
                    let detail = format!("block {} is committed", tip.number);
                    health.update(&part, State::Ok, is_live, detail);
                }
            }
        });
    }

    fn spawn(
        &mut self,
        part: String,
        health: Health,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.parts.spawn(async move {
            let result = work.await;
            if let Err(error) = &result {
                health.update(&part, State::Failed, false, error.to_string());
            }
            (part, result)
        });
    }

    /// Waits until the process ends: because it was asked to, or because a part of it cannot go on.
    ///
    /// # Errors
    /// What the first part that failed said.
    pub(crate) async fn ended(mut self) -> Result<()> {
        let mut first = self.next_end().await;
        self.stop.cancel();
        let rest = async {
            while !self.parts.is_empty() {
                let end = self.next_end().await;
                first = std::mem::replace(&mut first, Ok(())).and(end);
            }
        };
        if tokio::time::timeout(END_WITHIN, rest).await.is_err() {
            tracing::warn!(secs = END_WITHIN.as_secs(), "parts of the process did not end and were cut off");
            self.parts.shutdown().await;
        }
        first
    }

    async fn next_end(&mut self) -> Result<()> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Err(panic)) => Err(Error::Internal(panic.to_string())),
            Some(Ok((_, Err(error)))) => Err(error),
            Some(Ok((_, Ok(())))) if self.stop.is_cancelled() => Ok(()),
            Some(Ok((part, Ok(())))) => Err(Error::Ended { part, detail: "it was not asked to".to_owned() }),
        }
    }
}

fn feed(version: Option<&Arc<RegistryVersion>>) -> RegistryFeed {
    version.cloned().into_iter().collect::<Vec<_>>().into()
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let failed = |source| Error::Io { action: "listen on", path: PathBuf::from(address.to_string()), source };
    TcpListener::bind(address).await.map_err(failed)
}

async fn open_store(dir: &Path, versions: &Versions, compaction: bool) -> Result<Store> {
    let config = Config { versions: versions.clone(), compaction, ..Config::new(dir) };
    blocking(move || Ok(Store::open(config)?)).await
}

async fn open_bus(dir: &Path, store: &Store) -> Result<LocalBus> {
    let committed =
        store.recovered().into_iter().map(|(chain, recovery)| (chain, recovery.state_at)).collect();
    let dir = bus_dir(dir);
    blocking(move || Ok(LocalBus::open(&dir, committed)?)).await
}

/// Runs work that reads and writes files where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Rows of two configurations in one table would be rows of neither.
fn refuse_other_configuration(store: &Store, versions: &Versions, dir: &Path) -> Result<()> {
    let stored = store.stored_versions()?;
    if store.recovered().is_empty() || stored == Versions::default() {
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

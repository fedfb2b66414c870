//! One process: bus, a reader for each chain, the transform with its store, and the address where questions are
//! answered; or one of the two sides of the bus.
//!
//! ```text
//! chains ──ingest──▶ bus ──transform──▶ store ──▶ query
//! ```

mod alerts_topic;
mod chains;
pub(crate) mod ingester;
mod parts;
mod reading;
mod registry;
mod watch;

pub(crate) use parts::Parts;
pub(crate) use reading::{Reading, open_for_reading};

use crate::config::Settings;
use crate::config::bus::BusKind;
use crate::error::{Error, Result};
use bus::Bus;
use bus::kafka::KafkaBus;
use bus::local::LocalBus;
use custody::Core;
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
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use transform::{Outward, Told};

/// Where the bus keeps its log, within the data folder.
pub(crate) fn bus_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("bus")
}

/// Which sides of the bus a process with a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Both: it reads the chains as well.
    Whole,
    /// The one with the store only.
    Transform,
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
    /// What runs.
    pub(crate) parts: Parts,
    notices: broadcast::Receiver<Told>,
}

/// Starts what the settings and the role say. `stop` ends it.
///
/// # Errors
/// When the role does not fit the bus, or anything cannot be opened or listened on: nothing runs then.
pub(crate) async fn start(
    settings: &Settings,
    role: Role,
    listen: Option<SocketAddr>,
    stop: CancellationToken,
) -> Result<Running> {
    if role == Role::Transform {
        ingester::apart(settings, "transform")?;
    }
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
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"))?;
    let bus = bus_of(settings, &store, metrics.registry()).await?;
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
        parts: Parts::new(stop.clone()),
    };
    if let Some(listener) = listener {
        running.answer(listener, &store, &metrics, &health)?;
    }
    running.tell_others(settings, &health);
    chains::announce(settings, &health);
    chains::follow(&running.parts, settings, &outward, &health);
    if role == Role::Whole {
        let (registry, plain) = (metrics.registry(), |publisher, _: &str| publisher);
        chains::read(&mut running.parts, (settings, &reference), bus.as_ref(), (registry, &health), plain)?;
    }
    let subscriber = bus.subscriber()?;
    health.update("transform", State::Ok, true, "takes records");
    let transform = transform::run(Core::new(setup), subscriber, Box::new(store), outward, stop.clone());
    running.parts.spawn("transform".to_owned(), health, async move { transform.await.map_err(Error::from) });
    Ok(running)
}

impl Running {
    /// Every notice from the first record on, for who asks first; later ones only for who asks again.
    pub(crate) fn notices(&mut self) -> broadcast::Receiver<Told> {
        let again = self.outward.notices.subscribe();
        std::mem::replace(&mut self.notices, again)
    }

    /// Sends alerts to other systems, where there is a topic for them.
    fn tell_others(&mut self, settings: &Settings, health: &Health) {
        let BusKind::Kafka(config) = &settings.bus else { return };
        let Some(topic) = config.alerts_topic.clone() else { return };
        let (told, dir) = (self.outward.notices.subscribe(), settings.data_dir.clone());
        let stop = self.parts.stop().clone();
        let work = alerts_topic::run(
            (bus::kafka::Config::clone(config), topic),
            self.engine.clone(),
            told,
            dir,
            stop,
        );
        self.parts.spawn("alerts topic".to_owned(), health.clone(), work);
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
        let served = runtime::metrics::serve(listener, router, self.parts.stop().clone());
        health.update("query", State::Ok, true, format!("listening on {address}"));
        self.address = Some(address);
        self.parts.spawn("query".to_owned(), health.clone(), async move { served.await.map_err(failed) });
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let failed = |source| Error::Io { action: "listen on", path: PathBuf::from(address.to_string()), source };
    TcpListener::bind(address).await.map_err(failed)
}

/// Waits until nobody has the store of a data folder, looking again after each `pause`.
///
/// # Errors
/// [`Error::Interrupted`] when the process is to end before; when the folder cannot be used.
pub(crate) async fn until_free(dir: &Path, pause: Duration, stop: &CancellationToken) -> Result<()> {
    loop {
        let folder = dir.to_path_buf();
        match blocking(move || Ok(Store::is_free(&folder)?)).await? {
            true => return Ok(()),
            false => tracing::info!(dir = %dir.display(), "stands by: another process has the data folder"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Err(Error::Interrupted);
        }
    }
}

async fn open_store(dir: &Path, versions: &Versions, compaction: bool) -> Result<Store> {
    let config = Config { versions: versions.clone(), compaction, ..Config::new(dir) };
    blocking(move || Ok(Store::open(config)?)).await
}

/// The bus that the settings name, for a store that holds what it holds.
async fn bus_of(settings: &Settings, store: &Store, registry: &Registry) -> Result<Box<dyn Bus>> {
    let BusKind::Kafka(config) = &settings.bus else {
        return Ok(Box::new(open_bus(&settings.data_dir, store).await?));
    };
    let recovered = store.recovered();
    let state_at = |chain| recovered.get(&chain).map(|recovery| recovery.state_at).unwrap_or_default();
    let committed = chains::ids(settings).map(|chain| (chain, state_at(chain))).collect();
    Ok(Box::new(KafkaBus::new(
        bus::kafka::Config::clone(config),
        committed,
        bus::kafka::Metrics::new(registry)?,
    )))
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

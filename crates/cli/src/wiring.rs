//! One process: bus, a reader for each chain, the transform with its store, and the address where questions are
//! answered; or one of the two sides of the bus.
//!
//! ```text
//! chains ──ingest──▶ bus ──transform──▶ store ──▶ query
//! ```

mod alerts_topic;
pub(crate) mod answering;
mod chains;
pub(crate) mod ingester;
mod parts;
mod reading;
mod registry;
pub(crate) mod replaying;
mod tables;
mod watch;

pub(crate) use parts::Parts;
pub(crate) use reading::{Reading, open_database, open_for_reading};
pub(crate) use tables::until_free;

use crate::config::Settings;
use crate::config::bus::BusKind;
use crate::error::{Error, Result};
use bus::Bus;
use bus::kafka::KafkaBus;
use bus::local::LocalBus;
use custody::Core;
use model::chain::ChainId;
use prometheus::Registry;
use query::engine::Engine;
use query::http::{Rule, Service};
use query::snapshot::Source;
use replaying::Stored;
use runtime::health::{Health, State};
use runtime::metrics::Metrics;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Config, Recovery, Store, Versions};
use tables::Tables;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use transform::{Outward, Told};

/// Where the bus keeps its log, within the data folder.
pub(crate) fn bus_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("bus")
}

/// Which sides of the bus a process with a store is.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// Both: it reads the chains as well.
    Whole,
    /// The one with the store only.
    Transform,
    /// Both: it reads the chains from tables that are there already.
    Replay(Stored),
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
    if matches!(role, Role::Transform) {
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
    let opened = stop.run_until_cancelled(Tables::open(settings, &versions)).await;
    let tables = opened.ok_or(Error::Interrupted)??;
    settings.deployment.save(&dir)?;
    reference.save(&dir)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"))?;
    let bus = bus_of(settings, &tables, metrics.registry()).await?;
    let health = Health::expecting(["query", "transform"]);
    let outward = Outward::new(transform::Metrics::new(metrics.registry())?);
    let engine = engine_over(tables.source(), settings, &metrics)?;
    let mut running = Running {
        address: None,
        // From before the first record: no notice is missed.
        notices: outward.notices.subscribe(),
        outward: outward.clone(),
        engine,
        parts: Parts::new(stop.clone()),
    };
    if let Some(listener) = listener {
        running.answer(listener, &tables, &metrics, &health)?;
    }
    running.tell_others(settings, &health);
    chains::announce(settings, &health);
    chains::follow(&running.parts, settings, &outward, &health);
    let inputs = (settings, &reference);
    match &role {
        Role::Whole => {
            let (registry, plain) = (metrics.registry(), |publisher, _: &str| publisher);
            chains::read(&mut running.parts, inputs, bus.as_ref(), (registry, &health), plain)?;
        }
        Role::Replay(stored) => replaying::read(&mut running.parts, inputs, bus.as_ref(), stored, &health)?,
        Role::Transform => {}
    }
    let subscriber = bus.subscriber()?;
    health.update("transform", State::Ok, true, "takes records");
    let transform = transform::run(Core::new(setup), subscriber, tables.into_writer(), outward, stop.clone());
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
        let (told, kept) = (self.outward.notices.subscribe(), alerts_topic::Kept::of(settings, &topic));
        let stop = self.parts.stop().clone();
        let work = alerts_topic::run(
            (bus::kafka::Config::clone(config), topic),
            self.engine.clone(),
            told,
            kept,
            stop,
        );
        self.parts.spawn("alerts topic".to_owned(), health.clone(), work);
    }

    /// Answers questions on `listener`, and says so in the data folder.
    fn answer(
        &mut self,
        listener: TcpListener,
        tables: &Tables,
        metrics: &Metrics,
        health: &Health,
    ) -> Result<()> {
        let failed = |source| Error::Io { action: "listen on", path: PathBuf::from("the address"), source };
        let address = listener.local_addr().map_err(failed)?;
        tables.announce(&address.to_string())?;
        let service = service_over(self.engine.clone(), health, self.parts.stop());
        let router = query::http::router(service, runtime::metrics::router(metrics, health));
        let served = runtime::metrics::serve(listener, router, self.parts.stop().clone());
        health.update("query", State::Ok, true, format!("listening on {address}"));
        self.address = Some(address);
        self.parts.spawn("query".to_owned(), health.clone(), async move { served.await.map_err(failed) });
        Ok(())
    }
}

/// What answers questions from `source`.
fn engine_over(source: Arc<dyn Source>, settings: &Settings, metrics: &Metrics) -> Result<Arc<Engine>> {
    let failed = |source| Error::Io { action: "start threads for", path: settings.data_dir.clone(), source };
    let seen = query::metrics::Metrics::new(metrics.registry())?;
    Ok(Arc::new(Engine::new(source, settings.query.limits.clone(), seen).map_err(failed)?))
}

/// What answers people from `engine`, with what they read of rules.
fn service_over(engine: Arc<Engine>, health: &Health, stop: &CancellationToken) -> Service {
    let rule = |rule: &&dyn custody::rules::Rule| {
        let card = rule.card();
        Rule {
            code: card.code.0.to_owned(),
            title: card.title.to_owned(),
            version: card.version,
            trigger: card.trigger.to_owned(),
            innocent: card.innocent.split("; ").map(str::to_owned).collect(),
            severity: card.severity.to_owned(),
            source: card.source.to_owned(),
        }
    };
    Service::new(engine, custody::rules::ALL.iter().map(rule).collect(), health.clone(), stop.clone())
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let failed = |source| Error::Io { action: "listen on", path: PathBuf::from(address.to_string()), source };
    TcpListener::bind(address).await.map_err(failed)
}

async fn open_store(dir: &Path, versions: &Versions, compaction: bool) -> Result<Store> {
    let config = Config { versions: versions.clone(), compaction, ..Config::new(dir) };
    blocking(move || Ok(Store::open(config)?)).await
}

/// The bus that the settings name, for a store that holds what it holds.
async fn bus_of(settings: &Settings, tables: &Tables, registry: &Registry) -> Result<Box<dyn Bus>> {
    let recovered = tables.recovered();
    let BusKind::Kafka(config) = &settings.bus else {
        return Ok(Box::new(open_bus(&settings.data_dir, recovered).await?));
    };
    let state_at = |chain| recovered.get(&chain).map(|recovery| recovery.state_at).unwrap_or_default();
    let committed = chains::ids(settings).map(|chain| (chain, state_at(chain))).collect();
    Ok(Box::new(KafkaBus::new(
        bus::kafka::Config::clone(config),
        committed,
        bus::kafka::Metrics::new(registry)?,
    )))
}

async fn open_bus(dir: &Path, recovered: BTreeMap<ChainId, Recovery>) -> Result<LocalBus> {
    let committed = recovered.into_iter().map(|(chain, recovery)| (chain, recovery.state_at)).collect();
    let dir = bus_dir(dir);
    blocking(move || Ok(LocalBus::open(&dir, committed)?)).await
}

/// Runs work that reads and writes files where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

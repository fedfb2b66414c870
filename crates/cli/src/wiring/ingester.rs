//! One side of the bus: a process that reads chains and has no store.

use super::parts::Parts;
use super::{bind, chains, registry};
use crate::config::Settings;
use crate::config::bus::BusKind;
use crate::error::{Error, Result};
use async_trait::async_trait;
use bus::kafka::KafkaBus;
use bus::{Publisher, Tail};
use model::change::{Change, Epoch, Sequence};
use model::segment::Finality;
use runtime::health::{Health, State};
use runtime::metrics::Metrics;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// A process that reads chains.
#[derive(Debug)]
pub(crate) struct Ingester {
    /// Where it tells how it is.
    pub(crate) address: SocketAddr,
    /// What runs.
    pub(crate) parts: Parts,
}

/// Starts the readers of all chains of the settings. `stop` ends them.
///
/// # Errors
/// When the bus is one of a single process, or anything cannot be opened or listened on: nothing runs then.
pub(crate) async fn start(
    settings: &Settings,
    listen: SocketAddr,
    stop: CancellationToken,
) -> Result<Ingester> {
    let config = apart(settings, "ingest")?;
    let dir = &settings.data_dir;
    let failed = |source| Error::Io { action: "create", path: dir.clone(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let reference = registry::load(settings.registry_dir.as_deref(), dir).await?;
    let listener = bind(listen).await?;
    reference.save(dir)?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"))?;
    let counted = bus::kafka::Metrics::new(metrics.registry())?;
    let bus = KafkaBus::new(config.clone(), BTreeMap::new(), counted);
    let health = Health::default();
    chains::announce(settings, &health);
    let mut parts = Parts::new(stop.clone());
    let failed = |source| Error::Io { action: "listen on", path: PathBuf::from("the address"), source };
    let address = listener.local_addr().map_err(failed)?;
    let served = runtime::metrics::serve(listener, runtime::metrics::router(&metrics, &health), stop);
    parts.spawn("metrics".to_owned(), health.clone(), async move { served.await.map_err(failed) });
    let told = health.clone();
    let dress = move |inner, part: &str| -> Box<dyn Publisher> {
        Box::new(Telling { inner, part: part.to_owned(), health: told.clone() })
    };
    let (registry, reference) = (metrics.registry(), &reference);
    chains::read(&mut parts, (settings, reference), &bus, (registry, &health), dress)?;
    Ok(Ingester { address, parts })
}

/// The bus between processes.
///
/// # Errors
/// When it is one of a single process.
pub(super) fn apart<'a>(settings: &'a Settings, command: &str) -> Result<&'a bus::kafka::Config> {
    match &settings.bus {
        BusKind::Kafka(config) => Ok(config),
        BusKind::Local => Err(Error::Request(format!(
            "`rxtrail {command}` needs a bus between processes: [bus] kind = \"kafka\", brokers = [\"…\"]; \
             `rxtrail run` does all in one process"
        ))),
    }
}

/// A publisher that tells health how far it is.
struct Telling {
    inner: Box<dyn Publisher>,
    part: String,
    health: Health,
}

#[async_trait]
impl Publisher for Telling {
    async fn tail(&mut self) -> bus::Result<Tail> {
        self.inner.tail().await
    }

    async fn open(&mut self) -> bus::Result<Epoch> {
        self.health.update(&self.part, State::Starting, false, "stands by, or waits for the brokers");
        let epoch = self.inner.open().await?;
        self.health.update(&self.part, State::Starting, false, format!("the stream is ours, epoch {epoch}"));
        Ok(epoch)
    }

    async fn publish(&mut self, change: Change) -> bus::Result<Sequence> {
        let appended = match &change {
            Change::Append(segment) => Some((segment.last.number, segment.finality == Finality::Open)),
            _ => None,
        };
        let sequence = self.inner.publish(change).await?;
        if let Some((number, is_live)) = appended {
            // Open blocks are only read once every final one is: then the past is caught up with.
            self.health.update(&self.part, State::Ok, is_live, format!("block {number} is published"));
        }
        Ok(sequence)
    }
}

//! The readers of chains, and what health says of them.

use super::parts::Parts;
use super::registry::Reference;
use super::watch::{VERSIONS_AHEAD, Watch};
use crate::config::Settings;
use crate::error::{Error, Result};
use bus::{Bus, Publisher};
use ingest::run::Inputs;
use model::chain::ChainId;
use prometheus::Registry;
use runtime::health::{Health, State};
use tokio::sync::mpsc;
use transform::Outward;

/// The name of a chain's reader in health.
fn part(name: &str) -> String {
    format!("chain {name}")
}

/// Starts a reader for each chain, and watches the registry's files. `dress` may put something around a publisher.
///
/// # Errors
/// When a metric or a publisher cannot be made.
pub(super) fn read(
    parts: &mut Parts,
    (settings, reference): (&Settings, &Reference),
    bus: &dyn Bus,
    (registry, health): (&Registry, &Health),
    dress: impl Fn(Box<dyn Publisher>, &str) -> Box<dyn Publisher>,
) -> Result<()> {
    let metrics = ingest::metrics::Metrics::new(registry)?;
    let mut readers = Vec::with_capacity(settings.chains.len());
    for chain in &settings.chains {
        let (reader, versions) = mpsc::channel(VERSIONS_AHEAD);
        readers.push(reader);
        let part = part(&chain.name);
        let known = reference.version.iter().cloned().collect::<Vec<_>>();
        let inputs = Inputs {
            config: chain.ingest.clone(),
            filter: settings.deployment.filter(chain.ingest.id),
            publisher: dress(bus.publisher(chain.ingest.id)?, &part),
            registry: ingest::run::RegistryFeed::from(known).with_updates(versions),
            metrics: metrics.clone(),
        };
        let name = chain.name.clone();
        let reading = Box::pin(ingest::run(inputs, parts.stop().clone()));
        parts.spawn(part, health.clone(), async move {
            reading.await.map_err(|source| Error::Ingest { name, source })
        });
    }
    if let Some(dir) = settings.registry_dir.clone() {
        let watch = Watch { dir, data_dir: settings.data_dir.clone(), readers, health: health.clone() };
        let stop = parts.stop().clone();
        parts.spawn("registry".to_owned(), health.clone(), watch.run(stop));
    }
    Ok(())
}

/// Tells health of each chain that nothing has begun.
pub(super) fn announce(settings: &Settings, health: &Health) {
    for chain in &settings.chains {
        health.update(&part(&chain.name), State::Starting, false, "not begun");
    }
}

/// Tells health how far each chain is, as what was committed says.
pub(super) fn follow(parts: &Parts, settings: &Settings, outward: &Outward, health: &Health) {
    for chain in &settings.chains {
        let (part, id, health) = (part(&chain.name), chain.ingest.id, health.clone());
        let (mut progress, stop) = (outward.progress.subscribe(), parts.stop().clone());
        tokio::spawn(async move {
            while let Some(Ok(())) = stop.run_until_cancelled(progress.changed()).await {
                let last = progress.borrow_and_update().get(&id).copied();
                if let Some(tip) = last.and_then(|position| position.tip) {
                    // Open blocks are only read once every final one is: then the past is caught up with.
                    let is_live =
                        last.is_some_and(|position| position.finalized.is_some_and(|block| block < tip));
                    let detail = format!("block {} is committed", tip.number);
                    health.update(&part, State::Ok, is_live, detail);
                }
            }
        });
    }
}

/// The chains of the configuration.
pub(super) fn ids(settings: &Settings) -> impl Iterator<Item = ChainId> {
    settings.chains.iter().map(|chain| chain.ingest.id)
}

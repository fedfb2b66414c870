//! A process that answers questions from tables that another one writes.

use super::parts::Parts;
use super::{bind, engine_over, service_over};
use crate::config::Settings;
use crate::config::store::StoreKind;
use crate::error::{Error, Result};
use query::engine::Engine;
use runtime::health::{Health, State};
use runtime::metrics::Metrics;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use store::clickhouse::{Config, Reader};
use tokio_util::sync::CancellationToken;

/// A process that answers questions.
#[derive(Debug)]
pub(crate) struct Answering {
    /// Where.
    pub(crate) address: SocketAddr,
    /// What runs.
    pub(crate) parts: Parts,
}

/// Starts to answer. `stop` ends it.
///
/// # Errors
/// When the tables are of a data folder, which its own process answers for; when anything cannot be opened.
pub(crate) async fn start(settings: &Settings, stop: CancellationToken) -> Result<Answering> {
    let StoreKind::ClickHouse(config) = &settings.store else {
        return Err(Error::Request(
            "`rxtrail query` needs tables that another process writes: [store] kind = \"clickhouse\", url = \"…\"; \
             with tables in a data folder, `rxtrail run` and `rxtrail transform` answer themselves"
                .to_owned(),
        ));
    };
    let listener = bind(settings.query.listen).await?;
    let metrics = Metrics::new(env!("CARGO_PKG_VERSION"))?;
    let health = Health::expecting(["query", "tables"]);
    let opened = stop.run_until_cancelled(Reader::open(config)).await;
    let reader = opened.ok_or(Error::Interrupted)??;
    let engine = engine_over(Arc::new(reader.clone()), settings, &metrics)?;
    let failed = |source| Error::Io { action: "listen on", path: PathBuf::from("the address"), source };
    let address = listener.local_addr().map_err(failed)?;
    let router = query::http::router(
        service_over(engine, &health, &stop),
        runtime::metrics::router(&metrics, &health),
    );
    let served = runtime::metrics::serve(listener, router, stop.clone());
    health.update("query", State::Ok, true, format!("listening on {address}"));
    let mut parts = Parts::new(stop.clone());
    parts.spawn("query".to_owned(), health.clone(), async move { served.await.map_err(failed) });
    parts.spawn("tables".to_owned(), health.clone(), watch(reader, health, stop));
    Ok(Answering { address, parts })
}

/// An engine over the newest commit of a database, for one question.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn engine(config: &Config, settings: &Settings) -> Result<Arc<Engine>> {
    let reader = Reader::open(config).await?;
    engine_over(Arc::new(reader), settings, &Metrics::new(env!("CARGO_PKG_VERSION"))?)
}

/// Tells health whether newer commits would be seen.
async fn watch(reader: Reader, health: Health, stop: CancellationToken) -> Result<()> {
    let mut reached = reader.reached();
    loop {
        match *reached.borrow_and_update() {
            true => health.update("tables", State::Ok, true, "newer commits are looked for"),
            false => health.update("tables", State::Degraded, false, "ClickHouse does not answer"),
        }
        match stop.run_until_cancelled(reached.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) | None => return Ok(()),
        }
    }
}

//! `run`: all of it in one process. `ingest` and `transform`: each a side of the bus. `query`: answers alone.

use crate::args::{Common, Query, Run};
use crate::config::bus::BusKind;
use crate::config::{Overrides, Settings};
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::tell;
use crate::wiring::{self, Parts, Role};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs until a signal, with a store.
pub(super) async fn execute(common: &Common, args: &Run, role: Role) -> Result<Exit> {
    let settings = settings(common, args)?;
    let stop = runtime::shutdown::on_signal()?;
    if let Some(secs) = args.standby {
        wiring::until_free(&settings, Duration::from_secs(secs), &stop).await?;
    }
    let running = wiring::start(&settings, role, Some(settings.query.listen), stop.clone()).await?;
    if let Some(address) = running.address {
        tell(&format!(
            "rxtrail answers at http://{address} (POST /v1/sql, GET /metrics /health /ready); Ctrl-C ends it"
        ));
    }
    end(running.parts, &stop).await
}

/// Reads chains until a signal, without a store.
pub(super) async fn ingest(common: &Common, args: &Run) -> Result<Exit> {
    let settings = settings(common, args)?;
    let stop = runtime::shutdown::on_signal()?;
    let ingester = wiring::ingester::start(&settings, settings.query.listen, stop.clone()).await?;
    tell(&format!(
        "rxtrail reads its chains and tells how it is at http://{} (GET /metrics /health /ready); Ctrl-C ends it",
        ingester.address
    ));
    end(ingester.parts, &stop).await
}

/// Answers until a signal, from tables that another process writes.
pub(super) async fn query(common: &Common, args: &Query) -> Result<Exit> {
    let overrides = Overrides { data_dir: args.data.data_dir.clone(), listen: args.listen };
    let settings = load(common, &overrides)?;
    let stop = runtime::shutdown::on_signal()?;
    let answering = wiring::answering::start(&settings, stop.clone()).await?;
    let address = answering.address;
    tell(&format!(
        "rxtrail answers at http://{address} (POST /v1/sql, GET /metrics /health /ready); Ctrl-C ends it"
    ));
    end(answering.parts, &stop).await
}

fn settings(common: &Common, args: &Run) -> Result<Settings> {
    let overrides = Overrides { data_dir: args.data.data_dir.clone(), listen: args.listen };
    let mut settings = load(common, &overrides)?;
    if let (Some(secs), BusKind::Kafka(config)) = (args.standby, &mut settings.bus) {
        config.standby = Some(Duration::from_secs(secs));
    }
    if let Some((chain, offset)) = args.republish_from {
        let BusKind::Kafka(config) = &mut settings.bus else {
            return Err(Error::Request("--republish-from is for [bus] kind = \"kafka\"".to_owned()));
        };
        config.republish_from.insert(chain, offset);
    }
    Ok(settings)
}

async fn end(parts: Parts, stop: &CancellationToken) -> Result<Exit> {
    parts.ended().await?;
    if stop.is_cancelled() {
        return Err(Error::Interrupted);
    }
    Ok(Exit::Ok)
}

//! `run`: all of it in one process.

use crate::args::{Common, Run};
use crate::config::Overrides;
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::tell;
use crate::wiring;

/// Runs until a signal.
pub(super) async fn execute(common: &Common, args: &Run) -> Result<Exit> {
    let overrides = Overrides { data_dir: args.data.data_dir.clone(), listen: args.listen };
    let settings = load(common, &overrides)?;
    let stop = runtime::shutdown::on_signal()?;
    let running = wiring::start(&settings, Some(settings.query.listen), stop.clone()).await?;
    if let Some(address) = running.address {
        tell(&format!(
            "rxtrail answers at http://{address} (POST /v1/sql, GET /metrics /health /ready); Ctrl-C ends it"
        ));
    }
    running.ended().await?;
    if stop.is_cancelled() {
        return Err(Error::Interrupted);
    }
    Ok(Exit::Ok)
}

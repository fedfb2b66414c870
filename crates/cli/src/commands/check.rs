//! `check`: the configuration, then what it needs of nodes and disk.

use crate::args::{Check, Common};
use crate::config::Overrides;
use crate::door::load;
use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::{print, tell};
use crate::wiring::blocking;
use std::fmt::Write as _;

/// Checks.
pub(super) async fn execute(common: &Common, args: &Check) -> Result<Exit> {
    let settings = load(common, &Overrides::default())?;
    let deployment = &settings.deployment;
    let mut out = format!(
        "{}: {} chains, {} contracts\n",
        common.config.display(),
        settings.chains.len(),
        deployment.contracts.len()
    );
    if let Some(dir) = settings.registry_dir.clone() {
        let shown = dir.display().to_string();
        let rows = blocking(move || Ok(ingest::registry::load(&dir)?)).await?;
        let (parties, products, contracts) = (rows.parties.len(), rows.products.len(), rows.contracts.len());
        writeln!(out, "{shown}: {parties} parties, {products} products, {contracts} contracts").ok();
    } else {
        tell("warning: no [registry] dir: without reference data nobody is known, and most rules are silent");
    }
    print(&out)?;
    if args.offline {
        return Ok(Exit::Ok);
    }
    Ok(Exit::Ok)
}

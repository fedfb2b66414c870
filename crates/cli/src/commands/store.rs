//! `store verify` and `store compact`.

use crate::args::{Common, StoreCommand};
use crate::door::data_dir;
use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::{print, tell};
use crate::wiring::blocking;
use std::fmt::Write as _;
use std::path::PathBuf;
use store::{Config, Store};

/// Looks after a data folder.
pub(super) async fn execute(common: &Common, command: &StoreCommand) -> Result<Exit> {
    match command {
        StoreCommand::Verify(data) => verify(data_dir(common, data)?).await,
        StoreCommand::Compact(data) => compact(data_dir(common, data)?).await,
    }
}

async fn verify(dir: PathBuf) -> Result<Exit> {
    let report = blocking(move || Ok(store::parquet::verify::verify(&dir)?)).await?;
    let mut out = format!(
        "{} records of the commit log, {} files, {} rows, {} bytes\n",
        report.records, report.segments, report.rows, report.bytes
    );
    for problem in &report.problems {
        writeln!(out, "damaged: {problem}").ok();
    }
    print(&out)?;
    if report.problems.is_empty() {
        tell("every hash is as it was written");
        return Ok(Exit::Ok);
    }
    Ok(Exit::Findings)
}

async fn compact(dir: PathBuf) -> Result<Exit> {
    let merges = blocking(move || {
        let config = Config { compaction: false, ..Config::new(dir) };
        // What rows were made by stays as it was: nothing is made here.
        let versions = Store::open(config.clone())?.stored_versions()?;
        Ok(Store::open(Config { versions, ..config })?.compact()?)
    })
    .await?;
    print(&format!("{merges} merges\n"))?;
    Ok(Exit::Ok)
}

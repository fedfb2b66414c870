//! `check`: the configuration and its files, then what it needs of disk and nodes.

use crate::args::{Check, Common};
use crate::config::bus::BusKind;
use crate::config::chains::Chain;
use crate::config::store::StoreKind;
use crate::config::{Overrides, Settings};
use crate::door::load;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{print, printable};
use crate::wiring::blocking;
use bus::kafka::inspect::inspect;
use ingest::config::FinalityRule;
use ingest::probe::{EndpointReport, LevelCost, ProbeReport, probe};
use model::segment::VerificationLevel;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::clickhouse;

/// Less free space than this is told: a flush, a compaction of the largest table and a spilling query at once.
const FREE_BYTES: u64 = 10 << 30;

/// How long the brokers have to answer.
const BROKERS_WITHIN: Duration = Duration::from_secs(20);

/// What was looked at, line by line.
#[derive(Debug, Default)]
struct Sheet {
    text: String,
    failed: bool,
}

impl Sheet {
    fn ok(&mut self, text: &str) {
        self.line("ok  ", text);
    }

    fn warn(&mut self, text: &str) {
        self.line("warn", text);
    }

    fn fail(&mut self, text: &str) {
        self.failed = true;
        self.line("FAIL", text);
    }

    fn line(&mut self, mark: &str, text: &str) {
        // Writing to a text cannot fail.
        writeln!(self.text, "{mark}  {}", printable(text)).ok();
    }
}

/// Checks.
pub(super) async fn execute(common: &Common, args: &Check) -> Result<Exit> {
    let settings = load(common, &Overrides::default())?;
    let mut sheet = Sheet::default();
    files(&mut sheet, common, &settings).await?;
    print(&std::mem::take(&mut sheet.text))?;
    if !args.offline {
        disk(&mut sheet, &settings.data_dir)?;
        topics(&mut sheet, &settings).await;
        database(&mut sheet, &settings).await;
        for chain in &settings.chains {
            let filter = settings.deployment.filter(chain.ingest.id);
            let asked = probe(&chain.ingest, &filter).await;
            let report = asked.map_err(|source| Error::Ingest { name: chain.name.clone(), source })?;
            nodes(&mut sheet, chain, &report);
            print(&std::mem::take(&mut sheet.text))?;
        }
    }
    Ok(if sheet.failed { Exit::Findings } else { Exit::Ok })
}

async fn files(sheet: &mut Sheet, common: &Common, settings: &Settings) -> Result<()> {
    let (chains, contracts) = (settings.chains.len(), settings.deployment.contracts.len());
    sheet.ok(&format!("{}: chains {chains}, contracts {contracts}", common.config.display()));
    let Some(dir) = settings.registry_dir.clone() else {
        sheet.warn(
            "there is no [registry]: without reference data nobody is known, and most rules stay silent",
        );
        return Ok(());
    };
    let shown = dir.display().to_string();
    let rows = blocking(move || Ok(ingest::registry::load(&dir)?)).await?;
    let (parties, products, authorities) = (rows.parties.len(), rows.products.len(), rows.contracts.len());
    sheet.ok(&format!("{shown}: parties {parties}, products {products}, contracts {authorities}"));
    if authorities == 0 {
        sheet.warn("contracts.csv names no contract: none has authority, so no item's state changes");
    }
    Ok(())
}

/// Are the brokers there, and what do they hold?
async fn topics(sheet: &mut Sheet, settings: &Settings) {
    let BusKind::Kafka(config) = &settings.bus else { return };
    for chain in &settings.chains {
        let asked = tokio::time::timeout(BROKERS_WITHIN, inspect(config, chain.ingest.id, None, 0));
        match asked.await {
            Ok(Ok(found)) => {
                let (sequence, tip) = (found.tail.position.sequence, found.tail.position.tip);
                let tip = tip.map_or_else(|| "no block".to_owned(), |tip| format!("block {}", tip.number));
                sheet.ok(&format!(
                    "[chains.{}]: topic {} holds up to record {sequence}, {tip}",
                    chain.name, found.topic
                ));
            }
            Ok(Err(bus::Error::Kafka { action: "find", topic, .. })) => {
                sheet.warn(&format!(
                    "[chains.{}]: there is no topic {topic} yet; `ingest` makes it",
                    chain.name
                ));
            }
            Ok(Err(error)) => sheet.fail(&format!("[chains.{}]: {error}", chain.name)),
            Err(_) => sheet.fail(&format!(
                "[chains.{}]: no broker of {} answers",
                chain.name,
                config.brokers.join(", ")
            )),
        }
    }
}

/// Does the server of the tables answer, and is there a writer?
async fn database(sheet: &mut Sheet, settings: &Settings) {
    let StoreKind::ClickHouse(config) = &settings.store else { return };
    let looked = async { Ok((clickhouse::version(config).await?, clickhouse::silent_for(config).await?)) };
    let looked: store::Result<(String, Option<Duration>)> = looked.await;
    match looked {
        Ok((version, silent)) => {
            let written = match silent {
                None => "is not there yet; `transform` makes it".to_owned(),
                Some(silent) => format!("was written to {} s ago", silent.as_secs()),
            };
            sheet.ok(&format!(
                "[store]: ClickHouse {version} answers; database {} {written}",
                config.database
            ));
        }
        Err(error) => sheet.fail(&format!("[store]: {error}")),
    }
}

fn disk(sheet: &mut Sheet, data_dir: &Path) -> Result<()> {
    let absolute = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_path_buf());
    let there =
        absolute.ancestors().find(|path| path.is_dir()).map_or_else(|| PathBuf::from("/"), Path::to_path_buf);
    let failed = |source| Error::Io { action: "look at", path: there.clone(), source };
    let free = fs4::available_space(&there).map_err(failed)?;
    let text = format!("{}: {} free", data_dir.display(), bytes(free));
    if free < FREE_BYTES {
        sheet.warn(&text)
    } else {
        sheet.ok(&text)
    }
    Ok(())
}

fn nodes(sheet: &mut Sheet, chain: &Chain, report: &ProbeReport) {
    for endpoint in &report.endpoints {
        node(sheet, chain, endpoint);
    }
    if report.costs.is_empty() {
        sheet.fail(&format!("chain {}: no endpoint can be read", chain.name));
        return;
    }
    sheet.text.push_str(
        "      level          calls       bytes    hours   (from start_block to the last final block)\n",
    );
    for LevelCost { level, calls, bytes: size, hours } in &report.costs {
        let mark = if *level == chain.ingest.verify.backfill { "  <- configured for backfill" } else { "" };
        writeln!(
            sheet.text,
            "      {:<9} {calls:>10}  {:>10}  {hours:>7.2}{mark}",
            level.as_str(),
            bytes(*size)
        )
        .ok();
    }
}

fn node(sheet: &mut Sheet, chain: &Chain, endpoint: &EndpointReport) {
    let name = format!("chain {}, endpoint {}", chain.name, endpoint.name);
    if let Some(failure) = &endpoint.failure {
        sheet.fail(&format!("{name}: {failure}"));
        return;
    }
    let number = |block: Option<u64>| block.map_or_else(|| "none".to_owned(), |number| number.to_string());
    sheet.ok(&format!(
        "{name}: chain id {}, head {}, finalized {}, history from {}, {} calls in a batch, {} ms a call",
        number(endpoint.serves),
        number(endpoint.head),
        number(endpoint.finalized),
        number(endpoint.history_from),
        endpoint.batch,
        number(endpoint.latency_ms),
    ));
    let ingest = &chain.ingest;
    if endpoint.history_from.is_none_or(|from| from > ingest.start_block) {
        sheet.fail(&format!(
            "{name}: the history from block {} is not there; it needs an archive node",
            ingest.start_block
        ));
    }
    if endpoint.finalized.is_none() && ingest.finality == FinalityRule::Tag {
        sheet.fail(&format!("{name}: no block is tagged finalized; set finality = {{ confirmations = 64 }}"));
    }
    let wants_receipts = [ingest.verify.head, ingest.verify.backfill].contains(&VerificationLevel::Receipts);
    if endpoint.block_receipts == Some(false) && wants_receipts {
        sheet.warn(&format!(
            "{name}: eth_getBlockReceipts is not known; each receipt is asked for on its own, which is slow"
        ));
    }
}

/// `1.5 GB`
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests;

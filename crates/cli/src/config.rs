//! The configuration: one TOML file, environment over it, flags over both; read whole or not at all.
//!
//! ```toml
//! data_dir = "/var/lib/rxtrail"
//!
//! [chains.ethereum]
//! id = 1
//! endpoints = ["https://…"]      # or endpoints_file = "/run/secrets/ethereum"
//! start_block = 19000000
//!
//! [[contracts]]
//! name = "packs"
//! chain = "ethereum"
//! address = "0x…"                # or factory = { address, event, field }, or any = true
//! profile = "gs1-pack"           # or a file: "profiles/ours.toml"
//!
//! [registry]
//! dir = "registry"
//!
//! [bus]
//! kind = "local"                 # or "kafka", brokers = ["127.0.0.1:9092"]
//!
//! [store]
//! kind = "parquet"               # or "clickhouse", url = "http://127.0.0.1:8123"
//!
//! [query]
//! listen = "127.0.0.1:7474"
//!
//! [rules.ST-01]
//! repeat_secs = 43200
//! ```

pub(crate) mod bus;
pub(crate) mod chains;
mod contracts;
pub(crate) mod diagnostic;
mod environment;
mod masked;
mod node;
mod rules;
mod secret;
mod section;
pub(crate) use section::nearest as section_nearest;
pub(crate) mod services;
pub(crate) mod store;

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use bus::BusKind;
use chains::Chain;
use diagnostic::{Findings, Refused};
use node::{Node, Place, Value};
use section::Section;
use services::Query;
use std::path::{Path, PathBuf};
use store::StoreKind;

/// What a file may have: a deployment of a thousand contracts has 200 KB.
const FILE_BYTES: u64 = 4 << 20;

/// The configuration of a process.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// The chains that are read.
    pub(crate) chains: Vec<Chain>,
    /// What rows depend on.
    pub(crate) deployment: Deployment,
    /// The folder of the registry's files.
    pub(crate) registry_dir: Option<PathBuf>,
    /// Where questions are asked.
    pub(crate) query: Query,
    /// How changes get to the transform.
    pub(crate) bus: BusKind,
    /// Where tables are kept.
    pub(crate) store: StoreKind,
}

/// What the command line says over the file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Overrides {
    /// `--data-dir`.
    pub(crate) data_dir: Option<PathBuf>,
    /// `--listen`.
    pub(crate) listen: Option<std::net::SocketAddr>,
}

/// Reads a configuration file, with the environment and `overrides` over it.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub(crate) fn load(path: &Path, overrides: &Overrides) -> Result<Settings> {
    let failed = |source| Error::Configuration { path: path.to_path_buf(), source };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES {
        return Err(failed(std::io::Error::other(format!(
            "it has {bytes} bytes, at most {FILE_BYTES} are read"
        ))));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let base = path.parent().unwrap_or(Path::new(""));
    // A variable that is no text cannot configure anything.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    read(&path.display().to_string(), &text, base, variables, overrides).map_err(Error::Refused)
}

/// Reads a configuration of this `name` and `text`; relative paths begin at `base`.
fn read(
    name: &str,
    text: &str,
    base: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> std::result::Result<Settings, Refused> {
    let findings = Findings::default();
    let (mut table, errors) = node::parse(text);
    let shown = masked::masked(text, &table);
    for error in errors {
        findings.note("config::syntax", &Place::File(error.span.clone()), error.to_string(), None);
    }
    environment::lay_over(&mut table, variables);
    lay_flags(&mut table, overrides);
    let whole = Place::File(0..0);
    let settings = settings(Section::new("", &table, &whole, &findings), base);
    let findings = findings.take();
    match settings {
        Some(settings) if findings.is_empty() => Ok(settings),
        _ => Err(Refused::new(name, &shown, findings)),
    }
}

fn lay_flags(table: &mut node::Table, overrides: &Overrides) {
    let mut put = |keys: &[&str], value: String, flag| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        environment::put(table, &keys, Node { value: Value::Text(value), place: Place::Flag(flag) });
    };
    if let Some(dir) = overrides.data_dir.as_ref().and_then(|dir| std::path::absolute(dir).ok()) {
        put(&["data_dir"], dir.display().to_string(), "--data-dir");
    }
    if let Some(listen) = overrides.listen {
        put(&["query", "listen"], listen.to_string(), "--listen");
    }
}

fn settings(root: Section<'_>, base: &Path) -> Option<Settings> {
    let findings = root.findings();
    root.need("data_dir", "\"rxtrail-data\"");
    let data_dir = root.path("data_dir", base);
    let named = root.sections("chains");
    if named.is_empty() {
        let help = "[chains.ethereum], id = 1, endpoints = [\"http://127.0.0.1:8545\"]";
        findings.note("config::no-chain", root.place(), "there is no chain to read", Some(help.to_owned()));
    }
    let chains: Vec<_> =
        named.into_iter().map(|(name, section)| (name, chains::read(name, section, base))).collect();
    check_ids(&chains, findings);
    let listed = root.list("contracts");
    let place = root.get("contracts").map_or(root.place(), |node| &node.place);
    if listed.is_empty() {
        let help = "[[contracts]], name = \"packs\", chain = \"ethereum\", address = \"0x…\", profile = \"gs1-pack\"";
        findings.note("config::no-contract", place, "there is no contract to watch", Some(help.to_owned()));
    }
    let count = listed.len();
    let contracts: Vec<_> =
        listed.into_iter().filter_map(|section| contracts::read(section, &chains, base)).collect();
    let registry = root.section("registry");
    let registry_dir = registry.and_then(|section| {
        let dir = section.need("dir", "\"registry\"").and_then(|_| section.path("dir", base));
        section.finish();
        dir
    });
    let query = root.section("query").map(services::query).unwrap_or_default();
    let store = root.section("store").map(|section| store::store(section, base)).unwrap_or_default();
    let bus = root.section("bus").map(|section| bus::bus(section, base)).unwrap_or_default();
    let mut rules = rules::Rules::default();
    for (code, section) in root.sections("rules") {
        rules::read(code, section, &mut rules);
    }
    let whole = contracts.len() == count && chains.iter().all(|(_, chain)| chain.is_some());
    let chains: Vec<Chain> = chains.into_iter().filter_map(|(_, chain)| chain).collect();
    let deployment = Deployment {
        chains: chains.iter().map(|chain| (chain.ingest.id, chain.ingest.start_block)).collect(),
        contracts,
        parameters: rules.parameters,
        off: rules.off,
    };
    if whole {
        check_together(&deployment, &chains, place, findings);
    }
    root.finish();
    Some(Settings { data_dir: data_dir?, chains, deployment, registry_dir, query, bus, store })
}

fn check_ids(chains: &[(&str, Option<Chain>)], findings: &Findings) {
    let known: Vec<&Chain> = chains.iter().filter_map(|(_, chain)| chain.as_ref()).collect();
    for (at, chain) in known.iter().enumerate() {
        if let Some(first) = known[..at].iter().find(|first| first.ingest.id == chain.ingest.id) {
            let message = format!(
                "[chains.{}] and [chains.{}] have the same id {}",
                first.name, chain.name, chain.ingest.id
            );
            findings.note(
                "config::chain-twice",
                &Place::File(0..0),
                message,
                Some("several endpoints of one chain go in one list".into()),
            );
        }
    }
}

/// Checks what only shows when chains and contracts are seen together.
fn check_together(deployment: &Deployment, chains: &[Chain], place: &Place, findings: &Findings) {
    if let Err(error) = deployment.profiles() {
        findings.note("config::contracts", place, error.to_string(), None);
    }
    for chain in chains {
        if let Err(error) = deployment.filter(chain.ingest.id).check() {
            findings.note("config::contracts", place, format!("[chains.{}]: {error}", chain.name), None);
        }
    }
}

#[cfg(test)]
mod tests;

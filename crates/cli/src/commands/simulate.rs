//! `simulate`: a simulated supply chain as a node of its own.

use crate::args::{Common, Simulate};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::logs;
use crate::terminal::{print, tell};
use crate::wiring::blocking;
use simulator::{Config, Contract, Endpoint, Faults, History, Simulator};
use std::fmt::Write as _;
use std::path::Path;

/// Serves until a signal.
pub(super) async fn execute(common: &Common, args: &Simulate) -> Result<Exit> {
    logs::start(common, None)?;
    let seed = args.seed.map_or_else(super::demo::drawn_seed, Ok)?;
    let config = config(args, seed);
    tell(&format!("seed {}", config.seed));
    let stop = runtime::shutdown::on_signal()?;
    let simulator = blocking(move || Ok(Simulator::generate(config)?)).await?;
    if let Some(path) = &args.labels {
        simulator::label::write(simulator.labels(), path)?;
    }
    if let Some(dir) = &args.registry {
        simulator.write_registry(dir)?;
    }
    let contracts = simulator.contracts().to_vec();
    let (events, planted) = (simulator.events(), simulator.labels().len());
    let running = simulator.serve(&args.listen, stop.clone()).await?;
    if let (Some(path), Some(registry)) = (&args.write_config, &args.registry) {
        write_config(path, registry, &running.endpoints, &contracts)?;
    }
    for endpoint in &running.endpoints {
        print(&format!("chain {} at {}\n", endpoint.chain_id, endpoint.http_url()))?;
    }
    for twin in &running.twins {
        print(&format!("chain {} twin at {}\n", twin.chain_id, twin.http_url()))?;
    }
    tell(&format!("{events} logs, {planted} planted frauds; Ctrl-C ends it"));
    stop.cancelled().await;
    running.stopped().await;
    Err(Error::Interrupted)
}

fn config(args: &Simulate, seed: u64) -> Config {
    let faults = &args.faults;
    Config {
        chains: args.chain_ids.clone(),
        events: args.events,
        history: if args.history == 100 { History::All } else { History::Share(args.history) },
        block_interval_ms: args.block_interval,
        finality_depth: args.finality_depth,
        twin_fork_block: args.twin_from,
        faults: Faults {
            latency_ms: faults.latency,
            too_many_requests_every: faults.too_many_requests_every,
            cut_body_every: faults.cut_body_every,
            drop_connection_every: faults.drop_connection_every,
            omit_log_every: faults.omit_log_every,
            forge_log_every: faults.forge_log_every,
            forge_receipts: faults.forge_receipts,
            alter_sender_every: faults.alter_sender_every,
            alter_header_every: faults.alter_header_every,
            pruned_below: faults.pruned_below,
            ..Faults::default()
        },
        ..Config::new(seed)
    }
}

/// A configuration that reads these nodes. Impostors are met by watching the profile on any contract.
fn write_config(path: &Path, registry: &Path, endpoints: &[Endpoint], contracts: &[Contract]) -> Result<()> {
    let registry = std::path::absolute(registry).unwrap_or_else(|_| registry.to_path_buf());
    let text = as_toml(&registry, endpoints, contracts);
    std::fs::write(path, text).map_err(|source| Error::Io {
        action: "write",
        path: path.to_path_buf(),
        source,
    })
}

fn as_toml(registry: &Path, endpoints: &[Endpoint], contracts: &[Contract]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut out = "data_dir = \"rxtrail-data\"\n\n[registry]\n".to_owned();
    writeln!(out, "dir = {}", quoted(&registry.display().to_string())).ok();
    for endpoint in endpoints {
        let (id, url) = (endpoint.chain_id, quoted(&endpoint.http_url()));
        writeln!(out, "\n[chains.simulated-{id}]\nid = {id}\nendpoints = [{url}]\npoll_ms = 100").ok();
    }
    for Contract { name, chain, address, profile, .. } in contracts {
        writeln!(out, "\n[[contracts]]\nname = {}\nchain = \"simulated-{chain}\"", quoted(name)).ok();
        writeln!(out, "address = \"{address}\"\nprofile = {}", quoted(profile)).ok();
    }
    for endpoint in endpoints {
        let id = endpoint.chain_id;
        writeln!(out, "\n[[contracts]]\nname = \"anyone\"\nchain = \"simulated-{id}\"\nany = true\nprofile = \"gs1-pack\"").ok();
    }
    out
}

//! The pipeline from end to end, as processes: `rxtrail simulate` serves a chain, `rxtrail run` reads it. Prints a table
//! of what it took: events a second, memory, bytes an event, restart, and the time from a block to its alerts. Then the
//! same with a broker of Kafka between `rxtrail ingest` and `rxtrail transform`, where `tests/run` installed one.
//!
//! ```text
//! cargo bench --workspace --bench pipeline -- [events] [data folder]
//! ```
//!
//! Figures of one run belong together: both processes share the machine.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for people, which ends where it fails"
)]

#[path = "../src/broker.rs"]
mod broker;

use broker::Broker;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Events of a run where none are asked for.
const EVENTS: u64 = 1_000_000;
/// Everything is drawn from it: each run indexes the same chain.
const SEED: u64 = 1;
/// The simulated chain.
const CHAIN: u64 = 1;
/// Between two looks at a process that works.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between two looks for the latency: its resolution.
const LATENCY_LOOK_EVERY: Duration = Duration::from_millis(2);
/// Blocks whose latency is taken, a quarter of a second apart.
const LATENCY_BLOCKS: usize = 200;

/// A process of ours, killed when dropped.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Process {
    /// Starts `rxtrail` and waits until it says its address behind `marker`, on standard output or error.
    fn start(arguments: &[&str], marker: &str, on_stderr: bool) -> Self {
        let (out, err) =
            if on_stderr { (Stdio::null(), Stdio::piped()) } else { (Stdio::piped(), Stdio::inherit()) };
        let mut child = Command::new(program())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("rxtrail starts: cargo build --release builds it");
        let said: Box<dyn std::io::Read + Send> = if on_stderr {
            Box::new(child.stderr.take().expect("it is piped"))
        } else {
            Box::new(child.stdout.take().expect("it is piped"))
        };
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains(marker)).expect("it says where it is");
        let url = line.split(marker).nth(1).expect("the marker is there");
        let url = url.split_whitespace().next().expect("an address").to_owned();
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn simulate(dir: &Path, events: u64, more: &[&str]) -> Self {
        let (events, seed) = (events.to_string(), SEED.to_string());
        let (registry, config) = (text(&dir.join("registry")), text(&dir.join("rxtrail.toml")));
        let mut arguments = vec!["simulate", "--events", &events, "--seed", &seed, "--listen", "127.0.0.1:0"];
        arguments.extend(["--registry", &registry, "--write-config", &config]);
        arguments.extend(more);
        Self::start(&arguments, " at ", false)
    }

    fn run(dir: &Path, data: &Path) -> Self {
        Self::role("run", &dir.join("rxtrail.toml"), data)
    }

    /// `run`, `ingest` or `transform`.
    fn role(role: &str, config: &Path, data: &Path) -> Self {
        let (config, data) = (text(config), text(data));
        let arguments = [role, "--config", &config, "--data-dir", &data, "--listen", "127.0.0.1:0"];
        let marker = if role == "ingest" { "tells how it is at " } else { "rxtrail answers at " };
        Self::start(&arguments, marker, true)
    }

    /// Waits until the backfill has met the head.
    async fn ready(&self, client: &Client) {
        let url = format!("{}/ready", self.url);
        loop {
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A number that SQL answers with.
    async fn count(&self, client: &Client, sql: &str) -> u64 {
        let request = client.post(format!("{}/v1/sql", self.url)).header("accept", "text/csv");
        let answer = request.body(sql.to_owned()).send().await.expect("an answer");
        let answer = answer.text().await.expect("text");
        answer.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("{sql}: {answer}"))
    }

    /// The most memory that it ever had, bytes.
    fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    /// Processor time so far.
    fn cpu_secs(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks =
            |at: usize| after_name.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok());
        // utime and stime, the 14th and 15th of all; 100 ticks a second on Linux.
        (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
    }

    /// Asks it to end and waits until everything is on disk.
    fn terminate(mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill is on every system");
        self.child.wait().expect("a process of ours");
    }
}

/// The program built beside this one.
fn program() -> PathBuf {
    let bench = std::env::current_exe().expect("this is a file");
    bench.parent().and_then(Path::parent).expect("target/release/deps").join("rxtrail")
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path of text").to_owned()
}

fn bytes_in(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).map(Iterator::flatten).into_iter().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// A line of the table.
fn line(what: &str, figure: &str) {
    println!("{what:<44}{figure:>24}");
}

const MIB: f64 = 1_048_576.0;

/// Reads a chain that stands still, from nothing to everything durable; then starts again over the same folder.
async fn backfill(client: &Client, dir: &Path, data: &Path, events: u64) {
    let began = Instant::now();
    let node = Process::simulate(dir, events, &["--history", "100", "--block-interval", "0"]);
    line("chain made", &format!("{:.1} s", began.elapsed().as_secs_f64()));
    let (node_cpu, began) = (node.cpu_secs(), Instant::now());
    let indexer = Process::run(dir, data);
    indexer.ready(client).await;
    let (caught_up, peak) = (began.elapsed(), indexer.peak_bytes());
    let logs = indexer.count(client, "SELECT count(*) FROM logs").await;
    let rows = indexer.count(client, "SELECT count(*) FROM events").await;
    let items = indexer.count(client, "SELECT count(*) FROM items").await;
    let (asked, cpu) = (indexer.peak_bytes(), indexer.cpu_secs());
    let ending = Instant::now();
    indexer.terminate();
    let durable = caught_up + ending.elapsed();
    let disk = bytes_in(data);
    line("logs / events / items", &format!("{logs} / {rows} / {items}"));
    line("JSON-RPC to durable columns", &format!("{:.1} s", durable.as_secs_f64()));
    line("events a second, to durable", &format!("{:.0}", rows as f64 / durable.as_secs_f64()));
    line("processor time: rxtrail", &format!("{cpu:.1} s"));
    line("processor time: the node", &format!("{:.1} s", node.cpu_secs() - node_cpu));
    line("memory, peak", &format!("{:.0} MiB", peak as f64 / MIB));
    line("memory, peak, with three counts asked", &format!("{:.0} MiB", asked as f64 / MIB));
    let allowed = 155.0 * 1e6 + 200.0 * items as f64;
    line("memory allowed (155 MB + 200 B an item)", &format!("{:.0} MiB", allowed / MIB));
    line("bytes an event on disk", &format!("{:.1}", disk as f64 / rows.max(1) as f64));
    let began = Instant::now();
    let indexer = Process::run(dir, data);
    indexer.ready(client).await;
    line("restart to ready", &format!("{:.2} s", began.elapsed().as_secs_f64()));
    line("memory after restart, peak", &format!("{:.0} MiB", indexer.peak_bytes() as f64 / MIB));
    indexer.terminate();
}

/// The configuration of the simulator's chain with a broker as its bus.
fn with_broker(dir: &Path, broker: &Broker, prefix: &str) -> PathBuf {
    let plain = std::fs::read_to_string(dir.join("rxtrail.toml")).expect("the simulator wrote it");
    let bus = format!(
        "\n[bus]\nkind = \"kafka\"\nbrokers = [\"{}\"]\ntopic_prefix = \"{prefix}\"\n",
        broker.address()
    );
    let config = dir.join("kafka.toml");
    std::fs::write(&config, plain + &bus).expect("a file");
    config
}

/// The backfill through a broker, from nothing to everything durable.
async fn through_kafka(client: &Client, dir: &Path, broker: &Broker, events: u64) {
    let node = Process::simulate(dir, events, &["--history", "100", "--block-interval", "0"]);
    let config = with_broker(dir, broker, "backfill.");
    let began = Instant::now();
    let reader = Process::role("ingest", &config, &dir.join("ingest"));
    let indexer = Process::role("transform", &config, &dir.join("transform"));
    indexer.ready(client).await;
    let rows = indexer.count(client, "SELECT count(*) FROM events").await;
    let (read_cpu, index_cpu) = (reader.cpu_secs(), indexer.cpu_secs());
    indexer.terminate();
    let durable = began.elapsed();
    line(
        "through Kafka: events a second, to durable",
        &format!("{:.0}", rows as f64 / durable.as_secs_f64()),
    );
    line("processor time: ingest / transform", &format!("{read_cpu:.1} s / {index_cpu:.1} s"));
    reader.terminate();
    drop(node);
}

/// From a block to its alerts through a broker.
async fn latency_through_kafka(client: &Client, dir: &Path, broker: &Broker) {
    let node = Process::simulate(dir, 20_000, &["--history", "20", "--block-interval", "250"]);
    let config = with_broker(dir, broker, "live.");
    let _reader = Process::role("ingest", &config, &dir.join("live-ingest"));
    let indexer = Process::role("transform", &config, &dir.join("live-transform"));
    latency(client, &node, &indexer, "through Kafka: block to alert").await;
}

/// The same in one process.
async fn latency_alone(client: &Client, dir: &Path, data: &Path) {
    let node = Process::simulate(dir, 20_000, &["--history", "20", "--block-interval", "250"]);
    let indexer = Process::run(dir, data);
    latency(client, &node, &indexer, "block to alert").await;
}

/// When each block was first seen at the node, and committed with its alerts told.
async fn latency(client: &Client, node: &Process, indexer: &Process, what: &str) {
    indexer.ready(client).await;
    let (mut seen, mut told) = (BTreeMap::new(), BTreeMap::new());
    while told.len() < LATENCY_BLOCKS {
        let (head, indexed) = tokio::join!(head(client, &node.url), indexed(client, &indexer.url));
        let now = Instant::now();
        if let Some(head) = head {
            seen.entry(head).or_insert(now);
        }
        if let Some(indexed) = indexed.filter(|indexed| seen.contains_key(indexed)) {
            told.entry(indexed).or_insert(now);
        }
        tokio::time::sleep(LATENCY_LOOK_EVERY).await;
    }
    let mut waited: Vec<Duration> = told.iter().map(|(block, at)| *at - seen[block]).collect();
    waited.sort_unstable();
    let at = |share: f64| waited[((waited.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    line(&format!("{what}, p50"), &format!("{:.0} ms", at(0.5)));
    line(&format!("{what}, p99"), &format!("{:.0} ms", at(0.99)));
}

async fn head(client: &Client, url: &str) -> Option<u64> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []});
    let request = client.post(url).header("content-type", "application/json").body(call.to_string());
    let answer: Value = serde_json::from_slice(&request.send().await.ok()?.bytes().await.ok()?).ok()?;
    u64::from_str_radix(answer["result"].as_str()?.trim_start_matches("0x"), 16).ok()
}

async fn indexed(client: &Client, url: &str) -> Option<u64> {
    let metrics = client.get(format!("{url}/metrics")).send().await.ok()?.text().await.ok()?;
    let gauge = format!("rxtrail_chain_indexed_block{{chain=\"{CHAIN}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&gauge)?.parse().ok())
}

#[tokio::main]
async fn main() {
    // Cargo adds a word of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let events = arguments.first().and_then(|events| events.parse().ok()).unwrap_or(EVENTS);
    let scratch = tempfile::tempdir().expect("a folder");
    let data = arguments.get(1).map_or_else(|| scratch.path().join("data"), PathBuf::from);
    // The client wants a provider of TLS, though it speaks plain HTTP here; a second call changes nothing.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder().no_proxy().build().expect("a client");
    backfill(&client, scratch.path(), &data, events).await;
    latency_alone(&client, scratch.path(), &scratch.path().join("live")).await;
    if broker::is_installed() {
        let broker = Broker::start("");
        through_kafka(&client, scratch.path(), &broker, events).await;
        latency_through_kafka(&client, scratch.path(), &broker).await;
    }
}

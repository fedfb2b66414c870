//! Nodes that lie to the built program over HTTP: at each level what the level claims is found out, told with its
//! block and its endpoint, and never stored. Below that level the same lie gets through, so that it is the level that
//! finds it.

use super::process::{Process, program, sql};
use model::B256;
use model::chain::BlockRef;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A chain of some hundred blocks, the same for every node.
const CHAIN: [&str; 8] = ["--seed", "11", "--events", "10000", "--history", "100", "--block-interval", "0"];

/// A lie: how the simulator is told to tell it, a level that lets it through, the one that finds it out, and what the
/// incidents are called.
struct Lie {
    told_by: [&'static str; 2],
    through_at: &'static str,
    found_at: &'static str,
    kinds: &'static [&'static str],
}

const LIES: [Lie; 4] = [
    Lie {
        told_by: ["--omit-log-every", "40"],
        through_at: "present",
        found_at: "bloom",
        kinds: &["omitted_log"],
    },
    Lie {
        told_by: ["--forge-log-every", "40"],
        through_at: "off",
        found_at: "receipts",
        kinds: &["bloom", "forged_log"],
    },
    Lie {
        told_by: ["--alter-sender-every", "40"],
        through_at: "bloom",
        found_at: "receipts",
        kinds: &["sender"],
    },
    Lie {
        told_by: ["--alter-header-every", "9"],
        through_at: "off",
        found_at: "present",
        kinds: &["header_hash"],
    },
];

/// `rxtrail simulate`, killed when dropped.
struct Simulated {
    child: Child,
    url: String,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Simulated {
    fn start(more: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["simulate", "--listen", "127.0.0.1:0"])
            .args(CHAIN)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("rxtrail starts");
        let said = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut said = said.lines().map_while(Result::ok);
        let url = said.find_map(|line| line.split(" at ").nth(1).map(str::to_owned)).expect("its address");
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, url }
    }

    /// The last block.
    async fn head(&self) -> BlockRef {
        let call =
            json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", false]});
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request =
            client.post(&self.url).header("content-type", "application/json").body(call.to_string());
        let answer = request.send().await.expect("an answer").text().await.expect("text");
        let block = &serde_json::from_str::<Value>(&answer).expect("JSON")["result"];
        let text = |field: &str| block[field].as_str().expect("text").to_owned();
        let number = u64::from_str_radix(text("number").trim_start_matches("0x"), 16).expect("a number");
        BlockRef { number, hash: text("hash").parse::<B256>().expect("a hash") }
    }
}

/// What was stored, and what went wrong meanwhile.
#[derive(Debug, PartialEq, Eq)]
struct Indexed {
    logs: Vec<String>,
    /// Kind of each incident, once each, with whether every one names its block.
    incidents: Vec<String>,
}

/// A data folder and the process that fills it with what `nodes` give, everything at one level.
fn start(config: &str, nodes: &[&Simulated], level: &str) -> (TempDir, Process) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("rxtrail.toml");
    let urls: Vec<&str> = nodes.iter().map(|node| node.url.as_str()).collect();
    let ours = |line: &str| match line.starts_with("endpoints = ") {
        true => format!(
            "endpoints = {urls:?}\nverify = {{ head = \"{level}\", backfill = \"{level}\", sample = 0 }}\n"
        ),
        false => format!("{line}\n"),
    };
    fs::write(&path, config.lines().map(ours).collect::<String>()).expect("a file");
    let process = Process::start(&path, &dir.path().join("data"));
    (dir, process)
}

fn stored(dir: &TempDir) -> Indexed {
    let data = dir.path().join("data");
    let logs = "SELECT block_number, log_index, tx_hash, contract, topic0, topic1, data, sender FROM logs \
                ORDER BY block_number, log_index";
    let incidents = "SELECT kind, bool_and(block_number IS NOT NULL) FROM incidents GROUP BY 1 ORDER BY 1";
    Indexed { logs: sql(&data, logs), incidents: sql(&data, incidents) }
}

/// Indexes the chain up to `head`.
async fn index(config: &str, nodes: &[&Simulated], level: &str, head: BlockRef) -> Indexed {
    let (dir, mut process) = start(config, nodes, level);
    process.until(head, None).await;
    process.terminate();
    stored(&dir)
}

/// Indexes from a liar alone until it is found out, as one of `kinds` and with a block.
async fn index_until_found_out(config: &str, liar: &Simulated, level: &str, kinds: &[&str]) -> Indexed {
    let (dir, mut process) = start(config, &[liar], level);
    let told: Vec<String> = kinds.iter().map(|kind| format!("\"kind\":\"{kind}\",\"block\":")).collect();
    process.until_said(&told).await;
    process.terminate();
    stored(&dir)
}

/// The configuration that the simulator writes for its chain.
fn written(dir: &Path) -> (Simulated, String) {
    let (registry, config) = (dir.join("registry"), dir.join("simulated.toml"));
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let honest = Simulated::start(&["--registry", &text(&registry), "--write-config", &text(&config)]);
    (honest, fs::read_to_string(config).expect("it was written before the node said where it is"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_found_out_at_the_level_that_claims_it_and_gets_through_below_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (honest, config) = written(dir.path());
    let head = honest.head().await;
    let truth = index(&config, &[&honest], "receipts", head).await;
    assert!(
        truth.logs.len() > 9_000 && truth.incidents.is_empty(),
        "{} {:?}",
        truth.logs.len(),
        truth.incidents
    );
    for Lie { told_by, through_at, found_at, kinds } in LIES {
        let liar = Simulated::start(&told_by);
        assert_eq!(liar.head().await, head, "the liar tells of the same chain");
        let deceived = index(&config, &[&liar], through_at, head).await;
        assert_eq!(deceived.incidents, Vec::<String>::new(), "{kinds:?} at {through_at}");
        // Of a header only its hash is stored, which this lie leaves as it is.
        assert_eq!(
            deceived.logs == truth.logs,
            kinds == ["header_hash"],
            "{kinds:?} at {through_at} gets through"
        );
        let alone = index_until_found_out(&config, &liar, found_at, kinds).await;
        // A log that was left out would be missing before the end.
        assert!(truth.logs.starts_with(&alone.logs), "{kinds:?} at {found_at}: no lie is stored");
        let helped = index(&config, &[&liar, &honest], found_at, head).await;
        assert!(helped.logs == truth.logs, "{kinds:?} at {found_at}: what is stored is the truth");
        let expected: Vec<String> = kinds.iter().map(|kind| format!("{kind},true")).collect();
        let told = &helped.incidents;
        assert!(told.iter().all(|one| expected.contains(one)), "{told:?}, {expected:?}");
        println!("{kinds:?}: found out at {found_at}, through at {through_at}");
    }
}

//! Starts the program that was built beside the tests, asks it, and ends it.

use crate::deployment::PATIENCE;
use model::chain::BlockRef;
use reqwest::Client;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, fs};

/// How often a process is asked whether it has come so far.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// The program: `RXTRAIL_BIN`, else the one that was built beside the tests, which must be as new as its sources.
pub(super) fn program() -> PathBuf {
    if let Some(path) = env::var_os("RXTRAIL_BIN") {
        return PathBuf::from(path);
    }
    let tests = env::current_exe().expect("the tests are a file");
    let path = tests.parent().and_then(Path::parent).expect("target/release/deps").join("rxtrail");
    let build = "cargo build --release --workspace --bins --tests builds it";
    let built = fs::metadata(&path).and_then(|file| file.modified());
    let built = built.unwrap_or_else(|error| panic!("{}: {error}: {build}", path.display()));
    let sources = fs::read_to_string(path.with_extension("d")).expect("cargo says what it was built from");
    for source in sources.split_whitespace().skip(1) {
        let changed = fs::metadata(source).and_then(|file| file.modified());
        assert!(changed.is_ok_and(|changed| changed <= built), "{source} is newer than rxtrail: {build}");
    }
    path
}

/// A command to its end.
pub(super) fn rxtrail(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).env("NO_COLOR", "1").output().expect("rxtrail starts")
}

/// What a command that succeeds writes to standard output.
pub(super) fn answer(arguments: &[&str]) -> String {
    let output = rxtrail(arguments);
    let (text, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "rxtrail {}: {}\n{text}{log}", arguments.join(" "), output.status);
    text.into_owned()
}

/// Where tables are.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    option: &'a str,
    path: &'a Path,
}

impl<'a> At<'a> {
    /// Where a configuration says.
    pub(super) fn configured(path: &'a Path) -> Self {
        Self { option: "--config", path }
    }
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for At<'a> {
    /// A data folder.
    fn from(path: &'a P) -> Self {
        Self { option: "--data-dir", path: path.as_ref() }
    }
}

/// Rows of `rxtrail sql` over tables, header left out.
pub(super) fn sql<'a>(at: impl Into<At<'a>>, statement: &str) -> Vec<String> {
    let At { option, path } = at.into();
    let text = answer(&["sql", option, path.to_str().expect("a path of text"), "--format", "csv", statement]);
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Lines of `rxtrail pedigree` of an item.
pub(super) fn pedigree(At { option, path }: At<'_>, item: &str) -> Vec<String> {
    let text = answer(&["pedigree", option, path.to_str().expect("a path of text"), item]);
    text.lines().map(str::to_owned).collect()
}

/// A process that goes on until it is ended, killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    client: Client,
    said: Arc<Mutex<Vec<String>>>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Process {
    /// Starts `rxtrail run` over a configuration and a data folder.
    pub(super) fn start(config: &Path, data_dir: &Path) -> Self {
        Self::start_as("run", config, data_dir)
    }

    /// Starts `rxtrail run`, `ingest`, `transform` or `query`.
    pub(super) fn start_as(role: &str, config: &Path, data_dir: &Path) -> Self {
        Self::spawn(Command::new(program()), role, config, data_dir, &[])
    }

    /// The same with more arguments.
    pub(super) fn start_with(role: &str, config: &Path, data_dir: &Path, more: &[&str]) -> Self {
        Self::spawn(Command::new(program()), role, config, data_dir, more)
    }

    /// The same with a library loaded before the program.
    pub(super) fn start_on(role: &str, config: &Path, data_dir: &Path, library: &Path) -> Self {
        let mut command = Command::new(program());
        command.env("LD_PRELOAD", library);
        Self::spawn(command, role, config, data_dir, &[])
    }

    fn spawn(mut command: Command, role: &str, config: &Path, data_dir: &Path, more: &[&str]) -> Self {
        let mut child = command
            .arg(role)
            .arg("--config")
            .arg(config)
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--listen", "127.0.0.1:0", "--log", "info"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rxtrail starts");
        let said = Arc::default();
        let listener = listen(child.stderr.take().expect("stderr is piped"), Arc::clone(&said));
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { child, client, said, listener: Some(listener) }
    }

    /// Everything that it said so far, for a failure.
    fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").join("\n")
    }

    /// Where it answers, once it has said so.
    pub(super) fn address(&self) -> Option<String> {
        let said = self.said.lock().expect("nobody panics with it");
        let url = said.iter().find_map(|line| line.split("rxtrail answers at ").nth(1))?;
        url.split_whitespace().next().map(str::to_owned)
    }

    /// Waits until answers are made of a chain whose last block is `head` and whose last final one is `finalized`.
    pub(super) async fn until(&mut self, head: BlockRef, finalized: Option<BlockRef>) {
        let wanted = format!("head={head}");
        let is_final = finalized.map(|block| format!("finalized={block}"));
        let reached = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a process of ours") {
                    panic!("rxtrail ended with {status} before block {head}\n{}", self.said());
                }
                let snapshot = self.snapshot().await.unwrap_or_default();
                if snapshot.contains(&wanted)
                    && is_final.as_ref().is_none_or(|wanted| snapshot.contains(wanted))
                {
                    return;
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        if reached.is_err() {
            panic!("{wanted} {is_final:?} never came: {:?}\n{}", self.snapshot().await, self.said());
        }
    }

    /// Waits until it ends by itself; gives what it said.
    pub(super) async fn until_ended(&mut self) -> String {
        let ended = async {
            while self.child.try_wait().expect("a process of ours").is_none() {
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, ended).await;
        assert!(ended.is_ok(), "it goes on\n{}", self.said());
        if let Some(listener) = self.listener.take() {
            listener.join().expect("a thread that reads");
        }
        self.said()
    }

    /// Waits until it says one of `words`.
    pub(super) async fn until_said(&mut self, words: &[String]) {
        let reached = async {
            while !words.iter().any(|word| self.said().contains(word)) {
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "{words:?} never came\n{}", self.said());
    }

    /// What its answers are made of at present.
    async fn snapshot(&self) -> Option<String> {
        let url = format!("{}/v1/sql", self.address()?);
        let response = self.client.post(url).body("SELECT 1").send().await.ok()?;
        Some(response.headers().get("x-rxtrail-snapshot")?.to_str().ok()?.to_owned())
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("a process of ours");
        self.child.wait().expect("a process of ours");
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill is on every system").success(), "SIG{name} was sent");
    }

    /// Rows of a statement that it is asked, header left out.
    pub(super) async fn sql(&self, statement: &str) -> Vec<String> {
        let url = format!("{}/v1/sql", self.address().expect("it answers"));
        let asked =
            self.client.post(url).header("accept", "text/csv").body(statement.to_owned()).send().await;
        let text = asked.expect("an answer").error_for_status().expect("rows").text().await.expect("text");
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// SIGTERM, as an orchestrator sends it; gives how it ended, and what it said.
    pub(super) fn terminate_told(mut self) -> (Option<i32>, String) {
        let status = self.end();
        (status.code(), self.said())
    }

    /// SIGTERM, as an orchestrator sends it; gives how it ended.
    pub(super) fn terminate(mut self) -> ExitStatus {
        self.end()
    }

    fn end(&mut self) -> ExitStatus {
        self.signal("TERM");
        let status = self.child.wait().expect("a process of ours");
        if let Some(listener) = self.listener.take() {
            listener.join().expect("a thread that reads");
        }
        status
    }
}

/// Reads what a process says until it ends.
fn listen(stderr: ChildStderr, said: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            said.lock().expect("nobody panics with it").push(line);
        }
    })
}

/// The configuration of a deployment that reads `url`: one contract by address, and whoever else speaks as packs do.
pub(super) fn configuration(url: &str, contract: alloy_primitives::Address, registry: &Path) -> String {
    format!(
        "data_dir = \"data\"\n\n\
         [chains.anvil]\n\
         id = {}\n\
         endpoints = [\"{url}\"]\n\
         poll_ms = 20\n\
         verify = {{ head = \"receipts\", backfill = \"receipts\" }}\n\n\
         [[contracts]]\n\
         name = \"packs\"\n\
         chain = \"anvil\"\n\
         address = \"{contract}\"\n\
         profile = \"gs1-pack\"\n\n\
         [[contracts]]\n\
         name = \"anyone\"\n\
         chain = \"anvil\"\n\
         any = true\n\
         profile = \"gs1-pack\"\n\n\
         [registry]\n\
         dir = \"{}\"\n",
        crate::cast::CHAIN,
        registry.display(),
    )
}

/// A number that names a run: given, else drawn. Printed, so that a failure can be repeated.
pub(super) fn seed(what: &str) -> u64 {
    let drawn = || RandomState::new().build_hasher().finish() % 1_000_000;
    let seed = env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(drawn);
    println!("{what}: RXTRAIL_SEED={seed}");
    seed
}

/// How often something is done: given, else `usual`.
pub(super) fn rounds(variable: &str, usual: u64) -> u64 {
    env::var(variable)
        .ok()
        .map_or(usual, |rounds| rounds.parse().unwrap_or_else(|_| panic!("{variable}: {rounds}")))
}

//! A real EVM node: anvil on a free port, which mines when it is told to, and ends with the value that holds it.

mod contract;
mod rpc;
mod signed;

pub(crate) use contract::{Call, Contract};
pub(crate) use rpc::Rpc;
pub(crate) use signed::Key;

use alloy_primitives::{Address, B256, U64};
use model::chain::BlockRef;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Monday 2026-01-05, midnight UTC: the time of every genesis block.
pub(crate) const GENESIS_SECS: u64 = 1_767_571_200;
/// Between two blocks that nobody gave a time.
pub(crate) const BLOCK_SECS: u64 = 12;
/// Anvil's final block is two epochs below the newest one.
const SLOTS_IN_AN_EPOCH: u64 = 4;
/// Blocks that a reorg of anvil may replace without touching a final one.
pub(crate) const REORG_DEPTH_MAX: u64 = 2 * SLOTS_IN_AN_EPOCH - 1;
/// A loaded machine may take its time; a node that does not come up in a minute never does.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// Where `tests/run` puts what the tests need.
pub(crate) fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools")
}

/// Anvil.
#[derive(Debug)]
pub(crate) struct Node {
    process: Child,
    rpc: Rpc,
    accounts: Vec<Address>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Node {
    /// A new chain of id 31337 with nothing but its genesis block.
    pub(crate) async fn start() -> Self {
        let (slots, genesis) = (SLOTS_IN_AN_EPOCH.to_string(), GENESIS_SECS.to_string());
        let mut process = Command::new(binary())
            .args([
                "--port",
                "0",
                "--no-mining",
                "--order",
                "fifo",
                "--hardfork",
                "prague",
                "--accounts",
                "16",
            ])
            .args(["--slots-in-an-epoch", &slots, "--timestamp", &genesis, "--gas-limit", "1000000000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("anvil starts");
        let address = listening(process.stdout.take().expect("stdout is piped"));
        let mut node = Self { process, rpc: Rpc::new(&format!("http://{address}")), accounts: Vec::new() };
        node.accounts =
            serde_json::from_value(node.call("eth_accounts", json!([])).await).expect("addresses");
        node.call("anvil_setBlockTimestampInterval", json!([BLOCK_SECS])).await;
        node
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        self.rpc.url()
    }

    /// Accounts that it signs for.
    pub(crate) fn accounts(&self) -> &[Address] {
        &self.accounts
    }

    /// One call that must succeed.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        self.rpc.call(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The newest block.
    pub(crate) async fn head(&self) -> BlockRef {
        block_ref(&self.call("eth_getBlockByNumber", json!(["latest", false])).await)
    }

    /// The newest block that anvil calls final.
    pub(crate) async fn finalized(&self) -> BlockRef {
        block_ref(&self.call("eth_getBlockByNumber", json!(["finalized", false])).await)
    }

    /// Mines one block that holds `calls` in their order, every one of which must succeed.
    pub(crate) async fn block(&self, time_secs: u64, calls: impl IntoIterator<Item = Call>) -> BlockRef {
        let mut sent = Vec::new();
        for call in calls {
            sent.push(self.send(&call).await);
        }
        self.call("evm_setNextBlockTimestamp", json!([time_secs])).await;
        self.mine_pending(&sent).await
    }

    /// The same 12 seconds after the block before.
    pub(crate) async fn next_block(&self, calls: impl IntoIterator<Item = Call>) -> BlockRef {
        let mut sent = Vec::new();
        for call in calls {
            sent.push(self.send(&call).await);
        }
        self.mine_pending(&sent).await
    }

    /// Mines one block of what waits, which must hold `sent`, every one with success.
    pub(crate) async fn mine_pending(&self, sent: &[B256]) -> BlockRef {
        self.mine(1).await;
        let head = self.head().await;
        for hash in sent {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await;
            let done = (&receipt["status"], &receipt["blockHash"]);
            assert_eq!(done, (&json!("0x1"), &json!(head.hash)), "transaction {hash} in block {head}");
        }
        head
    }

    /// Puts a transaction among those that wait; returns its hash.
    pub(crate) async fn send(&self, call: &Call) -> B256 {
        let hash = self.call("eth_sendTransaction", json!([call.as_json()])).await;
        serde_json::from_value(hash).expect("a hash")
    }

    /// Mines so many blocks.
    pub(crate) async fn mine(&self, blocks: u64) {
        self.call("anvil_mine", json!([blocks, BLOCK_SECS])).await;
    }

    /// Mines empty blocks until the present head is final.
    pub(crate) async fn finalize(&self) {
        self.mine(2 * SLOTS_IN_AN_EPOCH).await;
    }

    /// Replaces the newest `depth` blocks by others, empty but for `again`: transactions with the block, from 0, that
    /// takes them.
    pub(crate) async fn reorg(&self, depth: u64, again: &[(Call, u64)]) {
        assert!(depth <= REORG_DEPTH_MAX, "a reorg of {depth} blocks touches final ones");
        let again: Vec<Value> = again.iter().map(|(call, block)| json!([call.as_json(), block])).collect();
        self.call("anvil_reorg", json!([depth, again])).await;
    }

    /// Deploys a contract of tests/solidity.
    pub(crate) async fn deploy(&self, name: &str, from: Address, arguments: &[&str]) -> Contract {
        let (abi, code) = contract::compiled(name);
        let creation = contract::creation(&abi, code, from, arguments);
        let hash = self.send(&creation).await;
        self.mine_pending(&[hash]).await;
        let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await;
        let address = serde_json::from_value(receipt["contractAddress"].clone()).expect("an address");
        Contract::new(address, abi)
    }
}

/// The block that a node's answer speaks of.
fn block_ref(block: &Value) -> BlockRef {
    let number: U64 = serde_json::from_value(block["number"].clone()).expect("a number");
    BlockRef { number: number.to(), hash: serde_json::from_value(block["hash"].clone()).expect("a hash") }
}

/// The binary out of its npm package.
fn binary() -> PathBuf {
    let scope = tools().join("node_modules/@foundry-rs");
    let packages = std::fs::read_dir(&scope).into_iter().flatten().flatten();
    let binaries = packages.map(|package| package.path().join("bin/anvil"));
    let found = binaries.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no anvil in {}: tests/run installs it", scope.display()))
}

/// The address that anvil says it listens on. What it says afterwards is read and dropped, so that it never waits.
fn listening(stdout: ChildStdout) -> String {
    let (found, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("Listening on ") {
                // Nobody waits for a second address.
                found.send(address.to_owned()).ok();
            }
        }
    });
    address.recv_timeout(START_TIME_MAX).expect("anvil says where it listens")
}

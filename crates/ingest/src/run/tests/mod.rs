//! Chains that grow, part, stall and come back, and what ends up on the bus.

use super::*;
use crate::config::FinalityRule;
use crate::filter::{AddressPlace, Factory};
use crate::rpc::error::RpcError;
use crate::testing::bus::MemoryBus;
use crate::testing::chain::{Chain, WATCHED, log, log_of};
use crate::testing::node::{Failure, Node};
use crate::testing::{config, in_time, metrics, pool};
use alloy_primitives::{Address, B256, Bytes, Log};
use model::chain::BlockRef;
use model::change::Change;
use model::registry::Registry;
use model::segment::VerificationLevel;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::task::JoinHandle;

mod factories;
mod registry;
mod schedule;

fn filter() -> Filter {
    Filter { addresses: vec![WATCHED], ..Filter::default() }
}

/// A run that can be stopped.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

impl Running {
    fn start(config: &Config, filter: &Filter, nodes: &[Arc<Node>], bus: &MemoryBus) -> Self {
        Self::with_registry(config, filter, nodes, bus, RegistryFeed::default())
    }

    fn with_registry(
        config: &Config,
        filter: &Filter,
        nodes: &[Arc<Node>],
        bus: &MemoryBus,
        registry: RegistryFeed,
    ) -> Self {
        let (pool, incidents) = pool(config, nodes);
        let publisher = Box::new(bus.clone());
        let inputs = Inputs {
            config: config.clone(),
            filter: filter.clone(),
            publisher,
            registry,
            metrics: metrics(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(drive(Arc::new(pool), inputs, incidents, stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        in_time("the end", self.task).await.unwrap().unwrap();
    }

    /// The error that ends it.
    async fn fails(self) -> Error {
        in_time("an error", self.task).await.unwrap().unwrap_err()
    }
}

fn shared(chain: Chain) -> (Arc<Mutex<Chain>>, Arc<Node>) {
    let chain = Arc::new(Mutex::new(chain));
    let node = Node::of(&chain);
    (chain, node)
}

/// What a fresh index of the chain holds.
fn truth(chain: &Arc<Mutex<Chain>>) -> Vec<(BlockRef, u32, Address, Bytes)> {
    chain.lock().unwrap().logs(|_, log| log.address == WATCHED)
}

fn head(chain: &Arc<Mutex<Chain>>) -> BlockRef {
    let chain = chain.lock().unwrap();
    chain.block_ref(chain.latest())
}

fn grow(chain: &Arc<Mutex<Chain>>, blocks: u64) {
    let mut chain = chain.lock().unwrap();
    for _ in 0..blocks {
        let item = chain.latest() + 1 + 1_000 * chain.branch;
        chain.mine(&[vec![log(item)]]);
    }
}

#[tokio::test(start_paused = true)]
async fn final_blocks_go_out_in_large_segments_and_open_ones_one_by_one() {
    let (chain, node) = shared(Chain::of(100));
    chain.lock().unwrap().finalized = 97;
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    assert_eq!(bus.story(), ["open 1", "append 0..97", "append 98..98", "append 99..99", "append 100..100"]);
    assert_eq!(bus.logs(), truth(&chain));
    grow(&chain, 2);
    chain.lock().unwrap().finalized = 99;
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.story()[5..], ["finalize 99", "append 101..101", "append 102..102"]);
    assert_eq!((bus.logs(), bus.incidents()), (truth(&chain), vec![]));
    let levels: Vec<_> = bus.segments().iter().map(|segment| segment.level).collect();
    assert_eq!(levels[..2], [VerificationLevel::Present, VerificationLevel::Receipts]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_doubled_while_the_chain_outruns_the_backfill() {
    let (chain, node) = shared(Chain::of(2_000));
    chain.lock().unwrap().finalized = 1_500;
    let growing = Arc::clone(&chain);
    // Every answer finds the chain longer by some blocks, and finality after it.
    let mut asked = 0;
    node.trick(move |method, _, answer| {
        asked += 1;
        let mut chain = growing.try_lock().unwrap();
        if method == "eth_getLogs" && asked < 60 && chain.latest() < 2_600 {
            for _ in 0..17 {
                let item = chain.latest() + 1;
                chain.mine(&[vec![log(item)]]);
            }
            chain.finalized = chain.latest() - 30;
        }
        answer
    });
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until("the end of a growing chain", |tail| {
        tail.position.tip.is_some_and(|tip| tip.number >= 2_000 && tip == head(&chain))
    })
    .await;
    running.stop().await;
    assert_eq!(bus.logs(), truth(&chain));
}

#[tokio::test(start_paused = true)]
async fn a_reorg_of_any_depth_ends_as_if_it_had_never_been() {
    for depth in [1, 2, 7, 63, 64] {
        for longer in [0, 1, 5] {
            let (chain, node) = shared(Chain::of(100));
            chain.lock().unwrap().finalized = 36;
            let bus = MemoryBus::new();
            let running = Running::start(&config(), &filter(), &[node], &bus);
            bus.until_tip(head(&chain)).await;
            chain.lock().unwrap().take_back(100 - depth);
            grow(&chain, depth + longer);
            bus.until_tip(head(&chain)).await;
            running.stop().await;
            assert_eq!(bus.logs(), truth(&chain), "depth {depth}, longer {longer}");
            let reverts: Vec<_> = bus.story().into_iter().filter(|line| line.starts_with("revert")).collect();
            assert_eq!(reverts, [format!("revert {}", 100 - depth)]);
            assert_eq!(bus.incidents(), []);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_is_shorter_is_followed_too() {
    let (chain, node) = shared(Chain::of(100));
    chain.lock().unwrap().finalized = 36;
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    chain.lock().unwrap().take_back(90);
    grow(&chain, 3);
    bus.until_tip(head(&chain)).await;
    assert_eq!(bus.logs(), truth(&chain));
    // And back again: the first branch's blocks return.
    running.stop().await;
    assert_eq!(bus.tip(), Some(head(&chain)));
}

#[tokio::test(start_paused = true)]
async fn a_reorg_below_a_final_block_stops_with_the_repair() {
    let (chain, node) = shared(Chain::of(100));
    chain.lock().unwrap().finalized = 90;
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    chain.lock().unwrap().take_back(80);
    grow(&chain, 30);
    let error = running.fails().await;
    assert!(matches!(error, Error::DeepReorg { rewind_to: 89, .. }), "{error}");
    assert_eq!(bus.tip().unwrap().number, 100, "no stale row was added, none was taken back");
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_from_the_bus_and_takes_back_what_was_orphaned_meanwhile() {
    for orphaned in [0, 1, 10] {
        let (chain, node) = shared(Chain::of(100));
        chain.lock().unwrap().finalized = 80;
        let bus = MemoryBus::new();
        let first = Running::start(&config(), &filter(), &[Arc::clone(&node)], &bus);
        bus.until_tip(head(&chain)).await;
        first.stop().await;
        let before = bus.story().len();
        chain.lock().unwrap().take_back(100 - orphaned);
        grow(&chain, orphaned + 50);
        chain.lock().unwrap().finalized = 130;
        let second = Running::start(&config(), &filter(), &[node], &bus);
        bus.until_tip(head(&chain)).await;
        second.stop().await;
        assert_eq!(bus.logs(), truth(&chain), "orphaned {orphaned}");
        let expected = match orphaned {
            0 => vec!["open 2".to_owned(), "finalize 100".into(), "append 101..130".into()],
            _ => vec![
                "open 2".into(),
                format!("revert {}", 100 - orphaned),
                format!("finalize {}", 100 - orphaned),
                format!("append {}..130", 101 - orphaned),
            ],
        };
        assert_eq!(bus.story()[before..before + expected.len()], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_every_change_loses_and_doubles_nothing() {
    let (chain, node) = shared(Chain::of(60));
    chain.lock().unwrap().finalized = 40;
    let whole = {
        let bus = MemoryBus::new();
        let running = Running::start(&config(), &filter(), &[Arc::clone(&node)], &bus);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        bus.logs()
    };
    let bus = MemoryBus::new();
    while bus.tip() != Some(head(&chain)) {
        let running = Running::start(&config(), &filter(), &[Arc::clone(&node)], &bus);
        // One change beyond the `open`, then the process dies.
        let length = bus.story().len() + 2;
        let watched = bus.clone();
        bus.until("one more change", move |_| watched.story().len() >= length).await;
        running.task.abort();
        drop(running.task.await);
    }
    assert_eq!((bus.logs(), whole.clone()), (whole, truth(&chain)));
}

#[tokio::test(start_paused = true)]
async fn a_start_block_above_finality_has_a_final_block_below_it() {
    let (chain, node) = shared(Chain::of(50));
    chain.lock().unwrap().finalized = 20;
    let bus = MemoryBus::new();
    let late = Filter { start_block: 40, ..filter() };
    let running = Running::start(&config(), &late, &[node], &bus);
    bus.until_tip(head(&chain)).await;
    let of_late = || chain.lock().unwrap().logs(|number, log| number >= 40 && log.address == WATCHED);
    assert_eq!(bus.story()[1], "append 20..20");
    assert_eq!(bus.logs(), of_late());
    chain.lock().unwrap().take_back(30);
    grow(&chain, 40);
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), of_late());
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_has_finalised_nothing_begins_at_its_first_block() {
    let (chain, node) = shared(Chain::of(5));
    node.trick(|_, params, answer| match params[0].as_str() {
        Some("finalized") => Err(Failure::Says(-39001, "finalized block not found".into())),
        _ => answer,
    });
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.story()[1..3], ["append 0..0", "append 1..1"]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_without_the_tag_is_told_how_to_be_configured_and_counts_confirmations() {
    let (chain, node) = shared(Chain::of(50));
    node.trick(|_, params, answer| match params[0].as_str() {
        Some("finalized") => {
            Err(Failure::Says(-32602, "invalid argument 0: hex string without 0x prefix".into()))
        }
        _ => answer,
    });
    let bus = MemoryBus::new();
    let error = Running::start(&config(), &filter(), &[Arc::clone(&node)], &bus).fails().await;
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let mut counting = config();
    counting.finality = FinalityRule::Confirmations(12);
    let running = Running::start(&counting, &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    grow(&chain, 10);
    bus.until("confirmed", |tail| tail.position.finalized == Some(chain.lock().unwrap().block_ref(48))).await;
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), truth(&chain));
}

#[tokio::test(start_paused = true)]
async fn finality_that_stalls_pauses_reading_and_says_so() {
    let (chain, node) = shared(Chain::of(10));
    let mut short = config();
    short.tail_limit = 5;
    let bus = MemoryBus::new();
    let running = Running::start(&short, &filter(), &[node], &bus);
    bus.until("a full tail", |tail| tail.open_blocks.len() == 5).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(bus.tip().unwrap().number, 5);
    chain.lock().unwrap().finalized = 3;
    bus.until("room", |tail| tail.position.tip.is_some_and(|tip| tip.number == 8)).await;
    running.stop().await;
    let told: Vec<_> = bus.incidents().into_iter().map(|incident| (incident.kind, incident.block)).collect();
    assert_eq!(told, [(IncidentKind::FinalityStalled, Some(5))]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_every_endpoint_is_waited_out() {
    let (chain, node) = shared(Chain::of(50));
    chain.lock().unwrap().finalized = 40;
    let mut failures = 500;
    node.trick(move |_, _, answer| {
        failures -= 1;
        if failures > 0 {
            Err(Failure::Breaks(RpcError::Transient("connection refused".into())))
        } else {
            answer
        }
    });
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), truth(&chain));
}

#[tokio::test(start_paused = true)]
async fn a_lie_at_the_head_goes_out_as_an_incident_and_never_as_a_row() {
    let (chain, honest) = shared(Chain::of(20));
    let liar = Node::of(&chain);
    liar.alter("eth_getLogs", |_, logs| {
        for log in logs.as_array_mut().unwrap().iter_mut().filter(|log| log["blockNumber"] == "0x12") {
            log["data"] = json!("0xbad0");
        }
    });
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &filter(), &[liar, honest], &bus);
    bus.until_tip(head(&chain)).await;
    grow(&chain, 1);
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), truth(&chain));
    let told: Vec<_> = bus
        .incidents()
        .into_iter()
        .map(|incident| (incident.kind, incident.block, incident.endpoint))
        .collect();
    assert_eq!(told, [(IncidentKind::ForgedLog, Some(0x12), "a".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_watches_nothing_is_refused() {
    let (_, node) = shared(Chain::of(1));
    let error = Running::start(&config(), &Filter::default(), &[node], &MemoryBus::new()).fails().await;
    assert!(matches!(error, Error::Config(_)));
}

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

const FACTORY: Address = Address::repeat_byte(0xfa);
const MADE: B256 = B256::repeat_byte(0xfe);

fn made(child: Address) -> Log {
    Log::new_unchecked(FACTORY, vec![MADE, B256::left_padding_from(child.as_slice())], Bytes::new())
}

fn child(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Children speak before, in and after the block that makes them.
fn chain_of_factories() -> Chain {
    let mut chain = Chain::new();
    for number in 1..=60u64 {
        let mut logs = vec![log_of(child(1), number), log_of(child(2), number), log_of(child(3), number)];
        match number {
            10 => logs.push(made(child(1))),
            25 => logs.insert(0, made(child(2))),
            55 => logs.push(made(child(3))),
            _ => {}
        }
        chain.mine(&[logs]);
    }
    chain
}

/// The factory's own events, and each child's logs from the block that makes it.
fn watched_by_factory(chain: &Arc<Mutex<Chain>>) -> Vec<(BlockRef, u32, Address, Bytes)> {
    let chain = chain.lock().unwrap();
    let born = |address: Address| {
        let blocks = chain.blocks.iter().filter(|block| {
            block.receipts.iter().flat_map(|receipt| &receipt.logs).any(|log| *log == made(address))
        });
        blocks.map(|block| block.header.number).min().unwrap_or(u64::MAX)
    };
    let born: Vec<(Address, u64)> = [1, 2, 3].map(|n| (child(n), born(child(n)))).to_vec();
    chain.logs(|number, log| {
        log.address == FACTORY
            || born.iter().any(|(address, from)| log.address == *address && number >= *from)
    })
}

fn factory_filter() -> Filter {
    Filter {
        factories: vec![Factory { address: FACTORY, topic: MADE, place: AddressPlace::Topic(1) }],
        ..Filter::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_factories_make_is_watched_from_its_block_on_however_the_chain_is_cut() {
    for span in [1, 3, 7, 100] {
        let (chain, node) = shared(chain_of_factories());
        chain.lock().unwrap().finalized = 50;
        node.trick(move |method, params, answer| {
            let bound = |key: &str| {
                u64::from_str_radix(params[0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
            };
            if method == "eth_getLogs" && bound("toBlock") - bound("fromBlock") >= span {
                return Err(Failure::Says(-32000, format!("block range exceeds {span}")));
            }
            answer
        });
        let bus = MemoryBus::new();
        let running = Running::start(&config(), &factory_filter(), &[Arc::clone(&node)], &bus);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), watched_by_factory(&chain), "span {span}");
        // A second run finds again what the first one found.
        chain.lock().unwrap().mine(&[vec![log_of(child(2), 61)]]);
        let running = Running::start(&config(), &factory_filter(), &[node], &bus);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), watched_by_factory(&chain), "span {span}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contract_whose_making_is_taken_back_is_no_longer_watched() {
    let (chain, node) = shared(chain_of_factories());
    chain.lock().unwrap().finalized = 50;
    let bus = MemoryBus::new();
    let running = Running::start(&config(), &factory_filter(), &[node], &bus);
    bus.until_tip(head(&chain)).await;
    {
        let mut chain = chain.lock().unwrap();
        chain.take_back(54);
        for number in 55..=62 {
            chain.mine(&[vec![log_of(child(3), number), log_of(child(1), number)]]);
        }
    }
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    assert_eq!(bus.logs(), watched_by_factory(&chain));
}

fn version(version: u64) -> Arc<model::change::RegistryVersion> {
    Arc::new(model::change::RegistryVersion {
        version,
        after: Some(999),
        rows: Arc::new(Registry::default()),
    })
}

#[tokio::test(start_paused = true)]
async fn registry_versions_go_out_once_each_at_their_place() {
    let (chain, node) = shared(Chain::of(10));
    chain.lock().unwrap().finalized = 5;
    let bus = MemoryBus::new();
    let (send, updates) = mpsc::channel(4);
    let feed = RegistryFeed::from(vec![version(1)]).with_updates(updates);
    let running = Running::with_registry(&config(), &filter(), &[Arc::clone(&node)], &bus, feed);
    bus.until_tip(head(&chain)).await;
    assert_eq!(bus.story()[1], "registry 1 after None");
    send.send(version(2)).await.unwrap();
    bus.until("version 2", |tail| tail.registry_version == 2).await;
    assert_eq!(bus.story().last().unwrap(), "registry 2 after Some(10)");
    running.stop().await;
    let feed = RegistryFeed::from(vec![version(1), version(2), version(3)]);
    let running = Running::with_registry(&config(), &filter(), &[node], &bus, feed);
    bus.until("version 3", |tail| tail.registry_version == 3).await;
    running.stop().await;
    let told: Vec<_> = bus
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            Change::Registry(version) => Some(version.version),
            Change::Open(_) | Change::Append(_) | Change::Revert(_) | Change::Finalize(_) => None,
        })
        .collect();
    assert_eq!(told, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_final_run_ends_where_a_version_of_the_registry_comes_into_force() {
    let (chain, node) = shared(Chain::of(10));
    chain.lock().unwrap().finalized = 5;
    let bus = MemoryBus::new();
    let (send, updates) = mpsc::channel(4);
    let feed = RegistryFeed::from(vec![version(1)]).with_updates(updates);
    let running = Running::with_registry(&config(), &filter(), &[node], &bus, feed);
    bus.until_tip(head(&chain)).await;
    send.send(version(2)).await.unwrap();
    bus.until("version 2", |tail| tail.registry_version == 2).await;
    chain.lock().unwrap().take_back(8);
    grow(&chain, 12);
    chain.lock().unwrap().finalized = 18;
    bus.until_tip(head(&chain)).await;
    running.stop().await;
    let story = bus.story();
    let at = story.iter().position(|told| told == "registry 2 after Some(10)").unwrap();
    let runs = ["revert 8", "finalize 8", "append 9..10", "append 11..18", "append 19..19", "append 20..20"];
    assert_eq!(story[at + 1..], runs);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_watches_nothing_is_refused() {
    let (_, node) = shared(Chain::of(1));
    let error = Running::start(&config(), &Filter::default(), &[node], &MemoryBus::new()).fails().await;
    assert!(matches!(error, Error::Config(_)));
}

/// One thing that happens to a chain or its nodes.
fn happen(random: &mut StdRng, chain: &Arc<Mutex<Chain>>, faults: &Arc<Mutex<u32>>) {
    match random.random_range(0..10) {
        0..4 => grow(chain, random.random_range(1..12)),
        4..7 => {
            let (latest, finalized) = {
                let chain = chain.lock().unwrap();
                (chain.latest(), chain.finalized)
            };
            let to = random.random_range(finalized..=latest);
            chain.lock().unwrap().take_back(to);
            let blocks = random.random_range(1..=(latest - to) + 4);
            grow(chain, blocks);
        }
        7..9 => {
            let mut chain = chain.lock().unwrap();
            chain.finalized = random.random_range(chain.finalized..=chain.latest());
        }
        _ => *faults.lock().unwrap() = random.random_range(1..20),
    }
}

/// A node that breaks, limits, omits and alters for as many answers as `faults` says, then is honest.
fn plague(node: &Node, faults: Arc<Mutex<u32>>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    node.trick(move |method, _, answer| {
        {
            let mut left = faults.lock().unwrap();
            if *left == 0 {
                return answer;
            }
            *left -= 1;
        }
        match (random.random_range(0..5), method) {
            (0, _) => Err(Failure::Breaks(RpcError::Transient("reset".into()))),
            (1, "eth_getLogs") => Err(Failure::Says(-32005, "query returned more than 10000 results".into())),
            (2, _) => Err(Failure::Says(429, "Too Many Requests".into())),
            (3, "eth_getLogs") => Ok(json!([])),
            (4, "eth_getLogs") => answer.map(|mut logs| {
                for log in logs.as_array_mut().unwrap() {
                    log["data"] = json!("0xbad0");
                }
                logs
            }),
            (3, "eth_getBlockReceipts") => Ok(Value::Null),
            _ => answer,
        }
    });
}

/// Random growth, reorgs, finality, faults and crashes: the end is always that of a fresh index of the final chain.
#[tokio::test(start_paused = true)]
async fn any_schedule_ends_as_a_fresh_index_of_the_final_chain() {
    let first: u64 = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in first..first + 60 {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (chain, node) = shared(Chain::of(random.random_range(1..40)));
        let faults = Arc::new(Mutex::new(0));
        plague(&node, Arc::clone(&faults), seed);
        let mut careful = config();
        careful.verify.backfill = VerificationLevel::Receipts;
        careful.concurrency = random.random_range(1..5);
        let bus = MemoryBus::new();
        let mut running = Running::start(&careful, &filter(), &[Arc::clone(&node)], &bus);
        for _ in 0..30 {
            happen(&mut random, &chain, &faults);
            tokio::time::sleep(Duration::from_millis(random.random_range(0..3_000))).await;
            if random.random_range(0..6) == 0 {
                running.task.abort();
                drop(running.task.await);
                running = Running::start(&careful, &filter(), &[Arc::clone(&node)], &bus);
            }
        }
        *faults.lock().unwrap() = 0;
        grow(&chain, 1);
        bus.until_tip(head(&chain)).await;
        running.stop().await;
        assert_eq!(bus.logs(), truth(&chain), "seed {seed}");
    }
}

//! The core alone, on one processor: decode, state and rules over the simulator's chain, beside bare loops of map
//! updates over the same tokens in the same run: in the order of the chain, where the events of a token are close
//! together, and shuffled, where each update is somewhere else in memory. An entry is 52 bytes of key and 48 of value,
//! less than what the core keeps of a token and its item. What counts are the ratios.
//!
//! ```text
//! cargo bench --workspace --bench core -- [events]
//! ```

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a program for people, which ends where it fails"
)]

#[path = "../src/simulated.rs"]
mod simulated;

use alloy_primitives::{Address, U256};
use custody::{Core, Setup, decode};
use hashbrown::HashMap;
use model::chain::ChainId;
use model::change::{Change, Epoch, Record, Sequence};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use simulator::{Config, History, Simulator};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// That of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Events of a run where none are asked for.
const EVENTS: u64 = 1_000_000;
/// Everything is drawn from it.
const SEED: u64 = 1;
/// How often each loop runs; the fastest counts.
const ROUNDS: usize = 3;

/// The simulator's chain.
async fn chain(events: u64) -> (ChainId, Setup, Vec<Change>) {
    let config = Config { events, history: History::All, block_interval_ms: 0, ..Config::new(SEED) };
    let simulator = Simulator::generate(config).expect("a chain");
    let (setup, registry) = (simulated::setup(&simulator), Arc::new(simulator.registry().clone()));
    let stop = CancellationToken::new();
    let listen = "127.0.0.1:0".parse().expect("an address");
    let running = simulator.serve(&[listen], stop.clone()).await.expect("a node");
    let node = &running.endpoints[0];
    let chain = (ChainId(node.chain_id), setup, simulated::changes(node, registry));
    stop.cancel();
    running.stopped().await;
    chain
}

/// The token of every event, in order.
fn tokens(setup: &Setup, chain: ChainId, changes: &[Change]) -> Vec<(Address, U256)> {
    let segments = changes.iter().filter_map(|change| match change {
        Change::Append(segment) => Some(segment),
        _ => None,
    });
    let decoded = segments.flat_map(|segment| decode::segment(&setup.profiles, chain, segment).events);
    decoded.map(|event| (event.token_contract, event.token.unwrap_or_default())).collect()
}

/// Seconds that the core takes for all of it.
fn core_secs(setup: &Setup, chain: ChainId, changes: &[Change]) -> f64 {
    let setup = Setup { profiles: setup.profiles.clone(), parameters: setup.parameters.clone() };
    let mut core = Core::new(setup);
    let began = Instant::now();
    for (sequence, change) in (1..).map(Sequence).zip(changes) {
        let record = Record { chain, epoch: Epoch(1), sequence, change: change.clone() };
        black_box(core.step(&record).expect("a step"));
    }
    began.elapsed().as_secs_f64()
}

/// Seconds that a map takes for one update an event.
fn map_secs(tokens: &[(Address, U256)]) -> f64 {
    let mut map: HashMap<(Address, [u8; 32]), [u64; 6]> = HashMap::new();
    let began = Instant::now();
    for token in tokens {
        let value = map.entry((token.0, token.1.to_be_bytes())).or_default();
        value.iter_mut().for_each(|word| *word += 1);
    }
    black_box(&map);
    began.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    // Cargo adds a word of its own.
    let events = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(EVENTS);
    let (chain, setup, changes) = chain(events).await;
    let tokens = tokens(&setup, chain, &changes);
    let mut shuffled = tokens.clone();
    shuffled.shuffle(&mut StdRng::seed_from_u64(SEED));
    let fastest = |run: &dyn Fn() -> f64| (0..ROUNDS).map(|_| run()).fold(f64::INFINITY, f64::min);
    let core = tokens.len() as f64 / fastest(&|| core_secs(&setup, chain, &changes));
    let map = |tokens: &[(Address, U256)]| tokens.len() as f64 / fastest(&|| map_secs(tokens));
    let (in_order, at_random) = (map(&tokens), map(&shuffled));
    println!("{} events", tokens.len());
    println!("decode, state, rules, rows           {core:>12.0} events/s");
    println!("map updates, same tokens             {in_order:>12.0} updates/s  ratio {:.2}", core / in_order);
    println!(
        "map updates, same tokens, shuffled   {at_random:>12.0} updates/s  ratio {:.2}",
        core / at_random
    );
}

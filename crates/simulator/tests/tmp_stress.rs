//! Everyone is honest but where a label says otherwise, and every label is about something dishonest.
//!
//! A second, plain reading of the rules (`support/oracle.rs`) goes through all steps of a world. The first step of each
//! pack that it objects to has to be exactly the labelled one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use simulator::{Config, Simulator};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use support::oracle::{Objection, Oracle};
use support::{all_logs, serve_world, steps, whole};

/// Rules whose subject is a pack.
fn labelled(simulator: &Simulator, kind: &str) -> BTreeSet<(String, String)> {
    let labels = simulator.labels().iter().filter(|label| label.subject_kind == kind);
    labels.map(|label| (label.subject.clone(), label.tx.clone())).collect()
}

async fn check(config: Config) {
    let seed = config.seed;
    let simulator = Simulator::generate(config).unwrap();
    let registry = simulator.registry().clone();
    let contracts: Vec<_> = simulator.contracts().iter().map(|contract| contract.address).collect();
    let (items, parties) = (labelled(&simulator, "item"), labelled(&simulator, "party"));
    let (world, _token) = serve_world(simulator).await;
    let mut all = Vec::new();
    for endpoint in &world.endpoints {
        all.extend(steps::read(endpoint.chain_id, &all_logs(endpoint), &contracts));
    }
    all.sort_by_key(|step| step.block_time);
    let mut objections = Oracle::new(&registry).judge(&all);
    // A flooding wallet's steps are labelled by the wallet.
    objections.retain(|objection| !parties.iter().any(|(party, _)| *party == objection.actor.to_string()));
    let mut seen = BTreeSet::new();
    let order = |objection: &Objection| all.iter().position(|step| step.tx == objection.tx);
    objections.sort_by_key(order);
    objections.retain(|objection| seen.insert(objection.item.clone()));
    let found: BTreeSet<_> = objections.iter().map(|o| (o.item.clone(), o.tx.clone())).collect();
    let accused: Vec<_> =
        objections.iter().filter(|o| !items.contains(&(o.item.clone(), o.tx.clone()))).collect();
    assert!(accused.is_empty(), "seed {seed}: nobody planted {accused:#?}");
    let unseen: Vec<_> = items.difference(&found).collect();
    assert!(unseen.is_empty(), "seed {seed}: nothing is wrong with {unseen:#?}");
}

#[tokio::test]
async fn stress() {
    for seed in 1000..1150 {
        check(Config { chains: if seed % 3 == 0 { vec![1, 10] } else { vec![1] }, ..whole(seed) }).await;
    }
}

#[tokio::test]
async fn one_chain() {
    for seed in [31, 32, 33] {
        check(whole(seed)).await;
    }
}

/// A seed that nobody has tried: what fails names it.
#[tokio::test]
async fn any_seed() {
    let seed = RandomState::new().hash_one("seed") % 1_000_000_000;
    check(whole(seed)).await;
}

#[tokio::test]
async fn two_chains() {
    for seed in [34, 35] {
        check(Config { chains: vec![1, 8_453], ..whole(seed) }).await;
    }
}

#[tokio::test]
async fn large_uploads() {
    check(Config { events: 120_000, ..whole(36) }).await;
}

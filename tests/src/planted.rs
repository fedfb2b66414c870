//! What the simulator plants, the core finds: every fraud, in every variant, and nothing else. The blocks come from the
//! node's own answers, and go straight into the core: whatever fails here is a rule's fault or a behaviour's.

use crate::simulated::{block, changes, setup};
use custody::{Core, Setup};
use model::alert::{Alert, CaseKey};
use model::chain::ChainId;
use model::change::{Change, Epoch, Record, Sequence};
use model::registry::Registry;
use simulator::{Config, Endpoint, History, Label, Simulator};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Seeds that are drawn in every run.
const SEEDS: u64 = 5;

/// A node's chain as the stream of its changes, with the time of its last block.
fn stream(node: &Endpoint, registry: &Arc<Registry>) -> (Vec<Record>, u64) {
    let (chain, changes) = (ChainId(node.chain_id), changes(node, registry.clone()));
    let end_secs = match changes.last() {
        Some(Change::Append(segment)) => segment.last_time_secs,
        _ => 0,
    };
    let records = (1..).map(Sequence).zip(changes);
    let records = records.map(|(sequence, change)| Record { chain, epoch: Epoch(1), sequence, change });
    (records.collect(), end_secs)
}

/// Alerts that stand when these records were taken in, in their order.
fn standing<'a>(setup: Setup, records: impl Iterator<Item = &'a Record>) -> Vec<Alert> {
    let mut core = Core::new(setup);
    let mut standing: BTreeMap<CaseKey, Alert> = BTreeMap::new();
    for record in records {
        let commit = core.step(record).unwrap().unwrap();
        let across = core.across().map(|commit| commit.alerts).unwrap_or_default();
        for change in commit.alerts.into_iter().chain(across) {
            match change.alert {
                Some(alert) => standing.insert(change.case_key, alert),
                None => standing.remove(&change.case_key),
            };
        }
    }
    standing.into_values().collect()
}

/// Alerts that stand when everything of the only chain was taken in.
async fn alerts(simulator: Simulator) -> Vec<Alert> {
    let setup = setup(&simulator);
    let rows = Arc::new(simulator.registry().clone());
    let stop = CancellationToken::new();
    let running = simulator.serve(&["127.0.0.1:0".parse().unwrap()], stop.clone()).await.unwrap();
    let (records, _) = stream(&running.endpoints[0], &rows);
    stop.cancel();
    running.stopped().await;
    standing(setup, records.iter())
}

fn explains(label: &Label, alert: &Alert) -> bool {
    let about =
        alert.subject.to_string() == label.subject || alert.item.as_deref() == Some(label.subject.as_str());
    about && (alert.rule == label.rule || label.also.contains(&alert.rule.as_str()))
}

#[test]
fn every_planted_fraud_is_found_and_nothing_else() {
    let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let first = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(first);
    println!("planted: seeds {first}..{} (RXTRAIL_SEED)", first + SEEDS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut wrong = Vec::new();
    for seed in first..first + SEEDS {
        let config = Config { history: History::All, block_interval_ms: 0, ..Config::new(seed) };
        let simulator = Simulator::generate(config).unwrap();
        let labels = simulator.labels().to_vec();
        let alerts = runtime.block_on(alerts(simulator));
        let missed = labels
            .iter()
            .filter(|label| !alerts.iter().any(|alert| alert.rule == label.rule && explains(label, alert)));
        wrong.extend(missed.map(|label| format!("seed {seed}: missed {label:?}")));
        let roots = alerts.iter().filter(|alert| alert.root.is_none());
        let unexplained = roots.filter(|alert| !labels.iter().any(|label| explains(label, alert)));
        wrong.extend(unexplained.map(|alert| {
            format!(
                "seed {seed}: false {} {} {} at {}: expected {}; came {}",
                alert.rule,
                alert.severity.as_str(),
                alert.subject,
                alert.position,
                alert.expected,
                alert.came
            )
        }));
        println!("planted: seed {seed}, {} labels, {} alerts", labels.len(), alerts.len());
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// How long a bridge may take by the rule's default, seconds.
const GRACE_SECS: u64 = 72 * 3_600;

#[test]
fn a_serial_that_lives_on_two_chains_is_found_whichever_chain_is_read_first() {
    let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let first = std::env::var("RXTRAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(first);
    println!("planted on two chains: seeds {first}..{} (RXTRAIL_SEED)", first + 2);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for seed in first..first + 2 {
        let config =
            Config { history: History::All, block_interval_ms: 0, chains: vec![1, 10], ..Config::new(seed) };
        runtime.block_on(two_chains(Simulator::generate(config).unwrap(), seed));
    }
}

async fn two_chains(simulator: Simulator, seed: u64) {
    let setups = [setup(&simulator), setup(&simulator)];
    let (rows, labels) = (Arc::new(simulator.registry().clone()), simulator.labels().to_vec());
    let stop = CancellationToken::new();
    let any = "127.0.0.1:0".parse().unwrap();
    let running = simulator.serve(&[any, any], stop.clone()).await.unwrap();
    let [main, other] = running.endpoints.as_slice() else { panic!("two chains have two nodes") };
    let streams = [stream(main, &rows), stream(other, &rows)];
    let end_secs = streams[0].1.min(streams[1].1);
    let minted_secs = |label: &&Label| block(other, label.block).time_secs;
    let planted: Vec<&Label> = labels.iter().filter(|label| label.variant == "other-chain").collect();
    let due: Vec<&Label> =
        planted.iter().copied().filter(|label| minted_secs(label) + GRACE_SECS < end_secs).collect();
    let [here, there] = setups;
    let main_first = standing(here, streams[0].0.iter().chain(&streams[1].0));
    let other_first = standing(there, streams[1].0.iter().chain(&streams[0].0));
    stop.cancel();
    running.stopped().await;
    assert_eq!(main_first, other_first, "seed {seed}: the order of the chains makes a difference");
    let across: Vec<&Alert> =
        main_first.iter().filter(|alert| alert.rule == "ID-01" && alert.chain == ChainId(10)).collect();
    println!("seed {seed}: {} planted, {} due, {} found", planted.len(), due.len(), across.len());
    assert!(!due.is_empty(), "seed {seed}: no clone was due before the end");
    for label in &due {
        assert!(across.iter().any(|alert| explains(label, alert)), "seed {seed}: missed {label:?}");
    }
    for alert in across {
        assert!(planted.iter().any(|label| explains(label, alert)), "seed {seed}: false {alert:?}");
    }
}

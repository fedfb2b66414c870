//! What the simulator plants, the core finds: every fraud, in every variant, and nothing else. The blocks come from the
//! node's own answers, and go straight into the core: whatever fails here is a rule's fault or a behaviour's.

use crate::simulated::{changes, setup};
use custody::Core;
use model::alert::{Alert, CaseKey};
use model::chain::ChainId;
use model::change::{Epoch, Record, Sequence};
use simulator::{Config, History, Label, Simulator};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Seeds that are drawn in every run.
const SEEDS: u64 = 5;

/// Alerts that stand when everything was taken in.
async fn alerts(simulator: Simulator) -> Vec<Alert> {
    let mut core = Core::new(setup(&simulator));
    let rows = Arc::new(simulator.registry().clone());
    let stop = CancellationToken::new();
    let running = simulator.serve(&["127.0.0.1:0".parse().unwrap()], stop.clone()).await.unwrap();
    let node = &running.endpoints[0];
    let chain = ChainId(node.chain_id);
    let changes = changes(node, rows);
    let mut standing: BTreeMap<CaseKey, Alert> = BTreeMap::new();
    for (sequence, change) in (1..).map(Sequence).zip(changes) {
        let commit = core.step(&Record { chain, epoch: Epoch(1), sequence, change }).unwrap().unwrap();
        for change in commit.alerts {
            match change.alert {
                Some(alert) => standing.insert(change.case_key, alert),
                None => standing.remove(&change.case_key),
            };
        }
    }
    stop.cancel();
    running.stopped().await;
    standing.into_values().collect()
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

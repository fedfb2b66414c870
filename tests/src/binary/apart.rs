//! Chain to stores as processes with a broker between them, while everything that may fail does and the chain reorgs:
//! in the end every canonical table, in a data folder and in ClickHouse, is that of a fresh index in one process, and
//! another system that read the alerts from their topic knows each revision of each case.

use super::company::{Company, FAULTS, Fault, WAREHOUSE_ALERTS};
use super::kill::{Place, assert_same};
use super::process::{At, Process, answer, pedigree, rounds, seed, sql};
use super::trade::Trade;
use crate::broker::Broker;
use crate::deployment::PATIENCE;
use crate::lines::assert_lines;
use model::tables::Table;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Faults in every run.
const ROUNDS: u64 = 42;
/// The latest moment of a fault after a round's last block, in milliseconds.
const FAULT_WITHIN_MS: u64 = 250;

/// What a program in another language made of the topic of alerts: of each case its revisions; or what it says went
/// wrong, where the topic is not made yet.
fn known_to_others(broker: &Broker, topic: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(tests.join("kafka/alerts.mjs"))
        .arg(tests.join(".tools/node_modules"))
        .arg(broker.address())
        .arg(topic);
    let output = node.output().expect("node starts");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(errors.into_owned());
    }
    let known = text.lines().map(|line| serde_json::from_str::<Known>(line).expect("a case"));
    Ok(known.map(|known| (known.case_key, known.revisions)).collect())
}

#[derive(Debug, serde::Deserialize)]
struct Known {
    case_key: String,
    revisions: Vec<String>,
}

/// Waits until others know what people were told.
async fn assert_others_know(broker: &Broker, topic: &str, at: At<'_>) {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in sql(at, "SELECT case_key, kind FROM notices ORDER BY case_key, revision") {
        let (case_key, kind) = row.split_once(',').expect("two columns");
        told.entry(case_key.to_owned()).or_default().push(kind.to_owned());
    }
    let known = async {
        while known_to_others(broker, topic).as_ref() != Ok(&told) {
            tokio::task::yield_now().await;
        }
    };
    let known = tokio::time::timeout(PATIENCE, known).await;
    assert!(known.is_ok(), "others know {:?}, people were told {told:?}", known_to_others(broker, topic));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_part_may_fail_at_any_moment_and_both_stores_hold_what_a_fresh_index_does() {
    let rounds = rounds("RXTRAIL_APART_ROUNDS", ROUNDS);
    let seed = seed("apart");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut trade = Trade::begin().await;
    let mut company = Company::start(&trade, seed).await;
    let mut faults: BTreeMap<Fault, u64> = BTreeMap::new();
    for round in 0..rounds {
        live(&mut company, &mut trade, &mut rng, round % 2 == 0).await;
        // Each kind comes once before any is drawn again.
        let untried: Vec<Fault> = FAULTS.into_iter().filter(|fault| !faults.contains_key(fault)).collect();
        let fault = *untried.choose(&mut rng).or(FAULTS.choose(&mut rng)).expect("there are faults");
        *faults.entry(fault).or_default() += 1;
        company = company.suffer(fault, &mut trade, &mut rng).await;
    }
    company.calm();
    trade.node.finalize().await;
    let (head, finalized) = (trade.node.head().await, trade.node.finalized().await);
    for process in [&mut company.transform, &mut company.warehouse, &mut company.query] {
        process.until(head, Some(finalized)).await;
    }
    let fresh = company.place.data("fresh");
    let alone = Place::of(&trade, "");
    let mut process = Process::start(&alone.config, &fresh);
    process.until(head, Some(finalized)).await;
    process.terminate();
    let killed = company.place.data("transform");
    assert_same(&trade, &killed, &fresh).await;
    let warehouse = At::configured(&company.warehouse_config);
    assert_same(&trade, warehouse, &fresh).await;
    assert_answers_the_same(&company.query, &fresh).await;
    assert_others_know(&company.broker, "rxtrail.alerts", At::from(&killed)).await;
    assert_others_know(&company.broker, WAREHOUSE_ALERTS, warehouse).await;
    for at in [At::from(&killed), warehouse] {
        let foreign = sql(at, "SELECT count(*) > 0 FROM incidents WHERE kind = 'foreign_record'");
        assert_lines("messages of others are incidents", &foreign, &["true"]);
    }
    assert_same_stories(warehouse, At::from(&fresh));
    assert_built_again_from_the_topics(&trade, &company, &fresh).await;
    let count = |what: &str| sql(&killed, &format!("SELECT count(*) FROM {what}"))[0].clone();
    println!(
        "apart: {rounds} faults survived {faults:?}, {} requests to ClickHouse lost; {} blocks mined, {} reorgs that \
         orphaned {} blocks; {} logs, {} notices, {} withdrawn; rows lost 0, rows doubled 0 in either store",
        company.lost(),
        trade.mined,
        trade.reorgs,
        trade.orphaned,
        count("logs"),
        count("notices"),
        count("notices WHERE kind = 'withdrawn'"),
    );
}

/// The chain goes on for some blocks, up to the moment of a fault. Where `keeps_up`, people are told of what is then taken
/// back.
async fn live(company: &mut Company, trade: &mut Trade, rng: &mut StdRng, keeps_up: bool) {
    for _ in 0..rng.random_range(2..8) {
        if rng.random_bool(0.15) {
            trade.reorg(rng).await;
        }
        trade.block(rng).await;
    }
    if keeps_up {
        let told = trade.fraud(rng).await;
        company.transform.until(told, None).await;
        company.warehouse.until(told, None).await;
        trade.reorg(rng).await;
    }
    // Not a wait for anything: the moment of the fault, drawn like the rest.
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..FAULT_WITHIN_MS))).await;
}

/// The stories of some items are told alike from either store.
fn assert_same_stories(warehouse: At<'_>, fresh: At<'_>) {
    let items = sql(fresh, "SELECT item FROM items ORDER BY steps DESC, item LIMIT 3");
    assert_eq!(items.len(), 3, "there are items");
    for item in items {
        assert_lines(&item, &pedigree(warehouse, &item), &pedigree(fresh, &item));
    }
}

/// A database that is built from the topics alone holds what a fresh index does.
async fn assert_built_again_from_the_topics(trade: &Trade, company: &Company, fresh: &Path) {
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (config, into) = (text(&company.warehouse_config), text(&company.place.data("again")));
    answer(&["replay", "--config", &config, "--from", "bus", "--into", &into, "--database", "again"]);
    let again =
        std::fs::read_to_string(&company.warehouse_config).expect("a file") + "database = \"again\"\n";
    let config = company.place.data("again.toml");
    std::fs::write(&config, again).expect("a file");
    assert_same(trade, At::configured(&config), fresh).await;
}

/// The process that only answers says what a fresh index holds.
async fn assert_answers_the_same(query: &Process, fresh: &Path) {
    for table in Table::ALL.into_iter().filter(|table| table.spec().canonical) {
        let statement = format!("SELECT * FROM raw.{}", table.name());
        let (mut answered, mut fresh) = (query.sql(&statement).await, sql(fresh, &statement));
        answered.sort_unstable();
        fresh.sort_unstable();
        assert_lines(table.name(), &answered, &fresh);
    }
}

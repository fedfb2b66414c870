//! `kill -9`, again and again, over a chain that reorgs: in the end every canonical table is that of a fresh index, and
//! everyone who was told of something that the chain took back was told so.

use super::process::{At, Process, answer, configuration, rounds, seed, sql};
use super::trade::Trade;
use crate::lines::assert_lines;
use alloy_primitives::U64;
use model::tables::Table;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Rounds in every run.
const ROUNDS: u64 = 20;
/// The latest moment of a kill after a round's last block, in milliseconds: a start takes some tens.
const KILL_WITHIN_MS: u64 = 250;

/// A case that the chain took back must have been withdrawn last; one that stands must not.
const TOLD_WRONGLY: &str = "SELECT n.case_key, n.rule, n.kind, n.revision FROM notices n
    JOIN (SELECT case_key, max(revision) AS last FROM notices GROUP BY case_key) m
    ON n.case_key = m.case_key AND n.revision = m.last
    LEFT JOIN alerts a ON a.case_key = n.case_key
    WHERE (a.case_key IS NULL) <> (n.kind = 'withdrawn')";

/// Revisions of a case count from 1 without a gap or a repeat.
const MISCOUNTED: &str =
    "SELECT case_key, count(*) AS notices, max(revision) AS last FROM notices GROUP BY case_key
    HAVING count(*) <> max(revision) OR count(DISTINCT revision) <> count(*)";

/// Each log is the position of at least one event, or of exactly one dead letter, and of nothing twice.
const NOT_ACCOUNTED: &str = "SELECT l.block_number, l.log_index FROM logs l
    LEFT JOIN (SELECT DISTINCT block_number, log_index FROM events) e USING (block_number, log_index)
    LEFT JOIN (SELECT DISTINCT block_number, log_index FROM dead_letters) d USING (block_number, log_index)
    WHERE (e.block_number IS NULL) = (d.block_number IS NULL)";

const TWICE: &str = "SELECT block_number, log_index, sub_index, count(*) FROM events
    GROUP BY block_number, log_index, sub_index HAVING count(*) > 1";

/// Folders and files of one deployment.
pub(super) struct Place {
    dir: TempDir,
    pub(super) config: PathBuf,
}

impl Place {
    pub(super) fn of(trade: &Trade, more: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (config, registry) = (dir.path().join("rxtrail.toml"), dir.path().join("registry"));
        trade.cast.write_registry(&registry, &[(&trade.packs, "authoritative")], &[]);
        let text = configuration(trade.node.url(), trade.packs.address, &registry);
        std::fs::write(&config, text + more).expect("a file");
        Self { dir, config }
    }

    /// The same configuration and more, in a file of its own.
    pub(super) fn config_with(&self, name: &str, more: &str) -> PathBuf {
        let (text, path) =
            (std::fs::read_to_string(&self.config).expect("a file"), self.dir.path().join(name));
        std::fs::write(&path, text + more).expect("a file");
        path
    }

    pub(super) fn data(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_number_of_kills_nothing_is_lost_doubled_or_left_untold() {
    let rounds = rounds("RXTRAIL_KILL_ROUNDS", ROUNDS);
    let mut rng = StdRng::seed_from_u64(seed("kill"));
    let mut trade = Trade::begin().await;
    let place = Place::of(&trade, "");
    let killed = place.data("killed");
    let mut caught_up = 0;
    for round in 0..rounds {
        // Every other round the process keeps up with the chain, so that people are told of what is then taken back.
        let keeps_up = round % 2 == 0;
        caught_up += u64::from(keeps_up);
        play(&mut trade, &mut rng, Process::start(&place.config, &killed), keeps_up).await;
    }
    trade.node.finalize().await;
    let (head, finalized) = (trade.node.head().await, trade.node.finalized().await);
    for data in [&killed, &place.data("fresh")] {
        let mut process = Process::start(&place.config, data);
        process.until(head, Some(finalized)).await;
        assert_eq!(process.terminate().code(), Some(130), "a process that was asked to end");
        answer(&["store", "verify", "--data-dir", data.to_str().expect("text")]);
    }
    assert_same(&trade, &killed, &place.data("fresh")).await;
    let count = |what: &str| sql(&killed, &format!("SELECT count(*) FROM {what}"))[0].clone();
    let withdrawn: u64 = count("notices WHERE kind = 'withdrawn'").parse().expect("a number");
    println!(
        "kill: {rounds} kills, {} blocks mined, {} reorgs that orphaned {} blocks; {} logs, {} alerts, {} notices, \
         {withdrawn} withdrawn",
        trade.mined,
        trade.reorgs,
        trade.orphaned,
        count("logs"),
        count("alerts"),
        count("notices"),
    );
    assert!(withdrawn >= caught_up, "each of {caught_up} rounds took back what it had told");
}

/// One life: the chain goes on, and the process is killed at any moment.
async fn play(trade: &mut Trade, rng: &mut StdRng, mut process: Process, keeps_up: bool) {
    for _ in 0..rng.random_range(3..12) {
        if rng.random_bool(0.15) {
            trade.reorg(rng).await;
        }
        let head = trade.block(rng).await;
        if keeps_up && rng.random_bool(0.3) {
            process.until(head, None).await;
        }
    }
    if keeps_up {
        let told = trade.fraud(rng).await;
        process.until(told, None).await;
    }
    trade.reorg(rng).await;
    // Not a wait for anything: the moment of the kill, drawn like the rest.
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..KILL_WITHIN_MS))).await;
    process.kill();
}

/// Nothing is lost, doubled or left untold in a store beside a fresh index.
pub(super) async fn assert_same<'a>(trade: &Trade, killed: impl Into<At<'a>>, fresh: &Path) {
    let killed = killed.into();
    assert_same_tables(killed, fresh.into());
    assert_nothing_is_lost_or_doubled(trade, killed).await;
    assert_lines("cases that people know wrongly", &sql(killed, TOLD_WRONGLY), &[""; 0]);
    assert_lines("cases whose notices are miscounted", &sql(killed, MISCOUNTED), &[""; 0]);
}

/// Every canonical table, row by row.
fn assert_same_tables(killed: At<'_>, fresh: At<'_>) {
    for table in Table::ALL.into_iter().filter(|table| table.spec().canonical) {
        let rows = |at: At<'_>| {
            let mut rows = sql(at, &format!("SELECT * FROM raw.{}", table.name()));
            rows.sort_unstable();
            rows
        };
        let (killed, fresh) = (rows(killed), rows(fresh));
        assert_lines(table.name(), &killed, &fresh);
    }
}

/// The node's own list of logs against ours.
async fn assert_nothing_is_lost_or_doubled(trade: &Trade, data: At<'_>) {
    let filter = json!([{ "fromBlock": "0x0", "toBlock": "latest", "address": trade.packs.address }]);
    let logs = trade.node.call("eth_getLogs", filter).await;
    let number = |value: &serde_json::Value| serde_json::from_value::<U64>(value.clone()).expect("a number");
    let place =
        |log: &serde_json::Value| format!("{},{}", number(&log["blockNumber"]), number(&log["logIndex"]));
    let of_node: Vec<String> = logs.as_array().expect("logs").iter().map(place).collect();
    let ours = sql(data, "SELECT block_number, log_index FROM logs ORDER BY block_number, log_index");
    assert_lines("logs", &ours, &of_node);
    assert!(!ours.is_empty());
    assert_lines("logs that ended nowhere", &sql(data, NOT_ACCOUNTED), &[""; 0]);
    assert_lines("events that stand twice", &sql(data, TWICE), &[""; 0]);
}

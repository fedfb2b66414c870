//! Chain to store as processes with a broker between them, each of which is killed again and again while the chain
//! reorgs: in the end every canonical table is that of a fresh index in one process, and another system that read the
//! alerts from their topic knows each revision of each case.

use super::kill::{Place, assert_same};
use super::process::{Process, rounds, seed, sql};
use super::trade::Trade;
use crate::broker::Broker;
use crate::deployment::PATIENCE;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Faults in every run.
const ROUNDS: u64 = 24;
/// The latest moment of a fault after a round's last block, in milliseconds.
const FAULT_WITHIN_MS: u64 = 250;
/// What an ingester says once the stream is its own.
const TAKEN_OVER: &str = "stream taken over";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// `kill -9` of the process that reads the chain.
    IngestKilled,
    /// `kill -9` of the one with the store.
    TransformKilled,
    /// `kill -9` of both at once.
    BothKilled,
    /// `kill -9` of the broker, which comes back.
    BrokerKilled,
    /// A second process reads the same chain.
    SecondIngester,
    /// The process with the store is asked to end.
    TransformAsked,
}

const FAULTS: [Fault; 6] = [
    Fault::IngestKilled,
    Fault::TransformKilled,
    Fault::BothKilled,
    Fault::BrokerKilled,
    Fault::SecondIngester,
    Fault::TransformAsked,
];

/// The processes of one deployment.
struct Company {
    place: Place,
    broker: Broker,
    ingest: Process,
    transform: Process,
}

impl Company {
    fn start(trade: &Trade) -> Self {
        let broker = Broker::start("");
        let bus = format!("\n[bus]\nkind = \"kafka\"\nbrokers = [\"{}\"]\n", broker.address());
        let place = Place::of(trade, &bus);
        let (ingest, transform) = (Self::ingest(&place), Self::transform(&place));
        Self { place, broker, ingest, transform }
    }

    fn ingest(place: &Place) -> Process {
        Process::start_as("ingest", &place.config, &place.data("ingest"))
    }

    fn transform(place: &Place) -> Process {
        Process::start_as("transform", &place.config, &place.data("transform"))
    }

    async fn suffer(mut self, fault: Fault, trade: &mut Trade, rng: &mut StdRng) -> Self {
        match fault {
            Fault::IngestKilled => {
                self.ingest.kill();
                self.ingest = Self::ingest(&self.place);
            }
            Fault::TransformKilled => {
                self.transform.kill();
                self.transform = Self::transform(&self.place);
            }
            Fault::BothKilled => {
                self.ingest.kill();
                self.transform.kill();
                (self.transform, self.ingest) = (Self::transform(&self.place), Self::ingest(&self.place));
            }
            Fault::BrokerKilled => {
                self.broker.kill(0);
                // The chain goes on meanwhile.
                trade.block(rng).await;
                self.broker = tokio::task::spawn_blocking(move || {
                    self.broker.restart(0);
                    self.broker
                })
                .await
                .expect("it starts");
            }
            Fault::SecondIngester => {
                // A first that a fault before has only just begun could come after its second.
                self.ingest.until_said(&[TAKEN_OVER.to_owned()]).await;
                let mut second = Self::ingest(&self.place);
                second.until_said(&[TAKEN_OVER.to_owned()]).await;
                let mut first = std::mem::replace(&mut self.ingest, second);
                // Whoever came last has the stream; the other finds out when it writes.
                let head = trade.block(rng).await;
                self.transform.until(head, None).await;
                let said = first.until_ended().await;
                assert!(said.contains("was fenced by epoch"), "{said}");
            }
            Fault::TransformAsked => {
                // One that a fault before has only just begun does not hear yet.
                self.transform.until_said(&["rxtrail answers at".to_owned()]).await;
                assert_eq!(self.transform.terminate().code(), Some(130), "a process that was asked to end");
                self.transform = Self::transform(&self.place);
            }
        }
        self
    }
}

/// What a program in another language made of the topic of alerts: of each case its revisions.
fn known_to_others(broker: &Broker) -> BTreeMap<String, Vec<String>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg(tests.join("kafka/alerts.mjs")).arg(tests.join(".tools/node_modules")).arg(broker.address());
    let output = node.output().expect("node starts");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    let known = text.lines().map(|line| serde_json::from_str::<Known>(line).expect("a case"));
    known.map(|known| (known.case_key, known.revisions)).collect()
}

#[derive(Debug, serde::Deserialize)]
struct Known {
    case_key: String,
    revisions: Vec<String>,
}

/// Waits until others know what people were told.
async fn assert_others_know(broker: &Broker, data: &Path) {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in sql(data, "SELECT case_key, kind FROM notices ORDER BY case_key, revision") {
        let (case_key, kind) = row.split_once(',').expect("two columns");
        told.entry(case_key.to_owned()).or_default().push(kind.to_owned());
    }
    let known = async {
        while known_to_others(broker) != told {
            tokio::task::yield_now().await;
        }
    };
    let known = tokio::time::timeout(PATIENCE, known).await;
    assert!(known.is_ok(), "others know {:?}, people were told {told:?}", known_to_others(broker));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_and_broker_may_die_at_any_moment_and_the_tables_are_those_of_one_process() {
    let rounds = rounds("RXTRAIL_KAFKA_ROUNDS", ROUNDS);
    let mut rng = StdRng::seed_from_u64(seed("kafka"));
    let mut trade = Trade::begin().await;
    let mut company = Company::start(&trade);
    let mut faults: BTreeMap<Fault, u64> = BTreeMap::new();
    for round in 0..rounds {
        for _ in 0..rng.random_range(2..8) {
            if rng.random_bool(0.15) {
                trade.reorg(&mut rng).await;
            }
            trade.block(&mut rng).await;
        }
        if round % 2 == 0 {
            // People are told of what is then taken back.
            let told = trade.fraud(&mut rng).await;
            company.transform.until(told, None).await;
            trade.reorg(&mut rng).await;
        }
        // Not a wait for anything: the moment of the fault, drawn like the rest.
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..FAULT_WITHIN_MS))).await;
        // Each kind comes once before any is drawn again.
        let untried: Vec<Fault> = FAULTS.into_iter().filter(|fault| !faults.contains_key(fault)).collect();
        let fault = *untried.choose(&mut rng).or(FAULTS.choose(&mut rng)).expect("there are faults");
        *faults.entry(fault).or_default() += 1;
        company = company.suffer(fault, &mut trade, &mut rng).await;
    }
    trade.node.finalize().await;
    let (head, finalized) = (trade.node.head().await, trade.node.finalized().await);
    company.transform.until(head, Some(finalized)).await;
    let (killed, fresh) = (company.place.data("transform"), company.place.data("fresh"));
    let alone = Place::of(&trade, "");
    let mut process = Process::start(&alone.config, &fresh);
    process.until(head, Some(finalized)).await;
    process.terminate();
    assert_same(&trade, &killed, &fresh).await;
    assert_others_know(&company.broker, &killed).await;
    let count = |what: &str| sql(&killed, &format!("SELECT count(*) FROM {what}"))[0].clone();
    println!(
        "kafka: {rounds} faults survived {faults:?}; {} blocks mined, {} reorgs that orphaned {} blocks; {} logs, {} \
         notices, {} withdrawn; rows lost 0, rows doubled 0",
        trade.mined,
        trade.reorgs,
        trade.orphaned,
        count("logs"),
        count("notices"),
        count("notices WHERE kind = 'withdrawn'"),
    );
}

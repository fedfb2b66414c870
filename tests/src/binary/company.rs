//! A deployment in many processes, and what goes wrong in it: ingest, Kafka, one transform that writes a data folder,
//! one that writes ClickHouse, and a process that only answers.

use super::kill::Place;
use super::process::Process;
use super::trade::Trade;
use crate::broker::Broker;
use crate::clickhouse::{Fate, Server, Way};
use crate::wire::Wire;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an ingester says once the stream is its own.
const TAKEN_OVER: &str = "stream taken over";
/// What a process says once it takes questions and hears signals.
const ANSWERS: &str = "rxtrail answers at";
/// Where the one that writes ClickHouse tells others of alerts.
pub(super) const WAREHOUSE_ALERTS: &str = "warehouse.alerts";
/// Blocks that are mined while something is away.
const MEANWHILE: u64 = 3;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// `kill -9` of the process that reads the chain.
    IngestKilled,
    /// `kill -9` of the one with the data folder.
    TransformKilled,
    /// `kill -9` of the one that writes ClickHouse.
    WarehouseKilled,
    /// `kill -9` of the one that answers.
    QueryKilled,
    /// `kill -9` of all four at once.
    AllKilled,
    /// `kill -9` of the broker, which comes back.
    BrokerKilled,
    /// `kill -9` of ClickHouse, which comes back.
    ServerKilled,
    /// Nobody reaches the broker for a while.
    BrokerCut,
    /// ClickHouse refuses, loses answers, or takes a request only after the one that follows it.
    ServerLossy,
    /// Somebody else writes to the topic of the chain.
    ForeignMessages,
    /// A second process reads the same chain.
    SecondIngester,
    /// A second process writes the same database.
    SecondWarehouse,
    /// `kill -9` of the writer of the database, beside which another one stands by.
    WarehouseHandedOver,
    /// The writer of the database is stopped as if its machine slept, and goes on once another has taken its place.
    WarehouseStalled,
    /// The process with the data folder begins again on a disk that takes long to sync.
    SlowDisk,
    /// The processes with tables are asked to end.
    Asked,
}

/// Each kind of fault.
pub(super) const FAULTS: [Fault; 16] = [
    Fault::IngestKilled,
    Fault::TransformKilled,
    Fault::WarehouseKilled,
    Fault::QueryKilled,
    Fault::AllKilled,
    Fault::BrokerKilled,
    Fault::ServerKilled,
    Fault::BrokerCut,
    Fault::ServerLossy,
    Fault::ForeignMessages,
    Fault::SecondIngester,
    Fault::SecondWarehouse,
    Fault::WarehouseHandedOver,
    Fault::WarehouseStalled,
    Fault::SlowDisk,
    Fault::Asked,
];

/// The processes of one deployment.
pub(super) struct Company {
    pub(super) place: Place,
    pub(super) broker: Broker,
    wire: Wire,
    server: Server,
    way: Way,
    is_lossy: Arc<AtomicBool>,
    /// The configuration with ClickHouse.
    pub(super) warehouse_config: PathBuf,
    slow_disk: PathBuf,
    ingest: Process,
    pub(super) transform: Process,
    pub(super) warehouse: Process,
    pub(super) query: Process,
    /// Machines that the writer of the database has moved to.
    moves: u32,
}

impl Company {
    pub(super) async fn start(trade: &Trade, seed: u64) -> Self {
        let wire = Wire::new().await;
        let broker = Broker::start(&format!("advertised.listeners=PLAINTEXT://{}", wire.address()));
        wire.lead_to(&broker.address());
        let server = Server::start();
        server.forget(&["rxtrail", "again"]).await;
        let is_lossy = Arc::new(AtomicBool::new(false));
        let way = Way::to(server.url(), Box::new(fates(seed, Arc::clone(&is_lossy)))).await;
        let bus = format!("\n[bus]\nkind = \"kafka\"\nbrokers = [\"{}\"]\n", wire.address());
        let place = Place::of(trade, &bus);
        // Each of the two tells others of alerts.
        let store = format!(
            "alerts_topic = \"{WAREHOUSE_ALERTS}\"\n\n[store]\nkind = \"clickhouse\"\nurl = \"{}\"\n",
            way.url()
        );
        let warehouse_config = place.config_with("warehouse.toml", &store);
        let slow_disk = slow_disk(&place.data("slow-disk.so"));
        let ingest = Self::ingest(&place);
        let transform = Self::transform(&place);
        let warehouse = Self::warehouse(&place, &warehouse_config);
        let query = Self::query(&place, &warehouse_config);
        Self {
            place,
            broker,
            wire,
            server,
            way,
            is_lossy,
            warehouse_config,
            slow_disk,
            ingest,
            transform,
            warehouse,
            query,
            moves: 0,
        }
    }

    fn ingest(place: &Place) -> Process {
        Process::start_as("ingest", &place.config, &place.data("ingest"))
    }

    fn transform(place: &Place) -> Process {
        Process::start_as("transform", &place.config, &place.data("transform"))
    }

    fn warehouse(place: &Place, config: &Path) -> Process {
        Process::start_as("transform", config, &place.data("warehouse"))
    }

    fn query(place: &Place, config: &Path) -> Process {
        Process::start_as("query", config, &place.data("query"))
    }

    /// Everything is well again.
    pub(super) fn calm(&self) {
        self.is_lossy.store(false, Ordering::SeqCst);
        self.wire.mend();
    }

    /// Requests to ClickHouse, or answers, that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.way.lost()
    }

    pub(super) async fn suffer(mut self, fault: Fault, trade: &mut Trade, rng: &mut StdRng) -> Self {
        match fault {
            Fault::IngestKilled => {
                self.ingest.kill();
                self.ingest = Self::ingest(&self.place);
            }
            Fault::TransformKilled => {
                self.transform.kill();
                self.transform = Self::transform(&self.place);
            }
            Fault::WarehouseKilled => {
                self.warehouse.kill();
                self.warehouse = Self::warehouse(&self.place, &self.warehouse_config);
            }
            Fault::QueryKilled => {
                self.query.kill();
                self.query = Self::query(&self.place, &self.warehouse_config);
            }
            Fault::AllKilled => {
                for process in [self.ingest, self.transform, self.warehouse, self.query] {
                    process.kill();
                }
                self.query = Self::query(&self.place, &self.warehouse_config);
                self.warehouse = Self::warehouse(&self.place, &self.warehouse_config);
                self.transform = Self::transform(&self.place);
                self.ingest = Self::ingest(&self.place);
            }
            Fault::BrokerKilled => {
                self.broker.kill(0);
                meanwhile(trade, rng).await;
                self.broker = blocking(self.broker, |broker| broker.restart(0)).await;
            }
            Fault::ServerKilled => {
                self.server.kill();
                meanwhile(trade, rng).await;
                self.server = blocking(self.server, Server::restart).await;
            }
            Fault::BrokerCut => {
                self.wire.cut();
                meanwhile(trade, rng).await;
                self.wire.mend();
            }
            Fault::ServerLossy => self.is_lossy.store(true, Ordering::SeqCst),
            Fault::ForeignMessages => write_foreign_messages(&self.broker),
            Fault::SecondIngester => self.second_ingester(trade, rng).await,
            Fault::SecondWarehouse => self.second_warehouse(trade, rng, false).await,
            Fault::WarehouseHandedOver => self.hand_over().await,
            Fault::WarehouseStalled => self.second_warehouse(trade, rng, true).await,
            Fault::SlowDisk => {
                self.transform.kill();
                let data = self.place.data("transform");
                self.transform = Process::start_on("transform", &self.place.config, &data, &self.slow_disk);
            }
            Fault::Asked => return self.ask_to_end().await,
        }
        self
    }

    /// SIGTERM to each process with tables, and begins again.
    async fn ask_to_end(mut self) -> Self {
        self.calm();
        for process in [&mut self.transform, &mut self.warehouse, &mut self.query] {
            // One that a fault before has only just begun does not hear yet.
            process.until_said(&[ANSWERS.to_owned()]).await;
        }
        for process in [self.transform, self.warehouse, self.query] {
            let (code, said) = process.terminate_told();
            assert_eq!(code, Some(130), "a process that was asked to end: {said}");
        }
        self.transform = Self::transform(&self.place);
        self.warehouse = Self::warehouse(&self.place, &self.warehouse_config);
        self.query = Self::query(&self.place, &self.warehouse_config);
        self
    }

    /// Who stands by takes over by itself, with a folder of its own, as on another machine.
    async fn hand_over(&mut self) {
        self.calm();
        self.warehouse.until_said(&[ANSWERS.to_owned()]).await;
        self.moves += 1;
        let data = self.place.data(&format!("warehouse-{}", self.moves));
        let second = Process::start_with("transform", &self.warehouse_config, &data, &["--standby", "1"]);
        let first = std::mem::replace(&mut self.warehouse, second);
        self.warehouse.until_said(&["stands by: another process writes".to_owned()]).await;
        first.kill();
        self.warehouse.until_said(&[ANSWERS.to_owned()]).await;
    }

    async fn second_ingester(&mut self, trade: &mut Trade, rng: &mut StdRng) {
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

    /// Another process writes the database. The first finds out at its next commit, also when it slept meanwhile.
    async fn second_warehouse(&mut self, trade: &mut Trade, rng: &mut StdRng, sleeps: bool) {
        self.calm();
        self.warehouse.until_said(&[ANSWERS.to_owned()]).await;
        if sleeps {
            self.warehouse.signal("STOP");
        }
        let mut second = Self::warehouse(&self.place, &self.warehouse_config);
        second.until_said(&[ANSWERS.to_owned()]).await;
        let mut first = std::mem::replace(&mut self.warehouse, second);
        let head = trade.block(rng).await;
        self.warehouse.until(head, None).await;
        if sleeps {
            first.signal("CONT");
        }
        let said = first.until_ended().await;
        assert!(said.contains("was taken over by the writer of epoch"), "{said}");
    }
}

/// A program in another language writes what is no record of ours to the topic of the chain.
fn write_foreign_messages(broker: &Broker) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let topic = format!("rxtrail.changes.{}", crate::cast::CHAIN);
    let mut node = Command::new("node");
    node.arg(tests.join("kafka/foreign.mjs")).arg(tests.join(".tools/node_modules"));
    let written = node.arg(broker.address()).arg(topic).output().expect("node starts");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
}

/// The chain goes on.
async fn meanwhile(trade: &mut Trade, rng: &mut StdRng) {
    for _ in 0..MEANWHILE {
        trade.block(rng).await;
    }
}

async fn blocking<T: Send + 'static>(mut what: T, work: impl FnOnce(&mut T) + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(move || {
        work(&mut what);
        what
    });
    done.await.expect("it is done")
}

/// Of a lossy server every tenth request ends badly; a commit takes about ten.
fn fates(seed: u64, is_lossy: Arc<AtomicBool>) -> impl FnMut(&str) -> Fate + Send {
    let mut rng = StdRng::seed_from_u64(seed);
    move |_| {
        if !is_lossy.load(Ordering::SeqCst) {
            return Fate::Answered;
        }
        match rng.random_range(0..30) {
            0 => Fate::Refused,
            1 => Fate::AnswerLost,
            2 => Fate::Late,
            _ => Fate::Answered,
        }
    }
}

/// A library that makes every sync of a file take long, for a process to be started with.
fn slow_disk(path: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("slow-disk.c");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(path).arg(source).arg("-ldl").output();
    let built = built.expect("a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    path.to_path_buf()
}

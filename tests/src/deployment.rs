//! A deployment in one process: ingest reads a node, the local bus carries, transform judges, the store keeps, and
//! questions go through the one SQL door.

use crate::cast::CHAIN;
use alloy_primitives::B256;
use bus::Bus as _;
use bus::local::LocalBus;
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use custody::{Core, Setup};
use futures::StreamExt;
use ingest::config::{Config, EndpointConfig, FinalityRule, Verify};
use ingest::filter::Filter;
use ingest::run::{Inputs, RegistryFeed};
use model::chain::{BlockRef, ChainId};
use model::change::RegistryVersion;
use model::registry::Registry;
use model::segment::VerificationLevel;
use model::tables::Table;
use query::engine::Engine;
use query::format::{Encoder, Format};
use query::limits::Limits;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, Store, Writer};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward};

/// How long a test waits for what must come: a hundred times what a loaded machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What is read, and how.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    config: Config,
    profiles: Arc<Profiles>,
    registry: Arc<Registry>,
}

/// A contract by name, address (or any that speaks so) and built-in profile.
pub(crate) fn watched(
    name: &str,
    address: Option<alloy_primitives::Address>,
    profile: &str,
) -> WatchedContract {
    WatchedContract {
        name: name.to_owned(),
        chain: ChainId(CHAIN),
        address,
        profile: Arc::new(builtin(profile).unwrap_or_else(|| panic!("no profile {profile}"))),
        family: None,
        from_block: 0,
    }
}

/// The highest level in both phases.
pub(crate) fn verify_all(level: VerificationLevel) -> Verify {
    Verify { head: level, backfill: level, sample: 0, sample_seed: Some(0) }
}

impl Deployment {
    /// Reads anvil's chain from the node at `url`.
    pub(crate) fn of(url: &str, contracts: Vec<WatchedContract>) -> Self {
        let config = Config {
            id: ChainId(CHAIN),
            endpoints: vec![EndpointConfig::new(url.parse().expect("a URL"))],
            start_block: 0,
            finality: FinalityRule::Tag,
            tail_limit: 4_096,
            verify: verify_all(VerificationLevel::Receipts),
            poll_ms: 20,
            concurrency: 4,
            timeout_ms: 30_000,
            batch: 100,
        };
        let profiles = Arc::new(Profiles::new(contracts).expect("contracts that go together"));
        Self { config, profiles, registry: Arc::default() }
    }

    /// The same with the registry that the files in `dir` hold.
    pub(crate) fn with_registry(self, dir: &Path) -> Self {
        let registry = ingest::registry::load(dir).unwrap_or_else(|error| panic!("{error}"));
        Self { registry: Arc::new(registry), ..self }
    }

    fn filter(&self) -> Filter {
        let (profiles, chain) = (&self.profiles, self.config.id);
        Filter {
            start_block: self.config.start_block,
            addresses: profiles.addresses(chain).into_iter().collect(),
            any_topics: profiles.topics(chain).into_iter().collect(),
            carry_sender: profiles.needs_sender(chain) || profiles.needs_input(chain),
            ..Filter::default()
        }
    }

    /// Starts it in a new data folder.
    pub(crate) fn start(&self) -> Indexer {
        let dir = tempfile::tempdir().expect("a folder");
        let metrics = prometheus::Registry::new();
        let store = Store::open(store::Config::new(dir.path().join("store"))).expect("a store");
        let bus = LocalBus::open(&dir.path().join("bus"), store.durable()).expect("a bus");
        let (chain, reader) = (self.config.id, store.reader());
        let version = RegistryVersion { version: 1, after: None, rows: self.registry.clone() };
        let inputs = Inputs {
            config: self.config.clone(),
            filter: self.filter(),
            publisher: bus.publisher(chain).expect("a publisher"),
            registry: RegistryFeed::from(vec![Arc::new(version)]),
            metrics: ingest::metrics::Metrics::new(&metrics).expect("metrics"),
        };
        let core = Core::new(Setup { profiles: self.profiles.clone(), parameters: Parameters::default() });
        let outward = Outward::new(Metrics::new(&metrics).expect("metrics"));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (ingest, transform) = (Box::pin(ingest::run::run(inputs, stop.clone())), stop.clone());
        tasks.spawn(async move { ingest.await.map_err(failed("ingest")) });
        let (subscriber, writer) = (bus.subscriber().unwrap(), Box::new(store));
        let transform = transform::run(core, subscriber, writer, outward, transform);
        tasks.spawn(async move { transform.await.map_err(failed("transform")) });
        let asked = query::metrics::Metrics::new(&metrics).expect("metrics");
        let engine = Engine::new(Arc::new(reader.clone()), Limits::default(), asked).expect("an engine");
        Indexer { chain, reader, engine, stop, tasks, _dir: dir }
    }
}

fn failed<E: Display>(part: &'static str) -> impl FnOnce(E) -> String {
    move |error| format!("{part}: {error}")
}

/// A deployment that runs.
#[derive(Debug)]
pub(crate) struct Indexer {
    chain: ChainId,
    reader: Reader,
    engine: Engine,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), String>>,
    _dir: TempDir,
}

impl Indexer {
    /// Waits until `block` is the last one that readers see.
    pub(crate) async fn until(&mut self, block: BlockRef) {
        let mut reader = self.reader.clone();
        let chain = self.chain;
        let tip = move |reader: &Reader| reader.snapshot().heads().get(&chain).and_then(|head| head.tip);
        let reached = async {
            while tip(&reader) != Some(block) {
                if reader.changed().await.is_none() {
                    // The writer is gone: the task that held it says why.
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            reached = tokio::time::timeout(PATIENCE, reached) => {
                assert!(reached.is_ok(), "block {block} never came; the last one is {:?}", tip(&self.reader));
            }
            Some(ended) = self.tasks.join_next() => panic!("ended before block {block}: {ended:?}"),
        }
    }

    /// Rows of an answer as text, cells joined by a bar.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let mut answer = self.engine.ask(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut encoder =
            Encoder::new(Format::Csv, &answer.schema(), answer.snapshot()).expect("columns of text");
        let mut bytes = Vec::new();
        while let Some(batch) = answer.next().await {
            bytes.extend(
                encoder.batch(&batch.unwrap_or_else(|error| panic!("{sql}: {error}"))).expect("a batch"),
            );
        }
        bytes.extend(encoder.finish().expect("an end"));
        let records = csv::Reader::from_reader(bytes.as_slice()).into_records();
        records.map(|record| record.expect("a row").iter().collect::<Vec<_>>().join("|")).collect()
    }

    /// Digest of every canonical table.
    pub(crate) async fn digests(&self) -> BTreeMap<&'static str, B256> {
        let snapshot = self.reader.snapshot();
        let mut digests = BTreeMap::new();
        for table in Table::ALL.into_iter().filter(|table| table.spec().canonical) {
            digests.insert(table.name(), snapshot.digest(table).await.expect("a digest"));
        }
        digests
    }

    /// Ends it in peace.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            assert_eq!(ended.expect("a task that ends"), Ok(()));
        }
    }
}

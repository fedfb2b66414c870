//! One life of a process: open the disks, read the chains, take, commit; end in peace or by a crash.

use super::chain::Chain;
use super::late::Heard;
use super::node::{Manner, Node};
use super::schedule::{Hits, World};
use async_trait::async_trait;
use bus::Bus as _;
use bus::local::LocalBus;
use bus::memory::{MemoryDisk, PowerCut};
use bus::{Publisher, Subscriber, Tail};
use model::alert::{ExplainedAs, NoticeKind};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use model::segment::Finality;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use store::parquet::memory_files::{Loss, MemoryFiles};
use store::{Store, Writer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward, Told};

/// Records that may come again.
const REDELIVERED_MAX: usize = 16;

/// Both disks of a process.
#[derive(Debug, Clone, Default)]
pub struct Disks {
    /// The bus's log.
    pub bus: MemoryDisk,
    /// The store's folder.
    pub files: MemoryFiles,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything there was to do was done.
    Peace,
    /// The bus's disk fails after this many writing steps.
    BusFails(u64),
    /// The store's disk fails after this many writing steps.
    StoreFails(u64),
}

/// Rows that are written to files at once: few, so that there are many files.
const FLUSH_ROWS: usize = 40;

fn open_store(world: &World, files: &MemoryFiles) -> store::Result<Store> {
    let mut config = store::Config::new("/data");
    config.flush_rows = FLUSH_ROWS;
    config.threads = 1;
    config.compaction = false;
    config.versions = world.versions();
    Store::open_in(config, Arc::new(files.clone()))
}

/// Lives once; returns the disks as the next life finds them.
pub async fn live(
    world: &World,
    chains: &[Chain],
    disks: Disks,
    (end, manner): (End, Manner),
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Disks {
    match end {
        End::Peace => {}
        End::BusFails(steps) => disks.bus.fail_after(steps),
        End::StoreFails(steps) => disks.files.crash_at(disks.files.steps() + steps),
    }
    let lived = live_until_it_fails(world, chains, (&disks, manner), rng, hits).await;
    match (end, lived) {
        (End::Peace, Err(error)) => panic!("a life in peace failed: {error}"),
        (_, Ok(())) => hits.count("lived to the end"),
        (End::BusFails(_) | End::StoreFails(_), Err(_)) => {}
    }
    if let Some(step) = disks.bus.failed_in() {
        hits.count(format!("crashed in the bus: {step}"));
    }
    if let Some(step) = disks.files.crashed_in() {
        hits.count(format!("crashed in the store: {step}"));
    }
    let cut = PowerCut::ALL[rng.random_range(0..PowerCut::ALL.len())];
    // Most often a part is lost: it is what leaves a record torn, for the next life to cut.
    let part = Loss::Some(rng.random());
    let loss = [Loss::Everything, Loss::Nothing, part, part, part][rng.random_range(0..5)];
    Disks { bus: disks.bus.after(cut), files: disks.files.after_crash(loss) }
}

async fn live_until_it_fails(
    world: &World,
    chains: &[Chain],
    (disks, manner): (&Disks, Manner),
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut store = open_store(world, &disks.files)?;
    let bus = LocalBus::on(Box::new(disks.bus.clone()), store.durable())?;
    let subscriber = Redelivering::new(bus.subscriber().unwrap(), rng.random(), world.heard.clone());
    let redelivered = subscriber.hits.clone();
    let ingested = tokio::task::block_in_place(|| ingest(&bus, world, chains, manner, rng, hits));
    drop(bus);
    if rng.random_bool(0.2) {
        store.compact()?;
        hits.count("compacted");
    }
    let outward = Outward::new(Metrics::new(&prometheus::Registry::new())?);
    store.flush().await?;
    let mut heard = outward.notices.subscribe();
    let stop = CancellationToken::new();
    let transformed =
        transform::run(world.core(), Box::new(subscriber), Box::new(store), outward, stop).await;
    hits.add(&redelivered.lock().unwrap());
    count_told(&mut heard, hits);
    transformed?;
    ingested
}

/// Counts what was told across chains, and what was judged again.
fn count_told(heard: &mut broadcast::Receiver<Told>, hits: &mut Hits) {
    loop {
        let told = match heard.try_recv() {
            Ok(told) => told,
            Err(TryRecvError::Lagged(_)) => continue,
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        };
        if told.chain != ChainId::ACROSS {
            count_judged_again(&told, hits);
            continue;
        }
        hits.count(match told.notice.kind {
            NoticeKind::Opened => "opened a case across chains",
            NoticeKind::Changed | NoticeKind::Closed => "changed a case across chains",
            NoticeKind::Withdrawn => "withdrew a case across chains",
            NoticeKind::Final => "finalised a case across chains",
        });
        if told.notice.alert.expected.contains("announced") {
            hits.count("told of an announced migration that was left half");
        }
    }
}

fn count_judged_again(told: &Told, hits: &mut Hits) {
    let (notice, alert) = (&told.notice, &told.notice.alert);
    match (notice.kind, alert.explained_as) {
        (NoticeKind::Opened, None) if alert.retroactive => hits.count("a case was raised by late knowledge"),
        (NoticeKind::Closed, Some(ExplainedAs::RegistryCorrected)) => {
            hits.count("a case was closed as the registry was corrected");
        }
        (NoticeKind::Withdrawn, _) if alert.retroactive => hits.count("late knowledge was undone by a reorg"),
        _ => {}
    }
}

/// The ingesting side: each chain, in any order of arrival, is read from its node until all was read, or the life ends.
fn ingest(
    bus: &LocalBus,
    world: &World,
    chains: &[Chain],
    manner: Manner,
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Time stands still but for pauses, which pass at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let first = rng.random_range(0..chains.len());
    for at in 0..chains.len() {
        let chain = &chains[(first + at) % chains.len()];
        let stop = CancellationToken::new();
        let node = Arc::new(Node::new(chain, manner, rng.random(), stop.clone()));
        let counted = Counted::new(bus.publisher(chain.id)?);
        let told = counted.hits.clone();
        let inputs = world.inputs(chain.id, Box::new(counted))?;
        let read = runtime.block_on(ingest::run_over(node.clone(), inputs, stop));
        hits.add(&node.hits());
        hits.add(&told.lock().unwrap());
        read?;
    }
    Ok(())
}

/// A publisher that counts what goes through it.
struct Counted {
    publisher: Box<dyn Publisher>,
    hits: Arc<Mutex<Hits>>,
    has_published: bool,
}

impl Counted {
    fn new(publisher: Box<dyn Publisher>) -> Self {
        Self { publisher, hits: Arc::default(), has_published: false }
    }

    fn kind(&self, change: &Change) -> &'static str {
        match change {
            Change::Append(segment) if segment.finality == Finality::Final => "appended a final run",
            Change::Append(_) => "appended an open block",
            Change::Revert(_) if self.has_published => "reverted",
            Change::Revert(_) => "reverted what a former life had published",
            Change::Finalize(_) => "finalised",
            Change::Open(_) | Change::Registry(_) => "opened a stream",
        }
    }
}

#[async_trait]
impl Publisher for Counted {
    async fn tail(&mut self) -> bus::Result<Tail> {
        self.publisher.tail().await
    }

    async fn open(&mut self) -> bus::Result<Epoch> {
        self.publisher.open().await
    }

    async fn publish(&mut self, change: Change) -> bus::Result<Sequence> {
        let kind = self.kind(&change);
        let sequence = self.publisher.publish(change).await?;
        self.has_published = true;
        self.hits.lock().unwrap().count(kind);
        Ok(sequence)
    }
}

/// A reader to whom the bus delivers some records again, at once or late, as Kafka may.
struct Redelivering {
    subscriber: Box<dyn Subscriber>,
    rng: StdRng,
    hits: Arc<Mutex<Hits>>,
    heard: Heard,
    delivered: VecDeque<Record>,
}

impl Redelivering {
    fn new(subscriber: Box<dyn Subscriber>, seed: u64, heard: Heard) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { subscriber, rng, hits: Arc::default(), heard, delivered: VecDeque::new() }
    }
}

#[async_trait]
impl Subscriber for Redelivering {
    async fn next(&mut self) -> bus::Result<Option<Record>> {
        if !self.delivered.is_empty() && self.rng.random_bool(0.1) {
            let again = self.rng.random_range(0..self.delivered.len());
            let late = again + 1 < self.delivered.len();
            self.hits.lock().unwrap().count(if late { "delivered late again" } else { "delivered twice" });
            return Ok(self.delivered.get(again).cloned());
        }
        let next = self.subscriber.next().await?;
        next.iter().for_each(|record| self.heard.hear(record));
        self.delivered.extend(next.clone());
        if self.delivered.len() > REDELIVERED_MAX {
            self.delivered.pop_front();
        }
        Ok(next)
    }

    async fn acknowledge(&mut self, chain: ChainId, durable: Position) -> bus::Result<()> {
        self.subscriber.acknowledge(chain, durable).await
    }
}

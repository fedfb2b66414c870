//! One life of a process: open the disks, take the stream over, publish, take, commit; end in peace or by a crash.

use super::chain::Chain;
use super::schedule::{Hits, World};
use bus::local::LocalBus;
use bus::memory::{MemoryDisk, PowerCut};
use model::alert::NoticeKind;
use model::chain::ChainId;
use model::change::{Change, RegistryVersion};
use model::segment::Finality;
use rand::Rng;
use rand::rngs::StdRng;
use std::sync::Arc;
use store::parquet::memory_files::{Loss, MemoryFiles};
use store::{Store, Writer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward, Told};

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
    end: End,
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Disks {
    match end {
        End::Peace => {}
        End::BusFails(steps) => disks.bus.fail_after(steps),
        End::StoreFails(steps) => disks.files.crash_at(disks.files.steps() + steps),
    }
    let lived = live_until_it_fails(world, chains, &disks, rng, hits).await;
    match (end, lived) {
        (End::Peace, Err(error)) => panic!("a life in peace failed: {error}"),
        (End::Peace, Ok(())) | (_, Ok(())) => hits.count("lived to the end"),
        (End::BusFails(_), Err(_)) => hits.count("crashed at a step of the bus"),
        (End::StoreFails(_), Err(_)) => hits.count("crashed at a step of the store"),
    }
    let cut = PowerCut::ALL[rng.random_range(0..PowerCut::ALL.len())];
    let loss = [Loss::Everything, Loss::Nothing, Loss::Some(rng.random())][rng.random_range(0..3)];
    Disks { bus: disks.bus.after(cut), files: disks.files.after_crash(loss) }
}

async fn live_until_it_fails(
    world: &World,
    chains: &[Chain],
    disks: &Disks,
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut store = open_store(world, &disks.files)?;
    let bus = LocalBus::on(Box::new(disks.bus.clone()), store.durable())?;
    let subscriber = bus.subscriber();
    let ingested = ingest(&bus, world, chains, rng, hits).await;
    drop(bus);
    if rng.random_bool(0.2) {
        store.compact()?;
        hits.count("compacted");
    }
    let outward = Outward::new(Metrics::new(&prometheus::Registry::new())?);
    store.flush().await?;
    let mut heard = outward.notices.subscribe();
    let ran =
        transform::run(world.core(), subscriber, Box::new(store), outward, CancellationToken::new()).await;
    count_across(&mut heard, hits);
    ran?;
    ingested
}

/// Counts what was told across chains.
fn count_across(heard: &mut broadcast::Receiver<Told>, hits: &mut Hits) {
    loop {
        let told = match heard.try_recv() {
            Ok(told) => told,
            Err(TryRecvError::Lagged(_)) => continue,
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        };
        if told.chain != ChainId::ACROSS {
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

/// The ingesting side: each chain takes its stream over and publishes what the chain holds.
async fn ingest(
    bus: &LocalBus,
    world: &World,
    chains: &[Chain],
    rng: &mut StdRng,
    hits: &mut Hits,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Chains in any order of arrival.
    let first = rng.random_range(0..chains.len());
    for at in 0..chains.len() {
        let chain = &chains[(first + at) % chains.len()];
        let mut publisher = bus.publisher(chain.id)?;
        let tail = publisher.tail().await?;
        publisher.open().await?;
        if tail.registry_version == 0 {
            let version = RegistryVersion { version: 1, after: None, rows: world.registry.clone() };
            publisher.publish(Change::Registry(Arc::new(version))).await?;
        }
        let mut tip = tail.position.tip;
        if let Some(orphan) = tip.filter(|tip| !chain.holds(*tip)) {
            let known = tail.open_blocks.iter().rev().copied().chain(tail.position.finalized);
            let ancestor = known
                .into_iter()
                .find(|block| chain.holds(*block))
                .ok_or("the finalised block was orphaned")?;
            publisher.publish(Change::Revert(ancestor)).await?;
            hits.count("reverted what a former life had published");
            assert_ne!(orphan, ancestor);
            tip = Some(ancestor);
        }
        // What became final while nobody looked is said to be final before more is built on it.
        if let Some(tip) = tip {
            let upto = chain.blocks[usize::try_from(chain.finalized.min(tip.number))?].meta.block;
            if tail.position.finalized.is_none_or(|done| done.number < upto.number) {
                publisher.publish(Change::Finalize(upto)).await?;
                hits.count("finalised");
            }
        }
        let mut next = tip.map_or(0, |tip| tip.number + 1);
        while next <= chain.tip().number && rng.random_bool(0.97) {
            let last = if next <= chain.finalized {
                chain.finalized.min(next + rng.random_range(0..9))
            } else {
                next
            };
            let finality = if last <= chain.finalized { Finality::Final } else { Finality::Open };
            publisher.publish(Change::Append(chain.segment(next, last, finality))).await?;
            hits.count(if finality == Finality::Final {
                "appended a final run"
            } else {
                "appended an open block"
            });
            next = last + 1;
        }
        let final_block =
            chain.blocks[usize::try_from(chain.finalized.min(next.saturating_sub(1))).unwrap()].meta.block;
        let moved =
            publisher.tail().await?.position.finalized.is_none_or(|done| done.number < final_block.number);
        if moved && next > 0 && rng.random_bool(0.8) {
            publisher.publish(Change::Finalize(final_block)).await?;
            hits.count("finalised");
        }
    }
    Ok(())
}

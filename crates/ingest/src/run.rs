//! The loop: what the chain says next goes to the bus.
//!
//! ```text
//! where does the chain end? ──▶ next step ──▶ backfill | finalize | extend | reorg | wait ──▶ again
//! ```
//!
//! Backfill and tail are one path: final blocks in large segments, then open blocks one by one, each on the hash of
//! the one before it. A start is no special case either: what was orphaned meanwhile is a reorg like any other.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::factory::Watched;
use crate::filter::Filter;
use crate::finality::{self, Ends, Step};
use crate::incidents::Incidents;
use crate::metrics::{ChainMetrics, Metrics, gauge_value};
use crate::pipeline::{Gathering, Pipeline};
use crate::pool::Pool;
use crate::published::Published;
use crate::reorg;
use crate::source::{ChainSource, ReadRequest, Sample};
use bus::Publisher;
use model::chain::BlockRef;
use model::change::RegistryVersion;
use model::error::ErrorClass;
use model::incident::IncidentKind;
use model::segment::{Finality, Segment};
use runtime::retry::{Backoff, Failure, Policy};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Open blocks of one step: after them the ends of the chain are asked for again.
const EXTEND_MAX: u64 = 64;

/// Incidents that one segment carries: what is more has one cause, and the metric counts it.
const INCIDENTS_MAX: usize = 256;

/// Pauses after a step that failed on every endpoint. A chain is read for as long as the process lives: an outage of
/// all endpoints ends by itself, and is seen in the metrics meanwhile.
const PATIENCE: Policy = Policy {
    attempts_max: u32::MAX,
    first_delay: Duration::from_millis(500),
    delay_max: Duration::from_secs(30),
};

/// What is read, and where it goes.
pub struct Inputs {
    /// How the chain is read.
    pub config: Config,
    /// Which logs are carried.
    pub filter: Filter,
    /// The chain's end of the bus.
    pub publisher: Box<dyn Publisher>,
    /// Reference data.
    pub registry: RegistryFeed,
    /// Where it is counted.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inputs")
            .field("config", &self.config)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Versions of the registry, ascending: those that are there at the start, and those that come while it runs.
///
/// A version that the bus does not hold yet is published after the tip of that moment, the first of a new stream
/// before the first block. `after` is set here, whatever it was.
#[derive(Debug, Default)]
pub struct RegistryFeed {
    waiting: VecDeque<Arc<RegistryVersion>>,
    updates: Option<mpsc::Receiver<Arc<RegistryVersion>>>,
}

impl From<Vec<Arc<RegistryVersion>>> for RegistryFeed {
    fn from(versions: Vec<Arc<RegistryVersion>>) -> Self {
        Self { waiting: versions.into(), updates: None }
    }
}

impl RegistryFeed {
    /// Takes more versions while it runs.
    #[must_use]
    pub fn with_updates(self, updates: mpsc::Receiver<Arc<RegistryVersion>>) -> Self {
        Self { updates: Some(updates), ..self }
    }

    /// The next version that waits.
    fn next(&mut self) -> Option<Arc<RegistryVersion>> {
        if let Some(updates) = &mut self.updates {
            while let Ok(version) = updates.try_recv() {
                self.waiting.push_back(version);
            }
        }
        self.waiting.pop_front()
    }
}

/// Reads the chain from its endpoints until `shutdown`.
///
/// # Errors
/// What no retry mends: see [`Error`]; everything published so far is intact.
pub async fn run(inputs: Inputs, shutdown: CancellationToken) -> Result<()> {
    let config = inputs.config.clone().validated()?;
    let incidents = Incidents::new(config.id, inputs.metrics.of_chain(config.id));
    let pool = Pool::new(&config, &inputs.metrics, incidents.clone())?;
    drive(Arc::new(pool), Inputs { config, ..inputs }, incidents, shutdown).await
}

/// Reads the chain from `source` until `shutdown`; the endpoints of the configuration are not used.
///
/// # Errors
/// As [`run`].
pub async fn run_over(
    source: Arc<dyn ChainSource>,
    inputs: Inputs,
    shutdown: CancellationToken,
) -> Result<()> {
    let incidents = Incidents::new(inputs.config.id, inputs.metrics.of_chain(inputs.config.id));
    drive(source, inputs, incidents, shutdown).await
}

async fn drive(
    source: Arc<dyn ChainSource>,
    inputs: Inputs,
    incidents: Incidents,
    shutdown: CancellationToken,
) -> Result<()> {
    inputs.filter.check()?;
    // Whatever is under way when the process is to end is dropped: the bus takes a crash at any instruction.
    let work = async { Loop::open(source, inputs, incidents).await?.run().await };
    shutdown.run_until_cancelled(work).await.unwrap_or(Ok(()))
}

struct Loop {
    source: Arc<dyn ChainSource>,
    config: Config,
    published: Published,
    watched: Watched,
    registry: RegistryFeed,
    incidents: Incidents,
    metrics: ChainMetrics,
    sample: Sample,
    /// Are the contracts known that factories made up to the tip?
    recalled: bool,
    stalled: bool,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more to do at once.
    Made,
    /// Nothing to do until the chain changes.
    None,
}

impl Loop {
    async fn open(source: Arc<dyn ChainSource>, inputs: Inputs, incidents: Incidents) -> Result<Self> {
        let Inputs { config, filter, publisher, registry, metrics } = inputs;
        let metrics = metrics.of_chain(config.id);
        let seed = config.verify.sample_seed.unwrap_or_else(rand::random);
        tracing::info!(chain = config.id.0, seed, one_in = config.verify.sample, "sample of final blocks");
        Ok(Self {
            source,
            published: Published::open(publisher, metrics.clone()).await?,
            watched: Watched::new(config.id, filter),
            registry,
            incidents,
            metrics,
            sample: Sample { one_in: config.verify.sample, seed },
            recalled: false,
            stalled: false,
            config,
        })
    }

    async fn run(mut self) -> Result<()> {
        let seed = self.sample.seed;
        let mut backoff = Backoff::new(PATIENCE, seed);
        loop {
            match self.step().await {
                Ok(Progress::Made) => backoff = Backoff::new(PATIENCE, seed),
                Ok(Progress::None) => {
                    backoff = Backoff::new(PATIENCE, seed);
                    self.source.changed().await;
                }
                Err(error) if error.is_worth_asking_again() => {
                    self.metrics.retries.inc();
                    let pause = backoff.after(&Again).unwrap_or(PATIENCE.delay_max);
                    tracing::warn!(chain = self.config.id.0, %error, pause_ms = pause.as_millis(), "trying again");
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One step. Whatever fails in it, what was published stands, and the next step begins from there.
    async fn step(&mut self) -> Result<Progress> {
        self.publish_registry().await?;
        let ends = finality::ends(self.source.as_ref(), self.config.id, self.config.finality).await?;
        self.metrics.head_block.set(gauge_value(ends.latest.block.number));
        self.recall_contracts(&ends).await?;
        let start_block = self.watched.query().0.start_block;
        let step = finality::next_step(self.published.standing(), &ends, start_block, self.config.tail_limit);
        self.note_finality(step == Step::Stalled, &ends);
        match step {
            Step::Backfill { first, last } => self.backfill(first, last, &ends).await?,
            Step::Finalize(block) => self.published.finalize(block).await?,
            Step::Extend { first, last } => self.extend(first, last, &ends).await?,
            Step::Reorg => self.reorg(&ends).await?,
            Step::Stalled | Step::Wait => return Ok(Progress::None),
        }
        Ok(Progress::Made)
    }

    async fn publish_registry(&mut self) -> Result<()> {
        while let Some(version) = self.registry.next() {
            if version.version > self.published.registry_version() {
                self.published.register(&version).await?;
            }
        }
        Ok(())
    }

    /// Finds again, once, the contracts that factories made in blocks that are on the bus already.
    async fn recall_contracts(&mut self, ends: &Ends) -> Result<()> {
        let (Some(tip), Some(query), false) =
            (self.published.standing().tip, self.watched.query_factories(), self.recalled)
        else {
            self.recalled = true;
            return Ok(());
        };
        let last = tip.number.min(ends.latest.block.number);
        self.watched.revert(0);
        let mut first = query.start_block;
        while first <= last {
            let until =
                first.saturating_add(self.source.span(self.config.verify.backfill).max(1) - 1).min(last);
            let request =
                ReadRequest { query: Arc::clone(&query), ..self.request(first, until, Finality::Final) };
            let segment = self.source.read(request).await?;
            self.watched.learn(&segment.logs)?;
            first = segment.last.number.saturating_add(1);
        }
        self.recalled = true;
        self.metrics.discovered_contracts.set(gauge_value(self.watched.count() as u64));
        Ok(())
    }

    fn request(&self, first: u64, last: u64, finality: Finality) -> ReadRequest {
        let verify = &self.config.verify;
        let (level, sample) = match finality {
            Finality::Final => (verify.backfill, self.sample),
            Finality::Open => (verify.head, Sample::default()),
        };
        let (query, _) = self.watched.query();
        ReadRequest { first, last, parent: None, finality, level, sample, query }
    }

    /// Final blocks up to `last`. Open blocks below them are final then, if they are still on the chain.
    async fn backfill(&mut self, first: u64, last: BlockRef, ends: &Ends) -> Result<()> {
        if let Some(tip) =
            self.published.standing().tip.filter(|_| !self.published.standing().open.is_empty())
        {
            let held = self.source.block(tip.number).await?;
            if held.is_none_or(|held| held.block.hash != tip.hash) {
                return self.reorg(ends).await;
            }
            self.published.finalize(tip).await?;
        }
        let last = Box::pin(self.last_of_run(first, last)).await?;
        let parent = self.published.standing().tip.map(|tip| tip.hash);
        let request = ReadRequest { parent, ..self.request(first, last.number, Finality::Final) };
        let mut pipeline = Pipeline::new(Arc::clone(&self.source), request, self.config.concurrency);
        let mut gathering = Gathering::new(self.config.id, self.published.standing().tip);
        match self.gather(&mut pipeline, &mut gathering).await {
            Ok(()) if gathering.tip() == Some(last) => self.publish_gathered(&mut gathering).await,
            // Ranges that do not link, or do not lead to the final block: none of what waits can be believed.
            Ok(()) | Err(Error::Moved { .. }) => self.reorg(ends).await,
            // What was gathered before a failure is linked and verified: it goes out.
            Err(error) => self.publish_gathered(&mut gathering).await.and(Err(error)),
        }
    }

    /// Where a run of final blocks ends: at `last`, or before it where a version of the registry comes into force.
    async fn last_of_run(&mut self, first: u64, last: BlockRef) -> Result<BlockRef> {
        let Some(number) = self.published.registered_within(first, last.number) else { return Ok(last) };
        Ok(self.source.block(number).await?.map_or(last, |meta| meta.block))
    }

    async fn gather(&mut self, pipeline: &mut Pipeline, gathering: &mut Gathering) -> Result<()> {
        while let Some(segment) = pipeline.next(&mut self.watched).await {
            gathering.push(segment?)?;
            if gathering.is_full() {
                self.publish_gathered(gathering).await?;
                self.publish_registry().await?;
            }
        }
        Ok(())
    }

    async fn publish_gathered(&mut self, gathering: &mut Gathering) -> Result<()> {
        match gathering.take()? {
            Some(segment) => self.publish(segment).await,
            None => Ok(()),
        }
    }

    /// Open blocks, one segment each.
    async fn extend(&mut self, first: u64, last: u64, ends: &Ends) -> Result<()> {
        let last = last.min(first.saturating_add(EXTEND_MAX - 1));
        let parent = self.published.standing().tip.map(|tip| tip.hash);
        let request = ReadRequest { parent, ..self.request(first, last, Finality::Open) };
        let mut pipeline = Pipeline::new(Arc::clone(&self.source), request, self.config.concurrency);
        while let Some(segment) = pipeline.next(&mut self.watched).await {
            let segment = segment?;
            if !self.published.standing().is_next(&segment) {
                return self.reorg(ends).await;
            }
            self.publish(segment).await?;
        }
        Ok(())
    }

    async fn reorg(&mut self, ends: &Ends) -> Result<()> {
        let latest = ends.latest.block.number;
        let ancestor =
            reorg::common_ancestor(self.source.as_ref(), self.config.id, self.published.standing(), latest)
                .await?;
        if Some(ancestor) == self.published.standing().tip {
            // Nothing of ours is gone: what did not fit was read while the chain moved, or from a node that is behind.
            return Err(Error::Moved { chain: self.config.id, block: ancestor.number.saturating_add(1) });
        }
        self.published.revert(ancestor).await?;
        self.watched.revert(ancestor.number);
        Ok(())
    }

    async fn publish(&mut self, mut segment: Segment) -> Result<()> {
        segment.incidents.extend(self.incidents.take());
        segment.incidents.truncate(INCIDENTS_MAX);
        self.published.append(segment).await?;
        self.metrics.discovered_contracts.set(gauge_value(self.watched.count() as u64));
        Ok(())
    }

    /// Says once when finality has stalled, and once when it moves again.
    fn note_finality(&mut self, stalled: bool, ends: &Ends) {
        if stalled && !self.stalled {
            let detail = format!(
                "{} blocks stand above the final block {}; reading pauses until it moves",
                self.published.standing().open.len(),
                ends.finalized.block.number
            );
            let tip = self.published.standing().tip.map(|tip| tip.number);
            self.incidents.report(IncidentKind::FinalityStalled, tip, "all", &detail);
        }
        if !stalled && self.stalled {
            tracing::info!(chain = self.config.id.0, "finality moves again");
        }
        self.stalled = stalled;
        self.metrics.finality_stalled.set(stalled.into());
    }
}

/// Whatever failed is tried again.
struct Again;

impl Failure for Again {
    fn class(&self) -> ErrorClass {
        ErrorClass::Transient
    }
}

#[cfg(test)]
mod tests;

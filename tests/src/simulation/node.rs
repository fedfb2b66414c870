//! A node that fails, is behind, answers in part, or has not heard of a reorg: what the ingesting side reads in a life.
//!
//! Everything is drawn from the schedule's seed. What verification finds out never gets this far: that is tested where
//! it is done, over JSON-RPC.

use super::chain::{Block, Chain, segment};
use super::schedule::Hits;
use async_trait::async_trait;
use ingest::error::{Error, Result};
use ingest::source::{ChainSource, Heads, ReadRequest};
use model::chain::{BlockRef, ChainId};
use model::segment::{BlockMeta, Finality, Segment, VerificationLevel};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

/// Questions for the head in a life at most: a few changes each, and the bus holds 600 until they are taken.
const HEADS_MAX: u32 = 100;

/// How a node behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It says what is, and everything of it.
    Honest,
    /// It fails, lags, answers in part, tells of a branch that was left; and the process may die while it is asked.
    Unreliable,
}

/// A node of a chain that stands still.
#[derive(Debug)]
pub struct Node {
    chain: ChainId,
    blocks: Vec<Block>,
    fork: Option<Vec<Block>>,
    finalized: u64,
    manner: Manner,
    /// Ends the life of who asks.
    stop: CancellationToken,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    rng: StdRng,
    hits: Hits,
    heads_asked: u32,
    /// Was the last answer about the head the whole truth?
    told_all: bool,
}

impl Node {
    /// A node of `chain`; `stop` is cancelled once everything was read, or when the process is to die.
    pub fn new(chain: &Chain, manner: Manner, seed: u64, stop: CancellationToken) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let memory = Memory { rng, hits: Hits::default(), heads_asked: 0, told_all: false };
        Self {
            chain: chain.id,
            blocks: chain.blocks.clone(),
            fork: chain.fork(),
            finalized: chain.finalized,
            manner,
            stop,
            memory: Mutex::new(memory),
        }
    }

    /// How often it did what.
    pub fn hits(&self) -> Hits {
        self.memory().hits.clone()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Does it happen now? Then it is counted.
    fn happens(&self, chance: f64, what: &'static str) -> bool {
        let mut memory = self.memory();
        let happens = self.manner == Manner::Unreliable && memory.rng.random_bool(chance);
        if happens {
            memory.hits.count(what);
        }
        happens
    }

    fn draw(&self, range: std::ops::Range<u64>) -> u64 {
        self.memory().rng.random_range(range)
    }

    fn fail(&self, what: &str) -> Result<()> {
        if self.happens(0.05, "node failed") {
            return Err(Error::Unavailable { chain: self.chain, what: what.into(), detail: "drawn".into() });
        }
        Ok(())
    }

    /// The chain, or the branch that was left, which is a lie.
    fn view(&self) -> &[Block] {
        match &self.fork {
            Some(fork) if self.happens(0.1, "node told of a branch that was left") => fork,
            _ => &self.blocks,
        }
    }

    async fn end(&self) -> ! {
        self.stop.cancel();
        std::future::pending().await
    }
}

fn at(blocks: &[Block], number: u64) -> Option<&Block> {
    blocks.get(usize::try_from(number).unwrap())
}

#[async_trait]
impl ChainSource for Node {
    async fn heads(&self) -> Result<Heads> {
        self.memory().heads_asked += 1;
        if self.memory().heads_asked > HEADS_MAX || self.happens(0.03, "died while reading") {
            self.end().await;
        }
        self.fail("heads")?;
        let view = self.view();
        let tip = view.len() as u64 - 1;
        let behind = if self.happens(0.1, "node was behind") { self.draw(1..4) } else { 0 };
        let latest = tip.saturating_sub(behind);
        self.memory().told_all = behind == 0 && std::ptr::eq(view, self.blocks.as_slice());
        let meta = |number| at(view, number).map(|block| block.meta);
        let latest = meta(latest).unwrap();
        Ok(Heads { latest, finalized: meta(self.finalized.min(latest.block.number)) })
    }

    async fn block(&self, number: u64) -> Result<Option<BlockMeta>> {
        self.fail("a block")?;
        Ok(at(self.view(), number).map(|block| block.meta))
    }

    async fn confirm(&self, block: BlockRef) -> Result<bool> {
        self.fail("a final block")?;
        Ok(at(&self.blocks, block.number).is_some_and(|held| held.meta.block == block))
    }

    async fn read(&self, request: ReadRequest) -> Result<Segment> {
        self.fail("logs")?;
        let view = self.view();
        let mut last = request.last.min(view.len() as u64 - 1);
        if request.first > last {
            return Err(Error::Moved { chain: self.chain, block: request.first });
        }
        if request.finality == Finality::Final && self.happens(0.3, "node answered in part") {
            last = self.draw(request.first..last + 1);
        }
        let place = |number: u64| usize::try_from(number).unwrap();
        Ok(segment(&view[place(request.first)..=place(last)], request.finality))
    }

    fn span(&self, _: VerificationLevel) -> u64 {
        self.draw(1..9)
    }

    async fn changed(&self) {
        if self.memory().told_all {
            self.end().await;
        }
    }
}

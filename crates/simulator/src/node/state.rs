//! A node's state: its chain, its faults, and the news of its head.

use crate::chain::ledger::Ledger;
use crate::chain::reorg::{Reorged, reorg};
use crate::chain::seal::SealedBlock;
use crate::error::Result;
use crate::faults::{Faults, hits};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::broadcast;

/// News that a slow subscriber may lag behind by before it is cut off: some minutes of fast mining.
const NEWS_MAX: usize = 1_024;

/// What subscribers are told.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// A block is the new head.
    Added(Arc<SealedBlock>),
    /// A block is no longer canonical.
    Removed(Arc<SealedBlock>),
}

/// When reorgs happen by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// After every so many blocks; 0 is never.
    pub(crate) every_blocks: u64,
    /// Of so many blocks at most.
    pub(crate) depth_max: u64,
}

/// One node. Locks are held for copying bytes only, never across an await.
#[derive(Debug)]
pub(crate) struct Node {
    ledger: RwLock<Ledger>,
    faults: RwLock<Faults>,
    schedule: Schedule,
    news: broadcast::Sender<News>,
    /// HTTP requests so far.
    pub(crate) requests: AtomicU64,
    /// Calls of `eth_getLogs` so far.
    pub(crate) log_calls: AtomicU64,
    /// Does live mining stand still?
    pub(crate) paused: AtomicBool,
}

impl Node {
    /// A node that serves a chain.
    pub(crate) fn new(ledger: Ledger, faults: Faults, schedule: Schedule) -> Self {
        Self {
            ledger: RwLock::new(ledger),
            faults: RwLock::new(faults),
            schedule,
            news: broadcast::channel(NEWS_MAX).0,
            requests: AtomicU64::new(0),
            log_calls: AtomicU64::new(0),
            paused: AtomicBool::new(false),
        }
    }

    /// The chain, to read.
    pub(crate) fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults as they are now.
    pub(crate) fn faults(&self) -> Faults {
        self.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the faults.
    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The news from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Mines the next block; `false` once everything is mined and final.
    pub(crate) fn mine(&self) -> Result<bool> {
        let Some(block) = self.change().mine()? else { return Ok(false) };
        let number = block.number();
        self.tell(News::Added(block));
        if hits(self.schedule.every_blocks, number) {
            // Any depth up to the largest, the same each time.
            self.reorg(1 + number / self.schedule.every_blocks % self.schedule.depth_max, number)?;
        }
        Ok(true)
    }

    /// Replaces the last blocks; see [`reorg`].
    pub(crate) fn reorg(&self, depth: u64, dice: u64) -> Result<()> {
        let Reorged { removed, added } = reorg(&mut self.change(), depth, dice)?;
        removed.into_iter().for_each(|block| self.tell(News::Removed(block)));
        added.into_iter().for_each(|block| self.tell(News::Added(block)));
        Ok(())
    }

    /// Counts one more; the first is 1.
    pub(crate) fn count(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn change(&self) -> RwLockWriteGuard<'_, Ledger> {
        self.ledger.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, news: News) {
        // Nobody listens: nobody is told.
        self.news.send(news).map(drop).unwrap_or_default();
    }
}

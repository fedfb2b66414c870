//! The local bus: a log in a folder, and a bounded queue to the reader.
//!
//! ```text
//! publish ──▶ log (synced) ──▶ queue ──▶ next        open blocks, reverts, finalize, registry, open
//! publish ─────────────────▶ queue ──▶ next          final runs: the chain still holds them
//! ```
//!
//! [`LocalBus::open`] is told what the store holds. What the log has after it without a gap is read again first;
//! after a gap (a final run that a crash took from memory) the rest is dropped, and the writer, which asks
//! [`Publisher::tail`] where to go on, publishes it again.
//!
//! One process has the folder at a time. The disk is asked on the threads that may block.

pub mod disk;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod group;
mod ledger;
mod log;
mod queue;

use crate::error::{Error, Result};
use crate::{Bus, Publisher, Subscriber, Tail};
use async_trait::async_trait;
use disk::{Disk, Folder};
use group::{Action, Entry, Group};
use ledger::Ledger;
use log::Log;
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use queue::{Queue, Slot, Waits};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// The bus of one process. The reader sees the end once this and every publisher are dropped.
#[derive(Debug)]
pub struct LocalBus {
    group: Arc<Group>,
    queue: Queue,
    reader: Mutex<Option<Reader>>,
}

impl LocalBus {
    /// Opens the log in `dir`, making both if there are none. `committed` is where the store would have each chain
    /// read again from: its `state_at`.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has the folder, [`Error::Corrupt`] when the log is damaged before its end.
    pub fn open(dir: &Path, committed: BTreeMap<ChainId, Position>) -> Result<Self> {
        Self::on(Box::new(Folder::open(dir)?), committed)
    }

    /// Opens the log on `disk`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn on(disk: Box<dyn Disk>, committed: BTreeMap<ChainId, Position>) -> Result<Self> {
        let (log, contents) = Log::open(disk)?;
        let mut recovered = Ledger::recover(contents, &committed);
        let replay = VecDeque::from(std::mem::take(&mut recovered.replay));
        let group = Arc::new(Group::start(log, recovered)?);
        let (queue, waits) = queue::queue();
        let reader = Reader { group: group.clone(), replay, waits };
        Ok(Self { group, queue, reader: Mutex::new(Some(reader)) })
    }
}

impl Bus for LocalBus {
    fn publisher(&self, chain: ChainId) -> Result<Box<dyn Publisher>> {
        Ok(Box::new(Writer { chain, epoch: None, group: self.group.clone(), queue: self.queue.clone() }))
    }

    fn subscriber(&self) -> Result<Box<dyn Subscriber>> {
        let reader = self.reader.lock().ok().and_then(|mut reader| reader.take());
        reader.map(|reader| Box::new(reader) as Box<dyn Subscriber>).ok_or(Error::Taken)
    }
}

/// One chain's writer.
#[derive(Debug)]
struct Writer {
    chain: ChainId,
    epoch: Option<Epoch>,
    group: Arc<Group>,
    queue: Queue,
}

impl Writer {
    /// Has `action` written. Once this is polled to its end or dropped, it is on the stream whole or not at all.
    async fn write(&self, slot: Slot, action: Action) -> Result<(Epoch, Sequence)> {
        let (reply, answer) = oneshot::channel();
        let (group, chain) = (self.group.clone(), self.chain);
        spawn_blocking(move || match action.payload() {
            Ok(payload) => group.write(Entry { chain, action, payload, slot, reply }),
            Err(error) => group::answer(reply, Err(error)),
        });
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

#[async_trait]
impl Publisher for Writer {
    async fn tail(&mut self) -> Result<Tail> {
        let (group, chain) = (self.group.clone(), self.chain);
        blocking(move || group.tail(chain)).await
    }

    async fn open(&mut self) -> Result<Epoch> {
        let slot = self.queue.reserve(&Change::Open(Epoch::default())).await?;
        let (epoch, _) = self.write(slot, Action::Open).await?;
        self.epoch = Some(epoch);
        Ok(epoch)
    }

    async fn publish(&mut self, change: Change) -> Result<Sequence> {
        let epoch = self.epoch.ok_or(Error::NotOpened { chain: self.chain })?;
        if let Change::Open(_) = change {
            let reason = "a stream is opened by its own call".into();
            return Err(Error::Refused { chain: self.chain, change: change.kind(), reason });
        }
        let slot = self.queue.reserve(&change).await?;
        let (_, sequence) = self.write(slot, Action::Publish { epoch, change }).await?;
        Ok(sequence)
    }
}

/// The one reader: first what the log holds, then what the writers hand over.
#[derive(Debug)]
struct Reader {
    group: Arc<Group>,
    replay: VecDeque<(ChainId, Sequence)>,
    waits: Waits,
}

#[async_trait]
impl Subscriber for Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        while let Some(&(chain, sequence)) = self.replay.front() {
            let group = self.group.clone();
            let record = blocking(move || group.read(chain, sequence)).await?;
            self.replay.pop_front();
            // One that was acknowledged before it was read is not asked for.
            if record.is_some() {
                return Ok(record);
            }
        }
        Ok(self.waits.recv().await.map(|waiting| waiting.record))
    }

    async fn acknowledge(&mut self, chain: ChainId, durable: Position) -> Result<()> {
        let group = self.group.clone();
        blocking(move || group.acknowledge(chain, durable)).await
    }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.unwrap_or(Err(Error::Closed))
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

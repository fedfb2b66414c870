//! A bus in memory that keeps its books as the real one does, and tells what a reader would end up with.

use alloy_primitives::{Address, Bytes};
use async_trait::async_trait;
use bus::stream::Stream;
use bus::wire::Kind;
use bus::{Publisher, Result, Tail};
use model::chain::BlockRef;
use model::change::{Change, Epoch, Position, Sequence};
use model::incident::Incident;
use model::segment::{LogsView, Segment};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// The stream of one chain. Clones are the same stream; each is a publisher of its own once opened.
#[derive(Clone)]
pub(crate) struct MemoryBus {
    state: Arc<Mutex<State>>,
    told: Arc<watch::Sender<u64>>,
    epoch: Epoch,
}

struct State {
    books: Stream,
    changes: Vec<Change>,
}

impl MemoryBus {
    pub(crate) fn new() -> Self {
        let books = Stream::resume(super::CHAIN, Position::default(), 0);
        let state = Arc::new(Mutex::new(State { books, changes: Vec::new() }));
        Self { state, told: Arc::new(watch::Sender::new(0)), epoch: Epoch::default() }
    }

    /// Everything that was published.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.state.lock().unwrap().changes.clone()
    }

    pub(crate) fn tail_now(&self) -> Tail {
        self.state.lock().unwrap().books.tail().clone()
    }

    pub(crate) fn tip(&self) -> Option<BlockRef> {
        self.tail_now().position.tip
    }

    /// Waits until `reached` holds of the tail.
    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Tail) -> bool) {
        let mut told = self.told.subscribe();
        super::in_time(what, async {
            while !reached(&self.tail_now()) {
                told.changed().await.unwrap();
            }
        })
        .await;
    }

    /// Waits until `block` is the tip.
    pub(crate) async fn until_tip(&self, block: BlockRef) {
        self.until(&format!("tip {block}"), |tail| tail.position.tip == Some(block)).await;
    }

    /// What a reader ends up with, in the order of the chain: every log with its block.
    pub(crate) fn logs(&self) -> Vec<(BlockRef, u32, Address, Bytes)> {
        let mut logs = Vec::new();
        for segment in self.segments() {
            let view = LogsView::new(&segment.logs).unwrap();
            for log in view.iter() {
                let meta = segment.blocks.iter().find(|meta| meta.block.number == log.block_number);
                let block = meta.expect("a segment lists the blocks that carry logs").block;
                logs.push((block, log.log_index, log.contract, Bytes::copy_from_slice(log.data)));
            }
        }
        logs
    }

    /// The segments that stand after every revert.
    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        let mut standing: Vec<Arc<Segment>> = Vec::new();
        for change in self.changes() {
            match change {
                Change::Append(segment) => standing.push(segment),
                Change::Revert(to) => standing.retain(|segment| segment.last.number <= to.number),
                Change::Open(_) | Change::Finalize(_) | Change::Registry(_) => {}
            }
        }
        standing
    }

    /// The incidents that went out with segments.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        let appended = self.changes().into_iter().filter_map(|change| match change {
            Change::Append(segment) => Some(segment.incidents.clone()),
            Change::Open(_) | Change::Revert(_) | Change::Finalize(_) | Change::Registry(_) => None,
        });
        appended.flatten().collect()
    }

    /// What was published, in words: `append 1..5`, `revert 3`, …
    pub(crate) fn story(&self) -> Vec<String> {
        let words = |change: Change| match change {
            Change::Open(epoch) => format!("open {}", epoch.0),
            Change::Append(segment) => format!("append {}..{}", segment.first_number, segment.last.number),
            Change::Revert(to) => format!("revert {}", to.number),
            Change::Finalize(upto) => format!("finalize {}", upto.number),
            Change::Registry(version) => format!("registry {} after {:?}", version.version, version.after),
        };
        self.changes().into_iter().map(words).collect()
    }

    fn take(&mut self, epoch: Epoch, change: Change) -> Result<Sequence> {
        let mut state = self.state.lock().unwrap();
        let header = state.books.next_header(epoch, Kind::of(&change));
        state.books.apply(&header)?;
        state.changes.push(change);
        self.told.send_modify(|count| *count += 1);
        Ok(header.sequence)
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn tail(&mut self) -> Result<Tail> {
        Ok(self.tail_now())
    }

    async fn open(&mut self) -> Result<Epoch> {
        let epoch = Epoch(self.tail_now().position.epoch.0 + 1);
        self.take(epoch, Change::Open(epoch))?;
        self.epoch = epoch;
        Ok(epoch)
    }

    async fn publish(&mut self, change: Change) -> Result<Sequence> {
        tokio::task::yield_now().await;
        self.take(self.epoch, change)
    }
}

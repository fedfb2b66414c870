//! Group commit: whoever holds the log writes everything that waits, under one sync.
//!
//! A writer leaves its change in the list and asks for the log. Whoever gets it takes the whole list; the others
//! find their change written. A writer that gave up before is passed over: its change is not on the stream.

use super::ledger::{Ledger, Recovered};
use super::log::{GROUP_BYTES, Log};
use super::queue::Slot;
use crate::Tail;
use crate::error::{Error, Result};
use crate::wire::{self, Header, Kind};
use model::chain::ChainId;
use model::change::{Change, Epoch, Position, Record, Sequence};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::oneshot;

/// What the log may hold of records that are not acknowledged: 64 blocks are open on Ethereum at 5 MB at most,
/// 4,096 at 1 MB on a chain whose finality stalls. Above it appends are refused until the reader has caught up.
const HELD_BYTES_MAX: u64 = 4 << 30;

/// The file is replaced when this much of it may be forgotten, and at least as much as must be kept: it is at most
/// twice what it must hold, and each byte is copied once on average.
const FORGET_BYTES: u64 = 4 << 20;

/// One change on its way into the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) chain: ChainId,
    pub(super) action: Action,
    /// What [`Action::payload`] gave: it takes time, and is done before the log is asked for.
    pub(super) payload: Vec<u8>,
    pub(super) slot: Slot,
    pub(super) reply: Reply,
}

/// Where the writer waits for its change's place.
pub(super) type Reply = oneshot::Sender<Result<(Epoch, Sequence)>>;

/// What a writer wants.
#[derive(Debug)]
pub(super) enum Action {
    /// To take the stream over.
    Open,
    /// To append a change under its epoch.
    Publish { epoch: Epoch, change: Change },
}

impl Action {
    /// What is logged beside the header.
    pub(super) fn payload(&self) -> Result<Vec<u8>> {
        match self {
            Self::Publish { change, .. } if Kind::of(change).is_logged() => wire::encode_payload(change),
            Self::Open | Self::Publish { .. } => Ok(Vec::new()),
        }
    }
}

/// The log with its books, and the list of what waits to be written.
#[derive(Debug)]
pub(super) struct Group {
    pending: Mutex<VecDeque<Entry>>,
    core: Mutex<Core>,
}

/// The log with its books.
#[derive(Debug)]
struct Core {
    log: Log,
    ledger: Ledger,
    is_broken: bool,
}

/// A change that the books have taken, with what is left to do.
struct Taken {
    header: Header,
    change: Change,
    slot: Slot,
    reply: Reply,
}

impl Group {
    /// Goes on with what was recovered from `log`.
    pub(super) fn start(log: Log, recovered: Recovered) -> Result<Self> {
        let mut core = Core { log, ledger: recovered.ledger, is_broken: false };
        if recovered.has_gap {
            core.replace()?;
        }
        core.forget()?;
        Ok(Self { pending: Mutex::default(), core: Mutex::new(core) })
    }

    /// Writes `entry` and everything else that waits. Blocks on the disk.
    pub(super) fn write(&self, entry: Entry) {
        match self.pending.lock() {
            Ok(mut pending) => pending.push_back(entry),
            // Its reply is dropped with it: the writer sees a closed bus.
            Err(_) => return,
        }
        let Ok(mut core) = self.core.lock() else { return };
        loop {
            let batch = self.take_batch();
            if batch.is_empty() {
                return;
            }
            core.write(batch);
        }
    }

    /// What the bus holds of `chain`. Blocks on the disk.
    pub(super) fn tail(&self, chain: ChainId) -> Result<Tail> {
        Ok(self.core()?.ledger.chain(chain).stream.tail().clone())
    }

    /// Reads a record that the log holds. Blocks on the disk.
    pub(super) fn read(&self, chain: ChainId, sequence: Sequence) -> Result<Option<Record>> {
        let mut core = self.core()?;
        let Some(location) = core.ledger.locate(chain, sequence) else { return Ok(None) };
        let bytes = core.log.read(&location)?;
        // Writers need not wait while it is decoded.
        drop(core);
        wire::decode(&bytes).map(Some)
    }

    /// Forgets what the reader will not ask for again. Blocks on the disk.
    pub(super) fn acknowledge(&self, chain: ChainId, durable: Position) -> Result<()> {
        let mut core = self.core()?;
        core.ledger.acknowledge(chain, durable.sequence)?;
        core.forget()
    }

    fn core(&self) -> Result<MutexGuard<'_, Core>> {
        self.core.lock().map_err(|_| Error::Closed)
    }

    /// The oldest entries, as many as share a sync.
    fn take_batch(&self) -> Vec<Entry> {
        let Ok(mut pending) = self.pending.lock() else { return Vec::new() };
        let (mut count, mut bytes) = (0, 0);
        for entry in pending.iter() {
            if bytes >= GROUP_BYTES {
                break;
            }
            count += 1;
            bytes += entry.payload.len();
        }
        pending.drain(..count).collect()
    }
}

impl Core {
    fn write(&mut self, batch: Vec<Entry>) {
        let mut taken = Vec::with_capacity(batch.len());
        let mut logged = Vec::new();
        for entry in batch.into_iter().filter(|entry| !entry.reply.is_closed()) {
            let Entry { chain, action, payload, slot, reply } = entry;
            match self.take(chain, action, &payload) {
                Ok((header, change, bytes)) => {
                    logged.extend(bytes);
                    taken.push(Taken { header, change, slot, reply });
                }
                Err(error) => answer(reply, Err(error)),
            }
        }
        match self.log_records(&taken, &logged) {
            Ok(()) => taken.into_iter().for_each(Taken::deliver),
            Err(error) => {
                let mut first = Some(error);
                for taken in taken {
                    answer(taken.reply, Err(first.take().unwrap_or_else(|| self.broken())));
                }
            }
        }
    }

    /// Takes a change into the books; returns its bytes where it is logged.
    fn take(
        &mut self,
        chain: ChainId,
        action: Action,
        payload: &[u8],
    ) -> Result<(Header, Change, Option<Vec<u8>>)> {
        if self.is_broken {
            return Err(self.broken());
        }
        let held_bytes = self.ledger.held_bytes();
        let books = self.ledger.chain(chain);
        let (epoch, change) = match action {
            Action::Open => {
                let epoch = books.next_epoch();
                (epoch, Change::Open(epoch))
            }
            Action::Publish { epoch, change } => (epoch, change),
        };
        let kind = Kind::of(&change);
        if matches!(kind, Kind::Append(_)) && kind.is_logged() && held_bytes > HELD_BYTES_MAX {
            return Err(Error::Full { chain, held_bytes, max_bytes: HELD_BYTES_MAX });
        }
        let header = books.stream.next_header(epoch, kind);
        books.stream.apply(&header)?;
        let bytes = kind.is_logged().then(|| wire::join(&header, payload));
        Ok((header, change, bytes))
    }

    /// Makes the logged ones durable and notes where they are.
    fn log_records(&mut self, taken: &[Taken], logged: &[Vec<u8>]) -> Result<()> {
        if logged.is_empty() {
            return Ok(());
        }
        let locations = self.log.append(logged).inspect_err(|_| self.is_broken = true)?;
        let headers = taken.iter().map(|taken| &taken.header).filter(|header| header.kind.is_logged());
        for (header, location) in headers.zip(locations) {
            self.ledger.hold(header, location);
        }
        Ok(())
    }

    /// Replaces the file when enough of it may be forgotten.
    fn forget(&mut self) -> Result<()> {
        let held_bytes = self.ledger.held_bytes();
        let forgotten_bytes = self.log.size().saturating_sub(held_bytes);
        if forgotten_bytes < FORGET_BYTES.max(held_bytes) { Ok(()) } else { self.replace() }
    }

    fn replace(&mut self) -> Result<()> {
        if self.is_broken {
            return Err(self.broken());
        }
        let replaced = self.log.replace(&self.ledger.books(), &self.ledger.locations());
        let moved = replaced.inspect_err(|_| self.is_broken = true)?;
        self.ledger.relocate(&moved);
        Ok(())
    }

    fn broken(&self) -> Error {
        Error::Broken { path: self.log.path() }
    }
}

impl Taken {
    fn deliver(self) {
        let Header { chain, epoch, sequence, .. } = self.header;
        self.slot.send(Record { chain, epoch, sequence, change: self.change });
        answer(self.reply, Ok((epoch, sequence)));
    }
}

/// A writer that went away meanwhile does not hear the answer; its change is on the stream all the same.
pub(super) fn answer(reply: Reply, answer: Result<(Epoch, Sequence)>) {
    drop(reply.send(answer));
}

#[cfg(test)]
mod tests {
    use super::{Action, Entry, Group, Ledger, Log, Reply};
    use crate::local::queue::{Queue, queue};
    use crate::memory::MemoryDisk;
    use crate::sample::open_block;
    use model::chain::ChainId;
    use model::change::{Change, Epoch, Sequence};
    use std::collections::BTreeMap;
    use tokio::sync::oneshot;

    async fn entry(queue: &Queue, chain: u64, action: Action, reply: Reply) -> Entry {
        let slot = queue.reserve(&Change::Open(Epoch(0))).await.unwrap();
        Entry { chain: ChainId(chain), payload: action.payload().unwrap(), action, slot, reply }
    }

    #[tokio::test]
    async fn what_waits_shares_one_sync_and_what_was_given_up_is_passed_over() {
        let disk = MemoryDisk::default();
        let (log, contents) = Log::open(Box::new(disk.clone())).unwrap();
        let group = Group::start(log, Ledger::recover(contents, &BTreeMap::new())).unwrap();
        let (queue, mut waits) = queue();
        let (mut answers, mut last) = (Vec::new(), None);
        for chain in 1..=9 {
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            let entry = entry(&queue, chain, Action::Open, reply).await;
            last = Some(entry);
            if chain < 9 {
                group.pending.lock().unwrap().extend(last.take());
            }
        }
        drop(answers.remove(3));
        let before = disk.steps();
        group.write(last.unwrap());
        assert_eq!(disk.steps() - before, 2, "one append, one sync");
        for answer in answers {
            assert_eq!(answer.await.unwrap().unwrap(), (Epoch(1), Sequence(1)));
        }
        let chains = std::iter::from_fn(|| waits.try_recv().ok()).map(|waiting| waiting.record.chain.0);
        assert_eq!(chains.collect::<Vec<_>>(), [1, 2, 3, 5, 6, 7, 8, 9]);
        assert_eq!(group.tail(ChainId(4)).unwrap().position.sequence, Sequence(0));
    }

    #[tokio::test]
    async fn after_a_failed_write_everything_is_refused_until_the_log_is_opened_again() {
        let disk = MemoryDisk::default();
        let (log, contents) = Log::open(Box::new(disk.clone())).unwrap();
        let group = Group::start(log, Ledger::recover(contents, &BTreeMap::new())).unwrap();
        let (queue, _waits) = queue();
        disk.fail_after(1);
        let mut errors = Vec::new();
        let publish = || Action::Publish { epoch: Epoch(1), change: open_block(1, 0, 0) };
        for action in [Action::Open, publish(), Action::Open] {
            let (reply, answer) = oneshot::channel();
            group.write(entry(&queue, 1, action, reply).await);
            errors.push(answer.await.unwrap().unwrap_err().to_string());
        }
        let refused = "an earlier write in memory/changes.log failed; the bus must be opened again";
        assert_eq!(errors, ["sync memory/changes.log: the power is gone", refused, refused]);
    }
}

//! The way from writers to the reader through memory, bounded by records and by bytes.
//!
//! Room is taken before a change is written, so that a record that is on disk never waits to be handed over,
//! and a writer that gives up waiting leaves nothing half done.

use crate::error::{Error, Result};
use model::change::{Change, Record};
use model::registry::Registry;
use model::segment::BlockMeta;
use std::sync::Arc;
use tokio::sync::mpsc::{OwnedPermit, Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Records that wait for the reader: ten minutes of one-second blocks.
const RECORDS_MAX: usize = 600;

/// Bytes that wait for the reader, in KiB: two runs of backfill of 20 k logs, one to go on with and one in reserve.
const ROOM_KIB: u32 = 16 << 10;

/// What a row of the registry takes, roughly: a name, a few keys and its validity.
const REGISTRY_ROW_BYTES: usize = 200;

/// The writers' end.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// The reader's end.
pub(super) type Waits = Receiver<Waiting>;

/// A record that waits; its room is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: Record,
    _room: OwnedSemaphorePermit,
}

/// Room for one record.
#[derive(Debug)]
pub(super) struct Slot {
    permit: OwnedPermit<Waiting>,
    room: OwnedSemaphorePermit,
}

/// Makes a queue.
pub(super) fn queue() -> (Queue, Waits) {
    let (sender, waits) = channel(RECORDS_MAX);
    (Queue { sender, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }, waits)
}

impl Queue {
    /// Waits for room for `change`. What is larger than the whole room takes all of it.
    ///
    /// # Errors
    /// [`Error::Closed`] when the reader is gone.
    pub(super) async fn reserve(&self, change: &Change) -> Result<Slot> {
        let kib = u32::try_from(memory_bytes(change) / 1024).unwrap_or(u32::MAX).clamp(1, ROOM_KIB);
        // The permit first: it ends with an error when the reader goes, the room does not.
        let permit = self.sender.clone().reserve_owned().await.map_err(|_| Error::Closed)?;
        let room = tokio::select! {
            room = self.room.clone().acquire_many_owned(kib) => room.map_err(|_| Error::Closed)?,
            () = self.sender.closed() => return Err(Error::Closed),
        };
        Ok(Slot { permit, room })
    }
}

impl Slot {
    /// Hands `record` over.
    pub(super) fn send(self, record: Record) {
        self.permit.send(Waiting { record, _room: self.room });
    }
}

fn memory_bytes(change: &Change) -> usize {
    match change {
        Change::Open(_) | Change::Revert(_) | Change::Finalize(_) => size_of::<Record>(),
        Change::Append(segment) => {
            segment.logs.get_array_memory_size() + segment.blocks.len() * size_of::<BlockMeta>()
        }
        Change::Registry(version) => row_count(&version.rows) * REGISTRY_ROW_BYTES,
    }
}

fn row_count(rows: &Registry) -> usize {
    let Registry {
        parties,
        sites,
        wallets,
        licences,
        delegations,
        agreements,
        products,
        lots,
        recalls,
        extensions,
        contracts,
        announcements,
        lanes,
        confirmations,
    } = rows;
    parties.len()
        + sites.len()
        + wallets.len()
        + licences.len()
        + delegations.len()
        + agreements.len()
        + products.len()
        + lots.len()
        + recalls.len()
        + extensions.len()
        + contracts.len()
        + announcements.len()
        + lanes.len()
        + confirmations.len()
}

#[cfg(test)]
mod tests {
    use super::{RECORDS_MAX, Waits, queue};
    use crate::sample::{open_block, open_block_with, registry};
    use model::chain::ChainId;
    use model::change::{Change, Epoch, Record, Sequence};
    use std::task::{Context, Poll, Waker};

    /// Fills the queue with `change` until a writer would have to wait; how many went in.
    fn fill(change: &Change) -> (usize, Waits) {
        let (queue, mut waits) = queue();
        let mut context = Context::from_waker(Waker::noop());
        let mut count = 0;
        loop {
            let mut waiting = Box::pin(queue.reserve(change));
            let Poll::Ready(slot) = waiting.as_mut().poll(&mut context) else {
                // A place that the reader frees goes to the one who waits.
                assert!(waits.try_recv().is_ok());
                assert!(waiting.as_mut().poll(&mut context).is_ready());
                drop(waiting);
                return (count, waits);
            };
            let change = change.clone();
            slot.unwrap().send(Record { chain: ChainId(1), epoch: Epoch(1), sequence: Sequence(1), change });
            count += 1;
        }
    }

    #[test]
    fn writers_wait_when_the_reader_is_behind() {
        assert_eq!(fill(&Change::Open(Epoch(1))).0, RECORDS_MAX);
        assert_eq!(fill(&registry(1)).0, RECORDS_MAX);
        let three_mib = open_block_with(1, 0, 0, &vec![0; 3 << 20]);
        let (count, _) = fill(&three_mib);
        assert!((3..=5).contains(&count), "{count} of 3 MiB in 16 MiB");
        let larger_than_all = open_block_with(1, 0, 0, &vec![0; 64 << 20]);
        assert_eq!(fill(&larger_than_all).0, 1);
    }

    #[tokio::test]
    async fn a_writer_that_waits_for_bytes_hears_that_the_reader_is_gone() {
        let (queue, waits) = queue();
        let held = queue.reserve(&open_block_with(1, 0, 0, &vec![0; 64 << 20])).await.unwrap();
        let next = open_block(2, 0, 0);
        let mut waiting = Box::pin(queue.reserve(&next));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(waits);
        assert_eq!(waiting.await.unwrap_err().to_string(), "the bus is closed");
        drop(held);
    }
}

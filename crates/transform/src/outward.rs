//! Outward: who is told of alerts once they are durable.

use crate::metrics::Metrics;
use model::alert::Notice;
use model::chain::ChainId;
use model::change::{Position, Sequence};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// A notice that is durable, with its place.
#[derive(Debug, Clone)]
pub struct Told {
    /// The chain, or the stream across chains.
    pub chain: ChainId,
    /// Place of the change that made it in the chain's stream.
    pub sequence: Sequence,
    /// Place among the notices of that change.
    pub ordinal: u32,
    /// The notice.
    pub notice: Arc<Notice>,
}

/// How many notices a slow listener may fall behind before it is told that it missed some; it then reads them from
/// the store. A storm is 50 roots, a thousand is twenty storms at once.
pub const NOTICES_BEHIND_MAX: usize = 1_024;

/// Where word goes, and where it can be seen how far the transform is.
#[derive(Debug, Clone)]
pub struct Outward {
    /// Notices, after the commit that holds them.
    pub notices: broadcast::Sender<Told>,
    /// How far each chain is committed.
    pub progress: watch::Sender<BTreeMap<ChainId, Position>>,
    /// Counters.
    pub metrics: Metrics,
}

impl Outward {
    /// Nobody listens yet.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            notices: broadcast::channel(NOTICES_BEHIND_MAX).0,
            progress: watch::channel(BTreeMap::new()).0,
            metrics,
        }
    }

    /// Tells of a committed change.
    pub(crate) fn tell(&self, chain: ChainId, position: Position, notices: Vec<Notice>) {
        for (ordinal, notice) in (0u32..).zip(notices) {
            let told = Told { chain, sequence: position.sequence, ordinal, notice: Arc::new(notice) };
            // An error says that nobody listens, which is no loss: the notice is in the store.
            drop(self.notices.send(told));
        }
        if chain != ChainId::ACROSS {
            self.metrics.set_heights(chain, position);
            self.progress.send_modify(|progress| {
                progress.insert(chain, position);
            });
        }
    }
}

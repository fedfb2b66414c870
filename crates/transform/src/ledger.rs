//! The store and those who are told, in step: people hear of a change once it lasts, and not before.

use crate::error::Result;
use crate::outward::Outward;
use model::alert::Notice;
use model::chain::ChainId;
use model::change::Position;
use model::commit::Commit;
use model::error::ErrorClass;
use std::collections::VecDeque;
use store::{Pace, Writer};

/// The store, and what waits to be told.
pub(crate) struct Ledger {
    writer: Box<dyn Writer>,
    outward: Outward,
    /// Changes that were taken and do not last yet, in order. The store counts each and says when no more may follow, so
    /// that this has its bound there.
    untold: VecDeque<(ChainId, Position, Vec<Notice>)>,
}

impl Ledger {
    /// Nothing waits.
    pub(crate) fn new(writer: Box<dyn Writer>, outward: Outward) -> Self {
        Self { writer, outward, untold: VecDeque::new() }
    }

    /// The store.
    pub(crate) fn writer(&self) -> &dyn Writer {
        self.writer.as_ref()
    }

    /// Those who are told.
    pub(crate) fn outward(&self) -> &Outward {
        &self.outward
    }

    /// When what waits must be flushed.
    pub(crate) fn pace(&self) -> Pace {
        self.writer.pace()
    }

    /// Gives the store what a change does.
    pub(crate) async fn put(&mut self, commit: Commit) -> Result<()> {
        self.outward.metrics.count(&commit);
        let (chain, position, notices) = (commit.chain, commit.position, commit.notices.clone());
        let timer = self.outward.metrics.time_commit();
        self.writer.commit(commit).await?;
        timer.observe_duration();
        self.untold.push_back((chain, position, notices));
        self.tell();
        Ok(())
    }

    /// Has the store write what waits. What it could not write now waits for the next time; at the end of a process it
    /// comes again from the bus at the next start.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        match self.writer.flush().await {
            Err(error) if error.class() == ErrorClass::Transient => {
                self.outward.metrics.count_retry();
                tracing::warn!(%error, "the store took nothing: what waits is tried again");
                Ok(())
            }
            flushed => {
                flushed?;
                self.tell();
                Ok(())
            }
        }
    }

    fn tell(&mut self) {
        while let Some((chain, position, _)) = self.untold.front() {
            if self.writer.lasting(*chain).is_some_and(|lasting| lasting < position.sequence) {
                return;
            }
            if let Some((chain, position, notices)) = self.untold.pop_front() {
                self.outward.tell(chain, position, notices);
            }
        }
    }
}

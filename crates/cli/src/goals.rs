//! How far each chain has to come before a command has done its work, and the bar that shows it.

use crate::error::Result;
use crate::progress::Progress;
use crate::wiring::Running;
use model::chain::ChainId;
use model::change::Position;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// How far each chain has to come.
#[derive(Debug, Clone)]
pub(crate) struct Goals {
    unit: &'static str,
    far: fn(&Position) -> u64,
    goals: BTreeMap<ChainId, u64>,
}

impl Goals {
    /// Up to these final blocks.
    pub(crate) fn final_blocks(goals: BTreeMap<ChainId, u64>) -> Self {
        Self { unit: "blocks", far: |position| position.finalized.map_or(0, |block| block.number), goals }
    }

    /// Up to these places of the streams.
    pub(crate) fn places(goals: BTreeMap<ChainId, u64>) -> Self {
        Self { unit: "records", far: |position| position.sequence.0, goals }
    }

    /// Runs until every chain has come as far, or it is interrupted.
    ///
    /// # Errors
    /// When a part of the process fails.
    pub(crate) async fn reach(&self, running: Running, stop: &CancellationToken) -> Result<()> {
        let mut committed = running.outward.progress.subscribe();
        let (goals, watched) = (self.clone(), stop.clone());
        let watching = tokio::spawn(async move {
            let mut missing = goals.goals.clone();
            missing.retain(|_, goal| *goal > 0);
            let bar = Progress::new(goals.unit, missing.values().sum());
            while !missing.is_empty() && committed.changed().await.is_ok() {
                let far = committed.borrow_and_update().clone();
                let far = |chain: &ChainId| far.get(chain).map_or(0, goals.far);
                bar.set(goals.goals.keys().map(far).sum());
                missing.retain(|chain, end| far(chain) < *end);
            }
            bar.finish();
            watched.cancel();
        });
        let ended = running.parts.ended().await;
        watching.abort();
        ended
    }
}

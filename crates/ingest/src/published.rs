//! What the bus holds of the chain, as its only writer knows it: every change goes through here.

use crate::error::Result;
use crate::metrics::{ChainMetrics, gauge_value};
use alloy_primitives::B256;
use bus::{Publisher, Tail};
use model::chain::BlockRef;
use model::change::{Change, RegistryVersion};
use model::segment::{Finality, Segment};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Where a stream stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The last block.
    pub(crate) tip: Option<BlockRef>,
    /// The last final block.
    pub(crate) finalized: Option<BlockRef>,
    /// Blocks above the final one, ascending: what a reorg may take back. Their lowest may be missing after a restart.
    pub(crate) open: VecDeque<BlockRef>,
}

impl Standing {
    /// The hash of our block with this number, where it is known.
    pub(crate) fn hash_at(&self, number: u64) -> Option<B256> {
        let place = self.open.binary_search_by_key(&number, |block| block.number).ok();
        let ends = [self.tip, self.finalized].into_iter().flatten();
        let block = place.and_then(|place| self.open.get(place).copied());
        block.or_else(|| ends.into_iter().find(|block| block.number == number)).map(|block| block.hash)
    }

    /// Does a segment stand on the tip?
    pub(crate) fn is_next(&self, segment: &Segment) -> bool {
        self.tip.is_none_or(|tip| {
            tip.hash == segment.parent_hash && tip.number.checked_add(1) == Some(segment.first_number)
        })
    }
}

/// The bus, and what it holds.
pub(crate) struct Published {
    publisher: Box<dyn Publisher>,
    metrics: ChainMetrics,
    standing: Standing,
    registry_version: u64,
    /// Blocks after which versions of the registry came into force in this life.
    registered: BTreeSet<u64>,
}

impl Published {
    /// Takes the stream over and reads where it stands.
    pub(crate) async fn open(mut publisher: Box<dyn Publisher>, metrics: ChainMetrics) -> Result<Self> {
        let epoch = publisher.open().await?;
        let Tail { position, open_blocks, registry_version } = publisher.tail().await?;
        let (tip, finalized) = (position.tip, position.finalized);
        tracing::info!(
            epoch = epoch.0,
            tip = tip.map(|tip| tip.number),
            open = open_blocks.len(),
            "stream taken over"
        );
        let standing = Standing { tip, finalized, open: open_blocks.into() };
        let published = Self { publisher, metrics, standing, registry_version, registered: BTreeSet::new() };
        published.measure();
        Ok(published)
    }

    /// Where the stream stands.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(crate) fn registry_version(&self) -> u64 {
        self.registry_version
    }

    /// The first block of `first..last` after which a version of the registry is in force. It judges again what came
    /// before it, at the time of that block, which a run across it does not tell where the block has no logs.
    pub(crate) fn registered_within(&self, first: u64, last: u64) -> Option<u64> {
        self.registered.range(first..last).next().copied()
    }

    pub(crate) async fn append(&mut self, segment: Segment) -> Result<()> {
        let (last, time_secs, finality) = (segment.last, segment.last_time_secs, segment.finality);
        let (blocks, logs) = (segment.block_count(), segment.logs.num_rows() as u64);
        self.publisher.publish(Change::Append(Arc::new(segment))).await?;
        self.standing.tip = Some(last);
        let phase = match finality {
            Finality::Final => {
                self.standing.finalized = Some(last);
                &self.metrics.backfill
            }
            Finality::Open => {
                self.standing.open.push_back(last);
                &self.metrics.tail
            }
        };
        phase.blocks.inc_by(blocks);
        phase.logs.inc_by(logs);
        phase.segments.inc();
        self.metrics.tip_timestamp_seconds.set(gauge_value(time_secs));
        self.measure();
        Ok(())
    }

    pub(crate) async fn revert(&mut self, to: BlockRef) -> Result<()> {
        let depth = self.standing.tip.map_or(0, |tip| tip.number.saturating_sub(to.number));
        self.publisher.publish(Change::Revert(to)).await?;
        self.standing.open.retain(|block| block.number <= to.number);
        self.standing.tip = Some(to);
        tracing::info!(to = to.number, depth, "reorg: blocks above are taken back");
        self.metrics.reorgs.inc();
        self.metrics.reorg_depth_blocks.observe(depth as f64);
        self.measure();
        Ok(())
    }

    pub(crate) async fn finalize(&mut self, upto: BlockRef) -> Result<()> {
        self.publisher.publish(Change::Finalize(upto)).await?;
        self.standing.open.retain(|block| block.number > upto.number);
        self.standing.finalized = Some(upto);
        self.measure();
        Ok(())
    }

    /// Puts a version of the registry in force after the tip.
    pub(crate) async fn register(&mut self, version: &RegistryVersion) -> Result<()> {
        let placed = RegistryVersion { after: self.standing.tip.map(|tip| tip.number), ..version.clone() };
        self.registered.extend(placed.after);
        self.publisher.publish(Change::Registry(Arc::new(placed))).await?;
        self.registry_version = version.version;
        Ok(())
    }

    fn measure(&self) {
        if let Some(tip) = self.standing.tip {
            self.metrics.tip_block.set(gauge_value(tip.number));
        }
        if let Some(finalized) = self.standing.finalized {
            self.metrics.finalized_block.set(gauge_value(finalized.number));
        }
        self.metrics.open_blocks.set(gauge_value(self.standing.open.len() as u64));
    }
}

//! Where tables come from, and the name that every answer gives of what it was made of.

use datafusion::catalog::TableProvider;
use model::chain::{BlockRef, ChainId};
use model::tables::Table;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Gives the newest snapshot of a store.
pub trait Source: Send + Sync + fmt::Debug {
    /// The newest snapshot. It stays as it is while it is held.
    fn newest(&self) -> Arc<dyn Snapshot>;
}

/// The tables of one moment.
pub trait Snapshot: Send + Sync + fmt::Debug {
    /// Which moment.
    fn name(&self) -> SnapshotName;

    /// One table, with the columns of its `TableSpec`.
    fn table(&self, table: Table) -> Arc<dyn TableProvider>;
}

/// Names the moment that an answer was made of. Two answers of one name saw the same rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotName {
    /// Counts commits of the store.
    pub commit: u64,
    /// Where each chain stood.
    pub chains: Vec<ChainHead>,
}

/// Where a chain stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// EIP-155 chain id.
    pub chain: u64,
    /// The last block that was read; `None` before the first.
    pub head: Option<BlockRef>,
    /// The last block that can no longer change: rows above it are provisional.
    pub finalized: Option<BlockRef>,
}

impl fmt::Display for SnapshotName {
    /// One line that fits a header: `commit=7; chain=1 head=120 (0x…) finalized=100 (0x…)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block =
            |block: Option<BlockRef>| block.map_or_else(|| "none".to_owned(), |block| block.to_string());
        write!(f, "commit={}", self.commit)?;
        for chain in &self.chains {
            write!(
                f,
                "; chain={} head={} finalized={}",
                chain.chain,
                block(chain.head),
                block(chain.finalized)
            )?;
        }
        Ok(())
    }
}

/// The name of a moment in which chains stood so.
fn name_of<'a>(commit: u64, heads: impl IntoIterator<Item = (&'a ChainId, &'a store::Head)>) -> SnapshotName {
    let head = |(chain, head): (&ChainId, &store::Head)| ChainHead {
        chain: chain.0,
        head: head.tip,
        finalized: head.finalized,
    };
    SnapshotName { commit, chains: heads.into_iter().map(head).collect() }
}

impl Source for store::Reader {
    fn newest(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.snapshot())
    }
}

impl Snapshot for store::Snapshot {
    fn name(&self) -> SnapshotName {
        name_of(self.commit(), self.heads())
    }

    fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        self.table(table)
    }
}

impl Source for store::clickhouse::Reader {
    fn newest(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.snapshot())
    }
}

impl Snapshot for store::clickhouse::Snapshot {
    fn name(&self) -> SnapshotName {
        name_of(self.commit(), &self.heads())
    }

    fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        self.table(table)
    }
}

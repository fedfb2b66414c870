//! Reads chains from the logs of tables that are there already, instead of from nodes.
//!
//! ```text
//! blocks, logs (final) ──Segment──▶ bus ──▶ transform ──▶ new tables
//! ```
//!
//! Nothing is verified again: the tables are the operator's own, and a segment says so (level `off`). Only blocks that
//! carry logs are known, so that the last run ends with such a block, and the chain is gone on with from there.

use super::parts::Parts;
use super::registry::Reference;
use crate::config::Settings;
use crate::error::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampSecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch, new_null_array};
use arrow_select::concat::concat_batches;
use bus::{Bus, Publisher};
use futures::StreamExt as _;
use model::B256;
use model::chain::{BlockRef, ChainId};
use model::change::Change;
use model::segment::{BlockMeta, Finality, Segment, VerificationLevel, logs_schema};
use query::engine::Engine;
use query::snapshot::Snapshot;
use runtime::health::Health;
use std::sync::Arc;

/// Blocks of one segment at most.
const BLOCKS: usize = 8_192;
/// Heights among which the blocks of a segment are looked for at once: a week of a chain of blocks every ten seconds.
const HEIGHTS: u64 = 1 << 16;
/// Logs of one segment, but for those of its last block: 64 Ki of 500 bytes are 32 MB, a few of which are under way.
const LOGS: u64 = 64 * 1024;

/// Tables that chains are read from.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    engine: Arc<Engine>,
    snapshot: Arc<dyn Snapshot>,
}

impl Stored {
    /// The tables as they are now.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { snapshot: engine.snapshot(), engine }
    }

    /// The last final block of a chain that carries logs; `None` when there is none.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub(crate) async fn last_block(&self, chain: ChainId) -> Result<Option<u64>> {
        let Some(finalized) = self.finalized(chain) else { return Ok(None) };
        let sql =
            format!("SELECT max(number) FROM raw.blocks WHERE chain = {chain} AND number <= {finalized}");
        let rows = self.rows(&sql).await?;
        let last = rows.first().map(|rows| rows.column(0).as_primitive::<UInt64Type>().clone());
        Ok(last.filter(|last| !last.is_empty() && last.is_valid(0)).map(|last| last.value(0)))
    }

    fn finalized(&self, chain: ChainId) -> Option<u64> {
        let name = self.snapshot.name();
        let head = name.chains.iter().find(|head| head.chain == chain.0)?;
        Some(head.finalized?.number)
    }

    async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut answer = self.engine.ask_of(self.snapshot.clone(), sql).await?;
        let mut rows = Vec::new();
        while let Some(batch) = answer.next().await {
            rows.push(batch?);
        }
        if answer.truncated() {
            return Err(Error::Internal(format!("the answer was cut off: {sql}")));
        }
        Ok(rows)
    }

    /// The blocks of the segment after `below`. They are looked for in one stretch of heights after the other: whoever
    /// asked for the next ones of all would have them all read each time.
    async fn blocks(&self, chain: ChainId, below: Option<u64>, last: u64) -> Result<Vec<BlockMeta>> {
        let mut from = below.map_or(0, |below| below + 1);
        while from <= last {
            let to = last.min(from + HEIGHTS - 1);
            let sql = format!(
                "SELECT number, hash, parent_hash, time, log_count FROM raw.blocks \
                 WHERE chain = {chain} AND number BETWEEN {from} AND {to} ORDER BY number LIMIT {BLOCKS}"
            );
            let blocks = blocks_of(&self.rows(&sql).await?);
            if !blocks.is_empty() {
                return Ok(blocks);
            }
            from = to + 1;
        }
        Ok(Vec::new())
    }

    /// The logs of blocks, as a segment has them.
    async fn logs(&self, chain: ChainId, (from, to): (u64, u64)) -> Result<RecordBatch> {
        let schema = logs_schema();
        let kept: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| *name != "input")
            .collect();
        let sql = format!(
            "SELECT {} FROM raw.logs WHERE chain = {chain} AND block_number BETWEEN {from} AND {to} \
             ORDER BY block_number, log_index",
            kept.join(", ")
        );
        let failed = |error: arrow_schema::ArrowError| Error::Data(format!("logs of chain {chain}: {error}"));
        let mut batches = Vec::new();
        for rows in self.rows(&sql).await? {
            let mut columns = rows.columns().to_vec();
            let input = schema.field_with_name("input").map_err(failed)?;
            columns.push(new_null_array(input.data_type(), rows.num_rows()));
            batches.push(RecordBatch::try_new(schema.clone(), columns).map_err(failed)?);
        }
        concat_batches(&schema, &batches).map_err(failed)
    }

    /// The segment after block `below`; `None` when the tables hold no more.
    async fn segment(
        &self,
        (chain, filter): (ChainId, B256),
        below: Option<BlockRef>,
        last: u64,
    ) -> Result<Option<Segment>> {
        let blocks = self.blocks(chain, below.map(|below| below.number), last).await?;
        let (Some(first), Some(end)) = (blocks.first().copied(), blocks.last().copied()) else {
            return Ok(None);
        };
        let (first_number, parent_hash) = match below {
            Some(below) => (below.number + 1, below.hash),
            None => (first.block.number, first.parent_hash),
        };
        let logs = self.logs(chain, (first.block.number, end.block.number)).await?;
        Ok(Some(Segment {
            first_number,
            parent_hash,
            last: end.block,
            last_time_secs: end.time_secs,
            finality: Finality::Final,
            level: VerificationLevel::Off,
            filter,
            blocks,
            logs,
            incidents: Vec::new(),
        }))
    }
}

/// The first blocks of rows, as many as have the logs of one segment.
fn blocks_of(batches: &[RecordBatch]) -> Vec<BlockMeta> {
    let (mut blocks, mut logs) = (Vec::new(), 0);
    for rows in batches {
        let number = |row| rows.column(0).as_primitive::<UInt64Type>().value(row);
        let hash =
            |column: usize, row| B256::from_slice(rows.column(column).as_fixed_size_binary().value(row));
        for row in 0..rows.num_rows() {
            if logs >= LOGS {
                return blocks;
            }
            logs += u64::from(rows.column(4).as_primitive::<UInt32Type>().value(row));
            let time = rows.column(3).as_primitive::<TimestampSecondType>().value(row);
            blocks.push(BlockMeta {
                block: BlockRef { number: number(row), hash: hash(1, row) },
                parent_hash: hash(2, row),
                time_secs: u64::try_from(time).unwrap_or(0),
            });
        }
    }
    blocks
}

/// Starts a reader for each chain.
///
/// # Errors
/// When a publisher cannot be made.
pub(super) fn read(
    parts: &mut Parts,
    (settings, reference): (&Settings, &Reference),
    bus: &dyn Bus,
    stored: &Stored,
    health: &Health,
) -> Result<()> {
    for chain in &settings.chains {
        let id = chain.ingest.id;
        let filter = settings.deployment.filter(id).fingerprint();
        let (stored, stop) = (stored.clone(), parts.stop().clone());
        let known = reference.version.clone().map(Change::Registry);
        let publisher = bus.publisher(id)?;
        let work = async move {
            let fed = feed(publisher, (id, filter), known, &stored);
            match stop.run_until_cancelled(fed).await {
                // The parts of a process end together: this one has done its work and waits for the others.
                Some(Ok(())) => stop.cancelled().await,
                Some(Err(error)) => return Err(error),
                None => {}
            }
            Ok(())
        };
        parts.spawn(format!("chain {}", chain.name), health.clone(), work);
    }
    Ok(())
}

async fn feed(
    mut publisher: Box<dyn Publisher>,
    of: (ChainId, B256),
    known: Option<Change>,
    stored: &Stored,
) -> Result<()> {
    publisher.open().await?;
    if let Some(known) = known {
        publisher.publish(known).await?;
    }
    let Some(last) = stored.last_block(of.0).await? else { return Ok(()) };
    let mut below = None;
    while let Some(segment) = stored.segment(of, below, last).await? {
        below = Some(segment.last);
        publisher.publish(Change::Append(Arc::new(segment))).await?;
    }
    Ok(())
}

/// Refuses what the logs cannot tell.
///
/// # Errors
/// When they were read for other contracts, or a profile needs what they do not hold.
pub(crate) fn check(settings: &Settings, stored: &crate::deployment::Deployment) -> Result<()> {
    for chain in &settings.chains {
        let id = chain.ingest.id;
        if settings.deployment.filter(id).fingerprint() != stored.filter(id).fingerprint() {
            return Err(Error::Request(format!(
                "[chains.{}]: the stored logs were read for other contracts; `rxtrail rederive` reads the chain again",
                chain.name
            )));
        }
    }
    let needs = settings.deployment.contracts.iter().find(|contract| contract.profile.parsed.needs_input());
    needs.map_or(Ok(()), |contract| {
        Err(Error::Request(format!(
            "[[contracts]] {}: its profile reads the call input, which tables do not hold; `rxtrail rederive` reads the \
             chain again",
            contract.name
        )))
    })
}

//! Restart: rows of `state` and `alerts` as they stood at `state_at`, and what people were told by then.
//!
//! Files are read without DataFusion, batch after batch: memory stays at a few batches for each run, however
//! large the state is.

use super::compact::{live_entries, visible_cases};
use super::core::Core;
use super::layout::indices;
use super::merge::Merged;
use super::reader::read_segment;
use crate::error::Result;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_select::filter::filter_record_batch;
use model::B256;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The rows of a table and chain that are in files, one a key, batch after batch.
pub struct Restored {
    table: Table,
    hidden: Arc<BTreeSet<CaseKey>>,
    rows: Merged<ParquetRecordBatchReader>,
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restored").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Iterator for Restored {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let kept = self.rows.next()?.and_then(|rows| self.kept(rows));
            if !matches!(&kept, Ok(rows) if rows.num_rows() == 0) {
                return Some(kept);
            }
        }
    }
}

impl Restored {
    fn kept(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let kept = match self.table {
            Table::State => live_entries(&rows),
            Table::Alerts if !self.hidden.is_empty() => visible_cases(&rows, &self.hidden),
            _ => return Ok(rows),
        };
        Ok(filter_record_batch(&rows, &kept)?)
    }
}

impl Core {
    /// The rows of a table and chain that are in files.
    pub(crate) fn restore(&self, table: Table, chain: ChainId) -> Result<Restored> {
        let run = self.manifest.run(table, chain);
        let runs = run.iter().map(|segment| read_segment(segment, None)).collect::<Result<Vec<_>>>()?;
        let rows = Merged::new(table, &table.schema(), runs)?;
        Ok(Restored { table, hidden: self.manifest.hidden.clone(), rows })
    }

    /// The highest revision of each case in the files of a chain's notices. Notices go to files when `state_at`
    /// passes them, so that those are the ones that were told by then.
    pub(crate) fn revisions(&self, chain: ChainId) -> Result<Vec<(CaseKey, u32)>> {
        let columns = indices(Table::Notices.spec(), &["case_key", "revision"])?;
        let mut highest: BTreeMap<CaseKey, u32> = BTreeMap::new();
        for segment in self.manifest.run(Table::Notices, chain).iter() {
            for rows in read_segment(segment, Some(&columns))? {
                add_revisions(&mut highest, &rows?);
            }
        }
        Ok(highest.into_iter().collect())
    }
}

fn add_revisions(highest: &mut BTreeMap<CaseKey, u32>, rows: &RecordBatch) {
    let keys = rows.column(0).as_fixed_size_binary();
    let revisions = rows.column(1).as_primitive::<UInt32Type>();
    for (key, revision) in keys.iter().zip(revisions) {
        if let (Some(key), Some(revision)) = (key, revision) {
            let known = highest.entry(CaseKey(B256::from_slice(key))).or_default();
            *known = revision.max(*known);
        }
    }
}

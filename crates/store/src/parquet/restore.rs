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
use crate::told::{Last, add_revisions};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::Sequence;
use model::tables::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The rows of a table and chain that are in files, one a key, batch after batch.
pub(crate) struct Restored {
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

    /// Where the stream across chains was left, and the last durable notice of each of its cases: those in files, and
    /// those that only the log holds.
    pub(crate) fn told_across(&self) -> Result<(Sequence, Vec<Notice>)> {
        let columns = indices(Table::Notices.spec(), &["case_key", "revision", "kind", "alert"])?;
        let mut last = Last::default();
        for segment in self.manifest.run(Table::Notices, ChainId::ACROSS).iter() {
            for rows in read_segment(segment, Some(&columns))? {
                last.add_rows(&rows?);
            }
        }
        let told = self.manifest.told.iter().filter(|told| told.chain == ChainId::ACROSS);
        for notice in told.flat_map(|told| &told.notices) {
            last.add(notice.case_key, notice.revision, (&notice.kind, &notice.alert));
        }
        let marks = self.manifest.chains.get(&ChainId::ACROSS).copied().unwrap_or_default();
        Ok((marks.written_to.sequence, last.notices()?))
    }
}

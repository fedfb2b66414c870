//! Compaction: small segments of a table and chain become a larger one, beside whatever else goes on.
//!
//! Only neighbours in age are merged, so that a merged segment has one place in the order of commits. What it
//! replaces stays readable by whoever holds it, and on disk for some flushes, so that the store can go back.

use super::core::Core;
use super::manifest::Manifest;
use super::merge::Merged;
use super::reader::read_segment;
use super::record::{self, Body};
use super::segment::{Place, Segment, SegmentMeta, io_error};
use super::writer::{Draft, SegmentWriter};
use crate::error::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use model::B256;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::{Table, TableKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Segments of one size that are merged at once: each row is then written again `log16(rows / flush)` times,
/// which is two to three times on the way to 100 M rows.
const FAN_IN: usize = 16;

/// Segments of one size that are left to wait while rows come as fast as they can be written: the processor is
/// needed elsewhere, and the merge is one of twice as many.
const FAN_IN_HURRIED: usize = 2 * FAN_IN;

/// Rows of the smallest size of segment. A size is sixteen times the one before.
const SMALLEST_ROWS: u64 = 128 * 1024;

/// Rows that segments of a table that is appended to are merged up to: about 1 GB of events.
const LARGEST_ROWS: u64 = 32 * 1024 * 1024;

/// Which segments are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Those of which there are many of one size.
    Tiered,
    /// All that may be.
    Everything,
}

/// A merge that is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    table: Table,
    chain: ChainId,
    /// Oldest first.
    inputs: Vec<Arc<Segment>>,
    /// Nothing older is left beside them.
    is_oldest: bool,
    id: u64,
    /// Cases whose rows are left out.
    hidden: Arc<BTreeSet<CaseKey>>,
    place: Arc<Place>,
}

impl Core {
    /// The next merge that the policy asks for.
    pub(crate) fn next_merge(&self, policy: Policy) -> Option<Job> {
        let runs = self.manifest.segments.iter();
        let many = if self.hurried { FAN_IN_HURRIED } else { FAN_IN };
        let (table, chain, window) = runs
            .filter_map(|((table, chain), run)| Some((*table, *chain, window(*table, run, policy, many)?)))
            .next()?;
        let run = self.manifest.run(table, chain);
        Some(Job {
            table,
            chain,
            is_oldest: window.start == 0,
            inputs: run.get(window)?.to_vec(),
            id: self.new_id(),
            hidden: self.manifest.hidden.clone(),
            place: self.place.clone(),
        })
    }

    /// Commits a merge that was done.
    pub(crate) fn install(&mut self, merged: record::Merged) -> Result<()> {
        self.usable()?;
        if !is_live(&self.manifest, &merged.retired) {
            // The store went back meanwhile; the new file is removed at the next start.
            return Ok(());
        }
        self.guarded(|core| {
            let body = core.log.append(Body::Merged(merged))?;
            core.manifest.apply(body)?;
            core.publish();
            Ok(())
        })
    }

    /// The most runs that a reader of any table of one chain has to merge.
    pub(crate) fn most_runs(&self) -> usize {
        let upserted = self.manifest.segments.iter().filter(|((table, _), _)| is_upserted(*table));
        upserted.map(|(_, run)| run.len()).max().unwrap_or(0)
    }
}

fn is_live(manifest: &Manifest, ids: &[u64]) -> bool {
    let live: BTreeSet<u64> = manifest.live().map(|segment| segment.meta.id).collect();
    ids.iter().all(|id| live.contains(id))
}

fn is_upserted(table: Table) -> bool {
    matches!(table.spec().kind, TableKind::Upsert { .. })
}

/// Which neighbours of a run are to be merged; `many` of one size are.
fn window(table: Table, run: &[Arc<Segment>], policy: Policy, many: usize) -> Option<std::ops::Range<usize>> {
    let rows: Vec<u64> = run.iter().map(|segment| segment.meta.rows).collect();
    let largest = if is_upserted(table) { u64::MAX } else { LARGEST_ROWS };
    match policy {
        Policy::Everything => {
            full_window(&rows, largest, run.first().is_some_and(|segment| !segment.meta.merged))
        }
        Policy::Tiered => tiered_window(&rows, largest, many),
    }
}

/// The oldest neighbours that fit together; a lone segment too, when it is not a merged one yet.
fn full_window(rows: &[u64], largest: u64, is_first_raw: bool) -> Option<std::ops::Range<usize>> {
    if rows.len() == 1 && is_first_raw {
        return Some(0..1);
    }
    (0..rows.len()).map(|start| start..fitting(rows, start, largest)).find(|window| window.len() > 1)
}

/// The newest segments up to some size, once there are many of that size among them, or very many in all.
fn tiered_window(rows: &[u64], largest: u64, many: usize) -> Option<std::ops::Range<usize>> {
    // Segments that are half full are left alone.
    let start = rows.iter().rposition(|rows| *rows >= largest / 2).map_or(0, |full| full + 1);
    let sizes: Vec<u32> = rows.iter().map(|rows| size(*rows)).collect();
    let greatest = sizes.get(start..)?.iter().max()?;
    (0..=*greatest).find_map(|size| {
        let start = sizes.iter().rposition(|other| *other > size).map_or(0, |larger| larger + 1).max(start);
        let newest = sizes.get(start..)?;
        let of_size = newest.iter().filter(|other| **other == size).count();
        let window = start..fitting(rows, start, largest);
        let enough = of_size >= many || newest.len() >= FAN_IN_HURRIED;
        (enough && window.len() > 1).then_some(window)
    })
}

/// Where the neighbours from `start` on that fit together end.
fn fitting(rows: &[u64], start: usize, largest: u64) -> usize {
    let mut sum = 0_u64;
    let fits = rows.iter().skip(start).take_while(|rows| {
        sum = sum.saturating_add(**rows);
        sum <= largest
    });
    start + fits.count()
}

/// 0 below [`SMALLEST_ROWS`], then one more for each factor of [`FAN_IN`].
fn size(rows: u64) -> u32 {
    match rows / SMALLEST_ROWS {
        0 => 0,
        times => times.ilog(FAN_IN as u64) + 1,
    }
}

impl Job {
    /// Does the merge: reads, writes, syncs. Nothing counts until the result is installed. `None` when `stop` came.
    pub(crate) fn run(self, stop: &AtomicBool) -> Result<Option<record::Merged>> {
        let runs =
            self.inputs.iter().map(|segment| read_segment(segment, None)).collect::<Result<Vec<_>>>()?;
        let rank = self.inputs.iter().map(|segment| segment.meta.rank).max().unwrap_or(0);
        let draft = Draft { id: self.id, table: self.table, chain: self.chain, rank, merged: true };
        let mut writer = SegmentWriter::create(&*self.place.files, &self.place.dir, draft)?;
        for rows in Merged::new(self.table, &self.table.schema(), runs)? {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            writer.write(&self.kept(rows?)?)?;
        }
        let added: Vec<SegmentMeta> = writer.finish()?.into_iter().collect();
        self.place.files.sync_dir(&self.place.dir).map_err(io_error("sync", &self.place.dir))?;
        Ok(Some(record::Merged {
            added,
            retired: self.inputs.iter().map(|segment| segment.meta.id).collect(),
        }))
    }

    /// Leaves out entries of the state that were removed (once nothing older is left that they hide), and cases
    /// that are no more.
    fn kept(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let kept = match self.table {
            Table::State if self.is_oldest => live_entries(&rows),
            Table::Alerts if !self.hidden.is_empty() => visible_cases(&rows, &self.hidden),
            _ => return Ok(rows),
        };
        Ok(filter_record_batch(&rows, &kept)?)
    }
}

/// Entries of the state that have a value.
pub(crate) fn live_entries(rows: &RecordBatch) -> BooleanArray {
    match rows.column_by_name("value") {
        Some(value) => (0..rows.num_rows()).map(|row| Some(value.is_valid(row))).collect(),
        None => BooleanArray::from(vec![true; rows.num_rows()]),
    }
}

/// Cases that are not hidden.
pub(crate) fn visible_cases(rows: &RecordBatch, hidden: &BTreeSet<CaseKey>) -> BooleanArray {
    match rows.column_by_name("case_key") {
        Some(keys) => {
            let keys = keys.as_fixed_size_binary();
            keys.iter().map(|key| key.map(|key| !hidden.contains(&CaseKey(B256::from_slice(key))))).collect()
        }
        None => BooleanArray::from(vec![true; rows.num_rows()]),
    }
}

/// Says that a merge failed, where nobody waits for its result.
pub(crate) fn log_failure(error: &Error) {
    tracing::error!(%error, "cannot merge segments; the store goes on without");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: u64 = 20_000;

    #[test]
    fn sixteen_of_a_size_are_merged_and_fewer_are_not() {
        assert_eq!(tiered_window(&[SMALL; 15], u64::MAX, FAN_IN), None);
        assert_eq!(tiered_window(&[SMALL; 16], u64::MAX, FAN_IN), Some(0..16));
        let mut rows = vec![16 * SMALL; 3];
        rows.extend([SMALL; 16]);
        assert_eq!(tiered_window(&rows, u64::MAX, FAN_IN), Some(3..19));
    }

    #[test]
    fn twice_as_many_wait_while_rows_come_fast() {
        assert_eq!(tiered_window(&[SMALL; 31], u64::MAX, FAN_IN_HURRIED), None);
        assert_eq!(tiered_window(&[SMALL; 32], u64::MAX, FAN_IN_HURRIED), Some(0..32));
    }

    #[test]
    fn runs_of_mixed_sizes_stay_few() {
        let mut rows: Vec<u64> = Vec::new();
        let mut most = 0;
        for flush in 0..20_000_u64 {
            rows.push(if flush % 7 == 0 { 200_000 } else { 500 + flush % 40_000 });
            while let Some(window) = tiered_window(&rows, u64::MAX, FAN_IN) {
                let merged = rows[window.clone()].iter().sum();
                rows.splice(window, [merged]);
            }
            most = most.max(rows.len());
        }
        assert!(most <= 3 * FAN_IN, "{most}");
    }

    #[test]
    fn full_segments_are_left_alone() {
        let full = LARGEST_ROWS / 2;
        assert_eq!(tiered_window(&[full; 40], LARGEST_ROWS, FAN_IN), None);
        let mut rows = vec![full; 2];
        rows.extend([3_000_000; 17]);
        assert_eq!(tiered_window(&rows, LARGEST_ROWS, FAN_IN), Some(2..13));
    }

    #[test]
    fn everything_that_fits_becomes_one() {
        assert_eq!(full_window(&[5, 6, 7], u64::MAX, true), Some(0..3));
        assert_eq!(full_window(&[5], u64::MAX, true), Some(0..1));
        assert_eq!(full_window(&[5], u64::MAX, false), None);
        assert_eq!(full_window(&[10, 3, 4], 10, false), Some(1..3));
        assert_eq!(full_window(&[10, 10], 10, false), None);
    }
}

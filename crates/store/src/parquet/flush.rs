//! A flush: everything final that waits in memory becomes segments, and one record of the log makes them count.
//!
//! ```text
//! rows ─▶ temporary files ─▶ synced ─▶ renamed ─▶ folder synced ─▶ record synced   ◀── this is the commit
//! ```

use super::core::Core;
use super::layout::indices;
use super::reader::read_segment;
use super::record::{Body, Flushed};
use super::segment::{Place, Segment, SegmentMeta, io_error};
use super::writer::{Draft, SegmentWriter};
use crate::chain::Marks;
use crate::error::{Error, Result};
use crate::order::RunRows;
use crate::order::key_columns;
use crate::rows::{Versioned, alert_rows};
use crate::told::{Told, told_rows};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use model::B256;
use model::alert::CaseKey;
use model::chain::ChainId;
use model::tables::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Rows of one table and chain that become a segment.
struct Task {
    draft: Draft,
    batches: Vec<RecordBatch>,
}

/// Batches by table and chain.
#[derive(Default)]
struct Groups(BTreeMap<(Table, ChainId), Vec<RecordBatch>>);

impl Groups {
    fn add(&mut self, table: Table, chain: ChainId, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.0.entry((table, chain)).or_default().push(batch);
        }
    }
}

impl Core {
    /// Writes what is final to files and commits it.
    pub(super) fn write_final(&mut self) -> Result<()> {
        let chains = self.moved_marks();
        if chains.is_empty() {
            return Ok(());
        }
        let state_at = self.state_at(&chains);
        let mut groups = Groups::default();
        for entry in &self.pending {
            entry.rows.iter().for_each(|(table, batch)| groups.add(*table, entry.chain, batch.clone()));
        }
        self.add_told(&mut groups, &state_at)?;
        let (hidden, shown) = self.add_cases(&mut groups, &state_at)?;
        let added = self.write_groups(groups)?;
        let untold = std::mem::take(&mut self.untold);
        let is_left = |told: &Told| {
            !told.is_empty() && told.sequence() > state_at.get(&told.chain).copied().unwrap_or(0)
        };
        let flushed = Flushed {
            versions: self.config.versions.clone(),
            added,
            chains: chains.into_iter().collect(),
            told: untold.into_iter().filter(is_left).collect(),
            hidden,
            shown,
        };
        let body = self.log.append(Body::Flushed(Box::new(flushed)))?;
        self.manifest.apply(body)?;
        self.pending.clear();
        self.pending_rows = 0;
        for (id, chain) in &mut self.chains {
            if let Some(marks) = self.manifest.chains.get(id) {
                chain.settle(*marks);
            }
        }
        if self.log.is_long() {
            self.log.rotate(Body::Checkpoint(Box::new(self.manifest.checkpoint())))?;
        }
        self.publish();
        Ok(())
    }

    /// Where each chain will stand after the flush, if elsewhere than now.
    fn moved_marks(&self) -> BTreeMap<ChainId, Marks> {
        let mut moved = BTreeMap::new();
        for (id, chain) in &self.chains {
            let mut marks = chain.marks;
            if let Some((position, time_secs)) = chain.ready {
                marks.state_at = position;
                marks.state_time_secs = time_secs;
            }
            if chain.is_ahead() {
                marks.written_to = chain.position;
            }
            if marks != chain.marks {
                moved.insert(*id, marks);
            }
        }
        moved
    }

    fn state_at(&self, moved: &BTreeMap<ChainId, Marks>) -> BTreeMap<ChainId, u64> {
        let marks =
            self.chains.iter().map(|(id, chain)| (*id, moved.get(id).copied().unwrap_or(chain.marks)));
        marks.map(|(id, marks)| (id, marks.state_at.sequence.0)).collect()
    }

    /// Notices and incidents up to `state_at` go to files.
    fn add_told(&self, groups: &mut Groups, state_at: &BTreeMap<ChainId, u64>) -> Result<()> {
        let all = self.manifest.told.iter().map(|told| &**told).chain(&self.untold);
        for (chain, upto) in state_at {
            let told: Vec<&Told> =
                all.clone().filter(|told| told.chain == *chain && told.sequence() <= *upto).collect();
            let (notices, incidents) = told_rows(&told)?;
            groups.add(Table::Notices, *chain, notices);
            groups.add(Table::Incidents, *chain, incidents);
        }
        Ok(())
    }

    /// Cases as they stood at `state_at` go to files. Gives the cases that are no longer to be seen there, and
    /// those that are again.
    fn add_cases(
        &mut self,
        groups: &mut Groups,
        state_at: &BTreeMap<ChainId, u64>,
    ) -> Result<(Vec<CaseKey>, Vec<CaseKey>)> {
        let (mut gone, mut shown) = (BTreeSet::new(), Vec::new());
        let mut by_chain: BTreeMap<ChainId, Vec<Versioned<'_>>> = BTreeMap::new();
        let settled = self.forms.take_settled(state_at);
        for (case_key, form) in &settled {
            let Some(alert) = &form.alert else {
                gone.insert(*case_key);
                continue;
            };
            by_chain.entry(alert.chain).or_default().push((alert, form.updated));
            if self.manifest.hidden.contains(case_key) {
                shown.push(*case_key);
            }
        }
        for (chain, alerts) in by_chain {
            groups.add(Table::Alerts, chain, alert_rows(alerts)?);
        }
        let alerts = self.manifest.live().filter(|segment| segment.meta.table == Table::Alerts.name());
        let hidden = if gone.is_empty() { BTreeSet::new() } else { cases_in(alerts, &gone)? };
        Ok((hidden.into_iter().collect(), shown))
    }

    /// Writes what was told as segments of its own, to be named by a record that follows.
    pub(super) fn file_told(&self, chain: ChainId, told: &[Told]) -> Result<Vec<SegmentMeta>> {
        let mut groups = Groups::default();
        let (notices, incidents) = told_rows(&told.iter().collect::<Vec<_>>())?;
        groups.add(Table::Notices, chain, notices);
        groups.add(Table::Incidents, chain, incidents);
        self.write_groups(groups)
    }

    /// Writes each group as a segment, several at a time, and makes their names durable.
    fn write_groups(&self, groups: Groups) -> Result<Vec<SegmentMeta>> {
        let rank = self.log.sequence() + 1;
        let draft = |table, chain| Draft { id: self.new_id(), table, chain, rank, merged: false };
        let mut tasks: Vec<Task> = groups
            .0
            .into_iter()
            .map(|((table, chain), batches)| Task { draft: draft(table, chain), batches })
            .collect();
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        // The largest is taken first, from the end, so that no thread is left alone with it.
        tasks.sort_by_key(|task| task.batches.iter().map(RecordBatch::num_rows).sum::<usize>());
        let mut added = write_tasks(&self.place, self.config.threads, tasks)?;
        added.sort_by_key(|meta| meta.id);
        self.place.files.sync_dir(&self.place.dir).map_err(io_error("sync", &self.place.dir))?;
        Ok(added)
    }
}

fn write_tasks(place: &Place, threads: usize, tasks: Vec<Task>) -> Result<Vec<SegmentMeta>> {
    let threads = threads.clamp(1, tasks.len());
    let (tasks, written) = (Mutex::new(tasks), Mutex::new(Vec::new()));
    let work = || {
        while let Some(task) = take(&tasks) {
            let meta = write(place, &task)?;
            written.lock().unwrap_or_else(PoisonError::into_inner).extend(meta);
        }
        Ok(())
    };
    let ended: Vec<thread::Result<Result<()>>> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let here = work();
        let others = others.into_iter().map(thread::ScopedJoinHandle::join);
        std::iter::once(Ok(here)).chain(others).collect()
    });
    for result in ended {
        result.map_err(|_| Error::Closed("a thread that wrote a segment panicked".into()))??;
    }
    Ok(written.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn take(tasks: &Mutex<Vec<Task>>) -> Option<Task> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn write(place: &Place, task: &Task) -> Result<Option<SegmentMeta>> {
    let run = RunRows::new(task.draft.table, &task.batches)?;
    let mut writer = SegmentWriter::create(&*place.files, &place.dir, task.draft)?;
    run.chunks().try_for_each(|rows| writer.write(&rows?))?;
    writer.finish()
}

/// Which of these cases have a row in segments of `alerts`.
pub(super) fn cases_in<'a>(
    segments: impl Iterator<Item = &'a Arc<Segment>>,
    cases: &BTreeSet<CaseKey>,
) -> Result<BTreeSet<CaseKey>> {
    let mut found = BTreeSet::new();
    let column = indices(Table::Alerts.spec(), key_columns(Table::Alerts))?;
    for segment in segments {
        for batch in read_segment(segment, Some(&column))? {
            let batch = batch?;
            let keys = batch.column(0).as_fixed_size_binary().iter().flatten();
            found.extend(keys.map(|key| CaseKey(B256::from_slice(key))).filter(|key| cases.contains(key)));
        }
    }
    Ok(found)
}

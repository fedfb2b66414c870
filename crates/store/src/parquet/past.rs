//! The past: the steps of a chain that later knowledge concerns, from files and from memory.
//!
//! Files are passed over by block time, as the commit log knows it of each; of the others only the columns that say
//! whether a step is wanted are read, and the rest of those rows alone that are. At most so many steps are held as are
//! given back.

use super::core::Core;
use super::layout::{bounded_columns, indices};
use super::reader::filter_segment;
use super::segment::{Bounds, Segment};
use crate::chain::Entry;
use crate::error::Result;
use crate::past::{add, wanted};
use arrow_array::RecordBatch;
use model::chain::ChainId;
use model::past::rows::{STEP_COLUMNS, TRAIT_COLUMNS};
use model::past::{Newest, PAST_STEPS_MAX, Past, PastQuery};
use model::tables::Table;
use std::sync::Arc;

/// What a chain holds of the past: files, and what is in memory beside them. It stays as it is while it is read.
#[derive(Debug)]
pub(crate) struct History {
    files: Vec<Arc<Segment>>,
    memory: Vec<Arc<Entry>>,
}

impl Core {
    /// What is here of a chain that a query may ask for.
    pub(crate) fn history(&self, chain: ChainId, query: &PastQuery) -> History {
        let files = self.manifest.run(Table::Events, chain);
        let pending = self.pending.iter().filter(|entry| entry.chain == chain);
        let open = self.chains.get(&chain).into_iter().flat_map(|chain| &chain.open);
        History {
            files: files.iter().filter(|segment| may_hold(segment, query)).cloned().collect(),
            memory: pending.chain(open).cloned().collect(),
        }
    }
}

/// May a file hold steps that are asked for, by its blocks and their times?
fn may_hold(segment: &Segment, query: &PastQuery) -> bool {
    let columns = bounded_columns(Table::Events);
    let place = columns.iter().position(|name| *name == "block_time");
    let times = place.and_then(|place| segment.meta.bounds.get(place)).and_then(Option::as_ref);
    let ended_before = matches!(times, Some(Bounds::Signed(_, last)) if *last < query.earliest_block_secs());
    segment.meta.range.0 <= query.after && !ended_before
}

impl History {
    /// How many files are read.
    #[cfg(test)]
    pub(super) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The steps that are asked for.
    pub(crate) fn steps(&self, query: &PastQuery) -> Result<Past> {
        let spec = Table::Events.spec();
        let traits = indices(spec, TRAIT_COLUMNS)?;
        let columns = indices(spec, STEP_COLUMNS)?;
        let query = Arc::new(query.clone());
        let mut newest = Newest::new(PAST_STEPS_MAX);
        for segment in &self.files {
            let query = query.clone();
            let wanted = move |rows: RecordBatch| wanted(&query, &rows);
            for rows in filter_segment(segment, (&columns, &traits), wanted)? {
                add(&mut newest, &rows?, |_| true)?;
            }
        }
        let rows = self.memory.iter().flat_map(|entry| &entry.rows);
        for (_, rows) in rows.filter(|(table, _)| *table == Table::Events) {
            let wanted = wanted(&query, rows)?;
            add(&mut newest, rows, |row| wanted.value(row))?;
        }
        Ok(newest.finish(query.after))
    }
}

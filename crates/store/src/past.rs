//! Which rows of events a query of the past asks for, wherever they are kept.

use crate::error::Result;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use model::past::rows::{StepRows, TraitRows};
use model::past::{Newest, PastQuery};

/// Which rows are asked for.
pub(crate) fn wanted(query: &PastQuery, rows: &RecordBatch) -> std::result::Result<BooleanArray, ArrowError> {
    let rows = TraitRows::new(rows)?;
    let is_wanted = |row| {
        let kind = query.kinds.iter().find(|kind| kind.as_str() == rows.kind(row));
        kind.is_some_and(|kind| query.wants(rows.block(row), *kind, &rows.traits(row)))
    };
    Ok((0..rows.count()).map(|row| Some(is_wanted(row))).collect())
}

/// Takes the steps of the rows that are wanted.
pub(crate) fn add(newest: &mut Newest, rows: &RecordBatch, is_wanted: impl Fn(usize) -> bool) -> Result<()> {
    let steps = StepRows::new(rows)?;
    for row in (0..steps.traits.count()).filter(|row| is_wanted(*row)) {
        newest.push(steps.get(row)?);
    }
    Ok(())
}

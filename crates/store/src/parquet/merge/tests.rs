//! Merging is compared with a map that each row is put into in the order of its age.

use super::*;
use crate::error::Error;
use crate::testing::{state_rows, state_values};
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert_eq, proptest};
use std::collections::BTreeMap;

type Row = (String, String, u64, u32);

fn merged(runs: &[Vec<Row>], batch_rows: usize) -> Vec<(String, String)> {
    let runs = runs.iter().map(|rows| {
        let batches: Vec<RecordBatch> = rows
            .chunks(batch_rows.max(1))
            .map(|rows| {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(k, v, block, log)| (k.as_str(), Some(v.as_str()), *block, *log))
                    .collect();
                state_rows(1, &rows)
            })
            .collect();
        batches.into_iter().map(Ok::<_, Error>)
    });
    let merged = Merged::new(Table::State, &Table::State.schema(), runs.collect()).unwrap();
    merged.flat_map(|batch| state_values(&batch.unwrap())).map(|(key, value)| (key, value.unwrap())).collect()
}

fn expected(runs: &[Vec<Row>]) -> Vec<(String, String)> {
    let mut newest: BTreeMap<&str, (u64, u32, &str)> = BTreeMap::new();
    for (key, value, block, log) in runs.iter().flatten() {
        let entry = newest.entry(key).or_insert((*block, *log, value));
        if (*block, *log) >= (entry.0, entry.1) {
            *entry = (*block, *log, value);
        }
    }
    newest.into_iter().map(|(key, (_, _, value))| (key.into(), value.into())).collect()
}

/// A run: sorted, one row a key.
fn run() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_u32..300, any::<u16>(), 0_u64..4, 0_u32..2);
    prop::collection::vec(row, 0..200).prop_map(|rows| {
        let keyed: BTreeMap<String, Row> = rows
            .into_iter()
            .map(|(key, value, block, log)| {
                (format!("{key:05}"), (format!("{key:05}"), value.to_string(), block, log))
            })
            .collect();
        keyed.into_values().collect()
    })
}

proptest! {
    #[test]
    fn the_newest_row_of_each_key_comes_out_in_order(
        runs in prop::collection::vec(run(), 0..6),
        batch_rows in 1_usize..50,
    ) {
        prop_assert_eq!(merged(&runs, batch_rows), expected(&runs));
    }
}

#[test]
fn long_pieces_are_passed_on_and_stay_in_order() {
    let row = |key: usize, value: &str| (format!("{key:06}"), value.to_owned(), 1, 0);
    let old: Vec<Row> = (0..20_000).map(|key| row(key, "old")).collect();
    let new: Vec<Row> = [0, 5, 6, 9_000, 19_999, 25_000].map(|key| row(key, "new")).into();
    assert_eq!(merged(&[old.clone(), new.clone()], 8_192), expected(&[old, new]));
}

#[test]
fn a_run_that_fails_ends_the_merge_with_its_error() {
    let runs = vec![vec![Err(Error::Closed("disk".into()))].into_iter()];
    let mut merged = Merged::new(Table::State, &Table::State.schema(), runs).unwrap();
    assert_eq!(merged.next().unwrap().unwrap_err().to_string(), Error::Closed("disk".into()).to_string());
    assert!(merged.next().is_none());
}

#[test]
fn a_table_that_is_appended_to_keeps_rows_of_equal_order() {
    let blocks = |numbers: &[u64]| crate::testing::block_rows(1, numbers);
    let runs = [blocks(&[1, 2, 4]), blocks(&[2, 3])].map(|batch| vec![Ok::<_, Error>(batch)].into_iter());
    let merged = Merged::new(Table::Blocks, &Table::Blocks.schema(), runs.into()).unwrap();
    let numbers: Vec<u64> = merged.flat_map(|batch| crate::testing::block_numbers(&batch.unwrap())).collect();
    assert_eq!(numbers, [1, 2, 2, 3, 4]);
}

//! The named questions: their files, their parameters, and their answers over small tables made by hand.

mod files;
mod identities;
mod movement;
mod operations;
mod page;
mod parameters;
mod parties;
mod quantities;
mod recalls;
mod told;

use super::find;
use crate::error::Result;
use crate::limits::Limits;
use crate::testing::{Told, engine_over};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::StreamExt as _;
use std::sync::Arc;

fn owned(arguments: &[(&str, &str)]) -> Vec<(String, String)> {
    arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The whole answer, and whether it was cut off.
async fn ask(told: &Told, name: &str, arguments: &[(&str, &str)]) -> Result<(Vec<RecordBatch>, bool)> {
    let engine = engine_over(Arc::new(told.clone()), Limits::default());
    let mut answer = engine.ask_named(name, &owned(arguments)).await?;
    let columns: Vec<String> = answer.schema().fields().iter().map(|field| field.name().clone()).collect();
    let promised: Vec<&str> = find(name)?.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, promised, "the columns of {name}");
    let mut batches = Vec::new();
    while let Some(batch) = answer.next().await {
        batches.push(batch?);
    }
    Ok((batches, answer.truncated()))
}

fn as_lines(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).unwrap().to_string();
    let trim = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|");
    let lines = table.lines().filter(|line| !line.starts_with('+')).skip(1);
    lines.map(|line| trim(line).replace(ZEROS, "@").replace("T00:00:00Z", "")).collect()
}

/// What stands before the two last digits of the addresses of these tests.
const ZEROS: &str = "0x00000000000000000000000000000000000000";

/// The answer as text: one line a row, cells between bars, addresses by their last two digits, midnight left out.
/// It does not depend on the order in which the tables hold their rows.
async fn answer(told: &Told, name: &str, arguments: &[(&str, &str)]) -> Vec<String> {
    let (forwards, _) = ask(told, name, arguments).await.unwrap();
    let (backwards, _) = ask(&told.clone().backwards(), name, arguments).await.unwrap();
    assert_eq!(as_lines(&forwards), as_lines(&backwards), "the order of {name} is not total");
    as_lines(&forwards)
}

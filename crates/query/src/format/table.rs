//! A table for people at a terminal.

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::fmt::Write as _;
use std::sync::Arc;

/// Nobody reads more at a terminal: 10,000 rows of 2 KB are 20 MB.
pub(super) const TABLE_ROWS: usize = 10_000;

/// Holds the rows of a table until their widths are known.
#[derive(Debug)]
pub(super) struct TableEncoder {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    left_out: usize,
}

impl TableEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let fields =
            schema.fields().iter().map(|field| Field::new(escaped(field.name()), DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { schema, batches: Vec::new(), rows: 0, left_out: 0 }
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let keep = batch.num_rows().min(TABLE_ROWS - self.rows);
        self.left_out += batch.num_rows() - keep;
        if keep > 0 {
            let kept = batch.slice(0, keep);
            let columns =
                kept.columns().iter().map(|column| Ok(Arc::new(shown(column, escaped)?) as ArrayRef));
            self.batches.push(RecordBatch::try_new(
                self.schema.clone(),
                columns.collect::<Result<_, ArrowError>>()?,
            )?);
            self.rows += keep;
        }
        Ok(Vec::new())
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, ArrowError> {
        let table = arrow_cast::pretty::pretty_format_batches_with_schema(self.schema, &self.batches)?;
        let mut out = format!("{table}\n");
        if self.left_out > 0 {
            let count = self.left_out;
            writeln!(out, "… and {count} more rows: ask for csv, json, ndjson or parquet to see them all")
                .map_err(|_| ArrowError::ComputeError("out of memory".to_owned()))?;
        }
        Ok(out.into_bytes())
    }
}

/// A column as text, each value after `edit`; null stays null.
pub(super) fn shown(column: &ArrayRef, edit: impl Fn(&str) -> String) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let mut out = StringBuilder::new();
    for row in 0..column.len() {
        out.append_option(
            column
                .is_valid(row)
                .then(|| formatter.value(row).try_to_string())
                .transpose()?
                .map(|text| edit(&text)),
        );
    }
    Ok(out.finish())
}

/// Text of the chain may hold anything; control characters of a terminal are shown, not obeyed.
fn escaped(text: &str) -> String {
    if !text.chars().any(is_control) {
        return text.to_owned();
    }
    text.chars()
        .map(|char| if is_control(char) { char.escape_unicode().to_string() } else { char.to_string() })
        .collect()
}

/// C0 and C1 controls, and the marks that turn the direction of text around (CVE-2021-42574).
fn is_control(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

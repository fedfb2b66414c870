//! An answer as one JSON object that says of itself what it is: snapshot, columns, rows as arrays, and whether rows
//! were cut off. It is written as rows come: what is known last stands last.

use super::text::with_text;
use crate::error::{Error, Result};
use crate::snapshot::SnapshotName;
use arrow_json::StructMode;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use serde_json::json;

/// Writes one JSON object.
#[derive(Debug)]
pub(super) struct DocumentEncoder {
    /// What stands before the first row; empty once it is written.
    head: Vec<u8>,
    rows: u64,
    truncated: bool,
}

impl DocumentEncoder {
    pub(super) fn new(schema: &SchemaRef, snapshot: &SnapshotName) -> Result<Self> {
        let fields = schema.fields().iter();
        let columns: Vec<_> =
            fields.map(|field| json!({"name": field.name(), "type": kind(field.data_type())})).collect();
        let text =
            |value: serde_json::Result<String>| value.map_err(|error| Error::Output(error.to_string()));
        let snapshot = text(serde_json::to_string(snapshot))?;
        let columns = text(serde_json::to_string(&columns))?;
        let head = format!("{{\"snapshot\":{snapshot},\n\"columns\":{columns},\n\"rows\":[");
        Ok(Self { head: head.into_bytes(), rows: 0, truncated: false })
    }

    pub(super) fn cut_off(&mut self) {
        self.truncated = true;
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) -> std::result::Result<Vec<u8>, ArrowError> {
        let builder =
            arrow_json::WriterBuilder::new().with_explicit_nulls(true).with_struct_mode(StructMode::ListOnly);
        let mut writer = builder.build::<_, arrow_json::writer::LineDelimited>(Vec::new());
        // Readers of JSON take numbers for floats of 53 bits: an amount of 38 digits is text.
        writer.write(&with_text(batch, DataType::is_decimal)?)?;
        writer.finish()?;
        let lines = writer.into_inner();
        let mut out = std::mem::take(&mut self.head);
        // A row holds no line feed but its last byte.
        for row in lines.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()) {
            out.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
            out.extend_from_slice(row);
            self.rows += 1;
        }
        Ok(out)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = self.head;
        out.extend_from_slice(format!("],\n\"truncated\":{}}}\n", self.truncated).as_bytes());
        out
    }
}

/// What a column holds, in a word.
fn kind(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(..) => "time",
        other if other.is_decimal() => "amount",
        other if other.is_integer() => "integer",
        other if other.is_floating() => "number",
        other if other.is_nested() => "list",
        _ => "text",
    }
}

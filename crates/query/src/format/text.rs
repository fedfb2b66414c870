//! CSV, JSON and NDJSON.

use super::table::shown;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use std::sync::Arc;

/// Writes CSV.
#[derive(Debug)]
pub(super) struct CsvEncoder {
    schema: SchemaRef,
    begun: bool,
}

impl CsvEncoder {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { schema: schema.clone(), begun: false }
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let mut out = Vec::new();
        let builder = arrow_csv::WriterBuilder::new().with_header(!std::mem::replace(&mut self.begun, true));
        // A cell holds one value: lists and structs are shown as text.
        builder.build(&mut out).write(&with_text(batch, DataType::is_nested)?)?;
        Ok(out)
    }

    /// An answer without rows has a header all the same.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, ArrowError> {
        if self.begun {
            return Ok(Vec::new());
        }
        let empty = RecordBatch::new_empty(self.schema.clone());
        self.batch(&empty)
    }
}

/// A batch whose columns of the kinds that `is_text` names are text.
pub(super) fn with_text(
    batch: &RecordBatch,
    is_text: impl Fn(&DataType) -> bool,
) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if is_text(field.data_type()) {
            fields.push(Field::new(field.name(), DataType::Utf8, true));
            columns.push(Arc::new(shown(column, |text| text.to_owned())?));
        } else {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
        }
    }
    let options = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

/// Writes one JSON array.
#[derive(Debug, Default)]
pub(super) struct JsonEncoder {
    begun: bool,
}

impl JsonEncoder {
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let lines = NdjsonEncoder::default().batch(batch)?;
        let mut out = Vec::with_capacity(lines.len() + batch.num_rows());
        // A line of NDJSON holds no line feed but its last byte.
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            out.extend_from_slice(if std::mem::replace(&mut self.begun, true) { b",\n" } else { b"[" });
            out.extend_from_slice(line);
        }
        Ok(out)
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, ArrowError> {
        Ok(if self.begun { b"]\n".to_vec() } else { b"[]\n".to_vec() })
    }
}

/// Writes one JSON object a line.
#[derive(Debug, Default)]
pub(super) struct NdjsonEncoder {}

impl NdjsonEncoder {
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        let builder = arrow_json::WriterBuilder::new().with_explicit_nulls(true);
        let mut writer = builder.build::<_, arrow_json::writer::LineDelimited>(Vec::new());
        // Readers of JSON take numbers for floats of 53 bits: an amount of 38 digits is text.
        writer.write(&with_text(batch, DataType::is_decimal)?)?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}

//! Rows as bytes: table, CSV, JSON, NDJSON or Parquet, batch by batch as they come.
//!
//! All but the table stream: an answer is never held as a whole. A table's columns have the width of its widest cell,
//! so it is held, and cut at [`table::TABLE_ROWS`].

mod document;
mod table;
mod text;

use crate::error::{Error, Result};
use crate::snapshot::SnapshotName;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use std::str::FromStr;
use store::export::ParquetFile;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns between bars, for people.
    Table,
    /// RFC 4180, with a header row. Null is an empty cell; lists are written as text.
    Csv,
    /// One array of objects. Null is `null`; amounts are text, so that no reader rounds them.
    Json,
    /// One object a line.
    Ndjson,
    /// One Parquet file, compressed with zstd.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Table, Self::Csv, Self::Json, Self::Ndjson, Self::Parquet];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The media type in HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is none of table, csv, json, ndjson, parquet"))
    }
}

/// Writes one answer.
#[derive(Debug)]
pub struct Encoder(Kind);

#[derive(Debug)]
enum Kind {
    Table(table::TableEncoder),
    Csv(text::CsvEncoder),
    Json(text::JsonEncoder),
    Ndjson(text::NdjsonEncoder),
    Parquet(Box<ParquetFile>),
    Document(document::DocumentEncoder),
}

impl Encoder {
    /// Begins an answer with these columns.
    ///
    /// # Errors
    /// [`Error::Output`] when the format has no form for a column.
    pub fn new(format: Format, schema: &SchemaRef, snapshot: &SnapshotName) -> Result<Self> {
        Ok(Self(match format {
            Format::Table => Kind::Table(table::TableEncoder::new(schema)),
            Format::Csv => Kind::Csv(text::CsvEncoder::new(schema)),
            Format::Json => Kind::Json(text::JsonEncoder::default()),
            Format::Ndjson => Kind::Ndjson(text::NdjsonEncoder::default()),
            Format::Parquet => {
                Kind::Parquet(Box::new(ParquetFile::new(schema, snapshot.to_string()).map_err(output)?))
            }
        }))
    }

    /// Begins an answer that names its snapshot and columns within: one JSON object, rows as arrays.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub(crate) fn document(schema: &SchemaRef, snapshot: &SnapshotName) -> Result<Self> {
        Ok(Self(Kind::Document(document::DocumentEncoder::new(schema, snapshot)?)))
    }

    /// Rows were cut off: a document says so at its end.
    pub(crate) fn cut_off(&mut self) {
        if let Kind::Document(encoder) = &mut self.0 {
            encoder.cut_off();
        }
    }

    /// Takes one batch; returns what is ready to be sent.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        match &mut self.0 {
            Kind::Table(encoder) => encoder.batch(batch),
            Kind::Csv(encoder) => encoder.batch(batch),
            Kind::Json(encoder) => encoder.batch(batch),
            Kind::Ndjson(encoder) => encoder.batch(batch),
            Kind::Parquet(encoder) => encoder.batch(batch),
            Kind::Document(encoder) => encoder.batch(batch),
        }
        .map_err(output)
    }

    /// Ends the answer; returns the rest.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.0 {
            Kind::Table(encoder) => encoder.finish(),
            Kind::Csv(encoder) => encoder.finish(),
            Kind::Json(encoder) => encoder.finish(),
            Kind::Ndjson(_) => Ok(Vec::new()),
            Kind::Parquet(encoder) => encoder.finish(),
            Kind::Document(encoder) => Ok(encoder.finish()),
        }
        .map_err(output)
    }
}

fn output(error: datafusion::arrow::error::ArrowError) -> Error {
    Error::Output(error.to_string())
}

#[cfg(test)]
mod tests;

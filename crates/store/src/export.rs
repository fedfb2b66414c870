//! A Parquet file to give away: record batches in, bytes out, row group by row group. The store's own segments are
//! written elsewhere ([`parquet`](crate::parquet)).

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

/// A row group is held in memory until it is written: 64 k rows of 400 bytes are 26 MB.
const ROW_GROUP_ROWS: usize = 64 << 10;

/// Key of the snapshot's name in the file's metadata.
const SNAPSHOT_KEY: &str = "rxtrail.snapshot";

/// Writes one Parquet file.
#[derive(Debug)]
pub struct ParquetFile(ArrowWriter<Vec<u8>>);

impl ParquetFile {
    /// Begins a file with these columns; `snapshot` names in its metadata what the rows were read from.
    ///
    /// # Errors
    /// When a column has a type that Parquet has no form for.
    pub fn new(schema: &SchemaRef, snapshot: String) -> Result<Self, ArrowError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(vec![KeyValue::new(SNAPSHOT_KEY.to_owned(), snapshot)]))
            .build();
        Ok(Self(ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?))
    }

    /// Takes one batch; returns the bytes that are ready.
    ///
    /// # Errors
    /// When the batch does not have the file's columns.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        self.0.write(batch)?;
        Ok(std::mem::take(self.0.inner_mut()))
    }

    /// Ends the file; returns the rest of its bytes.
    ///
    /// # Errors
    /// When the last row group cannot be encoded.
    pub fn finish(self) -> Result<Vec<u8>, ArrowError> {
        Ok(self.0.into_inner()?)
    }
}

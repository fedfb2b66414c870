//! A Parquet file, row group by row group.

use crate::error::{Error, Result};
use crate::snapshot::SnapshotName;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
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
pub(super) struct ParquetEncoder(ArrowWriter<Vec<u8>>);

impl ParquetEncoder {
    pub(super) fn new(schema: &SchemaRef, snapshot: &SnapshotName) -> Result<Self> {
        let snapshot = KeyValue::new(SNAPSHOT_KEY.to_owned(), snapshot.to_string());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(vec![snapshot]))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties));
        writer.map(Self).map_err(|error| Error::Output(error.to_string()))
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) -> std::result::Result<Vec<u8>, ArrowError> {
        self.0.write(batch)?;
        Ok(std::mem::take(self.0.inner_mut()))
    }

    pub(super) fn finish(self) -> std::result::Result<Vec<u8>, ArrowError> {
        Ok(self.0.into_inner()?)
    }
}

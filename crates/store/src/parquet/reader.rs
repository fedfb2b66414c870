//! Reads segments row group by row group, without DataFusion: for merging, restart and verification.

use super::files::Input;
use super::segment::{Segment, io_error};
use crate::error::Result;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use bytes::Bytes;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// Rows of a batch that is read for merging: 32 runs of 250-byte rows are then 16 MB.
const BATCH_ROWS: usize = 2 * 1024;

/// Bytes read at once where a reader does not say how many it wants.
const BUFFER_BYTES: usize = 64 * 1024;

/// An open segment file, as the Parquet reader wants it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentInput(pub(crate) Arc<dyn Input>);

impl SegmentInput {
    /// Opens the file of a segment.
    pub(crate) fn open(segment: &Segment) -> Result<Self> {
        let path = segment.path();
        Ok(Self(segment.files().open(&path).map_err(io_error("open", &path))?))
    }

    /// Its footer with page index.
    pub(crate) fn footer(&self) -> ::parquet::errors::Result<ParquetMetaData> {
        ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional).parse_and_finish(self)
    }
}

impl Length for SegmentInput {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for SegmentInput {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<Self::T> {
        Ok(BufReader::with_capacity(BUFFER_BYTES, From { input: self.0.clone(), offset: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        Ok(self.0.read_at(start, length)?)
    }
}

/// A file read onwards from some place.
pub(crate) struct From {
    input: Arc<dyn Input>,
    offset: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.input.size().saturating_sub(self.offset);
        let len = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        buffer[..len].copy_from_slice(&self.input.read_at(self.offset, len)?);
        self.offset += len as u64;
        Ok(len)
    }
}

/// The rows of a segment that are wanted, batch by batch: `columns` of those for which `wanted` says so of `traits`.
pub(crate) fn filter_segment(
    segment: &Segment,
    (columns, traits): (&[usize], &[usize]),
    wanted: impl FnMut(RecordBatch) -> std::result::Result<BooleanArray, ArrowError> + Send + 'static,
) -> Result<ParquetRecordBatchReader> {
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(SegmentInput::open(segment)?)?.with_batch_size(BATCH_ROWS);
    let roots = |columns: &[usize]| ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
    let (columns, predicate) = (roots(columns), ArrowPredicateFn::new(roots(traits), wanted));
    let filter = RowFilter::new(vec![Box::new(predicate)]);
    Ok(builder.with_projection(columns).with_row_filter(filter).build()?)
}

/// The rows of a segment, batch by batch; of `columns` only, in the order of the schema, when they are given.
pub(crate) fn read_segment(segment: &Segment, columns: Option<&[usize]>) -> Result<ParquetRecordBatchReader> {
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(SegmentInput::open(segment)?)?.with_batch_size(BATCH_ROWS);
    let mask = match columns {
        Some(columns) => ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied()),
        None => ProjectionMask::all(),
    };
    Ok(builder.with_projection(mask).build()?)
}

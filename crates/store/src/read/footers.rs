//! Reads segment files for scans. Footers are kept: a lookup that finds its file's footer here reads pages only.

use crate::parquet::reader::SegmentInput;
use crate::parquet::segment::Segment;
use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::arrow::async_reader::AsyncFileReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Memory that footers may take: with page index, a segment of 16 M events has one of about 6 MB.
const FOOTER_BYTES: usize = 48 * 1024 * 1024;

/// Footers of segments by id, the least recently used dropped first.
#[derive(Debug, Default)]
pub(crate) struct Footers {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    footers: HashMap<u64, Footer>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Footer {
    footer: Arc<ParquetMetaData>,
    bytes: usize,
    last_use: u64,
}

impl Footers {
    fn get(&self, id: u64) -> Option<Arc<ParquetMetaData>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let uses = kept.uses;
        let footer = kept.footers.get_mut(&id)?;
        footer.last_use = uses;
        Some(footer.footer.clone())
    }

    fn keep(&self, id: u64, footer: Arc<ParquetMetaData>, limit_bytes: usize) {
        let bytes = footer.memory_size();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes > limit_bytes / 2 {
            return;
        }
        kept.uses += 1;
        let last_use = kept.uses;
        if let Some(before) = kept.footers.insert(id, Footer { footer, bytes, last_use }) {
            kept.bytes -= before.bytes;
        }
        kept.bytes += bytes;
        if kept.bytes > limit_bytes {
            kept.shrink(limit_bytes / 4 * 3);
        }
    }
}

impl Kept {
    /// Drops the least recently used until `bytes` are left: rarely, and then many at once.
    fn shrink(&mut self, bytes: usize) {
        let mut by_use: Vec<(u64, u64)> =
            self.footers.iter().map(|(id, footer)| (footer.last_use, *id)).collect();
        by_use.sort_unstable();
        for (_, id) in by_use {
            if self.bytes <= bytes {
                break;
            }
            if let Some(dropped) = self.footers.remove(&id) {
                self.bytes -= dropped.bytes;
            }
        }
    }
}

/// Makes readers for the segments that a scan names: each file carries its [`Segment`], and so keeps it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentReaders {
    footers: Arc<Footers>,
}

impl SegmentReaders {
    /// Readers that share these footers.
    pub(crate) fn new(footers: Arc<Footers>) -> Self {
        Self { footers }
    }
}

impl ParquetFileReaderFactory for SegmentReaders {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _footer_bytes: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let segment = file.extension::<Arc<Segment>>().cloned().ok_or_else(|| {
            DataFusionError::Internal(format!("{} is not a segment", file.object_meta.location))
        })?;
        Ok(Box::new(SegmentReader { segment, footers: self.footers.clone(), input: None }))
    }
}

struct SegmentReader {
    segment: Arc<Segment>,
    footers: Arc<Footers>,
    input: Option<SegmentInput>,
}

impl SegmentReader {
    /// Runs `read` on the open file, off the threads that run queries: a disk may take its time.
    fn blocking<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(&SegmentInput) -> ::parquet::errors::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, ::parquet::errors::Result<T>> {
        let (segment, opened) = (self.segment.clone(), self.input.clone());
        async move {
            let work = move || {
                let input = match opened {
                    Some(input) => input,
                    None => SegmentInput::open(&segment).map_err(external)?,
                };
                Ok::<_, ParquetError>((read(&input)?, input))
            };
            let (value, input) = tokio::task::spawn_blocking(work).await.map_err(external)??;
            self.input = Some(input);
            Ok(value)
        }
        .boxed()
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn read_range(input: &SegmentInput, range: &Range<u64>) -> ::parquet::errors::Result<Bytes> {
    let len = usize::try_from(range.end.saturating_sub(range.start)).map_err(external)?;
    Ok(input.0.read_at(range.start, len)?)
}

impl AsyncFileReader for SegmentReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ::parquet::errors::Result<Bytes>> {
        self.blocking(move |input| read_range(input, &range))
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ::parquet::errors::Result<Vec<Bytes>>> {
        self.blocking(move |input| ranges.iter().map(|range| read_range(input, range)).collect())
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ::parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let id = self.segment.meta.id;
            if let Some(footer) = self.footers.get(id) {
                return Ok(footer);
            }
            let footer = Arc::new(self.blocking(SegmentInput::footer).await?);
            self.footers.keep(id, footer.clone(), FOOTER_BYTES);
            Ok(footer)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::footer;

    #[test]
    fn the_least_recently_used_footers_go_first_and_memory_stays_within_its_limit() {
        let footer = footer();
        let limit = footer.memory_size() * 8;
        let footers = Footers::default();
        for id in 0..100 {
            footers.keep(id, footer.clone(), limit);
            assert!(footers.get(0).is_some(), "0 is used all the time");
            assert!(footers.kept.lock().unwrap().bytes <= limit);
        }
        assert!(footers.get(99).is_some());
        assert!(footers.get(1).is_none());
    }
}

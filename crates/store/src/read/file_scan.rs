//! A scan of segments by DataFusion's Parquet reader: an explicit list of files with what is known of each.
//!
//! Never a folder: DataFusion keeps the listing of a folder for ever.

use super::footers::{Footers, SegmentReaders};
use super::prune::scalar;
use crate::parquet::layout::bounded_columns;
use crate::parquet::segment::Segment;
use arrow_schema::DataType;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use model::tables::Table;
use std::sync::Arc;

/// Files up to which each carries its own statistics: they take about 5 kB a file while a query runs.
const FILES_WITH_STATISTICS: usize = 1024;

/// How segments of a table are scanned.
#[derive(Debug)]
pub(super) struct FileScan<'a> {
    pub(super) table: Table,
    pub(super) footers: &'a Arc<Footers>,
    /// Streams that share the files.
    pub(super) partitions: usize,
    /// Prunes row groups, pages and rows.
    pub(super) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Rows after which a stream may stop.
    pub(super) limit: Option<usize>,
    /// Rows of a batch, where not those of the session.
    pub(super) batch_rows: Option<usize>,
}

impl FileScan<'_> {
    /// The scan of these columns of these segments, spread over the partitions by size.
    pub(super) fn plan(
        &self,
        segments: Vec<Arc<Segment>>,
        columns: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let statistics = self.statistics(&segments);
        let mut source = ParquetSource::new(self.table.schema())
            .with_parquet_file_reader_factory(Arc::new(SegmentReaders::new(self.footers.clone())))
            .with_pushdown_filters(true);
        if let Some(filter) = &self.filter {
            source = source.with_predicate(filter.clone());
        }
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(self.groups(segments))
            .with_statistics(statistics)
            .with_projection_indices(Some(columns.to_vec()))?
            .with_limit(self.limit)
            .with_batch_size(self.batch_rows)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn groups(&self, mut segments: Vec<Arc<Segment>>) -> Vec<FileGroup> {
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.meta.bytes));
        let count = self.partitions.min(segments.len()).max(1);
        let with_statistics = segments.len() <= FILES_WITH_STATISTICS;
        let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); count];
        for segment in segments {
            if let Some((bytes, files)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
                *bytes += segment.meta.bytes;
                files.push(self.file(segment, with_statistics));
            }
        }
        groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
    }

    fn file(&self, segment: Arc<Segment>, with_statistics: bool) -> PartitionedFile {
        let mut file = PartitionedFile::new(segment.meta.file_name(), segment.meta.bytes)
            .with_arrow_schema(self.table.schema());
        if with_statistics {
            file = file.with_statistics(Arc::new(self.statistics(std::slice::from_ref(&segment))));
        }
        file.with_extension(segment)
    }

    /// What the commit log knows of segments: it saves the planner from opening them.
    fn statistics(&self, segments: &[Arc<Segment>]) -> Statistics {
        let schema = self.table.schema();
        let mut statistics = Statistics::new_unknown(&schema);
        let sum = |part: fn(&Segment) -> u64| segments.iter().map(|segment| part(segment) as usize).sum();
        statistics.num_rows = Precision::Exact(sum(|segment| segment.meta.rows));
        statistics.total_byte_size = Precision::Inexact(sum(|segment| segment.meta.bytes));
        for (place, name) in bounded_columns(self.table).iter().enumerate() {
            let Some((index, field)) = schema.column_with_name(name) else { continue };
            let end = |least: bool| -> Option<ScalarValue> {
                let ends = segments.iter().map(|segment| {
                    scalar(segment.meta.bounds.get(place)?.as_ref()?, field.data_type(), least)
                });
                ends.collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .reduce(|a, b| if (a < b) == least { a } else { b })
            };
            // Long texts are cut in a footer: they bound the values and are none of them.
            let known = if is_cut(field.data_type()) { Precision::Inexact } else { Precision::Exact };
            statistics.column_statistics[index] = ColumnStatistics {
                min_value: end(true).map_or(Precision::Absent, known),
                max_value: end(false).map_or(Precision::Absent, known),
                ..ColumnStatistics::new_unknown()
            };
        }
        statistics
    }
}

fn is_cut(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Binary | DataType::FixedSizeBinary(_))
}

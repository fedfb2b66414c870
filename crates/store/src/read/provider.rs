//! A table of a snapshot for DataFusion: an explicit list of segments, and what is in memory beside them.

use super::file_scan::FileScan;
use super::footers::Footers;
use super::moment::{Memory, Moment};
use super::newest::{NewestExec, Runs, work_columns};
use super::prune::may_match;
use crate::order::key_columns;
use crate::parquet::segment::Segment;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::{in_list, lit};
use datafusion::physical_expr::{PhysicalExpr, expressions};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use model::chain::ChainId;
use model::tables::{Table, TableKind};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows of the batches of all runs of a merge together: 64 Ki rows of 300 bytes, three batches deep, are 60 MB.
const MERGED_BATCH_ROWS: usize = 64 * 1024;

/// A table of a snapshot.
#[derive(Debug)]
pub(crate) struct StoreTable {
    table: Table,
    moment: Arc<Moment>,
    footers: Arc<Footers>,
}

impl StoreTable {
    /// `table` as it was at `moment`.
    pub(crate) fn new(table: Table, moment: Arc<Moment>, footers: Arc<Footers>) -> Self {
        Self { table, moment, footers }
    }
}

#[async_trait]
impl TableProvider for StoreTable {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters prune files, row groups, pages and rows, and are applied again above the scan: a filter that
    /// cannot be pushed into a file is then no error, only slow.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.table.schema();
        let projection = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let scan = Scan {
            table: self.table,
            moment: &self.moment,
            memory: self
                .moment
                .memory(self.table)
                .map_err(|error| DataFusionError::External(Box::new(error)))?,
            footers: &self.footers,
            filter: physical(state, self.table, filters.to_vec())?,
            key_filter: physical(state, self.table, on_key(self.table, filters))?,
            projection,
            limit,
            partitions: state.config().target_partitions().max(1),
        };
        match self.table.spec().kind {
            TableKind::Append => scan.appended(),
            TableKind::Upsert { .. } => scan.newest(),
        }
    }
}

fn physical(state: &dyn Session, table: Table, filters: Vec<Expr>) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let Some(filter) = conjunction(filters) else { return Ok(None) };
    let schema = DFSchema::try_from(table.schema())?;
    Ok(Some(state.create_physical_expr(filter, &schema)?))
}

/// The filters that are about the key alone: they keep or drop all rows of a key together.
fn on_key(table: Table, filters: &[Expr]) -> Vec<Expr> {
    let key = key_columns(table);
    let is_on_key =
        |filter: &&Expr| filter.column_refs().iter().all(|column| key.contains(&column.name.as_str()));
    filters.iter().filter(is_on_key).cloned().collect()
}

struct Scan<'a> {
    table: Table,
    moment: &'a Moment,
    memory: Arc<Memory>,
    footers: &'a Arc<Footers>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    key_filter: Option<Arc<dyn PhysicalExpr>>,
    projection: Vec<usize>,
    limit: Option<usize>,
    partitions: usize,
}

impl Scan<'_> {
    /// Rows of files and of memory, one after the other.
    fn appended(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let segments: Vec<Arc<Segment>> =
            self.chains().iter().flat_map(|chain| self.segments(*chain)).collect();
        let segments = pruned(self.table, segments, self.filter.as_ref())?;
        let batches: Vec<_> = self.memory.values().flatten().cloned().collect();
        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !segments.is_empty() {
            let limit = if self.filter.is_none() { self.limit } else { None };
            let scan = FileScan { filter: self.filter.clone(), limit, ..self.files() };
            plans.push(scan.plan(segments, &self.projection)?);
        }
        if !batches.is_empty() || plans.is_empty() {
            let source =
                MemorySourceConfig::try_new(&[batches], self.table.schema(), Some(self.projection.clone()))?;
            plans.push(DataSourceExec::from_data_source(source.with_limit(self.limit)));
        }
        together(plans)
    }

    /// The newest row of each key: a chain with one run is read as it is, one with several is merged.
    fn newest(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let (work, output) = work_columns(self.table, &self.projection)?;
        let gone = if self.table == Table::Alerts { self.moment.gone() } else { BTreeSet::new() };
        let gone: Vec<Vec<u8>> = gone.iter().map(|case_key| case_key.0.to_vec()).collect();
        let (mut single, mut merged, mut rows) = (Vec::new(), Vec::new(), 0);
        for chain in self.chains() {
            let segments = pruned(self.table, self.segments(chain), self.key_filter.as_ref())?;
            let batches = self.memory.get(&chain).cloned().unwrap_or_default();
            if segments.is_empty() && batches.is_empty() {
                continue;
            }
            if segments.len() == 1 && batches.is_empty() {
                single.extend(segments);
                continue;
            }
            rows += segments.iter().map(|segment| segment.meta.rows as usize).sum::<usize>();
            rows += batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>();
            let mut runs: Runs = Vec::new();
            let batch_rows = Some(run_batch_rows(segments.len()));
            let scan = FileScan { filter: self.key_filter.clone(), batch_rows, ..self.files() };
            for segment in segments {
                runs.push(self.without(&gone, &work, |columns| scan.plan(vec![segment], columns))?);
            }
            for batch in batches {
                runs.push(self.in_memory(batch, &work)?);
            }
            merged.push(runs);
        }
        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        let single = pruned(self.table, single, self.filter.as_ref())?;
        if !single.is_empty() {
            let scan = FileScan { filter: self.filter.clone(), ..self.files() };
            plans.push(self.without(&gone, &self.projection, |columns| scan.plan(single, columns))?);
        }
        let schema = Arc::new(self.table.schema().project(&work)?);
        if merged.is_empty() && plans.is_empty() {
            plans.push(Arc::new(EmptyExec::new(Arc::new(schema.project(&output)?))));
        } else if !merged.is_empty() {
            let newest = NewestExec::new(self.table, merged, schema, output, rows)?;
            plans.push(Arc::new(newest.with_limit(self.limit)));
        }
        together(plans)
    }

    fn chains(&self) -> BTreeSet<ChainId> {
        let files =
            self.moment.segments.keys().filter(|(table, _)| *table == self.table).map(|(_, chain)| *chain);
        files.chain(self.memory.keys().copied()).collect()
    }

    fn segments(&self, chain: ChainId) -> Vec<Arc<Segment>> {
        self.moment.segments.get(&(self.table, chain)).map(|segments| segments.to_vec()).unwrap_or_default()
    }

    fn files(&self) -> FileScan<'_> {
        let (table, footers, partitions) = (self.table, self.footers, self.partitions);
        FileScan { table, footers, partitions, filter: None, limit: None, batch_rows: None }
    }

    /// A run in memory.
    fn in_memory(
        &self,
        batch: arrow_array::RecordBatch,
        columns: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.table.schema();
        let Some(filter) = &self.key_filter else {
            return Ok(MemorySourceConfig::try_new_exec(&[vec![batch]], schema, Some(columns.to_vec()))?);
        };
        let all = MemorySourceConfig::try_new_exec(&[vec![batch]], schema, None)?;
        project(Arc::new(FilterExec::try_new(filter.clone(), all)?), columns)
    }

    /// A scan without the rows of cases that are no more.
    fn without(
        &self,
        gone: &[Vec<u8>],
        columns: &[usize],
        scan: impl FnOnce(&[usize]) -> Result<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if gone.is_empty() {
            return scan(columns);
        }
        let schema = self.table.schema();
        let key = schema.index_of("case_key")?;
        let mut with_key = columns.to_vec();
        if !with_key.contains(&key) {
            with_key.push(key);
        }
        let place = with_key.iter().position(|column| *column == key).unwrap_or_default();
        let case_key: Arc<dyn PhysicalExpr> = Arc::new(expressions::Column::new("case_key", place));
        let values =
            gone.iter().map(|case_key| lit(ScalarValue::FixedSizeBinary(32, Some(case_key.clone()))));
        let input = scan(&with_key)?;
        let is_there = in_list(case_key, values.collect(), &true, &input.schema())?;
        let filtered = Arc::new(FilterExec::try_new(is_there, input)?);
        project(filtered, &(0..columns.len()).collect::<Vec<_>>())
    }
}

/// Rows of a batch of each of so many runs: together they take the memory of one scan.
fn run_batch_rows(runs: usize) -> usize {
    (MERGED_BATCH_ROWS / runs.max(1)).clamp(MERGED_BATCH_ROWS / 64, MERGED_BATCH_ROWS / 8)
}

fn pruned(
    table: Table,
    segments: Vec<Arc<Segment>>,
    filter: Option<&Arc<dyn PhysicalExpr>>,
) -> Result<Vec<Arc<Segment>>> {
    match filter {
        Some(filter) if !segments.is_empty() => may_match(table, &segments, filter),
        _ => Ok(segments),
    }
}

fn project(input: Arc<dyn ExecutionPlan>, columns: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let column = |index: &usize| -> (Arc<dyn PhysicalExpr>, String) {
        let name = schema.field(*index).name();
        (Arc::new(expressions::Column::new(name, *index)), name.clone())
    };
    Ok(Arc::new(ProjectionExec::try_new(columns.iter().map(column).collect::<Vec<_>>(), input)?))
}

fn together(mut plans: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match plans.pop() {
        Some(plan) if plans.is_empty() => Ok(plan),
        Some(plan) => {
            plans.push(plan);
            UnionExec::try_new(plans)
        }
        None => Err(DataFusionError::Internal("a scan of nothing".into())),
    }
}

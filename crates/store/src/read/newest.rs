//! A scan of an upserted table: the runs of each chain are merged, and of each key only the row that counts
//! comes out.
//!
//! The node has no children that an optimizer could reach: a filter on anything but the key, or a limit, below
//! the merge would bring rows back that a later commit replaced.

use crate::order::{key_columns, version_columns};
use crate::parquet::merge::{Merge, Step};
use arrow_array::RecordBatch;
use arrow_schema::{SchemaRef, SortOptions};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use model::tables::Table;
use std::fmt;
use std::sync::Arc;

/// Batches of a run that are read ahead of the merge.
const AHEAD: usize = 2;

/// Runs of one chain, oldest first. Each has one partition with the columns of [`work_columns`].
pub(crate) type Runs = Vec<Arc<dyn ExecutionPlan>>;

/// Gives the newest row of each key; one partition a chain.
#[derive(Debug)]
pub(crate) struct NewestExec {
    table: Table,
    chains: Vec<Runs>,
    /// Schema of the runs.
    work: SchemaRef,
    /// Columns of the runs that come out.
    output: Vec<usize>,
    rows_at_most: usize,
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// The columns of a table that a merge needs to give `projection`, ascending; and where in them the projection is.
pub(crate) fn work_columns(table: Table, projection: &[usize]) -> Result<(Vec<usize>, Vec<usize>)> {
    let schema = table.schema();
    let mut work = projection.to_vec();
    for name in key_columns(table).iter().chain(version_columns(table)) {
        work.push(schema.index_of(name)?);
    }
    work.sort_unstable();
    work.dedup();
    let output = projection.iter().map(|column| work.partition_point(|work| work < column)).collect();
    Ok((work, output))
}

impl NewestExec {
    /// Merges the runs of each chain. `rows_at_most` are in the runs together.
    pub(crate) fn new(
        table: Table,
        chains: Vec<Runs>,
        work: SchemaRef,
        output: Vec<usize>,
        rows_at_most: usize,
    ) -> Result<Self> {
        let schema = Arc::new(work.project(&output)?);
        let ascending = SortOptions::default();
        let keys = key_columns(table).iter().map_while(|name| {
            let index = schema.index_of(name).ok()?;
            Some(PhysicalSortExpr::new(Arc::new(Column::new(name, index)), ascending))
        });
        let mut equivalences = EquivalenceProperties::new(schema.clone());
        equivalences.add_ordering(keys.collect::<Vec<_>>());
        let partitioning = Partitioning::UnknownPartitioning(chains.len());
        let properties =
            PlanProperties::new(equivalences, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Ok(Self {
            table,
            chains,
            work,
            output,
            rows_at_most,
            fetch: None,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Stops each partition after `fetch` rows.
    pub(crate) fn with_limit(mut self, fetch: Option<usize>) -> Self {
        self.fetch = fetch;
        self
    }
}

impl DisplayAs for NewestExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs: Vec<usize> = self.chains.iter().map(Vec::len).collect();
        write!(f, "NewestExec: table={}, runs={runs:?}", self.table.name())?;
        self.fetch.map_or(Ok(()), |fetch| write!(f, ", fetch={fetch}"))
    }
}

impl ExecutionPlan for NewestExec {
    fn name(&self) -> &'static str {
        "NewestExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let runs = self.chains.get(partition).ok_or_else(|| no_partition(partition))?;
        let inputs: Vec<SendableRecordBatchStream> =
            runs.iter().map(|run| ahead(run.execute(0, context.clone())?)).collect::<Result<_>>()?;
        let merging = Merging {
            merge: Merge::new(self.table, &self.work, inputs.len()).map_err(external)?,
            inputs,
            output: self.output.clone(),
            left: self.fetch.unwrap_or(usize::MAX),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let rows = stream::try_unfold(merging, |mut merging| async move {
            Ok(merging.next().await?.map(|batch| (batch, merging)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    #[allow(deprecated, reason = "the only hook for statistics that a node without children has")]
    fn partition_statistics(&self, _: Option<usize>) -> Result<Arc<Statistics>> {
        let rows = Precision::Inexact(self.fetch.unwrap_or(usize::MAX).min(self.rows_at_most));
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(rows)))
    }
}

fn no_partition(partition: usize) -> DataFusionError {
    DataFusionError::Internal(format!("there is no partition {partition}"))
}

fn external(error: crate::error::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The same stream, run in a task of its own.
fn ahead(mut input: SendableRecordBatchStream) -> Result<SendableRecordBatchStream> {
    let mut builder = RecordBatchReceiverStream::builder(input.schema(), AHEAD);
    let sender = builder.tx();
    builder.spawn(async move {
        while let Some(batch) = input.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    Ok(builder.build())
}

struct Merging {
    merge: Merge,
    inputs: Vec<SendableRecordBatchStream>,
    output: Vec<usize>,
    left: usize,
    metrics: BaselineMetrics,
}

impl Merging {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.left > 0 {
            let step = {
                let _timer = self.metrics.elapsed_compute().timer();
                self.merge.step().map_err(external)?
            };
            match step {
                Step::Need(_) => self.feed().await?,
                Step::Rows(rows) => {
                    let rows = rows.slice(0, rows.num_rows().min(self.left)).project(&self.output)?;
                    self.left -= rows.num_rows();
                    self.metrics.record_output(rows.num_rows());
                    return Ok(Some(rows));
                }
                Step::End => break,
            }
        }
        Ok(None)
    }

    /// Reads from every run that is used up, at the same time.
    async fn feed(&mut self) -> Result<()> {
        let hungry = self.merge.hungry().to_vec();
        let inputs = self.inputs.iter_mut().enumerate().filter(|(run, _)| hungry.contains(run));
        let batches = join_all(inputs.map(|(run, input)| async move { (run, input.next().await) })).await;
        for (run, batch) in batches {
            self.merge.feed(run, batch.transpose()?).map_err(external)?;
        }
        Ok(())
    }
}

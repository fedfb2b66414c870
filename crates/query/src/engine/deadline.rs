//! Ends a query when its time is over, from inside.
//!
//! A timer beside a query is not enough: a nested-loop join looks at all its pairs within one call, and nothing
//! outside can interrupt a call (measured: an answer 105 s after a timeout of 0.5 s). So this rule puts a look at
//! the clock where the pairs are looked at: into the filter of every join. And it makes every join give way to
//! the scheduler as its rows come out, so that whoever waits for them can be told to stop.

use crate::error::TimeIsOver;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, JoinType, Result, internal_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties as _, PhysicalExpr};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

/// When a query must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Deadline {
    /// The moment.
    pub(super) at: Instant,
    /// The limit that led to it, in seconds.
    pub(super) secs: u64,
}

impl Deadline {
    fn check(self) -> Result<()> {
        if Instant::now() < self.at {
            return Ok(());
        }
        Err(DataFusionError::External(Box::new(TimeIsOver { secs: self.secs })))
    }
}

/// The rule. It runs last.
#[derive(Debug)]
pub(super) struct EndOnTime(pub(super) Deadline);

impl PhysicalOptimizerRule for EndOnTime {
    fn name(&self) -> &str {
        "EndOnTime"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let join: Arc<dyn ExecutionPlan> = if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
                Arc::new(
                    NestedLoopJoinExecBuilder::new(
                        join.left().clone(),
                        join.right().clone(),
                        *join.join_type(),
                    )
                    .with_filter(Some(self.guard(join.filter())))
                    .with_projection_ref(join.projection().clone())
                    .build()?,
                )
            } else if let Some(join) = node.downcast_ref::<HashJoinExec>() {
                let filter = join.filter().map(|filter| self.guard(Some(filter)));
                join.builder().with_filter(filter).build_exec()?
            } else if let Some(join) = node.downcast_ref::<SortMergeJoinExec>() {
                let filter = join.filter().as_ref().map(|filter| self.guard(Some(filter)));
                Arc::new(SortMergeJoinExec::try_new(
                    join.left().clone(),
                    join.right().clone(),
                    join.on().to_vec(),
                    filter,
                    join.join_type(),
                    join.sort_options().to_vec(),
                    join.null_equality(),
                )?)
            } else if node.is::<CrossJoinExec>() {
                node
            } else {
                return Ok(Transformed::no(node));
            };
            Ok(Transformed::yes(Arc::new(CooperativeExec::new(join)) as Arc<dyn ExecutionPlan>))
        })
        .map(|transformed| transformed.data)
    }
}

impl EndOnTime {
    /// `filter` with a look at the clock; of a join without one, a filter that only looks at the clock.
    fn guard(&self, filter: Option<&JoinFilter>) -> JoinFilter {
        let timed = |inner: Arc<dyn PhysicalExpr>| Arc::new(Timed { inner, deadline: self.0 });
        match filter {
            Some(filter) => JoinFilter::new(
                timed(filter.expression().clone()),
                filter.column_indices().to_vec(),
                filter.schema().clone(),
            ),
            None => JoinFilter::new(timed(lit(true)), Vec::new(), Arc::new(Schema::empty())),
        }
    }
}

/// Does `plan` hold a nested-loop join that gives wrong rows once it spills?
///
/// When its left side does not fit in memory, the engine's join of several partitions tells unmatched rows of the
/// left side once for each partition (said of FULL joins, and latent for the others that are listed here, in the
/// comments of its `execute`). Such a plan runs without spilling: it ends with an error of memory, not with rows
/// that are wrong.
pub(super) fn must_not_spill(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let tells_unmatched_rows = plan.downcast_ref::<NestedLoopJoinExec>().is_some_and(|join| {
        let kinds =
            [JoinType::Left, JoinType::LeftAnti, JoinType::LeftMark, JoinType::LeftSemi, JoinType::Full];
        kinds.contains(join.join_type()) && join.right().output_partitioning().partition_count() > 1
    });
    tells_unmatched_rows || plan.children().into_iter().any(must_not_spill)
}

/// An expression that fails once time is over.
#[derive(Debug, Eq)]
struct Timed {
    inner: Arc<dyn PhysicalExpr>,
    deadline: Deadline,
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner) && self.deadline == other.deadline
    }
}

impl Hash for Timed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
        self.deadline.hash(state);
    }
}

impl fmt::Display for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Timed {
    fn data_type(&self, input_schema: &Schema) -> Result<DataType> {
        self.inner.data_type(input_schema)
    }

    fn nullable(&self, input_schema: &Schema) -> Result<bool> {
        self.inner.nullable(input_schema)
    }

    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.deadline.check()?;
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        match <[_; 1]>::try_from(children) {
            Ok([inner]) => Ok(Arc::new(Self { inner, deadline: self.deadline })),
            Err(children) => internal_err!("a timed expression has one part, not {}", children.len()),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

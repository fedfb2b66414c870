//! Which operators and tables a logical plan may hold.

use crate::error::{Error, Result};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;

/// The schemas of the catalogue that a query may read.
const SCHEMAS: &[&str] = &["information_schema", "public", "raw"];

/// Columns of one intermediate table: eight tables side by side with 32 columns each. More is no question of a person.
const COLUMNS: usize = 1024;

/// Refuses a plan that does anything else than read tables of ours.
pub(crate) fn check(plan: &LogicalPlan) -> Result<()> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| Error::NotAllowed { what: "this statement".to_owned() })?;
    let mut refused = None;
    plan.apply_with_subqueries(|node| {
        refused = check_node(node).err();
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })
    .map_err(|error: DataFusionError| Error::from(error))?;
    refused.map_or(Ok(()), Err)
}

fn check_node(node: &LogicalPlan) -> Result<()> {
    let columns = node.schema().fields().len();
    if columns > COLUMNS {
        return Err(Error::TooComplex {
            what: "columns side by side",
            found: columns as u64,
            limit: COLUMNS as u64,
        });
    }
    match node {
        LogicalPlan::TableScan(scan) => check_table(&scan.table_name),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::DescribeTable(_) => Ok(()),
        other => Err(Error::NotAllowed { what: other.display().to_string() }),
    }
}

fn check_table(table: &TableReference) -> Result<()> {
    match table.schema() {
        Some(schema) if !SCHEMAS.contains(&schema) => {
            Err(Error::NotAllowed { what: format!("reading {table}") })
        }
        _ => Ok(()),
    }
}

//! A table of a moment for DataFusion: one query to the server, whose rows come as they are asked for.

use super::client::Client;
use super::columns::from_kept;
use super::moment::{Filters, Moment};
use super::predicate;
use crate::order::key_columns;
use arrow_schema::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;
use model::tables::Table;
use std::sync::Arc;

/// A table of a moment.
#[derive(Debug)]
pub(super) struct ClickHouseTable {
    table: Table,
    moment: Arc<Moment>,
    client: Client,
}

impl ClickHouseTable {
    /// `table` as it was at `moment`.
    pub(super) fn new(table: Table, moment: Arc<Moment>, client: Client) -> Self {
        Self { table, moment, client }
    }

    fn filters(&self, filters: &[Expr]) -> Filters {
        let key = key_columns(self.table);
        let is_on_key =
            |filter: &Expr| filter.column_refs().iter().all(|column| key.contains(&column.name.as_str()));
        let mut sent = Filters::default();
        for filter in filters {
            if let Some(sql) = predicate::sql(self.table, filter) {
                if is_on_key(filter) { sent.on_key.push(sql) } else { sent.any.push(sql) }
            }
        }
        sent
    }
}

#[async_trait]
impl TableProvider for ClickHouseTable {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// What the server judges is judged again above the scan: it only has to drop no row that counts.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match predicate::sql(self.table, filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = self.table.schema();
        let schema = match projection {
            Some(projection) => Arc::new(all.project(projection)?),
            None => all,
        };
        // A query of no column counts rows: any column does, and it is left out again.
        let names: Vec<&str> = match schema.fields().is_empty() {
            true => vec!["chain"],
            false => schema.fields().iter().map(|field| field.name().as_str()).collect(),
        };
        let mut sql = self.moment.select(self.table, &names, &self.filters(filters));
        if let (true, Some(limit)) = (filters.is_empty(), limit) {
            sql += &format!(" LIMIT {limit}");
        }
        let scan = Scan { schema: schema.clone(), sql, client: self.client.clone() };
        let plan = StreamingTableExec::try_new(
            schema,
            vec![Arc::new(scan)],
            None,
            None::<LexOrdering>,
            false,
            limit,
        )?;
        Ok(Arc::new(plan))
    }
}

/// One query.
#[derive(Debug)]
struct Scan {
    schema: Arc<Schema>,
    sql: String,
    client: Client,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (client, sql, schema) = (self.client.clone(), self.sql.clone(), self.schema.clone());
        let rows = stream::try_unfold(None, move |rows| {
            let (client, sql, schema) = (client.clone(), sql.clone(), schema.clone());
            async move {
                let mut rows = match rows {
                    Some(rows) => rows,
                    None => client.rows(&sql).map_err(external)?,
                };
                let next = rows.next().await.map_err(external)?;
                let next = next.map(|next| from_kept(&next, &schema).map_err(external)).transpose()?;
                Ok(next.map(|next| (next, Some(rows))))
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }
}

fn external(error: crate::error::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

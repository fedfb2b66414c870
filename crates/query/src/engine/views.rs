//! What a query sees: every table twice, as it is stored (`raw.events`) and as people read it (`events`).
//!
//! A view shows addresses and hashes as hex, token ids as decimal numbers, and says of each row whether the chain
//! may still take it back: `finality` is `final` or `provisional`.

use super::functions::Function;
use super::registry;
use crate::snapshot::{Snapshot, SnapshotName};
use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::functions::string::expr_fn::{lower, starts_with};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit, when};
use model::tables::{Column, Table, TableSpec};
use std::sync::Arc;

/// The catalogue's name.
pub(super) const CATALOG: &str = "rxtrail";

/// The schema of the views.
pub(super) const VIEWS: &str = "public";

/// The schema of the tables as they are stored.
const RAW: &str = "raw";

/// Binary columns of 32 bytes that are numbers.
const NUMBERS: &[&str] = &["quantity_raw", "range_end", "source_token_id", "token_id"];

/// Columns of text that may hold an address, which who wrote them wrote in the checksum form of EIP-55.
const ADDRESSES_AS_TEXT: &[&str] = &["accused", "subject", "victim", "witness"];

/// The tables of one snapshot as a catalogue.
#[derive(Debug)]
pub(super) struct Catalog {
    snapshot: Arc<dyn Snapshot>,
}

impl Catalog {
    /// The catalogue of a snapshot.
    pub(super) fn new(snapshot: Arc<dyn Snapshot>) -> Self {
        Self { snapshot }
    }
}

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        vec![VIEWS.to_owned(), RAW.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let raw = match name {
            VIEWS => false,
            RAW => true,
            _ => return None,
        };
        Some(Arc::new(Schema { snapshot: self.snapshot.clone(), raw }))
    }
}

#[derive(Debug)]
struct Schema {
    snapshot: Arc<dyn Snapshot>,
    raw: bool,
}

impl Schema {
    /// Custody state is kept for restart; a view of it would show bytes to people.
    fn holds(&self, table: Table) -> bool {
        self.raw || table != Table::State
    }
}

#[async_trait]
impl SchemaProvider for Schema {
    fn table_names(&self) -> Vec<String> {
        let tables = Table::ALL.into_iter().filter(|table| self.holds(*table)).map(Table::name);
        let of_registry = registry::names().filter(|_| !self.raw);
        tables.chain(of_registry).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if registry::is_named(name) && !self.raw {
            let stored = view_of(Table::Registry, &self.snapshot)?;
            return Ok(registry::view(name, stored)?.map(|view| Arc::new(view) as _));
        }
        let Some(table) = Table::by_name(name).filter(|table| self.holds(*table)) else { return Ok(None) };
        if self.raw {
            return Ok(Some(self.snapshot.table(table)));
        }
        Ok(Some(view_of(table, &self.snapshot)?))
    }

    fn table_exist(&self, name: &str) -> bool {
        Table::by_name(name).is_some_and(|table| self.holds(table)) || registry::is_named(name) && !self.raw
    }
}

fn view_of(table: Table, snapshot: &Arc<dyn Snapshot>) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(view(table.spec(), snapshot.table(table), &snapshot.name())?))
}

/// The view of a table.
fn view(spec: &TableSpec, stored: Arc<dyn TableProvider>, name: &SnapshotName) -> Result<ViewTable> {
    let scan = LogicalPlanBuilder::scan(
        TableReference::full(CATALOG, RAW, spec.name),
        provider_as_source(stored),
        None,
    )?;
    let mut columns: Vec<Expr> = spec.columns.iter().map(shown).collect();
    if let Some(block) = version_block(spec) {
        columns.push(finality(block, name)?.alias("finality"));
    }
    Ok(ViewTable::new(scan.project(columns)?.build()?, Some(definition(spec))))
}

fn shown(column: &Column) -> Expr {
    if ADDRESSES_AS_TEXT.contains(&column.name) {
        let is_address = starts_with(col(column.name), lit("0x"));
        // `CASE` of two branches of one type: it cannot fail to be built.
        let lowered = when(is_address, lower(col(column.name))).otherwise(col(column.name));
        return lowered.map_or_else(|_| col(column.name), |lowered| lowered.alias(column.name));
    }
    let function = match &column.data_type {
        DataType::FixedSizeBinary(32) if NUMBERS.contains(&column.name) => Function::TokenDecimal,
        DataType::FixedSizeBinary(_) | DataType::Binary => Function::Hex,
        _ => return col(column.name),
    };
    function.udf().call(vec![col(column.name)]).alias(column.name)
}

/// The column with the block that a row rests on; `None` for history, which the chain cannot take back.
fn version_block(spec: &TableSpec) -> Option<&'static str> {
    let has = |name: &&str| spec.columns.iter().any(|column| column.name == *name);
    spec.canonical.then(|| ["updated_block", "block_number", "number"].into_iter().find(has)).flatten()
}

fn finality(block: &str, name: &SnapshotName) -> Result<Expr> {
    let finalized = name.chains.iter().filter_map(|chain| {
        let block_ref = chain.finalized?;
        Some(col("chain").eq(lit(chain.chain)).and(col(block).lt_eq(lit(block_ref.number))))
    });
    match finalized.reduce(Expr::or) {
        Some(is_final) => when(is_final, lit("final")).otherwise(lit("provisional")),
        None => Ok(lit("provisional")),
    }
}

/// What the catalogue says of a view.
fn definition(spec: &TableSpec) -> String {
    format!(
        "{} Addresses and hashes as hex, numbers of 32 bytes as decimals; stored as raw.{}.",
        spec.doc, spec.name
    )
}

//! Views of the registry: each of its lists, and who is behind an address.
//!
//! The table `registry` holds the rows of every list side by side; a view shows one list, with the columns that its
//! rows have.

use super::views::{CATALOG, VIEWS};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType, Result, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::functions_aggregate::expr_fn::first_value;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, SortExpr, col, lit};
use model::tables::lists::{LISTS, List, OF_EVERY_LIST, PARTIES, WALLETS};
use std::sync::Arc;

/// The view of who is behind an address.
const ACTORS: &str = "actors";

/// What a client reads of it.
const ACTORS_ARE: &str = "Who is behind an address by the newest registry: one row a chain and address.";

/// The names of the views.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|list| list.view).chain([ACTORS])
}

/// Is it the name of one of them?
pub(super) fn is_named(name: &str) -> bool {
    names().any(|view| view == name)
}

/// The view of that name, over the view of the table `registry`.
pub(super) fn view(name: &str, registry: Arc<dyn TableProvider>) -> Result<Option<ViewTable>> {
    if name == ACTORS {
        return Ok(Some(ViewTable::new(actors(registry)?, Some(ACTORS_ARE.to_owned()))));
    }
    let Some(list) = LISTS.iter().find(|list| list.view == name) else { return Ok(None) };
    Ok(Some(ViewTable::new(rows_of(list, registry)?.build()?, Some(list.doc.to_owned()))))
}

/// The rows of one list, with the columns that they have.
fn rows_of(list: &List, registry: Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    let table = TableReference::full(CATALOG, VIEWS, "registry");
    let general = OF_EVERY_LIST.iter().filter(|name| **name != "updated_block");
    let columns = list.columns.iter().chain(general).copied().chain(["finality"]);
    LogicalPlanBuilder::scan(table, provider_as_source(registry), None)?
        .filter(col("list").eq(lit(list.name)))?
        .project(columns.map(col))
}

fn actors(registry: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let newest = |list: &List| -> Result<LogicalPlanBuilder> {
        rows_of(list, registry.clone())?.filter(col("to_block").is_null())?.alias(list.name)
    };
    let (wallets, parties) = (newest(&WALLETS)?, newest(&PARTIES)?.build()?);
    let keys = (
        vec![Column::new(Some("wallets"), "chain"), Column::new(Some("wallets"), "party")],
        vec![Column::new(Some("parties"), "chain"), Column::new(Some("parties"), "gln")],
    );
    let here = col("wallets.on_chain").is_null().or(col("wallets.on_chain").eq(col("wallets.chain")));
    // What still holds goes before what ended, and what began later before what it took the place of.
    let newest_first: Vec<SortExpr> = ["wallets", "parties"]
        .into_iter()
        .flat_map(|list| {
            let column = |name| col(Column::new(Some(list), name));
            [column("valid_to").sort(false, true), column("valid_from").sort(false, false)]
        })
        .collect();
    let told = ["parties.gln", "parties.name", "parties.country", "parties.role", "wallets.status"];
    let name = |column: &str| column.split('.').next_back().unwrap_or(column).to_owned();
    let newest = told.map(|column| first_value(col(column), newest_first.clone()).alias(name(column)));
    let key = ["wallets.chain", "wallets.address"];
    let shown = key
        .map(|column| col(column).alias(name(column)))
        .into_iter()
        .chain(told.map(|column| col(name(column))));
    wallets
        .join(parties, JoinType::Inner, keys, None)?
        .filter(here)?
        .aggregate(key.map(col), newest)?
        .project(shown)?
        .build()
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;
    use crate::limits::Limits;
    use crate::testing::{Told, engine_over, lines};
    use model::tables::Table;
    use serde_json::json;
    use std::sync::Arc;

    fn address(n: u8) -> String {
        format!("0x{n:040x}")
    }

    fn engine() -> Engine {
        let wallet = |n: u8, party: &str, status: &str| json!({"list": "wallets", "row_hash": format!("{n:064x}"), "address": format!("{n:040x}"), "party": party, "status": status});
        let with = |mut row: serde_json::Value, name: &str, value: serde_json::Value| {
            row[name] = value;
            row
        };
        let rows = [
            json!({"list": "parties", "gln": "1", "name": "North", "country": "DE", "role": "wholesaler"}),
            json!({"list": "parties", "gln": "2", "name": "South", "country": "FR", "role": "dispenser"}),
            with(wallet(10, "1", "retired"), "valid_to", json!("2026-01-01T00:00:00Z")),
            with(wallet(10, "2", "active"), "valid_from", json!("2026-01-01T00:00:00Z")),
            with(wallet(11, "1", "active"), "to_block", json!(9)),
            with(wallet(12, "1", "active"), "on_chain", json!(7)),
            with(wallet(13, "1", "active"), "on_chain", json!(1)),
        ];
        let in_chain = rows.map(|row| with(row, "chain", json!(1)));
        engine_over(Arc::new(Told::default().rows(Table::Registry, in_chain)), Limits::default())
    }

    #[tokio::test]
    async fn a_list_shows_its_own_columns_and_the_blocks_that_it_is_in_force_for() {
        let engine = engine();
        let sql = "SELECT on_chain, address, party, status, to_block, finality FROM registry_wallets WHERE party = '1' ORDER BY address";
        assert_eq!(
            lines(&engine, sql).await,
            [
                format!("|{}|1|retired||provisional", address(10)),
                format!("|{}|1|active|9|provisional", address(11)),
                format!("7|{}|1|active||provisional", address(12)),
                format!("1|{}|1|active||provisional", address(13)),
            ]
        );
    }

    #[tokio::test]
    async fn behind_an_address_is_who_the_newest_registry_says() {
        let engine = engine();
        let sql = "SELECT address, gln, name, country, role, status FROM actors ORDER BY address";
        assert_eq!(
            lines(&engine, sql).await,
            [
                format!("{}|2|South|FR|dispenser|active", address(10)),
                format!("{}|1|North|DE|wholesaler|active", address(13)),
            ]
        );
    }
}

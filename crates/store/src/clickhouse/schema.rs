//! The statements that make the database: tables as they are kept, the book of commits, and views for whoever asks
//! the server itself.
//!
//! | name | what |
//! |---|---|
//! | `commits` | the book: one line a commit, see [`super::book`] |
//! | `kept_events`, … | all rows that were ever sent, with their commit and change; what does not count among them |
//! | `cursors` | how far something that follows the tables has come, see [`super::cursors`] |
//! | `pin` | the newest commit that counts, with what is void and dead |
//! | `events`, … | the rows that count, as people read them: times as times, newest row of each key |
//!
//! Each statement does nothing where its work is done, so that they may be run again. A later version of the form adds
//! statements; it never changes those before.

use super::client::{Client, patiently};
use super::columns::{extras, sql_type};
use super::config::Config;
use super::moment::{kept, newest_first, versions};
use crate::error::{Error, Result};
use crate::order::key_columns;
use arrow_schema::{DataType, TimeUnit};
use model::error::ErrorClass;
use model::tables::{Column, Table, TableKind};

/// Version of the form, raised with each change of what is kept.
pub(super) const FORM: u32 = 1;

/// What was acknowledged is on disk when the power goes: the bus is told to forget it.
const DURABLE: &str = "fsync_after_insert = 1, fsync_part_directory = 1";

/// The book's name.
pub(super) const BOOK: &str = "commits";

/// The view of the newest commit that counts.
pub(super) const PIN: &str = "pin";

/// The name of the table of cursors.
pub(super) const CURSORS: &str = "cursors";

/// The statements that make the database, in order.
///
/// # Errors
/// When a table has a column of a type that none was chosen for.
pub(super) fn statements(config: &Config) -> Result<Vec<String>> {
    let place = Placement { cluster: config.cluster.as_deref() };
    let mut statements =
        vec![place.database(&config.database), place.book(&config.database), place.cursors(&config.database)];
    for table in Table::ALL {
        statements.push(place.table(&config.database, table)?);
    }
    statements.push(place.pin(&config.database));
    for table in Table::ALL.into_iter().filter(|table| *table != Table::State) {
        statements.push(place.view(&config.database, table));
    }
    Ok(statements)
}

/// Makes what is missing of the database. Where nothing is, nothing is asked for, so that the user may do without the
/// right to make anything.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(super) async fn make(config: &Config) -> Result<()> {
    let (client, statements) = (Client::new(config, None), statements(config)?);
    let database = escaped(&config.database);
    let sql = format!("SELECT count() FROM system.tables WHERE database = '{database}'");
    let there = client.first("look for the database", &sql).await?.map_or(0, |(tables,): (usize,)| tables);
    if is_made(&client, config).await? {
        check_form(&client, &config.database).await?;
    }
    // All statements but the first make a table or a view.
    if there + 1 < statements.len() {
        for statement in statements {
            client.run("make the database", &statement).await?;
        }
    }
    Ok(())
}

/// Is there a database that can be read? What says which commit counts is made after every table.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(super) async fn is_made(client: &Client, config: &Config) -> Result<bool> {
    let sql = format!("EXISTS TABLE {}.{PIN}", config.database);
    Ok(client.first("look for the database", &sql).await? == Some((1,)))
}

/// Waits for a database that its writer makes.
///
/// # Errors
/// When a later version of rxtrail made it; when it is not there for long.
pub(super) async fn find(config: &Config) -> Result<()> {
    let client = Client::new(config, None);
    let look = || async {
        if is_made(&client, config).await? {
            return Ok(());
        }
        Err(Error::ClickHouse {
            action: "find the database",
            detail: format!("there is no '{}' yet: `rxtrail transform` makes it", config.database),
            class: ErrorClass::Transient,
        })
    };
    patiently(look).await?;
    patiently(|| check_form(&client, &config.database)).await
}

/// Was the database made by a version of rxtrail that this one knows?
///
/// # Errors
/// [`Error::ClickHouse`] when a later version made it.
async fn check_form(client: &Client, database: &str) -> Result<()> {
    let sql = format!("SELECT max(form) FROM {database}.{BOOK}");
    match client.first::<(u32,)>("look for the database", &sql).await? {
        Some((form,)) if form > FORM => Err(Error::ClickHouse {
            action: "open the database",
            detail: format!(
                "its form is {form}, this version of rxtrail knows forms up to {FORM}: use a later one"
            ),
            class: ErrorClass::Fatal,
        }),
        _ => Ok(()),
    }
}

/// Where tables lie: on one server, or on each of a cluster's.
struct Placement<'a> {
    cluster: Option<&'a str>,
}

impl Placement<'_> {
    fn on_cluster(&self) -> String {
        self.cluster.map(|cluster| format!(" ON CLUSTER '{}'", escaped(cluster))).unwrap_or_default()
    }

    fn engine(&self) -> &'static str {
        // The path of a replica is the server's default: `/clickhouse/tables/{uuid}/{shard}`.
        if self.cluster.is_some() { "ReplicatedMergeTree" } else { "MergeTree" }
    }

    fn database(&self, database: &str) -> String {
        format!("CREATE DATABASE IF NOT EXISTS {database}{}", self.on_cluster())
    }

    fn book(&self, database: &str) -> String {
        let (cluster, engine) = (self.on_cluster(), self.engine());
        format!(
            "CREATE TABLE IF NOT EXISTS {database}.{BOOK}{cluster} (id UInt64, kind LowCardinality(String), \
             epoch UInt64, writer String, base UInt64, void Array(Tuple(UInt64, UInt64)), \
             dead Array(Tuple(UInt64, UInt64, UInt64)), body String CODEC(ZSTD(3)), \
             at DateTime64(3, 'UTC') DEFAULT now64(3), form UInt32 DEFAULT {FORM}) \
             ENGINE = {engine} ORDER BY (kind, id) SETTINGS {DURABLE}"
        )
    }

    fn cursors(&self, database: &str) -> String {
        let (cluster, engine) = (self.on_cluster(), self.engine().replace("Merge", "ReplacingMerge"));
        format!(
            "CREATE TABLE IF NOT EXISTS {database}.{CURSORS}{cluster} (name String, place String, \
             saved DateTime64(6, 'UTC') DEFAULT now64(6)) ENGINE = {engine}(saved) ORDER BY name"
        )
    }

    fn table(&self, database: &str, table: Table) -> Result<String> {
        let spec = table.spec();
        let mut columns = Vec::new();
        for column in &spec.columns {
            let (name, doc) = (column.name, escaped(column.doc));
            columns.push(format!("{name} {} COMMENT '{doc}'", sql_type(table, column)?));
        }
        columns.extend(extras(table).iter().map(|extra| format!("{} {}", extra.name, extra.sql_type)));
        columns.extend(skip_indexes(table));
        let (cluster, engine, name) = (self.on_cluster(), self.engine(), kept(table));
        let order: Vec<&str> = spec.sort.iter().chain(versions(table)).copied().collect();
        Ok(format!(
            "CREATE TABLE IF NOT EXISTS {database}.{name}{cluster} ({}) ENGINE = {engine} ORDER BY ({}) \
             SETTINGS allow_nullable_key = 1, {DURABLE} COMMENT '{}'",
            columns.join(", "),
            order.join(", "),
            escaped(spec.doc)
        ))
    }

    /// The same rules as [`super::book::Book::newest`]. Always one row: a subquery without one is an error.
    fn pin(&self, database: &str) -> String {
        format!(
            "CREATE VIEW IF NOT EXISTS {database}.{PIN}{} AS \
             WITH (SELECT groupArray((epoch, base)) FROM {database}.{BOOK} WHERE kind = 'open') AS opens \
             SELECT max(book.id) AS id, argMax(book.void, book.id) AS void, argMax(book.dead, book.id) AS dead, \
             max(book.at) AS at FROM {database}.{BOOK} AS book WHERE book.kind = 'commit' \
             AND NOT arrayExists(opened -> opened.1 > book.epoch AND opened.2 < book.id, opens)",
            self.on_cluster()
        )
    }

    fn view(&self, database: &str, table: Table) -> String {
        let spec = table.spec();
        let shown: Vec<String> = spec.columns.iter().map(shown).collect();
        let names: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
        let mut conditions = vec![
            "commit <= pinned.1".to_owned(),
            "NOT arrayExists(range -> commit BETWEEN range.1 AND range.2, pinned.2)".to_owned(),
        ];
        if !matches!(table, Table::Notices | Table::Incidents | Table::Alerts) {
            conditions.push(
                "NOT arrayExists(range -> chain = range.1 AND sequence BETWEEN range.2 AND range.3, pinned.3)"
                    .to_owned(),
            );
        }
        let mut rows = format!(
            "WITH (SELECT (id, void, dead) FROM {database}.{PIN}) AS pinned SELECT {} FROM {database}.{} WHERE {}",
            if table == Table::Alerts { format!("{}, gone", names.join(", ")) } else { names.join(", ") },
            kept(table),
            conditions.join(" AND ")
        );
        if matches!(spec.kind, TableKind::Upsert { .. }) {
            rows +=
                &format!(" ORDER BY {} LIMIT 1 BY {}", newest_first(table), key_columns(table).join(", "));
        }
        let there = if table == Table::Alerts { " WHERE NOT gone" } else { "" };
        format!(
            "CREATE VIEW IF NOT EXISTS {database}.{}{} AS SELECT {} FROM ({rows}){there}",
            spec.name,
            self.on_cluster(),
            shown.join(", ")
        )
    }
}

/// A column as people read it: bytes as hex, times as times, those beyond the type's range at its end.
fn shown(column: &Column) -> String {
    let name = column.name;
    match column.data_type {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let time = format!("toDateTime64(least(greatest({name}, -2208988800), 10413791999), 0, 'UTC')");
            format!("if(isNull({name}), NULL, {time}) AS {name}")
        }
        DataType::Date32 => {
            let day = format!("toDate32(least(greatest({name}, -25567), 120529))");
            format!("if(isNull({name}), NULL, {day}) AS {name}")
        }
        DataType::FixedSizeBinary(_) | DataType::Binary => {
            format!("if(isNull({name}), NULL, concat('0x', lower(hex({name})))) AS {name}")
        }
        _ => name.to_owned(),
    }
}

/// What lets a query for one item, transaction or party pass over the rest of a table that lies in another order.
fn skip_indexes(table: Table) -> Vec<String> {
    let columns: &[&str] = match table {
        Table::Events => &["item", "tx_hash", "gtin", "lot"],
        Table::Logs => &["tx_hash", "contract"],
        Table::Custody | Table::Shipments | Table::Lineage => &["item"],
        Table::Containment => &["parent"],
        Table::Items => &["item", "gtin", "lot"],
        _ => &[],
    };
    // One in a hundred granules is read in vain; each costs a byte or two a row.
    let index = |column: &&str| format!("INDEX by_{column} {column} TYPE bloom_filter(0.01) GRANULARITY 1");
    columns.iter().map(index).collect()
}

/// Text within quotes of a statement.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_statement_and_a_view() {
        let statements = statements(&Config::new("http://127.0.0.1:8123", "rxtrail")).unwrap();
        // The database, the book, the cursors and the pin; of the state there is no view.
        assert_eq!(statements.len(), 4 + 2 * Table::ALL.len() - 1);
        let items = statements.iter().find(|sql| sql.contains("rxtrail.kept_items")).unwrap();
        assert!(items.contains("item String COMMENT") && items.contains("expiry Nullable(Int32)"), "{items}");
        assert!(items.contains("ORDER BY (chain, item, updated_block, updated_log, sequence)"), "{items}");
    }

    #[test]
    fn a_quote_in_a_comment_ends_nothing() {
        assert_eq!(escaped(r"its item's \ key"), r"its item\'s \\ key");
    }
}

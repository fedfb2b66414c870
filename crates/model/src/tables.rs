//! Every table: name, kind, and each column with its type, unit and meaning. The same in every store.
//!
//! Addresses and hashes are fixed binary, big-endian; views show them as hex. Times are Unix seconds (UTC).
//! A table is either *appended* (a row never changes) or *upserted* (the row of a key with the highest
//! `updated_block`, `updated_log` is the one that counts; a reader sees no other).
//! *Canonical* tables are equal to those of a fresh index of the same chain; history is not compared.

mod columns;
pub mod lists;

pub use columns::{amount, time};

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::{Arc, LazyLock};

/// Names a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is described by its `TableSpec`")]
pub enum Table {
    Blocks,
    Logs,
    Events,
    DeadLetters,
    Items,
    Tokens,
    Custody,
    Containment,
    Shipments,
    Lineage,
    Registry,
    Alerts,
    Notices,
    Incidents,
    State,
}

/// How rows of a table come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// Rows are appended and never change.
    Append,
    /// The last row of each key counts.
    Upsert {
        /// The key's columns.
        key: &'static [&'static str],
    },
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its Arrow type.
    pub data_type: DataType,
    /// May it be null?
    pub nullable: bool,
    /// Meaning and unit.
    pub doc: &'static str,
}

/// A table's shape and meaning.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Which table.
    pub table: Table,
    /// Its name in SQL.
    pub name: &'static str,
    /// Appended or upserted.
    pub kind: TableKind,
    /// Equal to a fresh index of the final chain?
    pub canonical: bool,
    /// Columns that order a compacted file.
    pub sort: &'static [&'static str],
    /// What a row is.
    pub doc: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns as an Arrow schema.
    pub schema: SchemaRef,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 15] = [
        Self::Blocks,
        Self::Logs,
        Self::Events,
        Self::DeadLetters,
        Self::Items,
        Self::Tokens,
        Self::Custody,
        Self::Containment,
        Self::Shipments,
        Self::Lineage,
        Self::Registry,
        Self::Alerts,
        Self::Notices,
        Self::Incidents,
        Self::State,
    ];

    /// The table's shape and meaning.
    pub fn spec(self) -> &'static TableSpec {
        &SPECS[self as usize]
    }

    /// The table's name in SQL.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The table's Arrow schema.
    pub fn schema(self) -> SchemaRef {
        self.spec().schema.clone()
    }

    /// The table of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

static SPECS: LazyLock<Vec<TableSpec>> = LazyLock::new(|| Table::ALL.map(spec).into());

/// What a table is, but for its name in code.
struct Outline {
    name: &'static str,
    kind: TableKind,
    canonical: bool,
    sort: &'static [&'static str],
    doc: &'static str,
    columns: Vec<Column>,
}

impl Outline {
    fn append(
        name: &'static str,
        sort: &'static [&'static str],
        doc: &'static str,
        columns: Vec<Column>,
    ) -> Self {
        Self { name, kind: TableKind::Append, canonical: true, sort, doc, columns }
    }

    fn upsert(
        name: &'static str,
        key: &'static [&'static str],
        doc: &'static str,
        columns: Vec<Column>,
    ) -> Self {
        Self { name, kind: TableKind::Upsert { key }, canonical: true, sort: key, doc, columns }
    }

    /// It tells of how the chain was read, not of what the chain holds.
    fn not_canonical(self) -> Self {
        Self { canonical: false, ..self }
    }
}

const LOG_SORT: &[&str] = &["chain", "block_number", "log_index"];
const EVENT_SORT: &[&str] =
    &["chain", "token_contract", "token_id", "block_number", "log_index", "sub_index"];
const DEAD_LETTER_SORT: &[&str] = &["chain", "block_number", "log_index", "sub_index"];
const CUSTODY_KEY: &[&str] =
    &["chain", "item", "branch", "role", "from_block", "from_log", "from_sub", "holder"];
const CONTAINMENT_KEY: &[&str] = &["chain", "child", "from_block", "from_log", "from_sub"];
const SHIPMENT_KEY: &[&str] = &["chain", "item", "branch", "shipped_block", "shipped_log", "shipped_sub"];
const LINEAGE_SORT: &[&str] = &["chain", "item", "block_number", "log_index", "sub_index"];
const REGISTRY_KEY: &[&str] = &["chain", "list", "row_hash", "from_block"];
const TOLD_SORT: &[&str] = &["chain", "stream_sequence", "ordinal"];

fn outline(table: Table) -> Outline {
    let (append, upsert) = (Outline::append, Outline::upsert);
    let told = |name, doc, columns| append(name, TOLD_SORT, doc, columns).not_canonical();
    match table {
        Table::Blocks => {
            let doc = "A block that carries logs of the filter.";
            append("blocks", &["chain", "number"], doc, columns::blocks())
        }
        Table::Logs => append("logs", LOG_SORT, "A raw log, as the chain holds it.", columns::logs()),
        Table::Events => append(
            "events",
            EVENT_SORT,
            "A decoded event: one log, or one entry of a batch.",
            columns::events(),
        ),
        Table::DeadLetters => {
            let doc = "A log of the filter that is no event, with the reason.";
            append("dead_letters", DEAD_LETTER_SORT, doc, columns::dead_letters())
        }
        Table::Items => upsert("items", &["chain", "item"], "An item as it stands.", columns::items()),
        Table::Tokens => {
            let doc = "A token: which item it stands for, and who owns it on the chain.";
            upsert("tokens", &["chain", "contract", "token_id"], doc, columns::tokens())
        }
        Table::Custody => {
            let doc = "An interval in which someone owns, possesses or declares an item: three facts that may differ lawfully.";
            upsert("custody", CUSTODY_KEY, doc, columns::custody())
        }
        Table::Containment => {
            let doc = "An interval in which an item is inside another.";
            upsert("containment", CONTAINMENT_KEY, doc, columns::containment())
        }
        Table::Shipments => {
            upsert("shipments", SHIPMENT_KEY, "One sending of one item.", columns::shipments())
        }
        Table::Lineage => {
            let doc = "An item that came from another: repackaged, migrated, bridged, relabelled or named.";
            append("lineage", LINEAGE_SORT, doc, columns::lineage())
        }
        Table::Registry => {
            let doc = "A row of the registry, with the blocks that it is in force for; each list has a view of its own.";
            upsert("registry", REGISTRY_KEY, doc, columns::registry())
        }
        Table::Alerts => upsert("alerts", &["case_key"], "A case as it stands.", columns::alerts()),
        Table::Notices => {
            told("notices", "A transition of a case: what people were or will be told.", columns::notices())
        }
        Table::Incidents => {
            told("incidents", "Something that went wrong while a chain was read.", columns::incidents())
        }
        Table::State => {
            let doc = "Custody state as changed entries, for restart; not for people.";
            upsert("state", &["chain", "kind", "key"], doc, columns::state()).not_canonical()
        }
    }
}

fn spec(table: Table) -> TableSpec {
    let Outline { name, kind, canonical, sort, doc, columns } = outline(table);
    let field = |column: &Column| Field::new(column.name, column.data_type.clone(), column.nullable);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    TableSpec { table, name, kind, canonical, sort, doc, columns, schema }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_by_its_name_and_its_keys_are_columns() {
        for table in Table::ALL {
            let spec = table.spec();
            assert_eq!((spec.table, Table::by_name(spec.name)), (table, Some(table)));
            let key: &[&str] = match spec.kind {
                TableKind::Append => &[],
                TableKind::Upsert { key } => key,
            };
            for name in spec.sort.iter().chain(key) {
                assert!(spec.schema.field_with_name(name).is_ok(), "{}.{name}", spec.name);
            }
            if !key.is_empty() {
                assert!(spec.schema.field_with_name("updated_block").is_ok(), "{}", spec.name);
            }
        }
    }
}

//! Every table: name, kind, and each column with its type, unit and meaning. The same in every store.
//!
//! Addresses and hashes are fixed binary, big-endian; views show them as hex. Times are Unix seconds (UTC).
//! A table is either *appended* (a row never changes) or *upserted* (the row of a key with the highest
//! `updated_block`, `updated_log` is the one that counts; a reader sees no other).
//! *Canonical* tables are equal to those of a fresh index of the same chain; history is not compared.

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
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
    pub const ALL: [Self; 13] = [
        Self::Blocks,
        Self::Logs,
        Self::Events,
        Self::DeadLetters,
        Self::Items,
        Self::Tokens,
        Self::Custody,
        Self::Containment,
        Self::Shipments,
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

fn req(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: false, doc }
}

fn opt(name: &'static str, data_type: DataType, doc: &'static str) -> Column {
    Column { name, data_type, nullable: true, doc }
}

fn hash() -> DataType {
    DataType::FixedSizeBinary(32)
}

fn address() -> DataType {
    DataType::FixedSizeBinary(20)
}

fn text() -> DataType {
    DataType::Utf8
}

/// Unix time in UTC, to the second.
pub fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Second, Some("UTC".into()))
}

/// Amounts: up to 38 digits; the raw 32 bytes stand beside those that are larger.
pub fn amount() -> DataType {
    DataType::Decimal128(38, 0)
}

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
const CUSTODY_KEY: &[&str] = &["chain", "item", "branch", "role", "from_block", "from_log", "from_sub"];
const CONTAINMENT_KEY: &[&str] = &["chain", "child", "from_block", "from_log", "from_sub"];
const SHIPMENT_KEY: &[&str] = &["chain", "item", "branch", "shipped_block", "shipped_log", "shipped_sub"];
const TOLD_SORT: &[&str] = &["chain", "stream_sequence", "ordinal"];

fn outline(table: Table) -> Outline {
    let (append, upsert) = (Outline::append, Outline::upsert);
    let told = |name, doc, columns| append(name, TOLD_SORT, doc, columns).not_canonical();
    match table {
        Table::Blocks => {
            let doc = "A block that carries logs of the filter.";
            append("blocks", &["chain", "number"], doc, blocks())
        }
        Table::Logs => append("logs", LOG_SORT, "A raw log, as the chain holds it.", logs()),
        Table::Events => {
            append("events", EVENT_SORT, "A decoded event: one log, or one entry of a batch.", events())
        }
        Table::DeadLetters => {
            let doc = "A log of the filter that is no event, with the reason.";
            append("dead_letters", DEAD_LETTER_SORT, doc, dead_letters())
        }
        Table::Items => upsert("items", &["chain", "item"], "An item as it stands.", items()),
        Table::Tokens => {
            let doc = "A token: which item it stands for, and who owns it on the chain.";
            upsert("tokens", &["chain", "contract", "token_id"], doc, tokens())
        }
        Table::Custody => {
            let doc = "An interval in which someone owns, possesses or declares an item.";
            upsert("custody", CUSTODY_KEY, doc, custody())
        }
        Table::Containment => {
            let doc = "An interval in which an item is inside another.";
            upsert("containment", CONTAINMENT_KEY, doc, containment())
        }
        Table::Shipments => upsert("shipments", SHIPMENT_KEY, "One sending of one item.", shipments()),
        Table::Alerts => upsert("alerts", &["case_key"], "A case as it stands.", alerts()),
        Table::Notices => {
            told("notices", "A transition of a case: what people were or will be told.", notices())
        }
        Table::Incidents => {
            told("incidents", "Something that went wrong while a chain was read.", incidents())
        }
        Table::State => {
            let doc = "Custody state as changed entries, for restart; not for people.";
            upsert("state", &["chain", "kind", "key"], doc, state()).not_canonical()
        }
    }
}

fn spec(table: Table) -> TableSpec {
    let Outline { name, kind, canonical, sort, doc, columns } = outline(table);
    let field = |column: &Column| Field::new(column.name, column.data_type.clone(), column.nullable);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    TableSpec { table, name, kind, canonical, sort, doc, columns, schema }
}

fn chain() -> Column {
    req("chain", DataType::UInt64, "EIP-155 chain id")
}

fn updated(mut columns: Vec<Column>) -> Vec<Column> {
    columns.push(req("updated_block", DataType::UInt64, "block of the event that last changed the row"));
    columns.push(req("updated_log", DataType::UInt32, "log index of that event"));
    columns
}

fn blocks() -> Vec<Column> {
    vec![
        chain(),
        req("number", DataType::UInt64, "height"),
        req("hash", hash(), "Keccak-256 of the header, computed"),
        req("parent_hash", hash(), "hash of the block below"),
        req("time", time(), "header timestamp"),
        req("log_count", DataType::UInt32, "logs of the filter in the block"),
    ]
}

fn logs() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index within the block"),
        req("tx_index", DataType::UInt32, "index of the transaction within the block"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        opt("topic0", hash(), "first topic"),
        opt("topic1", hash(), "second topic"),
        opt("topic2", hash(), "third topic"),
        opt("topic3", hash(), "fourth topic"),
        req("data", DataType::Binary, "ABI-encoded data"),
        opt("sender", address(), "sender of the transaction, where carried"),
    ]
}

fn events() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index of the log within the block"),
        req("sub_index", DataType::UInt32, "index within the log, for batches"),
        req("block_time", time(), "header timestamp"),
        opt("event_time", time(), "declared time, where the log carries one"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        req("token_contract", address(), "the contract whose tokens it speaks of"),
        opt("token_id", hash(), "the token, 32 bytes big-endian"),
        opt("range_end", hash(), "last token of a range, inclusive"),
        req("kind", text(), "what it does: a CBV business step or a fact"),
        opt("item", text(), "key of the item: Digital Link path, or CAIP-19 of an unnamed token"),
        opt("gtin", text(), "GTIN-14 of the item"),
        opt("lot", text(), "lot of the item, as known after the event"),
        req(
            "branch",
            DataType::UInt32,
            "branch of the item's story that it belongs to; 0 is the one with provenance",
        ),
        req("legal", DataType::Boolean, "does it fit the story so far?"),
        req("authority", text(), "tier of the contract at that time: authoritative, recognised, unknown"),
        opt("from_address", address(), "the one it leaves"),
        opt("to_address", address(), "the one it goes to"),
        opt("actor", address(), "the one who does it"),
        opt("actor_source", text(), "where the actor was read from: log, sender, owner"),
        opt("sender", address(), "sender of the transaction, where carried"),
        opt("parent", text(), "key of the parent, for packing and unpacking"),
        opt("quantity", amount(), "units; null when above 38 digits"),
        opt("quantity_raw", hash(), "units as 32 bytes, when above 38 digits"),
        opt("place", text(), "GLN of the place"),
        opt("reason", text(), "why, for decommissioning"),
        opt("detail", text(), "what else the profile names"),
    ]
}

fn dead_letters() -> Vec<Column> {
    vec![
        chain(),
        req("block_number", DataType::UInt64, "height"),
        req("log_index", DataType::UInt32, "index of the log within the block"),
        req("sub_index", DataType::UInt32, "index within the log, for batches"),
        req("tx_hash", hash(), "hash of the transaction"),
        req("contract", address(), "the contract that logged"),
        opt("topic0", hash(), "first topic"),
        req("reason", text(), "reason code"),
        req("detail", text(), "which field, what came"),
    ]
}

fn items() -> Vec<Column> {
    updated(vec![
        chain(),
        req("item", text(), "key: Digital Link path, or CAIP-19 of an unnamed token"),
        opt("gtin", text(), "GTIN-14"),
        opt("serial", text(), "serial"),
        opt("lot", text(), "lot"),
        opt("expiry", DataType::Date32, "last day of use"),
        req("state", text(), "state of the branch with provenance"),
        opt("possessor", address(), "who has it"),
        opt("owner", address(), "who owns its token on the chain"),
        opt("consignee", address(), "whom it is on the way to"),
        opt("parent", text(), "key of the item that it is inside of"),
        opt("maker", address(), "who commissioned it"),
        req("branches", DataType::UInt32, "stories told of it; more than one is a contradiction"),
        opt("commissioned_at", time(), "when it was commissioned, declared or block time"),
        req("steps", DataType::UInt32, "steps so far, all branches"),
    ])
}

fn tokens() -> Vec<Column> {
    updated(vec![
        chain(),
        req("contract", address(), "the contract"),
        req("token_id", hash(), "the token, 32 bytes big-endian"),
        req("standard", text(), "erc721 or erc1155"),
        opt("item", text(), "key of the item that it stands for"),
        opt("owner", address(), "owner on the chain; null once burnt"),
        opt("minted_block", DataType::UInt64, "block of the mint, where seen"),
        opt("burnt_block", DataType::UInt64, "block of the burn"),
    ])
}

fn interval(mut columns: Vec<Column>) -> Vec<Column> {
    columns.extend([
        req("from_block", DataType::UInt64, "block in which it begins"),
        req("from_log", DataType::UInt32, "log that begins it"),
        req("from_sub", DataType::UInt32, "index within that log"),
        req("from_time", time(), "declared or block time at which it begins"),
        opt("to_block", DataType::UInt64, "block in which it ends; null while open"),
        opt("to_log", DataType::UInt32, "log that ends it"),
        opt("to_time", time(), "declared or block time at which it ends"),
    ]);
    updated(columns)
}

fn custody() -> Vec<Column> {
    interval(vec![
        chain(),
        req("item", text(), "key of the item"),
        req("branch", DataType::UInt32, "branch of its story"),
        req("role", text(), "owner, possessor or declarer"),
        req("holder", address(), "the address"),
    ])
}

fn containment() -> Vec<Column> {
    interval(vec![
        chain(),
        req("child", text(), "key of the item inside"),
        req("parent", text(), "key of the item around it"),
    ])
}

fn shipments() -> Vec<Column> {
    updated(vec![
        chain(),
        req("item", text(), "key of the item"),
        req("branch", DataType::UInt32, "branch of its story"),
        req("consignor", address(), "who sent it"),
        opt("consignee", address(), "whom it was sent to; null when not declared"),
        req("status", text(), "open, received or voided"),
        req("shipped_block", DataType::UInt64, "block of the sending"),
        req("shipped_log", DataType::UInt32, "its log"),
        req("shipped_sub", DataType::UInt32, "index within that log"),
        req("shipped_time", time(), "declared or block time of the sending"),
        opt("ended_block", DataType::UInt64, "block of the receiving or voiding"),
        opt("ended_time", time(), "declared or block time of the receiving or voiding"),
    ])
}

fn alert_columns() -> Vec<Column> {
    vec![
        req("case_key", hash(), "names the case; the same after a reorg that mines the transaction again"),
        req("rule", text(), "code of the rule"),
        req("rule_version", DataType::UInt32, "its version"),
        req("severity", text(), "low, medium, high, critical"),
        req("standing", text(), "in_grace, standing, explained"),
        req("subject_kind", text(), "item, contract, lot, party"),
        req("subject", text(), "what it is about"),
        opt("item", text(), "key of the item"),
        chain(),
        req("block_number", DataType::UInt64, "block of the event that raised it"),
        req("log_index", DataType::UInt32, "its log"),
        req("sub_index", DataType::UInt32, "index within that log"),
        req("tx_hash", hash(), "its transaction"),
        req("raised_at", time(), "block time at which it was raised; a timer: its deadline"),
        req("expected", text(), "what should have come"),
        req("came", text(), "what came"),
        opt("accused", text(), "who is accused; null when undetermined"),
        opt("victim", text(), "whose goods or identity are concerned"),
        opt("witness", text(), "who saw it"),
        opt("root", hash(), "the case that it hangs under; null for a root"),
        req("members", DataType::UInt64, "members counted and not expanded"),
        req("retroactive", DataType::Boolean, "judged again on later knowledge"),
        req("parameters", text(), "what the rule ran with"),
        req("evidence", text(), "positions of the logs that prove it, as chain:block/log, space between"),
    ]
}

fn alerts() -> Vec<Column> {
    updated(alert_columns())
}

fn streamed(mut columns: Vec<Column>) -> Vec<Column> {
    columns.insert(0, req("ordinal", DataType::UInt32, "place among those of the same change"));
    columns.insert(0, req("stream_sequence", DataType::UInt64, "place of the change in its chain's stream"));
    columns.insert(0, req("chain", DataType::UInt64, "EIP-155 chain id; 0 for what is told across chains"));
    columns
}

fn notices() -> Vec<Column> {
    streamed(vec![
        req("case_key", hash(), "the case"),
        req("revision", DataType::UInt32, "counts the notices of the case"),
        req("kind", text(), "opened, changed, closed, withdrawn, final"),
        req("rule", text(), "code of the rule"),
        req("severity", text(), "low, medium, high, critical"),
        opt("item", text(), "key of the item"),
        req("alert", text(), "the alert as JSON"),
    ])
}

fn incidents() -> Vec<Column> {
    streamed(vec![
        opt("block_number", DataType::UInt64, "the block, where known"),
        req("kind", text(), "what kind of thing"),
        req("endpoint", text(), "name of the endpoint in the configuration"),
        req("detail", text(), "the values that disagree"),
    ])
}

fn state() -> Vec<Column> {
    updated(vec![
        chain(),
        req("kind", DataType::UInt32, "which map of the state"),
        req("key", DataType::Binary, "key of the entry"),
        opt("value", DataType::Binary, "the entry; null when it was removed"),
    ])
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

//! Views of the registry as tests tell them: the columns that people see.

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use model::tables::time;
use serde_json::{Value, json};
use std::sync::Arc;

/// Each view with its own columns; those that are not text are named in [`data_type`].
const VIEWS: &[(&str, &[&str])] = &[
    ("registry_parties", &["gln", "name", "country", "role", "tz"]),
    ("registry_wallets", &["on_chain", "address", "party", "status"]),
    ("registry_licences", &["party", "kind", "jurisdiction", "status"]),
    ("registry_products", &["gtin", "owner", "name", "level"]),
    ("registry_lots", &["gtin", "lot", "expiry", "quantity", "closed_at"]),
    (
        "registry_recalls",
        &["id", "gtin", "lot", "serial_from", "serial_to", "market", "class", "effective_at", "resolved_at"],
    ),
    ("registry_extensions", &["gtin", "lot", "expiry"]),
    ("registry_contracts", &["on_chain", "address", "tier", "gtin"]),
    ("registry_lanes", &["consignor", "consignee", "p99_secs"]),
];

/// Columns of every list: where the row stands, and when it holds.
const POSITIONED: &[&str] =
    &["chain", "valid_from", "valid_to", "known_from", "from_block", "to_block", "finality"];

/// Who is behind an address now: no list.
const ACTORS: &[&str] = &["chain", "address", "gln", "name", "country", "role", "status"];

fn columns(view: &str) -> Option<Vec<&'static str>> {
    if view == "actors" {
        return Some(ACTORS.to_vec());
    }
    let (_, own) = VIEWS.iter().find(|(name, _)| *name == view)?;
    Some([own, POSITIONED].concat())
}

fn data_type(column: &str) -> DataType {
    match column {
        "chain" | "on_chain" | "quantity" | "from_block" | "to_block" => DataType::UInt64,
        "p99_secs" => DataType::Int64,
        "expiry" => DataType::Date32,
        "valid_from" | "valid_to" | "known_from" | "effective_at" | "resolved_at" | "closed_at" => time(),
        _ => DataType::Utf8,
    }
}

/// The columns of a view of the registry; `None` when there is no such view.
pub(super) fn schema(view: &str) -> Option<SchemaRef> {
    let field = |name| Field::new(name, data_type(name), true);
    columns(view)
        .map(|columns| Arc::new(Schema::new(columns.into_iter().map(field).collect::<Vec<_>>())) as SchemaRef)
}

/// A row, on chain 1 unless it says another; a list's is in force from block 0 on.
pub(super) fn whole(view: &str, row: Value) -> Value {
    let known = columns(view).unwrap();
    let told = row.as_object().unwrap();
    assert!(told.keys().all(|name| known.contains(&name.as_str())), "{view} has no such column: {told:?}");
    let mut whole = json!({"chain": 1});
    let object = whole.as_object_mut().unwrap();
    if view != "actors" {
        object.insert("from_block".to_owned(), 0.into());
    }
    object.extend(told.clone());
    whole
}

//! Rows of tables as lines that a scenario file can list: a few columns of the newest row of each key, with the cast's
//! names for addresses.

use crate::cast;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use model::tables::{Table, TableKind};
use model::{Address, U256};
use std::collections::BTreeMap;

/// The columns that scenario files list, by table.
const COLUMNS: &[(Table, &[&str])] = &[
    (Table::Lineage, &["item", "source", "link", "contract", "source_contract", "block_number"]),
    (Table::Tokens, &["token_id", "standard", "item", "owner", "minted_block", "burnt_block"]),
    (Table::Custody, &["item", "branch", "role", "holder", "quantity", "from_block", "to_block"]),
    (
        Table::Shipments,
        &["item", "branch", "consignor", "consignee", "status", "shipped_block", "ended_block"],
    ),
];

/// The rows of the table called `name`, one line each, sorted.
pub fn lines<'a>(name: &str, batches: impl Iterator<Item = &'a (Table, RecordBatch)>) -> Vec<String> {
    let listed = COLUMNS.iter().find(|(table, _)| table.name() == name);
    let (table, columns) = listed.unwrap_or_else(|| panic!("'{name}' is not listed by scenarios"));
    let key = match table.spec().kind {
        TableKind::Upsert { key } => key,
        TableKind::Append => columns,
    };
    let mut newest = BTreeMap::new();
    for (_, batch) in batches.filter(|(of, _)| of == table) {
        for row in 0..batch.num_rows() {
            let cells = |names: &[&str]| -> Vec<String> {
                names.iter().map(|name| cell(batch.column_by_name(name).unwrap(), row)).collect()
            };
            newest.insert(cells(key), cells(columns).join(" "));
        }
    }
    let mut lines: Vec<String> = newest.into_values().collect();
    lines.sort();
    lines
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    match column.data_type() {
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Utf8 => short(column.as_string::<i32>().value(row)),
        DataType::FixedSizeBinary(20) => name_of(column.as_fixed_size_binary().value(row)),
        DataType::FixedSizeBinary(_) => {
            U256::from_be_slice(column.as_fixed_size_binary().value(row)).to_string()
        }
        other => panic!("no cell of {other} is listed"),
    }
}

/// An item's key as scenarios write it; any other text as it is.
fn short(text: &str) -> String {
    match text.split_once('/') {
        // A unit's serial reference is its number, before the check digit.
        Some(("00", sscc)) => format!("C{}", sscc[13..17].trim_start_matches('0')),
        Some(("01" | "eip155:1", _)) => text.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => text.to_owned(),
    }
}

fn name_of(address: &[u8]) -> String {
    let address = Address::from_slice(address);
    cast::names()
        .find(|name| cast::address(name) == address)
        .map_or_else(|| address.to_string(), str::to_owned)
}

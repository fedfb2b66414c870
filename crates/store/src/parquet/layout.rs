//! How each table lies in files: its order, what the commit log keeps of each file, bloom filters, encodings.

use crate::error::Result;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use ::parquet::schema::types::ColumnPath;
use arrow_schema::{ArrowError, DataType};
use model::tables::{Table, TableSpec};
use sha2::{Digest, Sha256};

/// Rows of a row group. Larger groups compress no better; smaller ones cost a footer entry per column each.
pub(crate) const ROW_GROUP_ROWS: usize = 256 * 1024;

/// Rows of a page of a merged file: the least that a point lookup decodes of a column.
const PAGE_ROWS: usize = 8 * 1024;

/// Rows of a page of a file that a flush wrote: a merge holds one page of each column of all that it merges.
const RAW_PAGE_ROWS: usize = 2 * 1024;

/// One false "maybe" in a hundred: a lookup over 25 files reads one row group in vain every fourth time.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Version of the layout. Files of another layout are refused.
const LAYOUT: u32 = 1;

/// The column that says where in the chain (or its stream) a row belongs.
pub(crate) fn order_column(table: Table) -> &'static str {
    match table {
        Table::Blocks => "number",
        Table::Logs | Table::Events | Table::DeadLetters | Table::Lineage => "block_number",
        Table::Items
        | Table::Tokens
        | Table::Custody
        | Table::Containment
        | Table::Shipments
        | Table::Registry
        | Table::Alerts
        | Table::State => "updated_block",
        Table::Notices | Table::Incidents => "stream_sequence",
    }
}

/// The columns of which the commit log keeps the least and greatest value in each file.
pub(crate) fn bounded_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Blocks => &["number", "time"],
        Table::Logs => &["block_number", "contract"],
        Table::Events => &["block_number", "block_time", "token_contract", "token_id", "item"],
        Table::DeadLetters => &["block_number"],
        Table::Items => &["item", "updated_block"],
        Table::Tokens => &["contract", "token_id", "item", "updated_block"],
        Table::Custody => &["item", "from_block", "updated_block"],
        Table::Containment => &["child", "parent", "updated_block"],
        Table::Shipments => &["item", "shipped_block", "updated_block"],
        Table::Lineage => &["item", "block_number"],
        Table::Registry => &["list", "updated_block"],
        Table::Alerts => &["case_key", "item", "raised_at", "updated_block"],
        Table::Notices => &["stream_sequence", "case_key"],
        Table::Incidents => &["stream_sequence"],
        Table::State => &["updated_block"],
    }
}

/// The columns that have bloom filters in merged files: what people look up that the order of rows does not find.
fn bloom_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Events => &["item", "token_id", "tx_hash", "from_address", "to_address", "actor"],
        Table::Items => &["item", "possessor", "owner", "parent"],
        Table::Tokens => &["token_id", "item", "owner"],
        Table::Custody => &["item", "holder"],
        Table::Containment => &["child", "parent"],
        Table::Shipments => &["item"],
        Table::Lineage => &["item", "source", "tx_hash"],
        Table::Logs => &["tx_hash"],
        Table::Alerts => &["case_key", "item"],
        Table::Blocks
        | Table::DeadLetters
        | Table::Registry
        | Table::Notices
        | Table::Incidents
        | Table::State => &[],
    }
}

/// The columns whose values hardly repeat: a dictionary would be built in vain.
fn unrepeated_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Blocks => &["hash", "parent_hash"],
        Table::Logs => &["tx_hash", "topic1", "topic2", "topic3", "data"],
        Table::Events => &["tx_hash", "token_id", "item"],
        Table::DeadLetters => &["tx_hash"],
        Table::Items => &["item", "serial", "parent"],
        Table::Tokens => &["token_id", "item"],
        Table::Custody | Table::Shipments => &["item"],
        Table::Containment => &["child"],
        Table::Lineage => &["item", "source", "token_id", "source_token_id"],
        Table::Registry => &["row_hash"],
        Table::Alerts => &["case_key", "subject", "item", "tx_hash", "expected", "came", "evidence"],
        Table::Notices => &["case_key", "item", "alert"],
        Table::Incidents => &["detail"],
        Table::State => &["key", "value"],
    }
}

/// The columns that nobody compares: their least and greatest values would only make footers long.
fn opaque_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Logs => &["data"],
        Table::Alerts => &["expected", "came", "parameters", "evidence"],
        Table::Notices => &["alert"],
        Table::DeadLetters | Table::Incidents => &["detail"],
        Table::State => &["key", "value"],
        Table::Blocks
        | Table::Events
        | Table::Items
        | Table::Tokens
        | Table::Custody
        | Table::Containment
        | Table::Shipments
        | Table::Lineage
        | Table::Registry => &[],
    }
}

/// Positions of columns in the table's schema.
pub(crate) fn indices(spec: &TableSpec, names: &[&str]) -> Result<Vec<usize>> {
    let index = |name: &&str| spec.schema.index_of(name).map_err(ArrowError::into);
    names.iter().map(index).collect()
}

/// How the Parquet writer is set for a table. A *merged* file is read often and written once: it is compressed well
/// and has blooms. What a flush writes is soon merged: it is compressed fast, and read without a context a column.
pub(crate) fn writer_properties(table: Table, merged: bool) -> Result<WriterProperties> {
    let (compression, page_rows) = match merged {
        true => (Compression::ZSTD(ZstdLevel::try_new(1)?), PAGE_ROWS),
        false => (Compression::SNAPPY, RAW_PAGE_ROWS),
    };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_created_by(format!("rxtrail {}", env!("CARGO_PKG_VERSION")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(page_rows);
    for column in &table.spec().columns {
        let repeats = !unrepeated_columns(table).contains(&column.name);
        builder = encoding(builder, column.name, &column.data_type, repeats);
    }
    for column in opaque_columns(table) {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(*column), EnabledStatistics::None);
    }
    if merged {
        for column in bloom_columns(table) {
            builder = builder.set_column_bloom_filter_fpp(ColumnPath::from(*column), BLOOM_FALSE_POSITIVES);
        }
    }
    Ok(builder.build())
}

fn encoding(
    builder: WriterPropertiesBuilder,
    name: &str,
    data_type: &DataType,
    repeats: bool,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(name);
    match data_type {
        // Numbers and times mostly ascend: differences are smaller and faster than a dictionary.
        DataType::UInt64 | DataType::UInt32 | DataType::Timestamp(_, _) | DataType::Date32
            if name != "chain" =>
        {
            builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        }
        DataType::Boolean => builder.set_column_dictionary_enabled(path, false),
        _ => builder.set_column_dictionary_enabled(path, repeats),
    }
}

/// Fingerprint of every table's columns and of this layout: files of another one are not read by guess.
pub(crate) fn fingerprint() -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(LAYOUT.to_be_bytes());
    for table in Table::ALL {
        let spec = table.spec();
        hash.update(format!("{} {:?} {:?};", spec.name, spec.kind, spec.sort));
        for column in &spec.columns {
            hash.update(format!("{} {} {};", column.name, column.data_type, column.nullable));
        }
        hash.update(format!("{:?};", bounded_columns(table)));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_a_layout_names_is_in_its_table() {
        for table in Table::ALL {
            let named = [
                bounded_columns(table),
                bloom_columns(table),
                unrepeated_columns(table),
                opaque_columns(table),
                crate::order::version_columns(table),
            ];
            assert!(!opaque_columns(table).iter().any(|name| bounded_columns(table).contains(name)));
            for name in named.into_iter().flatten().chain(&[order_column(table)]) {
                assert!(table.schema().field_with_name(name).is_ok(), "{}.{name}", table.name());
            }
            assert!(writer_properties(table, true).is_ok());
        }
    }
}

//! How the columns of the tables are kept in ClickHouse, and how rows go there and come back.
//!
//! Every value comes back as it went in. Times are kept as whole numbers: a chain may declare any, and the types of
//! ClickHouse for times end in the year 2299. Text and bytes are one type there, so both travel as bytes.

use crate::error::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampSecondType, UInt8Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray, UInt64Array, new_null_array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use model::tables::{Column, Table};
use std::sync::Arc;

/// A column beside those of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extra {
    pub(super) name: &'static str,
    pub(super) sql_type: &'static str,
}

const COMMIT: Extra = Extra { name: "commit", sql_type: "UInt64" };
const SEQUENCE: Extra = Extra { name: "sequence", sql_type: "UInt64" };

/// The columns beside those of a table: the commit that brought a row, and the change of its chain's stream that made
/// it. Cases have more: the stream of the change, their place in the commit, whether the case is no more, and whether
/// it rests on its own stream alone.
pub(super) fn extras(table: Table) -> &'static [Extra] {
    match table {
        Table::Alerts => &[
            COMMIT,
            SEQUENCE,
            Extra { name: "stream", sql_type: "UInt64" },
            Extra { name: "place", sql_type: "UInt64" },
            Extra { name: "gone", sql_type: "Bool" },
            Extra { name: "alone", sql_type: "Bool" },
        ],
        _ => &[COMMIT, SEQUENCE],
    }
}

/// May the column be null where it is kept? Of a case that is no more nothing is known but its key.
fn is_nullable(table: Table, column: &Column) -> bool {
    column.nullable || (table == Table::Alerts && column.name != "case_key")
}

/// The type of a column in ClickHouse.
///
/// # Errors
/// When a table has a column of a type that none was chosen for.
pub(super) fn sql_type(table: Table, column: &Column) -> Result<String> {
    let plain = match &column.data_type {
        DataType::UInt64 => "UInt64".to_owned(),
        DataType::UInt32 => "UInt32".to_owned(),
        DataType::Float64 => "Float64".to_owned(),
        DataType::Boolean => "Bool".to_owned(),
        DataType::Utf8 | DataType::Binary => "String".to_owned(),
        DataType::FixedSizeBinary(bytes) => format!("FixedString({bytes})"),
        DataType::Decimal128(digits, scale) => format!("Decimal({digits}, {scale})"),
        DataType::Timestamp(TimeUnit::Second, _) => "Int64".to_owned(),
        DataType::Date32 => "Int32".to_owned(),
        other => return Err(unknown(column.name, other)),
    };
    Ok(if is_nullable(table, column) { format!("Nullable({plain})") } else { plain })
}

/// Rows of a table as they are kept, with the columns of `extra` in the order of [`extras`].
///
/// # Errors
/// When the rows are not those of the table.
pub(super) fn to_kept(table: Table, rows: &RecordBatch, extra: Vec<ArrayRef>) -> Result<RecordBatch> {
    let spec = table.spec();
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (column, values) in spec.columns.iter().zip(rows.columns()) {
        let values: ArrayRef = match column.data_type {
            DataType::Timestamp(TimeUnit::Second, _) => {
                Arc::new(values.as_primitive::<TimestampSecondType>().reinterpret_cast::<Int64Type>())
            }
            DataType::Date32 => Arc::new(values.as_primitive::<Date32Type>().reinterpret_cast::<Int32Type>()),
            _ => values.clone(),
        };
        fields.push(Field::new(column.name, values.data_type().clone(), is_nullable(table, column)));
        columns.push(values);
    }
    for (extra, values) in extras(table).iter().zip(&extra) {
        fields.push(Field::new(extra.name, values.data_type().clone(), false));
    }
    columns.extend(extra);
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// Rows of cases that are no more: their keys, and nothing else.
///
/// # Errors
/// When the columns cannot be made.
pub(super) fn gone_rows(keys: ArrayRef) -> Result<RecordBatch> {
    let spec = Table::Alerts.spec();
    let values = |column: &Column| match column.name {
        "case_key" => keys.clone(),
        _ => new_null_array(&column.data_type, keys.len()),
    };
    let field = |column: &Column| {
        Field::new(column.name, column.data_type.clone(), is_nullable(Table::Alerts, column))
    };
    let schema = Schema::new(spec.columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), spec.columns.iter().map(values).collect())?)
}

/// So many times the same number.
pub(super) fn repeated(number: u64, rows: usize) -> ArrayRef {
    Arc::new(UInt64Array::from_value(number, rows))
}

/// Rows as ClickHouse gave them, with the columns of `schema`.
///
/// # Errors
/// When a column is not what was kept, or text is no text.
pub(super) fn from_kept(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &Arc<Field>| {
        let values = rows.column_by_name(field.name());
        let values = values.ok_or_else(|| unknown(field.name(), field.data_type()))?;
        one_from_kept(values, field)
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn one_from_kept(values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    let other = || unknown(field.name(), values.data_type());
    Ok(match (field.data_type(), values.data_type()) {
        (DataType::Utf8, DataType::Binary) => {
            Arc::new(StringArray::try_from_binary(values.as_binary::<i32>().clone())?)
        }
        (DataType::Timestamp(TimeUnit::Second, zone), DataType::Int64) => {
            let times = values.as_primitive::<Int64Type>().reinterpret_cast::<TimestampSecondType>();
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        (DataType::Date32, DataType::Int32) => {
            Arc::new(values.as_primitive::<Int32Type>().reinterpret_cast::<Date32Type>())
        }
        (DataType::Boolean, DataType::UInt8) => {
            let bytes = values.as_primitive::<UInt8Type>();
            Arc::new(bytes.iter().map(|byte| byte.map(|byte| byte != 0)).collect::<BooleanArray>())
        }
        (wanted, came) if wanted == came => values.clone(),
        _ => return Err(other()),
    })
}

fn unknown(name: &str, data_type: &DataType) -> Error {
    ArrowError::SchemaError(format!("column '{name}' of type {data_type} has no form in ClickHouse")).into()
}

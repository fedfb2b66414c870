//! Which segments may hold rows that a query asks for, by what the commit log knows of each: no file is opened.

use crate::parquet::layout::bounded_columns;
use crate::parquet::segment::{Bounds, Segment};
use arrow_array::{ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::{DataType, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use model::tables::Table;
use std::collections::HashSet;
use std::sync::Arc;

/// The segments in which the predicate may be true.
pub(crate) fn may_match(
    table: Table,
    segments: &[Arc<Segment>],
    predicate: &Arc<dyn PhysicalExpr>,
) -> Result<Vec<Arc<Segment>>> {
    let schema = table.schema();
    let pruning =
        PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(predicate.clone())?;
    if pruning.always_true() {
        return Ok(segments.to_vec());
    }
    let kept = pruning.prune(&Known { table, schema, segments })?;
    Ok(segments.iter().zip(kept).filter(|(_, kept)| *kept).map(|(segment, _)| segment.clone()).collect())
}

struct Known<'a> {
    table: Table,
    schema: SchemaRef,
    segments: &'a [Arc<Segment>],
}

impl Known<'_> {
    fn values(
        &self,
        column: &Column,
        end: impl Fn(&Bounds, &DataType) -> Option<ScalarValue>,
    ) -> Option<ArrayRef> {
        let field = self.schema.field_with_name(&column.name).ok()?;
        let null = ScalarValue::try_from(field.data_type()).ok()?;
        let value = |segment: &Arc<Segment>| -> Option<ScalarValue> {
            if column.name == "chain" {
                return Some(ScalarValue::UInt64(Some(segment.meta.chain.0)));
            }
            let place = bounded_columns(self.table).iter().position(|name| *name == column.name)?;
            end(segment.meta.bounds.get(place)?.as_ref()?, field.data_type())
        };
        let values = self.segments.iter().map(|segment| value(segment).unwrap_or_else(|| null.clone()));
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for Known<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |bounds, data_type| scalar(bounds, data_type, true))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |bounds, data_type| scalar(bounds, data_type, false))
    }

    fn num_containers(&self) -> usize {
        self.segments.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.segments.iter().map(|segment| Some(segment.meta.rows)).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// The least or greatest value as one of the column's type.
pub(crate) fn scalar(bounds: &Bounds, data_type: &DataType, least: bool) -> Option<ScalarValue> {
    fn pick<T>(least: bool, (min, max): (T, T)) -> T {
        if least { min } else { max }
    }
    Some(match (bounds, data_type) {
        (Bounds::Unsigned(min, max), DataType::UInt64) => {
            ScalarValue::UInt64(Some(pick(least, (*min, *max))))
        }
        (Bounds::Unsigned(min, max), DataType::UInt32) => {
            ScalarValue::UInt32(Some(u32::try_from(pick(least, (*min, *max))).ok()?))
        }
        (Bounds::Signed(min, max), DataType::Timestamp(_, zone)) => {
            ScalarValue::TimestampSecond(Some(pick(least, (*min, *max))), zone.clone())
        }
        (Bounds::Bytes(min, max), DataType::Utf8) => {
            ScalarValue::Utf8(Some(String::from_utf8(pick(least, (min, max)).clone()).ok()?))
        }
        (Bounds::Bytes(min, max), DataType::FixedSizeBinary(size)) => {
            ScalarValue::FixedSizeBinary(*size, Some(pick(least, (min, max)).clone()))
        }
        (Bounds::Bytes(min, max), DataType::Binary) => {
            ScalarValue::Binary(Some(pick(least, (min, max)).clone()))
        }
        _ => return None,
    })
}

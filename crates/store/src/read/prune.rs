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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet::memory_files::MemoryFiles;
    use crate::parquet::segment::{Place, SegmentMeta};
    use datafusion::logical_expr::{Expr, col, lit};
    use datafusion::physical_expr::planner::logical2physical;
    use model::chain::ChainId;

    /// A segment of ten blocks, all of one token contract.
    fn segment(place: &Arc<Place>, number: u64) -> Arc<Segment> {
        let blocks = (number * 10, number * 10 + 9);
        let item = |block: u64| format!("01/04012345123456/21/{block:08}").into_bytes();
        let meta = SegmentMeta {
            id: number,
            table: "events".into(),
            chain: ChainId(1 + number % 2),
            range: blocks,
            rows: 100,
            bytes: 1000,
            hash: [0; 32],
            rank: number,
            merged: false,
            bounds: vec![
                Some(Bounds::Unsigned(blocks.0, blocks.1)),
                Some(Bounds::Signed(blocks.0 as i64 * 12, blocks.1 as i64 * 12)),
                Some(Bounds::Bytes(vec![7; 20], vec![7; 20])),
                None,
                Some(Bounds::Bytes(item(blocks.0), item(blocks.1))),
            ],
        };
        Arc::new(Segment::new(meta, place.clone()))
    }

    fn kept(segments: &[Arc<Segment>], filter: Expr) -> usize {
        let filter = logical2physical(&filter, &Table::Events.schema());
        may_match(Table::Events, segments, &filter).unwrap().len()
    }

    #[test]
    fn of_64_thousand_segments_only_those_are_opened_that_may_hold_the_answer() {
        let place = Arc::new(Place::new(Arc::new(MemoryFiles::default()), "/gen-1".into()));
        let segments: Vec<Arc<Segment>> = (0..65_536).map(|number| segment(&place, number)).collect();
        let contract = |byte: u8| lit(ScalarValue::FixedSizeBinary(20, Some(vec![byte; 20])));
        let token = lit(ScalarValue::FixedSizeBinary(32, Some(vec![1; 32])));
        for (filter, expected) in [
            (col("block_number").eq(lit(123_456_u64)), 1),
            (col("block_number").between(lit(15_u64), lit(34_u64)), 3),
            (col("item").eq(lit("01/04012345123456/21/00000042")), 1),
            (col("item").in_list(vec![lit("01/04012345123456/21/00000042"), lit("x")], false), 1),
            (col("chain").eq(lit(2_u64)).and(col("block_number").lt(lit(40_u64))), 2),
            (col("token_contract").eq(contract(8)), 0),
            (col("token_contract").eq(contract(7)), 65_536),
            (col("token_id").eq(token), 65_536),
            (col("kind").eq(lit("shipping")), 65_536),
            (col("block_number").eq(lit(5_u64)).or(col("kind").eq(lit("shipping"))), 65_536),
        ] {
            assert_eq!(kept(&segments, filter.clone()), expected, "{filter}");
        }
    }
}

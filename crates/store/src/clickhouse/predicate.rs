//! Which part of a query's conditions the server can judge before rows travel: comparisons of a column with a value,
//! that cannot fail and mean the same on both sides. Whatever is given back is judged again by the query engine.

use arrow_schema::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use model::tables::Table;

/// Values of a list that are still sent: a statement has its bound, and what is beyond is judged here.
const LIST_MAX: usize = 1_000;
/// Bytes of one text that are still sent.
const TEXT_BYTES_MAX: usize = 1_000;

/// The condition as SQL of the server; `None` where it is not one of those.
pub(super) fn sql(table: Table, filter: &Expr) -> Option<String> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            // Half of a conjunction drops fewer rows, which is no harm.
            match (sql(table, left), sql(table, right)) {
                (Some(left), Some(right)) => Some(format!("({left} AND {right})")),
                (one, other) => one.or(other),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(format!("({} OR {})", sql(table, left)?, sql(table, right)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => comparison(table, left, *op, right),
        Expr::InList(InList { expr, list, negated }) if list.len() <= LIST_MAX => {
            let (name, data_type) = column(table, expr)?;
            let values = list.iter().map(|value| literal(&data_type, value)).collect::<Option<Vec<_>>>()?;
            let within = if *negated { "NOT IN" } else { "IN" };
            (!values.is_empty()).then(|| format!("{name} {within} ({})", values.join(", ")))
        }
        Expr::IsNull(expr) => Some(format!("isNull({})", column(table, expr)?.0)),
        Expr::IsNotNull(expr) => Some(format!("isNotNull({})", column(table, expr)?.0)),
        _ => None,
    }
}

fn comparison(table: Table, left: &Expr, op: Operator, right: &Expr) -> Option<String> {
    let (name, data_type, op, value) = match column(table, left) {
        Some((name, data_type)) => (name, data_type, op, right),
        None => {
            let (name, data_type) = column(table, right)?;
            (name, data_type, op.swap()?, left)
        }
    };
    let sign = match op {
        Operator::Eq => "=",
        Operator::NotEq => "!=",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    };
    // `false` comes before `true` on both sides, but nobody asks so.
    let ordered = !matches!(sign, "=" | "!=");
    if ordered && data_type == DataType::Boolean {
        return None;
    }
    Some(format!("{name} {sign} {}", literal(&data_type, value)?))
}

fn column(table: Table, expr: &Expr) -> Option<(&'static str, DataType)> {
    let Expr::Column(column) = expr else { return None };
    let column = table.spec().columns.iter().find(|known| known.name == column.name)?;
    Some((column.name, column.data_type.clone()))
}

/// A value of exactly the column's type. Text and bytes travel as hex: nothing in them can end the statement.
fn literal(data_type: &DataType, expr: &Expr) -> Option<String> {
    let Expr::Literal(value, _) = expr else { return None };
    Some(match (data_type, value) {
        (DataType::UInt64, ScalarValue::UInt64(Some(number))) => number.to_string(),
        (DataType::UInt32, ScalarValue::UInt32(Some(number))) => number.to_string(),
        (DataType::Boolean, ScalarValue::Boolean(Some(flag))) => flag.to_string(),
        (DataType::Date32, ScalarValue::Date32(Some(days))) => days.to_string(),
        (DataType::Timestamp(TimeUnit::Second, _), ScalarValue::TimestampSecond(Some(secs), _)) => {
            secs.to_string()
        }
        (
            DataType::Utf8,
            ScalarValue::Utf8(Some(text))
            | ScalarValue::Utf8View(Some(text))
            | ScalarValue::LargeUtf8(Some(text)),
        ) if text.len() <= TEXT_BYTES_MAX => format!("unhex('{}')", hex::encode(text)),
        (DataType::FixedSizeBinary(width), ScalarValue::FixedSizeBinary(_, Some(bytes)))
            if usize::try_from(*width).ok() == Some(bytes.len()) =>
        {
            format!("toFixedString(unhex('{}'), {width})", hex::encode(bytes))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::{col, lit};

    fn of(filter: Expr) -> Option<String> {
        sql(Table::Events, &filter)
    }

    #[test]
    fn comparisons_with_values_of_the_columns_type_are_sent() {
        let item = col("item").eq(lit("01/04012345123456/21/A'); DROP TABLE x"));
        let hexed = hex::encode("01/04012345123456/21/A'); DROP TABLE x");
        assert_eq!(of(item.clone()), Some(format!("item = unhex('{hexed}')")));
        let blocks = lit(5_u64).lt(col("block_number"));
        assert_eq!(of(blocks.clone()), Some("block_number > 5".into()));
        assert_eq!(
            of(item.clone().and(blocks.clone())),
            Some(format!("(item = unhex('{hexed}') AND block_number > 5)"))
        );
        assert_eq!(of(col("gtin").is_null().or(blocks)), Some("(isNull(gtin) OR block_number > 5)".into()));
        let hash = Expr::Literal(ScalarValue::FixedSizeBinary(32, Some(vec![7; 32])), None);
        assert_eq!(
            of(col("tx_hash").eq(hash)),
            Some(format!("tx_hash = toFixedString(unhex('{}'), 32)", "07".repeat(32)))
        );
    }

    #[test]
    fn what_may_fail_or_mean_something_else_is_not() {
        assert_eq!(of(col("block_number").eq(lit(5_i64))), None, "a number of another type");
        assert_eq!(of(col("item").like(lit("01/%"))), None);
        assert_eq!(of((col("block_number") + lit(1_u64)).eq(lit(5_u64))), None);
        assert_eq!(
            of(col("kind").eq(lit("shipping")).or(col("item").like(lit("x%")))),
            None,
            "half of an `OR`"
        );
        assert_eq!(
            of(col("kind").eq(lit("shipping")).and(col("item").like(lit("x%")))),
            Some(format!("kind = unhex('{}')", hex::encode("shipping"))),
            "half of an `AND`"
        );
        let short = Expr::Literal(ScalarValue::FixedSizeBinary(2, Some(vec![7; 2])), None);
        assert_eq!(of(col("tx_hash").eq(short)), None);
    }
}

//! Compares stored bytes with bytes, not shown text with text.
//!
//! Views show hashes as hex, so `tx_hash = '0x…'` arrives at the scan as `hex(tx_hash) = '0x…'`, which no file
//! statistic or bloom filter can answer. Where the literal is the exact text of some bytes, this rule compares the
//! column with these bytes: the same rows, found without reading the others.

use super::functions::Function;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ExprSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable as _, LogicalPlan, Operator, lit};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use model::U256;

/// The rule.
#[derive(Debug)]
pub(super) struct CompareBytes;

impl OptimizerRule for CompareBytes {
    fn name(&self) -> &str {
        "compare_bytes"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // Only a filter's value is not seen under the name of its expression.
        if !matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::TableScan(_) | LogicalPlan::Join(_)) {
            return Ok(Transformed::no(plan));
        }
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            schema = scan.projected_schema.as_ref().clone();
            let stored = datafusion::common::DFSchema::try_from_qualified_schema(
                scan.table_name.clone(),
                &scan.source.schema(),
            )?;
            schema.merge(&stored);
        }
        plan.map_expressions(|expr| expr.transform_up(|expr| compare(expr, &schema)))
    }
}

fn compare(expr: Expr, schema: &dyn ExprSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Eq | Operator::NotEq), right }) => {
            let rewritten = match (bytes_of(&left, &right, schema)?, bytes_of(&right, &left, schema)?) {
                (Some((column, bytes)), _) | (None, Some((column, bytes))) => {
                    BinaryExpr::new(Box::new(column), op, Box::new(bytes))
                }
                (None, None) => return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            };
            Ok(Transformed::yes(Expr::BinaryExpr(rewritten)))
        }
        Expr::InList(list) => in_list(list, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn in_list(list: InList, schema: &dyn ExprSchema) -> Result<Transformed<Expr>> {
    let mut column = None;
    let mut bytes = Vec::with_capacity(list.list.len());
    for item in &list.list {
        match bytes_of(&list.expr, item, schema)? {
            Some((found, value)) => {
                column = Some(found);
                bytes.push(value);
            }
            None => return Ok(Transformed::no(Expr::InList(list))),
        }
    }
    match column {
        Some(column) => Ok(Transformed::yes(column.in_list(bytes, list.negated))),
        None => Ok(Transformed::no(Expr::InList(list))),
    }
}

/// The column and the bytes when `shown` is one of our functions of a column of fixed width, and `literal` the text
/// that it gives for these bytes and no others.
fn bytes_of(shown: &Expr, literal: &Expr, schema: &dyn ExprSchema) -> Result<Option<(Expr, Expr)>> {
    let (Expr::ScalarFunction(ScalarFunction { func, args }), Expr::Literal(value, _)) = (shown, literal)
    else {
        return Ok(None);
    };
    let (Some(function), [column], Some(Some(text))) =
        (Function::of(func), args.as_slice(), value.try_as_str())
    else {
        return Ok(None);
    };
    let DataType::FixedSizeBinary(width) = column.get_type(schema)? else { return Ok(None) };
    let bytes = match function {
        Function::Hex => from_hex(text),
        Function::TokenDecimal => from_decimal(text),
        Function::Unhex => None,
    };
    let fits = |bytes: &Vec<u8>| usize::try_from(width).is_ok_and(|width| bytes.len() == width);
    Ok(bytes
        .filter(fits)
        .map(|bytes| (column.clone(), lit(ScalarValue::FixedSizeBinary(width, Some(bytes))))))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode(digits).ok()
}

fn from_decimal(text: &str) -> Option<Vec<u8>> {
    let value = U256::from_str_radix(text, 10).ok()?;
    (value.to_string() == text).then(|| value.to_be_bytes::<32>().to_vec())
}

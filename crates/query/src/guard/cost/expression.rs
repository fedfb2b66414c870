//! How wide an expression becomes once the columns that it names are replaced by what they stand for.

use super::{COLUMN_WIDTH, Scope, WIDTH};
use crate::error::{Error, Result};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Query, Select, Value, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Functions whose result, or work, grows with the product of their arguments.
const PRODUCT: &[&str] = &[
    "array_replace",
    "array_replace_all",
    "array_replace_n",
    "array_to_string",
    "levenshtein",
    "list_replace",
    "list_replace_all",
    "list_replace_n",
    "list_to_string",
    "regexp_replace",
    "replace",
    "array_join",
    "list_join",
];

/// Functions whose result has twice the length of their argument.
const DOUBLE: &[&str] = &["encode", "hex"];

/// Functions that gather a group of rows into one value.
const GATHER: &[&str] = &["array_agg", "listagg", "string_agg"];

/// What gathering is taken to give: a hundred values.
const GATHERED_WIDTH: u64 = 100 * COLUMN_WIDTH;

/// Walks expressions of one scope.
pub(super) struct Width<'a> {
    scope: &'a Scope,
    /// Tables of the subqueries met.
    pub(super) tables: u64,
    /// One entry for each expression that is open: the widths of its parts so far.
    open: Vec<Vec<u64>>,
    /// Inside how many subqueries: their expressions are walked in their own scope.
    inside: usize,
}

impl<'a> Width<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, tables: 0, open: Vec::new(), inside: 0 }
    }

    /// The width of an expression.
    pub(super) fn of(&mut self, expr: &Expr) -> Result<u64> {
        self.open.push(Vec::new());
        let flow = expr.visit(self);
        let width = self.open.pop().unwrap_or_default().into_iter().sum();
        match flow {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(width),
        }
    }

    /// Checks every clause of a select beside its projection and joins.
    pub(super) fn clauses_of(&mut self, select: &Select) -> Result<()> {
        let plain = [&select.selection, &select.having, &select.qualify, &select.prewhere];
        for expr in plain.into_iter().flatten() {
            self.of(expr)?;
        }
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by {
            for expr in exprs {
                self.of(expr)?;
            }
        }
        Ok(())
    }

    /// Checks the clauses that follow a query's body.
    pub(super) fn clauses_after(&mut self, query: &Query) -> Result<()> {
        self.open.push(Vec::new());
        let flow = query.order_by.visit(self);
        self.open.pop();
        match flow {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn part(&mut self, width: u64) -> ControlFlow<Error> {
        if width > WIDTH {
            let what = "parts in an expression once its columns are unfolded";
            return ControlFlow::Break(Error::TooComplex { what, found: width, limit: WIDTH });
        }
        if let Some(parts) = self.open.last_mut() {
            parts.push(width);
        }
        ControlFlow::Continue(())
    }
}

impl Visitor for Width<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        self.inside += 1;
        if self.inside > 1 {
            return ControlFlow::Continue(());
        }
        match self.scope.query(query) {
            Ok(relation) => {
                self.tables = self.tables.saturating_add(relation.tables);
                self.part(relation.widest())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.inside -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        if self.inside == 0 {
            self.open.push(Vec::new());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        if self.inside > 0 {
            return ControlFlow::Continue(());
        }
        let parts = self.open.pop().unwrap_or_default();
        let sum = parts.iter().fold(1_u64, |sum, part| sum.saturating_add(*part));
        let width = match expr {
            Expr::Identifier(name) => self.scope.column(&name.value),
            Expr::CompoundIdentifier(names) => {
                names.last().map_or(COLUMN_WIDTH, |name| self.scope.column(&name.value))
            }
            Expr::Value(value) => literal(&value.value),
            Expr::Function(function) => of_function(function, &parts, sum),
            _ => sum,
        };
        self.part(width)
    }
}

fn literal(value: &Value) -> u64 {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.len() as u64 + 1,
        _ => 1,
    }
}

fn of_function(function: &Function, parts: &[u64], sum: u64) -> u64 {
    let name = function.name.to_string().to_lowercase().replace('"', "");
    let name = name.as_str();
    if PRODUCT.contains(&name) {
        parts.iter().fold(1, |product: u64, part| product.saturating_mul((*part).max(1)))
    } else if DOUBLE.contains(&name) {
        sum.saturating_mul(2)
    } else if GATHER.contains(&name) {
        sum.max(GATHERED_WIDTH)
    } else if name == "concat_ws" {
        let separator = parts.first().copied().unwrap_or_default();
        sum.saturating_add(separator.saturating_mul(arguments(function)))
    } else {
        sum
    }
}

fn arguments(function: &Function) -> u64 {
    match &function.args {
        FunctionArguments::List(list) => list.args.len() as u64,
        _ => 0,
    }
}

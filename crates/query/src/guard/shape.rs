//! Which statements, clauses, table factors and functions there may be.

use crate::error::{Error, Result};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    ObjectName, Query, Select, TableFactor, Visit, Visitor,
};
use std::ops::ControlFlow;

/// Depth of an expression: `a OR b OR c …` of so many parts. Longer lists are written with IN.
const EXPRESSION_DEPTH: usize = 256;

/// A cube of six columns is 64 groupings of the same rows.
const GROUPING_SETS: u64 = 64;

/// Aggregates and window functions whose state does not grow with the frame. `array_agg` over a moving frame makes
/// one array for each row: memory that grows with the square of the rows and that no pool sees.
const WINDOW_FUNCTIONS: &[&str] = &[
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "max",
    "mean",
    "min",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// Functions that compile their second argument. A pattern for each row costs a compilation for each row.
const PATTERN_FUNCTIONS: &[&str] =
    &["regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace"];

/// What the catalogue shows of itself; settings and functions stay hidden.
const CATALOGUE: &[&str] = &["columns", "schemata", "tables", "views"];

/// Refuses a statement that does anything else than read tables.
pub(super) fn check(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(inner) => check_inner(inner),
        Statement::Explain(explain) if explain.options.analyze => Err(refused("EXPLAIN ANALYZE")),
        Statement::Explain(explain) => match explain.statement.as_ref() {
            Statement::Statement(inner) if matches!(inner.as_ref(), ast::Statement::Query(_)) => {
                check_inner(inner)
            }
            other => Err(refused(&format!("EXPLAIN {}", keyword(&other.to_string())))),
        },
        other => Err(refused(&keyword(&other.to_string()))),
    }
}

fn check_inner(statement: &ast::Statement) -> Result<()> {
    match statement {
        ast::Statement::Query(query) => match query.visit(&mut Shape::default()) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error),
        },
        ast::Statement::ShowTables { .. } | ast::Statement::ShowColumns { .. } => Ok(()),
        ast::Statement::ExplainTable { table_name, .. } => check_relation(table_name),
        other => Err(refused(&keyword(&other.to_string()))),
    }
}

fn refused(what: &str) -> Error {
    Error::NotAllowed { what: what.to_owned() }
}

/// The first word of a statement.
fn keyword(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("an empty statement").to_uppercase()
}

fn check_relation(name: &ObjectName) -> Result<()> {
    let parts: Vec<String> =
        name.0.iter().map(|part| part.to_string().to_lowercase().replace('"', "")).collect();
    match parts.as_slice() {
        [.., schema, table] if schema == "information_schema" && !CATALOGUE.contains(&table.as_str()) => {
            Err(refused(&format!("reading {name}")))
        }
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Shape {
    depth: usize,
}

impl Visitor for Shape {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let clause = if query.with.as_ref().is_some_and(|with| with.recursive) {
            "WITH RECURSIVE"
        } else if !query.locks.is_empty() {
            "FOR UPDATE"
        } else if query.for_clause.is_some() || query.settings.is_some() || query.format_clause.is_some() {
            "a FOR, SETTINGS or FORMAT clause"
        } else if !query.pipe_operators.is_empty() {
            "a pipe operator"
        } else {
            return ControlFlow::Continue(());
        };
        ControlFlow::Break(refused(clause))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        if select.into.is_some() {
            return ControlFlow::Break(refused("SELECT INTO"));
        }
        into_flow(check_grouping(&select.group_by))
    }

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<Error> {
        ControlFlow::Break(refused(&keyword(&statement.to_string())))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        match factor {
            TableFactor::Table { args: None, .. }
            | TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                ControlFlow::Break(refused(&format!("the table function {name}")))
            }
            _ => ControlFlow::Break(refused("this kind of table")),
        }
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<Error> {
        into_flow(check_relation(name))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH {
            let (found, limit) = (self.depth as u64, EXPRESSION_DEPTH as u64);
            return ControlFlow::Break(Error::TooComplex { what: "levels in an expression", found, limit });
        }
        into_flow(match expr {
            Expr::Function(function) => check_function(function),
            Expr::BinaryOp { op, right, .. } if is_match(op) && !is_literal(right) => Err(row_pattern()),
            Expr::RLike { pattern, .. } | Expr::SimilarTo { pattern, .. } if !is_literal(pattern) => {
                Err(row_pattern())
            }
            _ => Ok(()),
        })
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// A cube of n columns is 2^n groupings, and several multiply.
fn check_grouping(group_by: &GroupByExpr) -> Result<()> {
    let GroupByExpr::Expressions(exprs, modifiers) = group_by else { return Ok(()) };
    if !modifiers.is_empty() {
        return Err(refused("GROUP BY with a modifier"));
    }
    let sets = exprs.iter().fold(1_u64, |sets, expr| {
        sets.saturating_mul(match expr {
            Expr::Cube(columns) => {
                1_u64.checked_shl(u32::try_from(columns.len()).unwrap_or(u32::MAX)).unwrap_or(u64::MAX)
            }
            Expr::Rollup(columns) => columns.len() as u64 + 1,
            Expr::GroupingSets(sets) => (sets.len() as u64).max(1),
            _ => 1,
        })
    });
    if sets > GROUPING_SETS {
        return Err(Error::TooComplex { what: "grouping sets", found: sets, limit: GROUPING_SETS });
    }
    Ok(())
}

fn into_flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

fn row_pattern() -> Error {
    refused("a regular expression that is not a literal")
}

fn is_match(op: &BinaryOperator) -> bool {
    use BinaryOperator::{PGRegexIMatch, PGRegexMatch, PGRegexNotIMatch, PGRegexNotMatch};
    matches!(op, PGRegexMatch | PGRegexIMatch | PGRegexNotMatch | PGRegexNotIMatch)
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) => true,
        Expr::Nested(inner) => is_literal(inner),
        _ => false,
    }
}

fn check_function(function: &Function) -> Result<()> {
    let name = function.name.to_string().to_lowercase().replace('"', "");
    if function.over.is_some() && !WINDOW_FUNCTIONS.contains(&name.as_str()) {
        return Err(refused(&format!("{name} over a window")));
    }
    if PATTERN_FUNCTIONS.contains(&name.as_str()) && !has_literal_pattern(&function.args) {
        return Err(row_pattern());
    }
    Ok(())
}

fn has_literal_pattern(args: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = args else { return false };
    match list.args.get(1) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))) => is_literal(pattern),
        // The planner says what is missing.
        None => true,
        Some(_) => false,
    }
}

//! How large a statement becomes once its CTEs and subqueries are unfolded.
//!
//! The planner copies a CTE wherever it is named and pushes a filter through a projection by putting the projected
//! expression in the filter's place: `b AS (SELECT x || x AS x FROM a)`, forty times over, is a text of 2 KB that
//! needs 2^40 nodes to plan and as many bytes to evaluate, inside one call that no deadline interrupts. So both
//! are bounded here, by an estimate that is never too low by more than the width of a stored text:
//!
//! - *tables*: how many tables are read after every CTE is copied;
//! - *width*: nodes of an expression after substitution, a literal counting its bytes, a column [`COLUMN_WIDTH`].

mod expression;

use crate::error::{Error, Result};
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins,
};
use expression::Width;
use std::collections::HashMap;

/// The widest named question reads 15 tables. Each table is a scan with its own file handles and buffers.
const TABLES: u64 = 64;

/// 2,048 columns named in one expression, or a batch of 4,096 rows of 64 KB: 256 MB, one query's memory.
pub(super) const WIDTH: u64 = 64 << 10;

/// Bytes that a stored value is taken to have: between a number (8) and a hash (66).
pub(super) const COLUMN_WIDTH: u64 = 32;

/// Refuses a query that unfolds beyond bounds.
pub(super) fn check(query: &Query) -> Result<()> {
    Scope::default().query(query).map(|_| ())
}

/// What a table, a CTE or a subquery costs whoever names it.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    /// Tables read.
    tables: u64,
    /// Width of the columns that have a name.
    columns: HashMap<String, u64>,
    /// Width of every other column.
    rest: u64,
}

impl Relation {
    fn stored() -> Self {
        Self { tables: 1, columns: HashMap::new(), rest: COLUMN_WIDTH }
    }

    fn widest(&self) -> u64 {
        self.columns.values().copied().fold(self.rest, u64::max)
    }

    /// Under an alias that renames columns, no column is known by its name.
    fn renamed(self, alias: Option<&TableAlias>) -> Self {
        match alias {
            Some(alias) if !alias.columns.is_empty() => {
                Self { tables: self.tables, rest: self.widest(), columns: HashMap::new() }
            }
            _ => self,
        }
    }

    fn name(&mut self, column: &str, width: u64) {
        let known = self.columns.entry(column.to_lowercase()).or_default();
        *known = width.max(*known);
    }
}

/// The CTEs in force, and the relations that columns may come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    ctes: HashMap<String, Relation>,
    from: Vec<Relation>,
}

impl Scope {
    /// The width of the column that an identifier names.
    pub(super) fn column(&self, name: &str) -> u64 {
        let name = name.to_lowercase();
        let width = |relation: &Relation| relation.columns.get(&name).copied().unwrap_or(relation.rest);
        match self.from.iter().map(width).fold(0, u64::max) {
            // No relation has it: the planner will say so, after it has done the work of looking.
            0 => self.from.iter().map(Relation::widest).fold(COLUMN_WIDTH, u64::max),
            width => width,
        }
    }

    /// What a query costs.
    pub(super) fn query(&self, query: &Query) -> Result<Relation> {
        let mut scope = self.clone();
        for Cte { alias, query, .. } in query.with.iter().flat_map(|with| &with.cte_tables) {
            let relation = scope.query(query)?.renamed(Some(alias));
            scope.ctes.insert(alias.name.value.to_lowercase(), relation);
        }
        let relation = scope.body(&query.body)?;
        scope.from.push(relation.clone());
        let mut width = Width::new(&scope);
        width.clauses_after(query)?;
        bounded(relation, width.tables)
    }

    fn body(&self, body: &SetExpr) -> Result<Relation> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                let (left, right) = (self.body(left)?, self.body(right)?);
                let rest = left.widest().max(right.widest());
                bounded(Relation { tables: left.tables, columns: HashMap::new(), rest }, right.tables)
            }
            SetExpr::Values(values) => {
                let mut width = Width::new(self);
                let mut rest = 0;
                for expr in values.rows.iter().flat_map(|row| &row.content) {
                    rest = rest.max(width.of(expr)?);
                }
                bounded(Relation { tables: 1, columns: HashMap::new(), rest }, width.tables)
            }
            _ => Ok(Relation::stored()),
        }
    }

    fn select(&self, select: &Select) -> Result<Relation> {
        let mut scope = self.clone();
        let mut tables = 0;
        for TableWithJoins { relation, joins } in &select.from {
            for factor in std::iter::once(relation).chain(joins.iter().map(|join| &join.relation)) {
                let relation = scope.factor(factor)?;
                tables += relation.tables;
                scope.from.push(relation);
            }
        }
        let mut out = Relation { tables: tables.max(1), ..Relation::default() };
        let own = &scope.from[self.from.len()..];
        let mut width = Width::new(&scope);
        for item in &select.projection {
            project(item, own, &mut width, &mut out)?;
        }
        for join in select.from.iter().flat_map(|from| &from.joins) {
            if let Some(expr) = on_clause(&join.join_operator) {
                width.of(expr)?;
            }
        }
        let tables = width.tables;
        // GROUP BY, HAVING and QUALIFY may name what the projection made.
        scope.from.push(out.clone());
        let mut width = Width::new(&scope);
        width.clauses_of(select)?;
        bounded(out, tables.saturating_add(width.tables))
    }

    fn factor(&self, factor: &TableFactor) -> Result<Relation> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let name = name.to_string().to_lowercase().replace('"', "");
                let relation = self.ctes.get(&name).cloned().unwrap_or_else(Relation::stored);
                Ok(relation.renamed(alias.as_ref()))
            }
            TableFactor::Derived { subquery, alias, .. } => Ok(self.query(subquery)?.renamed(alias.as_ref())),
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.nested(table_with_joins, alias.as_ref())
            }
            TableFactor::UNNEST { array_exprs, .. } => {
                let mut width = Width::new(self);
                let mut rest = COLUMN_WIDTH;
                for expr in array_exprs {
                    rest = rest.max(width.of(expr)?);
                }
                bounded(Relation { tables: 1, columns: HashMap::new(), rest }, width.tables)
            }
            _ => Ok(Relation::stored()),
        }
    }

    fn nested(&self, inner: &TableWithJoins, alias: Option<&TableAlias>) -> Result<Relation> {
        let mut out = self.factor(&inner.relation)?;
        for join in &inner.joins {
            let right = self.factor(&join.relation)?;
            for (column, width) in &right.columns {
                out.name(column, *width);
            }
            out.rest = out.rest.max(right.rest);
            out = bounded(out, right.tables)?;
        }
        Ok(out.renamed(alias))
    }
}

/// Adds what one item of a projection costs to `out`.
fn project(item: &SelectItem, from: &[Relation], width: &mut Width<'_>, out: &mut Relation) -> Result<()> {
    match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            for relation in from {
                out.rest = out.rest.max(relation.rest);
                for (column, width) in &relation.columns {
                    out.name(column, *width);
                }
            }
        }
        SelectItem::ExprWithAlias { expr, alias } => {
            let found = width.of(expr)?;
            out.name(&alias.value, found);
        }
        SelectItem::UnnamedExpr(Expr::Identifier(column)) => {
            let found = width.of(&Expr::Identifier(column.clone()))?;
            out.name(&column.value, found);
        }
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAliases { expr, .. } => {
            out.rest = out.rest.max(width.of(expr)?);
        }
    }
    Ok(())
}

fn on_clause(operator: &JoinOperator) -> Option<&Expr> {
    use JoinOperator as Join;
    match operator {
        Join::Join(JoinConstraint::On(on))
        | Join::Inner(JoinConstraint::On(on))
        | Join::Left(JoinConstraint::On(on))
        | Join::LeftOuter(JoinConstraint::On(on))
        | Join::Right(JoinConstraint::On(on))
        | Join::RightOuter(JoinConstraint::On(on))
        | Join::FullOuter(JoinConstraint::On(on))
        | Join::CrossJoin(JoinConstraint::On(on))
        | Join::Semi(JoinConstraint::On(on))
        | Join::LeftSemi(JoinConstraint::On(on))
        | Join::RightSemi(JoinConstraint::On(on))
        | Join::Anti(JoinConstraint::On(on))
        | Join::LeftAnti(JoinConstraint::On(on))
        | Join::RightAnti(JoinConstraint::On(on)) => Some(on),
        _ => None,
    }
}

/// `relation` with `more` tables, when that is not too many.
fn bounded(mut relation: Relation, more: u64) -> Result<Relation> {
    relation.tables = relation.tables.saturating_add(more);
    if relation.tables > TABLES {
        return Err(Error::TooComplex {
            what: "tables once its CTEs are unfolded",
            found: relation.tables,
            limit: TABLES,
        });
    }
    Ok(relation)
}

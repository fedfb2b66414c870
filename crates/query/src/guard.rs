//! What a statement may be, judged on its text before anything is planned.
//!
//! ```text
//! text ──parse──▶ one statement ──shape──▶ reads only ──cost──▶ bounded ──▶ planner ──plan──▶ our tables only
//! ```
//!
//! - [`shape`]: which statements, clauses, table factors and functions there may be.
//! - [`cost`]: how large a statement becomes once its CTEs and subqueries are unfolded.
//! - [`plan`]: the same question asked again of the logical plan, by another way of looking.
//!
//! Each is enough for the hostile statements that it was made for; together they are the allow-list.

mod cost;
pub(crate) mod plan;
mod shape;

use crate::error::{Error, Result};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast;
use std::ops::ControlFlow;

/// The longest named fraud query has 4 KB. 64 KB hold a list of a thousand items.
const STATEMENT_BYTES: usize = 64 << 10;

/// Nesting of parentheses and subqueries that the parser follows.
const NESTING: usize = 50;

/// The one statement of `sql`, when it only reads and is bounded.
///
/// # Errors
/// [`Error::Syntax`], [`Error::NotAllowed`], [`Error::TooComplex`].
pub(crate) fn parse(sql: &str) -> Result<Statement> {
    if sql.len() > STATEMENT_BYTES {
        return Err(Error::TooComplex {
            what: "bytes",
            found: sql.len() as u64,
            limit: STATEMENT_BYTES as u64,
        });
    }
    let mut parser = DFParserBuilder::new(sql).with_recursion_limit(NESTING).build()?;
    let mut statements = parser.parse_statements()?;
    let count = statements.len();
    let (Some(mut statement), 1) = (statements.pop_front(), count) else {
        let text = if count == 0 { "there is no statement" } else { "there is more than one statement" };
        return Err(Error::Syntax(text.to_owned()));
    };
    shape::check(&statement)?;
    if let Some(query) = query_of(&mut statement) {
        cost::check(query)?;
        lower_case_hashes(query);
    }
    Ok(statement)
}

/// The query that a statement asks or explains; `None` for those that ask of the catalogue.
fn query_of(statement: &mut Statement) -> Option<&mut ast::Query> {
    match statement {
        Statement::Statement(inner) => match inner.as_mut() {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        },
        Statement::Explain(explain) => query_of(&mut explain.statement),
        _ => None,
    }
}

/// Addresses and hashes are shown in lower case; people paste them in the checksum form of EIP-55.
/// A literal that is one is read without regard to case.
fn lower_case_hashes(query: &mut ast::Query) {
    struct Lower;
    impl ast::VisitorMut for Lower {
        type Break = std::convert::Infallible;

        fn pre_visit_value(&mut self, value: &mut ast::ValueWithSpan) -> ControlFlow<Self::Break> {
            if let ast::Value::SingleQuotedString(text) = &mut value.value {
                let digits = text.strip_prefix("0x").unwrap_or_default();
                let is_hash =
                    matches!(digits.len(), 40 | 64) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                if is_hash {
                    text.make_ascii_lowercase();
                }
            }
            ControlFlow::Continue(())
        }
    }
    let ControlFlow::Continue(()) = ast::VisitMut::visit(query, &mut Lower);
}

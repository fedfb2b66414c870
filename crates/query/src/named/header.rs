//! The header of a query's file, in one strict form.
//!
//! ```sql
//! -- title: One identity on two living tokens
//! -- asks: an investigator of a regulator
//! -- why: A serial exists once. …
//! --   A line that begins so goes on with the one before.
//! -- parameter: gtin gtin = null | only packs of this product
//! -- parameter: party text | its GLN; without `=` it must be given
//! -- column: item | key of the pack
//!
//! SELECT … ORDER BY … LIMIT $limit
//! ```
//!
//! The keys come in this order; there is at least one column, and an empty line before the statement. `= null` is no
//! value. Every `$name` of the statement is declared, and every declared one used; `limit` is declared for all.

use super::parameter::{Parameter, Type};
use super::{LIMIT, NamedColumn, NamedQuery, ROWS};

/// Keys, in the order in which they must stand.
const KEYS: [&str; 5] = ["title", "asks", "why", "parameter", "column"];

/// What goes on with the line before.
const CONTINUED: &str = "--   ";

/// The end of every statement: a total order, and a bound.
const END: &str = "LIMIT $limit";

/// A line of the header: its number, key and text.
struct Line {
    number: usize,
    key: &'static str,
    text: String,
}

/// Reads a file; an error names it with the line.
pub(super) fn parse(name: &'static str, text: &'static str) -> Result<NamedQuery, String> {
    let failed = |(number, why): (usize, String)| format!("queries/{name}.sql:{number}: {why}");
    let (header, sql) = text.split_once("\n\n").ok_or_else(|| {
        failed((text.lines().count(), "an empty line between header and statement is missing".to_owned()))
    })?;
    let lines = lines(header).map_err(failed)?;
    let one = |key: &str| match lines.iter().filter(|line| line.key == key).collect::<Vec<_>>().as_slice() {
        [line] => Ok(line.text.clone()),
        [] => Err(failed((1, format!("{key} is missing")))),
        [_, second, ..] => Err(failed((second.number, format!("{key} is told twice")))),
    };
    let of = |key: &'static str| lines.iter().filter(move |line| line.key == key);
    let mut parameters: Vec<_> = of("parameter").map(parameter).collect::<Result<_, _>>().map_err(failed)?;
    let columns: Vec<_> = of("column").map(column).collect::<Result<_, _>>().map_err(failed)?;
    if columns.is_empty() {
        return Err(failed((1, "column is missing".to_owned())));
    }
    parameters.push(limit());
    let sql = sql.trim();
    let first = header.lines().count() + 2;
    check_statement(sql, &parameters).map_err(|(line, why)| failed((first + line, why)))?;
    Ok(NamedQuery {
        name,
        title: one("title")?,
        asks: one("asks")?,
        why: one("why")?,
        parameters,
        columns,
        sql,
    })
}

fn limit() -> Parameter {
    let doc = "rows at most; the answer says when there are more".to_owned();
    let default = Some(ROWS.to_owned());
    Parameter { name: LIMIT.to_owned(), of: Type::Integer, required: false, default, doc }
}

type Parsed<T> = Result<T, (usize, String)>;

fn lines(header: &str) -> Parsed<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut least = 0;
    for (number, line) in (1..).zip(header.lines()) {
        let failed = |why: &str| (number, why.to_owned());
        if let Some(more) = line.strip_prefix(CONTINUED) {
            let last = lines.last_mut().ok_or_else(|| failed("there is no line to go on with"))?;
            last.text = format!("{} {}", last.text, more.trim());
            continue;
        }
        let told = line.strip_prefix("-- ").and_then(|line| line.split_once(": "));
        let (key, text) = told.ok_or_else(|| failed("'-- key: text' is expected"))?;
        let at = KEYS.iter().position(|known| *known == key);
        let at = at.ok_or_else(|| (number, format!("'{key}' is none of {}", KEYS.join(", "))))?;
        if at < least {
            return Err((number, format!("{key} stands before {}", KEYS[least])));
        }
        least = at;
        lines.push(Line { number, key: KEYS[at], text: text.trim().to_owned() });
    }
    Ok(lines)
}

/// `name type = default | meaning`
fn parameter(line: &Line) -> Parsed<Parameter> {
    let failed = |why: String| (line.number, why);
    let (declared, doc) = told(line)?;
    let (declared, default) = match declared.split_once(" = ") {
        Some((declared, default)) => (declared, Some(default.trim())),
        None => (declared, None),
    };
    let (name, of) = declared.split_once(' ').ok_or_else(|| failed("a type is missing".to_owned()))?;
    let of = of.trim().parse().map_err(failed)?;
    if name == LIMIT || !is_name(name) {
        return Err(failed(format!("'{name}' can be no name of a parameter")));
    }
    let required = default.is_none();
    let default = default.filter(|default| *default != "null").map(str::to_owned);
    let parameter = Parameter { name: name.to_owned(), of, required, default, doc };
    if !required {
        parameter.value(None).map_err(|error| failed(error.to_string()))?;
    }
    Ok(parameter)
}

/// `name | meaning`
fn column(line: &Line) -> Parsed<NamedColumn> {
    let (name, doc) = told(line)?;
    if !is_name(name) {
        return Err((line.number, format!("'{name}' can be no name of a column")));
    }
    Ok(NamedColumn { name: name.to_owned(), doc })
}

fn told(line: &Line) -> Parsed<(&str, String)> {
    let parts = line.text.split_once(" | ").map(|(what, doc)| (what.trim(), doc.trim().to_owned()));
    parts
        .filter(|(_, doc)| !doc.is_empty())
        .ok_or_else(|| (line.number, "' | meaning' is missing".to_owned()))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Lines of the statement are counted from 0.
fn check_statement(sql: &str, parameters: &[Parameter]) -> Parsed<()> {
    let last = sql.lines().count().saturating_sub(1);
    if !sql.ends_with(END) || !sql.contains("ORDER BY") {
        return Err((last, format!("a statement ends in ORDER BY … {END}")));
    }
    let mut used = Vec::new();
    for (number, line) in sql.lines().enumerate() {
        for after in line.split('$').skip(1) {
            let name = after.split(|end: char| !end.is_ascii_alphanumeric() && end != '_').next();
            let name = name.unwrap_or_default();
            if !parameters.iter().any(|parameter| parameter.name == name) {
                return Err((number, format!("${name} is not declared")));
            }
            used.push(name);
        }
    }
    match parameters.iter().find(|parameter| !used.contains(&parameter.name.as_str())) {
        Some(parameter) => Err((0, format!("${} is declared and not used", parameter.name))),
        None => Ok(()),
    }
}

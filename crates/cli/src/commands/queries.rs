//! `queries`: the named questions: which there are, what one is, and its answer.

use super::answer;
use crate::args::{Common, Queries};
use crate::door::{Door, Question};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{entry, print};
use query::format::Format;
use query::named::{NamedQuery, Parameter, catalogue, find};
use serde_json::json;
use std::fmt::Write as _;

/// Lists, describes, or asks.
pub(super) async fn execute(common: &Common, args: &Queries) -> Result<Exit> {
    let format: Format = args.format.into();
    let Some(name) = &args.name else {
        print(&list(catalogue()?, format)?)?;
        return Ok(Exit::Ok);
    };
    let query = find(name)?;
    if args.describe {
        print(&described(query))?;
        return Ok(Exit::Ok);
    }
    answer::check(format, args.output.as_deref())?;
    let door = Door::open(common, &args.data).await?;
    let question = Question::Named(query.name, &args.parameters);
    answer::write(&door, question, format, args.output.as_deref()).await?;
    Ok(Exit::Ok)
}

fn list(queries: &[NamedQuery], format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(as_text(queries)),
        Format::Json => Ok(format!("{:#}\n", json!({ "queries": queries }))),
        other => Err(Error::Request(format!("the list is a table or JSON, not {}", other.as_str()))),
    }
}

fn as_text(queries: &[NamedQuery]) -> String {
    let width = queries.iter().map(|query| query.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for query in queries {
        // Writing to a text cannot fail.
        writeln!(out, "{:<width$}  {}", query.name, query.title).ok();
        let own = query.parameters.iter().filter(|parameter| parameter.name != "limit");
        let own: Vec<_> = own.map(in_short).collect();
        if !own.is_empty() {
            writeln!(out, "{:<width$}    {}", "", own.join(" ")).ok();
        }
    }
    out.push_str("\nEach takes limit as well. More of one: rxtrail queries NAME --describe\n");
    out
}

/// `gtin=<gtin>`, in brackets where it may be left out.
fn in_short(parameter: &Parameter) -> String {
    let (name, of) = (&parameter.name, parameter.of.as_str());
    if parameter.required { format!("{name}=<{of}>") } else { format!("[{name}=<{of}>]") }
}

fn described(query: &NamedQuery) -> String {
    let mut out = format!("{}  {}\n", query.name, query.title);
    entry(&mut out, "asks", &query.asks);
    entry(&mut out, "why", &query.why);
    for Parameter { name, of, required, default, doc } in &query.parameters {
        let of = of.as_str();
        let how = match default {
            Some(default) => format!("{of}, {default} when left out"),
            None if *required => format!("{of}, must be given"),
            None => of.to_owned(),
        };
        entry(&mut out, "parameter", &format!("{name} ({how}): {doc}"));
    }
    for column in &query.columns {
        entry(&mut out, "column", &format!("{}: {}", column.name, column.doc));
    }
    writeln!(out, "\n{}", query.sql).ok();
    out
}

//! `sql`: one statement, statements from standard input, or a prompt.

mod prompt;
mod split;

use super::answer;
use crate::args::{Common, Sql};
use crate::door::{Door, Question};
use crate::error::{Error, Result};
use crate::exit::Exit;
use query::format::Format;
use std::io::{IsTerminal, Read, stdin};

/// A file of statements: a thousand named queries of 4 KB.
const INPUT_BYTES: u64 = 4 << 20;

/// Asks.
pub(super) async fn execute(common: &Common, args: &Sql) -> Result<Exit> {
    let format: Format = args.format.into();
    answer::check(format, args.output.as_deref())?;
    let from_input = args.query.is_none() && !stdin().is_terminal();
    if format == Format::Parquet && args.query.is_none() {
        return Err(Error::Request(
            "a Parquet file holds one answer: give the statement as an argument".to_owned(),
        ));
    }
    let door = Door::open(common, &args.data).await?;
    match &args.query {
        Some(sql) => answer::write(&door, Question::Sql(sql), format, args.output.as_deref()).await?,
        None if from_input => all(&door, &input()?, format).await?,
        None => prompt::run(&door, format).await?,
    }
    Ok(Exit::Ok)
}

/// Asks one statement after the other; the first that fails ends it.
async fn all(door: &Door, text: &str, format: Format) -> Result<()> {
    let (statements, rest) = split::statements(text);
    for sql in statements.into_iter().chain(Some(rest).filter(|rest| !split::is_blank(rest))) {
        answer::write(door, Question::Sql(sql), format, None).await?;
    }
    Ok(())
}

fn input() -> Result<String> {
    let mut text = String::new();
    let read = stdin().lock().take(INPUT_BYTES + 1).read_to_string(&mut text);
    read.map_err(|source| Error::Io { action: "read", path: "standard input".into(), source })?;
    if text.len() as u64 > INPUT_BYTES {
        return Err(Error::Request(format!("standard input has more than {INPUT_BYTES} bytes")));
    }
    Ok(text)
}

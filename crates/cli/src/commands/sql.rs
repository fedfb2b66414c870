//! `sql`: one statement, statements from standard input, or a prompt.

mod prompt;
mod split;

use crate::args::{Common, Sql};
use crate::client::Told;
use crate::door::Door;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::terminal::{Out, tell};
use query::format::Format;
use std::io::{IsTerminal, Read, Write, stdin, stdout};
use std::path::Path;

/// A file of statements: a thousand named queries of 4 KB.
const INPUT_BYTES: u64 = 4 << 20;

/// Asks.
pub(super) async fn execute(common: &Common, args: &Sql) -> Result<Exit> {
    let format: Format = args.format.into();
    if format == Format::Parquet && args.output.is_none() && stdout().is_terminal() {
        return Err(Error::Request("Parquet is no text: name a file by --output, or redirect".to_owned()));
    }
    let from_input = args.query.is_none() && !stdin().is_terminal();
    if format == Format::Parquet && args.query.is_none() {
        return Err(Error::Request(
            "a Parquet file holds one answer: give the statement as an argument".to_owned(),
        ));
    }
    let door = Door::open(common, &args.data).await?;
    match (&args.query, &args.output) {
        (Some(sql), Some(path)) => report(&to_file(&door, sql, format, path).await?),
        (Some(sql), None) => report(&door.ask(sql, format, &mut Out::new()).await?),
        (None, _) if from_input => all(&door, &input()?, format).await?,
        (None, _) => prompt::run(&door, format).await?,
    }
    Ok(Exit::Ok)
}

/// Asks one statement after the other; the first that fails ends it.
async fn all(door: &Door, text: &str, format: Format) -> Result<()> {
    let (statements, rest) = split::statements(text);
    for sql in statements.into_iter().chain(Some(rest).filter(|rest| !split::is_blank(rest))) {
        report(&door.ask(sql, format, &mut Out::new()).await?);
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

/// Writes an answer to a file, whole or not at all.
async fn to_file(door: &Door, sql: &str, format: Format, path: &Path) -> Result<Told> {
    let failed = |source| Error::Io { action: "write", path: path.to_path_buf(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    let mut out = std::io::BufWriter::new(file.as_file_mut());
    let told = door.ask(sql, format, &mut out).await?;
    out.flush().map_err(failed)?;
    drop(out);
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(told)
}

/// Says what the answer was made of.
fn report(told: &Told) {
    if told.truncated {
        tell("rows were cut off at the limit of one answer: narrow the question, or raise [query] rows");
    }
    tell(&told.snapshot);
}

//! Writing one answer: to standard output, or to a file, and saying what it was made of.

use crate::client::Told;
use crate::door::{Door, Question};
use crate::error::{Error, Result};
use crate::terminal::{Out, tell};
use query::format::Format;
use std::io::{IsTerminal, Write, stdout};
use std::path::Path;

/// Refuses to write bytes to a terminal.
///
/// # Errors
/// When that is what is asked for.
pub(super) fn check(format: Format, output: Option<&Path>) -> Result<()> {
    if format == Format::Parquet && output.is_none() && stdout().is_terminal() {
        return Err(Error::Request("Parquet is no text: name a file by --output, or redirect".to_owned()));
    }
    Ok(())
}

/// Asks, and writes the answer.
///
/// # Errors
/// What the question, or writing its answer, fails with.
pub(super) async fn write(
    door: &Door,
    question: Question<'_>,
    format: Format,
    output: Option<&Path>,
) -> Result<()> {
    let told = match output {
        Some(path) => to_file(door, question, format, path).await?,
        None => door.ask(question, format, &mut Out::new()).await?,
    };
    report(question, &told);
    Ok(())
}

/// Writes an answer to a file, whole or not at all.
async fn to_file(door: &Door, question: Question<'_>, format: Format, path: &Path) -> Result<Told> {
    let failed = |source| Error::Io { action: "write", path: path.to_path_buf(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    let mut out = std::io::BufWriter::new(file.as_file_mut());
    let told = door.ask(question, format, &mut out).await?;
    out.flush().map_err(failed)?;
    drop(out);
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(told)
}

/// Says what the answer was made of.
fn report(question: Question<'_>, told: &Told) {
    if told.truncated {
        tell(match question {
            Question::Sql(_) => {
                "rows were cut off at the limit of one answer: narrow the question, or raise [query] rows"
            }
            Question::Named(..) => "there are more rows: ask with --param limit=…, up to [query] rows",
        });
    }
    tell(&told.snapshot);
}

//! The prompt: statements over several lines, ended by `;`, with a history.

use super::split;
use crate::commands::answer;
use crate::door::{Door, Question};
use crate::error::{Error, Result};
use crate::terminal::{print, tell};
use query::format::Format;
use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, Result as Line};
use std::path::PathBuf;

const HELP: &str = "\
A statement may run over several lines and ends with ;
  \\d          tables
  \\d NAME     columns of a table
  \\f FORMAT   table, csv, json, ndjson
  \\q          end
";

/// Lines of the history that are kept.
const HISTORY_LINES: usize = 10_000;

/// What a line is.
enum Said {
    Nothing,
    End,
    Ask(String),
    Format(Format),
    Help(String),
}

/// Asks what is typed until it ends.
pub(super) async fn run(door: &Door, mut format: Format) -> Result<()> {
    let mut editor = editor()?;
    let history = history_path();
    if let Some(path) = &history {
        // There is none the first time.
        editor.load_history(path).ok();
    }
    tell("rxtrail: \\h for help, \\q to end");
    let mut begun = String::new();
    loop {
        let line = editor.readline(if begun.is_empty() { "rxtrail> " } else { "      -> " });
        let statements = match heard(line, &mut begun)? {
            Said::End => break,
            Said::Nothing => continue,
            Said::Help(text) => {
                print(&text)?;
                continue;
            }
            Said::Format(asked) => {
                format = asked;
                continue;
            }
            Said::Ask(statements) => statements,
        };
        editor.add_history_entry(statements.trim()).map_err(|error| failed(&error))?;
        for sql in split::statements(&statements).0 {
            match answer::write(door, Question::Sql(sql), format, None).await {
                Ok(()) => {}
                Err(error @ (Error::Query(_) | Error::Refusal { .. })) => tell(&format!("error: {error}")),
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(path) = &history {
        let kept = path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(ReadlineError::from);
        if let Err(error) = kept.and_then(|()| editor.save_history(path)) {
            tell(&format!("the history cannot be kept in {}: {error}", path.display()));
        }
    }
    Ok(())
}

fn editor() -> Result<DefaultEditor> {
    let config =
        rustyline::Config::builder().max_history_size(HISTORY_LINES).map_err(|error| failed(&error))?;
    DefaultEditor::with_config(config.auto_add_history(false).build()).map_err(|error| failed(&error))
}

fn failed(error: &ReadlineError) -> Error {
    Error::Internal(format!("the prompt failed: {error}"))
}

/// What a line means, after the lines that were begun.
fn heard(line: Line<String>, begun: &mut String) -> Result<Said> {
    let line = match line {
        Ok(line) => line,
        Err(ReadlineError::Eof) => return Ok(Said::End),
        Err(ReadlineError::Interrupted) => {
            begun.clear();
            return Ok(Said::Nothing);
        }
        Err(error) => return Err(failed(&error)),
    };
    if begun.is_empty() && line.trim_start().starts_with('\\') {
        return Ok(command(line.trim()));
    }
    begun.push_str(&line);
    begun.push('\n');
    let (found, rest) = split::statements(begun);
    if found.is_empty() {
        if split::is_blank(begun) {
            begun.clear();
        }
        return Ok(Said::Nothing);
    }
    let (asked, rest) = (begun[..begun.len() - rest.len()].to_owned(), rest.to_owned());
    *begun = if split::is_blank(&rest) { String::new() } else { rest };
    Ok(Said::Ask(asked))
}

fn command(line: &str) -> Said {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (name, rest.trim()) {
        ("\\q", _) => Said::End,
        ("\\d", "") => Said::Ask("SHOW TABLES;".to_owned()),
        ("\\d", table) => Said::Ask(format!("DESCRIBE {};", table.trim_end_matches(';'))),
        ("\\f", format) => match format.parse() {
            Ok(Format::Parquet) => Said::Help(
                "Parquet is no text: rxtrail sql --format parquet --output FILE 'SELECT …'\n".to_owned(),
            ),
            Ok(format) => Said::Format(format),
            Err(error) => Said::Help(format!("{error}\n")),
        },
        _ => Said::Help(HELP.to_owned()),
    }
}

/// Where the history is kept: `$XDG_STATE_HOME/rxtrail/sql_history`.
fn history_path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("rxtrail/sql_history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(lines: &[&str]) -> (Vec<String>, String) {
        let mut begun = String::new();
        let mut asked = Vec::new();
        for line in lines {
            if let Said::Ask(sql) = heard(Ok((*line).to_owned()), &mut begun).unwrap() {
                asked.push(sql);
            }
        }
        (asked, begun)
    }

    #[test]
    fn a_statement_goes_over_lines_until_its_semicolon() {
        let (found, begun) = asked(&["SELECT 1", "  , ';'", "; SELECT 2; SELECT", "3;", "\\d events", ""]);
        assert_eq!(found, ["SELECT 1\n  , ';'\n; SELECT 2;", " SELECT\n3;", "DESCRIBE events;"]);
        assert_eq!(begun, "");
    }

    #[test]
    fn control_c_forgets_what_was_begun() {
        let mut begun = "SELECT".to_owned();
        assert!(matches!(heard(Err(ReadlineError::Interrupted), &mut begun), Ok(Said::Nothing)));
        assert_eq!(begun, "");
        assert!(matches!(heard(Err(ReadlineError::Eof), &mut begun), Ok(Said::End)));
    }
}

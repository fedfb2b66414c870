//! Writing: results to standard output, talk to standard error.
//!
//! A reader that went away (`rxtrail sql … | head`) is no error: there is nobody left to tell.

use crate::error::{Error, Result};
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

/// Writes to standard output.
///
/// # Errors
/// When it cannot be written to.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    settle(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Tells a person something, on standard error.
pub(crate) fn tell(text: &str) {
    let mut out = io::stderr().lock();
    // Nowhere is left to say that nothing can be said.
    writeln!(out, "{text}").ok();
}

fn settle(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Error::Io { action: "write to", path: PathBuf::from("standard output"), source }),
        Ok(()) => Ok(()),
    }
}

/// Standard output for an answer; a reader that went away swallows the rest.
pub(crate) struct Out {
    closed: bool,
}

impl Out {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self { closed: false }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match io::stdout().lock().write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// A text in bold or colour, when colours are on.
pub(crate) fn painted(text: &str, code: &str, is_on: bool) -> String {
    if is_on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Width of the text of an entry.
const WIDTH: usize = 96;

/// Adds a word and a text beside it, wrapped.
pub(crate) fn entry(out: &mut String, name: &str, text: &str) {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().filter(|line| line.is_empty() || line.len() + 1 + word.len() <= WIDTH);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let head = if at == 0 { name } else { "" };
        // Writing to a text cannot fail.
        writeln!(out, "  {head:<10} {line}").ok();
    }
}

/// What a chain or a file said, with control characters shown and not obeyed.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { char.escape_unicode().to_string() } else { char.to_string() })
        .collect()
}

//! `completions`: what a shell needs to complete our words.

use crate::args::{Arguments, Shell};
use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::print;
use clap::CommandFactory as _;

/// Writes the completions of a shell.
pub(super) fn execute(shell: Shell) -> Result<Exit> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rxtrail", &mut out);
    print(&String::from_utf8_lossy(&out))?;
    Ok(Exit::Ok)
}

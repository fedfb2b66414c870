//! The binary `rxtrail`: arguments, configuration, wiring.
//!
//! ```text
//! args ──▶ commands ──config──▶ wiring ──▶ ingest ▶ bus ▶ transform ▶ store ▶ query
//! ```
//!
//! In reading order: [`args`] is the command line, [`commands`] has one file for each command, [`config`] reads the
//! file, [`deployment`] is what rows depend on, [`wiring`] starts a process, [`door`] is where questions are asked,
//! [`exit`] and [`error`] are how it ends.

mod alert_line;
mod args;
mod ask;
mod client;
mod commands;
mod config;
mod deployment;
mod door;
mod error;
mod exit;
mod goals;
mod logs;
mod progress;
mod terminal;
mod wiring;

use args::Arguments;
use clap::Parser as _;
use error::Error;
use exit::Exit;
use eyre::WrapErr as _;
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::io::stderr;
use std::process::ExitCode;
use terminal::tell;

/// Rows are made on one thread and dropped on others, and the system's allocator keeps what was freed in the arena of
/// each: a backfill of a million events peaked at 1.3 GB with glibc's and at 0.9 GB with mimalloc, of 0.4 GB in use.
/// How it is set stands in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let colours = arguments.common.color.is_on(&stderr());
    match run(arguments) {
        Ok(exit) => exit.into(),
        Err(report) => fail(&report, colours),
    }
}

fn run(arguments: Arguments) -> eyre::Result<Exit> {
    // Whoever speaks TLS needs a provider, and there is one for the process. A second call would find it set.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().wrap_err("cannot start threads")?;
    let result = runtime.block_on(commands::execute(arguments));
    // What still blocks (a prompt, a file) does not hold the process up.
    runtime.shutdown_background();
    Ok(result?)
}

/// Says what went wrong, and ends with the code that stands for it.
fn fail(report: &eyre::Report, colours: bool) -> ExitCode {
    let error = report.downcast_ref::<Error>();
    match error {
        Some(Error::Interrupted) => {}
        Some(Error::Refused(refused)) => tell(&rendered(refused, colours)),
        _ => tell(&format!("error: {report:#}")),
    }
    error.map_or(Exit::Software, Error::exit).into()
}

/// A configuration's faults with the lines that they are in.
fn rendered(refused: &dyn miette::Diagnostic, colours: bool) -> String {
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut out = String::new();
    match GraphicalReportHandler::new_themed(theme).with_links(false).render_report(&mut out, refused) {
        Ok(()) => out,
        // A text can be written to; if it could not, the plain message is better than none.
        Err(_) => refused.to_string(),
    }
}

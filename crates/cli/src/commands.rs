//! The commands, one file each.

mod answer;
mod bus;
mod check;
mod completions;
mod demo;
mod pedigree;
mod queries;
mod rederive;
mod replay;
mod rewind;
mod rules;
mod run;
mod simulate;
mod sql;
mod store;

use crate::args::{Arguments, Command};
use crate::error::Result;
use crate::exit::Exit;
use crate::wiring::Role;

/// Does what the command line says.
///
/// # Errors
/// What the command fails with.
pub(crate) async fn execute(arguments: Arguments) -> Result<Exit> {
    let common = &arguments.common;
    match arguments.command {
        Command::Demo(args) => demo::execute(common, &args).await,
        Command::Run(args) => run::execute(common, &args, Role::Whole).await,
        Command::Ingest(args) => run::ingest(common, &args).await,
        Command::Transform(args) => run::execute(common, &args, Role::Transform).await,
        Command::Query(args) => run::query(common, &args).await,
        Command::Sql(args) => sql::execute(common, &args).await,
        Command::Queries(args) => queries::execute(common, &args).await,
        Command::Pedigree(args) => pedigree::execute(common, &args).await,
        Command::Check(args) => check::execute(common, &args).await,
        Command::Simulate(args) => simulate::execute(common, &args).await,
        Command::Bus(command) => bus::execute(common, &command).await,
        Command::Store(args) => store::execute(common, &args).await,
        Command::Rederive(args) => rederive::execute(common, &args).await,
        Command::Replay(args) => replay::execute(common, &args).await,
        Command::Rewind(args) => rewind::execute(common, &args).await,
        Command::Rules(args) => rules::execute(&args),
        Command::Completions { shell } => completions::execute(shell),
    }
}

//! The built program `rxtrail` as people run it: processes, files, signals.

mod commands;
mod demo;
mod kill;
mod lies;
mod process;
mod trade;

//! The built program `rxtrail` as people run it: processes, files, signals.

mod commands;
mod demo;
mod kafka;
mod kill;
mod lies;
mod process;
mod trade;

//! The built program `rxtrail` as people run it: processes, files, signals.

mod apart;
mod commands;
mod company;
mod demo;
mod kill;
mod lies;
mod process;
mod replay;
mod trade;

//! Everything that crosses crates.
#![cfg(test)]
#![allow(unreachable_pub, reason = "nobody imports the tests")]

mod anvil;
mod architecture;
mod binary;
mod broker;
mod cast;
mod clickhouse;
mod deployment;
mod lines;
mod node;
mod planted;
mod simulated;
mod simulation;
mod wire;

//! What is told and stored is the same whatever restarts and losses of power come between.

#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod across;
mod disks;
mod late;

//! Where a store lives and what it may use.

use crate::versions::Versions;
use std::path::PathBuf;

/// Where a store lives and what it may use.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder. Made when missing.
    pub dir: PathBuf,
    /// What rows are made by from now on: written into every record of the commit log.
    pub versions: Versions,
    /// Final rows that wait in memory, all tables and chains together, before they are written to files.
    pub flush_rows: usize,
    /// Threads that write the files of one flush.
    pub threads: usize,
    /// Merge small files in the background.
    pub compaction: bool,
    /// How many flushes a replaced file outlives: how far `rewind` can go back.
    pub retain_flushes: u64,
}

impl Config {
    /// The defaults for a data folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            versions: Versions::default(),
            // 256 Ki rows of ~200 bytes are 52 MB, in a backfill only: at the head what is final is a few rows.
            flush_rows: 256 * 1024,
            // A flush has about ten files; each thread holds one of them in memory, and waits for the disk at its end.
            threads: 3,
            compaction: true,
            // At the head of Ethereum a flush follows each finalised epoch: 64 × 6.4 min are 7 hours.
            retain_flushes: 64,
        }
    }
}

//! What one question may cost.

use std::time::Duration;

/// Bounds of every question that an engine answers.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the moment that it runs to its last row.
    pub deadline: Duration,
    /// How long it may wait for a place to run.
    pub queue_wait: Duration,
    /// How many run at the same time.
    pub concurrent: usize,
    /// Working memory of one.
    pub memory_bytes: usize,
    /// What one may spill to disk.
    pub spill_bytes: u64,
    /// Rows of one answer; what is beyond is cut off, and the answer says so.
    pub rows: u64,
    /// Bytes of one answer in memory, before it is written in its format; cut off likewise.
    pub bytes: u64,
}

/// An hour of events of a busy chain is 11.5 M rows: a first look at it ends in seconds on two cores, and what takes
/// longer than a minute is asked of the files by a tool made for it.
const DEADLINE: Duration = Duration::from_secs(60);
/// Long enough for a dashboard that opens eight panels at once, short enough for a person to wait.
const QUEUE_WAIT: Duration = Duration::from_secs(10);
/// Two cores feed four: two compute while two wait for files.
const CONCURRENT: usize = 4;
/// 4 × 256 MB leaves room for ingest and state on a machine of 4 GB. It holds a hash table of 4 M groups.
const MEMORY_BYTES: usize = 256 << 20;
/// 4 × 2 GB: a sort of 20 M events of 100 bytes fits.
const SPILL_BYTES: u64 = 2 << 30;
/// What a person pages through or a spreadsheet opens (1,048,576 rows).
const ROWS: u64 = 1_000_000;
/// A thousand bytes a row for as many rows.
const BYTES: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: DEADLINE,
            queue_wait: QUEUE_WAIT,
            concurrent: CONCURRENT,
            memory_bytes: MEMORY_BYTES,
            spill_bytes: SPILL_BYTES,
            rows: ROWS,
            bytes: BYTES,
        }
    }
}

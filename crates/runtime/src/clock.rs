//! Wall time, for metrics of operation only. What is stored knows block time and nothing else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01 UTC; negative before.
pub fn unix_secs() -> i64 {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH);
    match since(SystemTime::now()) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |secs| -secs),
    }
}

/// Measures how long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Timer {
    started: Instant,
}

impl Timer {
    /// Begins now.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Seconds since it began; never runs backwards.
    pub fn elapsed_secs(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::{Timer, unix_secs};

    #[test]
    fn time_of_day_is_after_this_was_written_and_timers_do_not_run_backwards() {
        assert!(unix_secs() > 1_700_000_000);
        let timer = Timer::start();
        let first = timer.elapsed_secs();
        assert!((0.0..=timer.elapsed_secs()).contains(&first));
    }
}

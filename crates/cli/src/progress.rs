//! How far long work is: a bar at a terminal, else a line every ten seconds.

use crate::terminal::tell;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far something is.
pub(crate) struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    lines: Mutex<Lines>,
}

struct Lines {
    total: u64,
    started: Instant,
    last: Instant,
}

impl Progress {
    /// Begins at 0 of `total`.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {per_sec} {eta}");
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message(what)
        });
        Self { what, bar, lines: Mutex::new(Lines { total, started: now, last: now }) }
    }

    /// There is more, or less, to do.
    pub(crate) fn set_total(&self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
        self.with_lines(|lines| lines.total = total);
    }

    /// So much is done.
    pub(crate) fn set(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        self.with_lines(|lines| {
            if lines.last.elapsed() >= LINE_EVERY {
                lines.last = Instant::now();
                tell(&line(self.what, done, lines.total, lines.started.elapsed()));
            }
        });
    }

    /// Says something above the bar.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn with_lines(&self, change: impl FnOnce(&mut Lines)) {
        // A panic elsewhere leaves the lines as they were.
        change(&mut self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

/// `1200/4800 blocks, 120/s, 30 s left`
fn line(what: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let left = if rate > 0.0 {
        format!(", {:.0} s left", total.saturating_sub(done) as f64 / rate)
    } else {
        String::new()
    };
    format!("{done}/{total} {what}, {rate:.0}/s{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        assert_eq!(line("blocks", 1200, 4800, Duration::from_secs(10)), "1200/4800 blocks, 120/s, 30 s left");
        assert_eq!(line("blocks", 0, 4800, Duration::from_secs(10)), "0/4800 blocks, 0/s");
    }
}

//! How many requests an endpoint is sent at once: fewer when it says that they are too many, more again in time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

/// The most requests under way to one endpoint: twice the default number of reads, each with a request or two.
const WIDE: usize = 8;

/// Answers after which one more request is let through: at `WIDE`, some seconds of work.
const WIDENED_AFTER: u32 = 64;

/// Lets a number of requests through at once.
#[derive(Debug)]
pub(crate) struct Gate {
    permits: Semaphore,
    width: Mutex<Width>,
}

#[derive(Debug, Clone, Copy)]
struct Width {
    permits: usize,
    /// Permits that are in use and go when they come back.
    owed: usize,
    answers: u32,
}

/// A request that was let through.
#[derive(Debug)]
pub(crate) struct Pass<'g> {
    gate: &'g Gate,
    permit: Option<SemaphorePermit<'g>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(WIDE),
            width: Mutex::new(Width { permits: WIDE, owed: 0, answers: 0 }),
        }
    }
}

impl Gate {
    /// Waits to be let through.
    pub(crate) async fn enter(&self) -> Result<Pass<'_>, AcquireError> {
        Ok(Pass { gate: self, permit: Some(self.permits.acquire().await?) })
    }

    /// An answer came.
    pub(crate) fn answered(&self) {
        let mut width = self.width();
        width.answers += 1;
        if width.answers < WIDENED_AFTER || width.permits == WIDE {
            return;
        }
        width.permits += 1;
        width.answers = 0;
        match width.owed {
            0 => self.permits.add_permits(1),
            _ => width.owed -= 1,
        }
    }

    /// The endpoint said that requests were too many: half of them from now on.
    pub(crate) fn narrow(&self) {
        let mut width = self.width();
        let fewer = width.permits / 2;
        let gone = self.permits.forget_permits(fewer);
        *width = Width { permits: width.permits - fewer, owed: width.owed + fewer - gone, answers: 0 };
    }

    fn width(&self) -> MutexGuard<'_, Width> {
        self.width.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut width = self.gate.width();
        if width.owed > 0
            && let Some(permit) = self.permit.take()
        {
            width.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(gate: &Gate) -> usize {
        gate.permits.available_permits()
    }

    #[tokio::test]
    async fn it_narrows_to_one_and_widens_again() {
        let gate = Gate::default();
        for width in [4, 2, 1, 1] {
            gate.narrow();
            assert_eq!(free(&gate), width);
        }
        for _ in 0..20 * WIDENED_AFTER {
            gate.answered();
        }
        assert_eq!(free(&gate), WIDE);
    }

    #[tokio::test]
    async fn what_is_under_way_finishes_and_is_not_replaced() {
        let gate = Gate::default();
        let mut under_way = Vec::new();
        for _ in 0..WIDE {
            under_way.push(gate.enter().await.unwrap());
        }
        gate.narrow();
        under_way.truncate(4);
        assert_eq!(free(&gate), 0);
        drop(under_way);
        assert_eq!(free(&gate), 4);
    }

    #[tokio::test]
    async fn widening_forgives_what_is_owed_first() {
        let gate = Gate::default();
        let mut under_way = Vec::new();
        for _ in 0..WIDE {
            under_way.push(gate.enter().await.unwrap());
        }
        gate.narrow();
        for _ in 0..WIDENED_AFTER {
            gate.answered();
        }
        drop(under_way);
        assert_eq!(free(&gate), 5);
    }
}

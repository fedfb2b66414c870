//! Bounded retry: what may succeed later is tried again, after pauses that double and are jittered by a seed.

use model::error::ErrorClass;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest pause that another's hint (a Retry-After, say) may ask for: an hour's ban must not look like a hang.
pub const HINT_MAX: Duration = Duration::from_secs(300);

/// How often and how patiently to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries in all, the first included; 0 counts as 1.
    pub attempts_max: u32,
    /// Pause after the first failure, before jitter.
    pub first_delay: Duration,
    /// Pauses double up to this.
    pub delay_max: Duration,
}

/// What an error says about another try.
pub trait Failure {
    /// Only what is transient is tried again.
    fn class(&self) -> ErrorClass;

    /// The pause that the other side asked for.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Why there is no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GaveUp<E: std::error::Error + 'static> {
    /// It failed for good, or too often.
    #[error("after {attempts} attempts: {source}")]
    Failed {
        /// Tries in all.
        attempts: u32,
        /// The last failure.
        source: E,
    },
    /// The process ends.
    #[error("stopped")]
    Stopped,
}

/// The pauses of one operation. Pure: the same seed gives the same pauses.
#[derive(Debug, Clone)]
pub struct Backoff {
    policy: Policy,
    random: StdRng,
    attempts: u32,
}

impl Backoff {
    /// No try was made yet.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self { policy, random: StdRng::seed_from_u64(seed), attempts: 0 }
    }

    /// Tries so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The pause after a failure; `None` when there is to be no further try.
    ///
    /// Half of it is fixed and half is drawn, so that many who failed together do not come back together. A hint
    /// lengthens it, up to [`HINT_MAX`].
    pub fn after(&mut self, failure: &impl Failure) -> Option<Duration> {
        self.attempts += 1;
        let may_succeed = match failure.class() {
            ErrorClass::Transient => true,
            ErrorClass::BadData | ErrorClass::Fatal => false,
        };
        if !may_succeed || self.attempts >= self.policy.attempts_max {
            return None;
        }
        let doubled =
            2_u32.checked_pow(self.attempts - 1).and_then(|times| self.policy.first_delay.checked_mul(times));
        let delay = doubled.unwrap_or(self.policy.delay_max).min(self.policy.delay_max);
        let jittered = delay.mul_f64(self.random.random_range(0.5..=1.0));
        let hint = failure.retry_after().unwrap_or_default().min(HINT_MAX);
        Some(jittered.max(hint))
    }
}

/// Runs `operation` until it succeeds, fails for good, fails too often, or `stop` is cancelled.
///
/// A running try is dropped when the process is to end.
///
/// # Errors
/// [`GaveUp`] with the last failure.
pub async fn retry<T, E, F>(
    policy: Policy,
    seed: u64,
    stop: &CancellationToken,
    mut operation: impl FnMut() -> F,
) -> Result<T, GaveUp<E>>
where
    E: std::error::Error + Failure + 'static,
    F: Future<Output = Result<T, E>>,
{
    let mut backoff = Backoff::new(policy, seed);
    loop {
        let Some(result) = stop.run_until_cancelled(operation()).await else { return Err(GaveUp::Stopped) };
        let source = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(delay) = backoff.after(&source) else {
            return Err(GaveUp::Failed { attempts: backoff.attempts(), source });
        };
        tracing::debug!(error = %source, attempts = backoff.attempts(), delay_ms = delay.as_millis(), "trying again");
        if stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return Err(GaveUp::Stopped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Failure, GaveUp, HINT_MAX, Policy, retry};
    use model::error::ErrorClass;
    use std::time::Duration;
    use tokio_util::sync::CancellationToken;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
    #[error("failed")]
    struct Failed(ErrorClass, Option<Duration>);

    impl Failure for Failed {
        fn class(&self) -> ErrorClass {
            self.0
        }

        fn retry_after(&self) -> Option<Duration> {
            self.1
        }
    }

    const BUSY: Failed = Failed(ErrorClass::Transient, None);
    const WRONG: Failed = Failed(ErrorClass::BadData, None);
    const POLICY: Policy = Policy {
        attempts_max: 6,
        first_delay: Duration::from_millis(100),
        delay_max: Duration::from_millis(400),
    };
    const AT_ONCE: Policy =
        Policy { attempts_max: 4, first_delay: Duration::ZERO, delay_max: Duration::ZERO };

    fn delays(seed: u64) -> Vec<Duration> {
        let mut backoff = Backoff::new(POLICY, seed);
        std::iter::from_fn(|| backoff.after(&BUSY)).collect()
    }

    #[test]
    fn pauses_double_to_their_bound_with_half_of_each_drawn_from_the_seed() {
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
        for seed in 0..100 {
            let delays = delays(seed);
            assert_eq!(delays.len(), 5, "six tries have five pauses");
            for (delay, most_ms) in delays.into_iter().zip([100, 200, 400, 400, 400]) {
                let most = Duration::from_millis(most_ms);
                assert!((most / 2..=most).contains(&delay), "seed {seed}: {delay:?} of {most:?}");
            }
        }
    }

    #[test]
    fn a_hint_lengthens_a_pause_up_to_a_bound_and_never_shortens_it() {
        let after = |hint| Backoff::new(POLICY, 1).after(&Failed(ErrorClass::Transient, Some(hint)));
        assert_eq!(after(Duration::from_secs(9)), Some(Duration::from_secs(9)));
        assert_eq!(after(Duration::from_secs(86_400)), Some(HINT_MAX));
        assert_eq!(after(Duration::ZERO), Backoff::new(POLICY, 1).after(&BUSY));
    }

    #[test]
    fn what_cannot_succeed_and_what_failed_too_often_is_given_up() {
        for class in [ErrorClass::BadData, ErrorClass::Fatal] {
            assert_eq!(Backoff::new(POLICY, 1).after(&Failed(class, None)), None);
        }
        let never = Policy { attempts_max: 0, ..POLICY };
        assert_eq!(Backoff::new(never, 1).after(&BUSY), None);
        let long =
            Policy { attempts_max: u32::MAX, first_delay: Duration::MAX, delay_max: Duration::from_secs(1) };
        let mut backoff = Backoff::new(long, 1);
        assert!((0..200).all(|_| backoff.after(&BUSY).unwrap() <= Duration::from_secs(1)));
    }

    /// The answers in turn; how many were taken.
    async fn run(policy: Policy, answers: &[Result<u8, Failed>]) -> (Result<u8, GaveUp<Failed>>, usize) {
        let (mut taken, stop) = (0, CancellationToken::new());
        let trying = retry(policy, 1, &stop, || {
            taken += 1;
            std::future::ready(answers[taken - 1])
        });
        (trying.await, taken)
    }

    #[tokio::test]
    async fn an_operation_is_tried_until_it_succeeds_or_is_given_up() {
        assert_eq!(run(AT_ONCE, &[Err(BUSY), Err(BUSY), Ok(7), Ok(8)]).await, (Ok(7), 3));
        let failed = |attempts, source| Err(GaveUp::Failed { attempts, source });
        assert_eq!(run(AT_ONCE, &[Err(BUSY), Err(WRONG), Ok(7)]).await, (failed(2, WRONG), 2));
        assert_eq!(run(AT_ONCE, &[Err(BUSY); 9]).await, (failed(4, BUSY), 4));
        let error = run(AT_ONCE, &[Err(BUSY); 9]).await.0.unwrap_err().to_string();
        assert_eq!(error, "after 4 attempts: failed");
    }

    #[tokio::test]
    async fn nothing_is_waited_for_once_the_process_is_to_end() {
        let stop = CancellationToken::new();
        let patient = Policy { first_delay: Duration::from_secs(86_400), delay_max: Duration::MAX, ..POLICY };
        let pausing = retry(patient, 1, &stop, || {
            stop.cancel();
            std::future::ready(Err::<(), _>(BUSY))
        });
        assert_eq!(pausing.await, Err(GaveUp::Stopped));
        let never = retry(patient, 1, &stop, std::future::pending::<Result<(), Failed>>);
        assert_eq!(never.await, Err(GaveUp::Stopped));
    }
}

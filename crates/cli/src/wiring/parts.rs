//! The parts of a process: each runs until the process is to end, and when one fails, all end.

use crate::error::{Error, Result};
use runtime::health::{Health, State};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long the parts of a process have to end once they were asked to: a flush of 128 Ki rows takes a second, an
/// answer under way a minute at most, and orchestrators kill after half a minute.
const END_WITHIN: Duration = Duration::from_secs(25);

/// Parts that run.
#[derive(Debug)]
pub(crate) struct Parts {
    running: JoinSet<(String, Result<()>)>,
    stop: CancellationToken,
}

impl Parts {
    /// No parts yet; `stop` will end them.
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { running: JoinSet::new(), stop }
    }

    /// What ends them.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Runs a part; health is told when it fails.
    pub(super) fn spawn(
        &mut self,
        part: String,
        health: Health,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.running.spawn(async move {
            let result = work.await;
            if let Err(error) = &result {
                health.update(&part, State::Failed, false, error.to_string());
            }
            (part, result)
        });
    }

    /// Waits until the process ends: because it was asked to, or because a part of it cannot go on.
    ///
    /// # Errors
    /// What the first part that failed said.
    pub(crate) async fn ended(mut self) -> Result<()> {
        let mut first = self.next_end().await;
        self.stop.cancel();
        let rest = async {
            while !self.running.is_empty() {
                let end = self.next_end().await;
                first = std::mem::replace(&mut first, Ok(())).and(end);
            }
        };
        if tokio::time::timeout(END_WITHIN, rest).await.is_err() {
            tracing::warn!(secs = END_WITHIN.as_secs(), "parts of the process did not end and were cut off");
            self.running.shutdown().await;
        }
        first
    }

    async fn next_end(&mut self) -> Result<()> {
        match self.running.join_next().await {
            None => Ok(()),
            Some(Err(panic)) => Err(Error::Internal(panic.to_string())),
            Some(Ok((_, Err(error)))) => Err(error),
            Some(Ok((_, Ok(())))) if self.stop.is_cancelled() => Ok(()),
            Some(Ok((part, Ok(())))) => Err(Error::Ended { part, detail: "it was not asked to".to_owned() }),
        }
    }
}

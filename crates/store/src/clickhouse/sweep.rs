//! Sweeps away what counts for nobody: rows of attempts that failed, rows that the chain took back, old lines of the
//! book. What counts is never touched.
//!
//! A query may hold on to an earlier moment, in which something counts that later does not. So a moment is remembered,
//! and what it names as void or dead is swept once no query can be older than it.

use super::client::Client;
use super::moment::{Body, Moment, kept};
use super::schema::BOOK;
use crate::error::Result;
use model::tables::Table;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// How long one table may take to sweep: what counts for nobody is looked for in all of it.
const SWEEP_WITHIN: Duration = Duration::from_secs(3600);

/// Lines of the book that nobody needs any more stay for so many hours, for whoever wants to know what happened.
const LINES_HOURS: u32 = 48;

/// When what is swept, and what was.
#[derive(Debug)]
pub(super) struct Sweeper {
    client: Client,
    /// How long a moment is remembered before it is swept.
    after: Duration,
    remembered: Option<(Instant, Arc<Moment>)>,
    running: Option<oneshot::Receiver<Result<Moment>>>,
}

impl Sweeper {
    /// Nothing is remembered yet.
    pub(super) fn new(client: Client, after: Duration) -> Self {
        Self { client: client.for_long(SWEEP_WITHIN), after, remembered: None, running: None }
    }

    /// Looks whether something is to be swept, and gives the moment whose garbage is gone. `newest` has just been committed.
    pub(super) fn step(&mut self, newest: &Arc<Moment>) -> Option<Moment> {
        if let Some(running) = &mut self.running {
            let swept = match running.try_recv() {
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Closed) => None,
                Ok(swept) => Some(swept),
            };
            self.running = None;
            return match swept? {
                Ok(swept) => Some(swept),
                Err(error) => {
                    tracing::warn!(%error, "what counts for nobody could not be swept away; it is tried again");
                    None
                }
            };
        }
        match &self.remembered {
            None => self.remembered = Some((Instant::now(), newest.clone())),
            Some((since, _)) if since.elapsed() < self.after => {}
            Some((_, moment)) => {
                let (sender, receiver) = oneshot::channel();
                let (client, moment) = (self.client.clone(), moment.clone());
                tokio::spawn(async move {
                    // The writer may be gone: then the next one sweeps.
                    sender.send(sweep(&client, &moment).await).ok();
                });
                (self.running, self.remembered) = (Some(receiver), None);
            }
        }
        None
    }
}

/// Sweeps what a moment names; gives it with what is gone.
async fn sweep(client: &Client, moment: &Moment) -> Result<Moment> {
    for table in Table::ALL {
        let Some(garbage) = moment.garbage(table) else { continue };
        let kept = kept(table);
        let count = format!("SELECT count() FROM {kept} WHERE {garbage}");
        let count: Option<(u64,)> = client.first("count what is to be swept", &count).await?;
        let rows = count.map_or(0, |(rows,)| rows);
        if rows > 0 {
            client.run("sweep", &format!("DELETE FROM {kept} WHERE {garbage}")).await?;
            tracing::info!(table = table.name(), rows, "swept what counts for nobody");
        }
    }
    let lines = format!(
        "DELETE FROM {BOOK} WHERE kind = 'commit' AND id < {} AND at < now() - INTERVAL {LINES_HOURS} HOUR",
        moment.commit
    );
    client.run("sweep", &lines).await?;
    let dead = moment.dead_for_good();
    let body = Body { dead, ..moment.body.clone() };
    Ok(Moment { body, ..moment.clone() })
}

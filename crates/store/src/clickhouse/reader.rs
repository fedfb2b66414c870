//! Reading: the newest commit that counts, found by asking, and the tables of its moment.

use super::book::Line;
use super::client::{Client, patiently};
use super::config::Config;
use super::journal::silent_for;
use super::moment::{Body, Moment};
use super::table::ClickHouseTable;
use super::{journal, schema};
use crate::error::{Error, Result};
use crate::read::{Head, digest_of};
use crate::versions::Versions;
use datafusion::catalog::TableProvider;
use model::B256;
use model::chain::ChainId;
use model::error::ErrorClass;
use model::tables::Table;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest that one question may take, which its own deadline is never above.
const ANSWER_WITHIN: Duration = Duration::from_secs(3600);

/// Reads what was committed, by whomever. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    client: Client,
    moments: watch::Receiver<Arc<Moment>>,
    reached: watch::Receiver<bool>,
}

impl Reader {
    /// Follows a database, and waits for it where its writer has not made it yet. A task asks for newer commits until the
    /// last reader is gone.
    ///
    /// # Errors
    /// When the server or the database stays away, or a later version of rxtrail made it.
    pub async fn open(config: &Config) -> Result<Self> {
        schema::find(config).await?;
        // A question ends when its own deadline says so.
        let client = Client::new(config, Some(&config.database)).for_long(ANSWER_WITHIN);
        let found = patiently(|| newest(&client)).await?;
        let sender = watch::Sender::new(Arc::new(found));
        let (is_reached, reached) = watch::channel(true);
        let reader = Self { client: client.clone(), moments: sender.subscribe(), reached };
        let asking = Client::new(config, Some(&config.database));
        tokio::spawn(follow(asking, (sender, is_reached), config.poll_every));
        Ok(reader)
    }

    /// A reader of moments that a writer of this process tells.
    pub(super) fn of(client: Client, moments: watch::Receiver<Arc<Moment>>) -> Self {
        // Its writer knows when the server is away: it waits, and says so.
        Self { client: client.for_long(ANSWER_WITHIN), moments, reached: watch::channel(true).1 }
    }

    /// Whether the server answers when newer commits are looked for.
    pub fn reached(&self) -> watch::Receiver<bool> {
        self.reached.clone()
    }

    /// The newest snapshot that is known.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { client: self.client.clone(), moment: self.moments.borrow().clone() }
    }
}

/// The newest moment that counts.
pub(super) async fn newest(client: &Client) -> Result<Moment> {
    let book = journal::read(client).await?;
    book.newest().map_or_else(|| Ok(Moment::default()), moment)
}

/// What the line of a commit says.
///
/// # Errors
/// When it is not what a writer wrote.
pub(super) fn moment(line: &Line) -> Result<Moment> {
    let body: Body = serde_json::from_str(&line.body).map_err(|cause| Error::ClickHouse {
        action: "read a commit",
        detail: format!("commit {}: {cause}", line.id),
        class: ErrorClass::BadData,
    })?;
    Ok(Moment { commit: line.id, body, final_only: false })
}

/// The same, once it is known whether it counts: a writer that takes over decides that next.
async fn newest_settled(client: &Client) -> Result<Option<Moment>> {
    let book = journal::read(client).await?;
    if !book.is_settled() {
        return Ok(None);
    }
    book.newest().map(moment).transpose()
}

/// What the rows of a database were made by; `None` where nothing was ever committed. A server that is away is waited
/// for.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn stored_versions(config: &Config) -> Result<Option<Versions>> {
    if patiently(|| silent_for(config)).await?.is_none() {
        return Ok(None);
    }
    let client = Client::new(config, Some(&config.database));
    let moment = patiently(|| newest(&client)).await?;
    Ok((moment.commit > 0).then_some(moment.body.versions))
}

async fn follow(
    asking: Client,
    (moments, is_reached): (watch::Sender<Arc<Moment>>, watch::Sender<bool>),
    every: Duration,
) {
    loop {
        tokio::select! {
            () = moments.closed() => return,
            () = tokio::time::sleep(every) => {}
        }
        let newest = newest_settled(&asking).await;
        let turned = is_reached
            .send_if_modified(|reached| std::mem::replace(reached, newest.is_ok()) != newest.is_ok());
        match newest {
            Ok(None) => {}
            Ok(Some(newest)) => {
                moments.send_if_modified(|known| {
                    let is_newer = newest.commit > known.commit;
                    if is_newer {
                        *known = Arc::new(newest);
                    }
                    is_newer
                });
            }
            // What is known stays the newest; each loss is told once.
            Err(error) if turned => tracing::warn!(%error, "newer commits cannot be looked for"),
            Err(_) => {}
        }
    }
}

/// One moment of all tables.
#[derive(Debug, Clone)]
pub struct Snapshot {
    client: Client,
    moment: Arc<Moment>,
}

impl Snapshot {
    /// The commit's id; 0 before the first.
    pub fn commit(&self) -> u64 {
        self.moment.commit
    }

    /// Where each chain stands.
    pub fn heads(&self) -> BTreeMap<ChainId, Head> {
        self.moment.heads()
    }

    /// What the rows were made by.
    pub fn versions(&self) -> &Versions {
        &self.moment.body.versions
    }

    /// The same moment without rows of blocks that may still be orphaned. Notices and incidents stay: history.
    pub fn final_only(&self) -> Self {
        let moment = Moment { final_only: true, ..Moment::clone(&self.moment) };
        Self { client: self.client.clone(), moment: Arc::new(moment) }
    }

    /// A table, with the columns of its spec.
    pub fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        Arc::new(ClickHouseTable::new(table, self.moment.clone(), self.client.clone()))
    }

    /// Digest of the rows of a table in key order: the same as another store's of the same rows.
    pub async fn digest(&self, table: Table) -> Result<B256> {
        digest_of(table, self.table(table)).await
    }
}

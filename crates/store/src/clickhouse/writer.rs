//! The writing end: takes the store over, sends what waits, commits it.

use super::book::{Ids, Kind};
use super::client::{Client, patiently};
use super::config::Config;
use super::moment::{Body, Moment, kept};
use super::reader::{Reader, moment};
use super::schema::BOOK;
use super::sweep::Sweeper;
use super::taken::Taken;
use super::{journal, restore, schema};
use crate::error::{Error, Result};
use crate::{Batches, Pace, Recovery, Writer};
use async_trait::async_trait;
use model::alert::{CaseKey, Notice};
use model::chain::ChainId;
use model::change::{Position, Sequence};
use model::commit::Commit;
use model::error::ErrorClass;
use model::past::{Past, PastQuery};
use model::tables::Table;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// After a commit that failed, so long until the next attempt; twice as long after each further one.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// The longest wait between attempts: a server that comes back is used within seconds.
const RETRY_LAST: Duration = Duration::from_secs(5);
/// Epochs that a writer asks for while others ask for the same, before it lets them have the store.
const CLAIMS: u32 = 8;

/// The one who writes to a database, until another takes it over.
#[derive(Debug)]
pub struct Store {
    client: Client,
    config: Config,
    claim: Claim,
    ids: Ids,
    taken: Taken,
    sweeper: Sweeper,
    recovered: BTreeMap<ChainId, Recovery>,
    moments: watch::Sender<Arc<Moment>>,
    next_commit: Instant,
    next_beat: Instant,
    retry: Duration,
    /// Says that the writer lives until its first commit does: what it begins with may take minutes to read.
    heart: Option<Heart>,
}

/// A task that ends with this.
#[derive(Debug)]
struct Heart(JoinHandle<()>);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Writes the intent of a writer again and again: the book says nothing else by it.
async fn beat(client: Client, (epoch, writer): (u64, String), every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        if let Err(error) = journal::write_claim(&client, Kind::Intent, (epoch, &writer), 0).await {
            tracing::debug!(%error, "a sign of life was not taken");
        }
    }
}

/// The epoch that is a writer's own.
#[derive(Debug)]
struct Claim {
    epoch: u64,
    writer: String,
    /// Where the writer before stopped.
    base: Moment,
}

impl Store {
    /// Takes a database over, which is made where it is missing, and begins at its last commit. Whoever wrote to it
    /// before finds out at its next commit, which does not count. A server that is away is waited for.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another one takes it over at the same time; when the server cannot be reached or refuses.
    pub async fn open(config: Config) -> Result<Self> {
        patiently(|| schema::make(&config)).await?;
        let client = Client::new(&config, Some(&config.database));
        let claim = patiently(|| claim(&client)).await?;
        let before = patiently(|| restore::told_since(&client, &claim.base)).await?;
        let taken = Taken::new(&claim.base.body, before);
        let base = (claim.base.commit > 0).then_some((claim.base.commit, &claim.base.body));
        let ids = Ids::begin(claim.epoch, base);
        let moments = watch::Sender::new(Arc::new(claim.base.clone()));
        let of = (claim.epoch, claim.writer.clone());
        let heart = Heart(tokio::spawn(beat(client.clone(), of, config.beat_every)));
        let sweeper = Sweeper::new(client.clone(), config.sweep_after);
        let (recovered, now) = (taken.recovered(), Instant::now());
        tracing::info!(epoch = claim.epoch, base = claim.base.commit, "store taken over");
        Ok(Self {
            client,
            config,
            claim,
            ids,
            taken,
            sweeper,
            recovered,
            moments,
            next_commit: now,
            next_beat: now,
            retry: RETRY_FIRST,
            heart: Some(heart),
        })
    }

    /// A handle that reads what this writer commits.
    pub fn reader(&self) -> Reader {
        Reader::of(self.client.clone(), self.moments.subscribe())
    }

    /// Commits, whether anything waits or not.
    #[cfg(test)]
    pub(super) async fn beat(&mut self) -> Result<()> {
        self.send().await
    }

    /// Sends what waits and commits it. After an error everything waits still.
    async fn send(&mut self) -> Result<()> {
        let (id, void) = self.ids.attempt();
        let body = self.taken.body(&void, &self.config.versions);
        let sent = self.attempt(id, &body).await;
        match &sent {
            Ok(()) => {
                self.ids.counts();
                self.heart = None;
                self.taken.committed(&body);
                self.retry = RETRY_FIRST;
                self.next_commit = Instant::now() + self.config.commit_every;
                self.next_beat = Instant::now() + self.config.beat_every;
                let moment = Arc::new(Moment { commit: id, body, final_only: false });
                if let Some(swept) = self.sweeper.step(&moment) {
                    self.taken.buried(&swept.body.dead);
                    self.ids.swept(&swept.body.void);
                }
                self.moments.send_replace(moment);
            }
            Err(_) => {
                self.next_commit = Instant::now() + self.retry;
                self.retry = (self.retry * 2).min(RETRY_LAST);
            }
        }
        sent
    }

    async fn attempt(&self, id: u64, body: &Body) -> Result<()> {
        self.check_claim().await?;
        for (table, rows) in self.taken.waiting.kept(id)? {
            self.client.insert(&kept(table), &rows).await?;
        }
        let Claim { epoch, writer, .. } = &self.claim;
        journal::write_commit(&self.client, id, (*epoch, writer), body).await?;
        self.check_claim().await
    }

    /// Does nobody else write to the store since?
    async fn check_claim(&self) -> Result<()> {
        match journal::read(&self.client).await?.later_than(self.claim.epoch) {
            Some(epoch) => Err(Error::Fenced { epoch }),
            None => Ok(()),
        }
    }
}

/// Takes the store over: see [`super::book`].
async fn claim(client: &Client) -> Result<Claim> {
    let writer = name();
    let mut book = journal::read(client).await?;
    for _ in 0..CLAIMS {
        let epoch = book.next_epoch();
        journal::write_claim(client, Kind::Intent, (epoch, &writer), 0).await?;
        book = journal::read(client).await?;
        if let Some(epoch) = book.later_than(epoch) {
            return Err(Error::Fenced { epoch });
        }
        if !book.is_alone(epoch, &writer) {
            continue;
        }
        let base = match book.newest_below(epoch) {
            Some(line) => moment(line)?,
            None if book.last_base() > 0 => return Err(nothing_counts()),
            None => Moment::default(),
        };
        journal::write_claim(client, Kind::Open, (epoch, &writer), base.commit).await?;
        book = journal::read(client).await?;
        return match book.later_than(epoch) {
            Some(epoch) => Err(Error::Fenced { epoch }),
            None => Ok(Claim { epoch, writer, base }),
        };
    }
    Err(Error::Fenced { epoch: book.next_epoch() })
}

/// The last writer began on a commit, and there is none that counts: no order of events makes that.
fn nothing_counts() -> Error {
    Error::ClickHouse {
        action: "begin at the last commit",
        detail: format!(
            "the last writer began on one that is not in {BOOK}: its lines were changed by somebody else"
        ),
        class: ErrorClass::BadData,
    }
}

/// A name that no other writer has.
fn name() -> String {
    let drawn = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", drawn(), drawn())
}

#[async_trait]
impl Writer for Store {
    fn recovered(&self) -> BTreeMap<ChainId, Recovery> {
        self.recovered.clone()
    }

    async fn restore(&self, table: Table, chain: ChainId) -> Result<Batches> {
        let Some(at) = self.recovered.get(&chain) else { return Ok(Box::new(std::iter::empty())) };
        restore::rows(&self.client, &self.claim.base, table, (chain, at)).await
    }

    async fn revisions(&self, chain: ChainId) -> Result<Vec<(CaseKey, u32)>> {
        let Some(at) = self.recovered.get(&chain) else { return Ok(Vec::new()) };
        patiently(|| restore::revisions(&self.client, &self.claim.base, (chain, at))).await
    }

    async fn past(&self, chain: ChainId, query: &PastQuery) -> Result<Past> {
        if query.is_empty() {
            return Ok(Past { after: query.after, ..Past::default() });
        }
        // As the chain stands where it was read to, which may be before what is committed, or beyond.
        let mut moment = Moment::clone(&self.moments.borrow());
        moment.body.dead = self.taken.dead_before(chain);
        let past = || {
            let upto = self.taken.read_to(chain);
            restore::past(&self.client, &moment, (chain, upto, query), self.taken.waiting.events(chain))
        };
        patiently(past).await
    }

    async fn told_across(&self) -> Result<(Sequence, Vec<Notice>)> {
        let notices = patiently(|| restore::told_across(&self.client, &self.claim.base)).await?;
        Ok((self.taken.written_to(ChainId::ACROSS).sequence, notices))
    }

    async fn commit(&mut self, commit: Commit) -> Result<()> {
        self.taken.take(commit)
    }

    async fn flush(&mut self) -> Result<()> {
        let is_idle = self.taken.waiting.is_empty() && Instant::now() < self.next_beat;
        if is_idle { Ok(()) } else { self.send().await }
    }

    fn durable(&self) -> BTreeMap<ChainId, Position> {
        self.taken.recovered().into_iter().map(|(chain, recovery)| (chain, recovery.state_at)).collect()
    }

    fn pace(&self) -> Pace {
        let waiting = self.taken.waiting.count();
        let flush_at = if self.taken.waiting.is_empty() {
            self.next_beat.max(self.next_commit)
        } else if waiting >= self.config.commit_rows && self.retry == RETRY_FIRST {
            Instant::now()
        } else {
            self.next_commit
        };
        Pace { flush_at: Some(flush_at), full: waiting >= self.config.waiting_rows }
    }

    fn lasting(&self, chain: ChainId) -> Option<Sequence> {
        Some(self.taken.written_to(chain).sequence)
    }
}

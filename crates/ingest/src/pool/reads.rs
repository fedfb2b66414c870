//! What the loop asks of the pool, put to its endpoints.

use super::failures::Failures;
use super::{Pool, Purpose, Shared};
use crate::config::FinalityRule;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::fetch;
use crate::rpc::error::RpcError;
use crate::rpc::methods::{Hashing, Head};
use crate::source::{ChainSource, Heads, ReadRequest};
use async_trait::async_trait;
use futures::future::BoxFuture;
use model::chain::BlockRef;
use model::incident::IncidentKind;
use model::segment::{BlockMeta, Finality, Segment, VerificationLevel};
use std::sync::atomic::Ordering;
use tokio::time::timeout;

/// How much rarer polling is while a WebSocket tells of heads: then it is the cross-check.
const POLL_RARER: u32 = 10;

/// How one endpoint reads a range.
type Fetch =
    for<'a> fn(&'a Endpoint, &'a ReadRequest) -> BoxFuture<'a, std::result::Result<Segment, RpcError>>;

#[async_trait]
impl ChainSource for Pool {
    async fn heads(&self) -> Result<Heads> {
        let (hashing, finality) = (self.shared.hashing, self.shared.finality);
        let asked = self.shared.ask(Purpose::Head, |endpoint| Box::pin(heads(endpoint, hashing, finality)));
        let heads = asked.await.map_err(|failures| self.error(failures, "the newest block"))?;
        self.shared.remember_heads(heads);
        Ok(heads)
    }

    async fn block(&self, number: u64) -> Result<Option<BlockMeta>> {
        let hashing = self.shared.hashing;
        let asked = self.shared.ask(Purpose::Head, |endpoint| Box::pin(block(endpoint, number, hashing)));
        let head = asked.await.map_err(|failures| self.error(failures, &format!("block {number}")))?;
        Ok(head.as_ref().map(Head::meta))
    }

    async fn confirm(&self, wanted: BlockRef) -> Result<bool> {
        self.shared.confirm(wanted).await.map_err(|failures| self.error(failures, &format!("block {wanted}")))
    }

    async fn read(&self, request: ReadRequest) -> Result<Segment> {
        let what = format!("blocks {} to {}", request.first, request.last);
        match self
            .shared
            .read(&request, |endpoint, request| Box::pin(fetch::by_logs(endpoint, request)))
            .await
        {
            Err(failures) if failures.logs_were_wrong() => {
                tracing::warn!(chain = self.shared.chain.0, what, "logs are taken from receipts");
                let read = self
                    .shared
                    .read(&request, |endpoint, request| Box::pin(fetch::by_receipts(endpoint, request)));
                read.await.map_err(|failures| self.error(failures, &what))
            }
            outcome => outcome.map_err(|failures| self.error(failures, &what)),
        }
    }

    /// That of the endpoint which is asked next; no more than a read takes where it takes every header.
    fn span(&self, level: VerificationLevel) -> u64 {
        let next = self.shared.order(Purpose::History).first().copied().unwrap_or(0);
        let blocks = self.shared.endpoints[next].span.blocks();
        if level >= VerificationLevel::Bloom { blocks.min(fetch::HEADERS_MAX) } else { blocks }
    }

    async fn changed(&self) {
        let telling = self.shared.telling.load(Ordering::Relaxed) > 0;
        let poll = if telling { self.shared.poll.saturating_mul(POLL_RARER) } else { self.shared.poll };
        // What was told is told once: a copy of the receiver would hear the first news for ever.
        let mut news = self.news.lock().await;
        // Without sockets the channel is closed: then only the clock tells.
        let told = async {
            if news.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        drop(timeout(poll, told).await);
    }
}

impl Pool {
    fn error(&self, failures: Failures, what: &str) -> Error {
        failures.into_error(self.shared.chain, what, self.shared.endpoints.len())
    }
}

impl Shared {
    async fn read(&self, request: &ReadRequest, fetch: Fetch) -> std::result::Result<Segment, Failures> {
        let purpose = match request.finality {
            Finality::Open => Purpose::Head,
            Finality::Final => Purpose::History,
        };
        self.ask(purpose, |endpoint| {
            Box::pin(async move {
                let segment = check_parent(endpoint, request, fetch(endpoint, request).await?).await?;
                self.check_followed(endpoint, &segment).await?;
                Ok(segment)
            })
        })
        .await
    }

    /// Final blocks may come from any endpoint, but of one chain only: that of the endpoint which is followed.
    async fn check_followed(
        &self,
        endpoint: &Endpoint,
        segment: &Segment,
    ) -> std::result::Result<(), RpcError> {
        let followed = &self.endpoints[self.first.load(Ordering::Relaxed)];
        if segment.finality == Finality::Open
            || std::ptr::eq(followed, endpoint)
            || followed.rests_until().is_some()
        {
            return Ok(());
        }
        match followed.attempt(block(followed, segment.last.number, self.hashing)).await {
            Ok(Some(head)) if head.hash != segment.last.hash => {
                let detail = format!("holds {}, {} holds {}", segment.last.hash, followed.name, head.hash);
                Err(RpcError::BadData {
                    kind: IncidentKind::Disagreement,
                    block: Some(segment.last.number),
                    detail,
                })
            }
            // Who cannot say does not contradict.
            _ => Ok(()),
        }
    }

    /// Asks every endpoint. One that holds the block is followed from now on; those that deny it are not trusted
    /// for a while. `false` only when none holds it and at least one denies it.
    async fn confirm(&self, wanted: BlockRef) -> std::result::Result<bool, Failures> {
        let (mut failures, mut denied, mut holder) = (Failures::default(), Vec::new(), None);
        for place in 0..self.endpoints.len() {
            let endpoint = &self.endpoints[place];
            match endpoint.attempt(block(endpoint, wanted.number, self.hashing)).await {
                Ok(Some(head)) if head.hash == wanted.hash => holder = holder.or(Some(place)),
                Ok(Some(head)) => denied.push((endpoint, head.hash)),
                Ok(None) => failures
                    .push(&endpoint.name, RpcError::Transient(format!("has no block {}", wanted.number))),
                Err(error) => failures.push(&endpoint.name, error),
            }
        }
        let Some(holder) = holder else {
            return if denied.is_empty() { Err(failures) } else { Ok(false) };
        };
        self.first.store(holder, Ordering::Relaxed);
        for (endpoint, hash) in denied {
            let detail = format!("holds {hash}, {} holds {}", self.endpoints[holder].name, wanted.hash);
            self.incidents.report(IncidentKind::Disagreement, Some(wanted.number), &endpoint.name, &detail);
            endpoint.distrust();
        }
        Ok(true)
    }
}

async fn heads(
    endpoint: &Endpoint,
    hashing: Hashing,
    finality: FinalityRule,
) -> std::result::Result<Heads, RpcError> {
    let client = &endpoint.client;
    let finalized = async {
        match finality {
            FinalityRule::Tag => client.finalized(hashing).await,
            FinalityRule::Confirmations(_) => Ok(None),
        }
    };
    let (latest, finalized) = tokio::join!(client.latest(hashing), finalized);
    Ok(Heads { latest: latest?.meta(), finalized: finalized?.as_ref().map(Head::meta) })
}

async fn block(
    endpoint: &Endpoint,
    number: u64,
    hashing: Hashing,
) -> std::result::Result<Option<Head>, RpcError> {
    Ok(endpoint.client.headers(&[number], hashing).await?.pop().flatten())
}

/// A segment that does not stand on the expected block says that the chain changed, unless the same endpoint still
/// holds that block: then its blocks do not link.
async fn check_parent(
    endpoint: &Endpoint,
    request: &ReadRequest,
    segment: Segment,
) -> std::result::Result<Segment, RpcError> {
    let Some(parent) = request.parent.filter(|parent| *parent != segment.parent_hash) else {
        return Ok(segment);
    };
    let Some(below) = request.first.checked_sub(1) else { return Ok(segment) };
    let hashing = if request.level == VerificationLevel::Off { Hashing::Taken } else { Hashing::Checked };
    match block(endpoint, below, hashing).await? {
        Some(head) if head.hash == parent => {
            let detail = format!("names its parent {}, the block below is {parent}", segment.parent_hash);
            Err(RpcError::BadData { kind: IncidentKind::ParentLink, block: Some(request.first), detail })
        }
        _ => Ok(segment),
    }
}

//! Calls to one endpoint: alone or in batches, within what it takes at once.

use super::error::RpcError;
use super::gate::Gate;
use super::transport::{Reply, Transport};
use crate::metrics::EndpointMetrics;
use alloy_json_rpc::{Id, Request, RequestPacket, SerializedRequest};
use futures::future::BoxFuture;
use futures::stream::{StreamExt, TryStreamExt};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::time::Instant;

/// Batches of one list of calls that are under way at once.
const BATCHES_AT_ONCE: usize = 2;

/// One call: a method and its parameters, a list.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
}

/// One endpoint, as calls see it.
#[derive(Debug)]
pub(crate) struct Client {
    transport: Box<dyn Transport>,
    metrics: EndpointMetrics,
    gate: Gate,
    next_id: AtomicU64,
    /// Calls that one batch holds at most: halved whenever the endpoint refuses a batch.
    batch: AtomicUsize,
}

impl Client {
    pub(crate) fn new(transport: Box<dyn Transport>, batch: usize, metrics: EndpointMetrics) -> Self {
        let (next_id, batch) = (AtomicU64::new(1), AtomicUsize::new(batch.max(1)));
        Self { transport, metrics, gate: Gate::default(), next_id, batch }
    }

    /// Calls once, and reads the answer.
    pub(crate) async fn call<T>(
        &self,
        call: Call,
        read: impl FnOnce(&str) -> Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        let sent = self.send(std::slice::from_ref(&call)).await?;
        let outcome =
            sent.reply.outcomes(sent.first_id, 1).and_then(|mut outcomes| outcomes.remove(0)).and_then(read);
        self.finish(&call, 1, &sent, outcome)
    }

    /// Makes every call, in batches, and reads each answer with its place. The first failure fails all.
    pub(crate) async fn calls<T: Send>(
        &self,
        calls: &[Call],
        read: &(dyn Fn(usize, &str) -> Result<T, RpcError> + Sync),
    ) -> Result<Vec<T>, RpcError> {
        let size = self.batch_size();
        let starts: Vec<usize> = (0..calls.len()).step_by(size).collect();
        let batches = starts.into_iter().map(|start| {
            let end = (start + size).min(calls.len());
            self.batch(&calls[start..end], start, read)
        });
        let answers: Vec<Vec<T>> =
            futures::stream::iter(batches).buffered(BATCHES_AT_ONCE).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// How many calls a batch holds now; 1 where batches are not taken.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch.load(Ordering::Relaxed)
    }

    /// One batch; in halves when the endpoint takes no batch of this size.
    fn batch<'a, T: Send>(
        &'a self,
        calls: &'a [Call],
        start: usize,
        read: &'a (dyn Fn(usize, &str) -> Result<T, RpcError> + Sync),
    ) -> BoxFuture<'a, Result<Vec<T>, RpcError>> {
        Box::pin(async move {
            let Some(first) = calls.first() else { return Ok(Vec::new()) };
            let sent = match self.send(calls).await {
                Err(error) if calls.len() > 1 && too_much(&error) => {
                    return self.halves(calls, start, read).await;
                }
                sent => sent?,
            };
            let outcome = sent.reply.outcomes(sent.first_id, calls.len()).and_then(|outcomes| {
                outcomes
                    .into_iter()
                    .enumerate()
                    .map(|(place, outcome)| read(start + place, outcome?))
                    .collect()
            });
            match self.finish(first, calls.len(), &sent, outcome) {
                Err(error) if calls.len() > 1 && too_much(&error) => self.halves(calls, start, read).await,
                outcome => outcome,
            }
        })
    }

    async fn halves<T: Send>(
        &self,
        calls: &[Call],
        start: usize,
        read: &(dyn Fn(usize, &str) -> Result<T, RpcError> + Sync),
    ) -> Result<Vec<T>, RpcError> {
        let half = calls.len() / 2;
        self.batch.fetch_min(half.max(1), Ordering::Relaxed);
        let mut answers = self.batch(&calls[..half], start, read).await?;
        answers.extend(self.batch(&calls[half..], start + half, read).await?);
        Ok(answers)
    }

    /// Sends one packet. The reply is not yet read.
    async fn send(&self, calls: &[Call]) -> Result<Sent, RpcError> {
        let count = calls.len() as u64;
        let first_id = self.next_id.fetch_add(count, Ordering::Relaxed);
        let requests: Vec<SerializedRequest> =
            (first_id..).zip(calls).map(|(id, call)| request(id, call)).collect::<Result<_, _>>()?;
        let packet = match <[SerializedRequest; 1]>::try_from(requests) {
            Ok([only]) => RequestPacket::Single(only),
            Err(several) => RequestPacket::Batch(several),
        };
        let _pass =
            self.gate.enter().await.map_err(|_| RpcError::Transient("the endpoint is closed".into()))?;
        let begun = Instant::now();
        match self.transport.send(packet).await {
            Ok(reply) => {
                self.metrics.response_bytes.inc_by(reply.len() as u64);
                Ok(Sent { reply, first_id, begun })
            }
            Err(error) => {
                self.note(calls.first().map_or("", |call| call.method), calls.len(), begun, Some(&error));
                Err(error)
            }
        }
    }

    fn finish<T>(
        &self,
        first: &Call,
        calls: usize,
        sent: &Sent,
        outcome: Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        self.note(first.method, calls, sent.begun, outcome.as_ref().err());
        outcome
    }

    fn note(&self, method: &str, calls: usize, begun: Instant, error: Option<&RpcError>) {
        match error {
            None => self.gate.answered(),
            Some(RpcError::RateLimited { .. }) => self.gate.narrow(),
            Some(_) => {}
        }
        self.metrics.request(method, error.map_or("ok", RpcError::outcome), calls, begun.elapsed());
    }
}

/// A packet that was sent, and what came back.
#[derive(Debug)]
struct Sent {
    reply: Reply,
    first_id: u64,
    begun: Instant,
}

/// Would fewer calls in one packet help?
fn too_much(error: &RpcError) -> bool {
    matches!(error, RpcError::BatchRefused(_) | RpcError::RangeTooLarge { .. } | RpcError::Timeout(_))
}

fn request(id: u64, call: &Call) -> Result<SerializedRequest, RpcError> {
    let request = Request::new(call.method, Id::Number(id), call.params.clone());
    request.serialize().map_err(|error| RpcError::Unsupported(error.to_string()))
}

#[cfg(test)]
mod tests;

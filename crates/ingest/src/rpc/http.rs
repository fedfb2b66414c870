//! JSON-RPC over HTTP: one POST per packet, with a bound on everything that comes back.
//!
//! Redirects are not followed: the address of an endpoint may hold a key. No message holds the address.

use super::error::{RETRY_AFTER_MAX, RpcError, excerpt};
use super::transport::{self, BODY_BYTES_MAX, Reply, Transport};
use crate::error::{Error, Result};
use alloy_json_rpc::RequestPacket;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use std::fmt;
use std::time::Duration;
use url::Url;

/// How much of a refusal is read, in bytes: providers write a sentence.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// How long a connection may take to come about; the request's own time bounds it further.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// An endpoint that is reached by HTTP.
pub(crate) struct Http {
    client: Client,
    url: Url,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// A client for `url`, whose requests end after `timeout`.
    pub(crate) fn new(url: Url, timeout: Duration) -> Result<Self> {
        // Fails when one is installed already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .connect_timeout(CONNECT_TIME_MAX.min(timeout))
            .timeout(timeout)
            .redirect(Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Config(format!("http client: {}", error.without_url())))?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl Transport for Http {
    async fn send(&self, packet: RequestPacket) -> std::result::Result<Reply, RpcError> {
        let body = serde_json::to_vec(&packet).map_err(|error| RpcError::Unsupported(error.to_string()))?;
        let json = HeaderValue::from_static("application/json");
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, json).body(body);
        let response = request.send().await.map_err(failed)?;
        if response.status() == StatusCode::OK {
            return read(response, BODY_BYTES_MAX).await.map(Reply::Body);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read(response, REFUSAL_BYTES_MAX).await {
            Ok(body) => body,
            Err(RpcError::RangeTooLarge { .. }) => Bytes::new(),
            Err(error) => return Err(error),
        };
        Err(refusal(status, &headers, &body))
    }
}

async fn read(mut response: Response, bytes_max: usize) -> std::result::Result<Bytes, RpcError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(bytes_max));
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > bytes_max {
            let detail = format!("the answer is larger than {bytes_max} bytes");
            return Err(RpcError::RangeTooLarge { hint: None, detail });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Why no response came, without the address.
fn failed(error: reqwest::Error) -> RpcError {
    let timeout = error.is_timeout();
    let error = error.without_url();
    // The causes say what the error itself does not: "connection refused".
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        cause = inner.source();
    }
    if timeout { RpcError::Timeout(excerpt(&detail)) } else { RpcError::Transient(excerpt(&detail)) }
}

/// What a status other than 200 means: the error in the body where there is one, else the status.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> RpcError {
    let detail = || excerpt(&format!("HTTP {}: {}", status.as_u16(), String::from_utf8_lossy(body)));
    let after = retry_after(headers);
    let said = transport::error_in(body);
    match (status.as_u16(), said) {
        (429, Some(RpcError::RateLimited { after: None, detail })) => RpcError::RateLimited { after, detail },
        (429, Some(said @ RpcError::RateLimited { .. })) => said,
        (429, _) => RpcError::RateLimited { after, detail: detail() },
        (503, None) if after.is_some() => RpcError::RateLimited { after, detail: detail() },
        // A mere "try again" says less than the status does.
        (_, Some(said)) if !matches!(said, RpcError::Transient(_)) => said,
        (401 | 403, _) => RpcError::Denied(detail()),
        (413, _) => RpcError::RangeTooLarge { hint: None, detail: detail() },
        (408 | 504 | 524, _) => RpcError::Timeout(detail()),
        _ => RpcError::Transient(detail()),
    }
}

/// Seconds, or a date: told by the clock of the node, so that ours does not matter.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let until = date(headers, RETRY_AFTER)?.as_second() - date(headers, DATE)?.as_second();
    Some(Duration::from_secs(u64::try_from(until).unwrap_or(0)).min(RETRY_AFTER_MAX))
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    rfc2822::parse(headers.get(name)?.to_str().ok()?).ok().map(|time| time.timestamp())
}

#[cfg(test)]
mod tests;

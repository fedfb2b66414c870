//! JSON-RPC over a WebSocket: calls, and news of heads.
//!
//! A connection is never mended behind our back: when it breaks, the next one is made here, and says again which
//! chain it serves.

use super::error::{RpcError, excerpt};
use super::hex;
use super::methods::number_in;
use super::transport::{BODY_BYTES_MAX, Reply, Transport};
use alloy_json_rpc::{Id, Request, RequestPacket, ResponsePacket};
use alloy_primitives::B256;
use alloy_pubsub::{ConnectionHandle, PubSubConnect, PubSubFrontend, RawSubscription};
use alloy_transport::{RpcError as AlloyError, TransportError, TransportErrorKind, TransportResult};
use alloy_transport_ws::{WebSocketConfig, WsConnect};
use async_trait::async_trait;
use model::chain::ChainId;
use std::fmt;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use url::Url;

/// An endpoint that is reached by a WebSocket.
pub(crate) struct WebSocket {
    url: Url,
    chain: ChainId,
    time_max: Duration,
    connection: Mutex<Option<PubSubFrontend>>,
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").finish_non_exhaustive()
    }
}

impl WebSocket {
    /// A way to `url`, which must serve `chain`; each call ends after `time_max`. Connects at the first call.
    pub(crate) fn new(url: Url, chain: ChainId, time_max: Duration) -> Self {
        Self { url, chain, time_max, connection: Mutex::new(None) }
    }

    /// Subscribes to new heads.
    pub(crate) async fn new_heads(&self) -> Result<NewHeads, RpcError> {
        let connection = self.connected().await?;
        let subscribed = within(self.time_max, subscribe(&connection)).await;
        match subscribed {
            Ok(subscription) => Ok(NewHeads(subscription)),
            Err(error) => {
                self.disconnect().await;
                Err(error)
            }
        }
    }

    /// The connection, made anew when there is none. Who makes it checks the chain before anyone uses it.
    async fn connected(&self) -> Result<PubSubFrontend, RpcError> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = connection.as_ref() {
            return Ok(connection.clone());
        }
        // Boxed: a TLS handshake is 20 kB of state, and every call would carry it.
        let made = within(self.time_max, Box::pin(connect(&self.url, self.chain))).await?;
        *connection = Some(made.clone());
        Ok(made)
    }

    async fn disconnect(&self) {
        *self.connection.lock().await = None;
    }
}

#[async_trait]
impl Transport for WebSocket {
    async fn send(&self, packet: RequestPacket) -> Result<Reply, RpcError> {
        let connection = self.connected().await?;
        let sent = within(self.time_max, async {
            connection.send_packet(packet).await.map_err(|error| failed(&error))
        });
        match sent.await {
            Ok(ResponsePacket::Single(response)) => Ok(Reply::Parts(vec![response])),
            Ok(ResponsePacket::Batch(responses)) => Ok(Reply::Parts(responses)),
            Err(error) => {
                // A connection that failed or fell silent is not used again.
                self.disconnect().await;
                Err(error)
            }
        }
    }
}

/// News of heads. What they say is a hint: blocks are read and verified on their own.
#[derive(Debug)]
pub(crate) struct NewHeads(RawSubscription);

impl NewHeads {
    /// The number of the next head; `None` once the connection is gone.
    pub(crate) async fn next(&mut self) -> Option<u64> {
        loop {
            match self.0.recv().await {
                Ok(head) => return Some(number_in(head.get()).unwrap_or(0)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// A connector that connects once.
#[derive(Debug, Clone)]
struct Once(WsConnect);

impl PubSubConnect for Once {
    fn is_local(&self) -> bool {
        self.0.is_local()
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        self.0.connect().await
    }

    async fn try_reconnect(&self) -> TransportResult<ConnectionHandle> {
        Err(TransportErrorKind::backend_gone())
    }
}

async fn connect(url: &Url, chain: ChainId) -> Result<PubSubFrontend, RpcError> {
    let bounds = WebSocketConfig::default()
        .max_message_size(Some(BODY_BYTES_MAX))
        .max_frame_size(Some(BODY_BYTES_MAX));
    let connector = Once(WsConnect::new(url.as_str()).with_config(bounds).with_max_retries(1));
    let connection = connector.into_service().await.map_err(|error| failed(&error))?;
    let response =
        connection.send(request("eth_chainId", Vec::new())?).await.map_err(|error| failed(&error))?;
    let served = response.try_success_as::<String>().and_then(Result::ok);
    match served.as_deref().and_then(hex::quantity) {
        Some(served) if served == chain.0 => Ok(connection),
        Some(served) => Err(RpcError::WrongChain(served)),
        None => Err(RpcError::malformed("eth_chainId gives no number")),
    }
}

async fn subscribe(connection: &PubSubFrontend) -> Result<RawSubscription, RpcError> {
    let response =
        connection.send(request("eth_subscribe", vec!["newHeads"])?).await.map_err(|error| failed(&error))?;
    match response.try_success_as::<B256>() {
        Some(Ok(id)) => connection.get_subscription(id).await.map_err(|error| failed(&error)),
        Some(Err(_)) => Err(RpcError::malformed("eth_subscribe gives no id")),
        None => Err(RpcError::Unsupported("eth_subscribe newHeads is refused".into())),
    }
}

fn request(
    method: &'static str,
    params: Vec<&'static str>,
) -> Result<alloy_json_rpc::SerializedRequest, RpcError> {
    // Ids of these two calls stay clear of those of packets, which count from 1.
    let id = Id::Number(if method == "eth_chainId" { u64::MAX } else { u64::MAX - 1 });
    Request::new(method, id, params).serialize().map_err(|error| RpcError::Unsupported(error.to_string()))
}

async fn within<T>(
    time_max: Duration,
    work: impl Future<Output = Result<T, RpcError>>,
) -> Result<T, RpcError> {
    timeout(time_max, work)
        .await
        .unwrap_or_else(|_| Err(RpcError::Timeout(format!("no answer within {time_max:?}"))))
}

/// Why a call failed. What the transport itself says may hold the address, so only its kind is told.
fn failed(error: &TransportError) -> RpcError {
    match error {
        AlloyError::Transport(TransportErrorKind::BackendGone) => {
            RpcError::Transient("the connection is gone".into())
        }
        AlloyError::Transport(_) => RpcError::Transient("the connection failed".into()),
        AlloyError::DeserError { err, .. } => RpcError::malformed(excerpt(&err.to_string())),
        _ => RpcError::Transient("the call failed".into()),
    }
}

#[cfg(test)]
mod tests;

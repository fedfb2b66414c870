//! JSON-RPC by hand: the tests drive a node with nothing of what they test.

use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// Far more than any call of a test takes.
const CALL_TIME_MAX: Duration = Duration::from_secs(120);

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    client: Client,
    url: String,
}

impl Rpc {
    /// The node at `url`.
    pub(crate) fn new(url: &str) -> Self {
        // Fails when one is installed already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(CALL_TIME_MAX).no_proxy().build().expect("a client");
        Self { client, url: url.to_owned() }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// One call: its result, or the node's error as it came.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        let response = request.send().await.map_err(|error| format!("{error:?}"))?;
        let text = response.text().await.map_err(|error| format!("{error:?}"))?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["result"].take()),
        }
    }
}

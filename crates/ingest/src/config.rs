//! How one chain is read: the table `[chains.NAME]` of the configuration.
//!
//! Addresses of endpoints may hold keys: nothing here prints them. An endpoint is spoken of by its name.

use crate::error::{Error, Result};
use model::chain::ChainId;
use model::segment::VerificationLevel;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;
use url::Url;

/// How one chain is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// EIP-155 chain id. An endpoint that serves another chain is refused at every connection.
    pub id: ChainId,
    /// Where the chain is read, preferred first. An entry is a URL, or a table with `name`, `url`, `websocket`.
    pub endpoints: Vec<EndpointConfig>,
    /// Blocks below it are not read for logs.
    #[serde(default)]
    pub start_block: u64,
    /// What makes a block final.
    #[serde(default)]
    pub finality: FinalityRule,
    /// How many blocks may stand above the last final one before reading pauses, in blocks.
    #[serde(default = "default_tail_limit")]
    pub tail_limit: u64,
    /// How far what nodes say is verified.
    #[serde(default)]
    pub verify: Verify,
    /// How often the head is asked for where no WebSocket tells of it, in milliseconds.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// How many ranges are read at once in backfill.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// How long one request may take, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// How many calls one JSON-RPC batch holds at most; 1 sends none.
    #[serde(default = "default_batch")]
    pub batch: usize,
}

/// Days of most chains at the pace of their slowest finality; 13 hours of Ethereum.
fn default_tail_limit() -> u64 {
    4096
}

/// A twelfth of Ethereum's slot: a head is seen within a second, at one small call a second.
fn default_poll_ms() -> u64 {
    1_000
}

/// Enough to keep two cores parsing over a round trip of 50 ms; few enough for a public endpoint.
fn default_concurrency() -> usize {
    4
}

/// The longest that large providers work on `eth_getLogs` is 10 s to 30 s.
fn default_timeout_ms() -> u64 {
    30_000
}

/// Providers refuse batches above 100 to 1,000 calls.
fn default_batch() -> usize {
    100
}

/// The most of anything that a configuration may ask for: what it bounds stays bounded.
const CONCURRENCY_MAX: usize = 64;
const BATCH_MAX: usize = 1_000;
const ENDPOINTS_MAX: usize = 32;
const NAME_CHARS_MAX: usize = 40;

/// Where the chain is read.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointConfig {
    /// What it is called in messages, metrics and incidents. Empty: `rpc-1`, `rpc-2`, … by its place.
    pub name: String,
    /// `http`, `https`, `ws` or `wss`.
    pub url: Url,
    /// A WebSocket that tells of new heads, `ws` or `wss`.
    pub websocket: Option<Url>,
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What makes a block final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinalityRule {
    /// The node's `finalized` tag.
    #[default]
    Tag,
    /// So many blocks stand on it: for chains that have no tag.
    Confirmations(u64),
}

/// How far what nodes say is verified, per phase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// Level of blocks that may still be orphaned.
    pub head: VerificationLevel,
    /// Level of final blocks.
    pub backfill: VerificationLevel,
    /// One in so many final blocks is verified as at level `receipts`, whatever the level; 0 for none.
    pub sample: u64,
    /// Draws the sample. Not set: drawn at the start, so that a node cannot foresee it, and logged.
    pub sample_seed: Option<u64>,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            head: VerificationLevel::Receipts,
            backfill: VerificationLevel::Present,
            // A node that alters one block in a hundred is found out within ten thousand blocks (1 − 0.99^10 ≈ 10 %
            // per ten thousand, 63 % per hundred thousand), for a thousandth of the cost of level `receipts`.
            sample: 1_000,
            sample_seed: None,
        }
    }
}

impl Config {
    /// Checks what types cannot, and names the endpoints that have no name.
    ///
    /// # Errors
    /// [`Error::Config`] with the key and what is wrong with it.
    pub fn validated(mut self) -> Result<Self> {
        bounded("endpoints", self.endpoints.len(), 1, ENDPOINTS_MAX)?;
        bounded("concurrency", self.concurrency, 1, CONCURRENCY_MAX)?;
        bounded("batch", self.batch, 1, BATCH_MAX)?;
        for (key, value) in
            [("tail_limit", self.tail_limit), ("poll_ms", self.poll_ms), ("timeout_ms", self.timeout_ms)]
        {
            if value == 0 {
                return Err(Error::Config(format!("{key} is 0")));
            }
        }
        for (place, endpoint) in self.endpoints.iter_mut().enumerate() {
            if endpoint.name.is_empty() {
                endpoint.name = format!("rpc-{}", place + 1);
            }
            endpoint.check()?;
        }
        let mut names = HashSet::new();
        match self.endpoints.iter().find(|endpoint| !names.insert(endpoint.name.as_str())) {
            Some(twice) => Err(Error::Config(format!("two endpoints are called {}", twice.name))),
            None => Ok(self),
        }
    }

    /// How long one request may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// How often the head is asked for.
    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}

impl EndpointConfig {
    /// An endpoint that is called by its place.
    pub fn new(url: Url) -> Self {
        Self { name: String::new(), url, websocket: None }
    }

    fn check(&self) -> Result<()> {
        let name = &self.name;
        if name.len() > NAME_CHARS_MAX
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            return Err(Error::Config(format!(
                "endpoint name {name:?} is not up to {NAME_CHARS_MAX} letters, digits, '-', '_' and '.'"
            )));
        }
        if !["http", "https", "ws", "wss"].contains(&self.url.scheme()) {
            return Err(Error::Config(format!("endpoint {name}: url is neither http(s) nor ws(s)")));
        }
        if self.websocket.as_ref().is_some_and(|url| !["ws", "wss"].contains(&url.scheme())) {
            return Err(Error::Config(format!("endpoint {name}: websocket is neither ws nor wss")));
        }
        Ok(())
    }
}

fn bounded(key: &str, value: usize, min: usize, max: usize) -> Result<()> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::Config(format!("{key}: {value} is not between {min} and {max}")))
}

impl<'de> Deserialize<'de> for EndpointConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(EndpointVisitor)
    }
}

struct EndpointVisitor;

impl<'de> Visitor<'de> for EndpointVisitor {
    type Value = EndpointConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL, or a table with name, url and websocket")
    }

    /// The text is not repeated in the error: a mistyped URL holds its key all the same.
    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Self::Value, E> {
        read_url(text).map(EndpointConfig::new)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
        let table = EndpointTable::deserialize(MapAccessDeserializer::new(map))?;
        let websocket = table.websocket.as_deref().map(read_url).transpose()?;
        Ok(EndpointConfig { name: table.name, url: read_url(&table.url)?, websocket })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointTable {
    #[serde(default)]
    name: String,
    url: String,
    #[serde(default)]
    websocket: Option<String>,
}

fn read_url<E: serde::de::Error>(text: &str) -> std::result::Result<Url, E> {
    Url::parse(text).map_err(|error| E::custom(format!("not a URL: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> std::result::Result<Config, String> {
        let config: Config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        config.validated().map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_has_its_documented_default() {
        let config = read(json!({"id": 1, "endpoints": ["https://node.example/v2/secret"]})).unwrap();
        assert_eq!((config.start_block, config.tail_limit, config.finality), (0, 4096, FinalityRule::Tag));
        assert_eq!(config.verify, Verify::default());
        assert_eq!(config.endpoints[0].name, "rpc-1");
    }

    #[test]
    fn finality_is_the_tag_or_a_number_of_confirmations() {
        let config =
            read(json!({"id": 1, "endpoints": ["http://a"], "finality": {"confirmations": 12}})).unwrap();
        assert_eq!(config.finality, FinalityRule::Confirmations(12));
        assert_eq!(
            read(json!({"id": 1, "endpoints": ["http://a"], "finality": "tag"})).unwrap().finality,
            FinalityRule::Tag
        );
    }

    #[test]
    fn what_is_wrong_is_refused_by_its_key() {
        let refused = |value| read(value).unwrap_err();
        assert!(refused(json!({"id": 1, "endpoints": []})).contains("endpoints: 0 is not between 1 and 32"));
        assert!(
            refused(json!({"id": 1, "endpoints": ["http://a"], "tail": 3})).contains("unknown field `tail`")
        );
        assert!(
            refused(json!({"id": 1, "endpoints": ["http://a"], "tail_limit": 0})).contains("tail_limit is 0")
        );
        assert!(refused(json!({"id": 1, "endpoints": ["ftp://a"]})).contains("rpc-1: url is neither"));
        assert!(
            refused(json!({"id": 1, "endpoints": [{"url": "http://a", "key": 1}]}))
                .contains("unknown field `key`")
        );
        let twice = json!([{"url": "http://a", "name": "x"}, {"url": "http://b", "name": "x"}]);
        assert!(refused(json!({"id": 1, "endpoints": twice})).contains("two endpoints are called x"));
    }

    #[test]
    fn the_key_in_an_address_is_never_shown() {
        let endpoint =
            json!({"name": "main", "url": "https://node.example/v2/secret", "websocket": "wss://x/secret"});
        let config = read(json!({"id": 1, "endpoints": [endpoint]})).unwrap();
        assert!(!format!("{config:?}").contains("secret"));
        assert!(!read(json!({"id": 1, "endpoints": ["secret//"]})).unwrap_err().contains("secret"));
    }
}

//! `[chains.NAME]`: which chain, where it is read, how far it is believed.

use super::node::{Node, Value};
use super::section::Section;
use ingest::config::{Config, EndpointConfig, FinalityRule, Verify};
use model::chain::ChainId;
use model::segment::VerificationLevel;
use std::path::Path;
use url::Url;

/// A file of endpoints is a list of a few lines.
const ENDPOINTS_FILE_BYTES: u64 = 64 << 10;

/// A chain of the deployment.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// How it is read.
    pub(crate) ingest: Config,
}

/// Reads one chain.
pub(super) fn read(name: &str, section: Section<'_>, base: &Path) -> Option<Chain> {
    let findings = section.findings();
    let place = section.place();
    let id = chain_id(&section);
    let endpoints = endpoints(&section, base);
    let start_block = section.number("start_block", 0, u64::MAX);
    let finality = section.get("finality").and_then(|node| finality(&section, node));
    let verify = section.get("verify").and_then(|node| verify(&section, node));
    let tail_limit = section.number("tail_limit", 1, 1 << 20);
    let poll_ms = section.number("poll_ms", 10, 3_600_000);
    let concurrency = section.number("concurrency", 1, 64);
    let timeout_ms = section.number("timeout_ms", 10, 3_600_000);
    let batch = section.number("batch", 1, 1_000);
    section.finish();
    let mut config = ingest_defaults(id?, endpoints?);
    set(&mut config.start_block, start_block);
    set(&mut config.finality, finality);
    set(&mut config.verify, verify);
    set(&mut config.tail_limit, tail_limit);
    set(&mut config.poll_ms, poll_ms);
    set(&mut config.concurrency, concurrency.and_then(|number| usize::try_from(number).ok()));
    set(&mut config.timeout_ms, timeout_ms);
    set(&mut config.batch, batch.and_then(|number| usize::try_from(number).ok()));
    match config.validated() {
        Ok(ingest) => Some(Chain { name: name.to_owned(), ingest }),
        Err(error) => {
            findings.note("config::chain", place, format!("[chains.{name}]: {error}"), None);
            None
        }
    }
}

/// A chain of that id, read from these endpoints, with every default.
pub(crate) fn ingest_defaults(id: ChainId, endpoints: Vec<EndpointConfig>) -> Config {
    Config {
        id,
        endpoints,
        start_block: 0,
        finality: FinalityRule::default(),
        tail_limit: 4096,
        verify: Verify::default(),
        poll_ms: 1_000,
        concurrency: 4,
        timeout_ms: 30_000,
        batch: 100,
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn chain_id(section: &Section<'_>) -> Option<ChainId> {
    section.need("id", "1")?;
    section.number("id", 1, i64::MAX.unsigned_abs()).map(ChainId)
}

/// Endpoints may hold keys: they come from the configuration or from a file of their own, one URL a line.
fn endpoints(section: &Section<'_>, base: &Path) -> Option<Vec<EndpointConfig>> {
    let findings = section.findings();
    let file = section.get("endpoints_file");
    match (section.get("endpoints"), file) {
        (Some(_), Some(file)) => {
            findings.note(
                "config::conflict",
                &file.place,
                "endpoints and endpoints_file are both set",
                Some("keep one".into()),
            );
            None
        }
        (Some(Node { value: Value::List(list), .. }), None) => {
            Some(list.iter().filter_map(|node| endpoint(section, node)).collect())
        }
        (Some(node), None) => {
            section.wrong("endpoints", node, "a list of URLs");
            None
        }
        (None, Some(node)) => {
            let (path, place) = section.as_text("endpoints_file", node)?;
            match from_file(&base.join(path)) {
                Ok(endpoints) => Some(endpoints),
                Err(message) => {
                    findings.note("config::endpoints-file", place, message, None);
                    None
                }
            }
        }
        (None, None) => {
            section.need("endpoints", "[\"http://127.0.0.1:8545\"]");
            None
        }
    }
}

fn endpoint(section: &Section<'_>, node: &Node) -> Option<EndpointConfig> {
    // What is no URL is not repeated: it may hold a key all the same.
    let url = |text: &str, place: &super::node::Place| match Url::parse(text) {
        Ok(url) => Some(url),
        Err(error) => {
            section.findings().note("config::bad-value", place, format!("this is no URL: {error}"), None);
            None
        }
    };
    match &node.value {
        Value::Text(text) => url(text, &node.place).map(EndpointConfig::new),
        Value::Table(table) => {
            let inner = Section::new("endpoints", table, &node.place, section.findings());
            let name = inner.text("name").map(|(name, _)| name.to_owned());
            let main = inner.need_text("url", "\"https://…\"").and_then(|(text, place)| url(text, place));
            let websocket = inner.text("websocket").map(|(text, place)| url(text, place));
            inner.finish();
            Some(EndpointConfig {
                name: name.unwrap_or_default(),
                url: main?,
                websocket: websocket.flatten(),
            })
        }
        _ => {
            section.wrong("endpoints", node, "a URL, or a table with name, url and websocket");
            None
        }
    }
}

fn from_file(path: &Path) -> Result<Vec<EndpointConfig>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > ENDPOINTS_FILE_BYTES {
        return Err(format!("{} has {bytes} bytes, at most {ENDPOINTS_FILE_BYTES} are read", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| match Url::parse(line) {
            Ok(url) => Ok(EndpointConfig::new(url)),
            Err(error) => Err(format!("line {at} of {} is no URL: {error}", path.display())),
        })
        .collect()
}

fn finality(section: &Section<'_>, node: &Node) -> Option<FinalityRule> {
    match &node.value {
        Value::Text(text) if text == "tag" => Some(FinalityRule::Tag),
        Value::Table(table) => {
            let inner = Section::new("finality", table, &node.place, section.findings());
            inner.need("confirmations", "64");
            let confirmations = inner.number("confirmations", 1, 1 << 20);
            inner.finish();
            confirmations.map(FinalityRule::Confirmations)
        }
        _ => {
            section.wrong("finality", node, "\"tag\" or { confirmations = N }");
            None
        }
    }
}

fn verify(section: &Section<'_>, node: &Node) -> Option<Verify> {
    match &node.value {
        Value::Text(text) => {
            let level: VerificationLevel = section.parse("verify", text, &node.place)?;
            Some(Verify { head: level, backfill: level, ..Verify::default() })
        }
        Value::Table(table) => {
            let inner = Section::new("verify", table, &node.place, section.findings());
            let mut verify = Verify::default();
            set(&mut verify.head, inner.parsed("head"));
            set(&mut verify.backfill, inner.parsed("backfill"));
            set(&mut verify.sample, inner.number("sample", 0, u64::MAX));
            verify.sample_seed = inner.number("sample_seed", 0, u64::MAX);
            inner.finish();
            Some(verify)
        }
        _ => {
            section.wrong("verify", node, "a level, or a table with head, backfill and sample");
            None
        }
    }
}

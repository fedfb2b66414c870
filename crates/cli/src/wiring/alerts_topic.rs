//! Alerts for other systems: every notice goes out on a topic of Kafka as a CloudEvent, withdrawals included.
//!
//! ```text
//! store ──notices after the cursor──▶ topic ──acknowledged──▶ cursor
//! ```
//!
//! It is a cursor over the table of notices, so that nothing is lost when a process dies; what was sent just before may
//! come again. Whoever reads drops a case's revision that he has seen. Messages of a case come in the order of revisions.
//! Source: CloudEvents 1.0.2, and its Kafka protocol binding, structured mode.

use crate::ask::rows;
use crate::config::Settings;
use crate::config::store::StoreKind;
use crate::error::{Error, Result};
use bus::kafka::Config;
use bus::kafka::outlet::{Message, Outlet};
use model::error::ErrorClass;
use query::engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use transform::Told;

/// Notices that are sent at once.
const BATCH: usize = 500;

/// Before notices that could not be read are asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How a message says what it is.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// The last notice of each stream that was sent: its change, and its place among those of the change.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor(BTreeMap<u64, (u64, u32)>);

/// Where the cursor is kept: with the tables that it goes over.
#[derive(Debug)]
pub(super) enum Kept {
    /// In the data folder.
    Folder(PathBuf),
    /// In the database, where whoever takes over finds it.
    Database(Box<store::clickhouse::Cursor>),
}

impl Kept {
    /// Where the settings keep the tables.
    pub(super) fn of(settings: &Settings, topic: &str) -> Self {
        match &settings.store {
            StoreKind::Folder => Self::Folder(settings.data_dir.join("alerts-topic.json")),
            StoreKind::ClickHouse(config) => {
                Self::Database(Box::new(store::clickhouse::Cursor::new(config, format!("topic {topic}"))))
            }
        }
    }
}

/// A row of `notices`.
#[derive(Debug, Deserialize)]
struct Row {
    chain: u64,
    stream_sequence: u64,
    ordinal: u32,
    case_key: String,
    revision: u32,
    kind: String,
    /// The alert as JSON.
    alert: String,
}

/// Sends every notice of the store, then each that comes, until `stop`.
///
/// # Errors
/// When the topic refuses, or the cursor cannot be kept.
pub(super) async fn run(
    (config, topic): (Config, String),
    engine: Arc<Engine>,
    mut told: Receiver<Told>,
    kept: Kept,
    stop: CancellationToken,
) -> Result<()> {
    let work = async {
        let outlet = Outlet::open(&config, &topic, CONTENT_TYPE).await?;
        let mut cursor = loop {
            match Cursor::load(&kept).await {
                Ok(cursor) => break cursor,
                Err(error) => wait(error, "the cursor could not be read").await?,
            }
        };
        loop {
            let batch: Vec<Row> = match rows(&engine, &cursor.question()).await {
                Ok(batch) => batch,
                Err(error) => {
                    // Others keep the engine busy: what waits is in the store.
                    tracing::warn!(%error, "notices could not be read; trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                    continue;
                }
            };
            if batch.is_empty() {
                // What was missed is in the store as well as what comes.
                match told.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return Ok(()),
                }
            }
            let messages = batch.iter().map(message).collect::<Result<Vec<_>>>()?;
            outlet.send(&messages).await?;
            for row in &batch {
                cursor.0.insert(row.chain, (row.stream_sequence, row.ordinal));
            }
            // A cursor that is not saved is behind: what follows it comes again.
            if let Err(error) = cursor.save(&kept).await {
                wait(error, "the cursor could not be saved").await?;
            }
        }
    };
    stop.run_until_cancelled(work).await.unwrap_or(Ok(()))
}

/// Waits, where a server is away that may come back; else it is the end.
async fn wait(error: Error, what: &str) -> Result<()> {
    if !matches!(&error, Error::Store(cause) if cause.class() == ErrorClass::Transient) {
        return Err(error);
    }
    tracing::warn!(%error, "{what}; trying again");
    tokio::time::sleep(AGAIN_AFTER).await;
    Ok(())
}

impl Cursor {
    async fn load(kept: &Kept) -> Result<Self> {
        let text = match kept {
            Kept::Folder(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => return Err(Error::Io { action: "read", path: path.clone(), source }),
            },
            Kept::Database(cursor) => cursor.load().await?,
        };
        let Some(text) = text else { return Ok(Self::default()) };
        serde_json::from_str(&text)
            .map_err(|error| Error::Data(format!("the alerts topic's cursor: {error}")))
    }

    /// A cursor that is lost with the power is behind: what it had sent comes again.
    async fn save(&self, kept: &Kept) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|error| Error::Internal(error.to_string()))?;
        match kept {
            Kept::Folder(path) => {
                let temporary = path.with_extension("json.tmp");
                let written =
                    std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
                written.map_err(|source| Error::Io { action: "write", path: path.clone(), source })
            }
            Kept::Database(cursor) => Ok(cursor.save(&text).await?),
        }
    }

    /// SQL for the next notices, in the order of their streams.
    fn question(&self) -> String {
        let known: Vec<String> = self.0.keys().map(u64::to_string).collect();
        let after = |(chain, (sequence, ordinal)): (&u64, &(u64, u32))| {
            format!(
                "(chain = {chain} AND (stream_sequence > {sequence} OR (stream_sequence = {sequence} AND ordinal > {ordinal})))"
            )
        };
        let mut wanted: Vec<String> = self.0.iter().map(after).collect();
        wanted.push(match known.is_empty() {
            true => "TRUE".to_owned(),
            false => format!("chain NOT IN ({})", known.join(", ")),
        });
        format!(
            "SELECT chain, stream_sequence, ordinal, case_key, revision, kind, alert FROM notices WHERE {} \
             ORDER BY chain, stream_sequence, ordinal LIMIT {BATCH}",
            wanted.join(" OR ")
        )
    }
}

/// A notice as a message.
fn message(row: &Row) -> Result<Message> {
    let internal = |error: serde_json::Error| Error::Internal(error.to_string());
    let alert: Value = serde_json::from_str(&row.alert).map_err(internal)?;
    let raised_at = alert.get("raised_at_secs").and_then(Value::as_i64);
    let time =
        raised_at.and_then(|secs| jiff::Timestamp::from_second(secs).ok()).map(|time| time.to_string());
    let event = json!({
        "specversion": "1.0",
        "id": format!("{}/{}", row.case_key, row.revision),
        "source": format!("urn:rxtrail:chain:{}", row.chain),
        "type": format!("rxtrail.alert.{}", row.kind),
        "subject": row.case_key,
        "time": time,
        "datacontenttype": "application/json",
        "sequence": format!("{:020}-{:010}", row.stream_sequence, row.ordinal),
        "data": { "case_key": row.case_key, "revision": row.revision, "kind": row.kind, "alert": alert },
    });
    Ok(Message { key: row.case_key.clone(), value: serde_json::to_vec(&event).map_err(internal)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_notices_are_those_after_the_last_of_each_stream_and_all_of_new_ones() {
        let question = |cursor: &Cursor| {
            let text = cursor.question();
            text.split(" WHERE ").nth(1).unwrap().split(" ORDER BY").next().unwrap().to_owned()
        };
        assert_eq!(question(&Cursor::default()), "TRUE");
        assert_eq!(
            question(&Cursor([(1, (7, 2))].into())),
            "(chain = 1 AND (stream_sequence > 7 OR (stream_sequence = 7 AND ordinal > 2))) OR chain NOT IN (1)"
        );
    }

    #[test]
    fn a_notice_is_a_cloud_event_of_its_case_and_revision() {
        let row = Row {
            chain: 1,
            stream_sequence: 9,
            ordinal: 0,
            case_key: "0xab".into(),
            revision: 3,
            kind: "withdrawn".into(),
            alert: r#"{"rule":"ID-01","raised_at_secs":1700000000}"#.into(),
        };
        let message = message(&row).unwrap();
        let event: Value = serde_json::from_slice(&message.value).unwrap();
        assert_eq!(message.key, "0xab");
        assert_eq!(
            event,
            json!({
                "specversion": "1.0",
                "id": "0xab/3",
                "source": "urn:rxtrail:chain:1",
                "type": "rxtrail.alert.withdrawn",
                "subject": "0xab",
                "time": "2023-11-14T22:13:20Z",
                "datacontenttype": "application/json",
                "sequence": "00000000000000000009-0000000000",
                "data": {
                    "case_key": "0xab",
                    "revision": 3,
                    "kind": "withdrawn",
                    "alert": { "rule": "ID-01", "raised_at_secs": 1_700_000_000 },
                },
            })
        );
    }
}

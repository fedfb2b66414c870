//! The book of commits on the server: read whole, written line by line.

use super::book::{Book, Kind, Line};
use super::client::Client;
use super::config::Config;
use super::moment::{Body, Dead};
use super::schema::{BOOK, PIN, escaped, is_made};
use crate::error::Result;
use model::error::ErrorClass;
use std::time::Duration;

/// All intents and opens, and of the commits the newest that counts: however many lines were written in vain.
pub(super) async fn read(client: &Client) -> Result<Book> {
    let sql = format!(
        "SELECT id, kind, epoch, writer, base, body FROM {BOOK} \
         WHERE kind != 'commit' OR id = (SELECT id FROM {PIN})"
    );
    Ok(Book::new(client.lines::<Line>("read the commits", &sql).await?))
}

/// Writes the intent or the open of a writer.
pub(super) async fn write_claim(client: &Client, kind: Kind, of: (u64, &str), base: u64) -> Result<()> {
    let ((epoch, writer), id) = (of, super::book::first_id(of.0));
    let sql = format!(
        "INSERT INTO {BOOK} (id, kind, epoch, writer, base, body) VALUES ({id}, '{}', {epoch}, '{writer}', {base}, '')",
        kind.as_str()
    );
    client.run("claim the store", &sql).await
}

/// Writes the line of a commit, whose rows are there.
pub(super) async fn write_commit(client: &Client, id: u64, of: (u64, &str), body: &Body) -> Result<()> {
    let (epoch, writer) = of;
    let json = serde_json::to_string(body).map_err(|cause| crate::Error::ClickHouse {
        action: "write a commit",
        detail: cause.to_string(),
        class: ErrorClass::Fatal,
    })?;
    let void: Vec<String> =
        body.void.ranges().iter().map(|(first, last)| format!("({first}, {last})")).collect();
    let dead = |Dead { chain, first, last }: &Dead| format!("({chain}, {first}, {last})");
    let dead: Vec<String> = body.dead.iter().map(dead).collect();
    let sql = format!(
        "INSERT INTO {BOOK} (id, kind, epoch, writer, base, void, dead, body) VALUES \
         ({id}, 'commit', {epoch}, '{writer}', 0, [{}], [{}], '{}')",
        void.join(", "),
        dead.join(", "),
        escaped(&json)
    );
    client.run("write a commit", &sql).await
}

/// How long nobody has written to a database, by the server's clock; `None` where there is none, or nobody ever has.
/// A writer that lives writes every few seconds ([`Config::beat_every`]).
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn silent_for(config: &Config) -> Result<Option<Duration>> {
    let client = Client::new(config, None);
    if !is_made(&client, config).await? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT count(), dateDiff('millisecond', max(at), now64(3, 'UTC')) FROM {}.{BOOK}",
        config.database
    );
    let silent: Option<(u64, i64)> = client.first("read the commits", &sql).await?;
    let silent = silent.filter(|(lines, _)| *lines > 0);
    Ok(silent.map(|(_, silent_ms)| Duration::from_millis(u64::try_from(silent_ms).unwrap_or(0))))
}

/// The server's version, to see that it answers.
///
/// # Errors
/// When the server cannot be reached, or does not let this user in.
pub async fn version(config: &Config) -> Result<String> {
    let version = Client::new(config, None).first("ask for its version", "SELECT version()").await?;
    Ok(version.map(|(version,)| version).unwrap_or_default())
}

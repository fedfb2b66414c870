//! The one place that talks to the server: statements, inserts of rows as Arrow, rows back as Arrow.
//!
//! Whatever goes wrong is told apart here: what may succeed later (the server is away, busy, slow or full), and what
//! will not (it knows no such table, or does not let this user in).

use super::config::Config;
use crate::error::{Error, Result};
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::SchemaRef;
use bytes::Bytes;
use clickhouse::error::Error as Cause;
use clickhouse::query::BytesCursor;
use hyper_util::rt::TokioExecutor;
use model::error::ErrorClass;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// Answers of the server that say that it may go otherwise later: it is slow, busy, full, out of memory, cut off from
/// its disks, replicas or Keeper, or was stopped. By their names in `ErrorCodes.cpp`, from `CANNOT_READ_ALL_DATA` to
/// `STD_EXCEPTION`. Every other answer stays the same however often it is asked for.
const PASSING: [u32; 33] = [
    33, 74, 75, 76, 95, 96, 159, 160, 201, 202, 203, 209, 210, 225, 236, 241, 242, 243, 244, 252, 279, 285,
    286, 319, 394, 425, 439, 473, 499, 745, 999, 1000, 1001,
];

/// How long a server that does not answer is asked again, where a process cannot go on without: then it ends, and
/// whoever started it decides.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two questions, at first and at last.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_LAST: Duration = Duration::from_secs(5);

/// How long a connection waits for the next request: less than the three seconds after which a server closes it.
const IDLE_CONNECTION: Duration = Duration::from_secs(2);

/// What is sent at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Rows from which on an insert is compressed: below, the answer takes longer than the bytes.
const COMPRESSED_FROM_ROWS: usize = 1_000;

/// A connection to one database.
#[derive(Clone)]
pub(super) struct Client {
    inner: clickhouse::Client,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server, for its database or for none.
    pub(super) fn new(config: &Config, database: Option<&str>) -> Self {
        let mut inner = transport(&config.url).with_url(&config.url).with_user(&config.user);
        if let Some(password) = &config.password {
            inner = inner.with_password(password);
        }
        if let Some(database) = database {
            inner = inner.with_database(database);
        }
        let inner = inner
            .with_setting("max_execution_time", secs(config.request_timeout))
            // A reader that went away must not keep the server busy.
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            // Ids are numbers, also on servers and for users that quote them by default.
            .with_setting("output_format_json_quote_64bit_integers", "0")
            // A moment names what does not count: a few dozen bytes each.
            .with_setting("max_query_size", "8388608")
            .with_setting("max_ast_elements", "1000000")
            .with_setting("max_expanded_ast_elements", "2000000")
            // Fixed bytes as such, text and bytes as bytes, and in a compression that this build reads.
            .with_setting("output_format_arrow_string_as_string", "0")
            .with_setting("output_format_arrow_fixed_string_as_fixed_byte_array", "1")
            .with_setting("output_format_arrow_compression_method", "zstd")
            // An insert is there when it is answered, and the same rows may come twice: commits tell them apart.
            .with_setting("async_insert", "0")
            .with_setting("insert_deduplicate", "0")
            // What was deleted is gone when the answer says so.
            .with_setting("lightweight_deletes_sync", "2")
            // What does not fit is an error and not a default.
            .with_setting("input_format_arrow_allow_missing_columns", "0")
            .with_setting("input_format_null_as_default", "0");
        let inner = match config.cluster {
            // What one replica answered, each sees: the book rests on it.
            Some(_) => inner
                .with_setting("insert_quorum", "auto")
                .with_setting("insert_quorum_parallel", "0")
                .with_setting("select_sequential_consistency", "1"),
            None => inner,
        };
        Self { inner, timeout: config.request_timeout }
    }

    /// The same client for what may take as long as `limit`. The server may be silent for ten times as long as at a
    /// commit: it may have much to sort before the first row.
    pub(super) fn for_long(&self, limit: Duration) -> Self {
        let inner = self.inner.clone().with_setting("max_execution_time", secs(limit));
        Self { inner, timeout: 10 * self.timeout }
    }

    /// Has a statement carried out.
    pub(super) async fn run(&self, action: &'static str, sql: &str) -> Result<()> {
        let run = self.inner.query_raw(sql).execute();
        self.timed(action, run).await
    }

    /// Rows of a query, each as a struct with the names of its columns.
    pub(super) async fn lines<T: DeserializeOwned>(&self, action: &'static str, sql: &str) -> Result<Vec<T>> {
        self.parsed(action, sql, "JSONEachRow").await
    }

    /// The first row of a query, as a tuple of its columns.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        action: &'static str,
        sql: &str,
    ) -> Result<Option<T>> {
        Ok(self.parsed(action, sql, "JSONCompactEachRow").await?.into_iter().next())
    }

    async fn parsed<T: DeserializeOwned>(
        &self,
        action: &'static str,
        sql: &str,
        format: &str,
    ) -> Result<Vec<T>> {
        let cursor = self.inner.query_raw(sql).fetch_bytes(format);
        let mut cursor = cursor.map_err(|cause| error(action, &cause))?;
        let bytes = self.timed(action, cursor.collect()).await?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let line = |line| {
            serde_json::from_slice(line).map_err(|cause| Error::ClickHouse {
                action,
                detail: format!("the answer is not what was asked for: {cause}"),
                class: ErrorClass::BadData,
            })
        };
        lines.map(line).collect()
    }

    /// Puts rows into a table. On an error they may or may not be there, now or later.
    pub(super) async fn insert(&self, table: &str, batches: &[RecordBatch]) -> Result<()> {
        let action = "insert rows";
        let Some(first) = batches.first() else { return Ok(()) };
        let names: Vec<&str> =
            first.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
        let sql = format!("INSERT INTO {table} ({}) FORMAT ArrowStream", names.join(", "));
        let mut bytes = encoded(batches)?;
        let mut insert =
            self.inner.insert_formatted_with(sql).with_timeouts(Some(self.timeout), Some(self.timeout));
        let send = async move {
            while !bytes.is_empty() {
                let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES));
                insert.send(chunk).await?;
            }
            insert.end().await
        };
        send.await.map_err(|cause| error(action, &cause))
    }

    /// Rows of a query, batch by batch. Dropped before its end, it ends the query.
    pub(super) fn rows(&self, sql: &str) -> Result<Rows> {
        let cursor = self.inner.query_raw(sql).fetch_bytes("ArrowStream");
        let cursor = cursor.map_err(|cause| error("read rows", &cause))?;
        Ok(Rows {
            cursor,
            decoder: StreamDecoder::new(),
            undecoded: Buffer::from(Bytes::new()),
            timeout: self.timeout,
        })
    }

    async fn timed<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result.map_err(|cause| error(action, &cause)),
            Err(_) => Err(error(action, &Cause::TimedOut)),
        }
    }
}

/// Rows of a query while they come.
pub(super) struct Rows {
    cursor: BytesCursor,
    decoder: StreamDecoder,
    undecoded: Buffer,
    timeout: Duration,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    /// The next rows as the server has them; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(rows) = self.decoder.decode(&mut self.undecoded)? {
                return Ok(Some(rows));
            }
            let chunk = tokio::time::timeout(self.timeout, self.cursor.next()).await;
            let chunk = chunk.unwrap_or(Err(Cause::TimedOut)).map_err(|cause| error("read rows", &cause))?;
            match chunk {
                Some(chunk) => self.undecoded = Buffer::from(chunk),
                None => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
            }
        }
    }

    /// All of them, with the columns of `schema`.
    pub(super) async fn all(mut self, schema: &SchemaRef) -> Result<VecDeque<RecordBatch>> {
        let mut all = VecDeque::new();
        while let Some(rows) = self.next().await? {
            all.push_back(super::columns::from_kept(&rows, schema)?);
        }
        Ok(all)
    }
}

/// Asks again while the server is away, for as long as one may be restarted.
///
/// # Errors
/// What the question fails with for good, or still fails with then.
pub(super) async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let (began, mut pause) = (Instant::now(), PAUSE_FIRST);
    loop {
        match ask().await {
            Err(error) if error.class() == ErrorClass::Transient && began.elapsed() < PATIENCE => {
                tracing::warn!(%error, "ClickHouse is asked again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_LAST);
            }
            asked => return asked,
        }
    }
}

fn secs(timeout: Duration) -> String {
    timeout.as_secs().max(1).to_string()
}

/// Without TLS nothing of it is needed: a container without certificates is no reason not to start.
fn transport(url: &str) -> clickhouse::Client {
    if url.starts_with("https://") {
        return clickhouse::Client::default();
    }
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_CONNECTION)
        .build_http();
    clickhouse::Client::with_http_client(http)
}

fn encoded(batches: &[RecordBatch]) -> Result<Bytes> {
    let Some(first) = batches.first() else { return Ok(Bytes::new()) };
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let compression = (rows >= COMPRESSED_FROM_ROWS).then_some(CompressionType::ZSTD);
    let options = IpcWriteOptions::default().try_with_compression(compression)?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), first.schema_ref(), options)?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?.into())
}

fn error(action: &'static str, cause: &Cause) -> Error {
    let class = match cause {
        Cause::Network(_) | Cause::TimedOut | Cause::Other(_) => ErrorClass::Transient,
        Cause::BadResponse(text) => match code(text) {
            Some(code) if !PASSING.contains(&code) => ErrorClass::Fatal,
            // Without a code it is no answer of the server, but of what lies on the way to it.
            _ => ErrorClass::Transient,
        },
        _ => ErrorClass::Fatal,
    };
    Error::ClickHouse { action, detail: told(cause), class }
}

/// What happened, with what it came of: a network error alone says nothing.
fn told(cause: &Cause) -> String {
    let mut text = cause.to_string();
    let mut source = std::error::Error::source(cause);
    while let Some(below) = source {
        let detail = below.to_string();
        if !text.contains(&detail) {
            text = format!("{text}: {detail}");
        }
        source = below.source();
    }
    text
}

/// The number in `Code: 60. DB::Exception: …`.
fn code(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_told_from_what_will_not() {
        let class = |text: &str| match error("ask", &Cause::BadResponse(text.to_owned())) {
            Error::ClickHouse { class, .. } => class,
            other => panic!("{other}"),
        };
        assert_eq!(class("Code: 60. DB::Exception: Unknown table"), ErrorClass::Fatal);
        assert_eq!(class("Code: 252. DB::Exception: Too many parts"), ErrorClass::Transient);
        assert_eq!(class("503 Service Unavailable"), ErrorClass::Transient);
    }
}

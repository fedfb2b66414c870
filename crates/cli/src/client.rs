//! Asks the process that holds a data folder, over its loopback address.

mod array;

use crate::error::{Error, Result};
use array::Array;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response, header};
use hyper_util::rt::TokioIo;
use query::format::Format;
use query::http::{SNAPSHOT, TRUNCATED};
use serde::Deserialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::net::TcpStream;

/// What a problem document says at most.
const PROBLEM_BYTES: usize = 64 << 10;

/// The process that holds a data folder.
#[derive(Debug)]
pub(crate) struct Owner {
    dir: PathBuf,
    address: String,
}

/// What an answer says of itself.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The snapshot that it is made of.
    pub(crate) snapshot: String,
    /// Rows were cut off.
    pub(crate) truncated: bool,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

impl Owner {
    /// The process that holds `dir` and said that it answers at `address`.
    pub(crate) fn new(dir: &Path, address: String) -> Self {
        Self { dir: dir.to_path_buf(), address }
    }

    /// Asks one statement; writes the answer as it comes.
    ///
    /// # Errors
    /// [`Error::Owner`] when it cannot be asked, [`Error::Refusal`] when it refuses.
    pub(crate) async fn sql(&self, sql: &str, format: Format, out: &mut dyn Write) -> Result<Told> {
        let request = Request::post("/v1/sql")
            .header(header::CONTENT_TYPE, "application/sql")
            .header(header::ACCEPT, format.media_type())
            .header(header::TE, "trailers");
        let response = self.send(request.body(Full::new(Bytes::from(sql.to_owned())))).await?;
        self.written(response, out).await
    }

    /// Asks a named question; writes the answer as it comes.
    ///
    /// # Errors
    /// As [`Owner::sql`].
    pub(crate) async fn named(
        &self,
        name: &str,
        arguments: &[(String, String)],
        format: Format,
        out: &mut dyn Write,
    ) -> Result<Told> {
        // Its JSON is a document for pages; here an answer is an array of objects, as to a statement.
        if format == Format::Json {
            let mut array = Array::begin(out);
            let told = self.answer_to(name, arguments, Format::Ndjson, &mut array).await?;
            array.end().map_err(not_written)?;
            return Ok(told);
        }
        self.answer_to(name, arguments, format, out).await
    }

    async fn answer_to(
        &self,
        name: &str,
        arguments: &[(String, String)],
        format: Format,
        out: &mut dyn Write,
    ) -> Result<Told> {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments).finish();
        let request = Request::get(format!("/v1/queries/{name}?{query}"))
            .header(header::ACCEPT, format.media_type())
            .header(header::TE, "trailers");
        let response = self.send(request.body(Full::default())).await?;
        self.written(response, out).await
    }

    async fn written(&self, response: Response<Incoming>, out: &mut dyn Write) -> Result<Told> {
        let text = |headers: &HeaderMap, name: &header::HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let headers = response.headers();
        let mut told =
            Told { snapshot: text(headers, &SNAPSHOT), truncated: text(headers, &TRUNCATED) == "true" };
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.failed(format!("broke its answer off: {error}")))?;
            if let Some(bytes) = frame.data_ref() {
                out.write_all(bytes).map_err(not_written)?;
            } else if let Some(trailers) = frame.trailers_ref() {
                told.truncated |= text(trailers, &TRUNCATED) == "true";
            }
        }
        Ok(told)
    }

    /// Asks for one item's story, as JSON; `None` when nothing is known of it.
    ///
    /// # Errors
    /// As [`Owner::sql`].
    pub(crate) async fn pedigree(&self, item: &str) -> Result<Bytes> {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("item", item).finish();
        let request = Request::get(format!("/v1/pedigree?{query}"));
        let response = self.send(request.body(Full::default())).await?;
        let collected = response.into_body().collect().await;
        Ok(collected.map_err(|error| self.failed(format!("broke its answer off: {error}")))?.to_bytes())
    }

    async fn send(&self, request: hyper::http::Result<Request<Full<Bytes>>>) -> Result<Response<Incoming>> {
        let mut request = request.map_err(|error| Error::Internal(error.to_string()))?;
        let host = self
            .address
            .parse()
            .map_err(|_| self.failed(format!("says that it is at '{}'", self.address)))?;
        request.headers_mut().insert(header::HOST, host);
        let unreachable = |error: &dyn std::fmt::Display| {
            self.failed(format!("does not answer at {}: {error}", self.address))
        };
        let stream = TcpStream::connect(&self.address).await.map_err(|error| unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        // It ends with the answer; what goes wrong with it is seen there.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
        if response.status().is_success() || is_json(response.headers()) {
            return Ok(response);
        }
        let status = response.status();
        let limited = http_body_util::Limited::new(response.into_body(), PROBLEM_BYTES);
        let body = limited.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(Problem { code, detail }) => Err(Error::Refusal { code, detail }),
            Err(_) => Err(self.failed(format!("answered {status}"))),
        }
    }

    fn failed(&self, detail: String) -> Error {
        Error::Owner { dir: self.dir.clone(), detail }
    }
}

fn not_written(source: std::io::Error) -> Error {
    Error::Io { action: "write", path: PathBuf::from("the answer"), source }
}

/// A story of nothing is an answer with status 404.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
}

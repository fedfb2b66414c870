//! A ClickHouse for a test: the real engine behind its HTTP interface, in a folder of its own, ended with the test; and
//! a way to it that fails as networks and servers do.
//!
//! `RXTRAIL_CLICKHOUSE_URL` names a server that is used instead.

#![allow(unreachable_pub, dead_code, reason = "the tests of the store take this file in as well")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The server that is used instead of one of the test's own.
const SERVER: &str = "RXTRAIL_CLICKHOUSE_URL";

/// A server that runs, or was killed.
pub struct Server {
    dir: TempDir,
    /// `None` where the server is not the test's.
    child: Option<Child>,
    url: String,
}

/// The folder of what `tests/run` installs.
fn tools() -> PathBuf {
    let within = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = within.ancestors().find(|dir| dir.join("Cargo.lock").exists());
    workspace.expect("a workspace").join("tests")
}

impl Server {
    /// Starts one with nothing in it.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        if let Ok(url) = std::env::var(SERVER) {
            return Self { dir, child: None, url };
        }
        let mut server = Self { dir, child: None, url: "127.0.0.1:0".to_owned() };
        server.spawn("127.0.0.1:0");
        server
    }

    /// Where it is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// On a server that is not the test's, removes what an earlier run left.
    pub async fn forget(&self, databases: &[&str]) {
        if self.child.is_some() {
            return;
        }
        for database in databases {
            let sql = format!("DROP DATABASE IF EXISTS {database} SYNC");
            let dropped = client().post(&self.url).body(sql).send().await.expect("the server answers");
            dropped.error_for_status().expect("the database is gone");
        }
    }

    /// Ends it at once, as `kill -9` does. A server that is not the test's goes on.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
        }
    }

    /// Starts it again with what its folder holds, at the same address.
    pub fn restart(&mut self) {
        if std::env::var_os(SERVER).is_none() {
            self.kill();
            let address = self.url.trim_start_matches("http://").to_owned();
            self.spawn(&address);
        }
    }

    fn spawn(&mut self, listen: &str) {
        let python = tools().join(".tools/clickhouse/bin/python");
        assert!(python.exists(), "{} is missing: tests/run installs it", python.display());
        let mut child = Command::new(python)
            .arg(tools().join("clickhouse/front.py"))
            .arg("--data")
            .arg(self.dir.path())
            .args(["--listen", listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        output.read_line(&mut said).expect("it says where it listens");
        let url = said.trim().strip_prefix("listening on ");
        self.url = url.unwrap_or_else(|| panic!("no server: {said:?}")).to_owned();
        self.child = Some(child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn client() -> Client {
    // May be installed already by another test of this process: they agree.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().build().expect("a client")
}

/// What happens to a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// It never comes there.
    Refused,
    /// It comes there, its answer is lost.
    AnswerLost,
    /// Its answer is lost, and it comes there only after the request that follows it.
    Late,
}

/// Decides of a request by its statement.
pub type Decide = dyn FnMut(&str) -> Fate + Send;

/// A way to a server on which requests get lost.
pub struct Way {
    url: String,
    fates: Arc<Mutex<Fates>>,
    task: tokio::task::JoinHandle<()>,
}

struct Fates {
    decide: Box<Decide>,
    /// Requests are answered, whatever would be decided of them.
    calm: bool,
    late: VecDeque<Request>,
    lost: u64,
}

#[derive(Clone)]
struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Way {
    /// A way to `server`, on which `decide` says what happens to each request.
    pub async fn to(server: &str, decide: Box<Decide>) -> Self {
        let client = client();
        let fates = Arc::new(Mutex::new(Fates { decide, calm: false, late: VecDeque::new(), lost: 0 }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = (client, server.to_owned(), Arc::clone(&fates));
        let router = Router::new().fallback(pass).with_state(state);
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, fates, task }
    }

    /// Where it begins.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests or answers were lost.
    pub fn lost(&self) -> u64 {
        self.fates.lock().expect("nobody panics with it").lost
    }

    /// From now on every request is answered, or not any more.
    pub fn calm(&self, calm: bool) {
        self.fates.lock().expect("nobody panics with it").calm = calm;
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Passing = (Client, String, Arc<Mutex<Fates>>);

async fn pass(
    State((client, server, fates)): State<Passing>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request { method, uri, headers, body };
    let (fate, late) = {
        let mut fates = fates.lock().expect("nobody panics with it");
        let fate = if fates.calm { Fate::Answered } else { (fates.decide)(&statement(&request)) };
        fates.lost += u64::from(fate != Fate::Answered);
        let late = std::mem::take(&mut fates.late);
        if fate == Fate::Late {
            fates.late.push_back(request.clone());
        }
        (fate, late)
    };
    let answer = match fate {
        Fate::Answered | Fate::AnswerLost => Some(forward(&client, &server, request).await),
        Fate::Refused | Fate::Late => None,
    };
    for request in late {
        forward(&client, &server, request).await;
    }
    answer
        .filter(|_| fate == Fate::Answered)
        .unwrap_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// The statement of a request: in the address where rows are in the body.
fn statement(request: &Request) -> String {
    let address = request.uri.query().unwrap_or_default();
    match address.split('&').find_map(|pair| pair.strip_prefix("query=")) {
        Some(statement) => statement.replace('+', " "),
        None => String::from_utf8_lossy(&request.body).into_owned(),
    }
}

async fn forward(client: &Client, server: &str, request: Request) -> Response {
    let Request { method, uri, mut headers, body } = request;
    for name in ["host", "content-length", "transfer-encoding", "connection"] {
        headers.remove(name);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let sent = client.request(method, format!("{server}{path}")).headers(headers).body(body).send().await;
    let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for name in ["content-length", "transfer-encoding", "connection"] {
        headers.remove(name);
    }
    match answer.bytes().await {
        Ok(body) => (status, headers, body).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

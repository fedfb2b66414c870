//! `demo`: a simulated supply chain with planted frauds, read and judged by the real path.
//!
//! ```text
//! simulator (a node on loopback) ──JSON-RPC──▶ everything that `run` runs ──▶ alerts as they fire
//! ```

mod judge;
mod report;

use crate::alert_line;
use crate::args::{Common, Demo};
use crate::config::Settings;
use crate::config::bus::BusKind;
use crate::config::chains::{Chain, ingest_defaults};
use crate::config::services::Query;
use crate::config::store::StoreKind;
use crate::deployment::{Contract, Deployment, Profile, Who};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::logs;
use crate::progress::Progress;
use crate::terminal::{print, tell};
use crate::wiring::{self, Role, Running, blocking};
use ingest::config::EndpointConfig;
use model::alert::NoticeKind;
use model::chain::ChainId;
use query::engine::Engine;
use simulator::{Config, Endpoint, Label, Simulator};
use std::collections::BTreeMap;
use std::io::stdout;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use transform::Told;

/// The profile that the world's packs speak, and that impostors speak as well.
const PACKS: &str = "gs1-pack";

/// How often the node is asked for its head where it does not tell: a demo is watched by a person.
const POLL_MS: u64 = 50;

/// Milliseconds between two blocks while a person watches, and while only the end counts.
const WATCHED_INTERVAL_MS: u64 = 250;
const EXIT_INTERVAL_MS: u64 = 2;

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A seed that people can type.
pub(super) fn drawn_seed() -> Result<u64> {
    getrandom::u64()
        .map(|drawn| drawn % 1_000_000)
        .map_err(|error| Error::Internal(format!("the system gives no random number: {error}")))
}

/// Runs the demonstration.
pub(super) async fn execute(common: &Common, args: &Demo) -> Result<Exit> {
    let started = Instant::now();
    logs::start(common, None)?;
    let seed = args.seed.map_or_else(drawn_seed, Ok)?;
    tell(&format!("seed {seed} (rxtrail demo --seed {seed} plays the same again)"));
    let stop = runtime::shutdown::on_signal()?;
    let folder = Folder::open(args.data_dir.as_deref())?;
    let world = World::make(args, seed, &folder.path).await?;
    let node_stop = CancellationToken::new();
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let node = world.simulator.serve(&[any_port], node_stop.clone()).await?;
    let Some(endpoint) = node.endpoints.first().cloned() else {
        return Err(Error::Internal("the simulator serves no chain".to_owned()));
    };
    let settings = settings(&folder.path, world.contracts, &endpoint)?;
    let running = wiring::start(&settings, Role::Whole, Some(args.listen), stop.clone()).await?;
    let mut show = Show::new(common, args, running, endpoint, folder.path.clone(), started);
    let exhausted = show.watch(&stop).await?;
    let verdict = match exhausted {
        true => Some(judge::judge(&world.labels, &judge::alerts(&show.engine).await?)),
        false => None,
    };
    stop.cancel();
    show.ended().await?;
    node_stop.cancel();
    node.stopped().await;
    match verdict {
        None => Err(Error::Interrupted),
        Some(verdict) => {
            print(&report::text(&verdict))?;
            tell(&report::first_alert(show.first_alert));
            Ok(if verdict.is_clean() { Exit::Ok } else { Exit::Findings })
        }
    }
}

/// Where the demo's data is; a temporary folder goes with it.
struct Folder {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    fn open(asked: Option<&Path>) -> Result<Self> {
        let Some(path) = asked else {
            let failed = |source| Error::Io { action: "make", path: std::env::temp_dir(), source };
            let temporary = tempfile::Builder::new().prefix("rxtrail-demo-").tempdir().map_err(failed)?;
            return Ok(Self { path: temporary.path().to_path_buf(), _temporary: Some(temporary) });
        };
        if path.join("commits").exists() {
            let text = format!("{} holds data already: a demo begins with an empty folder", path.display());
            return Err(Error::Request(text));
        }
        let path = std::path::absolute(path).map_err(|source| Error::Io {
            action: "find",
            path: path.to_path_buf(),
            source,
        })?;
        Ok(Self { path, _temporary: None })
    }
}

/// A world before it is served.
struct World {
    simulator: Simulator,
    labels: Vec<Label>,
    contracts: Vec<simulator::Contract>,
}

impl World {
    async fn make(args: &Demo, seed: u64, dir: &Path) -> Result<Self> {
        let interval = if args.exit { EXIT_INTERVAL_MS } else { WATCHED_INTERVAL_MS };
        let block_interval_ms = args.block_interval.unwrap_or(interval);
        let config = Config { events: args.events, block_interval_ms, ..Config::new(seed) };
        let registry = dir.join("registry");
        blocking(move || {
            let simulator = Simulator::generate(config)?;
            std::fs::create_dir_all(&registry).map_err(|source| Error::Io {
                action: "make",
                path: registry.clone(),
                source,
            })?;
            simulator.write_registry(&registry)?;
            let (labels, contracts) = (simulator.labels().to_vec(), simulator.contracts().to_vec());
            Ok(Self { simulator, labels, contracts })
        })
        .await
    }
}

/// The configuration of a deployment that reads this node: the contracts that the registry names, and whoever else
/// speaks as packs do.
fn settings(dir: &Path, contracts: Vec<simulator::Contract>, endpoint: &Endpoint) -> Result<Settings> {
    let parse = |text: String| url::Url::parse(&text).map_err(|error| Error::Internal(error.to_string()));
    let websocket = Some(parse(endpoint.ws_url())?);
    let endpoints =
        vec![EndpointConfig { name: "simulator".to_owned(), url: parse(endpoint.http_url())?, websocket }];
    let id = ChainId(endpoint.chain_id);
    let mut ingest = ingest_defaults(id, endpoints);
    ingest.poll_ms = POLL_MS;
    let profile = |name: &str| {
        Profile::built_in(name).ok_or_else(|| Error::Internal(format!("there is no profile '{name}'")))
    };
    let named = contracts.into_iter().map(|contract| {
        let (name, who) = (contract.name.to_owned(), Who::Address(contract.address));
        Ok(Contract { name, chain: contract.chain, who, profile: profile(contract.profile)?, from_block: 0 })
    });
    let mut contracts = named.collect::<Result<Vec<_>>>()?;
    contracts.push(Contract {
        name: "anyone".to_owned(),
        chain: id,
        who: Who::Any,
        profile: profile(PACKS)?,
        from_block: 0,
    });
    let deployment = Deployment { chains: [(id, 0)].into(), contracts, ..Deployment::default() };
    Ok(Settings {
        data_dir: dir.to_path_buf(),
        chains: vec![Chain { name: "simulated".to_owned(), ingest }],
        deployment,
        registry_dir: Some(dir.join("registry")),
        query: Query::default(),
        bus: BusKind::Local,
        store: StoreKind::Folder,
    })
}

/// What a person sees while it runs.
struct Show {
    engine: Arc<Engine>,
    notices: tokio::sync::broadcast::Receiver<Told>,
    running: JoinHandle<Result<()>>,
    committed: tokio::sync::watch::Receiver<BTreeMap<ChainId, model::change::Position>>,
    endpoint: Endpoint,
    address: Option<SocketAddr>,
    dir: PathBuf,
    to_the_end: bool,
    colours: bool,
    progress: Progress,
    started: Instant,
    first_alert: Option<Duration>,
    first_item: Option<String>,
    has_guided: bool,
}

impl Show {
    fn new(
        common: &Common,
        args: &Demo,
        mut running: Running,
        endpoint: Endpoint,
        dir: PathBuf,
        started: Instant,
    ) -> Self {
        Self {
            engine: running.engine.clone(),
            notices: running.notices(),
            committed: running.outward.progress.subscribe(),
            address: running.address,
            running: tokio::spawn(running.parts.ended()),
            progress: Progress::new("blocks", endpoint.head()),
            endpoint,
            dir,
            to_the_end: args.exit,
            colours: common.color.is_on(&stdout()),
            started,
            first_alert: None,
            first_item: None,
            has_guided: false,
        }
    }

    /// Shows alerts until a signal, or with `--exit` until everything was read: true then.
    async fn watch(&mut self, stop: &CancellationToken) -> Result<bool> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(false),
                ended = &mut self.running => return Err(unexpected(ended)),
                told = self.notices.recv() => self.hear(told)?,
                _ = looks.tick() => {
                    let is_level = self.look();
                    if is_level && !self.has_guided {
                        self.guide();
                    }
                    if self.to_the_end && is_level && self.endpoint.is_exhausted() {
                        self.drain()?;
                        self.progress.finish();
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Is everything committed that the node has mined?
    fn look(&mut self) -> bool {
        let head = self.endpoint.head();
        let committed = self.committed.borrow_and_update();
        let tip = committed.values().next().and_then(|position| position.tip).map(|tip| tip.number);
        drop(committed);
        self.progress.set_total(head);
        self.progress.set(tip.unwrap_or(0));
        tip == Some(head)
    }

    fn hear(&mut self, told: std::result::Result<Told, RecvError>) -> Result<()> {
        match told {
            Ok(told) => self.show(&told),
            Err(RecvError::Lagged(missed)) => {
                self.progress.above(|| {
                    tell(&format!("{missed} lines came too fast to be shown; they are in the table notices"))
                });
                Ok(())
            }
            // The transform has ended: the process says why.
            Err(RecvError::Closed) => Ok(()),
        }
    }

    fn show(&mut self, told: &Told) -> Result<()> {
        let notice = &told.notice;
        if notice.kind == NoticeKind::Opened && self.first_alert.is_none() {
            self.first_alert = Some(self.started.elapsed());
        }
        if self.first_item.is_none() {
            self.first_item.clone_from(&notice.alert.item);
        }
        let Some(line) = alert_line::line(notice, self.colours) else { return Ok(()) };
        let mut written = Ok(());
        self.progress.above(|| written = print(&format!("{line}\n")));
        written
    }

    /// Shows what waits.
    fn drain(&mut self) -> Result<()> {
        use tokio::sync::broadcast::error::TryRecvError;
        loop {
            match self.notices.try_recv() {
                Ok(told) => self.show(&told)?,
                Err(TryRecvError::Lagged(missed)) => self.hear(Err(RecvError::Lagged(missed)))?,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(()),
            }
        }
    }

    /// Says where to look, once the chain's past was read.
    fn guide(&mut self) {
        self.has_guided = true;
        let Some(address) = self.address else { return };
        let text = report::guide(address, &self.dir, self.first_item.as_deref(), self.to_the_end);
        self.progress.above(|| tell(&text));
    }

    /// Waits until everything has ended.
    async fn ended(&mut self) -> Result<()> {
        match (&mut self.running).await {
            Ok(result) => result,
            Err(panic) => Err(Error::Internal(panic.to_string())),
        }
    }
}

/// The process ended though nobody asked it to.
fn unexpected(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Error {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => {
            Error::Ended { part: "the process".to_owned(), detail: "it was not asked to".to_owned() }
        }
        Err(panic) => Error::Internal(panic.to_string()),
    }
}

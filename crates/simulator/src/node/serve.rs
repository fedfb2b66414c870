//! Starts the nodes of a world, and says how far they are.

use crate::chain::reorg::reorg;
use crate::error::{Error, Result};
use crate::faults::Faults;
use crate::node::connection::{Door, Scissors};
use crate::node::http::{Shared, router};
use crate::node::rpc;
use crate::node::state::{Node, Schedule};
use crate::simulator::Simulator;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A node that is being served.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its chain.
    pub chain_id: u64,
    /// Where it listens: HTTP and WebSocket on the same port.
    pub address: SocketAddr,
    node: Arc<Node>,
}

impl Endpoint {
    /// Its URL for JSON-RPC over HTTP.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its URL for WebSocket.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Answers a request (one call or a batch) as `POST /` would, without a connection and its faults.
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        rpc::answer(&self.node, request)
    }

    /// Height of its head.
    pub fn head(&self) -> u64 {
        self.node.ledger().height()
    }

    /// Is everything mined, and final?
    pub fn is_exhausted(&self) -> bool {
        self.node.ledger().is_exhausted()
    }

    /// Mines so many blocks now, or as many as there are left.
    ///
    /// # Errors
    /// [`Error::Seal`].
    pub fn mine(&self, blocks: u64) -> Result<()> {
        for _ in 0..blocks {
            if !self.node.mine()? {
                break;
            }
        }
        Ok(())
    }

    /// Replaces the last `depth` blocks by siblings; `dice` chooses which.
    ///
    /// # Errors
    /// [`Error::Depth`] when the chain is not so long, or too much of it is final.
    pub fn reorg(&self, depth: u64, dice: u64) -> Result<()> {
        self.node.reorg(depth, dice)
    }

    /// Changes what the node does wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.node.set_faults(faults);
    }
}

/// A world that is being served, until its token is cancelled.
#[derive(Debug)]
pub struct Running {
    /// One node for each chain, in the order of the configuration.
    pub endpoints: Vec<Endpoint>,
    /// The disagreeing nodes, where they were asked for, in the same order.
    pub twins: Vec<Endpoint>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Are all chains mined and final?
    pub fn is_exhausted(&self) -> bool {
        self.endpoints.iter().all(Endpoint::is_exhausted)
    }

    /// Waits until everything has stopped after the token was cancelled.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Simulator {
    /// Serves each chain on its address (port 0 is any free one) and mines the rest of it live.
    /// Twins listen on free ports of the same interfaces.
    ///
    /// # Errors
    /// [`Error::Listen`]; [`Error::Listeners`] when there is not one address for each chain; [`Error::Depth`] when
    /// a twin's fork lies below the blocks that can still be replaced.
    pub async fn serve(self, listen: &[SocketAddr], shutdown: CancellationToken) -> Result<Running> {
        if listen.len() != self.ledgers.len() {
            return Err(Error::Listeners { given: listen.len(), chains: self.ledgers.len() });
        }
        let mut running = Running { endpoints: Vec::new(), twins: Vec::new(), tasks: JoinSet::new() };
        let interval = Duration::from_millis(self.config.block_interval_ms);
        let schedule =
            Schedule { every_blocks: self.config.reorg_every_blocks, depth_max: self.config.reorg_depth_max };
        let (faults, fork) = (self.config.faults, self.config.twin_fork_block);
        for (ledger, address) in self.ledgers.into_iter().zip(listen) {
            if let Some(fork) = fork {
                let mut twin = ledger.clone();
                let depth = (twin.height() + 1).saturating_sub(fork);
                reorg(&mut twin, depth, 1)?;
                let node = Arc::new(Node::new(twin, Faults::default(), schedule));
                let address = SocketAddr::new(any_port(address), 0);
                running.twins.push(open(node, address, interval, &shutdown, &mut running.tasks).await?);
            }
            let node = Arc::new(Node::new(ledger, faults.clone(), schedule));
            running.endpoints.push(open(node, *address, interval, &shutdown, &mut running.tasks).await?);
        }
        Ok(running)
    }
}

fn any_port(address: &SocketAddr) -> IpAddr {
    address.ip()
}

async fn open(
    node: Arc<Node>,
    address: SocketAddr,
    interval: Duration,
    shutdown: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<Endpoint> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    let shared = Shared { node: Arc::clone(&node), shutdown: shutdown.clone() };
    let service = router(shared).into_make_service_with_connect_info::<Scissors>();
    let server =
        axum::serve(Door(listener), service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tasks.spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, %local, "node stopped");
        }
    });
    if !interval.is_zero() {
        tasks.spawn(mine_live(Arc::clone(&node), interval, shutdown.clone()));
    }
    let chain_id = node.ledger().chain_id;
    Ok(Endpoint { chain_id, address: local, node })
}

/// Mines a block every interval. An exhausted chain rests, and goes on when a reorg gives it something to mine.
async fn mine_live(node: Arc<Node>, interval: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if node.paused.load(Ordering::Relaxed) {
            continue;
        }
        if let Err(error) = node.mine() {
            tracing::error!(%error, "cannot mine");
            return;
        }
    }
}

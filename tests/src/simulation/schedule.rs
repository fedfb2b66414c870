//! A schedule: what the chains do and how the lives end, drawn from a seed; and what is compared in the end.

use super::chain::Chain;
use super::contract::Pack;
use super::late::{self, Heard};
use super::life::{self, Disks, End};
use super::node::Manner;
use super::settled;
use alloy_primitives::Address;
use bus::Publisher;
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use custody::{Core, Setup};
use ingest::config::{Config, FinalityRule, Verify};
use ingest::{Filter, Inputs, RegistryFeed};
use model::chain::ChainId;
use model::change::RegistryVersion;
use model::gs1::{Gln, check_digit};
use model::registry::{
    Announcement, AnnouncementKind, ContractAuthority, Level, Licence, LicenceStatus, LicenceType, Party,
    Product, Registry, Role, Tier, Validity, Wallet, WalletStatus,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Versions of the registry in a schedule at most.
const VERSIONS_MAX: usize = 3;

/// Blocks of a schedule at least, orphans included.
pub const BLOCKS_MIN: u64 = 50;

/// How often each thing happened.
#[derive(Debug, Default, Clone)]
pub struct Hits(BTreeMap<String, u64>);

impl Hits {
    /// Counts one.
    pub fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// Counts all of `other`.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }
}

/// What a schedule went through.
#[derive(Debug)]
pub struct Outcome {
    /// How often each thing happened.
    pub hits: Hits,
    /// Blocks that were ever mined.
    pub blocks: u64,
}

/// What all schedules went through.
#[derive(Debug, Default)]
pub struct Totals {
    hits: Hits,
    blocks: u64,
    schedules: u64,
}

/// Everything that must have happened in a run.
const EVERYTHING: &[&str] = &[
    "appended a final run",
    "appended an open block",
    "chain flipped back",
    "chain grew",
    "chain reorged",
    "compacted",
    "crashed in the bus: append",
    "crashed in the bus: cut",
    "crashed in the bus: remove",
    "crashed in the bus: rename",
    "crashed in the bus: sync",
    "crashed in the bus: sync the folder",
    "crashed in the store: create a file",
    "crashed in the store: create a folder",
    "crashed in the store: cut a file",
    "crashed in the store: remove a file",
    "crashed in the store: rename",
    "crashed in the store: sync a file",
    "crashed in the store: sync a folder",
    "crashed in the store: write",
    "delivered late again",
    "delivered twice",
    "died while reading",
    "finalised",
    "finalised a case across chains",
    "late knowledge was undone by a reorg",
    "learnt of a recall late",
    "learnt of an agreement late",
    "learnt of a contract late",
    "learnt of a delegation late",
    "learnt of a licence late",
    "learnt of a wallet late",
    "lived to the end",
    "node answered in part",
    "node failed",
    "node told of a branch that was left",
    "node was behind",
    "a case was closed as the registry was corrected",
    "a case was raised by late knowledge",
    "reverted",
    "opened a case across chains",
    "reverted what a former life had published",
    "told of an announced migration that was left half",
    "two chains",
    "withdrew a case across chains",
];

impl Totals {
    /// Adds a schedule.
    pub fn add(&mut self, hits: &Hits, blocks: u64) {
        assert!(blocks >= BLOCKS_MIN, "a schedule of {blocks} blocks is too short");
        self.hits.add(hits);
        self.blocks += blocks;
        self.schedules += 1;
    }

    /// Fails when something never happened.
    pub fn assert_everything_was_hit(&self) {
        let missed: Vec<_> = EVERYTHING.iter().filter(|what| !self.hits.0.contains_key(**what)).collect();
        assert!(missed.is_empty(), "never happened: {missed:?}");
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "simulation: {} schedules, {} blocks", self.schedules, self.blocks)?;
        for (what, count) in &self.hits.0 {
            writeln!(f, "  {count:>9}  {what}")?;
        }
        Ok(())
    }
}

/// What does not change in a schedule: contracts, actors, registry.
#[derive(Debug)]
pub struct World {
    /// Who is who, as the registry was told so far.
    versions: Vec<Arc<RegistryVersion>>,
    /// Where its versions came to stand in the streams.
    pub heard: Heard,
    profiles: Arc<Profiles>,
    contracts: [Pack; 3],
    actors: Vec<Address>,
    gtin: String,
}

fn numbered(body: u64, width: usize) -> String {
    format!("{:0width$}", body * 10 + u64::from(check_digit(body)))
}

pub fn gln(index: u64) -> Gln {
    numbered(409_876_510_000 + index, 13).parse().unwrap()
}

impl World {
    fn new(ids: &[ChainId], announced: bool) -> Self {
        let gtin = numbered(409_876_500_001, 14);
        let contracts = [1, 2, 3].map(|byte| Pack { contract: Address::repeat_byte(byte) });
        let actors: Vec<Address> = (10..16).map(Address::repeat_byte).collect();
        let profile = Arc::new(builtin("gs1-pack").unwrap());
        let watched = ids.iter().flat_map(|chain| {
            contracts.iter().enumerate().map(|(at, pack)| WatchedContract {
                name: format!("contract {at}"),
                chain: *chain,
                address: Some(pack.contract),
                profile: profile.clone(),
                family: None,
                from_block: 0,
            })
        });
        let profiles = Arc::new(Profiles::new(watched.collect()).unwrap());
        let mut registry = registry(ids, &contracts, &actors, &gtin);
        if let ([from, to], true) = (ids, announced) {
            registry.announcements = announcements(*from, *to, &contracts);
        }
        let version = RegistryVersion { version: 1, after: None, rows: Arc::new(registry) };
        Self { versions: vec![Arc::new(version)], heard: Heard::default(), profiles, contracts, actors, gtin }
    }

    /// The registry is told what held before.
    fn learn(&mut self, rng: &mut StdRng, hits: &mut Hits) {
        let newest = &self.versions[self.versions.len() - 1];
        let mut rows = Registry::clone(&newest.rows);
        for told in late::draw(rng, &mut rows, (&self.actors, self.contracts[2].contract), &self.gtin) {
            hits.count(told);
        }
        let version = RegistryVersion { version: newest.version + 1, after: None, rows: Arc::new(rows) };
        self.versions.push(Arc::new(version));
    }

    /// A core before the first block.
    pub fn core(&self) -> Core {
        let mut parameters = Parameters::default();
        // Short, so that it ends within a schedule.
        parameters.set("ID-01", "grace_secs", 12 * 3_600).unwrap();
        Core::new(Setup { profiles: self.profiles.clone(), parameters })
    }

    /// What the ingesting side of `chain` reads by, and where it goes.
    pub fn inputs(&self, chain: ChainId, publisher: Box<dyn Publisher>) -> prometheus::Result<Inputs> {
        Ok(Inputs {
            config: config(chain),
            filter: Filter {
                addresses: self.contracts.iter().map(|pack| pack.contract).collect(),
                ..Filter::default()
            },
            publisher,
            registry: RegistryFeed::from(self.versions.clone()),
            metrics: ingest::metrics::Metrics::new(&prometheus::Registry::new())?,
        })
    }

    /// What the rows are made by.
    pub fn versions(&self) -> store::Versions {
        store::Versions { configuration: "simulation".into(), rules: "1".into(), registry: "1".into() }
    }
}

/// How a chain is read that has no endpoints but a node in memory.
fn config(id: ChainId) -> Config {
    Config {
        id,
        endpoints: Vec::new(),
        start_block: 0,
        finality: FinalityRule::Tag,
        tail_limit: 4_096,
        verify: Verify { sample: 0, sample_seed: Some(0), ..Verify::default() },
        poll_ms: 1,
        concurrency: 3,
        timeout_ms: 1_000,
        batch: 1,
    }
}

/// The first contract is authoritative, the second recognised, the third unknown; all actors but the last two are
/// parties.
fn registry(ids: &[ChainId], contracts: &[Pack; 3], actors: &[Address], gtin: &str) -> Registry {
    let validity = Validity::ALWAYS;
    let mut registry = Registry::default();
    let roles = [Role::Manufacturer, Role::Wholesaler, Role::Dispenser, Role::Dispenser];
    for ((index, role), address) in (0..).zip(roles).zip(actors) {
        registry.parties.push(Party {
            gln: gln(index),
            name: format!("party {index}"),
            country: "US".into(),
            role,
            tz: "UTC".into(),
            validity,
        });
        registry.wallets.push(Wallet {
            chain: None,
            address: *address,
            party: gln(index),
            status: WalletStatus::Active,
            validity,
        });
        for kind in [LicenceType::Manufacturing, LicenceType::Wholesale, LicenceType::Dispensing] {
            let status = LicenceStatus::Active;
            registry.licences.push(Licence {
                party: gln(index),
                kind,
                jurisdiction: "*".into(),
                status,
                validity,
            });
        }
    }
    registry.products.push(Product {
        gtin: gtin.parse().unwrap(),
        owner: gln(0),
        name: "Examplin".into(),
        level: Level::Pack,
        units: 1,
        markets: vec!["US".into()],
        validity,
    });
    for chain in ids {
        for (pack, tier) in contracts.iter().zip([Tier::Authoritative, Tier::Recognised]) {
            registry.contracts.push(ContractAuthority {
                chain: *chain,
                address: pack.contract,
                tier,
                gtin: None,
                validity,
            });
        }
    }
    registry
}

/// The authoritative contract migrates from one chain to the other, and the recognised one is bridged back.
fn announcements(from: ChainId, to: ChainId, contracts: &[Pack; 3]) -> Vec<Announcement> {
    let row = |kind, (chain, contract): (ChainId, Pack), (successor_chain, successor): (ChainId, Pack)| {
        let (contract, successor) = (contract.contract, successor.contract);
        Announcement { kind, chain, contract, successor_chain, successor, validity: Validity::ALWAYS }
    };
    vec![
        row(AnnouncementKind::Migration, (from, contracts[0]), (to, contracts[0])),
        row(AnnouncementKind::Bridge, (to, contracts[1]), (from, contracts[1])),
    ]
}

/// Plays the schedule of a seed.
pub async fn play(seed: u64) -> Outcome {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut hits = Hits::default();
    let ids: Vec<ChainId> =
        if rng.random_bool(0.4) { vec![ChainId(1), ChainId(137)] } else { vec![ChainId(1)] };
    if ids.len() > 1 {
        hits.count("two chains");
    }
    let mut world = World::new(&ids, rng.random_bool(0.5));
    let mut chains: Vec<Chain> = ids
        .iter()
        .map(|id| Chain::new(*id, world.contracts, world.actors.clone(), world.gtin.clone()))
        .collect();
    let mut disks = Disks::default();
    let mut blocks = 0;
    while blocks < BLOCKS_MIN {
        for chain in &mut chains {
            blocks += drive(chain, &mut rng, &mut hits);
        }
        if world.versions.len() < VERSIONS_MAX && rng.random_bool(0.2) {
            world.learn(&mut rng, &mut hits);
        }
        let end = draw_end(&mut rng);
        let how = (end, Manner::Unreliable);
        disks = life::live(&world, &chains, disks, how, &mut rng, &mut hits).await;
    }
    settled::settle(&world, &chains, disks, (&mut rng, &mut hits), seed).await;
    Outcome { hits, blocks }
}

/// What happens to a chain between two lives. Returns how many blocks were mined.
fn drive(chain: &mut Chain, rng: &mut StdRng, hits: &mut Hits) -> u64 {
    let mut mined = rng.random_range(1..8);
    chain.grow(rng, mined);
    hits.count("chain grew");
    if rng.random_bool(0.5) {
        let depth = rng.random_range(1..=(chain.tip().number - chain.finalized).max(1));
        chain.reorg(rng, depth);
        mined += depth;
        hits.count("chain reorged");
    }
    if rng.random_bool(0.3) && chain.flip() {
        hits.count("chain flipped back");
    }
    if rng.random_bool(0.4) {
        chain.finalize(rng.random_range(0..8));
    }
    mined
}

fn draw_end(rng: &mut StdRng) -> End {
    // Some ends come early: what a restart does first must fail as well.
    let within = [8, 8, 30, 120][rng.random_range(0..4)];
    match rng.random_range(0..10) {
        0..2 => End::Peace,
        2..5 => End::BusFails(rng.random_range(0..within)),
        _ => End::StoreFails(rng.random_range(0..within)),
    }
}

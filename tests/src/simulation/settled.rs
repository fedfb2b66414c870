//! What is compared in the end: the tables after a schedule, and those of a fresh index of the same chains.

use super::chain::Chain;
use super::late;
use super::life::{self, Disks, End};
use super::node::Manner;
use super::schedule::{Hits, World};
use crate::lines::assert_lines;
use bus::Bus as _;
use futures::StreamExt as _;
use model::alert::{Alert, CaseKey, NoticeKind};
use model::tables::Table;
use query::engine::Engine;
use query::format::{Encoder, Format};
use query::limits::Limits;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward};

/// Lives in peace until everything is taken in, then compares with a fresh index.
pub(super) async fn settle(
    world: &World,
    chains: &[Chain],
    mut disks: Disks,
    (rng, hits): (&mut StdRng, &mut Hits),
    seed: u64,
) {
    let in_peace = (End::Peace, Manner::Honest);
    // A life asks for the head a bounded number of times: some lives take in any chain.
    let mut lives = 0;
    while !is_complete(world, chains, &disks).await {
        disks = life::live(world, chains, disks, in_peace, rng, hits).await;
        lives += 1;
        assert!(lives < 20, "seed {seed}: not complete after {lives} lives in peace");
    }
    let mut fresh = Disks::default();
    late::publish(&fresh, world.heard.all()).await;
    while !is_complete(world, chains, &fresh).await {
        fresh = life::live(world, chains, fresh, in_peace, rng, hits).await;
    }
    let (lived_disks, fresh_disks) = (disks, fresh);
    let (lived, fresh) = (tables(world, &lived_disks).await, tables(world, &fresh_disks).await);
    for table in Table::ALL.into_iter().filter(|table| table.spec().canonical) {
        let (one, other) = (lived.snapshot().digest(table).await, fresh.snapshot().digest(table).await);
        if one.unwrap() != other.unwrap() {
            let what = format!("seed {seed}: {} beside that of a fresh index", table.name());
            assert_lines(&what, &rows(&lived, table).await, &rows(&fresh, table).await);
            panic!("{what}: digests differ, rows do not");
        }
    }
    let (lived, fresh) = (told_across(world, &lived_disks).await, told_across(world, &fresh_disks).await);
    assert_eq!(lived, fresh, "seed {seed}: people were told something else across chains");
}

/// What people were told across chains and what was not withdrawn since.
async fn told_across(world: &World, disks: &Disks) -> BTreeMap<CaseKey, Alert> {
    let (_, told) = store::Writer::told_across(&open(world, disks)).await.unwrap();
    let standing = told.into_iter().filter(|notice| notice.kind != NoticeKind::Withdrawn);
    standing.map(|notice| (notice.case_key, notice.alert)).collect()
}

fn open(world: &World, disks: &Disks) -> Store {
    let mut config = store::Config::new("/data");
    config.compaction = false;
    config.versions = world.versions();
    Store::open_in(config, Arc::new(disks.files.clone())).unwrap()
}

/// Does the stream of every chain end at the chain's tip, and has the store taken all of it?
async fn is_complete(world: &World, chains: &[Chain], disks: &Disks) -> bool {
    let store = open(world, disks);
    let recovered = store::Writer::recovered(&store);
    let bus = bus::local::LocalBus::on(Box::new(disks.bus.clone()), store::Writer::durable(&store)).unwrap();
    for chain in chains {
        let tail = bus.publisher(chain.id).unwrap().tail().await.unwrap().position;
        let taken = recovered.get(&chain.id).map(|recovery| recovery.written_to.sequence);
        if tail.tip != Some(chain.tip()) || taken != Some(tail.sequence) {
            return false;
        }
    }
    true
}

/// The tables, with the open blocks rebuilt from the bus.
async fn tables(world: &World, disks: &Disks) -> store::Reader {
    let store = open(world, disks);
    let bus = bus::local::LocalBus::on(Box::new(disks.bus.clone()), store::Writer::durable(&store)).unwrap();
    let (reader, subscriber) = (store.reader(), bus.subscriber().unwrap());
    drop(bus);
    let outward = Outward::new(Metrics::new(&prometheus::Registry::new()).unwrap());
    transform::run(world.core(), subscriber, Box::new(store), outward, CancellationToken::new())
        .await
        .unwrap();
    reader
}

/// The rows of a table as lines, for people.
async fn rows(reader: &store::Reader, table: Table) -> Vec<String> {
    let seen = query::metrics::Metrics::new(&prometheus::Registry::new()).unwrap();
    let engine = Engine::new(Arc::new(reader.clone()), Limits::default(), seen).unwrap();
    let order: Vec<String> = table.spec().sort.iter().map(|column| format!("\"{column}\"")).collect();
    let sql = format!("SELECT * FROM {} ORDER BY {}", table.name(), order.join(", "));
    let mut answer = engine.ask(&sql).await.unwrap();
    let mut encoder = Encoder::new(Format::Ndjson, &answer.schema(), answer.snapshot()).unwrap();
    let mut lines = String::new();
    while let Some(batch) = answer.next().await {
        lines += str::from_utf8(&encoder.batch(&batch.unwrap()).unwrap()).unwrap();
    }
    lines.lines().map(str::to_owned).collect()
}

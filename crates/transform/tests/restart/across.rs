//! A restart between two chains: what people were told of a clone across chains is neither taken back nor told again,
//! its row is there again, and a reorg after the restart withdraws it with the next revision.

use crate::disks::Disks;
use alloy_primitives::keccak256;
use bus::Bus as _;
use bus::local::LocalBus;
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use custody::{Core, Setup};
use model::alert::{Alert, NoticeKind};
use model::chain::{BlockRef, ChainId};
use model::change::{Change, RegistryVersion};
use model::registry::{ContractAuthority, Registry, Tier, Validity};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use model::tables::Table;
use model::{Address, B256, U256};
use std::sync::Arc;
use store::Writer;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward};

const A: ChainId = ChainId(1);
const B: ChainId = ChainId(137);
const CONTRACT: Address = Address::repeat_byte(1);
const MAKER: Address = Address::repeat_byte(2);
/// Topic of `Commissioned(uint256,address,string,string,string,uint32,uint64)`.
const COMMISSIONED: &str = "Commissioned(uint256,address,string,string,string,uint32,uint64)";

fn setup() -> Setup {
    let profile = Arc::new(builtin("gs1-pack").unwrap());
    let watched = [A, B].map(|chain| WatchedContract {
        name: "packs".into(),
        chain,
        address: Some(CONTRACT),
        profile: profile.clone(),
        family: None,
        from_block: 0,
    });
    Setup { profiles: Arc::new(Profiles::new(watched.into()).unwrap()), parameters: Parameters::default() }
}

fn registry() -> Arc<RegistryVersion> {
    let contract = |chain| ContractAuthority {
        chain,
        address: CONTRACT,
        tier: Tier::Authoritative,
        gtin: None,
        validity: Validity::ALWAYS,
    };
    let rows = Registry { contracts: vec![contract(A), contract(B)], ..Registry::default() };
    Arc::new(RegistryVersion { version: 1, after: None, rows: Arc::new(rows) })
}

/// ABI encoding of product, serial, lot, expiry and time.
fn pack(serial: &str) -> Vec<u8> {
    let word = |value: usize| U256::from(value).to_be_bytes::<32>();
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for text in ["04098765000010", serial, "L1"] {
        head.extend(word(5 * 32 + tail.len()));
        tail.extend(word(text.len()));
        tail.extend(text.as_bytes());
        tail.resize(tail.len().next_multiple_of(32), 0);
    }
    head.extend(word(20_271_231));
    head.extend(word(1_770_000_000));
    [head, tail].concat()
}

/// Block `number` of a chain, which mints `serial` as a token of the block's number.
fn block(chain: ChainId, number: u64, secs: u64, serial: Option<&str>) -> Arc<Segment> {
    let hash = |number: u64| B256::from(U256::from(chain.0 << 32 | number));
    let meta = BlockMeta {
        block: BlockRef { number, hash: hash(number) },
        parent_hash: hash(number - 1),
        time_secs: 1_770_000_000 + secs,
    };
    let mut logs = LogsBuilder::default();
    if let Some(serial) = serial {
        let topic = keccak256(COMMISSIONED);
        let topics = [Some(topic), Some(B256::from(U256::from(number))), Some(MAKER.into_word()), None];
        let data = pack(serial);
        let log = RawLog {
            block_number: number,
            log_index: 0,
            tx_index: 0,
            tx_hash: hash(number),
            contract: CONTRACT,
            topics,
            data: &data,
            sender: None,
            input: None,
        };
        logs.push(&log).unwrap();
    }
    Arc::new(Segment {
        first_number: number,
        parent_hash: meta.parent_hash,
        last: meta.block,
        last_time_secs: meta.time_secs,
        finality: Finality::Open,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: serial.map(|_| meta).into_iter().collect(),
        logs: logs.finish().unwrap(),
        incidents: Vec::new(),
    })
}

/// What a life told across chains, and the rows of `alerts` in its end.
#[derive(Debug, PartialEq)]
struct Life {
    told: Vec<(u32, NoticeKind)>,
    alerts: B256,
}

/// Lives once: publishes `changes`, takes everything, ends without a flush of open rows.
async fn live(disks: &Disks, changes: Vec<(ChainId, Change)>) -> Life {
    let store = disks.store();
    let bus = LocalBus::on(Box::new(disks.bus.clone()), store.durable()).unwrap();
    let (reader, subscriber) = (store.reader(), bus.subscriber().unwrap());
    for chain in [A, B] {
        let mut publisher = bus.publisher(chain).unwrap();
        publisher.open().await.unwrap();
        for (_, change) in changes.iter().filter(|(of, _)| *of == chain) {
            publisher.publish(change.clone()).await.unwrap();
        }
    }
    drop(bus);
    let outward = Outward::new(Metrics::new(&prometheus::Registry::new()).unwrap());
    let mut heard = outward.notices.subscribe();
    let core = Core::new(setup());
    transform::run(core, subscriber, Box::new(store), outward, CancellationToken::new()).await.unwrap();
    let mut told = Vec::new();
    while let Ok(notice) = heard.try_recv() {
        if notice.chain == ChainId::ACROSS {
            told.push((notice.notice.revision, notice.notice.kind));
        }
    }
    Life { told, alerts: reader.snapshot().digest(Table::Alerts).await.unwrap() }
}

fn minted_twice() -> Vec<(ChainId, Change)> {
    let append = |chain, number, secs, serial| (chain, Change::Append(block(chain, number, secs, serial)));
    vec![
        (A, Change::Registry(registry())),
        append(A, 1, 0, None),
        append(A, 2, 100, Some("S1")),
        append(A, 3, 300, None),
        (B, Change::Registry(registry())),
        append(B, 1, 0, None),
        append(B, 2, 200, Some("S1")),
        append(B, 3, 300, None),
    ]
}

async fn last_told(disks: &Disks) -> Vec<(u32, NoticeKind, Alert)> {
    let (_, told) = disks.store().told_across().await.unwrap();
    told.into_iter().map(|notice| (notice.revision, notice.kind, notice.alert)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_restart_tells_nothing_anew_and_a_reorg_after_it_withdraws() {
    let disks = Disks::default();
    let empty = live(&disks, Vec::new()).await;
    let first = live(&disks, minted_twice()).await;
    assert_eq!(first.told, [(1, NoticeKind::Opened)]);
    assert_ne!(first.alerts, empty.alerts);
    let told = last_told(&disks).await;
    assert_eq!((told.len(), told[0].2.chain, told[0].2.accused.clone()), (1, B, None));

    // Nothing is final: every row was in memory alone.
    let disks = disks.after_a_crash();
    let second = live(&disks, Vec::new()).await;
    assert_eq!(second, Life { told: vec![], alerts: first.alerts });
    assert_eq!(last_told(&disks).await, told);

    let disks = disks.after_a_crash();
    let third = live(&disks, vec![(B, Change::Revert(block(B, 1, 0, None).last))]).await;
    assert_eq!(third, Life { told: vec![(2, NoticeKind::Withdrawn)], alerts: empty.alerts });

    let disks = disks.after_a_crash();
    let again = minted_twice().split_off(6);
    let fourth = live(&disks, again).await;
    assert_eq!(fourth, Life { told: vec![(3, NoticeKind::Opened)], alerts: first.alerts });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_case_that_became_final_is_in_files_after_a_restart() {
    let disks = Disks::default();
    let mut changes = minted_twice();
    for chain in [A, B] {
        changes.push((chain, Change::Finalize(block(chain, 3, 300, None).last)));
    }
    let first = live(&disks, changes).await;
    assert_eq!(first.told, [(1, NoticeKind::Opened), (2, NoticeKind::Final)]);
    let disks = disks.after_a_crash();
    let in_files = disks.store().reader().snapshot().digest(Table::Alerts).await.unwrap();
    assert_eq!(in_files, first.alerts);
    assert_eq!(live(&disks, Vec::new()).await, Life { told: vec![], alerts: first.alerts });
}

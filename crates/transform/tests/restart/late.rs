//! A recall is entered after the packs that it concerns were dispensed, and after a restart: the steps of then are found
//! in the store's files, and what a reorg does to the block that brought it is told once each time.

use crate::disks::Disks;
use alloy_primitives::keccak256;
use bus::Bus as _;
use bus::local::LocalBus;
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use custody::{Core, Setup};
use model::alert::NoticeKind;
use model::chain::{BlockRef, ChainId};
use model::change::{Change, RegistryVersion};
use model::registry::{
    ContractAuthority, Level, Licence, LicenceStatus, LicenceType, Party, Product, Recall, Registry, Role,
    Tier, Validity, Wallet, WalletStatus,
};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use model::tables::Table;
use model::{Address, B256, U256};
use std::sync::Arc;
use store::Writer;
use tokio_util::sync::CancellationToken;
use transform::{Metrics, Outward};

const CHAIN: ChainId = ChainId(1);
const CONTRACT: Address = Address::repeat_byte(1);
const MAKER: Address = Address::repeat_byte(2);
const START_SECS: u64 = 1_770_000_000;
const GTIN: &str = "04098765000010";
const GLN: &str = "4098765100000";

fn setup() -> Setup {
    let watched = vec![WatchedContract {
        name: "packs".into(),
        chain: CHAIN,
        address: Some(CONTRACT),
        profile: Arc::new(builtin("gs1-pack").unwrap()),
        family: None,
        from_block: 0,
    }];
    Setup { profiles: Arc::new(Profiles::new(watched).unwrap()), parameters: Parameters::default() }
}

/// One maker with one product, which it also dispenses.
fn registry() -> Registry {
    let (validity, party) = (Validity::ALWAYS, GLN.parse().unwrap());
    let maker = Party {
        gln: party,
        name: "Maker".into(),
        country: "US".into(),
        role: Role::Manufacturer,
        tz: "UTC".into(),
        validity,
    };
    let licence = Licence {
        party,
        kind: LicenceType::Manufacturing,
        jurisdiction: "*".into(),
        status: LicenceStatus::Active,
        validity,
    };
    let product = Product {
        gtin: GTIN.parse().unwrap(),
        owner: party,
        name: "Examplin".into(),
        level: Level::Pack,
        units: 1,
        markets: vec!["US".into()],
        validity,
    };
    let contract = ContractAuthority {
        chain: CHAIN,
        address: CONTRACT,
        tier: Tier::Authoritative,
        gtin: None,
        validity,
    };
    let wallet = Wallet { chain: None, address: MAKER, party, status: WalletStatus::Active, validity };
    Registry {
        parties: vec![maker],
        wallets: vec![wallet],
        licences: vec![licence],
        products: vec![product],
        contracts: vec![contract],
        ..Registry::default()
    }
}

/// The same with a recall that took effect at second `effective_at`.
fn recalled(effective_at: u64) -> Registry {
    let recall = Recall {
        id: "R-1".into(),
        gtin: GTIN.parse().unwrap(),
        lot: Some("L1".parse().unwrap()),
        serial_from: None,
        serial_to: None,
        market: None,
        class: "I".into(),
        effective_at_secs: (START_SECS + effective_at) as i64,
        resolved_at_secs: None,
        validity: Validity::ALWAYS,
    };
    Registry { recalls: vec![recall], ..registry() }
}

fn version(version: u64, after: Option<u64>, rows: Registry) -> Change {
    Change::Registry(Arc::new(RegistryVersion { version, after, rows: Arc::new(rows) }))
}

fn word(value: usize) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

/// ABI encoding of product, serial, lot, expiry and time.
fn pack(serial: &str, secs: u64) -> Vec<u8> {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    for text in [GTIN, serial, "L1"] {
        head.extend(word(5 * 32 + tail.len()));
        tail.extend(word(text.len()));
        tail.extend(text.as_bytes());
        tail.resize(tail.len().next_multiple_of(32), 0);
    }
    head.extend(word(20_271_231));
    head.extend(word((START_SECS + secs) as usize));
    [head, tail].concat()
}

#[derive(Clone, Copy)]
enum Act {
    Nothing,
    Mint(&'static str, u64),
    Dispense(u64),
}

/// Block `number` of branch `branch`, with its time.
fn block(number: u64, branch: u64, secs: u64, act: Act) -> Change {
    let hash = |number: u64, branch: u64| B256::from(U256::from(branch << 32 | number));
    let meta = BlockMeta {
        block: BlockRef { number, hash: hash(number, branch) },
        parent_hash: hash(number - 1, 0),
        time_secs: START_SECS + secs,
    };
    let told = match act {
        Act::Nothing => None,
        Act::Mint(serial, token) => Some((
            "Commissioned(uint256,address,string,string,string,uint32,uint64)",
            token,
            pack(serial, secs),
        )),
        Act::Dispense(token) => {
            let data = [word((START_SECS + secs) as usize), word(64), word(0)].concat();
            Some(("Dispensed(uint256,address,uint64,string)", token, data))
        }
    };
    let mut logs = LogsBuilder::default();
    if let Some((signature, token, data)) = &told {
        let token = B256::from(U256::from(*token));
        let log = RawLog {
            block_number: number,
            log_index: 0,
            tx_index: 0,
            tx_hash: hash(number, 0),
            contract: CONTRACT,
            topics: [Some(keccak256(signature)), Some(token), Some(MAKER.into_word()), None],
            data,
            sender: None,
            input: None,
        };
        logs.push(&log).unwrap();
    }
    Change::Append(Arc::new(Segment {
        first_number: number,
        parent_hash: meta.parent_hash,
        last: meta.block,
        last_time_secs: meta.time_secs,
        finality: Finality::Open,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: vec![meta],
        logs: logs.finish().unwrap(),
        incidents: Vec::new(),
    }))
}

fn tip_of(change: &Change) -> BlockRef {
    let Change::Append(segment) = change else { panic!("it is a block") };
    segment.last
}

/// A notice: rule, revision, kind, block of the step, judged again or not.
type Told = (String, u32, NoticeKind, u64, bool);

/// Lives once; gives what people were told, and the digests of what it left.
async fn live(disks: &Disks, changes: &[Change]) -> (Vec<Told>, [B256; 2]) {
    let store = disks.store();
    let bus = LocalBus::on(Box::new(disks.bus.clone()), store.durable()).unwrap();
    let (reader, subscriber) = (store.reader(), bus.subscriber().unwrap());
    let mut publisher = bus.publisher(CHAIN).unwrap();
    publisher.open().await.unwrap();
    for change in changes {
        publisher.publish(change.clone()).await.unwrap();
    }
    drop((publisher, bus));
    let outward = Outward::new(Metrics::new(&prometheus::Registry::new()).unwrap());
    let mut heard = outward.notices.subscribe();
    let core = Core::new(setup());
    transform::run(core, subscriber, Box::new(store), outward, CancellationToken::new()).await.unwrap();
    let mut told = Vec::new();
    while let Ok(word) = heard.try_recv() {
        let (notice, alert) = (&word.notice, &word.notice.alert);
        let block = alert.position.block;
        told.push((alert.rule.clone(), notice.revision, notice.kind, block, alert.retroactive));
    }
    let snapshot = reader.snapshot();
    let digest = async |table| snapshot.digest(table).await.unwrap();
    (told, [digest(Table::Alerts).await, digest(Table::Items).await])
}

fn life() -> Vec<Change> {
    let blocks = [
        block(1, 0, 100, Act::Mint("S1", 1)),
        block(2, 0, 200, Act::Mint("S2", 2)),
        block(3, 0, 1_000, Act::Dispense(1)),
        block(4, 0, 5_000, Act::Dispense(2)),
    ];
    let last = tip_of(&blocks[3]);
    let mut changes = vec![version(1, None, registry())];
    changes.extend(blocks);
    changes.push(Change::Finalize(last));
    changes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recall_of_yesterday_is_found_in_files_and_undone_with_its_block() {
    let disks = Disks::default();
    let (told, innocent) = live(&disks, &life()).await;
    assert_eq!(told, []);

    let disks = disks.after_a_crash();
    let st_04 = |revision, kind| ("ST-04".to_owned(), revision, kind, 4, true);
    let next = block(5, 0, 9_000, Act::Nothing);
    let (told, judged) = live(&disks, &[version(2, Some(4), recalled(2_000)), next.clone()]).await;
    assert_eq!(told, [st_04(1, NoticeKind::Opened)], "the pack that was dispensed before it is none of it");
    assert_ne!(judged, innocent);

    let disks = disks.after_a_crash();
    let told_again = vec![st_04(1, NoticeKind::Opened)];
    assert_eq!(live(&disks, &[]).await, (told_again, judged), "a restart tells the same revision");

    let disks = disks.after_a_crash();
    let back = Change::Revert(tip_of(&life()[4]));
    let withdrawn = vec![st_04(1, NoticeKind::Opened), st_04(2, NoticeKind::Withdrawn)];
    assert_eq!(live(&disks, &[back]).await, (withdrawn.clone(), innocent));

    let disks = disks.after_a_crash();
    let other = block(5, 1, 9_100, Act::Nothing);
    let last = tip_of(&other);
    let (told, again) = live(&disks, &[other.clone(), Change::Finalize(last)]).await;
    let anew = [st_04(3, NoticeKind::Opened), st_04(4, NoticeKind::Final)];
    assert_eq!(told, [withdrawn.as_slice(), &anew].concat());

    let fresh = Disks::default();
    let mut all = life();
    all.extend([version(2, Some(4), recalled(2_000)), other, Change::Finalize(last)]);
    let (_, straight) = live(&fresh, &all).await;
    assert_eq!((again, straight), (judged, judged));
}

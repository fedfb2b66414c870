//! A restart with many items: packs are minted and commissioned through the core into a store, then a process of its own
//! opens the store and takes the custody state in. Prints how long that takes and what memory it has then.
//!
//! ```text
//! cargo bench --workspace --bench restart -- [packs]
//! ```

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for people, which ends where it fails"
)]

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, U256, keccak256};
use custody::decode::profile::builtin;
use custody::decode::{Profiles, WatchedContract};
use custody::rules::Parameters;
use custody::{Core, Setup};
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Epoch, Record, RegistryVersion, Sequence};
use model::registry::{
    ContractAuthority, Level, Licence, LicenceStatus, LicenceType, Party, Product, Registry, Role, Tier,
    Validity, Wallet, WalletStatus,
};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use store::{Config, Store, Writer};

/// That of the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Packs of a run where none are asked for.
const PACKS: u64 = 1_000_000;
/// Packs of a block, which is a lot.
const BLOCK_PACKS: u64 = 1_000;
/// Blocks of a segment.
const SEGMENT_BLOCKS: u64 = 10;

const CHAIN: ChainId = ChainId(1);
const CONTRACT: Address = Address::repeat_byte(0xcc);
const MAKER: Address = Address::repeat_byte(0x11);
const GTIN: &str = "04012345123456";
const GLN: &str = "4012345000009";
/// Time of the first block, Unix seconds; each is a minute later.
const BEGAN_SECS: u64 = 1_700_000_000;

fn registry() -> Registry {
    let (validity, gln) = (Validity::ALWAYS, GLN.parse().unwrap());
    let (name, country, tz) = ("Maker".to_owned(), "DE".to_owned(), "Europe/Berlin".to_owned());
    let kind = LicenceType::Manufacturing;
    let gtin = GTIN.parse().unwrap();
    Registry {
        parties: vec![Party { gln, name, country: country.clone(), role: Role::Manufacturer, tz, validity }],
        wallets: vec![Wallet {
            chain: None,
            address: MAKER,
            party: gln,
            status: WalletStatus::Active,
            validity,
        }],
        licences: vec![Licence {
            party: gln,
            kind,
            jurisdiction: country.clone(),
            status: LicenceStatus::Active,
            validity,
        }],
        products: vec![Product {
            gtin,
            owner: gln,
            name: "Tablets".into(),
            level: Level::Pack,
            units: 1,
            markets: vec![country],
            validity,
        }],
        contracts: vec![ContractAuthority {
            chain: CHAIN,
            address: CONTRACT,
            tier: Tier::Authoritative,
            gtin: Some(gtin),
            validity,
        }],
        ..Registry::default()
    }
}

fn new_core() -> Core {
    let packs = WatchedContract {
        name: "packs".into(),
        chain: CHAIN,
        address: Some(CONTRACT),
        profile: Arc::new(builtin("gs1-pack").unwrap()),
        family: None,
        from_block: 0,
    };
    let profiles = Arc::new(Profiles::new(vec![packs]).unwrap());
    Core::new(Setup { profiles, parameters: Parameters::default() })
}

/// The two logs of a pack: its mint, and what it is commissioned as.
fn push_pack(logs: &mut LogsBuilder, block: u64, place: u64, pack: u64) {
    let id = B256::from(keccak256(pack.to_be_bytes()));
    let text = |text: String| DynSolValue::String(text);
    let uint = |value: u64, bits| DynSolValue::Uint(U256::from(value), bits);
    let named = DynSolValue::Tuple(vec![
        text(GTIN.into()),
        text(format!("{pack:014}")),
        text(format!("L{block}")),
        uint(20_301_231, 32),
        uint(time_secs(block), 64),
    ]);
    let transfer = keccak256("Transfer(address,address,uint256)");
    let commissioned = keccak256("Commissioned(uint256,address,string,string,string,uint32,uint64)");
    let rows = [
        ([transfer, B256::ZERO, MAKER.into_word(), id].map(Some), Vec::new()),
        ([Some(commissioned), Some(id), Some(MAKER.into_word()), None], named.abi_encode_params()),
    ];
    for (at, (topics, data)) in rows.iter().enumerate() {
        let log = RawLog {
            block_number: block,
            log_index: (2 * place) as u32 + at as u32,
            tx_index: place as u32,
            tx_hash: keccak256(id),
            contract: CONTRACT,
            topics: *topics,
            data,
            sender: None,
            input: None,
        };
        logs.push(&log).unwrap();
    }
}

fn time_secs(block: u64) -> u64 {
    BEGAN_SECS + 60 * block
}

fn block_ref(number: u64) -> BlockRef {
    BlockRef { number, hash: keccak256(number.to_be_bytes()) }
}

fn segment(first: u64) -> Segment {
    let (mut logs, mut blocks) = (LogsBuilder::default(), Vec::new());
    for number in first..first + SEGMENT_BLOCKS {
        let parent_hash = block_ref(number - 1).hash;
        blocks.push(BlockMeta { block: block_ref(number), parent_hash, time_secs: time_secs(number) });
        for place in 0..BLOCK_PACKS {
            push_pack(&mut logs, number, place, number * BLOCK_PACKS + place);
        }
    }
    let last = block_ref(first + SEGMENT_BLOCKS - 1);
    Segment {
        first_number: first,
        parent_hash: block_ref(first - 1).hash,
        last,
        last_time_secs: time_secs(last.number),
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks,
        logs: logs.finish().unwrap(),
        incidents: Vec::new(),
    }
}

/// Fills a store with that many packs.
async fn fill(dir: &Path, packs: u64) {
    let mut core = new_core();
    let mut store = Store::open(Config::new(dir)).expect("a store");
    let version = RegistryVersion { version: 1, after: None, rows: Arc::new(registry()) };
    let segments = packs.div_ceil(BLOCK_PACKS * SEGMENT_BLOCKS);
    let runs = (0..segments).map(|run| Change::Append(Arc::new(segment(1 + run * SEGMENT_BLOCKS))));
    let changes = [Change::Open(Epoch(1)), Change::Registry(Arc::new(version))].into_iter().chain(runs);
    for (sequence, change) in (1..).map(Sequence).zip(changes) {
        let record = Record { chain: CHAIN, epoch: Epoch(1), sequence, change };
        let commit = core.step(&record).expect("a step").expect("a commit");
        assert!(commit.alerts.is_empty(), "lawful packs raise nothing: {:?}", commit.alerts.first());
        store.commit(commit).await.expect("a commit");
    }
    store.flush().await.expect("a flush");
}

/// Takes the state of a store in, and says what it took.
async fn restore(dir: &Path) {
    let began = Instant::now();
    let store = Store::open(Config::new(dir)).expect("a store");
    let mut core = new_core();
    transform::restore::restore(&mut core, &store).await.expect("the state");
    let took = began.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default().trim();
    println!("state taken in                {:>10.2} s", took.as_secs_f64());
    println!("memory then                   {kib:>12}");
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, dir] = &arguments[..]
        && word == "restore"
    {
        return restore(Path::new(dir)).await;
    }
    let packs = arguments.first().and_then(|packs| packs.parse().ok()).unwrap_or(PACKS);
    let scratch = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    fill(scratch.path(), packs).await;
    println!("packs                         {packs:>12}");
    println!("minted and stored in          {:>10.1} s", began.elapsed().as_secs_f64());
    let program = std::env::current_exe().expect("this is a file");
    let restored = Command::new(program).arg("restore").arg(scratch.path()).status().expect("it starts");
    assert!(restored.success(), "the restart failed");
}

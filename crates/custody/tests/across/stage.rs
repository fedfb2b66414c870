//! A core that two chains play on, block by block in any order.

use crate::cast;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use custody::decode::profile::builtin;
use custody::decode::{Decoded, Profiles, WatchedContract};
use custody::rows::state_rows;
use custody::rules::Parameters;
use custody::state::StateRow;
use custody::{Core, Setup};
use model::alert::{Alert, CaseKey, Notice};
use model::chain::{BlockRef, ChainId, LogPosition};
use model::change::{Change, Epoch, Position, Record, RegistryVersion, Sequence};
use model::commit::{AlertChange, Commit, Effect};
use model::event::{Event, EventKind, Identity, Reason};
use model::registry::{Announcement, AnnouncementKind, ContractAuthority, Registry, Tier, Validity};
use model::segment::{Finality, LogsBuilder, Segment, VerificationLevel};
use model::tables::Table;
use model::{Address, B256, U256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const A: ChainId = ChainId(1);
pub const B: ChainId = ChainId(137);
pub const GRACE_SECS: i64 = 72 * 3_600;
/// Under which claims stand in the `state` table.
const CLAIMS_KIND: u32 = 17;

/// What happens in a block, all to serial P1.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    Mint { contract: &'static str, token: u64, by: &'static str },
    MintAnew { contract: &'static str, token: u64, by: &'static str },
    Burn { contract: &'static str, token: u64, by: &'static str },
    Leave { contract: &'static str, token: u64, by: &'static str },
}

#[derive(Debug, Clone)]
pub struct Block {
    pub secs: i64,
    pub acts: Vec<Act>,
}

#[derive(Debug, Clone)]
pub struct Story {
    pub chains: [(ChainId, Vec<Block>); 2],
    /// `packs` of chain A goes to `packs` of chain B.
    pub announced: Option<AnnouncementKind>,
}

impl Default for Story {
    fn default() -> Self {
        Self { chains: [(A, Vec::new()), (B, Vec::new())], announced: None }
    }
}

impl Story {
    /// Every order in which the blocks can arrive.
    pub fn orders(&self) -> Vec<Vec<ChainId>> {
        fn go(left: [usize; 2], order: &mut Vec<ChainId>, all: &mut Vec<Vec<ChainId>>) {
            if left == [0, 0] {
                all.push(order.clone());
            }
            for (at, chain) in [A, B].into_iter().enumerate().filter(|(at, _)| left[*at] > 0) {
                let mut rest = left;
                rest[at] -= 1;
                order.push(chain);
                go(rest, order, all);
                order.pop();
            }
        }
        let mut all = Vec::new();
        go(self.chains.each_ref().map(|(_, blocks)| blocks.len()), &mut Vec::new(), &mut all);
        all
    }

    fn ids(&self) -> BTreeSet<ChainId> {
        self.chains.iter().map(|(chain, _)| *chain).collect()
    }

    fn registry(&self) -> Registry {
        let mut registry = cast::registry(&cast::Changes::default());
        for (name, tier) in [("packs", Tier::Authoritative), ("partner", Tier::Recognised)] {
            registry.contracts.push(ContractAuthority {
                chain: B,
                address: cast::address(name),
                tier,
                gtin: None,
                validity: Validity::ALWAYS,
            });
        }
        registry.announcements.extend(self.announced.map(|kind| Announcement {
            kind,
            chain: A,
            contract: cast::address("packs"),
            successor_chain: B,
            successor: cast::address("packs"),
            validity: Validity::ALWAYS,
        }));
        registry
    }

    fn setup(&self) -> Setup {
        let profile = Arc::new(builtin("gs1-pack").unwrap());
        let contracts = self.ids().into_iter().map(|chain| WatchedContract {
            name: "packs".into(),
            chain,
            address: Some(cast::address("packs")),
            profile: profile.clone(),
            family: None,
            from_block: 0,
        });
        Setup {
            profiles: Arc::new(Profiles::new(contracts.collect()).unwrap()),
            parameters: Parameters::default(),
        }
    }
}

/// One chain as it was taken so far.
#[derive(Debug, Default, Clone)]
struct Taken {
    sequence: u64,
    blocks: Vec<(BlockRef, i64)>,
    state: BTreeMap<(u32, Vec<u8>), Option<Vec<u8>>>,
    revisions: BTreeMap<CaseKey, u32>,
}

pub struct Stage<'a> {
    story: &'a Story,
    core: Core,
    taken: BTreeMap<ChainId, Taken>,
    alerts: BTreeMap<CaseKey, Alert>,
    sequence: Sequence,
    fork: u8,
    /// Notices across chains.
    pub notices: Vec<Notice>,
    /// Changes of cases across chains.
    pub changes: Vec<AlertChange>,
    /// Claims that were written for a restart.
    pub claims_written: usize,
}

impl<'a> Stage<'a> {
    pub fn new(story: &'a Story) -> Self {
        let mut stage = Self {
            story,
            core: Core::new(story.setup()),
            taken: BTreeMap::new(),
            alerts: BTreeMap::new(),
            sequence: Sequence(0),
            fork: 0,
            notices: Vec::new(),
            changes: Vec::new(),
            claims_written: 0,
        };
        let rows = Arc::new(story.registry());
        for chain in story.ids() {
            let version = RegistryVersion { version: 1, after: None, rows: rows.clone() };
            stage.take(chain, Change::Registry(Arc::new(version)), None);
            // The first block carries the registry into what a restart reads.
            stage.append(chain, &Block { secs: 0, acts: Vec::new() });
        }
        stage
    }

    pub fn play(story: &'a Story, order: &[ChainId]) -> Self {
        let mut stage = Self::new(story);
        for chain in order {
            assert!(stage.next(*chain));
        }
        stage
    }

    pub fn play_with_every_block_reverted_once(story: &'a Story, order: &[ChainId]) -> Self {
        let mut stage = Self::new(story);
        for chain in order {
            let before = stage.taken[chain].blocks.len();
            stage.fork += 1;
            stage.next(*chain);
            stage.revert(*chain, before);
            stage.fork = 0;
            stage.next(*chain);
        }
        stage
    }

    pub fn play_with_restarts(story: &'a Story, order: &[ChainId]) -> Self {
        let mut stage = Self::new(story);
        for chain in order {
            stage.next(*chain);
            stage.restart();
        }
        stage
    }

    /// Takes the next block of a chain; false at its end.
    pub fn next(&mut self, chain: ChainId) -> bool {
        let story = self.story;
        let (_, blocks) = story.chains.iter().find(|(of, _)| *of == chain).unwrap();
        let Some(block) = blocks.get(self.taken[&chain].blocks.len() - 1) else { return false };
        self.append(chain, block);
        true
    }

    fn append(&mut self, chain: ChainId, block: &Block) {
        let number = self.taken[&chain].blocks.len();
        let parent_hash = self.taken[&chain].blocks.last().map_or(B256::ZERO, |(block, _)| block.hash);
        let mut hash = [self.fork; 32];
        hash[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let last = BlockRef { number: number as u64, hash: hash.into() };
        let segment = Segment {
            first_number: number as u64,
            parent_hash,
            last,
            last_time_secs: u64::try_from(block.secs).unwrap(),
            finality: Finality::Open,
            level: VerificationLevel::Off,
            filter: B256::ZERO,
            blocks: Vec::new(),
            logs: LogsBuilder::default().finish().unwrap(),
            incidents: Vec::new(),
        };
        let events = (0..).zip(&block.acts).map(|(log, act)| event(*act, number as u64, log, block.secs));
        let decoded = Decoded { events: events.collect(), dead_letters: Vec::new(), logs: block.acts.len() };
        self.taken.entry(chain).or_default().blocks.push((last, block.secs));
        self.take(chain, Change::Append(Arc::new(segment)), Some(decoded));
    }

    /// Orphans all but the first `left` blocks of a chain.
    pub fn revert(&mut self, chain: ChainId, left: usize) {
        let taken = self.taken.entry(chain).or_default();
        taken.blocks.truncate(left);
        let (to, _) = *taken.blocks.last().unwrap();
        self.take(chain, Change::Revert(to), None);
    }

    /// Block `number` of a chain and those below can no longer change.
    pub fn finalize(&mut self, chain: ChainId, number: usize) {
        let (upto, _) = self.taken[&chain].blocks[number];
        self.take(chain, Change::Finalize(upto), None);
    }

    fn take(&mut self, chain: ChainId, change: Change, decoded: Option<Decoded>) {
        let taken = self.taken.entry(chain).or_default();
        taken.sequence += 1;
        let record = Record { chain, epoch: Epoch(0), sequence: Sequence(taken.sequence), change };
        let commit = self.core.step_decoded(&record, decoded, Vec::new()).unwrap().unwrap();
        self.keep_state(chain, &commit);
        self.listen();
    }

    fn listen(&mut self) {
        let Some(commit) = self.core.across() else { return };
        assert_eq!((commit.chain, commit.position.sequence), (ChainId::ACROSS, self.sequence.next()));
        self.sequence = commit.position.sequence;
        for change in &commit.alerts {
            match &change.alert {
                Some(alert) => self.alerts.insert(change.case_key, alert.clone()),
                None => self.alerts.remove(&change.case_key),
            };
        }
        self.changes.extend(commit.alerts);
        self.notices.extend(commit.notices);
        assert!(self.core.across().is_none(), "nothing is said twice");
    }

    fn keep_state(&mut self, chain: ChainId, commit: &Commit) {
        let taken = self.taken.entry(chain).or_default();
        taken.revisions.extend(commit.notices.iter().map(|notice| (notice.case_key, notice.revision)));
        let Effect::Append { rows, .. } = &commit.effect else { return };
        for (_, batch) in rows.iter().filter(|(table, _)| *table == Table::State) {
            let kinds = batch.column_by_name("kind").unwrap().as_primitive::<UInt32Type>();
            let keys = batch.column_by_name("key").unwrap().as_binary::<i32>();
            let values = batch.column_by_name("value").unwrap().as_binary::<i32>();
            for ((kind, key), value) in kinds.iter().zip(keys).zip(values) {
                let kind = kind.unwrap();
                self.claims_written += usize::from(kind == CLAIMS_KIND);
                taken.state.insert((kind, key.unwrap().to_vec()), value.map(<[u8]>::to_vec));
            }
        }
    }

    /// Ends the process and starts it again from what it wrote: what people were told, and the state of each chain.
    fn restart(&mut self) {
        let mut last: BTreeMap<CaseKey, Notice> = BTreeMap::new();
        for notice in &self.notices {
            let before = last.insert(notice.case_key, notice.clone());
            assert_eq!(notice.revision, before.map_or(0, |before| before.revision) + 1);
        }
        let stood = std::mem::take(&mut self.alerts);
        let positions: BTreeMap<ChainId, Position> =
            self.taken.keys().map(|chain| (*chain, self.core.position(*chain))).collect();
        self.core = Core::new(self.story.setup());
        let written_to = positions.iter().map(|(chain, position)| (*chain, position.sequence));
        self.core.restore_across(self.sequence, last.into_values().collect(), written_to);
        for (chain, taken) in &self.taken {
            // Before the last chain is back, people would hear that what rests on it was taken back.
            assert!(self.core.across().is_none());
            let rows = taken.state.iter().map(|((kind, key), value)| StateRow {
                kind: *kind,
                key: key.clone(),
                value: value.clone(),
            });
            let rows = state_rows(*chain, &rows.collect::<Vec<_>>(), 0).unwrap();
            let now_secs = taken.blocks.last().map_or(0, |(_, secs)| *secs);
            let revisions: Vec<_> = taken.revisions.clone().into_iter().collect();
            self.core.restore(*chain, (positions[chain], now_secs), [rows], &revisions).unwrap();
        }
        self.listen();
        // What stands is given again: a row that was in memory alone is lost with the process.
        assert_eq!(self.alerts, stood);
    }

    /// Cases across chains as they stand.
    pub fn standing(&self) -> &BTreeMap<CaseKey, Alert> {
        &self.alerts
    }

    /// What people were told last of each case: does it stand?
    pub fn told_last(&self) -> BTreeMap<CaseKey, bool> {
        let told = self.notices.iter().map(|notice| (notice.case_key, notice.kind.as_str() != "withdrawn"));
        told.collect()
    }
}

fn event(act: Act, block: u64, log: u32, secs: i64) -> Event {
    let (Act::Mint { contract, token, by }
    | Act::MintAnew { contract, token, by }
    | Act::Burn { contract, token, by }
    | Act::Leave { contract, token, by }) = act;
    let (contract, by) = (cast::address(contract), cast::address(by));
    let (kind, from, to) = match act {
        Act::Mint { .. } => (EventKind::Commissioning, Some(Address::ZERO), Some(by)),
        Act::MintAnew { .. } => (EventKind::Transfer, Some(Address::ZERO), Some(by)),
        Act::Burn { .. } => (EventKind::Transfer, Some(by), Some(Address::ZERO)),
        Act::Leave { .. } => (EventKind::Decommissioning, None, None),
    };
    let mut tx = [7; 32];
    tx[..8].copy_from_slice(&block.to_be_bytes());
    tx[8..12].copy_from_slice(&log.to_be_bytes());
    let named = matches!(act, Act::Mint { .. });
    let identity = Identity {
        gtin: Some(cast::gtin()),
        serial: Some("P1".parse().unwrap()),
        lot: Some("L1".parse().unwrap()),
        ..Identity::default()
    };
    Event {
        position: LogPosition { block, log, sub: 0 },
        tx_hash: tx.into(),
        tx_index: log,
        block_time_secs: secs,
        event_time_secs: Some(secs),
        contract,
        token_contract: contract,
        kind,
        token: Some(U256::from(token)),
        range_end: None,
        identity: if named { identity } else { Identity::default() },
        from,
        to,
        actor: Some(by),
        actor_source: None,
        sender: None,
        parent: None,
        parent_contract: None,
        quantity: None,
        place: None,
        reason: matches!(act, Act::Leave { .. }).then_some(Reason::Migrated),
        detail: None,
    }
}

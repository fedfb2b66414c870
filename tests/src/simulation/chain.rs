//! A chain that a schedule drives: it grows, reorgs to any depth above its finalised block, flips back to a branch
//! that it had left, and finalises.

use super::contract::{Log, Pack};
use alloy_primitives::{Address, B256, keccak256};
use model::chain::{BlockRef, ChainId};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use rand::Rng;
use rand::rngs::StdRng;

/// Seconds between blocks: long, so that timers of a day pass within a few blocks. Each chain has its own pace, so
/// that now the one and now the other is ahead.
fn block_secs(chain: ChainId) -> u64 {
    if chain.0 == 1 { 3 * 3_600 } else { 4 * 3_600 }
}
/// Time of block 0.
pub const START_SECS: u64 = 1_770_000_000;
/// Serials of a schedule: few, so that stories collide.
const PACKS: u64 = 9;
/// Orphaned branches that are remembered to flip back to.
const LEFT_MAX: usize = 4;

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Number, hash, parent, time.
    pub meta: BlockMeta,
    logs: Vec<Log>,
}

/// A chain.
#[derive(Debug)]
pub struct Chain {
    /// Its id.
    pub id: ChainId,
    /// Its canonical blocks from 0.
    pub blocks: Vec<Block>,
    /// Number of the finalised block.
    pub finalized: u64,
    left: Vec<Vec<Block>>,
    contracts: [Pack; 3],
    actors: Vec<Address>,
    gtin: String,
    forks: u64,
}

impl Chain {
    /// A chain with its first block.
    pub fn new(id: ChainId, contracts: [Pack; 3], actors: Vec<Address>, gtin: String) -> Self {
        let mut chain = Self {
            id,
            blocks: Vec::new(),
            finalized: 0,
            left: Vec::new(),
            contracts,
            actors,
            gtin,
            forks: 0,
        };
        chain.push(Vec::new());
        chain
    }

    /// The newest block.
    pub fn tip(&self) -> BlockRef {
        self.blocks.last().map(|block| block.meta.block).unwrap_or(BlockRef { number: 0, hash: B256::ZERO })
    }

    fn push(&mut self, logs: Vec<Log>) {
        let number = self.blocks.len() as u64;
        let parent_hash = self.blocks.last().map_or(B256::ZERO, |block| block.meta.block.hash);
        let mut seed = parent_hash.to_vec();
        seed.extend(self.id.0.to_be_bytes());
        seed.extend(self.forks.to_be_bytes());
        seed.extend(logs.iter().flat_map(|log| log.data.iter().copied()));
        let block = BlockRef { number, hash: keccak256(seed) };
        let meta = BlockMeta { block, parent_hash, time_secs: START_SECS + number * block_secs(self.id) };
        self.blocks.push(Block { meta, logs });
    }

    /// Grows by `count` blocks.
    pub fn grow(&mut self, rng: &mut StdRng, count: u64) {
        for _ in 0..count {
            let logs = self.draw_logs(rng);
            self.push(logs);
        }
    }

    /// Replaces the last `depth` blocks above the finalised one. Some transactions are mined again.
    pub fn reorg(&mut self, rng: &mut StdRng, depth: u64) {
        let from = (self.tip().number + 1 - depth).max(self.finalized + 1);
        let orphaned = self.blocks.split_off(usize::try_from(from).unwrap());
        if orphaned.is_empty() {
            return;
        }
        self.forks += 1;
        for block in &orphaned {
            let again = rng.random_bool(0.5);
            let logs = if again { block.logs.clone() } else { self.draw_logs(rng) };
            self.push(logs);
        }
        self.left.push(orphaned);
        if self.left.len() > LEFT_MAX {
            self.left.remove(0);
        }
    }

    /// Goes back to a branch that was left, where it still stands on the chain above the finalised block.
    pub fn flip(&mut self) -> bool {
        let Some(at) = self.left.iter().rposition(|branch| self.stands(branch)) else { return false };
        let branch = self.left.remove(at);
        let orphaned = self.blocks.split_off(usize::try_from(branch[0].meta.block.number).unwrap());
        self.blocks.extend(branch);
        if !orphaned.is_empty() {
            self.left.push(orphaned);
        }
        true
    }

    /// Does a branch that was left still stand on the chain, above the finalised block?
    fn stands(&self, branch: &[Block]) -> bool {
        let first = branch[0].meta;
        let below = usize::try_from(first.block.number - 1).unwrap();
        first.block.number > self.finalized
            && self.blocks.get(below).is_some_and(|block| block.meta.block.hash == first.parent_hash)
    }

    /// Finalises all but the last `keep` blocks.
    pub fn finalize(&mut self, keep: u64) {
        self.finalized = self.finalized.max(self.tip().number.saturating_sub(keep));
    }

    /// The chain as a node sees it that has not heard of the last reorg, if there is such a branch.
    pub fn fork(&self) -> Option<Vec<Block>> {
        let branch = self.left.iter().rfind(|branch| self.stands(branch))?;
        let common = usize::try_from(branch[0].meta.block.number).unwrap();
        Some(self.blocks[..common].iter().chain(branch).cloned().collect())
    }

    fn draw_logs(&self, rng: &mut StdRng) -> Vec<Log> {
        let at = START_SECS + self.blocks.len() as u64 * block_secs(self.id) - 60;
        (0..rng.random_range(0..4)).flat_map(|_| self.draw(rng, at)).collect()
    }

    fn draw(&self, rng: &mut StdRng, at: u64) -> Vec<Log> {
        let pack = self.contracts[[0, 0, 0, 0, 1, 2][rng.random_range(0..6)]];
        let actor = |rng: &mut StdRng| self.actors[rng.random_range(0..self.actors.len())];
        let (token, by, to) = (rng.random_range(0..PACKS), actor(rng), actor(rng));
        match rng.random_range(0..21) {
            0..5 => vec![
                pack.transfer(Address::ZERO, by, token),
                pack.commissioned(token, by, &self.gtin, &format!("S{}", rng.random_range(0..PACKS)), at),
            ],
            5..9 => vec![pack.sent("Shipped", token, by, to, at - rng.random_range(0..40_000))],
            9..13 => vec![pack.transfer(by, to, token), pack.at_place("Received", token, to, at)],
            13 => vec![pack.at_place("Dispensed", token, by, at)],
            14 => vec![pack.done("Destroyed", token, by, at), pack.transfer(by, Address::ZERO, token)],
            15 => vec![pack.done("ShippingVoided", token, by, at)],
            16 => vec![pack.nested("Packed", token, rng.random_range(0..PACKS), by, at)],
            17 => vec![pack.nested("Unpacked", token, rng.random_range(0..PACKS), by, at)],
            19 => vec![pack.left(token, by, at)],
            18 => vec![pack.sent("Returned", token, by, to, at)],
            _ => vec![pack.garbage(token)],
        }
    }
}

/// These blocks as a segment, which names each of them: a version of the registry judges again what came before it at
/// the time of its block, whether that has logs or not.
pub fn segment(blocks: &[Block], finality: Finality) -> Segment {
    let mut logs = LogsBuilder::default();
    for block in blocks {
        for (index, log) in (0u32..).zip(&block.logs) {
            logs.push(&raw(block, index, log)).unwrap();
        }
    }
    let newest = blocks.last().unwrap().meta;
    Segment {
        first_number: blocks[0].meta.block.number,
        parent_hash: blocks[0].meta.parent_hash,
        last: newest.block,
        last_time_secs: newest.time_secs,
        finality,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: blocks.iter().map(|block| block.meta).collect(),
        logs: logs.finish().unwrap(),
        incidents: Vec::new(),
    }
}

fn raw<'a>(block: &Block, index: u32, log: &'a Log) -> RawLog<'a> {
    let mut topics = [None; 4];
    for (slot, topic) in topics.iter_mut().zip(&log.topics) {
        *slot = Some(*topic);
    }
    // A transaction that is mined again in another block keeps its hash: it is a hash of what it does.
    let mut seed = log.data.clone();
    seed.extend(log.topics.iter().flat_map(|topic| topic.0));
    RawLog {
        block_number: block.meta.block.number,
        log_index: index,
        tx_index: index,
        tx_hash: keccak256(seed),
        contract: log.contract,
        topics,
        data: &log.data,
        sender: None,
        input: None,
    }
}

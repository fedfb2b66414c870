//! The ledger: the canonical chain, its head and its finalised block, and what is still to be mined.

use crate::chain::body::{Body, SLOT_SECS};
use crate::chain::seal::{SealedBlock, seal};
use crate::chain::transaction::SignedTx;
use crate::error::Result;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use evidence::receipt::Receipt;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Bodies kept below the finalised block, so that tests can undo finality too.
pub(crate) const KEPT_BELOW_FINAL: u64 = 64;
/// Orphaned blocks that can still be asked for by their hash, as real nodes allow for a while.
const ORPHANS_MAX: usize = 1_024;

/// One chain of the world.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) chain_id: u64,
    pub(crate) finality_depth: u64,
    /// Canonical blocks, by number.
    pub(crate) blocks: Vec<Arc<SealedBlock>>,
    /// Blocks by hash, orphans included.
    pub(crate) by_hash: HashMap<B256, Arc<SealedBlock>>,
    /// Canonical transactions: block and index.
    pub(crate) tx_places: HashMap<B256, (u64, u32)>,
    /// Addresses that have been called or have logged: they have code.
    pub(crate) contracts: HashSet<Address>,
    /// Orphans, oldest first.
    pub(crate) orphans: VecDeque<B256>,
    /// Bodies of the last blocks, the head's last.
    pub(crate) bodies: VecDeque<Body>,
    /// Bodies to be mined.
    pub(crate) plan: VecDeque<Body>,
    /// Transactions that a reorg has put off: they come first in the next block.
    pub(crate) put_off: Vec<(SignedTx, Receipt)>,
    /// The last block that holds a transaction.
    pub(crate) last_busy: u64,
    /// Tells siblings apart; 0 until the first reorg.
    pub(crate) salt: u64,
}

impl Ledger {
    /// A chain that holds its first block only.
    pub(crate) fn new(chain_id: u64, finality_depth: u64, genesis_secs: i64) -> Result<Self> {
        let mut ledger = Self {
            chain_id,
            finality_depth,
            blocks: Vec::new(),
            by_hash: HashMap::new(),
            tx_places: HashMap::new(),
            contracts: HashSet::new(),
            orphans: VecDeque::new(),
            bodies: VecDeque::new(),
            plan: VecDeque::new(),
            put_off: Vec::new(),
            last_busy: 0,
            salt: 0,
        };
        ledger.append(Body { slot_secs: genesis_secs, ..Body::default() }, 0)?;
        Ok(ledger)
    }

    /// The last block.
    pub(crate) fn head(&self) -> Option<&Arc<SealedBlock>> {
        self.blocks.last()
    }

    /// Height of the last block.
    pub(crate) fn height(&self) -> u64 {
        (self.blocks.len() as u64).saturating_sub(1)
    }

    /// Height of the last block that is final.
    pub(crate) fn finalized(&self) -> u64 {
        self.height().saturating_sub(self.finality_depth)
    }

    /// Is everything mined, and final?
    pub(crate) fn is_exhausted(&self) -> bool {
        self.plan.is_empty() && self.put_off.is_empty() && self.finalized() >= self.last_busy
    }

    /// Mines the next block: a planned one, or an empty one until the last transaction is final.
    /// `None` once the chain is exhausted.
    pub(crate) fn mine(&mut self) -> Result<Option<Arc<SealedBlock>>> {
        if self.is_exhausted() {
            return Ok(None);
        }
        let next_slot = self.bodies.back().map_or(0, |body| body.slot_secs + SLOT_SECS);
        // What was put off does not wait for the next busy time.
        let waits =
            !self.put_off.is_empty() && self.plan.front().is_some_and(|body| body.slot_secs > next_slot);
        let planned = if waits { None } else { self.plan.pop_front() };
        let mut body = planned.unwrap_or(Body { slot_secs: next_slot, ..Body::default() });
        let (mut txs, mut receipts): (Vec<_>, Vec<_>) = std::mem::take(&mut self.put_off).into_iter().unzip();
        if !txs.is_empty() {
            txs.append(&mut body.txs);
            receipts.append(&mut body.receipts);
            (body.txs, body.receipts) = (txs, receipts);
        }
        let salt = if self.salt == 0 { 0 } else { self.salt + self.height() };
        self.append(body, salt).map(Some)
    }

    /// Puts a body on top of the chain.
    pub(crate) fn append(&mut self, mut body: Body, salt: u64) -> Result<Arc<SealedBlock>> {
        let block = Arc::new(seal(&mut body, self.blocks.last().map(Arc::as_ref), salt)?);
        for (index, tx) in (0..).zip(&body.txs) {
            self.tx_places.insert(tx.hash, (block.number(), index));
        }
        self.note_contracts(&body);
        if !body.txs.is_empty() {
            self.last_busy = block.number();
        }
        self.by_hash.insert(block.hash, Arc::clone(&block));
        self.blocks.push(Arc::clone(&block));
        self.bodies.push_back(body);
        if self.bodies.len() as u64 > self.finality_depth + KEPT_BELOW_FINAL {
            self.bodies.pop_front();
        }
        Ok(block)
    }

    fn note_contracts(&mut self, body: &Body) {
        let called = body.txs.iter().filter_map(|tx| tx.envelope.to());
        let mut last = Address::ZERO;
        for address in
            called.chain(body.receipts.iter().flat_map(|receipt| &receipt.logs).map(|log| log.address))
        {
            // Logs of one contract come in long runs.
            if address != last {
                self.contracts.insert(address);
                last = address;
            }
        }
    }

    /// Takes the head off the chain: its block, which becomes an orphan, and its body.
    pub(crate) fn undo(&mut self) -> Option<(Arc<SealedBlock>, Body)> {
        // The first block stays.
        if self.blocks.len() < 2 {
            return None;
        }
        let body = self.bodies.pop_back()?;
        let block = self.blocks.pop()?;
        for tx in &body.txs {
            self.tx_places.remove(&tx.hash);
        }
        self.orphans.push_back(block.hash);
        if self.orphans.len() > ORPHANS_MAX {
            self.orphans.pop_front().map(|hash| self.by_hash.remove(&hash));
        }
        self.last_busy = self.last_busy.min(self.height());
        Some((block, body))
    }
}

//! Gathers transactions into bodies of blocks: busy times get full blocks, idle times none.

use crate::chain::transaction::{SignedTx, Signer};
use crate::error::Result;
use crate::label::Intent;
use crate::story::script::Draft;
use alloy_primitives::B256;
use evidence::receipt::Receipt;

/// Proposers have a slot every 12 s, as on mainnet; most slots stay empty here.
pub(crate) const SLOT_SECS: i64 = 12;
/// Logs in a block at most: 600 steps use about half of the block's gas.
const LOGS_PER_BLOCK_MAX: usize = 600;

/// What a block is to hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// Time of its slot; the block's timestamp lies within the slot.
    pub(crate) slot_secs: i64,
    pub(crate) txs: Vec<SignedTx>,
    /// One for each transaction.
    pub(crate) receipts: Vec<Receipt>,
}

/// A transaction that breaks rules, as its story says.
#[derive(Debug)]
pub(crate) struct Planted {
    pub(crate) tx: B256,
    pub(crate) intents: Vec<Intent>,
}

/// Gathers the drafts of one chain, which come in order of time.
#[derive(Debug)]
pub(crate) struct Gatherer {
    signer: Signer,
    /// A block is closed so many seconds after its first transaction was sent.
    window_secs: i64,
    last_slot_secs: i64,
    pending: Vec<Draft>,
    pending_logs: usize,
}

impl Gatherer {
    /// A gatherer whose first block comes after `genesis_secs`.
    pub(crate) fn new(signer: Signer, window_secs: i64, genesis_secs: i64) -> Self {
        Self { signer, window_secs, last_slot_secs: genesis_secs, pending: Vec::new(), pending_logs: 0 }
    }

    /// Takes a draft; gives the body before it when that is thereby complete.
    pub(crate) fn push(&mut self, draft: Draft) -> Result<Option<(Body, Vec<Planted>)>> {
        let late = self.pending.first().is_some_and(|first| draft.time > first.time + self.window_secs);
        let full = self.pending_logs + draft.logs.len() > LOGS_PER_BLOCK_MAX;
        let complete = if late || full { self.close()? } else { None };
        self.pending_logs += draft.logs.len();
        self.pending.push(draft);
        Ok(complete)
    }

    /// The body of what is pending; `None` when nothing is.
    pub(crate) fn close(&mut self) -> Result<Option<(Body, Vec<Planted>)>> {
        let Some(last) = self.pending.last() else { return Ok(None) };
        // The next slot after the last transaction was sent.
        let slot_secs = ((last.time / SLOT_SECS + 1) * SLOT_SECS).max(self.last_slot_secs + SLOT_SECS);
        let mut body = Body { slot_secs, ..Body::default() };
        let mut planted = Vec::new();
        for mut draft in self.pending.drain(..) {
            let intents = std::mem::take(&mut draft.intents);
            let (signed, receipt) = self.signer.sign(draft)?;
            if !intents.is_empty() {
                planted.push(Planted { tx: signed.hash, intents });
            }
            body.txs.push(signed);
            body.receipts.push(receipt);
        }
        (self.last_slot_secs, self.pending_logs) = (slot_secs, 0);
        Ok(Some((body, planted)))
    }
}

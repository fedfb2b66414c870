//! Reorgs: the last blocks are replaced by siblings that hold most of their transactions elsewhere.
//!
//! A transaction may come later than it did, or in another order within its block; some of the last ones are put off
//! until after the siblings. Two that share a sender (nonces count up) or a story (goods move in order) keep their
//! order, and none is delayed for long, however many reorgs meet it. So the siblings are blocks that could as well have
//! been mined, and every label stays true.

use crate::chain::body::{Body, SLOT_SECS};
use crate::chain::ledger::Ledger;
use crate::chain::seal::SealedBlock;
use crate::chain::transaction::SignedTx;
use crate::error::{Error, Result};
use alloy_primitives::Address;
use evidence::receipt::Receipt;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::sync::Arc;

/// What a reorg did.
#[derive(Debug)]
pub(crate) struct Reorged {
    /// Orphans, the old head first.
    pub(crate) removed: Vec<Arc<SealedBlock>>,
    /// Their siblings, the lowest first.
    pub(crate) added: Vec<Arc<SealedBlock>>,
}

/// No reorg brings a transaction later than this after it was sent: honest uploads stay within their day.
const DELAY_SECS_MAX: i64 = 2 * 3_600;
/// One in so many transactions is put off until after the siblings, where that is not too late.
const PUT_OFF_ONE_IN: u32 = 6;
/// One in so many moves into a later block.
const DELAYED_ONE_IN: u32 = 3;

/// Replaces the last `depth` blocks. `dice` chooses among the possible siblings.
///
/// # Errors
/// [`Error::Depth`] when the bodies of so many blocks are no longer kept, or the first block would go.
pub(crate) fn reorg(ledger: &mut Ledger, depth: u64, dice: u64) -> Result<Reorged> {
    let max = (ledger.bodies.len() as u64).min(ledger.height());
    if depth == 0 || depth > max {
        return Err(Error::Depth { depth, max });
    }
    let (mut removed, mut bodies) = (Vec::new(), Vec::new());
    for _ in 0..depth {
        let Some((block, body)) = ledger.undo() else { break };
        removed.push(block);
        bodies.push(body);
    }
    bodies.reverse();
    ledger.salt = ledger.salt.wrapping_add(dice | 1);
    let rng = ChaCha8Rng::seed_from_u64(ledger.salt);
    let put_off_before = std::mem::take(&mut ledger.put_off);
    let (siblings, mut put_off) = shuffle(bodies, rng);
    put_off.extend(put_off_before);
    ledger.put_off = put_off;
    let mut added = Vec::new();
    for (body, n) in siblings.into_iter().zip(1..) {
        let salt = ledger.salt.wrapping_add(n * 7);
        added.push(ledger.append(body, salt)?);
    }
    Ok(Reorged { removed, added })
}

type Mined = (SignedTx, Receipt);

/// Where a transaction goes: which body, and its place in there.
type Place = (usize, u32);

fn shuffle(bodies: Vec<Body>, mut rng: ChaCha8Rng) -> (Vec<Body>, Vec<Mined>) {
    let slots: Vec<i64> = bodies.iter().map(|body| body.slot_secs).collect();
    let end = slots.len();
    let mut last_of_sender: HashMap<Address, Place> = HashMap::new();
    let mut last_of_story: HashMap<u32, Place> = HashMap::new();
    let mut placed: Vec<(Place, Mined)> = Vec::new();
    for (index, body) in bodies.into_iter().enumerate() {
        for mined in body.txs.into_iter().zip(body.receipts) {
            let (sender, story) = (mined.0.sender, mined.0.story);
            let earliest =
                last_of_sender.get(&sender).max(last_of_story.get(&story)).copied().unwrap_or_default();
            let latest = mined.0.sent_secs + DELAY_SECS_MAX;
            let wished = if rng.random_ratio(1, PUT_OFF_ONE_IN) {
                end
            } else {
                index + usize::from(rng.random_ratio(1, DELAYED_ONE_IN))
            };
            let after = slots.get(wished).copied().unwrap_or(slots[end - 1] + SLOT_SECS);
            let wished = if after <= latest { wished } else { index };
            let block = wished.max(earliest.0);
            let order = rng.random_range(0..1_000_000);
            let place = (block, if block == earliest.0 { order.max(earliest.1 + 1) } else { order });
            last_of_sender.insert(sender, place);
            last_of_story.insert(story, place);
            placed.push((place, mined));
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    let mut siblings: Vec<Body> =
        slots.into_iter().map(|slot_secs| Body { slot_secs, ..Body::default() }).collect();
    let mut put_off = Vec::new();
    for ((block, _), (tx, receipt)) in placed {
        match siblings.get_mut(block) {
            Some(body) => {
                body.txs.push(tx);
                body.receipts.push(receipt);
            }
            None => put_off.push((tx, receipt)),
        }
    }
    (siblings, put_off)
}

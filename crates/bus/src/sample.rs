//! Changes for tests: blocks whose hash tells their number and branch.

use model::chain::{BlockRef, ChainId};
use model::change::{Change, RegistryVersion};
use model::gs1::Gln;
use model::incident::{Incident, IncidentKind};
use model::registry::{Party, Registry, Role, Validity};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use model::{Address, B256};
use std::sync::Arc;

/// Block `number` of `branch`.
pub(crate) fn block(number: u64, branch: u8) -> BlockRef {
    let mut hash = B256::ZERO;
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash[31] = branch;
    BlockRef { number, hash }
}

/// A run of final blocks of branch 0, with a log in its last block.
pub(crate) fn final_run(first: u64, last: u64) -> Change {
    append(first, block(last, 0), block(first.wrapping_sub(1), 0).hash, Finality::Final, b"data")
}

/// An open block of `branch` that stands on the block below of `parent_branch`.
pub(crate) fn open_block(number: u64, branch: u8, parent_branch: u8) -> Change {
    open_block_with(number, branch, parent_branch, b"data")
}

/// An open block with a log of this data.
pub(crate) fn open_block_with(number: u64, branch: u8, parent_branch: u8, data: &[u8]) -> Change {
    let parent = block(number.wrapping_sub(1), parent_branch);
    append(number, block(number, branch), parent.hash, Finality::Open, data)
}

fn append(first: u64, last: BlockRef, parent_hash: B256, finality: Finality, data: &[u8]) -> Change {
    let mut logs = LogsBuilder::default();
    let log = RawLog {
        block_number: last.number,
        log_index: 3,
        tx_index: 1,
        tx_hash: B256::repeat_byte(9),
        contract: Address::repeat_byte(4),
        topics: [Some(B256::repeat_byte(1)), Some(B256::repeat_byte(2)), None, None],
        data,
        sender: Some(Address::repeat_byte(5)),
        input: None,
    };
    logs.push(&log).unwrap();
    Change::Append(Arc::new(Segment {
        first_number: first,
        parent_hash,
        last,
        last_time_secs: 1_700_000_000 + last.number,
        finality,
        level: VerificationLevel::Receipts,
        filter: B256::repeat_byte(7),
        blocks: vec![BlockMeta { block: last, parent_hash, time_secs: 1_700_000_000 + last.number }],
        logs: logs.finish().unwrap(),
        incidents: vec![Incident {
            chain: ChainId(1),
            block: Some(last.number),
            kind: IncidentKind::Bloom,
            endpoint: "first".into(),
            detail: "log 3 is not in the bloom".into(),
        }],
    }))
}

/// Version `version` of a registry with one party.
pub(crate) fn registry(version: u64) -> Change {
    let party = Party {
        gln: "0614141073467".parse::<Gln>().unwrap(),
        name: "Maker".into(),
        country: "DE".into(),
        role: Role::Manufacturer,
        tz: "Europe/Berlin".into(),
        validity: Validity::ALWAYS,
    };
    let rows = Registry { parties: vec![party], ..Registry::default() };
    Change::Registry(Arc::new(RegistryVersion { version, after: Some(41), rows: Arc::new(rows) }))
}

/// Bytes that do not compress, the same for the same seed (xorshift64).
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

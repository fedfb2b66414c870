//! What must hold for any records that a log file holds, and any bytes at its end: opening it ends in books or in an
//! error, and opening it again ends in the same.
//!
//! The fuzz target under `tests/fuzz` is one call into this module; the unit tests run the same call over the seeds
//! there, and over what one step of a fuzzer makes of them.

use super::disk::Disk;
use super::group::Group;
use super::ledger::Ledger;
use super::log::{LOG, Log};
use crate::error::{Error, Result};
use crate::memory::MemoryDisk;
use crate::wire::Header;
use crate::{Tail, wire};
use model::chain::ChainId;
use std::collections::{BTreeMap, BTreeSet};

/// Most records of one input.
const RECORDS_MAX: usize = 64;

/// A log of a chain or several, and what a crash left at its end. Returns whether it was opened with a record.
///
/// The input is a list of records: length (two bytes, big-endian), record. A length beyond the end makes the rest the
/// torn end. Checksums are right: they stand against accidents, and a fuzzer would see nothing but them.
///
/// # Panics
/// When a log that was opened cannot be opened again, or holds something else then.
pub fn log_file(data: &[u8]) -> bool {
    let (records, torn) = split(data);
    let mut disk = MemoryDisk::default();
    let made = Log::open(Box::new(disk.clone())).and_then(|(mut log, _)| {
        records.iter().try_for_each(|record| log.append(&[record.to_vec()]).map(|_| ()))
    });
    assert!(made.is_ok() && disk.append(LOG, torn).is_ok(), "a disk in memory takes everything");

    let chains =
        records.iter().filter_map(|record| Header::read(record).ok()).map(|(header, _)| header.chain);
    let chains: BTreeSet<ChainId> = chains.collect();
    let first = match open(&disk, &chains) {
        Ok(first) => first,
        Err(error) => {
            assert!(matches!(error, Error::Corrupt { .. }), "{error}");
            return false;
        }
    };
    let again = open(&disk, &chains).unwrap_or_else(|error| panic!("it was opened before: {error}"));
    assert_eq!(first, again);
    first.replayed.iter().any(Option::is_some)
}

/// What an opened log holds.
#[derive(Debug, PartialEq)]
struct Opened {
    tails: Vec<Tail>,
    /// Each record that is read again, as it is written; `None` where its payload cannot be read.
    replayed: Vec<Option<Vec<u8>>>,
}

fn open(disk: &MemoryDisk, chains: &BTreeSet<ChainId>) -> Result<Opened> {
    let (log, contents) = Log::open(Box::new(disk.clone()))?;
    let mut recovered = Ledger::recover(contents, &BTreeMap::new());
    let mut replay = std::mem::take(&mut recovered.replay);
    // The file that replaces one with a gap has its records chain by chain.
    replay.sort_unstable();
    let group = Group::start(log, recovered)?;
    let tails = chains.iter().map(|chain| group.tail(*chain)).collect::<Result<_>>()?;
    let read = |(chain, sequence)| {
        let record = group.read(chain, sequence).ok().flatten()?;
        wire::encode(&record).ok()
    };
    Ok(Opened { tails, replayed: replay.into_iter().map(read).collect() })
}

/// The records of an input, and the rest.
fn split(mut data: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut records = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>()
        && let Some((record, after)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        && records.len() < RECORDS_MAX
    {
        records.push(record);
        data = after;
    }
    (records, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [&[u8]; 2] = [
        include_bytes!("../../../../tests/fuzz/seeds/bus_log/reorg.bin"),
        include_bytes!("../../../../tests/fuzz/seeds/bus_log/two-chains-torn.bin"),
    ];

    #[test]
    fn logs_hold_over_the_seeds() {
        for seed in SEEDS {
            assert!(log_file(seed));
            for at in 0..seed.len() {
                log_file(&seed[..at]);
                for bit in [0, 7] {
                    let mut flipped = seed.to_vec();
                    flipped[at] ^= 1 << bit;
                    log_file(&flipped);
                }
            }
        }
    }
}

//! What the log holds of each chain, and what may be forgotten. No files, no waiting.

use super::log::{Books, Contents, Location, Memory};
use crate::error::{Error, Result};
use crate::stream::{Outcome, Stream};
use crate::wire::{Header, Kind};
use model::chain::ChainId;
use model::change::{Epoch, Position, Sequence};
use std::collections::BTreeMap;

/// Versions of the registry that are remembered of a chain: two years of daily ones, 16 bytes each.
const REGISTRIES_MAX: usize = 730;

/// One chain.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) stream: Stream,
    memory: Memory,
    held: BTreeMap<Sequence, Held>,
}

/// A record that the log holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    location: Location,
    /// The version that it brought, if it is a registry.
    registry_version: u64,
}

impl Held {
    fn new(header: &Header, location: Location) -> Self {
        let registry_version = if let Kind::Registry { version } = header.kind { version } else { 0 };
        Self { location, registry_version }
    }
}

/// All chains.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    chains: BTreeMap<ChainId, Chain>,
    held_bytes: u64,
}

/// What opening a log gave.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    pub(super) ledger: Ledger,
    /// What the reader has not committed, in the order of the log.
    pub(super) replay: Vec<(ChainId, Sequence)>,
    /// Records after a gap were dropped: the file must be replaced before anything is appended.
    pub(super) has_gap: bool,
}

impl Ledger {
    /// What is left of `contents` for a reader that holds everything up to `committed`.
    ///
    /// Records that follow `committed` without a gap are kept. A final run passes through memory only, so that a
    /// crash may leave a gap where it was; what follows is dropped, and the writer publishes it again.
    pub(super) fn recover(contents: Contents, committed: &BTreeMap<ChainId, Position>) -> Recovered {
        let mut recovered = Recovered::default();
        for (chain, memory) in &contents.books {
            let position = committed.get(chain).copied().unwrap_or_default();
            recovered.ledger.chains.insert(*chain, Chain::resume(*chain, position, memory.clone()));
        }
        for (chain, position) in committed {
            recovered.ledger.chain_at(*chain, *position);
        }
        for (header, location) in contents.records {
            let position = committed.get(&header.chain).copied().unwrap_or_default();
            let chain = recovered.ledger.chain_at(header.chain, position);
            chain.memory.epoch = chain.memory.epoch.max(header.epoch);
            if header.sequence <= position.sequence {
                chain.forget(header.sequence, Held::new(&header, location));
                continue;
            }
            match chain.stream.receive(&header) {
                Ok(Outcome::Applied) => {
                    chain.held.insert(header.sequence, Held::new(&header, location));
                    recovered.replay.push((header.chain, header.sequence));
                    recovered.ledger.held_bytes += location.bytes();
                }
                Ok(Outcome::Stale) => recovered.has_gap = true,
                Err(error) => {
                    tracing::info!(chain = header.chain.0, %error, "dropped: it will be published again");
                    recovered.has_gap = true;
                }
            }
        }
        recovered
    }

    /// The chain, begun at its first change if nothing is known of it.
    pub(super) fn chain(&mut self, chain: ChainId) -> &mut Chain {
        self.chain_at(chain, Position::default())
    }

    fn chain_at(&mut self, chain: ChainId, position: Position) -> &mut Chain {
        self.chains.entry(chain).or_insert_with(|| Chain::resume(chain, position, Memory::default()))
    }

    /// Bytes of records that the log must hold.
    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    /// Notes where a published record was written.
    pub(super) fn hold(&mut self, header: &Header, location: Location) {
        self.held_bytes += location.bytes();
        self.chain(header.chain).held.insert(header.sequence, Held::new(header, location));
    }

    /// Where a record is; `None` when it was acknowledged or never written.
    pub(super) fn locate(&self, chain: ChainId, sequence: Sequence) -> Option<Location> {
        self.chains.get(&chain)?.held.get(&sequence).map(|held| held.location)
    }

    /// Forgets the records of `chain` up to `sequence`.
    pub(super) fn acknowledge(&mut self, chain: ChainId, sequence: Sequence) -> Result<()> {
        let taken = self.chain(chain);
        let last = taken.stream.tail().position.sequence;
        if sequence > last {
            let reason = format!("record {sequence} was acknowledged, the last one is {last}");
            return Err(Error::Refused { chain, change: "acknowledgement", reason });
        }
        let kept = taken.held.split_off(&sequence.next());
        let mut forgotten_bytes = 0;
        for (sequence, held) in std::mem::replace(&mut taken.held, kept) {
            taken.forget(sequence, held);
            forgotten_bytes += held.location.bytes();
        }
        self.held_bytes -= forgotten_bytes;
        Ok(())
    }

    /// What the file must keep when it is replaced.
    pub(super) fn books(&self) -> Books {
        self.chains.iter().map(|(chain, kept)| (*chain, kept.memory.clone())).collect()
    }

    /// Records in the order in which they are to stand in the file: chain by chain, each in order.
    pub(super) fn locations(&self) -> Vec<Location> {
        self.chains.values().flat_map(|chain| chain.held.values()).map(|held| held.location).collect()
    }

    /// Notes where the records of [`locations`](Self::locations), in that order, are now.
    pub(super) fn relocate(&mut self, moved: &[Location]) {
        let held = self.chains.values_mut().flat_map(|chain| chain.held.values_mut());
        for (held, location) in held.zip(moved) {
            held.location = *location;
        }
    }
}

impl Chain {
    fn resume(chain: ChainId, position: Position, mut memory: Memory) -> Self {
        memory.epoch = memory.epoch.max(position.epoch);
        // What came after the position is not on the stream any more, and its places will be taken by others.
        memory.registries.retain(|(sequence, _)| *sequence <= position.sequence);
        let registry_version = memory.registries.iter().map(|(_, version)| *version).max().unwrap_or(0);
        Self { stream: Stream::resume(chain, position, registry_version), memory, held: BTreeMap::new() }
    }

    /// The epoch that the next writer gets.
    pub(super) fn next_epoch(&mut self) -> Epoch {
        let epoch = self.memory.epoch.max(self.stream.tail().position.epoch);
        self.memory.epoch = Epoch(epoch.0 + 1);
        self.memory.epoch
    }

    fn forget(&mut self, sequence: Sequence, held: Held) {
        let registries = &mut self.memory.registries;
        if held.registry_version == 0 || registries.last().is_some_and(|(last, _)| *last >= sequence) {
            return;
        }
        if registries.len() >= REGISTRIES_MAX {
            registries.remove(0);
        }
        registries.push((sequence, held.registry_version));
        self.stream.know_registry(held.registry_version);
    }
}

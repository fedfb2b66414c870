//! What world to make and how to serve it.

use crate::error::{Error, Result};
use crate::faults::Faults;

/// Most events that a world may be asked for: 10 M take about 8 GB of prepared bytes.
pub const EVENTS_MAX: u64 = 20_000_000;
/// Fewest events that hold every planted fraud, all the noise and a supply to hide them in.
pub const EVENTS_MIN: u64 = 10_000;

/// A world and how it is served. Equal configurations make equal bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Everything random is drawn from this.
    pub seed: u64,
    /// EIP-155 ids of the chains, one or two, different. The first carries the supply, the second a bridge.
    pub chains: Vec<u64>,
    /// At least so many logs on all chains together.
    pub events: u64,
    /// What is mined before the node answers its first call.
    pub history: History,
    /// Time between two live blocks in milliseconds; 0 mines only when `sim_mine` asks for it.
    pub block_interval_ms: u64,
    /// A block is final once so many blocks stand on it.
    pub finality_depth: u64,
    /// Every so many blocks mined live, the last ones are replaced by siblings; 0 is never.
    pub reorg_every_blocks: u64,
    /// How many blocks such a reorg replaces at most; at least one.
    pub reorg_depth_max: u64,
    /// What the node does wrong from the start; `sim_setFaults` changes it later.
    pub faults: Faults,
    /// Serve, beside each chain, a second node that disagrees from this block up.
    pub twin_fork_block: Option<u64>,
}

impl Config {
    /// The default world of a seed: one chain, 20,000 events, half of them mined before the first call.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            chains: vec![1],
            events: 20_000,
            history: History::Share(50),
            block_interval_ms: 250,
            finality_depth: 64,
            reorg_every_blocks: 0,
            reorg_depth_max: 8,
            faults: Faults::default(),
            twin_fork_block: None,
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`Error::Config`] with the field and the reason.
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String, why| Err(Error::Config { what, why });
        match self.chains.as_slice() {
            [0] | [0, _] | [_, 0] => return refuse("chain 0".into(), "chain ids start at 1"),
            [_] => {}
            [one, two] if one != two => {}
            _ => return refuse(format!("chains {:?}", self.chains), "one or two different ids"),
        }
        if !(EVENTS_MIN..=EVENTS_MAX).contains(&self.events) {
            return refuse(format!("{} events", self.events), "between EVENTS_MIN and EVENTS_MAX");
        }
        if !(1..=4_096).contains(&self.finality_depth) {
            return refuse(format!("finality_depth {}", self.finality_depth), "between 1 and 4,096 blocks");
        }
        if !(1..=self.finality_depth).contains(&self.reorg_depth_max) {
            return refuse(
                format!("reorg_depth_max {}", self.reorg_depth_max),
                "between 1 and finality_depth",
            );
        }
        if let History::Share(percent @ 101..) = self.history {
            return refuse(format!("a history of {percent} percent"), "at most 100");
        }
        Ok(())
    }
}

/// How much of the chains is mined before the first call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// All of it, with empty blocks on top until all of it is final.
    All,
    /// So many blocks of each chain, or all when there are fewer.
    Blocks(u64),
    /// So many percent of the blocks of each chain.
    Share(u8),
}

/// Sizes that follow from the number of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Packs in a lot of the supply.
    pub(crate) packs_per_lot: u32,
    /// Packs in a case.
    pub(crate) packs_per_case: u32,
    /// Packs that one upload speaks of, at most.
    pub(crate) packs_per_upload: u32,
    /// Does a pharmacy upload a day at a time?
    pub(crate) daily_uploads: bool,
    /// How often each variant of each fraud is planted.
    pub(crate) frauds_per_variant: u32,
    /// How often each kind of noise is heard.
    pub(crate) noise_rounds: u32,
    /// Pharmacies in a country.
    pub(crate) pharmacies: u32,
    /// Blocks that the first chain should have, roughly.
    pub(crate) blocks: u64,
}

impl Scale {
    /// The sizes for a number of events. Small worlds have many small transactions, as a demonstration should;
    /// large ones have batch uploads, as large companies do (signing, at 60 µs, would else be most of the work).
    pub(crate) fn of(events: u64) -> Self {
        let large = events > 100_000;
        let per_100k = u32::try_from(events / 100_000).unwrap_or(u32::MAX);
        Self {
            packs_per_lot: if large { 1_440 } else { 60 },
            packs_per_case: if large { 24 } else { 10 },
            packs_per_upload: if large { 48 } else { 12 },
            daily_uploads: large,
            frauds_per_variant: 2 + per_100k.min(48) / 4,
            noise_rounds: 4 + per_100k.min(48),
            pharmacies: if large { 40 } else { 8 },
            // 20 k events in about 2,100 blocks; 1 M in about 8,600 (120 logs each); 10 M in about 68,000.
            blocks: (events / 10).min(2_000) + events / 150,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_configuration_is_refused_with_its_value() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::new(1);
            change(&mut config);
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|c| c.chains = vec![1, 2]), Ok(()));
        for (change, message) in [
            (
                (|c| c.chains = vec![]) as fn(&mut Config),
                "cannot simulate chains []: one or two different ids",
            ),
            (|c| c.chains = vec![5, 5], "cannot simulate chains [5, 5]: one or two different ids"),
            (|c| c.chains = vec![0], "cannot simulate chain 0: chain ids start at 1"),
            (|c| c.events = 5, "cannot simulate 5 events: between EVENTS_MIN and EVENTS_MAX"),
            (|c| c.finality_depth = 0, "cannot simulate finality_depth 0: between 1 and 4,096 blocks"),
            (|c| c.reorg_depth_max = 65, "cannot simulate reorg_depth_max 65: between 1 and finality_depth"),
            (|c| c.history = History::Share(101), "cannot simulate a history of 101 percent: at most 100"),
        ] {
            assert_eq!(with(change), Err(message.to_owned()));
        }
    }
}

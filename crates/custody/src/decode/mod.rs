//! Decode: raw logs and contract profiles become events. The first half of the core.
//!
//! ```text
//! Segment ──rows──▶ profile by (contract, first topic, number of topics) ──▶ shape checked ──▶ events
//!                                                                       └──────────────────▶ dead letter
//! ```
//!
//! Every log in gives at least one event, or exactly one dead letter with a reason. No input can panic it or
//! make it allocate beyond the input's own size times a constant. It has no clock and asks nobody.
//!
//! In reading order:
//!
//! - [`profile`]: what teaches a contract, read by `profile_toml`, `event_toml`, `field_toml` over
//!   `toml_section`; `standards` are events that come with it.
//! - `watch`: which profile reads which log.
//! - `abi_type`, `word`, `layout`: what canonical ABI data looks like.
//! - `shape`, `source`, `fields`: where a field stands in a log and what its value means.
//! - `mapping`, `row`: a log becomes events. `identity`, `expiry`, `gs1_text`, `metadata`: what it says an
//!   item is.
//! - `preimage`: what indexed texts and lists were.
//! - `hostile_text`, `refusal`: what is told of a log that cannot be believed.

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod profile;

mod abi_type;
mod event_toml;
mod expiry;
mod field_toml;
mod fields;
mod gs1_text;
mod hostile_text;
mod identity;
mod layout;
mod mapping;
mod metadata;
mod preimage;
mod profile_error;
mod profile_toml;
mod refusal;
mod row;
mod shape;
mod source;
mod standards;
mod toml_section;
mod watch;
mod word;

#[cfg(test)]
mod tests;

pub use watch::{Profiles, WatchError, WatchedContract};

use alloy_primitives::B256;
use fields::LAST_SECOND;
use mapping::Setting;
use model::chain::{ChainId, LogPosition};
use model::event::{DeadLetter, DeadReason, Event};
use model::segment::{BlockMeta, LogsView, RawLog, Segment};
use preimage::Preimages;
use refusal::Refusal;
use source::KnownLog;

/// What the logs of a segment became.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Events in the order of the chain.
    pub events: Vec<Event>,
    /// Logs that are no event, in the order of the chain.
    pub dead_letters: Vec<DeadLetter>,
    /// How many logs the segment holds. Each is the position of at least one event or of exactly one dead
    /// letter.
    pub logs: usize,
}

/// Decodes every log of a segment.
pub fn segment(profiles: &Profiles, chain: ChainId, segment: &Segment) -> Decoded {
    let Ok(view) = LogsView::new(&segment.logs) else { return unreadable(segment) };
    let mut decoder = Decoder {
        profiles,
        chain,
        blocks: &segment.blocks,
        preimages: Preimages::default(),
        decoded: Decoded {
            events: Vec::with_capacity(view.len()),
            dead_letters: Vec::new(),
            logs: view.len(),
        },
    };
    for row in 0..view.len() {
        let log = view.get(row);
        if let Err(refusal) = decoder.log(&view, row, &log) {
            decoder.decoded.dead_letters.push(dead_letter(&log, refusal));
        }
    }
    decoder.decoded
}

/// The way through one segment.
struct Decoder<'p, 'a> {
    profiles: &'p Profiles,
    chain: ChainId,
    /// Blocks that were not passed yet, the current one first.
    blocks: &'p [BlockMeta],
    preimages: Preimages<'a>,
    decoded: Decoded,
}

impl<'a> Decoder<'_, 'a> {
    #[inline]
    fn log(&mut self, view: &LogsView<'a>, row: usize, log: &RawLog<'a>) -> Result<(), Refusal> {
        let block_time_secs = self.block_time(log.block_number)?;
        let (watched, mapping) = self.profiles.find(self.chain, log)?;
        let setting = Setting {
            block_time_secs,
            token_contract: watched.token_contract(mapping, log.contract),
            transfer: watched.contract.profile.transfer,
        };
        let known = if mapping.hashed_topics.is_empty() {
            KnownLog { log, preimages: [None; 3] }
        } else {
            self.preimages.resolve(mapping, (self.profiles, self.chain), (view, row), log)
        };
        mapping.decode(&known, &setting, &mut self.decoded.events)
    }

    /// The time of a block. Logs and blocks come in the same order, so the current block is nearly always the
    /// first.
    #[inline]
    fn block_time(&mut self, number: u64) -> Result<i64, Refusal> {
        while let [block, rest @ ..] = self.blocks
            && block.block.number < number
        {
            self.blocks = rest;
        }
        match self.blocks {
            [block, ..] if block.block.number == number => {
                Ok(i64::try_from(block.time_secs).map_or(LAST_SECOND, |secs| secs.min(LAST_SECOND)))
            }
            _ => Err(Refusal::new(
                DeadReason::BadValue,
                format!("the segment has no header of block {number}"),
            )),
        }
    }
}

#[cold]
fn dead_letter(log: &RawLog<'_>, refusal: Refusal) -> DeadLetter {
    DeadLetter {
        position: LogPosition { block: log.block_number, log: log.log_index, sub: 0 },
        tx_hash: log.tx_hash,
        contract: log.contract,
        topic0: log.topics[0],
        reason: refusal.reason,
        detail: refusal.detail,
    }
}

/// A segment whose columns are not those of raw logs: one dead letter for each row, never silence.
#[cold]
fn unreadable(segment: &Segment) -> Decoded {
    let logs = segment.logs.num_rows();
    let letter = |row: usize| DeadLetter {
        position: LogPosition {
            block: segment.first_number,
            log: u32::try_from(row).unwrap_or(u32::MAX),
            sub: 0,
        },
        tx_hash: B256::ZERO,
        contract: model::Address::ZERO,
        topic0: None,
        reason: DeadReason::BadValue,
        detail: "the columns of the segment are not those of raw logs".into(),
    };
    Decoded { events: Vec::new(), dead_letters: (0..logs).map(letter).collect(), logs }
}

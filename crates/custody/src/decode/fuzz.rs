//! What must hold for any bytes: nothing panics, and every log is accounted for once.
//!
//! The fuzz targets under `tests/fuzz` are one call each into this module; the unit tests run the same calls
//! over the seeds there, and over what one step of a fuzzer makes of them.

use super::profile::{ContractProfile, builtin, builtin_names};
use super::{Decoded, Profiles, WatchedContract, segment};
use alloy_primitives::{Address, B256};
use model::chain::{BlockRef, ChainId};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

const CHAIN: ChainId = ChainId(1);
const NAMED: Address = Address::repeat_byte(0xcc);

/// Most logs of one input.
const MAX_LOGS: usize = 256;

/// Every profile that ships: together as those of any contract, and each of a named one. They are made once: making
/// them takes a hundred times as long as decoding a small input.
static DEPLOYMENTS: LazyLock<Vec<Profiles>> = LazyLock::new(|| {
    let shipped: Vec<ContractProfile> = builtin_names().filter_map(builtin).collect();
    let any = shipped.iter().map(|profile| watched(profile, None)).collect();
    let mut deployments = vec![any];
    deployments.extend(shipped.iter().map(|profile| vec![watched(profile, Some(NAMED))]));
    let made: Vec<Profiles> =
        deployments.into_iter().filter_map(|contracts| Profiles::new(contracts).ok()).collect();
    assert!(made.len() >= shipped.len(), "what ships is accepted");
    made
});

/// Logs of one block, under every profile that ships: by address and as any contract. Returns whether any log
/// became an event.
///
/// The input is a list of logs: number of topics (modulo 5), transaction, length of the data (two bytes,
/// big-endian), topics, data. What is cut off at the end is shorter than it claims.
///
/// # Panics
/// When a log is lost, accounted for twice, or decoded otherwise the second time.
pub fn logs(data: &[u8]) -> bool {
    let logs = read_logs(data);
    let block = block_of(&logs);
    let mut any_event = false;
    for profiles in DEPLOYMENTS.iter() {
        let decoded = segment(profiles, CHAIN, &block);
        assert_accounted(&decoded, logs.len());
        assert_eq!(decoded, segment(profiles, CHAIN, &block));
        any_event |= !decoded.events.is_empty();
    }
    any_event
}

/// A contract profile's text. Returns whether it was accepted.
///
/// # Panics
/// When an error points outside of the text, or a log of an accepted profile is not accounted for.
pub fn contract_profile(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let profile = match ContractProfile::parse("fuzz", text) {
        Ok(profile) => profile,
        Err(error) => {
            assert!(error.span.start <= text.len() && error.line > 0 && error.column > 0, "{error}");
            return false;
        }
    };
    let topics = profile.topics().into_iter();
    let logs: Vec<Log<'_>> =
        topics.map(|topic| Log { topics: vec![topic], transaction: 0, data }).take(MAX_LOGS).collect();
    if let Ok(profiles) = Profiles::new(vec![watched(&profile, Some(NAMED))]) {
        assert_accounted(&segment(&profiles, CHAIN, &block_of(&logs)), logs.len());
    }
    true
}

/// Checks the account of a segment: every log is the position of events, or of exactly one dead letter.
///
/// # Panics
/// When a log is lost or accounted for twice, or the indexes within a log have a gap.
pub fn assert_accounted(decoded: &Decoded, logs: usize) {
    assert_eq!(decoded.logs, logs);
    let mut subs: BTreeMap<(u64, u32), u32> = BTreeMap::new();
    for event in &decoded.events {
        let next = subs.entry((event.position.block, event.position.log)).or_default();
        assert_eq!(event.position.sub, *next, "{}", event.position);
        *next += 1;
    }
    let dead = decoded.dead_letters.iter().map(|letter| (letter.position.block, letter.position.log));
    let dead: BTreeSet<(u64, u32)> = dead.collect();
    assert_eq!(dead.len(), decoded.dead_letters.len(), "a log has two dead letters");
    assert!(dead.iter().all(|position| !subs.contains_key(position)), "a log is event and dead letter");
    assert_eq!(dead.len() + subs.len(), logs, "a log is lost");
}

struct Log<'d> {
    topics: Vec<B256>,
    transaction: u8,
    data: &'d [u8],
}

fn read_logs(mut data: &[u8]) -> Vec<Log<'_>> {
    let mut logs = Vec::new();
    while let Some(([topics, transaction, high, low], mut rest)) = data.split_first_chunk::<4>()
        && logs.len() < MAX_LOGS
    {
        let mut log = Log { topics: Vec::new(), transaction: *transaction, data: &[] };
        for _ in 0..topics % 5 {
            let Some((topic, after)) = rest.split_first_chunk::<32>() else { break };
            log.topics.push(B256::from(topic));
            rest = after;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        (log.data, data) = rest.split_at(length.min(rest.len()));
        logs.push(log);
    }
    logs
}

fn watched(profile: &ContractProfile, address: Option<Address>) -> WatchedContract {
    WatchedContract {
        name: profile.name.clone(),
        chain: CHAIN,
        address,
        profile: Arc::new(profile.clone()),
        family: None,
        from_block: 0,
    }
}

fn block_of(logs: &[Log<'_>]) -> Segment {
    let mut builder = LogsBuilder::with_capacity(logs.len());
    for (index, log) in (0..).zip(logs) {
        let mut topics = [None; 4];
        for (slot, topic) in topics.iter_mut().zip(&log.topics) {
            *slot = Some(*topic);
        }
        let pushed = builder.push(&RawLog {
            block_number: 1,
            log_index: index,
            tx_index: u32::from(log.transaction),
            tx_hash: B256::ZERO,
            contract: NAMED,
            topics,
            data: log.data,
            sender: (log.transaction % 2 == 0).then_some(Address::ZERO),
            input: Some(log.data),
        });
        assert!(pushed.is_ok());
    }
    let block = BlockRef { number: 1, hash: B256::ZERO };
    Segment {
        first_number: 1,
        parent_hash: B256::ZERO,
        last: block,
        last_time_secs: 1,
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks: vec![BlockMeta { block, parent_hash: B256::ZERO, time_secs: 1 }],
        logs: builder.finish().unwrap_or_else(|error| panic!("columns of one length: {error}")),
        incidents: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: &[&[u8]] = &[
        include_bytes!("../../../../tests/fuzz/seeds/decode_logs/transfers.bin"),
        include_bytes!("../../../../tests/fuzz/seeds/decode_logs/pack-story.bin"),
        include_bytes!("../../../../tests/fuzz/seeds/decode_logs/batch.bin"),
    ];
    const PROFILES: &[&str] = &[
        include_str!("../../../../tests/fuzz/seeds/contract_profile/every-key.toml"),
        include_str!("../../../../tests/fuzz/seeds/contract_profile/abi.toml"),
    ];

    #[test]
    fn the_seeds_of_the_fuzz_targets_are_accepted() {
        for seed in LOGS {
            assert!(logs(seed));
        }
        for seed in PROFILES {
            ContractProfile::parse("seed", seed).unwrap();
            assert!(contract_profile(seed.as_bytes()));
        }
    }

    #[test]
    fn what_one_step_of_a_fuzzer_makes_of_the_seeds_holds_too() {
        for seed in LOGS {
            for at in 0..seed.len() {
                logs(&seed[..at]);
                let mut flipped = seed.to_vec();
                flipped[at] ^= 0x81;
                logs(&flipped);
            }
        }
        for seed in PROFILES {
            for (at, _) in seed.char_indices() {
                contract_profile(&seed.as_bytes()[..at]);
                let mut changed = seed.as_bytes().to_vec();
                changed[at] = b'"';
                contract_profile(&changed);
            }
        }
    }
}

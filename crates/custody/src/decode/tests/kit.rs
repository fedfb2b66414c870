//! Makes logs from signatures and values, and segments from logs.

use crate::decode::fuzz::assert_accounted;
use crate::decode::profile::{ContractProfile, builtin};
use crate::decode::{Decoded, Profiles, WatchedContract, segment};
use alloy_dyn_abi::{DynSolType, DynSolValue, Specifier};
use alloy_json_abi::{Event as AbiEvent, EventParam, Function};
use alloy_primitives::{Address, B256, U256};
use model::chain::{BlockRef, ChainId};
use model::event::{DeadReason, Event, EventKind};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use std::sync::Arc;

pub(super) const CHAIN: ChainId = ChainId(1);
pub(super) const BLOCK: u64 = 100;
pub(super) const BLOCK_TIME: u64 = 1_800_000_000;

/// The address whose every byte is `byte`.
pub(super) fn who(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

/// The contract that logs unless another is named.
pub(super) fn emitter() -> Address {
    who(0xcc)
}

/// A log that owns its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestLog {
    pub(super) contract: Address,
    pub(super) topics: Vec<B256>,
    pub(super) data: Vec<u8>,
    pub(super) block: u64,
    pub(super) tx: u32,
    pub(super) sender: Option<Address>,
    pub(super) input: Option<Vec<u8>>,
}

impl TestLog {
    pub(super) fn new(topics: Vec<B256>, data: Vec<u8>) -> Self {
        Self { contract: emitter(), topics, data, block: BLOCK, tx: 0, sender: None, input: None }
    }

    pub(super) fn sent_by(mut self, sender: Address) -> Self {
        self.sender = Some(sender);
        self
    }

    pub(super) fn in_tx(mut self, tx: u32) -> Self {
        self.tx = tx;
        self
    }

    pub(super) fn called_with(mut self, input: &[u8]) -> Self {
        self.input = Some(input.to_vec());
        self
    }

    fn raw(&self, log_index: u32) -> RawLog<'_> {
        let mut topics = [None; 4];
        for (slot, topic) in topics.iter_mut().zip(&self.topics) {
            *slot = Some(*topic);
        }
        RawLog {
            block_number: self.block,
            log_index,
            tx_index: self.tx,
            tx_hash: B256::repeat_byte(0x77),
            contract: self.contract,
            topics,
            data: &self.data,
            sender: self.sender,
            input: self.input.as_deref(),
        }
    }
}

fn resolve(param: &EventParam) -> DynSolType {
    param.resolve().unwrap()
}

/// Encodes a log of `signature` from values written as Solidity literals.
pub(super) fn log(signature: &str, values: &[&str]) -> TestLog {
    let event = AbiEvent::parse(signature).unwrap();
    assert_eq!(event.inputs.len(), values.len(), "{signature}");
    let value = |(param, text): (&EventParam, &&str)| match resolve(param) {
        DynSolType::String => DynSolValue::String((*text).to_owned()),
        ty => ty.coerce_str(text).unwrap(),
    };
    let values: Vec<DynSolValue> = event.inputs.iter().zip(values).map(value).collect();
    log_of(&event, &values)
}

/// Encodes a log of `event` from values.
pub(super) fn log_of(event: &AbiEvent, values: &[DynSolValue]) -> TestLog {
    let mut topics = vec![event.selector()];
    let mut data = Vec::new();
    for (param, value) in event.inputs.iter().zip(values) {
        if param.indexed {
            topics.push(value.encode_topic());
        } else {
            data.push(value.clone());
        }
    }
    TestLog::new(topics, DynSolValue::Tuple(data).abi_encode_params())
}

/// Encodes a call of `signature`.
pub(super) fn call(signature: &str, values: &[&str]) -> Vec<u8> {
    let function = Function::parse(signature).unwrap();
    let arguments = function.inputs.iter().zip(values).map(|(param, text)| match param.resolve().unwrap() {
        DynSolType::String => DynSolValue::String((*text).to_owned()),
        ty => ty.coerce_str(text).unwrap(),
    });
    let arguments = DynSolValue::Tuple(arguments.collect()).abi_encode_params();
    [function.selector().as_slice(), &arguments].concat()
}

/// A segment of the blocks of these logs, which come in their order.
pub(super) fn segment_of(logs: &[TestLog]) -> Segment {
    let mut builder = LogsBuilder::with_capacity(logs.len());
    let mut blocks: Vec<BlockMeta> = Vec::new();
    let mut log_index = 0;
    for log in logs {
        if blocks.last().is_none_or(|last| last.block.number != log.block) {
            let block = BlockRef { number: log.block, hash: B256::from(U256::from(log.block)) };
            blocks.push(BlockMeta {
                block,
                parent_hash: B256::ZERO,
                time_secs: BLOCK_TIME + log.block - BLOCK,
            });
            log_index = 0;
        }
        builder.push(&log.raw(log_index)).unwrap();
        log_index += 1;
    }
    let last = blocks.last().map_or(BlockRef { number: BLOCK, hash: B256::ZERO }, |last| last.block);
    Segment {
        first_number: BLOCK,
        parent_hash: B256::ZERO,
        last,
        last_time_secs: BLOCK_TIME + last.number - BLOCK,
        finality: Finality::Final,
        level: VerificationLevel::Off,
        filter: B256::ZERO,
        blocks,
        logs: builder.finish().unwrap(),
        incidents: Vec::new(),
    }
}

/// The emitter, read by `profile`.
pub(super) fn watched(profile: ContractProfile) -> WatchedContract {
    WatchedContract {
        name: "emitter".into(),
        chain: CHAIN,
        address: Some(emitter()),
        profile: Arc::new(profile),
        family: None,
        from_block: 0,
    }
}

/// Only the emitter is watched, by `profile`.
pub(super) fn watching(profile: ContractProfile) -> Profiles {
    Profiles::new(vec![watched(profile)]).unwrap()
}

/// A profile that comes with the binary.
pub(super) fn shipped(name: &str) -> Profiles {
    watching(builtin(name).unwrap())
}

/// A profile of the test's own.
pub(super) fn written(text: &str) -> Profiles {
    watching(ContractProfile::parse("test", text).unwrap())
}

/// Decodes one block, and checks the account: every log is the position of events or of one dead letter.
pub(super) fn decode(profiles: &Profiles, logs: &[TestLog]) -> Decoded {
    let decoded = segment(profiles, CHAIN, &segment_of(logs));
    assert_accounted(&decoded, logs.len());
    decoded
}

/// The only event of one log.
pub(super) fn event(profiles: &Profiles, log: TestLog) -> Event {
    let mut decoded = decode(profiles, &[log]);
    assert_eq!(decoded.dead_letters, [], "no dead letter expected");
    assert_eq!(decoded.events.len(), 1);
    decoded.events.remove(0)
}

/// The reason for which one log is no event.
pub(super) fn refusal(profiles: &Profiles, log: TestLog) -> (DeadReason, String) {
    let mut decoded = decode(profiles, &[log]);
    assert_eq!(decoded.events, [], "no event expected");
    let letter = decoded.dead_letters.remove(0);
    (letter.reason, letter.detail)
}

/// An event of that kind that says nothing else, by the emitter, in the kit's block.
pub(super) fn plain(kind: EventKind) -> Event {
    Event {
        tx_hash: B256::repeat_byte(0x77),
        block_time_secs: i64::try_from(BLOCK_TIME).unwrap(),
        ..Event::bare(kind, emitter(), model::chain::LogPosition { block: BLOCK, log: 0, sub: 0 })
    }
}

/// A token id.
pub(super) fn id(number: u64) -> Option<U256> {
    Some(U256::from(number))
}

/// SplitMix64: the same sequence from the same seed everywhere. Source: Steele, Lea, Flood 2014.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    pub(super) fn word(&mut self) -> B256 {
        let mut word = [0; 32];
        for chunk in word.as_chunks_mut::<8>().0 {
            *chunk = self.next().to_be_bytes();
        }
        B256::from(word)
    }
}

//! Records as bytes: versions that are kept, and bytes that are no record.

use super::{HEADER_BYTES, Header, compress, decode, decompress_within, encode, encode_payload, join};
use crate::sample::{block, final_run, open_block, registry};
use model::chain::{BlockRef, ChainId};
use model::change::{Change, Epoch, Record, Sequence};
use model::incident::{Incident, IncidentKind};
use model::segment::{BlockMeta, Finality, LogsBuilder, RawLog, Segment, VerificationLevel};
use model::{Address, B256};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use std::sync::Arc;

fn record(change: Change) -> Record {
    Record { chain: ChainId(1), epoch: Epoch(3), sequence: Sequence(42), change }
}

fn records() -> [Record; 6] {
    [
        record(Change::Open(Epoch(3))),
        record(open_block(100, 1, 0)),
        record(final_run(1, 99)),
        record(Change::Revert(block(98, 0))),
        record(Change::Finalize(block(98, 0))),
        record(registry(2)),
    ]
}

/// Records as version 1 wrote them when it was fixed. A program that reads version 1 reads these.
const GOLDEN: [&[u8]; 6] = [
    include_bytes!("golden/open.v1.bin"),
    include_bytes!("golden/append-open.v1.bin"),
    include_bytes!("golden/append-final.v1.bin"),
    include_bytes!("golden/revert.v1.bin"),
    include_bytes!("golden/finalize.v1.bin"),
    include_bytes!("golden/registry.v1.bin"),
];

#[test]
fn version_1_is_read_and_its_headers_are_written_as_ever() {
    for (golden, expected) in GOLDEN.into_iter().zip(records()) {
        assert_eq!(decode(golden).unwrap(), expected);
        let written = encode(&expected).unwrap();
        assert_eq!(written[..HEADER_BYTES], golden[..HEADER_BYTES]);
    }
}

#[test]
fn a_header_names_its_record_without_the_payload() {
    for expected in records() {
        let bytes = encode(&expected).unwrap();
        let (header, payload) = Header::read(&bytes).unwrap();
        assert_eq!(header, Header::of(&expected).unwrap());
        assert_eq!(payload, &bytes[HEADER_BYTES..]);
        assert_eq!(header.kind.as_str(), expected.change.kind());
    }
}

#[test]
fn what_is_no_record_says_why() {
    let revert = encode(&record(Change::Revert(block(98, 0)))).unwrap();
    let check = |bytes: &[u8], expected: &str| assert_eq!(decode(bytes).unwrap_err().to_string(), expected);
    check(&[], "not a change: no bytes");
    check(&[2, 1], "not a change: version 2, this program reads version 1");
    check(&revert[..50], "not a change: 50 bytes, a header has 108");
    check(&[&revert[..], b"more"].concat(), "not a change: revert has 4 bytes of payload, none is expected");
    let mut unused = revert.clone();
    unused[40] = 1;
    check(&unused, "not a change: a header of revert with fields that it does not use");
    let mut unknown = revert;
    unknown[1] = 9;
    check(&unknown, "not a change: kind 9");

    let header = Header::of(&record(registry(3))).unwrap();
    let other = encode_payload(&registry(2)).unwrap();
    check(&join(&header, &other), "not a change: registry 2 under a header of registry 3");
    let stray = record(Change::Open(Epoch(4)));
    assert_eq!(
        encode(&stray).unwrap_err().to_string(),
        "not a change: open of epoch 4 in a record of epoch 3"
    );
}

#[test]
fn a_run_that_its_blocks_and_logs_do_not_fit_is_refused() {
    let Change::Append(good) = open_block(100, 1, 0) else { unreachable!() };
    let check = |spoil: &dyn Fn(&mut Segment), expected: &str| {
        let mut segment = Segment::clone(&good);
        spoil(&mut segment);
        let bytes = encode(&record(Change::Append(Arc::new(segment)))).unwrap();
        assert_eq!(decode(&bytes).unwrap_err().to_string(), format!("not a change: {expected}"));
    };
    check(&|s| s.first_number = 99, "a run from block 99 to 100");
    check(&|s| s.first_number = 101, "a run from block 101 to 100");
    check(&|s| s.blocks[0].block.number = 101, "blocks that do not ascend within the run");
    check(&|s| s.blocks.push(s.blocks[0]), "blocks that do not ascend within the run");
    check(&|s| s.blocks.clear(), "log 3 of block 100 is out of place");
    check(
        &|s| s.logs = arrow_select::concat::concat_batches(s.logs.schema_ref(), [&s.logs, &s.logs]).unwrap(),
        "log 3 of block 100 is out of place",
    );
}

#[test]
fn a_payload_stops_at_its_bound_whatever_the_frame_claims() {
    let bomb = compress(&vec![0; 1 << 20]).unwrap();
    assert!(bomb.len() < 200);
    let error = decompress_within(&bomb, 1 << 16).unwrap_err().to_string();
    assert_eq!(error, "not a change: payload of more than 65536 bytes");
    assert_eq!(decompress_within(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    let two = [&bomb[..], &bomb[..]].concat();
    let error = decompress_within(&two, 1 << 20).unwrap_err().to_string();
    assert_eq!(error, format!("not a change: {} bytes follow the payload", bomb.len()));
}

/// Every byte of a record, and of what its payload is once decompressed, takes every value of a few that hurt:
/// lengths and places in the Arrow message among them.
#[test]
fn no_damaged_byte_makes_the_reader_panic() {
    for original in records() {
        let bytes = encode(&original).unwrap();
        for damaged in damage(&bytes) {
            drop(decode(&damaged));
        }
        let (header, payload) = Header::read(&bytes).unwrap();
        if payload.is_empty() {
            continue;
        }
        let plain = decompress_within(payload, 1 << 20).unwrap();
        for damaged in damage(&plain) {
            let Ok(read) = decode(&join(&header, &compress(&damaged).unwrap())) else { continue };
            assert_eq!(
                decode(&encode(&read).unwrap()).unwrap(),
                read,
                "what was taken can be written and read"
            );
        }
    }
}

fn damage(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let places = (0..bytes.len()).flat_map(|at| {
        [0x00, 0x01, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at].wrapping_add(3)].map(|byte| (at, byte))
    });
    let changed = places.map(|(at, byte)| {
        let mut damaged = bytes.to_vec();
        damaged[at] = byte;
        damaged
    });
    changed.chain((0..bytes.len()).map(|end| bytes[..end].to_vec()))
}

fn hash() -> impl Strategy<Value = B256> {
    any::<[u8; 32]>().prop_map(B256::from)
}

fn block_ref(number: u64) -> impl Strategy<Value = BlockRef> {
    hash().prop_map(move |hash| BlockRef { number, hash })
}

#[derive(Debug, Clone)]
struct Log {
    gap: u32,
    topics: Vec<B256>,
    data: Vec<u8>,
    sender: Option<[u8; 20]>,
    input: Option<Vec<u8>>,
}

fn log() -> impl Strategy<Value = Log> {
    let data = vec(any::<u8>(), 0..200);
    let sender = option::of(any::<[u8; 20]>());
    let fields = (1..9_u32, vec(hash(), 0..5), data.clone(), sender, option::of(data));
    fields.prop_map(|(gap, topics, data, sender, input)| Log { gap, topics, data, sender, input })
}

fn segment() -> impl Strategy<Value = Segment> {
    let blocks = vec((1..5_u64, hash(), hash(), vec(log(), 0..4)), 1..6);
    (0..1_000_000_u64, blocks, hash(), any::<u64>()).prop_map(|(first, blocks, filter, secs)| {
        let (mut logs, mut metas, mut number) = (LogsBuilder::default(), Vec::new(), first);
        for (gap, hash, parent_hash, block_logs) in blocks {
            number += gap;
            metas.push(BlockMeta { block: BlockRef { number, hash }, parent_hash, time_secs: secs });
            let mut index = 0;
            for log in &block_logs {
                index += log.gap;
                logs.push(&raw(number, index, log)).unwrap();
            }
        }
        let last = BlockRef { number: number + 1, hash: filter };
        let incident = Incident {
            chain: ChainId(secs),
            block: None,
            kind: IncidentKind::Disagreement,
            endpoint: "second".into(),
            detail: "two hashes".into(),
        };
        Segment {
            first_number: first,
            parent_hash: filter,
            last,
            last_time_secs: secs,
            finality: Finality::Final,
            level: VerificationLevel::Bloom,
            filter,
            blocks: metas,
            logs: logs.finish().unwrap(),
            incidents: vec![incident],
        }
    })
}

fn raw(block_number: u64, log_index: u32, log: &Log) -> RawLog<'_> {
    RawLog {
        block_number,
        log_index,
        tx_index: log_index / 2,
        tx_hash: B256::with_last_byte(1),
        contract: Address::ZERO,
        topics: std::array::from_fn(|at| log.topics.get(at).copied()),
        data: &log.data,
        sender: log.sender.map(Address::from),
        input: log.input.as_deref(),
    }
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        segment().prop_map(|segment| Change::Append(Arc::new(segment))),
        any::<u64>().prop_flat_map(block_ref).prop_map(Change::Revert),
        any::<u64>().prop_flat_map(block_ref).prop_map(Change::Finalize),
        any::<u64>().prop_map(registry),
        Just(Change::Open(Epoch(3))),
    ]
}

proptest! {
    #[test]
    fn every_record_comes_back_as_it_went_in(change in change(), chain: u64, sequence: u64) {
        let record = Record { chain: ChainId(chain), epoch: Epoch(3), sequence: Sequence(sequence), change };
        prop_assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
    }

    #[test]
    fn bytes_of_any_kind_end_in_an_answer(bytes in vec(any::<u8>(), 0..600), kind in 0..7_u8) {
        drop(decode(&bytes));
        let headed = [&[1, kind, kind % 3, 0], &bytes[..]].concat();
        drop(decode(&headed));
    }
}

//! What nobody would write: arbitrary logs, and a hundred thousand mutations of right ones.
//!
//! Nothing panics, every log is accounted for, and data is accepted exactly where an independent library
//! decodes it to values that it would encode to the same bytes again.

use super::kit::{CHAIN, Random, TestLog, log, segment_of, shipped, watched, who};
use super::oracle::arbitrary;
use crate::decode::abi_type::Type;
use crate::decode::fuzz::assert_accounted;
use crate::decode::layout::{Layout, Trailing};
use crate::decode::profile::{ContractProfile, builtin};
use crate::decode::{Profiles, WatchedContract, segment};
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_json_abi::Param;
use alloy_primitives::{B256, I256, U256};
use proptest::prelude::{Strategy, any, prop, proptest};

const SEED: u64 = 0xc0ff_ee00;

/// Logs of one block of the mutation run.
const LOGS: usize = 1_000;

/// One right log of each difficult kind, by the profile that reads it.
fn corpus() -> Vec<(&'static str, TestLog)> {
    let address = |byte: u8| who(byte).to_string();
    let (one, two, nine) = (address(1), address(2), address(9));
    let batch = "TransferBatch(address indexed operator, address indexed from, address indexed to, \
                 uint256[] ids, \
                 uint256[] values)";
    let commissioned = "Commissioned(uint256 indexed tokenId, address indexed maker, string gtin, string \
                        serial, \
                        string lot, uint32 expiry, uint64 at)";
    let received = "Received(uint256 indexed tokenId, address indexed by, uint64 at, string gln)";
    let decommissioned =
        "Decommissioned(uint256 indexed tokenId, address indexed by, uint8 reason, uint64 at)";
    let uri = "URI(string value, uint256 indexed id)";
    vec![
        ("erc1155-lot", log(batch, &[&nine, &one, &two, "[7, 8, 9]", "[1, 2, 3]"])),
        ("erc1155-lot", log(uri, &["data:application/json,{\"gtin\":\"10614141073464\"}", "7"])),
        (
            "gs1-pack",
            log(commissioned, &["7", &one, "10614141073464", "S-1", "L7", "20271231", "1700000000"]),
        ),
        ("gs1-pack", log(received, &["7", &one, "1700000000", "0614141073467"])),
        ("gs1-pack", log(decommissioned, &["7", &one, "2", "1700000000"])),
        ("erc721", log("Transfer(address from, address to, uint256 tokenId)", &[&one, &two, "7"])),
        ("erc721", log("BatchMetadataUpdate(uint256 fromTokenId, uint256 toTokenId)", &["1", "9"])),
    ]
}

/// Changes the log in one to three places.
fn mutate(log: &mut TestLog, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let length = log.data.len();
        match random.below(9) {
            0 if length > 0 => log.data[random.below(length)] ^= 1 << random.below(8),
            1 => log.data.truncate(random.below(length + 1)),
            2 => log.data.extend(vec![0; random.below(70)]),
            3 if length >= 32 => {
                let at = random.below(length / 32) * 32;
                let values = [
                    U256::ZERO,
                    U256::MAX,
                    U256::from(32),
                    U256::from(random.next() % 512),
                    U256::from(1) << 64,
                ];
                log.data[at..at + 32]
                    .copy_from_slice(&values[random.below(values.len())].to_be_bytes::<32>());
            }
            4 if length >= 64 => {
                let (from, to) = (random.below(length / 32) * 32, random.below(length / 32) * 32);
                let word = log.data[from..from + 32].to_vec();
                log.data[to..to + 32].copy_from_slice(&word);
            }
            5 if length >= 32 => {
                let at = random.below(length / 32) * 32;
                let word = log.data[at..at + 32].to_vec();
                log.data.splice(at..at, word);
            }
            6 if log.topics.len() > 1 => {
                let topic = 1 + random.below(log.topics.len() - 1);
                log.topics[topic] = random.word();
            }
            7 if log.topics.len() < 4 => log.topics.push(random.word()),
            8 => {
                log.topics.pop();
            }
            _ => {}
        }
    }
}

#[test]
fn a_hundred_and_forty_thousand_mutations_are_accounted_for() {
    let mut random = Random(SEED);
    let (mut events, mut dead) = (0, 0);
    for (profile, right) in corpus() {
        let profiles = shipped(profile);
        for _ in 0..20 {
            let mut logs = vec![right.clone(); LOGS];
            logs.iter_mut().for_each(|log| mutate(log, &mut random));
            let decoded = segment(&profiles, CHAIN, &segment_of(&logs));
            assert_accounted(&decoded, LOGS);
            events += decoded.events.len();
            dead += decoded.dead_letters.len();
        }
    }
    // Both happen often, or the run would show little.
    assert!(events > 10_000 && dead > 10_000, "{events} events, {dead} dead letters");
}

fn types() -> Vec<(&'static str, Vec<Param>)> {
    let part = |ty: &str| Param::new("", ty, Vec::new(), None).unwrap();
    vec![
        ("uint256[]", Vec::new()),
        ("string", Vec::new()),
        ("bytes", Vec::new()),
        ("uint8[3]", Vec::new()),
        ("int32", Vec::new()),
        ("bytes5", Vec::new()),
        ("bool[]", Vec::new()),
        ("string[]", Vec::new()),
        ("string[2]", Vec::new()),
        ("address[2][]", Vec::new()),
        ("uint256[][]", Vec::new()),
        ("tuple", vec![part("uint64"), part("string")]),
        ("tuple[]", vec![part("address"), part("bytes"), part("int8")]),
        ("tuple[2]", vec![part("bool"), part("uint16")]),
    ]
}

fn known_type(ty: &str, parts: &[Param]) -> DynSolType {
    let inner: Vec<&str> = parts.iter().map(|part| part.ty.as_str()).collect();
    ty.replace("tuple", &format!("({})", inner.join(","))).parse().unwrap()
}

/// Does the library decode `data`, to values within their types, that it would encode so again?
fn is_canonical(ty: &DynSolType, data: &[u8]) -> bool {
    let Ok(value) = ty.abi_decode_params(data) else { return false };
    value.abi_encode_params() == data && is_within(&value)
}

/// The library keeps bits outside of a number's width; no contract can have meant them.
fn is_within(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(number, bits) => number.bit_len() <= *bits,
        DynSolValue::Int(number, bits) => {
            let limit = I256::ONE.asl(bits - 1).unwrap_or(I256::MIN);
            *bits == 256 || (*number < limit && *number >= -limit)
        }
        DynSolValue::FixedBytes(word, size) => word.0[*size..].iter().all(|byte| *byte == 0),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) | DynSolValue::Tuple(values) => {
            values.iter().all(is_within)
        }
        _ => true,
    }
}

#[test]
fn data_is_accepted_exactly_where_an_independent_library_would_write_it() {
    let mut random = Random(SEED);
    let types = types();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let chosen: Vec<_> = (0..1 + random.below(4)).map(|_| &types[random.below(types.len())]).collect();
        let params = chosen.iter().map(|(ty, parts)| (String::new(), Type::parse(ty, parts).unwrap()));
        let layout = Layout::new(params.collect());
        let known = DynSolType::Tuple(chosen.iter().map(|(ty, parts)| known_type(ty, parts)).collect());
        let entries = random.below(4);
        let data = arbitrary(&known, entries, &mut random).abi_encode_params();
        assert_eq!(layout.check(&data, Trailing::Refused), Ok(()), "{known}");
        let mut log = TestLog::new(vec![B256::ZERO], data);
        mutate(&mut log, &mut random);
        let ours = layout.check(&log.data, Trailing::Refused);
        let theirs = is_canonical(&known, &log.data);
        assert_eq!(ours.is_ok(), theirs, "{known}: {ours:?} {}", alloy_primitives::hex::encode(&log.data));
        if theirs { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 10_000 && refused > 10_000, "{accepted} accepted, {refused} refused");
}

/// Every profile that ships, watched for any contract of the chain, and one that reads calls.
fn everything() -> Profiles {
    let calls = "standard = \"none\"\ntransfer = \"ownership\"\ncalls = [\"f(uint256[] ids, string \
                 s)\"]\n[[event]]\n\
                 signature = \"Moved(uint256[] indexed ids, string indexed s, (string,bytes[])[] \
                 more)\"\nstep = \"accepting\"\n\
                 token = \"ids\"\nlot = \"s\"\ndetail = [\"more.0\"]";
    let shipped = ["gs1-pack", "erc721", "erc1155-lot", "rootpharma", "pharmaceutical-batch"];
    let mut profiles: Vec<ContractProfile> = shipped.iter().map(|name| builtin(name).unwrap()).collect();
    profiles.push(ContractProfile::parse("calls", calls).unwrap());
    let any = |profile: ContractProfile| WatchedContract {
        address: None,
        name: profile.name.clone(),
        ..watched(profile)
    };
    Profiles::new(profiles.into_iter().map(any).collect()).unwrap()
}

/// A log with a known first topic more often than not, and any data.
fn any_log(topics: Vec<B256>) -> impl Strategy<Value = TestLog> {
    let topic0 = prop::sample::select(topics);
    let word = prop::array::uniform32(any::<u8>()).prop_map(B256::from);
    let small = any::<u8>().prop_map(|byte| B256::from(U256::from(byte)));
    let words = prop::collection::vec(proptest::prop_oneof![word.clone(), small], 0..12);
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let rest = prop::collection::vec(word, 0..4);
    (topic0, rest, words, bytes, any::<bool>(), 0..3_u32).prop_map(
        |(topic0, rest, words, bytes, known, tx)| {
            let mut topics = rest;
            if known && topics.len() < 4 {
                topics.insert(0, topic0);
            }
            let mut data: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
            data.extend(&bytes);
            TestLog { tx, sender: Some(who(1)), input: Some(bytes), ..TestLog::new(topics, data) }
        },
    )
}

proptest! {
    #[test]
    fn any_logs_are_accounted_for(logs in prop::collection::vec(any_log(everything_topics()), 0..20)) {
        let profiles = everything();
        let decoded = segment(&profiles, CHAIN, &segment_of(&logs));
        assert_accounted(&decoded, logs.len());
    }
}

proptest! {
    // What a log becomes does not depend on how blocks were cut into segments.
    #[test]
    fn two_segments_give_what_one_gives(
        first in prop::collection::vec(any_log(everything_topics()), 0..10),
        mut second in prop::collection::vec(any_log(everything_topics()), 0..10),
    ) {
        let profiles = everything();
        second.iter_mut().for_each(|log| log.block += 1);
        let mut apart = segment(&profiles, CHAIN, &segment_of(&first));
        let rest = segment(&profiles, CHAIN, &segment_of(&second));
        apart.events.extend(rest.events);
        apart.dead_letters.extend(rest.dead_letters);
        apart.logs += rest.logs;
        let together = segment(&profiles, CHAIN, &segment_of(&[first, second].concat()));
        assert_eq!(together, apart);
    }
}

fn everything_topics() -> Vec<B256> {
    everything().on(CHAIN).flat_map(|contract| contract.profile.topics()).collect()
}

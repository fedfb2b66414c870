//! Contracts that factories make: found, forgotten, found again.

use super::*;
use crate::testing::CHAIN;
use crate::testing::chain::{EVENT, WATCHED};
use model::segment::LogsBuilder;

const FACTORY: Address = Address::repeat_byte(0xfa);
const MADE: B256 = B256::repeat_byte(0xfe);

fn watched(place: AddressPlace) -> Watched {
    let factories = vec![Factory { address: FACTORY, topic: MADE, place }];
    Watched::new(CHAIN, Filter { addresses: vec![WATCHED], factories, ..Filter::default() })
}

fn word(address: Address) -> B256 {
    B256::left_padding_from(address.as_slice())
}

fn log(block_number: u64, contract: Address, topics: &[B256], data: &[u8]) -> RecordBatch {
    let mut all = [None; 4];
    for (place, topic) in all.iter_mut().zip(topics) {
        *place = Some(*topic);
    }
    let (tx_hash, sender, input) = (B256::ZERO, None, None);
    let log = RawLog {
        block_number,
        log_index: 0,
        tx_index: 0,
        tx_hash,
        contract,
        topics: all,
        data,
        sender,
        input,
    };
    let mut builder = LogsBuilder::default();
    builder.push(&log).unwrap();
    builder.finish().unwrap()
}

#[test]
fn a_contract_is_found_where_the_factory_writes_it() {
    let child = Address::repeat_byte(0xcc);
    let mut by_topic = watched(AddressPlace::Topic(2));
    by_topic.learn(&log(7, FACTORY, &[MADE, B256::ZERO, word(child)], b"")).unwrap();
    assert_eq!(by_topic.found, [(7, child)]);
    let mut by_data = watched(AddressPlace::Data(1));
    by_data.learn(&log(7, FACTORY, &[MADE], &[[0; 32], word(child).0].concat())).unwrap();
    assert_eq!(by_data.found, [(7, child)]);
    assert!(
        by_data.query().0.wants(&child, Some(&EVENT))
            && !watched(AddressPlace::Data(1)).query().0.wants(&child, None)
    );
}

#[test]
fn what_is_no_discovery_is_passed_over() {
    let child = word(Address::repeat_byte(0xcc));
    let mut watched = watched(AddressPlace::Topic(1));
    let table = [
        log(1, WATCHED, &[MADE, child], b""),
        log(1, FACTORY, &[EVENT, child], b""),
        log(1, FACTORY, &[MADE], b""),
        log(1, FACTORY, &[], b""),
        log(1, FACTORY, &[MADE, B256::repeat_byte(0xcc)], b""),
        log(1, FACTORY, &[MADE, word(WATCHED)], b""),
    ];
    for logs in &table {
        watched.learn(logs).unwrap();
    }
    assert_eq!(watched.count(), 0);
    let mut short = self::watched(AddressPlace::Data(u16::MAX));
    short.learn(&log(1, FACTORY, &[MADE], &[0; 31])).unwrap();
    assert_eq!(short.count(), 0);
}

#[test]
fn what_a_reorg_takes_back_is_forgotten_and_found_again() {
    let mut watched = watched(AddressPlace::Topic(1));
    let child = |n: u8| word(Address::repeat_byte(n));
    for (block, n) in [(5, 1), (6, 2), (6, 3), (9, 4)] {
        watched.learn(&log(block, FACTORY, &[MADE, child(n)], b"")).unwrap();
    }
    watched.revert(5);
    assert_eq!(watched.found, [(5, Address::repeat_byte(1))]);
    assert!(!watched.query().0.wants(&Address::repeat_byte(2), None));
    watched.learn(&log(8, FACTORY, &[MADE, child(2)], b"")).unwrap();
    assert_eq!(watched.found[1], (8, Address::repeat_byte(2)));
}

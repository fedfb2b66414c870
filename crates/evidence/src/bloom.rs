//! The logs bloom of a header: which logs a block may hold, without reading them.
//!
//! Each address and each topic of each log sets three of 2,048 bits (Yellow Paper §4.3.1). A bloom that lacks one
//! of a log's bits proves that the log is not in the block; one that has them all proves nothing.

use alloy_primitives::{Address, B256, Bloom, Log, keccak256, logs_bloom};

/// Can the block with this bloom hold a log of `address` with these topics? `false` is proof that it does not.
pub fn holds(bloom: &Bloom, address: Address, topics: &[B256]) -> bool {
    bloom.contains_raw_log(address, topics)
}

/// Can the block with this bloom hold a log that a filter asks for? See [`Matcher`], which is for many blooms.
pub fn might_match(bloom: &Bloom, addresses: &[Address], topics: &[Vec<B256>]) -> bool {
    Matcher::new(addresses, topics).might_match(bloom)
}

/// The bloom of some logs: that of a receipt over its logs, that of a header over those of the block.
pub fn of_logs<'a>(logs: impl IntoIterator<Item = &'a Log>) -> Bloom {
    logs_bloom(logs)
}

/// A filter as `eth_getLogs` knows it, hashed once and asked of many blooms.
///
/// A log is asked for when its address is one of the addresses and, at each position, its topic is one of that
/// position's topics. No address, or no topic at a position, leaves that open. A bloom does not tell positions apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// All of these must have at least one member in the bloom.
    any_of: Vec<Vec<Bits>>,
}

/// The three bits of one address or topic.
type Bits = [u16; 3];

impl Matcher {
    /// Hashes the addresses and topics of a filter.
    pub fn new(addresses: &[Address], topics: &[Vec<B256>]) -> Self {
        let addresses: Vec<Bits> = addresses.iter().map(|address| bits(address.as_slice())).collect();
        let topics =
            topics.iter().map(|position| position.iter().map(|topic| bits(topic.as_slice())).collect());
        Self {
            any_of: std::iter::once(addresses)
                .chain(topics)
                .filter(|position| !position.is_empty())
                .collect(),
        }
    }

    /// Can the block with this bloom hold a log that the filter asks for? `false` is proof that it does not.
    pub fn might_match(&self, bloom: &Bloom) -> bool {
        self.any_of.iter().all(|position| position.iter().any(|bits| has(bloom, *bits)))
    }
}

/// Each of the first three pairs of bytes of the hash names a bit, modulo 2,048.
fn bits(bytes: &[u8]) -> Bits {
    let hash = keccak256(bytes);
    [0, 2, 4].map(|at| u16::from_be_bytes([hash[at], hash[at + 1]]) & 0x7ff)
}

/// Bit 0 is the lowest bit of the last byte.
fn has(bloom: &Bloom, bits: Bits) -> bool {
    bits.iter().all(|bit| bloom[255 - usize::from(bit / 8)] & (1 << (bit % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Bytes, hex};
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    fn log() -> impl Strategy<Value = Log> {
        (any::<[u8; 20]>(), proptest::collection::vec(any::<[u8; 32]>(), 0..=4)).prop_map(
            |(address, topics)| {
                Log::new_unchecked(address.into(), topics.into_iter().map(B256::from).collect(), Bytes::new())
            },
        )
    }

    #[test]
    fn an_empty_filter_asks_for_every_log_and_an_empty_bloom_holds_none() {
        let transfer = B256::repeat_byte(1);
        assert!(might_match(&Bloom::ZERO, &[], &[]));
        assert!(might_match(&Bloom::ZERO, &[], &[vec![], vec![]]));
        assert!(!might_match(&Bloom::ZERO, &[], &[vec![transfer]]));
        assert!(!holds(&Bloom::ZERO, Address::ZERO, &[]));
    }

    #[test]
    fn positions_must_all_match_and_members_of_a_position_need_not() {
        let (contract, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let (event, item, absent) = (B256::repeat_byte(3), B256::repeat_byte(4), B256::repeat_byte(5));
        let bloom = of_logs([&Log::new_unchecked(contract, vec![event, item], Bytes::new())]);
        assert!(holds(&bloom, contract, &[event, item]));
        assert!(!holds(&bloom, contract, &[event, absent]));
        assert!(might_match(&bloom, &[other, contract], &[vec![absent, event], vec![], vec![item]]));
        assert!(!might_match(&bloom, &[other], &[vec![event]]));
        assert!(!might_match(&bloom, &[contract], &[vec![event], vec![absent]]));
    }

    /// The address and the topic of the test that Ethereum clients have shared since the first of them.
    #[test]
    fn the_three_bits_are_those_of_the_yellow_paper() {
        let address = Address::from(hex!("ef2d6d194084c2de36e0dabfce45d046b37d1106"));
        let topic = B256::from(hex!("02c69be41d0b7e40352fc85be1cd65eb03d40ef8427a0ca4596b1ead9a00e9fc"));
        let mut expected = Bloom::ZERO;
        for (byte, bits) in [(20, 0x10), (99, 0x02), (100, 0x02), (123, 0x08), (128, 0x10), (155, 0x10)] {
            expected[byte] = bits;
        }
        assert_eq!(of_logs([&Log::new_unchecked(address, vec![topic], Bytes::new())]), expected);
        for bit in 0..2048 {
            let mut without = expected;
            without[bit / 8] &= !(1 << (bit % 8));
            assert_eq!(might_match(&without, &[address], &[vec![topic]]), without == expected);
        }
    }

    proptest! {
        #[test]
        fn a_bloom_holds_each_of_its_logs(logs in proptest::collection::vec(log(), 1..20)) {
            let bloom = of_logs(&logs);
            for log in &logs {
                prop_assert!(holds(&bloom, log.address, log.topics()));
                let topics: Vec<Vec<B256>> = log.topics().iter().map(|topic| vec![*topic]).collect();
                prop_assert!(might_match(&bloom, &[log.address], &topics));
            }
        }

        #[test]
        fn a_matcher_of_one_log_agrees_with_the_bloom_itself(log in log(), others in proptest::collection::vec(log(), 0..200)) {
            let bloom = of_logs(&others);
            let topics: Vec<Vec<B256>> = log.topics().iter().map(|topic| vec![*topic]).collect();
            prop_assert_eq!(might_match(&bloom, &[log.address], &topics), holds(&bloom, log.address, log.topics()));
        }
    }
}

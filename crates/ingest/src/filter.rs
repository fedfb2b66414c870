//! Which logs of a chain are carried: the filter of the configuration, and the query that it makes at one moment.
//!
//! ```text
//! Filter (contracts, topics, factories) + contracts discovered so far ──▶ Query ──▶ eth_getLogs, bloom, receipts
//! ```
//!
//! A [`Filter`] is fixed for a run and has a fingerprint. A [`Query`] is what it comes to at one block: the
//! contracts that factories made are in it.

use crate::error::{Error, Result};
use alloy_primitives::{Address, B256, Bloom, keccak256};
use evidence::bloom::Matcher;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Which logs are carried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Blocks below it carry nothing.
    pub start_block: u64,
    /// Contracts whose logs are carried.
    pub addresses: Vec<Address>,
    /// First topics that are carried of `addresses` and of discovered contracts. Empty: every log of theirs.
    pub topics: Vec<B256>,
    /// First topics that are carried whoever logs them.
    pub any_topics: Vec<B256>,
    /// Contracts that make contracts to watch.
    pub factories: Vec<Factory>,
    /// Are sender and call input of the transaction carried with each log?
    pub carry_sender: bool,
}

/// A contract whose events name contracts to watch, from the block of the event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factory {
    /// The contract.
    pub address: Address,
    /// First topic of the event.
    pub topic: B256,
    /// Where in the event the new contract's address stands.
    pub place: AddressPlace,
}

/// Where in a log an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPlace {
    /// In topic 1, 2 or 3.
    Topic(u8),
    /// In the data, in the 32-byte word with this index.
    Data(u16),
}

impl Filter {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`Error::Config`] when nothing is asked for, or a factory's place is none.
    pub fn check(&self) -> Result<()> {
        if self.addresses.is_empty() && self.any_topics.is_empty() && self.factories.is_empty() {
            return Err(Error::Config("no contract, topic or factory is watched".into()));
        }
        match self.factories.iter().find(|factory| matches!(factory.place, AddressPlace::Topic(0 | 4..))) {
            Some(factory) => {
                Err(Error::Config(format!("factory {}: the address is in topic 1, 2 or 3", factory.address)))
            }
            None => Ok(()),
        }
    }

    /// Names the filter: equal filters have equal fingerprints, whatever the order in which they are written.
    ///
    /// Keccak-256 over the sorted parts, each with its length before it. Discovered contracts are no part of it:
    /// they follow from the factories and the chain.
    pub fn fingerprint(&self) -> B256 {
        let mut bytes = b"rxtrail filter 1".to_vec();
        bytes.extend(self.start_block.to_be_bytes());
        bytes.push(self.carry_sender.into());
        append_sorted(&mut bytes, self.addresses.iter().map(|address| address.to_vec()));
        append_sorted(&mut bytes, self.topics.iter().map(|topic| topic.to_vec()));
        append_sorted(&mut bytes, self.any_topics.iter().map(|topic| topic.to_vec()));
        append_sorted(&mut bytes, self.factories.iter().map(Factory::bytes));
        keccak256(bytes)
    }

    /// What the filter asks for once factories have made `discovered`.
    pub fn query(&self, discovered: impl IntoIterator<Item = Address>) -> Query {
        let mut clauses = Vec::new();
        let addresses: HashSet<Address> = self.addresses.iter().copied().chain(discovered).collect();
        if !addresses.is_empty() {
            clauses.push(Clause::new(addresses, self.topics.clone()));
        }
        for factory in &self.factories {
            if !clauses.iter().any(|clause| clause.wants(&factory.address, Some(&factory.topic))) {
                clauses.push(Clause::new(HashSet::from([factory.address]), vec![factory.topic]));
            }
        }
        if !self.any_topics.is_empty() {
            clauses.push(Clause::new(HashSet::new(), self.any_topics.clone()));
        }
        self.query_of(clauses)
    }

    /// What the filter asks for of these contracts only: to complete what was read before they were known.
    pub(crate) fn query_only(&self, addresses: HashSet<Address>) -> Query {
        self.query_of(vec![Clause::new(addresses, self.topics.clone())])
    }

    /// The factories' own events only: to find what they have made so far.
    pub(crate) fn query_factories(&self) -> Query {
        let clauses = self
            .factories
            .iter()
            .map(|factory| Clause::new(HashSet::from([factory.address]), vec![factory.topic]));
        Query { carry_sender: false, ..self.query_of(clauses.collect()) }
    }

    fn query_of(&self, clauses: Vec<Clause>) -> Query {
        Query {
            clauses,
            start_block: self.start_block,
            carry_sender: self.carry_sender,
            fingerprint: self.fingerprint(),
        }
    }
}

impl Factory {
    fn bytes(&self) -> Vec<u8> {
        let (kind, place) = match self.place {
            AddressPlace::Topic(topic) => (0, u16::from(topic)),
            AddressPlace::Data(word) => (1, word),
        };
        [self.address.as_slice(), self.topic.as_slice(), &[kind], &place.to_be_bytes()].concat()
    }
}

fn append_sorted(bytes: &mut Vec<u8>, parts: impl Iterator<Item = Vec<u8>>) {
    let mut parts: Vec<Vec<u8>> = parts.collect();
    parts.sort_unstable();
    parts.dedup();
    bytes.extend((parts.len() as u64).to_be_bytes());
    bytes.extend(parts.concat());
}

/// Providers bound the addresses of one call (1,000 at the strictest that is documented).
const ADDRESSES_PER_CALL: usize = 500;

/// What is asked of a node at one moment: every log that at least one clause wants.
#[derive(Debug, Clone)]
pub struct Query {
    clauses: Vec<Clause>,
    /// Blocks below it carry nothing.
    pub start_block: u64,
    /// Are sender and input carried?
    pub carry_sender: bool,
    /// Fingerprint of the filter that the query comes from.
    pub fingerprint: B256,
}

/// Logs of some contracts (none: of any) with some first topics (none: with any).
#[derive(Debug, Clone)]
struct Clause {
    addresses: HashSet<Address>,
    topics: Vec<B256>,
    matcher: Matcher,
    /// One matcher per address: which of them a bloom speaks of.
    by_address: Vec<(Address, Matcher)>,
}

impl Clause {
    fn new(addresses: HashSet<Address>, topics: Vec<B256>) -> Self {
        let mut sorted: Vec<Address> = addresses.iter().copied().collect();
        sorted.sort_unstable();
        let first_topics = [topics.clone()];
        let by_address =
            sorted.iter().map(|address| (*address, Matcher::new(&[*address], &first_topics))).collect();
        Self { matcher: Matcher::new(&sorted, &first_topics), by_address, addresses, topics }
    }

    fn wants(&self, address: &Address, topic0: Option<&B256>) -> bool {
        (self.addresses.is_empty() || self.addresses.contains(address))
            && (self.topics.is_empty() || topic0.is_some_and(|topic| self.topics.contains(topic)))
    }
}

impl Query {
    /// Is this log asked for?
    pub fn wants(&self, address: &Address, topic0: Option<&B256>) -> bool {
        self.clauses.iter().any(|clause| clause.wants(address, topic0))
    }

    /// May a block with this bloom hold a log that is asked for? `false` is proof that it does not.
    pub fn might_match(&self, bloom: &Bloom) -> bool {
        self.clauses.iter().any(|clause| clause.matcher.might_match(bloom))
    }

    /// Does the bloom speak of a contract that brought no log? `seen` are those that brought some.
    ///
    /// A clause over any contract has no contract to miss: it is suspect when the bloom matches and no log came.
    pub fn misses(&self, bloom: &Bloom, seen: &HashSet<Address>) -> bool {
        self.clauses.iter().any(|clause| {
            if clause.addresses.is_empty() {
                return seen.is_empty() && clause.matcher.might_match(bloom);
            }
            clause.matcher.might_match(bloom)
                && clause
                    .by_address
                    .iter()
                    .any(|(address, matcher)| !seen.contains(address) && matcher.might_match(bloom))
        })
    }

    /// The parameter of `eth_getLogs` for each call that the query takes over a range.
    pub(crate) fn calls(&self, first: u64, last: u64) -> Vec<Value> {
        let mut calls = Vec::new();
        for clause in &self.clauses {
            let mut call = json!({ "fromBlock": format!("{first:#x}"), "toBlock": format!("{last:#x}") });
            if !clause.topics.is_empty() {
                call["topics"] = json!([clause.topics]);
            }
            if clause.by_address.is_empty() {
                calls.push(call);
                continue;
            }
            for group in clause.by_address.chunks(ADDRESSES_PER_CALL) {
                let mut call = call.clone();
                call["address"] = group.iter().map(|(address, _)| json!(address)).collect();
                calls.push(call);
            }
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    fn topic(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn bloom(address: Address, topics: &[B256]) -> Bloom {
        let log = alloy_primitives::Log::new_unchecked(address, topics.to_vec(), Default::default());
        evidence::bloom::of_logs([&log])
    }

    #[test]
    fn a_query_wants_what_one_clause_wants() {
        let filter = Filter {
            addresses: vec![address(1)],
            topics: vec![topic(1)],
            any_topics: vec![topic(9)],
            ..Filter::default()
        };
        let query = filter.query([address(2)]);
        for (contract, first, wanted) in [
            (1, Some(1), true),
            (2, Some(1), true),
            (3, Some(1), false),
            (1, Some(2), false),
            (3, Some(9), true),
            (1, None, false),
        ] {
            let first = first.map(topic);
            assert_eq!(query.wants(&address(contract), first.as_ref()), wanted, "{contract} {first:?}");
        }
        let all = Filter { addresses: vec![address(1)], ..Filter::default() }.query([]);
        assert!(all.wants(&address(1), None) && !all.wants(&address(2), None));
    }

    #[test]
    fn a_fingerprint_names_what_is_asked_for_and_not_how_it_is_written() {
        let filter = Filter { addresses: vec![address(1), address(2)], ..Filter::default() };
        let turned = Filter { addresses: vec![address(2), address(1), address(2)], ..Filter::default() };
        assert_eq!(filter.fingerprint(), turned.fingerprint());
        let factory = Factory { address: address(3), topic: topic(3), place: AddressPlace::Topic(1) };
        let others = [
            Filter { start_block: 1, ..filter.clone() },
            Filter { topics: vec![topic(1)], ..filter.clone() },
            Filter { any_topics: vec![topic(1)], ..filter.clone() },
            Filter { carry_sender: true, ..filter.clone() },
            Filter { factories: vec![factory], ..filter.clone() },
            Filter { factories: vec![Factory { place: AddressPlace::Data(1), ..factory }], ..filter.clone() },
        ];
        let names: HashSet<B256> = others.iter().chain([&filter]).map(Filter::fingerprint).collect();
        assert_eq!(names.len(), others.len() + 1);
    }

    #[test]
    fn a_factorys_own_events_are_asked_for_even_when_topics_are_chosen() {
        let factory = Factory { address: address(3), topic: topic(3), place: AddressPlace::Topic(1) };
        let filter = Filter {
            addresses: vec![address(1)],
            topics: vec![topic(1)],
            factories: vec![factory],
            ..Filter::default()
        };
        let query = filter.query([]);
        assert!(query.wants(&address(3), Some(&topic(3))) && !query.wants(&address(3), Some(&topic(1))));
        assert_eq!(query.calls(1, 16).len(), 2);
        assert_eq!(
            query.calls(1, 16)[1],
            json!({"fromBlock": "0x1", "toBlock": "0x10", "address": [address(3)], "topics": [[topic(3)]]})
        );
    }

    #[test]
    fn many_addresses_take_several_calls() {
        let addresses = (0..1_001u16).map(|n| Address::left_padding_from(&n.to_be_bytes())).collect();
        let calls = Filter { addresses, ..Filter::default() }.query([]).calls(0, 1);
        let sizes: Vec<_> = calls.iter().map(|call| call["address"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [500, 500, 1]);
    }

    #[test]
    fn a_bloom_that_speaks_of_a_silent_contract_is_suspect() {
        let query = Filter { addresses: vec![address(1), address(2)], ..Filter::default() }.query([]);
        let both = bloom(address(1), &[]) | bloom(address(2), &[]);
        let seen = |bytes: &[u8]| bytes.iter().copied().map(address).collect::<HashSet<_>>();
        assert!(query.misses(&both, &seen(&[])) && query.misses(&both, &seen(&[1])));
        assert!(!query.misses(&both, &seen(&[1, 2])));
        assert!(!query.misses(&bloom(address(3), &[]), &seen(&[])));
        let any = Filter { any_topics: vec![topic(7)], ..Filter::default() }.query([]);
        let matching = bloom(address(3), &[topic(7)]);
        assert!(any.misses(&matching, &seen(&[])) && !any.misses(&matching, &seen(&[3])));
    }

    #[test]
    fn an_empty_filter_is_refused() {
        assert!(Filter::default().check().is_err());
        let place = AddressPlace::Topic(4);
        let factories = vec![Factory { address: address(1), topic: topic(1), place }];
        assert!(Filter { factories, ..Filter::default() }.check().is_err());
        assert!(Filter { addresses: vec![address(1)], ..Filter::default() }.check().is_ok());
    }
}

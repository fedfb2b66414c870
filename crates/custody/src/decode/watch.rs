//! The contracts that are watched: which profile reads which log, and what an ingester must ask for.

use super::mapping::Mapping;
use super::profile::ContractProfile;
use super::profile_error::nearest;
use super::refusal::Refusal;
use super::standards::{APPROVAL, TRANSFER};
use alloy_primitives::{Address, B256};
use hashbrown::HashMap;
use model::chain::ChainId;
use model::error::ErrorClass;
use model::event::DeadReason;
use model::segment::RawLog;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most contracts of one deployment: more than any regulator names by hand.
const MAX_CONTRACTS: usize = 100_000;

/// A contract of the configuration.
#[derive(Debug, Clone)]
pub struct WatchedContract {
    /// Its name, unique within the chain. The same name may stand for one address from several blocks on.
    pub name: String,
    /// The chain.
    pub chain: ChainId,
    /// Its address; `None` for any contract that logs an event of the profile's own.
    pub address: Option<Address>,
    /// How it is read.
    pub profile: Arc<ContractProfile>,
    /// The contract whose tokens its events speak of, where that is another.
    pub family: Option<Address>,
    /// The first block from which it is read so. A proxy's profile may change: the latest one that has begun
    /// holds.
    pub from_block: u64,
}

/// Why contracts cannot be watched together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Two contracts of one chain with one name and different addresses.
    #[error("contract name '{name}' stands for two contracts on chain {chain}")]
    NameTwice {
        /// The name.
        name: String,
        /// The chain.
        chain: ChainId,
    },
    /// One address with two profiles from the same block.
    #[error("contract {address} on chain {chain} has two profiles from block {from_block}")]
    AddressTwice {
        /// The address.
        address: Address,
        /// The chain.
        chain: ChainId,
        /// The block.
        from_block: u64,
    },
    /// A profile speaks of tokens of a contract that is not watched by an address.
    #[error("contract '{name}': its profile says of = '{of}', which no contract of chain {chain} with an \
             address is called{}",
        suggestion.as_ref().map(|name| format!("; did you mean '{name}'?")).unwrap_or_default())]
    UnknownFamily {
        /// The contract.
        name: String,
        /// What its profile says.
        of: String,
        /// The chain.
        chain: ChainId,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// More than the bound.
    #[error("{count} contracts are watched, at most {MAX_CONTRACTS}")]
    TooMany {
        /// How many.
        count: usize,
    },
}

impl WatchError {
    /// What may be done about it: correct the configuration.
    pub fn class(&self) -> ErrorClass {
        ErrorClass::BadData
    }
}

/// All watched contracts with their profiles.
#[derive(Debug, Default)]
pub struct Profiles {
    contracts: Vec<Watched>,
    /// By address, latest beginning first.
    named: HashMap<(ChainId, Address), Vec<usize>>,
    any: HashMap<ChainId, Vec<usize>>,
}

/// A contract with the names of its profile resolved.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) contract: WatchedContract,
    /// By index of the profile's `families`.
    families: Vec<Address>,
}

impl Watched {
    /// The contract whose tokens a log of `emitter` speaks of.
    #[inline]
    pub(super) fn token_contract(&self, mapping: &Mapping, emitter: Address) -> Address {
        let of = mapping.of.and_then(|of| self.families.get(of).copied());
        of.or(self.contract.family).unwrap_or(emitter)
    }
}

impl Profiles {
    /// Watches `contracts`.
    ///
    /// # Errors
    /// When two of them contradict each other, or one speaks of a contract that is not among them.
    pub fn new(contracts: Vec<WatchedContract>) -> Result<Self, WatchError> {
        if contracts.len() > MAX_CONTRACTS {
            return Err(WatchError::TooMany { count: contracts.len() });
        }
        let mut by_name: HashMap<(ChainId, String), Option<Address>> = HashMap::new();
        for contract in &contracts {
            let key = (contract.chain, contract.name.clone());
            let address = *by_name.entry(key).or_insert(contract.address);
            if address != contract.address {
                return Err(WatchError::NameTwice { name: contract.name.clone(), chain: contract.chain });
            }
        }
        let mut profiles = Self::default();
        for (index, contract) in contracts.into_iter().enumerate() {
            let families = families(&contract, &by_name)?;
            match contract.address {
                Some(address) => profiles.named.entry((contract.chain, address)).or_default().push(index),
                None => profiles.any.entry(contract.chain).or_default().push(index),
            }
            profiles.contracts.push(Watched { contract, families });
        }
        profiles.order()?;
        Ok(profiles)
    }

    fn order(&mut self) -> Result<(), WatchError> {
        let contracts = &self.contracts;
        for ((chain, address), indexes) in &mut self.named {
            let begin = |index: &usize| contracts[*index].contract.from_block;
            indexes.sort_by_key(|index| std::cmp::Reverse(begin(index)));
            if let Some(pair) = indexes.windows(2).find(|pair| begin(&pair[0]) == begin(&pair[1])) {
                let from_block = begin(&pair[0]);
                return Err(WatchError::AddressTwice { address: *address, chain: *chain, from_block });
            }
        }
        Ok(())
    }

    /// First topics to ask for on a chain, for contracts that are not named by their address. Empty where all
    /// are named: then every log of [`addresses`](Self::addresses) is asked for, whatever its topics.
    pub fn topics(&self, chain: ChainId) -> BTreeSet<B256> {
        self.any(chain).flat_map(|watched| watched.contract.profile.telling_topics()).collect()
    }

    /// Chains on which something is watched.
    pub fn chains(&self) -> BTreeSet<ChainId> {
        self.contracts.iter().map(|watched| watched.contract.chain).collect()
    }

    /// Addresses whose every log is asked for on a chain.
    pub fn addresses(&self, chain: ChainId) -> BTreeSet<Address> {
        self.on(chain).filter_map(|contract| contract.address).collect()
    }

    /// Is the sender of transactions needed on a chain, as the actor of events that name none?
    pub fn needs_sender(&self, chain: ChainId) -> bool {
        self.on(chain).any(|contract| contract.profile.needs_sender())
    }

    /// Is the input of transactions needed on a chain, to read indexed texts and lists?
    pub fn needs_input(&self, chain: ChainId) -> bool {
        self.on(chain).any(|contract| contract.profile.needs_input())
    }

    /// The contracts of a chain, in the order of the configuration.
    pub fn on(&self, chain: ChainId) -> impl Iterator<Item = &WatchedContract> {
        self.contracts.iter().map(|watched| &watched.contract).filter(move |contract| contract.chain == chain)
    }

    /// How a contract is watched in a block: by its address, else as any contract, else not at all.
    pub fn watched(&self, chain: ChainId, address: Address, block: u64) -> Option<&WatchedContract> {
        self.candidates(chain, address, block).next().map(|watched| &watched.contract)
    }

    /// Is this contract of the chain named by its address, from whatever block on?
    pub fn watches(&self, chain: ChainId, address: Address) -> bool {
        self.named.contains_key(&(chain, address))
    }

    fn any(&self, chain: ChainId) -> impl Iterator<Item = &Watched> {
        self.any.get(&chain).into_iter().flatten().map(|index| &self.contracts[*index])
    }

    fn named(&self, chain: ChainId, address: Address, block: u64) -> Option<&Watched> {
        let indexes = self.named.get(&(chain, address))?;
        indexes
            .iter()
            .map(|index| &self.contracts[*index])
            .find(|watched| watched.contract.from_block <= block)
    }

    fn candidates(&self, chain: ChainId, address: Address, block: u64) -> impl Iterator<Item = &Watched> {
        let named = self.named(chain, address, block);
        let any = self.any(chain).filter(move |watched| watched.contract.from_block <= block);
        named.into_iter().chain(any.filter(move |_| named.is_none()))
    }

    /// The contract and mapping that read a log.
    ///
    /// # Errors
    /// Why nothing reads it.
    #[inline]
    pub(super) fn find(&self, chain: ChainId, log: &RawLog<'_>) -> Result<(&Watched, &Mapping), Refusal> {
        let Some(topic0) = log.topics[0] else {
            let detail = "the log has no topics: an anonymous event, which names no signature";
            return Err(Refusal::new(DeadReason::NoTopics, detail));
        };
        let key = (topic0, u8::try_from(log.topic_count()).unwrap_or(u8::MAX));
        for watched in self.candidates(chain, log.contract, log.block_number) {
            let Some(mapping) = watched.contract.profile.events.get(&key) else { continue };
            if mapping.named_contracts_only && watched.contract.address.is_none() {
                return Err(ambiguous(key.1));
            }
            return Ok((watched, mapping));
        }
        Err(self.unknown(chain, log, key))
    }

    /// Why no profile reads a log.
    #[cold]
    fn unknown(&self, chain: ChainId, log: &RawLog<'_>, (topic0, topics): (B256, u8)) -> Refusal {
        let mut candidates = self.candidates(chain, log.contract, log.block_number).peekable();
        if candidates.peek().is_none() {
            let detail = format!("the contract is not watched in block {}", log.block_number);
            return Refusal::new(DeadReason::UnknownEvent, detail);
        }
        let mut known = Vec::new();
        for watched in candidates {
            let mappings = watched.contract.profile.events.values();
            known.extend(mappings.filter(|mapping| mapping.shape.topic0 == topic0));
        }
        if let Some(mapping) = known.first() {
            let counts: BTreeSet<u8> = known.iter().map(|mapping| mapping.shape.topics).collect();
            let counts: Vec<String> = counts.iter().map(u8::to_string).collect();
            let name = &mapping.shape.name;
            let detail = format!("{name} has {topics} topics; a log of it has {}", counts.join(" or "));
            return Refusal::new(DeadReason::TopicCount, detail);
        }
        if topics == 3 && (topic0 == TRANSFER || topic0 == APPROVAL) {
            return ambiguous(topics);
        }
        Refusal::new(DeadReason::UnknownEvent, format!("no event of the profile has topic {topic0}"))
    }
}

/// A layout that ERC-20 tokens share.
#[cold]
fn ambiguous(topics: u8) -> Refusal {
    let detail = format!(
        "{topics} topics: ERC-20, or an ERC-721 contract before the standard that is not named as one"
    );
    Refusal::new(DeadReason::AmbiguousLayout, detail)
}

fn families(
    contract: &WatchedContract,
    by_name: &HashMap<(ChainId, String), Option<Address>>,
) -> Result<Vec<Address>, WatchError> {
    let resolve = |of: &String| {
        let known = by_name.get(&(contract.chain, of.clone())).copied().flatten();
        known.ok_or_else(|| {
            let names =
                by_name.iter().filter(|((chain, _), address)| *chain == contract.chain && address.is_some());
            WatchError::UnknownFamily {
                name: contract.name.clone(),
                of: of.clone(),
                chain: contract.chain,
                suggestion: nearest(of, names.map(|((_, name), _)| name.as_str())).map(str::to_owned),
            }
        })
    };
    contract.profile.families.iter().map(resolve).collect()
}

//! The contracts of the world, and the authority that the registry gives them.

use crate::keys::derive;
use alloy_primitives::Address;
use model::chain::ChainId;
use model::gs1::Gtin;
use model::registry::{Announcement, AnnouncementKind, ContractAuthority, Registry, Tier, Validity};

/// A contract on one of the world's chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ContractRef {
    /// Place of the chain in the configuration: 0 or 1.
    pub(crate) chain: usize,
    /// The contract.
    pub(crate) address: Address,
}

/// A contract that the registry names, for whoever configures a reader of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// A short name, unique in the world.
    pub name: &'static str,
    /// Its chain.
    pub chain: ChainId,
    /// Its address.
    pub address: Address,
    /// The contract profile that reads its logs: `gs1-pack`, `erc721` or `erc1155-lot`.
    pub profile: &'static str,
    /// How far the registry believes it.
    pub tier: Tier,
}

/// The contracts that stories speak through. What unknown contracts a story needs it invents itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contracts {
    /// The pack registry of the industry.
    pub(crate) packs: ContractRef,
    /// Its first version, being migrated away from.
    pub(crate) packs_v1: ContractRef,
    /// The pack registry of the Brazilian partners.
    pub(crate) partner: ContractRef,
    /// Plain ERC-721 tokens of vials made for one patient each.
    pub(crate) vials: ContractRef,
    /// ERC-1155 quantities of lots.
    pub(crate) lots: ContractRef,
    /// On the second chain: packs wrapped there while bridged.
    pub(crate) bridged: Option<ContractRef>,
    /// Whoever deployed them.
    pub(crate) admin: Address,
}

impl Contracts {
    /// Derives the addresses of a world with one or two chains.
    pub(crate) fn of(seed: u64, two_chains: bool, admin: Address) -> Self {
        let at = |chain, name: &str| ContractRef {
            chain,
            address: Address::from_word(derive(seed, &format!("contract/{name}"))),
        };
        Self {
            packs: at(0, "packs"),
            packs_v1: at(0, "packs-v1"),
            partner: at(0, "partner-packs"),
            vials: at(0, "vials"),
            lots: at(0, "lots"),
            bridged: two_chains.then(|| at(1, "bridged-packs")),
            admin,
        }
    }

    /// Every named contract as its reader is to be told of it.
    pub(crate) fn list(&self, chains: &[u64]) -> Vec<Contract> {
        let row = |name, contract: ContractRef, profile, tier| Contract {
            name,
            chain: ChainId(chains[contract.chain]),
            address: contract.address,
            profile,
            tier,
        };
        let mut list = vec![
            row("packs", self.packs, "gs1-pack", Tier::Authoritative),
            row("packs-v1", self.packs_v1, "gs1-pack", Tier::Authoritative),
            row("partner-packs", self.partner, "gs1-pack", Tier::Recognised),
            row("vials", self.vials, "erc721", Tier::Recognised),
            row("lots", self.lots, "erc1155-lot", Tier::Recognised),
        ];
        list.extend(self.bridged.map(|at| row("bridged-packs", at, "gs1-pack", Tier::Recognised)));
        list
    }

    /// Enters the contracts' authority: in general, and by product for the industry's registry.
    pub(crate) fn enter(&self, chains: &[u64], industry: &[Gtin], registry: &mut Registry) {
        for Contract { chain, address, tier, .. } in self.list(chains) {
            registry.contracts.push(ContractAuthority {
                chain,
                address,
                tier,
                gtin: None,
                validity: Validity::ALWAYS,
            });
        }
        for gtin in industry {
            registry.contracts.push(ContractAuthority {
                chain: ChainId(chains[0]),
                address: self.packs.address,
                tier: Tier::Authoritative,
                gtin: Some(*gtin),
                validity: Validity::ALWAYS,
            });
        }
        let mut announce = |kind, from: ContractRef, to: ContractRef| {
            registry.announcements.push(Announcement {
                kind,
                chain: ChainId(chains[from.chain]),
                contract: from.address,
                successor_chain: ChainId(chains[to.chain]),
                successor: to.address,
                validity: Validity::ALWAYS,
            });
        };
        announce(AnnouncementKind::Migration, self.packs_v1, self.packs);
        if let Some(bridged) = self.bridged {
            announce(AnnouncementKind::Bridge, self.packs, bridged);
        }
    }
}

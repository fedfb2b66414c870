//! The core's way from the states of its chains to what is said across them.

use super::{Chain, Core};
use crate::across::{Clock, Life, View, judge};
use crate::claims::Claim;
use crate::registry::Index;
use crate::rules::ID_01_CARD;
use model::alert::Notice;
use model::chain::ChainId;
use model::change::{Epoch, Position, Sequence};
use model::commit::{Commit, Effect};
use model::item::ItemKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Core {
    /// Goes on after a restart with what people were told across chains: the last notice of each case, durable up to
    /// `sequence`. Nothing more is said before every chain that is watched was taken up to `written_to` again.
    pub fn restore_across(
        &mut self,
        sequence: Sequence,
        told: Vec<Notice>,
        written_to: impl IntoIterator<Item = (ChainId, Sequence)>,
    ) {
        let watched = self.setup.profiles.chains();
        let goals = written_to.into_iter().filter(|(chain, _)| watched.contains(chain)).collect();
        self.across.restore(sequence, told, goals);
    }

    /// What is to be said across chains since the last call: a commit of the stream [`ChainId::ACROSS`], which moves
    /// no rows of blocks. Call it after each record. The cases that stand after it depend on what the chains hold,
    /// not on the order in which they were read.
    pub fn across(&mut self) -> Option<Commit> {
        if !self.compares_chains {
            return None;
        }
        let mut items: BTreeSet<ItemKey> =
            self.chains.values_mut().flat_map(|chain| std::mem::take(&mut chain.claimed)).collect();
        let chains = &self.chains;
        let taken = |chain| chains.get(&chain).map(|chain| chain.position.sequence).unwrap_or_default();
        if !self.across.is_ready(taken) {
            return None;
        }
        if self.across.begin() {
            items.extend(shared_items(chains));
            items.extend(self.across.items().cloned());
        }
        items.retain(|item| self.across.has(item) || is_shared(chains, item));
        items.extend(self.across.set_clocks(clocks(chains)));
        self.judge_again(items);
        let (sequence, transitions) = self.across.tell()?;
        Some(Commit {
            chain: ChainId::ACROSS,
            position: Position { epoch: Epoch::default(), sequence, tip: None, finalized: None },
            effect: Effect::None,
            alerts: transitions.alerts,
            notices: transitions.notices,
            incidents: Vec::new(),
        })
    }

    fn judge_again(&mut self, items: BTreeSet<ItemKey>) {
        let Self { setup, chains, across, no_registry, .. } = self;
        let grace_secs = setup.parameters.get(&ID_01_CARD, "grace_secs");
        let parameters = setup.parameters.describe(&ID_01_CARD);
        // Asked of the registry that the second event met, as every rule asks it.
        let announced = |first: &Life, second: &Life| {
            let registry =
                chains.get(&second.chain).map(|chain| chain.registry_at(second.begun.block, no_registry));
            let contracts = ((first.chain, first.contract), (second.chain, second.contract));
            registry.is_some_and(|registry| {
                registry.announced(contracts.0, contracts.1, second.begun_secs).is_some()
            })
        };
        for item in items {
            let lives = chains.values().flat_map(|chain| chain.lives(&item, no_registry)).collect();
            let view = View { clocks: across.clocks(), grace_secs, announced: &announced };
            let judged = judge(lives, &view);
            across.set(item, &judged, &parameters);
        }
    }
}

fn clocks(chains: &BTreeMap<ChainId, Chain>) -> BTreeMap<ChainId, Clock> {
    let clock =
        |chain: &Chain| Clock { now_secs: chain.state.now_secs, final_secs: chain.state.final_secs() };
    chains.iter().map(|(id, chain)| (*id, clock(chain))).collect()
}

/// Does more than one chain have claims of the item?
fn is_shared(chains: &BTreeMap<ChainId, Chain>, item: &ItemKey) -> bool {
    chains.values().filter(|chain| chain.claims(item)).nth(1).is_some()
}

/// Items that more than one chain has claims of. The chain with the most is asked, not walked through.
fn shared_items(chains: &BTreeMap<ChainId, Chain>) -> Vec<ItemKey> {
    let largest = chains.iter().max_by_key(|(_, chain)| chain.state.claims.count()).map(|(id, _)| *id);
    let others = chains.iter().filter(|(id, _)| Some(**id) != largest);
    let items = others.flat_map(|(_, chain)| {
        let first = chain.state.claims.iter().filter(|(_, (_, at), _)| *at == 0);
        first.map(|(_, (item, _), _)| chain.state.items.key(*item))
    });
    items.filter(|item| is_shared(chains, item)).cloned().collect()
}

impl Chain {
    fn claims(&self, item: &ItemKey) -> bool {
        self.state.items.find(item).is_some_and(|item| self.state.claims_of(item).next().is_some())
    }

    /// The registry in force for events of `block`.
    pub(super) fn registry_at<'a>(&'a self, block: u64, none: &'a Arc<Index>) -> &'a Arc<Index> {
        let in_force = |index: &&Arc<Index>| index.version().after.is_none_or(|after| after < block);
        self.registries.iter().rev().find(in_force).unwrap_or(none)
    }

    fn lives<'a>(&'a self, item: &ItemKey, no_registry: &'a Arc<Index>) -> impl Iterator<Item = Life> {
        let claims = self.state.items.find(item).into_iter().flat_map(|item| self.state.claims_of(item));
        claims.map(|id| self.life(&self.state.claims.get(id), no_registry))
    }

    fn life(&self, claim: &Claim, no_registry: &Arc<Index>) -> Life {
        let state = &self.state;
        let (contract, token) = (state.tokens.key(claim.token).0, state.token_id(claim.token));
        let address = claim.minter.map(|holder| *state.holders.key(holder));
        let registry = self.registry_at(claim.begun.block, no_registry);
        let party = address.and_then(|address| registry.party_of(state.chain, address, claim.begun_secs));
        let minter = match party {
            Some(party) => Some(party.gln.to_string()),
            None => address.map(|address| address.to_string()),
        };
        let minter_in_words = match (party, &minter) {
            (Some(party), _) => format!("{} ({})", party.name, party.gln),
            (None, Some(address)) => address.clone(),
            (None, None) => "nobody named".to_owned(),
        };
        Life {
            chain: state.chain,
            contract: *state.contracts.key(contract),
            token,
            begun: claim.begun,
            begun_secs: claim.begun_secs,
            ended_secs: claim.ended_secs,
            tx_hash: claim.tx_hash,
            tier: claim.tier,
            entitled: claim.entitled,
            minter,
            minter_in_words,
        }
    }
}

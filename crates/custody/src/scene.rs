//! A scene: what a rule sees of one event. The state before it, the event, the registry in force, and what the
//! custody state machine says of it. Read only.

use crate::machine::Verdict;
use crate::numbers::Numbers;
use crate::registry::Index;
use crate::state::{ChainState, HolderId, ItemId, Story};
use crate::units::Moved;
use model::Address;
use model::event::{Event, EventKind};
use model::gs1::{Gln, Gtin, Text};
use model::item::ItemKey;
use model::registry::{Party, Regime, Role, Tier};

/// What a rule sees of one event.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The state before the event.
    pub state: &'a ChainState,
    /// The registry in force.
    pub registry: &'a Index,
    /// The event.
    pub event: &'a Event,
    /// How far its contract is believed about the item.
    pub tier: Tier,
    /// May it change the item's state?
    pub believed: bool,
    /// The item's key: as the log names it, or as its token is known.
    pub key: Option<&'a ItemKey>,
    /// The item, where it is known already.
    pub item: Option<ItemId>,
    /// Lot of the item.
    pub lot: Option<Text>,
    /// What the event names, as the state knows it.
    pub numbers: Numbers,
    /// The party that acts.
    pub actor_party: Option<&'a Party>,
    /// What the state machine says; `None` for facts, which move no custody.
    pub verdict: Option<&'a Verdict>,
    /// Units of a token held in quantities that the event moves.
    pub units: Option<Moved>,
}

impl<'a> Scene<'a> {
    /// The time at which the registry is asked: declared, else block time.
    pub fn at_secs(&self) -> i64 {
        self.event.judged_at_secs()
    }

    /// The product.
    pub fn gtin(&self) -> Option<Gtin> {
        self.key.and_then(ItemKey::gtin)
    }

    /// The address that acts.
    pub fn actor_address(&self) -> Option<Address> {
        acting(self.event)
    }

    /// The party that `address` signs for at the event's time.
    pub fn party_of(&self, address: Address) -> Option<&'a Party> {
        self.registry.party_of(self.state.chain, address, self.at_secs())
    }

    /// The party that an address of the state signs for.
    pub fn party_of_holder(&self, holder: HolderId) -> Option<&'a Party> {
        self.party_of(*self.state.holders.key(holder))
    }

    /// How people know an address: the GLN of its party, else the address.
    pub fn name_of(&self, address: Address) -> String {
        self.party_of(address).map_or_else(|| address.to_string(), |party| party.gln.to_string())
    }

    /// How people know an address of the state, with the party's name where there is one.
    pub fn describe(&self, address: Address) -> String {
        self.party_of(address)
            .map_or_else(|| address.to_string(), |party| format!("{} ({})", party.name, party.gln))
    }

    /// The same for an address of the state.
    pub fn describe_holder(&self, holder: HolderId) -> String {
        self.describe(*self.state.holders.key(holder))
    }

    /// The regime of the market in which the event happens: that of the actor's country.
    pub fn regime(&self) -> Regime {
        self.actor_party.map_or(Regime::Generic, |party| crate::registry::regime_of(&party.country))
    }

    /// Does the event send the item back: to its maker, the product's owner, or a reverse distributor?
    pub fn is_return_path(&self) -> bool {
        if self.event.kind == EventKind::Returning {
            return true;
        }
        let Some(receiver) = self.event.to.and_then(|to| self.party_of(to)) else { return false };
        receiver.role == Role::ReverseDistributor || self.is_maker(receiver.gln)
    }

    fn is_maker(&self, gln: Gln) -> bool {
        let owner = self.gtin().and_then(|gtin| self.registry.product(gtin, self.at_secs())).map(|p| p.owner);
        let maker = self.item.and_then(|item| self.state.items.get(item).maker);
        owner == Some(gln)
            || maker.and_then(|maker| self.party_of_holder(maker)).is_some_and(|party| party.gln == gln)
    }

    /// The story with provenance, where the item is known.
    pub fn story(&self) -> Option<Story> {
        self.item.map(|item| self.state.items.get(item).story)
    }

    /// Is `actor` the holder `of`, of the same party, or an agent of that party?
    pub fn stands_for(&self, actor: Option<Address>, of: HolderId) -> bool {
        let Some(actor) = actor else { return false };
        let holder = *self.state.holders.key(of);
        self.registry.stands_for(self.state.chain, (actor, holder), self.gtin(), self.at_secs())
    }
}

/// The address that acts in an event: the actor, else the one that the item leaves.
pub fn acting(event: &Event) -> Option<Address> {
    event.actor.or(event.from.filter(|from| *from != Address::ZERO))
}

//! The numbers under which the state has what one event names, looked up once for all that ask for them.

use crate::scene;
use crate::state::{ChainState, ContractId, HolderId, PlaceId, TokenId};
use model::Address;
use model::event::Event;

/// The numbers of what an event names; `None` for what the state does not know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    /// The contract whose tokens it speaks of.
    pub contract: Option<ContractId>,
    /// Its token.
    pub token: Option<TokenId>,
    /// The one who acts.
    pub actor: Option<HolderId>,
    /// The one whom the token or item goes to.
    pub to: Option<HolderId>,
    /// The place.
    pub place: Option<PlaceId>,
}

impl Numbers {
    /// The numbers of `event`; names that are new are entered, but for the token: not every event makes one known.
    pub fn enter(state: &mut ChainState, event: &Event) -> Self {
        state.contracts.enter(event.contract, || ());
        let contract = state.contracts.enter(event.token_contract, || ());
        let mut holder = |address: Option<Address>| {
            let someone = Some(address?).filter(|address| *address != Address::ZERO);
            someone.map(|address| state.holders.enter(address, || ()))
        };
        let (actor, _, to) = (holder(scene::acting(event)), holder(event.from), holder(event.to));
        let place = event.place.map(|place| state.places.enter(place, || ()));
        let token = event.token.and_then(|id| state.find_token(contract, id));
        Self { contract: Some(contract), token, actor, to, place }
    }

    /// The numbers of `event`, as far as the state knows its names.
    pub fn find(state: &ChainState, event: &Event) -> Self {
        let contract = state.contracts.find(&event.token_contract);
        let holder = |address: Option<Address>| state.holders.find(&address?);
        Self {
            contract,
            token: contract.zip(event.token).and_then(|(contract, id)| state.find_token(contract, id)),
            actor: holder(scene::acting(event)),
            to: holder(event.to),
            place: event.place.and_then(|place| state.places.find(&place)),
        }
    }

    /// The same with the event's token entered, if it has one; it was first seen with this event.
    pub fn with_token(self, state: &mut ChainState, event: &Event) -> Self {
        let token = self
            .contract
            .zip(event.token)
            .map(|(contract, id)| self.token.unwrap_or_else(|| state.enter_token(contract, id, event)));
        Self { token, ..self }
    }
}

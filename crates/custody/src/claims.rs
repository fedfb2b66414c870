//! Claims: which token stood for which serialised item, from when to when, and with what right it was minted.
//!
//! A chain alone never asks for them: they are what other chains are compared with ([`crate::across`]). They are kept
//! only where a deployment has more than one chain.

use crate::rules;
use crate::scene::{self, Scene};
use crate::state::{ChainState, HolderId, ItemId, Token, TokenId};
use model::chain::LogPosition;
use model::event::{Event, EventKind};
use model::item::ItemKey;
use model::registry::Tier;
use model::{Address, B256};
use serde::{Deserialize, Serialize};

/// Claims of one item that a chain keeps. Each is a mint by a contract that the registry names: who mints one serial
/// more often than this adds nothing that a person could use.
const CLAIMS_MAX: u32 = 16;

/// [`Claim::ended_secs`] of a token that lives.
pub const LIVING: i64 = i64::MAX;

/// One life of a token as one item: from its commissioning, or a mint anew, to its burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The token.
    pub token: TokenId,
    /// Who got it.
    pub minter: Option<HolderId>,
    /// The event that began it.
    pub begun: LogPosition,
    /// Its block time, Unix seconds.
    pub begun_secs: i64,
    /// Block time of its end, Unix seconds; [`LIVING`] before.
    pub ended_secs: i64,
    /// Transaction of the event that began it.
    pub tx_hash: B256,
    /// How far its contract was believed.
    pub tier: Tier,
    /// Did its minter own the product, or was delegated for it?
    pub entitled: bool,
}

crate::journal::keep_as_is!(Claim);

/// There is one a pack where a deployment has several chains: 80 bytes, 8 of its key, and a slot of the index.
const _: () = assert!(size_of::<Claim>() <= 80);

/// With what right an event mints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    tier: Tier,
    entitled: bool,
}

impl Right {
    /// The right of the event of `scene`; `None` when nothing is to be kept of it.
    pub fn of(scene: &Scene<'_>) -> Option<Self> {
        let mints = scene.event.kind == EventKind::Commissioning || scene.event.from == Some(Address::ZERO);
        let believed = scene.believed && scene.tier > Tier::Unknown;
        (scene.state.keeps_claims && mints && believed)
            .then(|| Self { tier: scene.tier, entitled: rules::may_mint(scene) })
    }
}

/// The token of an event with what is known of it.
pub type Known = Option<(TokenId, Token)>;

/// Takes what an event did to its token into the claims. `before` is the token as it was, `after` as it is.
pub fn follow(state: &mut ChainState, event: &Event, before: Known, after: Known, right: Option<Right>) {
    if !state.keeps_claims {
        return;
    }
    let was = before.and_then(|(_, token)| stands_for(&token));
    let is = after.and_then(|(_, token)| stands_for(&token));
    if let (Some((token, _)), Some(was)) = (before, was.filter(|was| is != Some(*was))) {
        end(state, was, token, event.block_time_secs);
    }
    if let (Some((token, _)), Some(is), Some(right)) = (after, is, right) {
        begin(state, event, (is, token), right);
    }
}

/// The item that a living token stands for.
fn stands_for(token: &Token) -> Option<ItemId> {
    token.item.filter(|_| token.burnt_block.is_none())
}

fn end(state: &mut ChainState, item: ItemId, token: TokenId, secs: i64) {
    if let Some(id) = living(state, item, token) {
        state.claims.change(id, |claim| claim.ended_secs = secs);
    }
}

fn living(state: &ChainState, item: ItemId, token: TokenId) -> Option<u32> {
    state.claims_of(item).find(|id| {
        let claim = state.claims.get(*id);
        claim.token == token && claim.ended_secs == LIVING
    })
}

fn begin(state: &mut ChainState, event: &Event, (item, token): (ItemId, TokenId), right: Right) {
    let serialised = matches!(state.items.key(item), ItemKey::Sgtin(..));
    if !serialised || living(state, item, token).is_some() {
        return;
    }
    // A token that was burnt and is minted anew goes on with its identity, which nobody needs to say again.
    let anew = event.from == Some(Address::ZERO)
        && state.claims_of(item).any(|id| state.claims.get(id).token == token);
    let count = state.claims_of(item).count() as u32;
    if (event.kind != EventKind::Commissioning && !anew) || count >= CLAIMS_MAX {
        return;
    }
    let minter = event.to.or_else(|| scene::acting(event));
    let claim = Claim {
        token,
        minter: minter.and_then(|address| state.holders.find(&address)),
        begun: event.position,
        begun_secs: event.block_time_secs,
        ended_secs: LIVING,
        tx_hash: event.tx_hash,
        tier: right.tier,
        entitled: right.entitled,
    };
    state.claims.enter((item, count), || claim);
}

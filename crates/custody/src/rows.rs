//! Rows: what one change adds to the tables, collected while events are applied and turned into columns at its end.
//!
//! Intervals (custody, containment) that begin and end within one change are one row; the row of an open interval is
//! written once, with the change that opened it, and again when it ends.

mod columns;
mod past;
pub mod registered;
mod state;

pub use columns::batches;
pub(crate) use state::state_entries;
pub use state::state_rows;

use crate::lineage::Lineage;
use crate::state::{ChainState, HolderId, ItemId, Shipment, State, Story, Tenure, Token, TokenId};
use crate::units::Balance;
use model::chain::LogPosition;
use model::event::{DeadLetter, Event};
use model::gs1::Text;
use model::item::{ItemKey, TokenRef, TokenStandard};
use model::registry::Tier;
use model::{Address, U256};
use registered::Registered;
use std::collections::BTreeMap;

/// What was judged of an event, beside what its log says.
#[derive(Debug)]
pub struct Judged {
    /// The item's key.
    pub key: Option<ItemKey>,
    /// Its lot.
    pub lot: Option<Text>,
    /// The branch that it belongs to.
    pub branch: u32,
    /// Does it fit the story so far?
    pub legal: bool,
    /// How far its contract is believed.
    pub tier: Tier,
    /// The parent's key.
    pub parent: Option<ItemKey>,
}

/// An interval in which someone has a role towards an item, or an item is inside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Key of the item.
    pub item: ItemKey,
    /// Branch of its story.
    pub branch: u32,
    /// What the interval is of.
    pub of: IntervalOf,
    /// Where it begins.
    pub from: LogPosition,
    /// The same as time, Unix seconds.
    pub from_secs: i64,
    /// Where it ends, with the time; `None` while open.
    pub to: Option<(LogPosition, i64)>,
    /// How many units, of a token that is held in quantities.
    pub units: Option<U256>,
}

/// What an interval is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntervalOf {
    /// Someone owns the item's token on the chain.
    Owner(Address),
    /// Someone has the item.
    Possessor(Address),
    /// Someone declares its steps.
    Declarer(Address),
    /// The item is inside another.
    Parent(ItemKey),
}

/// One sending of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentRow {
    /// Key of the item.
    pub item: ItemKey,
    /// Branch of its story.
    pub branch: u32,
    /// Who sent it.
    pub consignor: Address,
    /// Whom to.
    pub consignee: Option<Address>,
    /// `open`, `received` or `voided`.
    pub status: &'static str,
    /// Where it was sent.
    pub shipped: LogPosition,
    /// When, Unix seconds.
    pub shipped_secs: i64,
    /// Where it ended, with the time.
    pub ended: Option<(LogPosition, i64)>,
}

/// Names an open interval within one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OpenKey {
    /// The owner of a token: an item that was cloned has several.
    Owner(TokenId),
    /// Who has how much of a token.
    Units(TokenId, HolderId),
    /// The possessor of an item on a branch.
    Possessor(ItemId, u32),
    /// The declarer of an item on a branch.
    Declarer(ItemId, u32),
    /// The parent of an item.
    Parent(ItemId),
}

/// A story went on, at an event and its time.
#[derive(Clone, Copy)]
struct Turn<'a> {
    state: &'a ChainState,
    item: ItemId,
    branch: u32,
    old: Option<&'a Story>,
    new: &'a Story,
    at: (LogPosition, i64),
}

/// What one change adds to the tables.
#[derive(Debug, Default)]
pub struct Rows {
    events: Vec<(Event, Judged)>,
    dead_letters: Vec<DeadLetter>,
    intervals: Vec<Interval>,
    open: BTreeMap<OpenKey, Interval>,
    shipments: Vec<ShipmentRow>,
    sent: BTreeMap<(ItemId, u32), ShipmentRow>,
    /// Which item came from which.
    pub lineage: Lineage,
    /// Rows of the registry that came into force or went out of it.
    pub registered: Vec<Registered>,
}

/// The interval in which the token's owner owns the item.
fn ownership(state: &ChainState, item: ItemId, token: &Token) -> Option<Interval> {
    token.owner.map(|owner| Interval {
        item: state.items.key(item).clone(),
        branch: 0,
        of: IntervalOf::Owner(*state.holders.key(owner)),
        from: token.owned_from,
        from_secs: token.owned_from_secs,
        to: None,
        units: None,
    })
}

/// How people call what a token stands for: its item, else the token itself.
fn token_name(state: &ChainState, token: TokenId, item: Option<ItemId>) -> ItemKey {
    let (contract, _) = *state.tokens.key(token);
    let unnamed = || TokenRef {
        chain: state.chain,
        contract: *state.contracts.key(contract),
        id: state.token_id(token),
        standard: TokenStandard::Erc1155,
    };
    item.map_or_else(|| ItemKey::Token(Box::new(unnamed())), |item| state.items.key(item).clone())
}

/// The interval in which a holder has that many units of what `item` names.
fn holding(state: &ChainState, item: ItemKey, holder: HolderId, balance: &Balance) -> Interval {
    Interval {
        item,
        branch: 0,
        of: IntervalOf::Owner(*state.holders.key(holder)),
        from: balance.from,
        from_secs: balance.from_secs,
        to: None,
        units: Some(balance.units),
    }
}

fn open_shipment(state: &ChainState, (item, branch): (ItemId, u32), shipment: &Shipment) -> ShipmentRow {
    ShipmentRow {
        item: state.items.key(item).clone(),
        branch,
        consignor: *state.holders.key(shipment.consignor),
        consignee: shipment.consignee.map(|holder| *state.holders.key(holder)),
        status: "open",
        shipped: shipment.shipped,
        shipped_secs: shipment.shipped_secs,
        ended: None,
    }
}

impl Rows {
    /// Adds an event as it was judged.
    pub fn event(&mut self, event: Event, judged: Judged) {
        self.events.push((event, judged));
    }

    /// Adds a log that is no event.
    pub fn dead_letter(&mut self, letter: DeadLetter) {
        self.dead_letters.push(letter);
    }

    fn begin(&mut self, key: OpenKey, interval: Interval) {
        if let Some(before) = self.open.insert(key, interval) {
            self.intervals.push(before);
        }
    }

    /// Ends an interval: the open row of this change, or the one that an earlier change wrote.
    fn end(&mut self, key: OpenKey, interval: Interval, at: (LogPosition, i64)) {
        let begun = self.open.remove(&key).unwrap_or(interval);
        self.intervals.push(Interval { to: Some(at), ..begun });
    }

    /// The owner of an item's token has it from now on, or since before anyone knew which item it stands for.
    pub fn owner_begins(&mut self, state: &ChainState, item: ItemId, token: TokenId) {
        if let Some(interval) = ownership(state, item, &state.tokens.get(token)) {
            self.begin(OpenKey::Owner(token), interval);
        }
    }

    /// The owner of an item's token, as `old` says, has it no longer; or it stands for another item.
    pub fn owner_ends(
        &mut self,
        state: &ChainState,
        item: ItemId,
        token: TokenId,
        old: &Token,
        event: &Event,
    ) {
        if let Some(interval) = ownership(state, item, old) {
            self.end(OpenKey::Owner(token), interval, (event.position, event.block_time_secs));
        }
    }

    /// A holder has another number of units of a token from now on.
    pub fn units_changed(
        &mut self,
        state: &ChainState,
        (token, holder): (TokenId, HolderId),
        old: Option<&Balance>,
        new: Option<&Balance>,
        event: &Event,
    ) {
        let key = OpenKey::Units(token, holder);
        let name = token_name(state, token, state.tokens.get(token).item);
        if let Some(old) = old {
            let at = (event.position, event.block_time_secs);
            self.end(key, holding(state, name.clone(), holder, old), at);
        }
        if let Some(new) = new {
            self.begin(key, holding(state, name, holder, new));
        }
    }

    /// What someone has of a token is told under the name of its item from now on, and no longer under that of `before`.
    pub fn units_renamed(
        &mut self,
        state: &ChainState,
        (token, holder): (TokenId, HolderId),
        before: Option<ItemId>,
        balance: &Balance,
        event: &Event,
    ) {
        let key = OpenKey::Units(token, holder);
        let old = holding(state, token_name(state, token, before), holder, balance);
        self.end(key, old, (event.position, event.block_time_secs));
        let name = token_name(state, token, state.tokens.get(token).item);
        // He has it since before anyone knew what it is.
        self.begin(key, holding(state, name, holder, balance));
    }

    /// A story went on: its possessor, parent or shipment may have changed. Its declarer is told by
    /// [`declarer_changed`](Self::declarer_changed).
    pub fn story_changed(
        &mut self,
        state: &ChainState,
        (item, branch): (ItemId, u32),
        old: Option<&Story>,
        new: &Story,
        event: &Event,
    ) {
        let old = old.filter(|story| story.state != State::Unknown);
        let turn = Turn { state, item, branch, old, new, at: (event.position, event.judged_at_secs()) };
        self.possessor_changed(&turn);
        self.parent_changed(&turn);
        self.shipment_changed(&turn);
    }

    fn possessor_changed(&mut self, turn: &Turn<'_>) {
        let Turn { state, item, branch, old, new, at } = *turn;
        let (old, new) = (old.and_then(Story::possession), new.possession());
        if old != new {
            let key = OpenKey::Possessor(item, branch);
            self.tenure_changed(state, key, (item, branch, IntervalOf::Possessor), (old, new), at);
        }
    }

    /// The declarer of a story changed at `event`.
    pub fn declarer_changed(
        &mut self,
        state: &ChainState,
        (item, branch): (ItemId, u32),
        old: Option<Tenure>,
        new: Option<Tenure>,
        event: &Event,
    ) {
        if old != new {
            let at = (event.position, event.judged_at_secs());
            let key = OpenKey::Declarer(item, branch);
            self.tenure_changed(state, key, (item, branch, IntervalOf::Declarer), (old, new), at);
        }
    }

    fn tenure_changed(
        &mut self,
        state: &ChainState,
        key: OpenKey,
        (item, branch, of): (ItemId, u32, fn(Address) -> IntervalOf),
        (old, new): (Option<Tenure>, Option<Tenure>),
        at: (LogPosition, i64),
    ) {
        let interval = |tenure: Tenure| Interval {
            item: state.items.key(item).clone(),
            branch,
            of: of(*state.holders.key(tenure.holder)),
            from: tenure.from,
            from_secs: tenure.from_secs,
            to: None,
            units: None,
        };
        if let Some(old) = old {
            self.end(key, interval(old), at);
        }
        if let Some(new) = new {
            self.begin(key, interval(new));
        }
    }

    fn parent_changed(&mut self, turn: &Turn<'_>) {
        let Turn { state, item, branch, old, new, at } = *turn;
        let old_parent = old.and_then(|old| old.parent);
        if branch > 0 || old_parent == new.parent {
            return;
        }
        let interval = |parent, from: LogPosition, from_secs| Interval {
            item: state.items.key(item).clone(),
            branch,
            of: IntervalOf::Parent(state.items.key(parent).clone()),
            from,
            from_secs,
            to: None,
            units: None,
        };
        if let (Some(parent), Some(old)) = (old_parent, old) {
            let packed =
                state.packings.get(&item).map_or((old.last, old.last_secs), |p| (p.packed, p.packed_secs));
            self.end(OpenKey::Parent(item), interval(parent, packed.0, packed.1), at);
        }
        if let Some(parent) = new.parent {
            self.begin(OpenKey::Parent(item), interval(parent, at.0, at.1));
        }
    }

    fn shipment_changed(&mut self, turn: &Turn<'_>) {
        let Turn { state, item, branch, old, new, at } = *turn;
        if let Some(old) = old.filter(|old| old.state.is_moving())
            && !(new.state.is_moving() && new.last == old.last)
            && let Some(shipment) = state.shipments.get(&(item, branch))
        {
            let voided = new.possessor == old.possessor && new.state == State::Active;
            let row = ShipmentRow {
                status: if voided || new.state == State::Unknown { "voided" } else { "received" },
                ended: Some(at),
                ..open_shipment(state, (item, branch), shipment)
            };
            self.sent.remove(&(item, branch));
            self.shipments.push(row);
        }
        if let (true, Some(consignor)) = (new.state.is_moving() && new.last == at.0, new.possessor) {
            let shipment =
                Shipment { consignor, consignee: new.consignee, shipped: at.0, shipped_secs: at.1 };
            self.sent.insert((item, branch), open_shipment(state, (item, branch), &shipment));
        }
    }

    /// A branch turned out to be the story: its own intervals end where it is taken over, its open sending as voided.
    pub fn branch_ends(
        &mut self,
        state: &ChainState,
        (item, branch): (ItemId, u32),
        story: &Story,
        event: &Event,
    ) {
        let gone = Story { possessor: None, consignee: None, parent: None, state: State::Unknown, ..*story };
        self.story_changed(state, (item, branch), Some(story), &gone, event);
    }

    /// The open sending of a branch that turned out to be the story is the item's own.
    pub fn shipment_moves(&mut self, state: &ChainState, item: ItemId, shipment: &Shipment) {
        self.sent.insert((item, 0), open_shipment(state, (item, 0), shipment));
    }
}

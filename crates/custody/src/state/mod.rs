//! The custody state of one chain: everything that rules may ask, and that a reorg takes back.
//!
//! It is a handful of journaled maps ([`crate::journal`]) and nothing else, so that undoing a block and writing a
//! checkpoint are loops over the maps.

mod checkpoint;
pub mod item;
mod packed;

pub use crate::journal::StateRow;
pub use checkpoint::Changed;
pub use item::{
    BRANCHES_MAX, Branch, ContractId, HolderId, Item, ItemId, LotEntry, Packing, PlaceId, Shipment, State,
    Story, Tenure, Token, TokenId,
};
pub use packed::BLOCK_MAX;

use crate::cases::{CaseEntry, Episode, SubjectKey};
use crate::claims::Claim;
use crate::journal::{Map, Slab, Tracked};
use crate::quota::{Tally, TallyKey};
use crate::storm::{CauseKey, Surge};
use crate::timers::{Timer, TimerKey};
use crate::units::Balance;
use model::alert::CaseKey;
use model::chain::{BlockRef, ChainId, LogPosition};
use model::event::Event;
use model::gs1::{Gln, Gtin, Text};
use model::item::ItemKey;
use model::{Address, B256, U256};
use std::collections::VecDeque;

/// The custody state of one chain.
#[derive(Debug)]
pub struct ChainState {
    /// The chain.
    pub chain: ChainId,
    /// Addresses that own, hold or act.
    pub holders: Slab<Address, ()>,
    /// Contracts that logged.
    pub contracts: Slab<Address, ()>,
    /// Places that were named.
    pub places: Slab<Gln, ()>,
    /// Lots that were named.
    pub lots: Slab<(Gtin, Text), LotEntry>,
    /// Items.
    pub items: Slab<ItemKey, Item>,
    /// Tokens by contract and id: 32 bytes, big-endian, without the gap that a number would need before it.
    pub tokens: Slab<(ContractId, B256), Token>,
    /// Tokens of an item beside its first: aliases, lawful or not.
    pub aliases: Map<(ItemId, TokenId), ()>,
    /// Branches of items beside the story with provenance, by item and branch number from 1.
    pub branches: Map<(ItemId, u32), Branch>,
    /// Who declares the steps of an item, by item and branch, where it is not just its possessor.
    pub declarers: Map<(ItemId, u32), Tenure>,
    /// Open sendings by item and branch.
    pub shipments: Map<(ItemId, u32), Shipment>,
    /// Where a story was changed whose last step lies before: a branch of earlier steps took its place.
    pub overtaken: Map<ItemId, LogPosition>,
    /// Open packings by child.
    pub packings: Map<ItemId, Packing>,
    /// Units by token and holder, for ERC-1155.
    pub balances: Map<(TokenId, HolderId), Balance>,
    /// What is due at a time.
    pub timers: Map<TimerKey, Timer>,
    /// The timer that a rule has running for a subject.
    pub pending: Map<(SubjectKey, String), TimerKey>,
    /// Cases.
    pub cases: Map<CaseKey, CaseEntry>,
    /// Cases under the one that they hang under: at most one for each case.
    pub hanging: Map<(CaseKey, CaseKey), ()>,
    /// Cases that a later event may explain, by subject and the event that raised them: at most one for each case.
    pub explainable: Map<(SubjectKey, LogPosition), CaseKey>,
    /// The open episode of each subject: its root.
    pub episodes: Map<SubjectKey, Episode>,
    /// Lives of tokens as serialised items, by item and from 0 in the order of their beginnings.
    pub claims: Slab<(ItemId, u32), Claim>,
    /// Are claims kept? Only where other chains can be compared with them.
    pub keeps_claims: bool,
    /// What actors and contracts did within an hour.
    pub tallies: Map<TallyKey, Tally>,
    /// Roots of the last hour by what they have in common.
    pub surges: Map<CauseKey, Surge>,
    /// When each of them is forgotten, Unix seconds.
    pub surge_ends: Map<(i64, CauseKey), ()>,
    /// Block time of the last event or segment end, Unix seconds: time only moves on within a chain.
    pub now_secs: i64,
    marks: VecDeque<Frame>,
}

/// How many maps the state has.
const MAPS: usize = 23;

/// What is needed to undo one open block.
#[derive(Debug)]
struct Frame {
    block: BlockRef,
    now_secs: i64,
    marks: Vec<u64>,
}

impl ChainState {
    /// The state before the first block.
    pub fn new(chain: ChainId) -> Self {
        Self {
            chain,
            holders: Slab::new(1),
            contracts: Slab::new(2),
            places: Slab::new(15),
            lots: Slab::new(3),
            items: Slab::new(4),
            tokens: Slab::new(5),
            aliases: Map::new(6),
            branches: Map::new(7),
            declarers: Map::new(21),
            shipments: Map::new(8),
            overtaken: Map::new(23),
            packings: Map::new(9),
            balances: Map::new(10),
            timers: Map::new(11),
            pending: Map::new(16),
            cases: Map::new(12),
            episodes: Map::new(13),
            tallies: Map::new(14),
            hanging: Map::new(17),
            explainable: Map::new(18),
            surges: Map::new(19),
            surge_ends: Map::new(20),
            claims: Slab::new(22),
            keeps_claims: false,
            now_secs: 0,
            marks: VecDeque::new(),
        }
    }

    fn maps(&mut self) -> [&mut dyn Tracked; MAPS] {
        [
            &mut self.holders,
            &mut self.contracts,
            &mut self.places,
            &mut self.lots,
            &mut self.items,
            &mut self.tokens,
            &mut self.aliases,
            &mut self.branches,
            &mut self.declarers,
            &mut self.shipments,
            &mut self.overtaken,
            &mut self.packings,
            &mut self.balances,
            &mut self.timers,
            &mut self.pending,
            &mut self.cases,
            &mut self.episodes,
            &mut self.tallies,
            &mut self.hanging,
            &mut self.explainable,
            &mut self.surges,
            &mut self.surge_ends,
            &mut self.claims,
        ]
    }

    /// Begins a block that may be orphaned: from here on everything is recorded.
    pub fn begin_open(&mut self, block: BlockRef) {
        let mut marks = Vec::with_capacity(MAPS);
        for map in self.maps() {
            map.journal().record(true);
            marks.push(map.journal().mark());
        }
        self.marks.push_back(Frame { block, now_secs: self.now_secs, marks });
    }

    /// Begins a run of final blocks: nothing is recorded.
    pub fn begin_final(&mut self) {
        for map in self.maps() {
            map.journal().record(false);
        }
    }

    /// Puts back every open block above `number`. Returns how many.
    pub fn undo_above(&mut self, number: u64) -> usize {
        let mut undone = 0;
        while self.marks.back().is_some_and(|frame| frame.block.number > number) {
            let Some(frame) = self.marks.pop_back() else { break };
            for (map, mark) in self.maps().into_iter().zip(&frame.marks) {
                map.undo(*mark);
            }
            self.now_secs = frame.now_secs;
            undone += 1;
        }
        undone
    }

    /// Gives up undoing blocks up to `number`.
    pub fn forget_up_to(&mut self, number: u64) {
        while self.marks.front().is_some_and(|frame| frame.block.number <= number) {
            self.marks.pop_front();
        }
        let marks = match self.marks.front() {
            Some(frame) => frame.marks.clone(),
            None => self.maps().map(|map| map.journal().mark()).to_vec(),
        };
        for (map, mark) in self.maps().into_iter().zip(marks) {
            map.journal().forget(mark);
        }
    }

    /// The token of that id.
    pub fn find_token(&self, contract: ContractId, id: U256) -> Option<TokenId> {
        self.tokens.find(&(contract, B256::from(id)))
    }

    /// The token of that id, which is entered as seen with `event` if it is new.
    pub fn enter_token(&mut self, contract: ContractId, id: U256, event: &Event) -> TokenId {
        let seen = || Token::seen(event.position, event.block_time_secs);
        self.tokens.enter((contract, B256::from(id)), seen)
    }

    /// The id of `token`.
    pub fn token_id(&self, token: TokenId) -> U256 {
        self.tokens.key(token).1.into()
    }

    /// The story of `item` on `branch`.
    pub fn story(&self, item: ItemId, branch: u32) -> Story {
        match branch {
            0 => self.items.get(item).story,
            _ => self.branches.get(&(item, branch)).map_or(self.items.get(item).story, |branch| branch.story),
        }
    }

    /// Sets the story of `item` on `branch`, which is 0 or open.
    pub fn set_story(&mut self, item: ItemId, branch: u32, story: Story) {
        if branch == 0 {
            self.items.change(item, |entry| entry.story = story);
        } else if let Some(entry) = self.branches.get(&(item, branch)).copied() {
            self.branches.set((item, branch), Some(Branch { story, ..entry }));
        }
    }

    /// The story of `item` was changed at `at`: what it tells may lie before.
    pub fn story_changed_at(&mut self, item: ItemId, at: LogPosition) {
        let is_behind = self.items.get(item).story.last < at;
        if is_behind || self.overtaken.get(&item).is_some() {
            self.overtaken.set(item, is_behind.then_some(at));
        }
    }

    /// The last event that changed the story of `item`: what is told later stands above it.
    pub fn changed_at(&self, item: ItemId) -> LogPosition {
        let last = self.items.get(item).story.last;
        self.overtaken.get(&item).map_or(last, |at| last.max(*at))
    }

    /// Who declares the steps of a story, and since which step without a break.
    pub fn declarer(&self, item: ItemId, branch: u32, story: &Story) -> Option<Tenure> {
        if story.declared_apart { self.declarers.get(&(item, branch)).copied() } else { story.possession() }
    }

    /// Branch numbers of `item` that are open, 0 first.
    pub fn branch_numbers(&self, item: ItemId) -> impl Iterator<Item = u32> {
        let others = (self.items.get(item).branches > 0)
            .then(|| self.branches.range((item, 0)..=(item, u32::MAX)).map(|((_, branch), _)| *branch));
        std::iter::once(0).chain(others.into_iter().flatten())
    }

    /// The outermost item that `story` is inside of.
    pub fn outermost(&self, story: &Story) -> Option<ItemId> {
        let mut around = None;
        let mut parent = story.parent;
        for _ in 0..NESTING_MAX {
            let Some(item) = parent else { break };
            around = Some(item);
            parent = self.items.get(item).story.parent;
        }
        around
    }

    /// The outermost item that `item` is inside of.
    pub fn container_of(&self, item: ItemId) -> Option<ItemId> {
        self.outermost(&self.items.get(item).story)
    }

    /// Who has `item` by the story with provenance: the possessor of what it is inside of, where it is.
    pub fn possessor(&self, item: ItemId) -> Option<HolderId> {
        self.items.get(self.container_of(item).unwrap_or(item)).story.possessor
    }

    /// Every token that stands for `item`, its first one first.
    pub fn tokens_of(&self, item: ItemId) -> impl Iterator<Item = TokenId> {
        let first = self.items.get(item).token;
        let others = self.aliases.range((item, 0)..=(item, u32::MAX)).map(|((_, token), ())| *token);
        // A token may have been given another identity since.
        first.into_iter().chain(others).filter(move |token| self.tokens.get(*token).item == Some(item))
    }

    /// Numbers of the claims of `item`, in the order of their beginnings.
    pub fn claims_of(&self, item: ItemId) -> impl Iterator<Item = u32> {
        (0..).map_while(move |at| self.claims.find(&(item, at)))
    }

    /// The items of `claims`.
    pub fn claimed(&self, claims: &[u32]) -> impl Iterator<Item = &ItemKey> {
        claims.iter().map(|id| self.items.key(self.claims.key(*id).0))
    }

    /// The items that blocks above `number` made claims of.
    pub fn claimed_above(&self, number: u64) -> impl Iterator<Item = &ItemKey> {
        let newest = (0..self.claims.count() as u32).rev();
        let above = newest.take_while(move |id| self.claims.get(*id).begun.block > number);
        above.map(|id| self.items.key(self.claims.key(id).0))
    }

    /// Block time up to which nothing can change any more, Unix seconds.
    pub fn final_secs(&self) -> i64 {
        self.marks.front().map_or(self.now_secs, |frame| frame.now_secs)
    }

    /// Who owns the first token of `item` on the chain, while it stands for it.
    pub fn owner_of(&self, item: ItemId) -> Option<HolderId> {
        let token = self.tokens.get(self.items.get(item).token?);
        token.owner.filter(|_| token.item == Some(item))
    }

    /// A position as the evidence of an alert.
    pub fn evidence(&self, position: LogPosition) -> (ChainId, LogPosition) {
        (self.chain, position)
    }
}

/// How deep items may be inside one another: pack, bundle, case, layer, pallet, container leave room. A deeper or
/// circular claim ends here.
pub const NESTING_MAX: usize = 12;

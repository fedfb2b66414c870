//! The form in which a slab keeps items and tokens: their bytes side by side, without the gaps and tags that the
//! compiler leaves for speed. There are as many as packs; everything else of the state is small beside them.
//!
//! A block's number and a time are kept in five bytes, an index within a log in three: [`BLOCK_MAX`] is checked
//! before a block is taken, the decoder knows no time beyond the year 9999, and an index counts 32-byte words of one answer,
//! which is at most 64 MiB.

use super::item::{Item, State, Story, Token};
use crate::journal::Keep;
use model::chain::LogPosition;
use model::event::Reason;

/// The highest block that a position can name: 34 years of a block a millisecond.
pub const BLOCK_MAX: u64 = NO_BLOCK - 1;

/// The latest time that is kept, Unix seconds: in 17,000 years.
const TIME_MAX_SECS: i64 = (1 << 39) - 1;

/// Five bytes of ones: no block.
const NO_BLOCK: u64 = (1 << 40) - 1;
/// No entry of a slab, which is full before.
const NO_ID: u32 = u32::MAX;
/// No time: nothing happens so long before 1970.
const NO_TIME: i64 = -TIME_MAX_SECS - 1;
/// Codes of states from here on are [`State::Inactive`], for a reason each.
const INACTIVE: u8 = 8;

/// A number of an entry, or none.
#[derive(Debug, Clone, Copy)]
struct Id([u8; 4]);

impl Id {
    #[inline]
    fn of(id: Option<u32>) -> Self {
        Self(id.unwrap_or(NO_ID).to_ne_bytes())
    }

    #[inline]
    fn get(self) -> Option<u32> {
        Some(u32::from_ne_bytes(self.0)).filter(|id| *id != NO_ID)
    }
}

/// Unix seconds.
#[derive(Debug, Clone, Copy)]
struct Secs([u8; 5]);

impl Secs {
    #[inline]
    fn of(secs: i64) -> Self {
        let [a, b, c, d, e, ..] = secs.clamp(NO_TIME, TIME_MAX_SECS).to_le_bytes();
        Self([a, b, c, d, e])
    }

    #[inline]
    fn get(self) -> i64 {
        let [a, b, c, d, e] = self.0;
        // The sign is in the highest of the five.
        i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24
    }
}

/// A block's number, or none.
#[derive(Debug, Clone, Copy)]
struct Block([u8; 5]);

impl Block {
    #[inline]
    fn of(block: Option<u64>) -> Self {
        let [a, b, c, d, e, ..] = block.unwrap_or(NO_BLOCK).min(NO_BLOCK).to_le_bytes();
        Self([a, b, c, d, e])
    }

    #[inline]
    fn get(self) -> Option<u64> {
        let [a, b, c, d, e] = self.0;
        Some(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])).filter(|block| *block != NO_BLOCK)
    }
}

/// A position, or none.
#[derive(Debug, Clone, Copy)]
struct Place {
    block: Block,
    log: [u8; 4],
    sub: [u8; 3],
}

impl Place {
    #[inline]
    fn of(position: Option<LogPosition>) -> Self {
        let LogPosition { log, sub, .. } = position.unwrap_or(LogPosition { block: 0, log: 0, sub: 0 });
        let [a, b, c, _] = sub.to_le_bytes();
        Self { block: Block::of(position.map(|at| at.block)), log: log.to_ne_bytes(), sub: [a, b, c] }
    }

    #[inline]
    fn get(self) -> Option<LogPosition> {
        let [a, b, c] = self.sub;
        let (log, sub) = (u32::from_ne_bytes(self.log), u32::from_le_bytes([a, b, c, 0]));
        self.block.get().map(|block| LogPosition { block, log, sub })
    }

    /// A position that is always there.
    #[inline]
    fn always(self) -> LogPosition {
        self.get().unwrap_or(LogPosition { block: BLOCK_MAX, log: 0, sub: 0 })
    }
}

/// A [`Story`] as it is kept.
#[derive(Debug, Clone, Copy)]
struct PackedStory {
    state: u8,
    possessor: Id,
    consignee: Id,
    parent: Id,
    place: Id,
    held_from: Place,
    held_from_secs: Secs,
    last: Place,
    last_secs: Secs,
    declared_apart: bool,
}

/// An [`Item`] as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct PackedItem {
    story: PackedStory,
    branches: u8,
    lot: Id,
    token: Id,
    maker: Id,
    commissioned_secs: Secs,
    steps: [u8; 4],
    repeats: u8,
}

/// A [`Token`] as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct PackedToken {
    item: Id,
    owner: Id,
    owned_from: Place,
    owned_from_secs: Secs,
    commissioned: Place,
    minted_block: Block,
    burnt_block: Block,
    in_units: bool,
    updated: Place,
}

#[inline]
fn state_code(state: State) -> u8 {
    match state {
        State::Unknown => 0,
        State::Active => 1,
        State::InTransit => 2,
        State::Returning => 3,
        State::Packed => 4,
        State::PartiallyDispensed => 5,
        State::Dispensed => 6,
        State::Destroyed => 7,
        State::Inactive(reason) => INACTIVE + reason as u8,
    }
}

#[inline]
fn state_of(code: u8) -> State {
    match code {
        0 => State::Unknown,
        1 => State::Active,
        2 => State::InTransit,
        3 => State::Returning,
        4 => State::Packed,
        5 => State::PartiallyDispensed,
        6 => State::Dispensed,
        7 => State::Destroyed,
        code => {
            let of_code = |(reason, _): &&(Reason, &str)| INACTIVE + *reason as u8 == code;
            State::Inactive(
                Reason::TABLE.iter().find(of_code).map_or(Reason::Unspecified, |(reason, _)| *reason),
            )
        }
    }
}

impl PackedStory {
    #[inline]
    fn of(story: &Story) -> Self {
        Self {
            state: state_code(story.state),
            possessor: Id::of(story.possessor),
            consignee: Id::of(story.consignee),
            parent: Id::of(story.parent),
            place: Id::of(story.place),
            held_from: Place::of(Some(story.held_from)),
            held_from_secs: Secs::of(story.held_from_secs),
            last: Place::of(Some(story.last)),
            last_secs: Secs::of(story.last_secs),
            declared_apart: story.declared_apart,
        }
    }

    #[inline]
    fn get(self) -> Story {
        Story {
            state: state_of(self.state),
            possessor: self.possessor.get(),
            consignee: self.consignee.get(),
            parent: self.parent.get(),
            place: self.place.get(),
            held_from: self.held_from.always(),
            held_from_secs: self.held_from_secs.get(),
            last: self.last.always(),
            last_secs: self.last_secs.get(),
            declared_apart: self.declared_apart,
        }
    }
}

impl Keep for Item {
    type Form = PackedItem;

    #[inline]
    fn keep(self) -> PackedItem {
        PackedItem {
            story: PackedStory::of(&self.story),
            // There are at most eight.
            branches: u8::try_from(self.branches).unwrap_or(u8::MAX),
            lot: Id::of(self.lot),
            token: Id::of(self.token),
            maker: Id::of(self.maker),
            commissioned_secs: Secs::of(self.commissioned_secs.unwrap_or(NO_TIME)),
            steps: self.steps.to_ne_bytes(),
            repeats: self.repeats,
        }
    }

    #[inline]
    fn kept(form: &PackedItem) -> Self {
        Self {
            story: form.story.get(),
            branches: u32::from(form.branches),
            lot: form.lot.get(),
            token: form.token.get(),
            maker: form.maker.get(),
            commissioned_secs: Some(form.commissioned_secs.get()).filter(|secs| *secs != NO_TIME),
            steps: u32::from_ne_bytes(form.steps),
            repeats: form.repeats,
        }
    }
}

impl Keep for Token {
    type Form = PackedToken;

    #[inline]
    fn keep(self) -> PackedToken {
        PackedToken {
            item: Id::of(self.item),
            owner: Id::of(self.owner),
            owned_from: Place::of(Some(self.owned_from)),
            owned_from_secs: Secs::of(self.owned_from_secs),
            commissioned: Place::of(self.commissioned),
            minted_block: Block::of(self.minted_block),
            burnt_block: Block::of(self.burnt_block),
            in_units: self.in_units,
            updated: Place::of(Some(self.updated)),
        }
    }

    #[inline]
    fn kept(form: &PackedToken) -> Self {
        Self {
            item: form.item.get(),
            owner: form.owner.get(),
            owned_from: form.owned_from.always(),
            owned_from_secs: form.owned_from_secs.get(),
            commissioned: form.commissioned.get(),
            minted_block: form.minted_block.get(),
            burnt_block: form.burnt_block.get(),
            in_units: form.in_units,
            updated: form.updated.always(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::B256;
    use model::item::ItemKey;
    use proptest::prelude::*;

    fn id() -> impl Strategy<Value = Option<u32>> {
        prop::option::of(0..NO_ID)
    }

    fn position() -> impl Strategy<Value = LogPosition> {
        (0..=BLOCK_MAX, any::<u32>(), 0..1_u32 << 24).prop_map(|(block, log, sub)| LogPosition {
            block,
            log,
            sub,
        })
    }

    fn secs() -> impl Strategy<Value = i64> {
        -TIME_MAX_SECS..=TIME_MAX_SECS
    }

    fn state() -> impl Strategy<Value = State> {
        use State::{
            Active, Destroyed, Dispensed, InTransit, Packed, PartiallyDispensed, Returning, Unknown,
        };
        let plain =
            vec![Unknown, Active, InTransit, Returning, Packed, PartiallyDispensed, Dispensed, Destroyed];
        let inactive = Reason::TABLE.iter().map(|(reason, _)| State::Inactive(*reason));
        prop::sample::select(plain.into_iter().chain(inactive).collect::<Vec<_>>())
    }

    fn story() -> impl Strategy<Value = Story> {
        let ids = (id(), id(), id(), id());
        (state(), ids, position(), secs(), position(), secs(), any::<bool>()).prop_map(
            |(
                state,
                (possessor, consignee, parent, place),
                held_from,
                held_from_secs,
                last,
                last_secs,
                apart,
            )| {
                Story {
                    state,
                    possessor,
                    consignee,
                    parent,
                    held_from,
                    held_from_secs,
                    last,
                    last_secs,
                    place,
                    declared_apart: apart,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn an_item_comes_back_as_it_was_kept(
            story in story(),
            branches in 0..=crate::state::BRANCHES_MAX,
            (lot, token, maker) in (id(), id(), id()),
            commissioned_secs in prop::option::of(secs()),
            steps in any::<u32>(),
            repeats in any::<u8>(),
        ) {
            let item = Item { story, branches, lot, token, maker, commissioned_secs, steps, repeats };
            prop_assert_eq!(Item::kept(&item.keep()), item);
        }

        #[test]
        fn a_token_comes_back_as_it_was_kept(
            (item, owner) in (id(), id()),
            (owned_from, updated) in (position(), position()),
            owned_from_secs in secs(),
            commissioned in prop::option::of(position()),
            (minted_block, burnt_block) in (prop::option::of(0..=BLOCK_MAX), prop::option::of(0..=BLOCK_MAX)),
            in_units in any::<bool>(),
        ) {
            let token = Token {
                item, owner, owned_from, owned_from_secs, commissioned, minted_block, burnt_block, in_units, updated,
            };
            prop_assert_eq!(Token::kept(&token.keep()), token);
        }
    }

    #[test]
    fn a_pack_with_its_token_takes_220_bytes() {
        let (item, token) = (size_of::<(ItemKey, PackedItem)>(), size_of::<((u32, B256), PackedToken)>());
        // And twice five bytes of an index.
        assert!(item + token <= 208, "{item} and {token} bytes");
    }
}

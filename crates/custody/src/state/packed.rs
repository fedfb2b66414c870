//! The form in which a slab keeps items and tokens: their bytes side by side, without the gaps and tags that the
//! compiler leaves for speed. There are as many as packs; everything else of the state is small beside them.
//!
//! A block's number is kept in five bytes and an index within a log in three: [`BLOCK_MAX`] is checked before a block is
//! taken, and an index counts 32-byte words of one answer, which is at most 64 MiB.

use super::item::{Item, State, Story, Token};
use crate::journal::Keep;
use model::chain::LogPosition;
use model::event::Reason;

/// The highest block that a position can name: 34 years of a block a millisecond.
pub const BLOCK_MAX: u64 = NO_BLOCK - 1;

/// Five bytes of ones: no block.
const NO_BLOCK: u64 = (1 << 40) - 1;
/// No entry of a slab, which is full before.
const NO_ID: u32 = u32::MAX;
/// No time: nothing declares a time so long before 1970.
const NO_TIME: i64 = i64::MIN;
/// Codes of states from here on are [`State::Inactive`], for a reason each.
const INACTIVE: u8 = 8;

/// An [`Item`] as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct PackedItem([u8; ITEM_BYTES]);

/// A [`Token`] as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct PackedToken([u8; TOKEN_BYTES]);

const POSITION_BYTES: usize = 12;
const STORY_BYTES: usize = 1 + 4 * 4 + 2 * (POSITION_BYTES + 8) + 1;
const ITEM_BYTES: usize = STORY_BYTES + 1 + 3 * 4 + 8 + 4 + 1;
const TOKEN_BYTES: usize = 2 * 4 + POSITION_BYTES + 8 + POSITION_BYTES + 2 * 5 + 1 + POSITION_BYTES;

/// Bytes that are written or read from the beginning on.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Bytes<N> {
    #[inline]
    fn put<const M: usize>(&mut self, part: [u8; M]) {
        self.bytes[self.at..self.at + M].copy_from_slice(&part);
        self.at += M;
    }

    #[inline]
    fn take<const M: usize>(&mut self) -> [u8; M] {
        let mut part = [0; M];
        part.copy_from_slice(&self.bytes[self.at..self.at + M]);
        self.at += M;
        part
    }

    #[inline]
    fn put_id(&mut self, id: Option<u32>) {
        self.put(id.unwrap_or(NO_ID).to_be_bytes());
    }

    #[inline]
    fn take_id(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take())).filter(|id| *id != NO_ID)
    }

    #[inline]
    fn put_block(&mut self, block: Option<u64>) {
        let [_, _, _, bytes @ ..] = block.unwrap_or(NO_BLOCK).min(NO_BLOCK).to_be_bytes();
        self.put::<5>(bytes);
    }

    #[inline]
    fn take_block(&mut self) -> Option<u64> {
        let [a, b, c, d, e] = self.take();
        Some(u64::from_be_bytes([0, 0, 0, a, b, c, d, e])).filter(|block| *block != NO_BLOCK)
    }

    #[inline]
    fn put_position(&mut self, position: Option<LogPosition>) {
        self.put_block(position.map(|position| position.block));
        let LogPosition { log, sub, .. } = position.unwrap_or(LogPosition { block: 0, log: 0, sub: 0 });
        self.put(log.to_be_bytes());
        let [_, sub @ ..] = sub.to_be_bytes();
        self.put::<3>(sub);
    }

    #[inline]
    fn take_position(&mut self) -> Option<LogPosition> {
        let (block, log) = (self.take_block(), u32::from_be_bytes(self.take()));
        let [a, b, c] = self.take();
        block.map(|block| LogPosition { block, log, sub: u32::from_be_bytes([0, a, b, c]) })
    }

    /// A position that is always there.
    #[inline]
    fn position(&mut self) -> LogPosition {
        self.take_position().unwrap_or(LogPosition { block: BLOCK_MAX, log: 0, sub: 0 })
    }

    #[inline]
    fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    #[inline]
    fn secs(&mut self) -> i64 {
        i64::from_be_bytes(self.take())
    }
}

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

fn put_story<const N: usize>(out: &mut Bytes<N>, story: &Story) {
    out.put([state_code(story.state)]);
    for id in [story.possessor, story.consignee, story.parent, story.place] {
        out.put_id(id);
    }
    out.put_position(Some(story.held_from));
    out.put(story.held_from_secs.to_be_bytes());
    out.put_position(Some(story.last));
    out.put(story.last_secs.to_be_bytes());
    out.put([u8::from(story.declared_apart)]);
}

fn take_story<const N: usize>(bytes: &mut Bytes<N>) -> Story {
    // Fields are read in the order in which they were written.
    Story {
        state: state_of(bytes.byte()),
        possessor: bytes.take_id(),
        consignee: bytes.take_id(),
        parent: bytes.take_id(),
        place: bytes.take_id(),
        held_from: bytes.position(),
        held_from_secs: bytes.secs(),
        last: bytes.position(),
        last_secs: bytes.secs(),
        declared_apart: bytes.byte() != 0,
    }
}

impl Keep for Item {
    type Form = PackedItem;

    fn keep(self) -> PackedItem {
        let mut out = Bytes { bytes: [0; ITEM_BYTES], at: 0 };
        put_story(&mut out, &self.story);
        // There are at most eight.
        out.put([u8::try_from(self.branches).unwrap_or(u8::MAX)]);
        for id in [self.lot, self.token, self.maker] {
            out.put_id(id);
        }
        out.put(self.commissioned_secs.unwrap_or(NO_TIME).to_be_bytes());
        out.put(self.steps.to_be_bytes());
        out.put([self.repeats]);
        PackedItem(out.bytes)
    }

    fn kept(form: PackedItem) -> Self {
        let mut bytes = Bytes { bytes: form.0, at: 0 };
        Self {
            story: take_story(&mut bytes),
            branches: u32::from(bytes.byte()),
            lot: bytes.take_id(),
            token: bytes.take_id(),
            maker: bytes.take_id(),
            commissioned_secs: Some(bytes.secs()).filter(|secs| *secs != NO_TIME),
            steps: u32::from_be_bytes(bytes.take()),
            repeats: bytes.byte(),
        }
    }
}

impl Keep for Token {
    type Form = PackedToken;

    fn keep(self) -> PackedToken {
        let mut out = Bytes { bytes: [0; TOKEN_BYTES], at: 0 };
        out.put_id(self.item);
        out.put_id(self.owner);
        out.put_position(Some(self.owned_from));
        out.put(self.owned_from_secs.to_be_bytes());
        out.put_position(self.commissioned);
        out.put_block(self.minted_block);
        out.put_block(self.burnt_block);
        out.put([u8::from(self.in_units)]);
        out.put_position(Some(self.updated));
        PackedToken(out.bytes)
    }

    fn kept(form: PackedToken) -> Self {
        let mut bytes = Bytes { bytes: form.0, at: 0 };
        Self {
            item: bytes.take_id(),
            owner: bytes.take_id(),
            owned_from: bytes.position(),
            owned_from_secs: bytes.secs(),
            commissioned: bytes.take_position(),
            minted_block: bytes.take_block(),
            burnt_block: bytes.take_block(),
            in_units: bytes.byte() != 0,
            updated: bytes.position(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::U256;
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
        (state(), ids, position(), any::<i64>(), position(), any::<i64>(), any::<bool>()).prop_map(
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
            commissioned_secs in prop::option::of(NO_TIME + 1..=i64::MAX),
            steps in any::<u32>(),
            repeats in any::<u8>(),
        ) {
            let item = Item { story, branches, lot, token, maker, commissioned_secs, steps, repeats };
            prop_assert_eq!(Item::kept(item.keep()), item);
        }

        #[test]
        fn a_token_comes_back_as_it_was_kept(
            (item, owner) in (id(), id()),
            (owned_from, updated) in (position(), position()),
            owned_from_secs in any::<i64>(),
            commissioned in prop::option::of(position()),
            (minted_block, burnt_block) in (prop::option::of(0..=BLOCK_MAX), prop::option::of(0..=BLOCK_MAX)),
            in_units in any::<bool>(),
        ) {
            let token = Token {
                item, owner, owned_from, owned_from_secs, commissioned, minted_block, burnt_block, in_units, updated,
            };
            prop_assert_eq!(Token::kept(token.keep()), token);
        }
    }

    #[test]
    fn a_pack_with_its_token_takes_240_bytes() {
        let (item, token) = (size_of::<(ItemKey, PackedItem)>(), size_of::<((u32, U256), PackedToken)>());
        // And twice five bytes of an index.
        assert!(item + token <= 232, "{item} and {token} bytes");
    }
}

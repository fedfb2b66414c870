//! The ledger against a plain map: whatever a contract logs, and whatever is taken back of it.

use super::{Moved, balances, impossible, take};
use crate::numbers::Numbers;
use crate::rows::Rows;
use crate::state::ChainState;
use model::chain::{BlockRef, ChainId, LogPosition};
use model::event::{Event, EventKind};
use model::{Address, B256, U256};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// From, to (0 is nobody), token, units.
type Move = (u8, u8, u8, u64);

fn someone(number: u8) -> Option<Address> {
    (number > 0).then(|| Address::repeat_byte(number))
}

fn event(block: u64, token: u8) -> Event {
    let (contract, position) = (Address::repeat_byte(0xcc), LogPosition { block, log: 0, sub: 0 });
    let bare = Event::bare(EventKind::TransferQuantity, contract, position);
    Event { token: Some(U256::from(token)), ..bare }
}

fn play(state: &mut ChainState, block: u64, (from, to, token, units): Move) {
    let moved =
        Moved { from: someone(from), to: someone(to), units: U256::from(units), complete_history: true };
    for address in [moved.from, moved.to].into_iter().flatten() {
        state.holders.enter(address, || ());
    }
    taken(state, &event(block, token), &moved);
}

fn taken(state: &mut ChainState, event: &Event, moved: &Moved) {
    let numbers = Numbers::enter(state, event);
    take(state, event, (moved, numbers), &mut Rows::default());
}

/// The ledger by token and address.
fn ledger(state: &ChainState) -> BTreeMap<(U256, Address), U256> {
    let of = |token| balances(state, token).map(move |(holder, balance)| (token, holder, balance.units));
    let all = state.tokens.iter().flat_map(|(token, ..)| of(token));
    all.map(|(token, holder, units)| ((state.token_id(token), *state.holders.key(holder)), units)).collect()
}

fn expected(moves: &[Move]) -> BTreeMap<(U256, Address), U256> {
    let mut expected = BTreeMap::new();
    for (from, to, token, units) in moves.iter().filter(|(from, to, ..)| from != to) {
        let (token, units) = (U256::from(*token), U256::from(*units));
        if let Some(from) = someone(*from) {
            let has: &mut U256 = expected.entry((token, from)).or_default();
            *has = has.saturating_sub(units);
        }
        if let Some(to) = someone(*to) {
            *expected.entry((token, to)).or_default() += units;
        }
    }
    expected.retain(|_, units| !units.is_zero());
    expected
}

/// Every entry of the state as bytes: what a reorg must restore.
fn bytes(state: &mut ChainState) -> Vec<(u32, Vec<u8>, Option<Vec<u8>>)> {
    let (_, rows) = state.take_changed().unwrap();
    rows.into_iter().map(|row| (row.kind, row.key, row.value)).collect()
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec((0..4u8, 0..4u8, 0..3u8, prop_oneof![0..50u64, any::<u64>()]), 0..40)
}

proptest! {
    #[test]
    fn the_ledger_follows_every_log_and_every_undo(before in moves(), after in moves()) {
        let mut state = ChainState::new(ChainId(1));
        for (block, one) in (1..).zip(&before) {
            play(&mut state, block, *one);
        }
        prop_assert_eq!(ledger(&state), expected(&before));
        let old = bytes(&mut state);
        for (block, one) in (100..).zip(&after) {
            state.begin_open(BlockRef { number: block, hash: B256::ZERO });
            play(&mut state, block, *one);
        }
        let both: Vec<Move> = before.iter().chain(&after).copied().collect();
        prop_assert_eq!(ledger(&state), expected(&both));
        state.undo_above(99);
        prop_assert_eq!(ledger(&state), expected(&before));
        // Whatever was touched is as it was, or gone.
        for (kind, key, value) in bytes(&mut state) {
            let was = old.iter().find(|(of, name, _)| (*of, name) == (kind, &key));
            prop_assert_eq!(value, was.and_then(|(_, _, value)| value.clone()));
        }
    }
}

#[test]
fn what_a_standard_contract_cannot_do_is_told_in_words_and_bounded() {
    let mut state = ChainState::new(ChainId(1));
    play(&mut state, 1, (0, 1, 7, 10));
    let moved =
        |from, to, units| Moved { from: someone(from), to: someone(to), units, complete_history: true };
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let told = |moved: Moved| impossible(&state, Some(0), &moved);
    assert_eq!(told(moved(1, 2, U256::from(10))), None);
    assert_eq!(told(moved(1, 0, U256::from(11))), Some(format!("11 units leave {one}, who has 10")));
    assert_eq!(told(moved(2, 1, U256::from(1))), Some(format!("1 units leave {two}, who has 0")));
    let most = U256::MAX;
    let words = format!("{most} units reach {one}, who has 10: more than 2^256 - 1");
    assert_eq!(told(moved(0, 1, most)), Some(words));
    taken(&mut state, &event(2, 7), &moved(0, 1, most));
    taken(&mut state, &event(3, 7), &moved(2, 0, U256::from(5)));
    assert_eq!(ledger(&state), BTreeMap::from([((U256::from(7), one), most)]));
}

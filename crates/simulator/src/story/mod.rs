//! Stories: what happens to some goods over time, written step by step, each step a transaction with its logs.
//!
//! A story knows only its own clock. The timeline puts all stories on one clock.

pub(crate) mod custody;
pub(crate) mod delivery;
pub(crate) mod goods;
pub(crate) mod issuing;
pub(crate) mod script;

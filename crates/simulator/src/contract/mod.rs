//! What the contracts log: the events of each, encoded as their ABI says.

pub(crate) mod abi;
pub(crate) mod gs1_pack;
pub(crate) mod tokens;

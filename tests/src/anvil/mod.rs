//! The product against a real node: contracts of OpenZeppelin's make on anvil, read over JSON-RPC.

mod blocks;
mod story;
mod supply_chain;

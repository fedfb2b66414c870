//! The product against a real node: contracts of OpenZeppelin's make on anvil, read over JSON-RPC.

mod batches;
mod blocks;
mod layouts;
mod nesting;
mod raw;
mod story;
mod supply_chain;

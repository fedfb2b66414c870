//! JSON-RPC with one endpoint: how it is reached, and how what it answers is read.
//!
//! ```text
//! methods ──▶ client (ids, batches, gate) ──▶ transport: http | websocket ──▶ endpoint
//!    ▲                                              │
//!    └── logs, headers, receipts ◀── envelope ◀─────┘   errors: wording ──▶ RpcError
//! ```
//!
//! Everything that comes back is hostile until read: sizes are bounded, hex is strict, JSON is read into the types
//! that are meant (nesting that no type asks for is passed over without recursion), and errors are a closed list.

pub(crate) mod client;
pub mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub(crate) mod gate;
pub(crate) mod hex;
pub(crate) mod http;
pub mod logs;
pub(crate) mod methods;
pub(crate) mod transport;
pub(crate) mod websocket;
pub(crate) mod wording;

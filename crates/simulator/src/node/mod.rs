//! The node: answers JSON-RPC over HTTP and WebSocket from a chain's prepared bytes, mines, and does wrong on request.
//!
//! ```text
//! connection ─▶ http ─▶ rpc ─▶ methods | logs | control ─▶ ledger
//!            └▶ socket ┘                   (all lies pass through `lies`)
//! ```

pub(crate) mod connection;
pub(crate) mod control;
pub(crate) mod filter;
pub(crate) mod http;
pub(crate) mod lies;
pub(crate) mod limits;
pub(crate) mod logs;
pub(crate) mod methods;
pub(crate) mod rpc;
pub(crate) mod serve;
pub(crate) mod socket;
pub(crate) mod state;

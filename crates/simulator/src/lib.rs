//! A seeded pharmaceutical supply chain, served as a real JSON-RPC node with everything real nodes do wrong.
//!
//! It is what `demo` runs on, what end-to-end tests run against, and what benchmarks read from. It plants frauds and says
//! where; it never looks at how they are found (it may not import the core), so that finding them means something.
//!
//! ```text
//! Config ─▶ world ─▶ behaviours ─▶ stories ─▶ timeline ─▶ chain ─▶ node ◀─ HTTP, WebSocket
//!             │        frauds, noise,  scripts    one clock   blocks   └─ faults, reorgs, lies
//!             ▼        supply             │
//!         registry files                  └─▶ labels
//! ```
//!
//! In the order in which a world comes about:
//!
//! - [`config`]: what is asked for. Equal configurations make equal bytes.
//! - `world`: countries, parties with keys and licences, products, contracts. GS1 keys come from `issue`, signing keys
//!   from `keys`.
//! - `contract`: what contracts log, ABI-encoded; `gs1_pack` is the profile that most goods are on.
//! - `story`: a script is one story's clock, dice and transactions; its steps are the verbs of the
//!   trade (commission, pack, ship, receive, dispense, …) and its goods are what they happen to.
//! - `behaviour`: tables of what can happen. `supply` is most of the world; `noise` is lawful and looks odd; `fraud`
//!   breaks one rule each on goods of its own and plants a [`Label`] from its intent.
//! - `timeline`: draws when each story happens and merges them on one clock.
//! - `chain`: signs, gathers into blocks, seals (hash, roots, bloom), renders as JSON once, keeps the ledger, reorgs.
//! - `node`: answers from the rendered bytes over HTTP and WebSocket, mines live, and does wrong as [`faults`] say.
//! - `simulator` ties them together; `registry_files` and [`label`] write what goes with a world.
//!
//! To add a fraud: write a function in `behaviour/fraud` that makes honest goods, does one thing that is not, and calls
//! `plant`; add it to the table there. `tests/honesty.rs` then holds it to its word: a second, plain reading of the rules
//! has to object to exactly the labelled step and to nothing else.
//!
//! ```no_run
//! # async fn example() -> simulator::Result<()> {
//! let world = simulator::Simulator::generate(simulator::Config::new(7))?;
//! world.write_registry(std::path::Path::new("registry"))?;
//! simulator::label::write(world.labels(), std::path::Path::new("labels.jsonl"))?;
//! let running = world.serve(&[([127, 0, 0, 1], 8545).into()], Default::default()).await?;
//! println!("{} until {}", running.endpoints[0].http_url(), running.is_exhausted());
//! # Ok(()) }
//! ```

mod behaviour;
mod chain;
pub mod config;
mod contract;
pub mod error;
pub mod faults;
mod issue;
mod keys;
pub mod label;
mod node;
mod registry_files;
mod simulator;
mod story;
mod timeline;
mod world;

pub use config::{Config, History};
pub use error::{Error, Result};
pub use faults::Faults;
pub use label::Label;
pub use node::serve::{Endpoint, Running};
pub use simulator::Simulator;
pub use world::contracts::Contract;

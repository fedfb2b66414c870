//! Tests of the decoder as a whole. Logs are made by an independent ABI library (alloy-dyn-abi) from the
//! signatures.
//!
//! `kit` makes logs and segments; `layouts`, `batches`, `malformed`, `identities`, `families` tell stories;
//! `oracle` checks every event of every profile that ships; `profiles` are the errors of a configuration;
//! `hostile` throws at it what nobody would write.

mod batches;
mod families;
mod hostile;
mod identities;
mod kit;
mod layouts;
mod malformed;
mod oracle;
mod preimages;
mod profiles;
mod watching;

//! Behaviours: each an honest, noisy or fraudulent process over time, independent of all others.
//!
//! A behaviour is a function that writes a [`Script`]. The tables here say which there are; the plan of the world
//! draws when and how often each happens.

pub(crate) mod fraud;
pub(crate) mod noise;
pub(crate) mod supply;

use crate::error::Result;
use crate::story::script::Script;

/// Writes one story.
pub(crate) type Tell = fn(&mut Script<'_>) -> Result<()>;

/// One behaviour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Behaviour {
    /// What happens, in words.
    pub(crate) name: &'static str,
    /// Writes it.
    pub(crate) tell: Tell,
    /// Does it need a second chain?
    pub(crate) two_chains: bool,
}

/// A behaviour on one chain.
pub(crate) const fn one_chain(name: &'static str, tell: Tell) -> Behaviour {
    Behaviour { name, tell, two_chains: false }
}

/// A behaviour across two chains.
pub(crate) const fn two_chains(name: &'static str, tell: Tell) -> Behaviour {
    Behaviour { name, tell, two_chains: true }
}

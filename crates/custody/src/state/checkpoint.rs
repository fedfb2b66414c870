//! Checkpoints: changed entries as rows of the `state` table, and back.
//!
//! After each segment the entries that changed are rows, keyed by (map, key); the newest row of a key counts. A
//! restart reads the newest rows in the order of their keys.

use super::{ChainState, MAPS};
use crate::journal::RestoreError;

/// One changed entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Which map.
    pub kind: u32,
    /// The entry's key.
    pub key: Vec<u8>,
    /// The entry; `None` when it was removed.
    pub value: Option<Vec<u8>>,
}

/// Entries of one map that changed since the last checkpoint.
macro_rules! changed {
    ($rows:ident, $map:expr, slab) => {{
        let kind = crate::journal::Tracked::kind(&$map);
        for id in $map.take_dirty() {
            let (key, value) = $map.bytes(id)?;
            $rows.push(StateRow { kind, key, value });
        }
    }};
    ($rows:ident, $map:expr, map) => {{
        let kind = crate::journal::Tracked::kind(&$map);
        for entry in $map.take_dirty() {
            let (key, value) = $map.bytes(&entry)?;
            $rows.push(StateRow { kind, key, value });
        }
    }};
}

/// What changed since the last checkpoint, as the rows of people's tables need it.
#[derive(Debug, Default)]
pub struct Changed {
    /// Items.
    pub items: Vec<u32>,
    /// Tokens.
    pub tokens: Vec<u32>,
    /// Cases.
    pub cases: Vec<model::alert::CaseKey>,
    /// Claims.
    pub claims: Vec<u32>,
}

impl ChainState {
    /// Takes what changed since the last call: numbers for the tables, rows for the checkpoint.
    ///
    /// # Errors
    /// When an entry cannot be written as bytes, which no entry of ours ever is.
    pub fn take_changed(&mut self) -> Result<(Changed, Vec<StateRow>), RestoreError> {
        let mut rows = Vec::new();
        changed!(rows, self.holders, slab);
        changed!(rows, self.contracts, slab);
        changed!(rows, self.places, slab);
        changed!(rows, self.lots, slab);
        let items = self.items.take_dirty();
        for id in &items {
            let (key, value) = self.items.bytes(*id)?;
            rows.push(StateRow { kind: crate::journal::Tracked::kind(&self.items), key, value });
        }
        let tokens = self.tokens.take_dirty();
        for id in &tokens {
            let (key, value) = self.tokens.bytes(*id)?;
            rows.push(StateRow { kind: crate::journal::Tracked::kind(&self.tokens), key, value });
        }
        changed!(rows, self.aliases, map);
        changed!(rows, self.branches, map);
        changed!(rows, self.shipments, map);
        changed!(rows, self.packings, map);
        changed!(rows, self.balances, map);
        changed!(rows, self.timers, map);
        changed!(rows, self.pending, map);
        let cases = self.cases.take_dirty();
        for key in &cases {
            let (bytes, value) = self.cases.bytes(key)?;
            rows.push(StateRow { kind: crate::journal::Tracked::kind(&self.cases), key: bytes, value });
        }
        changed!(rows, self.episodes, map);
        changed!(rows, self.tallies, map);
        let claims = self.claims.take_dirty();
        for id in &claims {
            let (key, value) = self.claims.bytes(*id)?;
            rows.push(StateRow { kind: crate::journal::Tracked::kind(&self.claims), key, value });
        }
        Ok((Changed { items, tokens, cases, claims }, rows))
    }

    /// Puts an entry of a checkpoint back. Entries come in the order of (kind, key).
    ///
    /// # Errors
    /// [`RestoreError`] when the bytes are not an entry of that map.
    pub fn restore_entry(&mut self, kind: u32, key: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        let unknown =
            || RestoreError { kind, detail: format!("there are {MAPS} maps and none of this kind") };
        let map = self.maps().into_iter().find(|map| map.kind() == kind);
        map.ok_or_else(unknown)?.restore_entry(key, value)
    }
}

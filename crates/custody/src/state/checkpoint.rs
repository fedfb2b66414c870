//! Checkpoints: changed entries as rows of the `state` table, and back.
//!
//! After each segment the entries that changed are rows, keyed by (map, key); the newest row of a key counts. A
//! restart reads the newest rows in the order of their keys.

use super::{ChainState, MAPS};
use crate::journal::{RestoreError, StateRow, Tracked};

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
        let changed = Changed {
            items: self.items.changed().to_vec(),
            tokens: self.tokens.changed().to_vec(),
            cases: self.cases.changed().to_vec(),
            claims: self.claims.changed().to_vec(),
        };
        let mut rows = Vec::new();
        for map in self.maps() {
            map.take_rows(&mut rows)?;
        }
        Ok((changed, rows))
    }

    /// Puts entries of a checkpoint back: key and value of each. They are of one map, and come in the order of
    /// (kind, key). Nothing is found by its key before [`restored`](Self::restored).
    ///
    /// # Errors
    /// [`RestoreError`] when the bytes are not entries of that map.
    pub fn restore_entries<'a>(
        &mut self,
        kind: u32,
        mut entries: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), RestoreError> {
        let unknown =
            || RestoreError { kind, detail: format!("there are {MAPS} maps and none of this kind") };
        let map = self.maps().into_iter().find_map(|map| (map.journal().kind() == kind).then_some(map));
        let map = map.ok_or_else(unknown)?;
        entries.try_for_each(|(key, value)| map.restore(key, value))
    }

    /// Ends what [`restore_entries`](Self::restore_entries) began.
    pub fn restored(&mut self) {
        self.maps().into_iter().for_each(Tracked::restored);
    }
}

//! Maps that remember: every entry changed above finality can be put back, and every entry changed since the
//! last commit can be named. All custody state lives in these two, so that undo is complete by construction.
//!
//! - [`Slab`]: entries that are never removed, numbered in the order in which they came. A number is four bytes
//!   wherever another entry points to it.
//! - [`Map`]: entries that come and go.
//!
//! A *mark* is a place in the journal. `undo(mark)` puts back everything since; `forget(mark)` gives up the
//! possibility for everything before it.

mod chunks;

use chunks::Chunks;
use hashbrown::{DefaultHashBuilder, HashTable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hash};

/// What can be written to the `state` table and read back.
pub trait Entry: Serialize + DeserializeOwned + Clone {}

impl<T: Serialize + DeserializeOwned + Clone> Entry for T {}

/// How a [`Slab`] keeps a value: as it is, or in a form that takes less room.
pub trait Keep: Copy {
    /// The form.
    type Form: Copy + std::fmt::Debug;
    /// The value in its form.
    fn keep(self) -> Self::Form;
    /// The value that was kept.
    fn kept(form: &Self::Form) -> Self;
}

/// Values that are kept as they are.
macro_rules! keep_as_is {
    ($($value:ty),+) => {
        $(impl $crate::journal::Keep for $value {
            type Form = Self;

            #[inline]
            fn keep(self) -> Self {
                self
            }

            #[inline]
            fn kept(form: &Self) -> Self {
                *form
            }
        })+
    };
}
pub(crate) use keep_as_is;

keep_as_is!(());

/// One changed entry, as the `state` table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// Which map.
    pub kind: u32,
    /// The entry's key.
    pub key: Vec<u8>,
    /// The entry; `None` when it was removed.
    pub value: Option<Vec<u8>>,
}

/// Bytes of the state that are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state entry of kind {kind} cannot be read: {detail}")]
pub struct RestoreError {
    /// Which map.
    pub kind: u32,
    /// What does not fit.
    pub detail: String,
}

/// An append-only list of undo records that can be cut at both ends.
#[derive(Debug)]
struct Journal<T> {
    kind: u32,
    recording: bool,
    records: VecDeque<T>,
    /// How many records were forgotten: marks count from the beginning of time.
    forgotten: u64,
}

impl<T> Journal<T> {
    fn new(kind: u32) -> Self {
        Self { kind, recording: false, records: VecDeque::new(), forgotten: 0 }
    }

    fn push(&mut self, record: impl FnOnce() -> T) {
        if self.recording {
            self.records.push_back(record());
        }
    }

    fn pop_since(&mut self, mark: u64) -> Option<T> {
        if self.mark() > mark { self.records.pop_back() } else { None }
    }
}

/// What undo asks of a journal, whatever it records.
pub trait Marks {
    /// The number that names its map in the `state` table.
    fn kind(&self) -> u32;
    /// Records from now on what is needed to undo, or no longer.
    fn record(&mut self, recording: bool);
    /// The present place.
    fn mark(&self) -> u64;
    /// Gives up undoing what came before `mark`.
    fn forget(&mut self, mark: u64);
}

impl<T> Marks for Journal<T> {
    fn kind(&self) -> u32 {
        self.kind
    }

    fn record(&mut self, recording: bool) {
        self.recording = recording;
    }

    fn mark(&self) -> u64 {
        self.forgotten + self.records.len() as u64
    }

    fn forget(&mut self, mark: u64) {
        while self.forgotten < mark && self.records.pop_front().is_some() {
            self.forgotten += 1;
        }
    }
}

#[derive(Debug)]
enum SlabUndo<F> {
    Inserted,
    Changed(u32, F),
}

/// Entries numbered in the order in which they came; never removed, except by undo.
#[derive(Debug)]
pub struct Slab<K, V: Keep> {
    entries: Chunks<(K, V::Form)>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    journal: Journal<SlabUndo<V::Form>>,
    dirty: Vec<u32>,
}

impl<K: Entry + Eq + Hash, V: Entry + Keep> Slab<K, V> {
    /// An empty slab, persisted as `kind`.
    pub fn new(kind: u32) -> Self {
        Self {
            entries: Chunks::default(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            journal: Journal::new(kind),
            dirty: Vec::new(),
        }
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The number of `key`.
    pub fn find(&self, key: &K) -> Option<u32> {
        let entries = &self.entries;
        self.index.find(self.hasher.hash_one(key), |id| entries.get(*id).0 == *key).copied()
    }

    /// The key numbered `id`. Numbers come from this slab, so they are never past its end.
    pub fn key(&self, id: u32) -> &K {
        &self.entries.get(id).0
    }

    /// The value numbered `id`.
    #[inline]
    pub fn get(&self, id: u32) -> V {
        V::kept(&self.entries.get(id).1)
    }

    /// The number of `key`, which is entered with `value` if it is new.
    pub fn enter(&mut self, key: K, value: impl FnOnce() -> V) -> u32 {
        match self.find(&key) {
            Some(id) => id,
            None => self.insert(key, value()),
        }
    }

    fn insert(&mut self, key: K, value: V) -> u32 {
        // A slab holds what one chain has: 4 billion items are past the memory of one machine long before.
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let hash = self.hasher.hash_one(&key);
        self.entries.push((key, value.keep()));
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, id, |id| hasher.hash_one(&entries.get(*id).0));
        self.journal.push(|| SlabUndo::Inserted);
        self.dirty.push(id);
        id
    }

    /// Changes the value numbered `id`.
    pub fn change(&mut self, id: u32, change: impl FnOnce(&mut V)) {
        let form = &mut self.entries.get_mut(id).1;
        self.journal.push(|| SlabUndo::Changed(id, *form));
        let mut value = V::kept(form);
        change(&mut value);
        *form = value.keep();
        self.dirty.push(id);
    }

    /// Numbers of the entries changed since their rows were taken, ascending, each once.
    pub fn changed(&mut self) -> &[u32] {
        once_each(&mut self.dirty);
        &self.dirty
    }

    /// Every entry in the order of numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &K, V)> {
        self.entries.iter().enumerate().map(|(id, (key, form))| (id as u32, key, V::kept(form)))
    }

    fn pop(&mut self) {
        let Some((key, _)) = self.entries.pop() else { return };
        let id = self.entries.len() as u32;
        if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(&key), |other| *other == id) {
            entry.remove();
        }
    }
}

/// Entries that come and go, in the order of their keys.
#[derive(Debug)]
pub struct Map<K, V> {
    entries: BTreeMap<K, V>,
    journal: Journal<(K, Option<V>)>,
    dirty: Vec<K>,
}

impl<K: Entry + Ord, V: Entry> Map<K, V> {
    /// An empty map, persisted as `kind`.
    pub fn new(kind: u32) -> Self {
        Self { entries: BTreeMap::new(), journal: Journal::new(kind), dirty: Vec::new() }
    }

    /// The entry of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Sets or removes the entry of `key`.
    pub fn set(&mut self, key: K, value: Option<V>) {
        let old = match value {
            Some(value) => self.entries.insert(key.clone(), value),
            None => self.entries.remove(&key),
        };
        self.journal.push(|| (key.clone(), old));
        self.dirty.push(key);
    }

    /// The first entry.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.entries.first_key_value()
    }

    /// Entries within `range`.
    pub fn range(&self, range: impl std::ops::RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.entries.range(range)
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    /// Keys of the entries changed since their rows were taken, ascending, each once.
    pub fn changed(&mut self) -> &[K] {
        once_each(&mut self.dirty);
        &self.dirty
    }
}

fn once_each<T: Ord>(dirty: &mut Vec<T>) {
    dirty.sort_unstable();
    dirty.dedup();
}

fn encode<T: Serialize>(kind: u32, value: &T) -> Result<Vec<u8>, RestoreError> {
    postcard::to_allocvec(value).map_err(|error| RestoreError { kind, detail: error.to_string() })
}

fn decode<T: DeserializeOwned>(kind: u32, bytes: &[u8]) -> Result<T, RestoreError> {
    postcard::from_bytes(bytes).map_err(|error| RestoreError { kind, detail: error.to_string() })
}

/// What a part of the state does for undo and for restart, whatever it holds.
pub trait Tracked {
    /// Its journal.
    fn journal(&mut self) -> &mut dyn Marks;
    /// Puts back everything since `mark`.
    fn undo(&mut self, mark: u64);
    /// Adds a row for each entry that changed since the last call.
    fn take_rows(&mut self, rows: &mut Vec<StateRow>) -> Result<(), RestoreError>;
    /// Puts back an entry that was a row. Those of a [`Slab`] come in the order of their keys.
    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), RestoreError>;
    /// All were put back: entries are found by their keys from now on.
    fn restored(&mut self);
}

impl<K: Entry + Eq + Hash, V: Entry + Keep> Tracked for Slab<K, V> {
    fn journal(&mut self) -> &mut dyn Marks {
        &mut self.journal
    }

    fn undo(&mut self, mark: u64) {
        while let Some(record) = self.journal.pop_since(mark) {
            match record {
                SlabUndo::Inserted => self.pop(),
                SlabUndo::Changed(id, form) => {
                    self.entries.get_mut(id).1 = form;
                    self.dirty.push(id);
                }
            }
        }
        let len = self.entries.len() as u32;
        self.dirty.retain(|id| *id < len);
    }

    fn take_rows(&mut self, rows: &mut Vec<StateRow>) -> Result<(), RestoreError> {
        once_each(&mut self.dirty);
        for id in std::mem::take(&mut self.dirty) {
            let (key, form) = self.entries.get(id);
            let value = encode(self.journal.kind, &(key, V::kept(form)))?;
            rows.push(StateRow {
                kind: self.journal.kind,
                key: id.to_be_bytes().to_vec(),
                value: Some(value),
            });
        }
        Ok(())
    }

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        let id = key.try_into().map(u32::from_be_bytes).ok();
        if id != u32::try_from(self.entries.len()).ok() {
            return Err(RestoreError {
                kind: self.journal.kind,
                detail: format!("entry {id:?} after {}", self.entries.len()),
            });
        }
        let (key, value): (K, V) = decode(self.journal.kind, value)?;
        self.entries.push((key, value.keep()));
        Ok(())
    }

    fn restored(&mut self) {
        let (entries, hasher) = (&self.entries, &self.hasher);
        // Made at once: an index that grows with its entries is made anew twenty times on the way to a million.
        self.index = HashTable::with_capacity(entries.len());
        for (id, (key, _)) in entries.iter().enumerate() {
            let hash = |id: &u32| hasher.hash_one(&entries.get(*id).0);
            self.index.insert_unique(hasher.hash_one(key), id as u32, hash);
        }
    }
}

impl<K: Entry + Ord, V: Entry> Tracked for Map<K, V> {
    fn journal(&mut self) -> &mut dyn Marks {
        &mut self.journal
    }

    fn undo(&mut self, mark: u64) {
        while let Some((key, old)) = self.journal.pop_since(mark) {
            match old {
                Some(old) => self.entries.insert(key.clone(), old),
                None => self.entries.remove(&key),
            };
            self.dirty.push(key);
        }
    }

    fn take_rows(&mut self, rows: &mut Vec<StateRow>) -> Result<(), RestoreError> {
        once_each(&mut self.dirty);
        for key in std::mem::take(&mut self.dirty) {
            let value = self.entries.get(&key).map(|value| encode(self.journal.kind, value)).transpose()?;
            rows.push(StateRow { kind: self.journal.kind, key: encode(self.journal.kind, &key)?, value });
        }
        Ok(())
    }

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        self.entries.insert(decode(self.journal.kind, key)?, decode(self.journal.kind, value)?);
        Ok(())
    }

    fn restored(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    keep_as_is!(u16, u32);

    fn slab_entries(slab: &Slab<u8, u16>) -> Vec<(u32, u8, u16)> {
        slab.iter().map(|(id, key, value)| (id, *key, value)).collect()
    }

    proptest! {
        #[test]
        fn undo_puts_back_every_entry(before in prop::collection::vec((any::<u8>(), any::<u16>()), 0..40),
                                      after in prop::collection::vec((any::<u8>(), any::<Option<u16>>()), 0..40)) {
            let (mut slab, mut map) = (Slab::new(1), Map::new(2));
            for (key, value) in before {
                let id = slab.enter(key, || 0);
                slab.change(id, |old| *old = value);
                map.set(key, Some(value));
            }
            slab.journal().record(true);
            map.journal().record(true);
            let old = (slab_entries(&slab), map.entries.clone());
            let marks = (slab.journal().mark(), map.journal().mark());
            for (key, value) in after {
                let id = slab.enter(key, || 7);
                slab.change(id, |old| *old = value.unwrap_or(9));
                map.set(key, value);
            }
            slab.undo(marks.0);
            map.undo(marks.1);
            prop_assert_eq!((slab_entries(&slab), map.entries.clone()), old);
            for (id, key, _) in slab.iter() {
                prop_assert_eq!(slab.find(key), Some(id));
            }
        }
    }

    #[test]
    fn entries_come_back_from_their_bytes() {
        let mut slab = Slab::<String, u32>::new(1);
        let id = slab.enter("a".into(), || 5);
        slab.enter("b".into(), || 6);
        slab.change(id, |value| *value = 7);
        let mut copy = Slab::<String, u32>::new(1);
        let mut rows = Vec::new();
        slab.take_rows(&mut rows).unwrap();
        assert_eq!(rows.len(), 2, "each entry once: {rows:?}");
        for row in rows {
            copy.restore(&row.key, &row.value.unwrap()).unwrap();
        }
        copy.restored();
        assert_eq!(copy.iter().collect::<Vec<_>>(), slab.iter().collect::<Vec<_>>());
        assert_eq!((copy.find(&"a".into()), copy.find(&"b".into())), (Some(0), Some(1)));
        assert!(copy.restore(&9u32.to_be_bytes(), &[]).is_err());
    }
}

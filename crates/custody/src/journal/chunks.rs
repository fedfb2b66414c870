//! Entries by number, in pieces that are never moved.

/// Entries of a chunk: one that is begun costs less than a megabyte, and none is ever moved to grow.
const CHUNK: usize = 4096;

/// Entries by number. A vector that doubles would hold half of its memory for nothing, and both halves while it grows.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    pub(super) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len())
    }

    pub(super) fn get(&self, id: u32) -> &T {
        &self.0[id as usize / CHUNK][id as usize % CHUNK]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut T {
        &mut self.0[id as usize / CHUNK][id as usize % CHUNK]
    }

    pub(super) fn push(&mut self, entry: T) {
        match self.0.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(entry),
            None => {
                // Small slabs stay small: only the first chunk grows as a vector does.
                let mut chunk = Vec::with_capacity(if self.0.is_empty() { 0 } else { CHUNK });
                chunk.push(entry);
                self.0.push(chunk);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let entry = self.0.last_mut()?.pop();
        if self.0.last().is_some_and(Vec::is_empty) {
            self.0.pop();
        }
        entry
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

//! The order in which a hash table of Java's lists its keys (`java.util.Hashtable`).
//!
//! Keystores are written in that order, and a list of certificates is easier to compare if it is
//! the real one's.

/// Buckets of a new table.
const BUCKETS: usize = 11;

/// A table of values by text.
#[derive(Debug)]
pub(super) struct Table<T> {
    buckets: Vec<Vec<(String, T)>>,
    count: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { buckets: empty(BUCKETS), count: 0 }
    }
}

impl<T> Table<T> {
    /// Puts a value in the place of the key's, or at the beginning of its bucket.
    pub(super) fn put(&mut self, key: String, value: T) {
        let bucket = self.bucket(&key);
        if let Some((_, known)) = self.buckets[bucket].iter_mut().find(|(known, _)| *known == key) {
            *known = value;
            return;
        }
        // A table is at most three quarters full.
        if self.count >= self.buckets.len() * 3 / 4 {
            self.grow();
        }
        let bucket = self.bucket(&key);
        self.buckets[bucket].insert(0, (key, value));
        self.count += 1;
    }

    /// Takes a key away; whether it was there.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        let bucket = self.bucket(key);
        let bucket = &mut self.buckets[bucket];
        let before = bucket.len();
        bucket.retain(|(known, _)| known != key);
        let is_removed = bucket.len() < before;
        self.count -= usize::from(is_removed);
        is_removed
    }

    /// All keys and values: from the last bucket to the first.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &T)> {
        let entries = self.buckets.iter().rev().flatten();
        entries.map(|(key, value)| (key.as_str(), value))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn bucket(&self, key: &str) -> usize {
        // String.hashCode
        let hash = key
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash & 0x7fff_ffff) as usize % self.buckets.len()
    }

    /// Twice as many buckets and one; what was first in a bucket comes to be last.
    fn grow(&mut self) {
        let larger = empty(self.buckets.len() * 2 + 1);
        let old = std::mem::replace(&mut self.buckets, larger);
        for (key, value) in old.into_iter().rev().flatten() {
            let bucket = self.bucket(&key);
            self.buckets[bucket].insert(0, (key, value));
        }
    }
}

fn empty<T>(buckets: usize) -> Vec<Vec<(String, T)>> {
    std::iter::repeat_with(Vec::new).take(buckets).collect()
}

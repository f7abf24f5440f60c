//! A map of bounded size that removes the least recently used entry.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// A map of at most `CAPACITY` entries. An insert into a full map removes the least recently used entry.
#[derive(Debug)]
pub struct LruMap<K, V, const CAPACITY: usize> {
    entries: BTreeMap<K, CachedValue<V>>,
    /// The number of uses so far.
    uses: u64,
}

#[derive(Debug)]
struct CachedValue<V> {
    value: V,
    /// The number of the last use.
    last_use: u64,
}

impl<K, V, const CAPACITY: usize> Default for LruMap<K, V, CAPACITY> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            uses: 0,
        }
    }
}

impl<K: Ord + Clone, V, const CAPACITY: usize> LruMap<K, V, CAPACITY> {
    /// Returns the value of a key, and counts this as a use of the key.
    pub fn get<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get_mut(key)?;
        self.uses = self.uses.saturating_add(1);
        entry.last_use = self.uses;
        Some(&entry.value)
    }

    /// Inserts or replaces a value, and counts this as a use of the key.
    pub fn insert(&mut self, key: K, value: V) {
        if self.entries.len() >= CAPACITY && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last_use);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.entries.remove(&oldest);
            }
        }
        self.uses = self.uses.saturating_add(1);
        let last_use = self.uses;
        self.entries.insert(key, CachedValue { value, last_use });
    }

    /// Removes a key. Returns whether it existed.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key).is_some()
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the map has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_removes_the_least_recently_used_entry() {
        let mut map = LruMap::<u8, char, 3>::default();
        for (key, value) in [(1, 'a'), (2, 'b'), (3, 'c')] {
            map.insert(key, value);
        }
        assert_eq!(map.get(&1), Some(&'a'));
        map.insert(0, 'd');
        assert_eq!(map.get(&2), None);
        assert_eq!(map.get(&1), Some(&'a'));
        assert_eq!(map.len(), 3);
        // A replaced value counts as used, and removes no other entry.
        map.insert(3, 'e');
        map.insert(9, 'f');
        assert_eq!(map.get(&0), None);
        assert_eq!(map.get(&3), Some(&'e'));
        assert_eq!(map.len(), 3);
    }

    #[test]
    fn a_removed_entry_leaves_room() {
        let mut map = LruMap::<u8, char, 2>::default();
        map.insert(1, 'a');
        map.insert(2, 'b');
        assert!(map.remove(&1) && !map.remove(&1));
        map.insert(3, 'c');
        assert_eq!(map.get(&2), Some(&'b'));
        assert_eq!(map.len(), 2);
        map.clear();
        assert!(map.is_empty());
    }
}

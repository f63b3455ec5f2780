//! A map that keeps what was touched last, whoever comes: when one half is full the older half goes.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries of one half, where nobody says otherwise; the other half holds those that were touched before.
const HALF: usize = 1 << 15;

/// See the module.
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Recent<K, V> {
        Recent::of(HALF)
    }
}

impl<K, V> Recent<K, V> {
    /// One that always holds the last `half` entries, and never more than twice as many.
    pub fn of(half: usize) -> Recent<K, V> {
        Recent { young: HashMap::new(), old: HashMap::new(), half }
    }

    /// How many there are at most: an entry that was touched again counts twice.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// What is known of a key.
    pub fn find(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Notes something of a key.
    pub fn note(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Drops what is known of a key.
    pub fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Everything, each key once, what was touched first before the rest.
    pub fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        let old = self.old.iter().filter(|(key, _)| !self.young.contains_key(key));
        old.chain(&self.young)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_keeps_the_recent() {
        let mut recent = Recent::of(100);
        for key in 0..500 {
            recent.note(key, key);
        }
        assert!(recent.len() <= 200);
        assert_eq!((recent.find(&400), recent.find(&0)), (Some(&400), None));
        recent.note(499, 7);
        assert_eq!(recent.entries().filter(|(key, _)| **key == 499).count(), 1);
        recent.forget(&499);
        assert_eq!(recent.find(&499), None);
    }
}

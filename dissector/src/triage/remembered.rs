//! What detectors keep, within bounds.

use crate::limits;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Things by key; beyond [`limits::MAX_REMEMBERED`] the first key makes room.
#[derive(Debug)]
pub(super) struct Remembered<K, V>(BTreeMap<K, V>);

impl<K: Ord, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Remembered<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    pub fn insert(&mut self, key: K, value: V) {
        self.make_room(&key);
        self.0.insert(key, value);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }

    /// All of it; nothing is left.
    pub fn take(&mut self) -> BTreeMap<K, V> {
        std::mem::take(&mut self.0)
    }

    fn make_room(&mut self, key: &K) {
        if self.0.len() >= limits::MAX_REMEMBERED && !self.0.contains_key(key) {
            self.0.pop_first();
        }
    }
}

impl<K: Ord + Clone, V: Default> Remembered<K, V> {
    pub fn entry(&mut self, key: K) -> &mut V {
        self.make_room(&key);
        self.0.entry(key).or_default()
    }
}

/// What waits for more to become known, oldest first.
#[derive(Debug)]
pub(super) struct Deferred<T>(VecDeque<T>);

impl<T> Default for Deferred<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Deferred<T> {
    /// One more; returns the oldest one where there are too many.
    #[must_use]
    pub fn push(&mut self, item: T) -> Option<T> {
        self.0.push_back(item);
        if self.0.len() > limits::MAX_DEFERRED {
            return self.0.pop_front();
        }
        None
    }

    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.0.retain(keep);
    }

    /// All of it; nothing is left.
    pub fn take(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.0)
    }
}

/// A time span for people.
pub(super) fn span(time: Duration) -> String {
    super::words::span(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

/// The time from one moment to a later one; 0 where the clock went back.
pub(super) fn between(from: crate::time::Timestamp, until: crate::time::Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(until.nanos_since(from)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let mut deferred = Deferred::default();
        let over = (0..=limits::MAX_DEFERRED).find_map(|n| deferred.push(n));
        assert_eq!(over, Some(0));
        let mut kept = Remembered::default();
        for n in 0..=limits::MAX_REMEMBERED {
            kept.insert(n, ());
        }
        assert!(kept.get(&0).is_none() && kept.get(&1).is_some());
    }
}

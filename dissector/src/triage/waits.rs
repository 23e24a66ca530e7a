//! What is waited for, with the time at which waiting ends.

use crate::limits;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Things that wait, by a key and by the time at which their wait is over. Beyond [`limits::MAX_TRIAGE_WAITS`] the one that is due next is
/// dropped unjudged.
#[derive(Debug)]
pub(super) struct Waits<K, V> {
    by_key: BTreeMap<K, (Timestamp, u64, V)>,
    by_time: BTreeMap<(Timestamp, u64), K>,
    next: u64,
}

impl<K, V> Default for Waits<K, V> {
    fn default() -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_time: BTreeMap::new(),
            next: 0,
        }
    }
}

impl<K: Ord + Clone, V> Waits<K, V> {
    /// Waits for something until a time. It takes the place of what waits under the same key.
    pub(super) fn add(&mut self, key: K, until: Timestamp, value: V) {
        self.take(&key);
        if self.by_key.len() >= limits::MAX_TRIAGE_WAITS
            && let Some((_, first)) = self.by_time.pop_first()
        {
            self.by_key.remove(&first);
        }
        let place = (until, self.next);
        self.next = self.next.wrapping_add(1);
        self.by_time.insert(place, key.clone());
        self.by_key.insert(key, (until, place.1, value));
    }

    /// Ends a wait.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        let (until, number, value) = self.by_key.remove(key)?;
        self.by_time.remove(&(until, number));
        Some(value)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// What waits under a key.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.by_key.get_mut(key).map(|(_, _, value)| value)
    }

    /// All that waits, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.by_key.iter().map(|(key, (_, _, value))| (key, value))
    }

    /// Ends the waits of all keys that are meant; in the order of the keys.
    pub(super) fn take_all(&mut self, mut meant: impl FnMut(&K, &V) -> bool) -> Vec<(K, V)> {
        let keys: Vec<K> = self
            .iter()
            .filter(|(key, value)| meant(key, value))
            .map(|(key, _)| key.clone())
            .collect();
        keys.into_iter()
            .filter_map(|key| {
                let value = self.take(&key)?;
                Some((key, value))
            })
            .collect()
    }

    /// The next wait that is over by now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(K, V, Timestamp)> {
        let (place, _) = self.by_time.first_key_value()?;
        if place.0 > now {
            return None;
        }
        let (place, key) = self.by_time.pop_first()?;
        let (_, _, value) = self.by_key.remove(&key)?;
        Some((key, value, place.0))
    }

    /// Whatever waits, the one due next first; for the end of the capture.
    pub(super) fn drain(&mut self) -> Option<(K, V, Timestamp)> {
        self.due(Timestamp::from_nanos(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn what_is_due_comes_in_order_of_time_and_only_once() {
        let mut waits = Waits::default();
        waits.add("b", at(20), 1);
        waits.add("a", at(10), 2);
        waits.add("b", at(5), 3);
        assert_eq!(waits.due(at(4)), None);
        assert_eq!(waits.due(at(30)), Some(("b", 3, at(5))));
        assert_eq!(waits.take(&"a"), Some(2));
        assert_eq!(waits.due(at(30)), None);
    }

    #[test]
    fn beyond_the_limit_the_one_due_next_is_dropped() {
        let mut waits = Waits::default();
        for number in 0..=limits::MAX_TRIAGE_WAITS {
            waits.add(number, at(i64::try_from(number).unwrap()), ());
        }
        assert_eq!(waits.by_key.len(), limits::MAX_TRIAGE_WAITS);
        assert_eq!(waits.by_time.len(), limits::MAX_TRIAGE_WAITS);
        assert_eq!(waits.drain(), Some((1, (), at(1))));
    }
}

//! What detectors keep, within bounds.

use crate::limits;
use crate::record::Direction;
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

/// A time span for people: "850 µs", "40 ms", "4.2 s", "150 s", "12 min".
pub(super) fn span(time: Duration) -> String {
    let rounded = |unit: u128| (time.as_nanos() + unit / 2) / unit;
    let (micros, millis, tenths, seconds) = (
        rounded(1_000),
        rounded(1_000_000),
        rounded(100_000_000),
        rounded(1_000_000_000),
    );
    if micros < 1_000 {
        format!("{micros} µs")
    } else if millis < 1_000 {
        format!("{millis} ms")
    } else if tenths < 100 && tenths % 10 != 0 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else if seconds < 600 {
        format!("{seconds} s")
    } else {
        format!("{} min", rounded(60_000_000_000))
    }
}

/// The time from one moment to a later one; 0 where the clock went back.
pub(super) fn between(from: crate::time::Timestamp, until: crate::time::Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(until.nanos_since(from)).unwrap_or(0))
}

/// "the client" or "the server".
pub(super) const fn who(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "the client",
        Direction::ServerToClient => "the server",
    }
}

/// A status with its name: "36 (E_CTI_INVALID_PASSWORD)".
pub(super) fn status_name(status: u32) -> String {
    let table = crate::protocol::value_table("StatusCode");
    table.and_then(|table| table.get(status)).map_or_else(
        || format!("{status} (unknown)"),
        |value| format!("{status} ({})", value.text),
    )
}

/// What it says to a person.
pub(super) fn status_label(status: u32) -> Option<&'static str> {
    let value = crate::protocol::value_table("StatusCode")?.get(status)?;
    value.label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let micros = [
            850,
            40_000,
            999_700,
            2_000_000,
            4_250_000,
            19_500_000,
            150_000_000,
            720_000_000,
        ];
        let shown = micros.map(|micros| span(Duration::from_micros(micros)));
        assert_eq!(
            shown,
            [
                "850 µs", "40 ms", "1 s", "2 s", "4.3 s", "20 s", "150 s", "12 min"
            ]
        );
    }

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

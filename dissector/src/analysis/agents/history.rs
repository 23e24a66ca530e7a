//! A list that forgets its oldest entries.

use std::collections::{VecDeque, vec_deque};

/// What happened, in order; the oldest entries may have been forgotten.
#[derive(Debug, Clone)]
pub struct History<T> {
    entries: VecDeque<T>,
    forgotten: u64,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            forgotten: 0,
        }
    }
}

impl<T> History<T> {
    /// How many of the oldest entries were forgotten.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The entries that are left, oldest first.
    pub fn iter(&self) -> vec_deque::Iter<'_, T> {
        self.entries.iter()
    }

    /// How many entries are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The latest entry.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.entries.back()
    }

    /// Adds an entry and forgets none.
    pub fn add(&mut self, entry: T) {
        self.entries.push_back(entry);
    }

    /// The latest entry, to be changed.
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.entries.back_mut()
    }

    /// The latest but one.
    pub(super) fn before_last(&self) -> Option<&T> {
        let at = self.entries.len().checked_sub(2)?;
        self.entries.get(at)
    }

    /// Number of the latest entry, from 1; 0 when there was none.
    pub(super) fn last_no(&self) -> u64 {
        let len = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        self.forgotten.saturating_add(len)
    }

    /// An entry by its number.
    pub(super) fn get_mut(&mut self, no: u64) -> Option<&mut T> {
        let at = no.checked_sub(self.forgotten)?.checked_sub(1)?;
        self.entries.get_mut(usize::try_from(at).ok()?)
    }

    /// The entries from a number on, each with its own.
    pub(super) fn since(&self, no: u64) -> impl Iterator<Item = (u64, &T)> {
        let skip = no.saturating_sub(self.forgotten).saturating_sub(1);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        // Stepping over all that came before would make long histories slow.
        let skip = skip.min(self.entries.len());
        let first = self.forgotten.saturating_add(1);
        let first = first.saturating_add(u64::try_from(skip).unwrap_or(0));
        (first..).zip(self.entries.range(skip..))
    }

    /// Puts the entries in another order.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        self.entries.make_contiguous().sort_by_key(key);
    }

    pub(super) fn iter_mut(&mut self) -> vec_deque::IterMut<'_, T> {
        self.entries.iter_mut()
    }

    /// Adds an entry; of more than `most` the oldest is forgotten. Whether the list is longer now.
    pub(super) fn push(&mut self, entry: T, most: usize) -> bool {
        self.entries.push_back(entry);
        if self.entries.len() <= most.max(1) {
            return true;
        }
        self.entries.pop_front();
        self.forgotten = self.forgotten.saturating_add(1);
        false
    }
}

impl<'a, T> IntoIterator for &'a History<T> {
    type Item = &'a T;
    type IntoIter = vec_deque::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_when_the_oldest_entries_go() {
        let mut history = History::default();
        for entry in 1..=5 {
            assert_eq!(history.push(entry, 3), entry <= 3);
        }
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!((history.forgotten(), history.last_no()), (2, 5));
        assert_eq!(history.get_mut(2), None);
        assert_eq!(history.get_mut(4), Some(&mut 4));
        assert_eq!(history.get_mut(6), None);
        assert_eq!(history.before_last(), Some(&4));
        let since = |no| history.since(no).map(|(n, e)| (n, *e)).collect::<Vec<_>>();
        assert_eq!(since(5), [(5, 5)]);
        assert_eq!(since(0), [(3, 3), (4, 4), (5, 5)]);
        assert_eq!(since(6), []);
    }
}

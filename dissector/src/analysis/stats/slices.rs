//! Counts for slices of time. There is a limit to their number: a capture that would have more gets wider ones.

use super::Count;
use crate::limits;
use crate::record::Direction;
use crate::tally::Tally;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What was counted in a slice of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice {
    /// From the client.
    pub from_client: Count,
    /// From the server.
    pub from_server: Count,
    /// Requests made in it.
    pub requests: Tally,
}

impl Slice {
    /// The messages of a direction.
    pub const fn direction(&mut self, direction: Direction) -> &mut Count {
        match direction {
            Direction::ClientToServer => &mut self.from_client,
            Direction::ServerToClient => &mut self.from_server,
        }
    }

    fn add(&mut self, other: &Self) {
        self.from_client.add(&other.from_client);
        self.from_server.add(&other.from_server);
        self.requests.add(&other.requests);
    }
}

/// Slices of time, each as long as the others; they begin at multiples of that since 1970.
#[derive(Debug, Clone)]
pub struct Slices {
    asked: i64,
    width: i64,
    slices: BTreeMap<i64, Slice>,
}

impl Slices {
    /// None yet; `width` in nanoseconds, at least 1.
    #[must_use]
    pub fn new(width: i64) -> Self {
        Self {
            asked: width.max(1),
            width: width.max(1),
            slices: BTreeMap::new(),
        }
    }

    /// How long a slice is (nanoseconds).
    #[must_use]
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// Whether slices are wider than what was asked for, because there would be too many.
    #[must_use]
    pub const fn coarsened(&self) -> bool {
        self.width != self.asked
    }

    /// The slice of a time.
    pub(super) fn at(&mut self, time: Timestamp) -> &mut Slice {
        loop {
            let at = time.nanos().div_euclid(self.width);
            let first = self
                .slices
                .first_key_value()
                .map_or(at, |(first, _)| *first);
            let last = self.slices.last_key_value().map_or(at, |(last, _)| *last);
            let count = last.max(at).saturating_sub(first.min(at));
            if count < limits::MAX_SLICES {
                return self.slices.entry(at).or_default();
            }
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width = self.width.saturating_mul(2);
        for (at, slice) in std::mem::take(&mut self.slices) {
            self.slices.entry(at.div_euclid(2)).or_default().add(&slice);
        }
    }

    /// All slices from the first to the last one, those without any message too: when each begins, and what it has.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, Slice)> {
        let first = self.slices.first_key_value().map_or(0, |(at, _)| *at);
        let end = self.slices.last_key_value().map_or(0, |(at, _)| at + 1);
        (first..end).map(|at| {
            let slice = self.slices.get(&at).copied().unwrap_or_default();
            (Timestamp::from_nanos(at.saturating_mul(self.width)), slice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(slices: &mut Slices, second: i64) {
        let slice = slices.at(Timestamp::from_seconds(second));
        slice.from_client.add(&Count {
            messages: 1,
            bytes: 10,
        });
    }

    fn counts(slices: &Slices) -> Vec<(i64, u64)> {
        let slices = slices.iter();
        slices
            .map(|(from, slice)| (from.nanos() / 1_000_000_000, slice.from_client.messages))
            .collect()
    }

    #[test]
    fn slices_begin_at_multiples_and_have_no_holes() {
        let mut slices = Slices::new(10_000_000_000);
        for second in [1009, 1010, 1019, 1041, -1] {
            count(&mut slices, second);
        }
        let counts = counts(&slices);
        assert_eq!(counts.first(), Some(&(-10, 1)));
        assert_eq!(
            counts.get(101..),
            Some(&[(1000, 1), (1010, 2), (1020, 0), (1030, 0), (1040, 1)][..])
        );
        assert!(!slices.coarsened());
    }

    #[test]
    fn too_many_slices_become_wider_ones_and_nothing_is_lost() {
        let mut slices = Slices::new(1_000_000_000);
        for second in 0..limits::MAX_SLICES {
            count(&mut slices, second);
        }
        assert!(!slices.coarsened());
        count(&mut slices, limits::MAX_SLICES);
        assert_eq!((slices.coarsened(), slices.width()), (true, 2_000_000_000));
        let all = counts(&slices);
        assert_eq!(all.first(), Some(&(0, 2)));
        let total: u64 = all.iter().map(|(_, n)| n).sum();
        assert_eq!(total, u64::try_from(limits::MAX_SLICES).unwrap() + 1);
        // The ends of all time.
        slices.at(Timestamp::from_nanos(i64::MAX)).requests.made = 1;
        slices.at(Timestamp::from_nanos(i64::MIN)).requests.made = 1;
        assert!(slices.iter().count() <= usize::try_from(limits::MAX_SLICES).unwrap());
        assert_eq!(slices.iter().map(|(_, s)| s.requests.made).sum::<u64>(), 2);
    }
}

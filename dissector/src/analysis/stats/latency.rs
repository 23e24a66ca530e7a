//! Spans of time: extremes, sum and quantiles, in bounded memory.

use std::collections::BTreeMap;

/// Upper bounds of the bands in which spans are counted (nanoseconds); a last band has none.
pub const BANDS: [u64; 14] = [
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Parts of an octave, as a power of 2.
const PART_BITS: u32 = 7;

/// Spans of time in nanoseconds. Minimum, maximum, sum and count are exact. Quantiles are exact too while there are few spans; beyond that they
/// come from buckets, 128 to each octave, so that they are off by less than 0.4 %.
#[derive(Debug, Clone)]
pub struct Latencies {
    /// All of them, until there are too many.
    each: Vec<u64>,
    keep: usize,
    buckets: BTreeMap<u32, u64>,
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
}

impl Latencies {
    /// None yet; `keep` of them are kept one by one before buckets are used.
    #[must_use]
    pub const fn new(keep: usize) -> Self {
        Self {
            each: Vec::new(),
            keep,
            buckets: BTreeMap::new(),
            count: 0,
            min: u64::MAX,
            max: 0,
            sum: 0,
        }
    }

    /// Adds a span. Negative ones, of a capture whose clock went back, count as 0.
    pub fn add(&mut self, nanos: i64) {
        let nanos = u64::try_from(nanos).unwrap_or(0);
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
        self.sum = self.sum.saturating_add(nanos.into());
        if self.buckets.is_empty() && self.each.len() < self.keep {
            self.each.push(nanos);
            return;
        }
        for one in std::mem::take(&mut self.each).into_iter().chain([nanos]) {
            let count = self.buckets.entry(bucket(one)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The shortest.
    #[must_use]
    pub fn min(&self) -> Option<i64> {
        (self.count > 0).then(|| signed(self.min))
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        (self.count > 0).then(|| signed(self.max))
    }

    /// All together.
    #[must_use]
    pub fn sum(&self) -> i64 {
        i64::try_from(self.sum).unwrap_or(i64::MAX)
    }

    /// On average.
    #[must_use]
    pub fn average(&self) -> Option<i64> {
        let average = self.sum.checked_div(self.count.into())?;
        Some(i64::try_from(average).unwrap_or(i64::MAX))
    }

    /// The span that so many thousandths of all do not exceed (nearest rank): 500 is the median.
    #[must_use]
    pub fn quantile(&self, thousandths: u64) -> Option<i64> {
        let rank = u128::from(self.count) * u128::from(thousandths.min(1000));
        let rank = u64::try_from(rank.div_ceil(1000)).ok()?.max(1);
        if self.count == 0 {
            return None;
        }
        if self.buckets.is_empty() {
            let mut sorted = self.each.clone();
            sorted.sort_unstable();
            let at = usize::try_from(rank - 1).ok()?;
            return sorted.get(at).copied().map(signed);
        }
        let mut seen = 0u64;
        for (bucket, count) in &self.buckets {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return Some(signed(middle(*bucket).clamp(self.min, self.max)));
            }
        }
        self.max()
    }
}

fn signed(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

/// Numbers below two times the parts of an octave have a bucket of their own.
fn bucket(nanos: u64) -> u32 {
    let shift = (63 - (nanos | 1).leading_zeros()).saturating_sub(PART_BITS);
    let part = u32::try_from(nanos >> shift).unwrap_or(0);
    (shift << PART_BITS) + part
}

/// The middle of a bucket.
fn middle(bucket: u32) -> u64 {
    let parts = 1 << PART_BITS;
    if bucket < 2 * parts {
        return bucket.into();
    }
    let shift = bucket / parts - 1;
    let part = u64::from(bucket - shift * parts);
    (part << shift) + (1 << shift) / 2
}

/// The band of a span; the last one has no upper bound.
pub(super) fn band(nanos: i64) -> usize {
    let nanos = u64::try_from(nanos).unwrap_or(0);
    BANDS.partition_point(|bound| *bound < nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        let mut last = 0;
        for nanos in (0..100_000).chain((1..40_000_000).map(|n| n * 100_003)) {
            let bucket = bucket(nanos);
            assert!(bucket >= last, "{nanos}");
            last = bucket;
            let off = middle(bucket).abs_diff(nanos);
            assert!(
                off * 1000 <= nanos * 4,
                "{nanos} becomes {}",
                middle(bucket)
            );
        }
        assert!(middle(bucket(u64::MAX)) > u64::MAX / 100 * 99);
    }

    #[test]
    fn quantiles_are_exact_for_few_and_near_for_many() {
        let mut few = Latencies::new(1000);
        let mut many = Latencies::new(10);
        // 1 to 1000 in an order that is no order.
        for n in 0..1000i64 {
            few.add((n * 617) % 1000 + 1);
            many.add(((n * 617) % 1000 + 1) * 1_000_003);
        }
        for (thousandths, expected) in [
            (0, 1),
            (1, 1),
            (500, 500),
            (900, 900),
            (990, 990),
            (1000, 1000),
        ] {
            assert_eq!(few.quantile(thousandths), Some(expected));
            let near = many.quantile(thousandths).unwrap();
            let exact = expected * 1_000_003;
            assert!(
                (near - exact).abs() * 1000 <= exact * 4,
                "{near} for {exact}"
            );
        }
        assert_eq!(
            (many.min(), many.max()),
            (Some(1_000_003), Some(1_000_003_000))
        );
        assert_eq!(many.average(), Some(500_501_501));
        assert_eq!((many.count(), many.sum()), (1000, 500_501_501_500));
    }

    #[test]
    fn one_value_and_none() {
        let none = Latencies::new(4);
        assert_eq!(
            (none.quantile(500), none.min(), none.average()),
            (None, None, None)
        );
        let mut one = Latencies::new(0);
        one.add(7_777_777);
        assert_eq!(one.quantile(1), Some(7_777_777));
        assert_eq!(one.quantile(990), Some(7_777_777));
        one.add(-5);
        assert_eq!(one.min(), Some(0));
    }

    #[test]
    fn bands_include_their_upper_bound() {
        assert_eq!((band(-1), band(500_000), band(500_001)), (0, 0, 1));
        assert_eq!((band(10_000_000_000), band(i64::MAX)), (13, 14));
    }
}

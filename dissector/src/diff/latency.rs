//! Whether requests of a type are answered more slowly than before. Medians alone would cry wolf on noise, and a test alone on differences
//! that matter to nobody: both must speak, the Mann-Whitney test for a shift that is no chance, and the medians for one that is large.

use super::rules::LatencyRules;

/// How long requests of a type took on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slower {
    /// Answers on the old side.
    pub old_count: usize,
    /// Answers on the new side.
    pub new_count: usize,
    /// Median on the old side (nanoseconds).
    pub old_median: i64,
    /// Median on the new side (nanoseconds).
    pub new_median: i64,
    /// Time within which 95 of 100 answers came, on the old side (nanoseconds).
    pub old_p95: i64,
    /// The same on the new side.
    pub new_p95: i64,
    /// How likely chance alone makes such a difference.
    pub chance: f64,
}

impl Slower {
    /// How many times as long the median is.
    #[must_use]
    pub fn factor(&self) -> f64 {
        float(self.new_median) / float(self.old_median.max(1))
    }
}

/// Whether the answers of one of so many types became slower. The samples are nanoseconds; they get sorted.
pub(super) fn slower(
    old: &mut [i64],
    new: &mut [i64],
    types: usize,
    rules: &LatencyRules,
) -> Option<Slower> {
    if old.len() < rules.least || new.len() < rules.least {
        return None;
    }
    old.sort_unstable();
    new.sort_unstable();
    let result = Slower {
        old_count: old.len(),
        new_count: new.len(),
        old_median: quantile(old, 50),
        new_median: quantile(new, 50),
        old_p95: quantile(old, 95),
        new_p95: quantile(new, 95),
        chance: chance_of_shift(old, new),
    };
    let grown = result.new_median.saturating_sub(result.old_median);
    // With many types, one of them is slow by chance more often.
    let allowed = rules.chance / count(types.max(1));
    (grown >= rules.floor && result.factor() >= rules.factor && result.chance < allowed)
        .then_some(result)
}

/// A value of a sorted sample below which so many percent are.
fn quantile(sorted: &[i64], percent: usize) -> i64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(0)
}

/// The chance that the new sample is as far above the old one as it is, if both came from the same source: Mann-Whitney, one-sided, by its
/// normal approximation with corrections for ties and continuity.
fn chance_of_shift(old: &[i64], new: &[i64]) -> f64 {
    let (n, m) = (count(old.len()), count(new.len()));
    let (mut at_old, mut at_new) = (0usize, 0usize);
    let mut rank = 1.0;
    let mut new_ranks = 0.0;
    let mut ties = 0.0;
    loop {
        let value = match (old.get(at_old), new.get(at_new)) {
            (Some(a), Some(b)) => *a.min(b),
            (Some(a), None) | (None, Some(a)) => *a,
            (None, None) => break,
        };
        let run = |list: &[i64], from: usize| {
            let rest = list.get(from..).unwrap_or_default();
            rest.iter().take_while(|v| **v == value).count()
        };
        let (of_old, of_new) = (run(old, at_old), run(new, at_new));
        let same = count(of_old + of_new);
        new_ranks += count(of_new) * (rank + (same - 1.0) / 2.0);
        ties += same * same * same - same;
        rank += same;
        at_old += of_old;
        at_new += of_new;
    }
    let above = new_ranks - m * (m + 1.0) / 2.0;
    let all = n + m;
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    upper_tail((above - n * m / 2.0 - 0.5) / variance.sqrt())
}

/// The chance of a standard normal value above `z`; relative error below 2e-7.
fn upper_tail(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    // A Chebyshev fit of the complementary error function.
    const FIT: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let exponent = FIT.iter().fold(0.0, |sum, factor| sum * t + factor);
    let tail = t * (exponent - x * x).exp() / 2.0;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Nanoseconds, near enough.
fn float(nanos: i64) -> f64 {
    let micros = nanos / 1000;
    let whole = i32::try_from(micros / 1000).unwrap_or(i32::MAX);
    let rest = i32::try_from(nanos % 1_000_000).unwrap_or(0);
    f64::from(whole) * 1_000_000.0 + f64::from(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of numbers that need not be good, but the same everywhere.
    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        /// Latencies as servers have them: most near the median, some much longer.
        fn latencies(&mut self, many: usize, median_ms: f64) -> Vec<i64> {
            let mut one = || {
                let sum: f64 = (0..12).map(|_| self.next()).sum::<f64>() - 6.0;
                (median_ms * 1e6 * (0.6 * sum).exp()) as i64
            };
            (0..many).map(|_| one()).collect()
        }
    }

    fn judge(old: &[i64], new: &[i64], types: usize) -> bool {
        let rules = LatencyRules::default();
        slower(&mut old.to_vec(), &mut new.to_vec(), types, &rules).is_some()
    }

    #[test]
    fn noise_is_no_news() {
        let mut dice = Dice(42);
        let mut wolves = 0;
        for round in 0..4000 {
            let many = 8 + round % 60;
            let old = dice.latencies(many, 20.0);
            let new = dice.latencies(8 + (round * 7) % 50, 20.0);
            wolves += u32::from(judge(&old, &new, 10));
        }
        assert_eq!(wolves, 0);
    }

    #[test]
    fn a_slower_server_is_found() {
        let mut dice = Dice(7);
        let mut found = 0;
        for _ in 0..200 {
            let old = dice.latencies(40, 20.0);
            found += u32::from(judge(&old, &dice.latencies(40, 50.0), 10));
        }
        // The medians of some samples are nearer to each other than the factor.
        assert!(found > 170, "{found}");
        // A single slow answer among many is no shift.
        let mut old = dice.latencies(40, 20.0);
        let new = old.clone();
        old.pop();
        let mut one = new;
        one[0] = 30_000_000_000;
        assert!(!judge(&old, &one, 1));
    }

    #[test]
    fn small_growth_and_small_samples_are_not_told() {
        let fast: Vec<i64> = (0..50).map(|n| 100_000 + n).collect();
        let double: Vec<i64> = fast.iter().map(|n| n * 2).collect();
        assert!(!judge(&fast, &double, 1), "0.1 ms more is nobody's trouble");
        let slow: Vec<i64> = (0..50).map(|n| 100_000_000 + n).collect();
        let some: Vec<i64> = slow.iter().map(|n| n * 13 / 10).collect();
        assert!(!judge(&slow, &some, 1), "below the factor");
        let much: Vec<i64> = slow.iter().map(|n| n * 3).collect();
        assert!(judge(&slow, &much, 1));
        assert!(!judge(&slow[..5], &much[..5], 1), "too few to tell");
        assert!(!judge(&much, &slow, 1), "faster");
        assert!(!judge(&slow, &slow, 1));
    }

    #[test]
    fn the_test_is_the_textbook_s() {
        // All of 10 above all of 10: z = (100 - 50 - 0.5) / sqrt(175).
        let low: Vec<i64> = (0..10).collect();
        let high: Vec<i64> = (100..110).collect();
        let z: f64 = 49.5 / 175f64.sqrt();
        assert!((chance_of_shift(&low, &high) - upper_tail(z)).abs() < 1e-12);
        assert!((upper_tail(1.959_964) - 0.025).abs() < 1e-6);
        assert!((upper_tail(3.090_232) - 0.001).abs() < 1e-7);
        assert!((upper_tail(0.0) - 0.5).abs() < 1e-6);
        assert!((chance_of_shift(&high, &low) - (1.0 - upper_tail(z))).abs() < 0.01);
        assert!(
            (chance_of_shift(&[5; 9], &[5; 9]) - 1.0).abs() < 1e-9,
            "all the same"
        );
    }
}

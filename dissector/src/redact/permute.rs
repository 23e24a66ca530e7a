//! Keyed permutations of small alphabets: the same value always becomes the same other value, no two become the same, and
//! none stays what it is. Without the key nothing can be told by trying.
//!
//! A value is a row of digits, each with a radix of its own. A Feistel network over the two halves of the row is a permutation
//! of all rows of that shape; its round function is BLAKE3 with the key. Between the network and its inverse the first digit
//! is moved on by one, so that no row is its own image.

use blake3::Hasher;

/// Rounds of the network; an even number. Ten are what is advised for the smallest alphabets.
const ROUNDS: u8 = 10;

/// A permutation for each context.
pub(super) struct Permutation {
    key: [u8; 32],
}

impl Permutation {
    pub(super) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Replaces a row of digits, each below its radix, by another one. `context` tells apart what must not be alike.
    pub(super) fn apply(&self, context: &[u8], radices: &[u32], digits: &mut [u32]) {
        // Digits that have one value only tell nothing and decide nothing: a half of the network must not be made of them.
        let free: Vec<usize> = radices
            .iter()
            .enumerate()
            .filter_map(|(place, radix)| (*radix > 1).then_some(place))
            .collect();
        let pick = |from: &[u32]| -> Vec<u32> {
            free.iter()
                .filter_map(|place| from.get(*place).copied())
                .collect()
        };
        let (free_radices, mut row) = (pick(radices), pick(digits));
        match (free_radices.as_slice(), row.as_mut_slice()) {
            ([radix], [digit]) => *digit = self.successor(context, *radix, *digit),
            ([first, ..], [_, ..]) => {
                self.network(context, &free_radices, &mut row);
                if let Some(digit) = row.first_mut() {
                    *digit = next(*digit, 1, *first);
                }
                for round in (0..ROUNDS).rev() {
                    self.round(context, &free_radices, &mut row, round, false);
                }
            }
            _ => {}
        }
        for (place, digit) in free.iter().zip(row) {
            if let Some(slot) = digits.get_mut(*place) {
                *slot = digit;
            }
        }
    }

    /// The network alone: a row may become itself, though rarely; applied again and again, it comes back to where it began only after
    /// very many rows.
    pub(super) fn network(&self, context: &[u8], radices: &[u32], digits: &mut [u32]) {
        for round in 0..ROUNDS {
            self.round(context, radices, digits, round, true);
        }
    }

    /// The value behind another one in an order of all values below `radix` that only the key tells.
    pub(super) fn successor(&self, context: &[u8], radix: u32, value: u32) -> u32 {
        let mut order: Vec<u32> = (0..radix).collect();
        let mut random = self.hasher(b"order", context).finalize_xof();
        for last in (1..order.len()).rev() {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            let bound = u64::try_from(last).unwrap_or(0).saturating_add(1);
            let other = usize::try_from(u64::from_le_bytes(bytes) % bound).unwrap_or(0);
            order.swap(last, other);
        }
        let place = order.iter().position(|v| *v == value);
        let behind = place.map(|p| p.saturating_add(1));
        behind
            .and_then(|p| order.get(p).or(order.first()))
            .copied()
            .unwrap_or(value)
    }

    /// Adds what the one half says to the other half, or takes it off.
    fn round(&self, context: &[u8], radices: &[u32], digits: &mut [u32], round: u8, add: bool) {
        let half = digits.len() / 2;
        let (left, right) = digits.split_at_mut(half);
        let (left_radices, right_radices) = radices.split_at(half.min(radices.len()));
        let (changed, by, radices) = if round.is_multiple_of(2) {
            (left, &*right, left_radices)
        } else {
            (right, &*left, right_radices)
        };
        let mut hasher = self.hasher(b"round", context);
        hasher.update(&[round]);
        for digit in by {
            hasher.update(&digit.to_le_bytes());
        }
        let mut random = hasher.finalize_xof();
        for (digit, radix) in changed.iter_mut().zip(radices) {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            let radix = u64::from((*radix).max(1));
            let step = u64::from_le_bytes(bytes) % radix;
            let step = if add { step } else { (radix - step) % radix };
            *digit = next(
                *digit,
                u32::try_from(step).unwrap_or(0),
                u32::try_from(radix).unwrap_or(1),
            );
        }
    }

    fn hasher(&self, purpose: &[u8; 5], context: &[u8]) -> Hasher {
        let mut hasher = Hasher::new_keyed(&self.key);
        hasher.update(purpose);
        let len = u64::try_from(context.len()).unwrap_or(0);
        hasher.update(&len.to_le_bytes());
        hasher.update(context);
        hasher
    }
}

/// `step` further on, round the radix.
fn next(digit: u32, step: u32, radix: u32) -> u32 {
    let sum = u64::from(digit) + u64::from(step);
    u32::try_from(sum % u64::from(radix.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_an_image_of_its_own_and_is_not_its_own() {
        let permutation = Permutation::new([7; 32]);
        for radices in [
            &[10][..],
            &[2],
            &[10, 10],
            &[10, 10, 10],
            &[9, 10, 10, 10],
            &[1, 5, 1, 3],
            &[1, 1, 20],
            &[1, 7, 26],
            &[26, 10],
            &[64, 3, 2],
        ] {
            let all: u32 = radices.iter().product();
            let mut images = BTreeSet::new();
            for mut number in 0..all {
                let mut digits = Vec::new();
                for radix in radices {
                    digits.push(number % radix);
                    number /= radix;
                }
                let before = digits.clone();
                permutation.apply(b"test", radices, &mut digits);
                assert!(digits.iter().zip(radices).all(|(d, r)| d < r));
                assert_ne!(digits, before, "{radices:?}");
                images.insert(digits);
            }
            assert_eq!(images.len(), all as usize, "{radices:?}");
        }
    }

    #[test]
    fn what_is_free_depends_on_the_key_even_behind_digits_that_are_not() {
        for radices in [&[1, 64][..], &[1, 1, 64], &[1, 30, 26], &[1, 1, 30, 30]] {
            let images: BTreeSet<Vec<u32>> = (0..20)
                .map(|key| {
                    let mut digits = vec![0; radices.len()];
                    Permutation::new([key; 32]).apply(b"a", radices, &mut digits);
                    digits
                })
                .collect();
            assert!(images.len() > 10, "{radices:?}: {images:?}");
        }
    }

    #[test]
    fn key_and_context_make_the_difference() {
        let image = |key: u8, context: &[u8]| {
            let mut digits = [1, 2, 3, 4, 5, 6, 7, 8];
            Permutation::new([key; 32]).apply(context, &[10; 8], &mut digits);
            digits
        };
        assert_eq!(image(1, b"a"), image(1, b"a"));
        assert_ne!(image(1, b"a"), image(2, b"a"));
        assert_ne!(image(1, b"a"), image(1, b"b"));
    }
}

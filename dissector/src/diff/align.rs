//! Aligns the messages of two sessions. What is the same on both sides is found by a histogram diff, near linear for sides that are alike;
//! between what is the same, messages that say nearly the same are brought together: by all pairs where few stand between, by type and by
//! what they are about where many do. Effort is bounded by a number of pairs for each message.

mod blocks;

use super::lexicon::{at, next};
use blocks::{by_blocks, is_monotonous};
use foldhash::fast::RandomState;
use imara_diff::{Algorithm, Diff, Token};
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// Largest number of pairs that are all looked at.
const MOST_PAIRS: usize = 10_000;
/// Pairs that may be looked at for each message of a session, besides [`MOST_PAIRS`].
const PAIRS_EACH: usize = 64;
/// Likeness of messages that are the same.
pub(super) const SAME: u32 = 1_500;
/// Likeness from which on messages are taken for the same one, changed.
pub(super) const ALIKE: u32 = 400;

/// Messages of two sessions, as alignment sees them.
pub(super) trait Matter {
    /// What makes messages the same; equal only if they are.
    type Exact: Hash + Eq;
    /// What makes messages likely to be the same one, changed.
    type Rough: Hash + Eq;

    /// Numbers of messages, old and new.
    fn lengths(&self) -> (u32, u32);
    fn exact_old(&self, index: u32) -> Self::Exact;
    fn exact_new(&self, index: u32) -> Self::Exact;
    fn rough_old(&self, index: u32, level: u8) -> Self::Rough;
    fn rough_new(&self, index: u32, level: u8) -> Self::Rough;
    /// How much two messages have in common: 0 for messages of different types, [`SAME`] for equal ones.
    fn likeness(&self, old: u32, new: u32) -> u32;
}

/// Which messages were found to be the same, changed or not.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Pairs in rising order on both sides.
    pub pairs: Vec<(u32, u32)>,
    /// Messages that are the same, but stand elsewhere; in rising order on the old side.
    pub moved: Vec<(u32, u32)>,
}

/// Messages within which one that is missing and one that is more may be the same one, changed.
const NEAR: u64 = 32;

/// Stretches of both sides that lie side by side.
type Hunk = (Range<u32>, Range<u32>);

/// Aligns two sessions. Messages farther apart than `window` are not taken for moved.
pub(super) fn align<M: Matter>(matter: &M, window: u32) -> Alignment {
    let (old, new) = matter.lengths();
    let mut tokens = Tokens::default();
    let old_tokens: Vec<Token> = (0..old).map(|i| tokens.of(matter.exact_old(i))).collect();
    let new_tokens: Vec<Token> = (0..new).map(|i| tokens.of(matter.exact_new(i))).collect();
    let hunks = differing(&old_tokens, &new_tokens, tokens.count());
    let moved = moved(&old_tokens, &new_tokens, &hunks, window);
    let gone_old: std::collections::HashSet<u32, RandomState> = moved.iter().map(|m| m.0).collect();
    let gone_new: std::collections::HashSet<u32, RandomState> = moved.iter().map(|m| m.1).collect();
    let mut work = Work {
        matter,
        gone: (gone_old, gone_new),
        budget: MOST_PAIRS.saturating_add(at(old.saturating_add(new)).saturating_mul(PAIRS_EACH)),
        pairs: Vec::with_capacity(at(old.min(new))),
    };
    let hunks = joined(hunks);
    let mut done = (0, 0);
    for hunk in hunks {
        work.same(done.0..hunk.0.start, done.1..hunk.1.start);
        done = (hunk.0.end, hunk.1.end);
        work.refine(hunk, 0);
    }
    work.same(done.0..old, done.1..new);
    Alignment {
        pairs: work.pairs,
        moved,
    }
}

/// Numbers for what makes messages equal.
struct Tokens<K>(HashMap<K, u32, RandomState>);

impl<K> Default for Tokens<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Hash + Eq> Tokens<K> {
    fn of(&mut self, key: K) -> Token {
        let new = next(self.0.len());
        Token(*self.0.entry(key).or_insert(new))
    }

    fn count(&self) -> u32 {
        next(self.0.len())
    }
}

/// The stretches in which two sequences differ.
///
/// What only one of them has cannot be aligned, and is left out of the search: it would make the search long where much changed.
fn differing(old: &[Token], new: &[Token], tokens: u32) -> Vec<Hunk> {
    let has = |side: &[Token]| {
        let mut has = vec![false; at(tokens)];
        for token in side {
            if let Some(has) = has.get_mut(at(token.0)) {
                *has = true;
            }
        }
        has
    };
    let (in_old, in_new) = (has(old), has(new));
    let shared = |side: &[Token], other: &[bool]| -> (Vec<u32>, Vec<Token>) {
        let tokens = (0u32..).zip(side);
        tokens
            .filter(|(_, token)| other.get(at(token.0)).copied().unwrap_or(false))
            .map(|(index, token)| (index, *token))
            .unzip()
    };
    let (old_places, old_tokens) = shared(old, &in_new);
    let (new_places, new_tokens) = shared(new, &in_old);
    let compact = if is_monotonous(&in_old, &in_new) {
        by_blocks(&old_tokens, &new_tokens, tokens)
    } else {
        compared(&old_tokens, &new_tokens, tokens)
    };
    // Back to places in the whole sequences: what lies between two pairs that stand directly behind each other is no stretch.
    let mut hunks = Vec::new();
    let mut ends = (0, 0);
    let mut pair = |old: u32, new: u32| {
        if old > ends.0 || new > ends.1 {
            hunks.push((ends.0..old, ends.1..new));
        }
        ends = (old + 1, new + 1);
    };
    let mut done = (0u32, 0u32);
    let all = (next(old_tokens.len()), next(new_tokens.len()));
    for hunk in compact.into_iter().chain([(all.0..all.0, all.1..all.1)]) {
        for (old, new) in (done.0..hunk.0.start).zip(done.1..hunk.1.start) {
            if let (Some(old), Some(new)) = (old_places.get(at(old)), new_places.get(at(new))) {
                pair(*old, *new);
            }
        }
        done = (hunk.0.end, hunk.1.end);
    }
    let last = (next(old.len()), next(new.len()));
    if last.0 > ends.0 || last.1 > ends.1 {
        hunks.push((ends.0..last.0, ends.1..last.1));
    }
    hunks
}

/// The stretches in which two sequences differ, by a histogram diff.
fn compared(old: &[Token], new: &[Token], tokens: u32) -> Vec<Hunk> {
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Histogram, old, new, tokens);
    diff.hunks().map(|hunk| (hunk.before, hunk.after)).collect()
}

/// Pairs of equal messages that differing stretches hold on both sides.
fn moved(old: &[Token], new: &[Token], hunks: &[Hunk], window: u32) -> Vec<(u32, u32)> {
    let mut waiting: HashMap<u32, std::collections::VecDeque<u32>, RandomState> =
        HashMap::default();
    for index in hunks.iter().flat_map(|(old, _)| old.clone()) {
        if let Some(token) = old.get(at(index)) {
            waiting.entry(token.0).or_default().push_back(index);
        }
    }
    // How much later the new side stands where a hunk begins.
    let mut pairs = Vec::new();
    for (old_range, new_range) in hunks {
        for index in new_range.clone() {
            let Some(token) = new.get(at(index)) else {
                continue;
            };
            let Some(places) = waiting.get_mut(&token.0) else {
                continue;
            };
            let here =
                old_range.start + (index - new_range.start).min(old_range.end - old_range.start);
            while places
                .front()
                .is_some_and(|place| place.saturating_add(window) < here)
            {
                places.pop_front();
            }
            if places
                .front()
                .is_some_and(|place| *place <= here.saturating_add(window))
                && let Some(place) = places.pop_front()
            {
                pairs.push((place, index));
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Joins differing stretches between which little is the same: what is the same there may be so by chance, such as a heartbeat among
/// messages that all changed.
fn joined(hunks: Vec<Hunk>) -> Vec<Hunk> {
    let size =
        |hunk: &Hunk| u64::from(hunk.0.end - hunk.0.start) + u64::from(hunk.1.end - hunk.1.start);
    let mut all: Vec<Hunk> = Vec::with_capacity(hunks.len());
    for hunk in hunks {
        if let Some(last) = all.last_mut() {
            let between = u64::from(hunk.0.start - last.0.end);
            // One message less here and one more there may be one that changed, and what lies between them the same one by one.
            let opposite =
                last.0.is_empty() && hunk.1.is_empty() || last.1.is_empty() && hunk.0.is_empty();
            let near = opposite && size(last) + between <= NEAR;
            if near || between * 4 <= size(last).min(size(&hunk)) {
                last.0.end = hunk.0.end;
                last.1.end = hunk.1.end;
                continue;
            }
        }
        all.push(hunk);
    }
    all
}

/// An alignment in the making.
struct Work<'m, M: Matter> {
    matter: &'m M,
    /// Messages that stand elsewhere.
    gone: (
        std::collections::HashSet<u32, RandomState>,
        std::collections::HashSet<u32, RandomState>,
    ),
    budget: usize,
    pairs: Vec<(u32, u32)>,
}

/// Levels of roughness.
const LEVELS: u8 = 2;

impl<M: Matter> Work<'_, M> {
    /// Takes stretches that are the same.
    fn same(&mut self, old: Range<u32>, new: Range<u32>) {
        self.pairs.extend(old.zip(new));
    }

    /// Brings together what is alike within a differing stretch.
    fn refine(&mut self, (old, new): Hunk, level: u8) {
        let left = |range: Range<u32>, gone: &std::collections::HashSet<u32, RandomState>| {
            let left: Vec<u32> = range.filter(|index| !gone.contains(index)).collect();
            left
        };
        let old = left(old, &self.gone.0);
        let new = left(new, &self.gone.1);
        self.lists(&old, &new, level);
    }

    fn lists(&mut self, old: &[u32], new: &[u32], level: u8) {
        if old.is_empty() || new.is_empty() {
            return;
        }
        let pairs = old.len().saturating_mul(new.len());
        if pairs <= MOST_PAIRS && pairs <= self.budget {
            self.budget -= pairs;
            self.all_pairs(old, new);
            return;
        }
        if level >= LEVELS {
            return;
        }
        let mut tokens = Tokens::default();
        let old_tokens: Vec<Token> = old
            .iter()
            .map(|i| tokens.of(self.matter.rough_old(*i, level)))
            .collect();
        let new_tokens: Vec<Token> = new
            .iter()
            .map(|i| tokens.of(self.matter.rough_new(*i, level)))
            .collect();
        let hunks = differing(&old_tokens, &new_tokens, tokens.count());
        let mut done = (0, 0);
        let part = |list: &[u32], range: Range<u32>| -> Vec<u32> {
            list.get(at(range.start)..at(range.end))
                .unwrap_or_default()
                .to_vec()
        };
        let end = (next(old.len()), next(new.len()));
        for hunk in hunks.into_iter().chain([(end.0..end.0, end.1..end.1)]) {
            let alike_old = part(old, done.0..hunk.0.start);
            let alike_new = part(new, done.1..hunk.1.start);
            for (old, new) in alike_old.into_iter().zip(alike_new) {
                if self.matter.likeness(old, new) >= ALIKE {
                    self.pairs.push((old, new));
                }
            }
            done = (hunk.0.end, hunk.1.end);
            self.lists(&part(old, hunk.0), &part(new, hunk.1), level + 1);
        }
    }

    /// The pairs, in order, that have most in common.
    fn all_pairs(&mut self, old: &[u32], new: &[u32]) {
        // Row by row from the end: the best that the rest can give.
        let width = new.len() + 1;
        let mut best = vec![0u32; width * (old.len() + 1)];
        let mut likeness = vec![0u32; old.len() * new.len()];
        for (row, old) in old.iter().enumerate().rev() {
            for (column, new) in new.iter().enumerate().rev() {
                let alike = self.matter.likeness(*old, *new);
                let alike = if alike >= ALIKE { alike } else { 0 };
                let cell = |row: usize, column: usize| {
                    best.get(row * width + column).copied().unwrap_or(0)
                };
                let skip = cell(row + 1, column).max(cell(row, column + 1));
                let with = if alike > 0 {
                    alike + cell(row + 1, column + 1)
                } else {
                    0
                };
                if let Some(cell) = best.get_mut(row * width + column) {
                    *cell = skip.max(with);
                }
                if let Some(cell) = likeness.get_mut(row * (width - 1) + column) {
                    *cell = alike;
                }
            }
        }
        let cell = |row: usize, column: usize| best.get(row * width + column).copied().unwrap_or(0);
        let (mut row, mut column) = (0, 0);
        while let (Some(old), Some(new)) = (old.get(row), new.get(column)) {
            let alike = likeness
                .get(row * (width - 1) + column)
                .copied()
                .unwrap_or(0);
            if alike > 0 && cell(row, column) == alike + cell(row + 1, column + 1) {
                self.pairs.push((*old, *new));
                row += 1;
                column += 1;
            } else if cell(row, column) == cell(row + 1, column) {
                row += 1;
            } else {
                column += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages by number: the tens are their type.
    struct Numbers(Vec<u32>, Vec<u32>);

    impl Matter for Numbers {
        type Exact = u32;
        type Rough = u32;

        fn lengths(&self) -> (u32, u32) {
            (next(self.0.len()), next(self.1.len()))
        }

        fn exact_old(&self, index: u32) -> u32 {
            self.0[at(index)]
        }

        fn exact_new(&self, index: u32) -> u32 {
            self.1[at(index)]
        }

        fn rough_old(&self, index: u32, _: u8) -> u32 {
            self.0[at(index)] / 10
        }

        fn rough_new(&self, index: u32, _: u8) -> u32 {
            self.1[at(index)] / 10
        }

        fn likeness(&self, old: u32, new: u32) -> u32 {
            match (self.0[at(old)], self.1[at(new)]) {
                (a, b) if a == b => SAME,
                (a, b) if a / 10 == b / 10 => 900,
                _ => 0,
            }
        }
    }

    type Pairs = Vec<(u32, u32)>;

    fn aligned(old: &[u32], new: &[u32]) -> (Pairs, Pairs) {
        let alignment = align(&Numbers(old.to_vec(), new.to_vec()), 128);
        (alignment.pairs, alignment.moved)
    }

    #[test]
    fn what_is_the_same_is_paired_and_what_is_alike_too() {
        assert_eq!(aligned(&[], &[]), (vec![], vec![]));
        assert_eq!(aligned(&[10, 20], &[]), (vec![], vec![]));
        assert_eq!(aligned(&[10, 20, 30], &[10, 30]).0, [(0, 0), (2, 1)]);
        assert_eq!(
            aligned(&[10, 20, 30], &[10, 21, 30]).0,
            [(0, 0), (1, 1), (2, 2)]
        );
        assert_eq!(aligned(&[10, 20, 30, 40], &[10, 31, 21, 40]).0.len(), 3);
        // Changed into what its neighbour is: not one less before it and one more behind it.
        assert_eq!(aligned(&[50, 10, 11, 60], &[50, 11, 11, 60]).0.len(), 4);
        assert_eq!(aligned(&[50, 11, 10, 60], &[50, 11, 11, 60]).0.len(), 4);
        let moved = aligned(&[10, 20, 30, 40, 50], &[10, 30, 40, 20, 50]);
        assert_eq!(moved, (vec![(0, 0), (2, 1), (3, 2), (4, 4)], vec![(1, 3)]));
    }

    #[test]
    fn what_is_too_far_away_is_not_moved() {
        let mut old: Vec<u32> = (1..400).map(|n| n * 10).collect();
        let new = old.clone();
        let first = old.remove(0);
        old.push(first);
        let (pairs, moved) = aligned(&old, &new);
        assert_eq!((pairs.len(), moved.len()), (398, 0));
    }

    #[test]
    fn long_sequences_in_which_all_but_a_few_changed_are_aligned_in_no_time() {
        // Every tenth message is one of few that are the same; all others are changed, and some are gone.
        let talk = |changed: u32| -> Vec<u32> {
            let one = |n: u32| {
                if n.is_multiple_of(10) {
                    10
                } else {
                    (n % 50 + 2) * 10 + changed
                }
            };
            (0..100_000).map(one).collect()
        };
        let old = talk(1);
        let mut new = talk(2);
        for gone in [70_003, 50_000, 12] {
            new.remove(gone);
        }
        let started = std::time::Instant::now();
        let (pairs, _) = aligned(&old, &new);
        assert!(pairs.len() > 99_900, "{}", pairs.len());
        assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}

//! Which thing of the new side is which of the old one: found by how often messages that were aligned name both, so that one message with a
//! wrong name is told from many with a new one.

use super::lexicon::at;
use super::things::Things;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// What stands for no thing.
const NONE: u32 = u32::MAX;

/// Counts how often things stand at the same place.
#[derive(Debug, Default)]
pub(super) struct Votes {
    /// Votes, and when the first one came.
    counts: HashMap<(u32, u32), (u32, usize), RandomState>,
}

impl Votes {
    /// Two messages that were aligned name these things.
    pub fn add(&mut self, old: &[u32], new: &[u32]) {
        for (old, new) in old.iter().zip(new) {
            let order = self.counts.len();
            let votes = self.counts.entry((*old, *new)).or_insert((0, order));
            votes.0 = votes.0.saturating_add(1);
        }
    }

    /// The result: each thing with the one that most votes give it, if they agree from both sides.
    pub fn count(self, old: &Things, new: &Things) -> Naming {
        let mut best_new: Vec<(u32, u32, usize)> = vec![(NONE, 0, 0); old.list.len()];
        let mut best_old: Vec<(u32, u32, usize)> = vec![(NONE, 0, 0); new.list.len()];
        let prefer = |best: &mut (u32, u32, usize), thing: u32, votes: u32, order: usize| {
            if votes > best.1 || votes == best.1 && order < best.2 {
                *best = (thing, votes, order);
            }
        };
        for ((old, new), (votes, order)) in self.counts {
            if let Some(best) = best_new.get_mut(at(old)) {
                prefer(best, new, votes, order);
            }
            if let Some(best) = best_old.get_mut(at(new)) {
                prefer(best, old, votes, order);
            }
        }
        let agreed = |thing: u32, chosen: u32, others: &[(u32, u32, usize)]| {
            others.get(at(chosen)).is_some_and(|back| back.0 == thing)
        };
        let choose = |mine: &[(u32, u32, usize)], others: &[(u32, u32, usize)]| -> Vec<u32> {
            let things = (0u32..).zip(mine);
            things
                .map(|(thing, best)| {
                    if agreed(thing, best.0, others) {
                        best.0
                    } else {
                        NONE
                    }
                })
                .collect()
        };
        Naming {
            to_new: choose(&best_new, &best_old),
            to_old: choose(&best_old, &best_new),
        }
    }
}

/// Which thing is which.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Naming {
    to_new: Vec<u32>,
    to_old: Vec<u32>,
}

impl Naming {
    /// Whether these are the same thing.
    pub fn same(&self, old: u32, new: u32) -> bool {
        self.to_new.get(at(old)) == Some(&new)
    }

    /// The thing of the new side that this one of the old side is.
    pub fn in_new(&self, old: u32) -> Option<u32> {
        self.to_new
            .get(at(old))
            .copied()
            .filter(|thing| *thing != NONE)
    }

    /// The thing of the old side that this one of the new side is.
    pub fn old(&self, new: u32) -> Option<u32> {
        self.to_old
            .get(at(new))
            .copied()
            .filter(|thing| *thing != NONE)
    }
}

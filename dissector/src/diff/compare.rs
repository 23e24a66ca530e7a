//! From two sides to what differs.

use super::OldSide;
use super::align::{self, Alignment, Matter};
use super::both::{Both, each_slot};
use super::latency::Slower;
use super::lexicon::{Content, Lexicon};
use super::naming::{Naming, Votes};
use super::reorder::Order;
use super::sessions::{self, SessionChange};
use super::side::{Collector, KeptSession, Side};
use super::summary::{self, Summary};
use crate::limits;
use crate::protocol::{Message, MessageType};

/// A message that is not as it was; places count from 0 within the session of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It is on the old side only.
    Missing(u32),
    /// It is on the new side only.
    Added(u32),
    /// Some of its fields are not as they were.
    Changed(u32, u32),
    /// It is there, but its order among others that it has to do with is another.
    Moved(u32, u32),
}

impl Edit {
    /// Its place on the old side.
    #[must_use]
    pub const fn old_place(self) -> Option<u32> {
        match self {
            Self::Missing(old) | Self::Changed(old, _) | Self::Moved(old, _) => Some(old),
            Self::Added(_) => None,
        }
    }

    /// Its place on the new side.
    #[must_use]
    pub const fn new_place(self) -> Option<u32> {
        match self {
            Self::Added(new) | Self::Changed(_, new) | Self::Moved(_, new) => Some(new),
            Self::Missing(_) => None,
        }
    }
}

/// A session of each side, and what differs between them.
#[derive(Debug)]
pub struct Pair {
    /// Place of the old session in its side.
    pub(super) old: usize,
    /// Place of the new session in its side.
    pub(super) new: usize,
    pub(super) alignment: Alignment,
    /// What is not as it was about the session itself.
    pub changes: Vec<SessionChange>,
    /// Messages that are not as they were, in the order in which they are best told.
    pub edits: Vec<Edit>,
    /// Messages whose order is another, as the protocol allows.
    pub reordered_freely: u64,
}

/// What came of comparing two sides.
#[derive(Debug)]
pub struct Comparison {
    pub(super) lexicon: Lexicon,
    pub(super) old: Side,
    pub(super) new: Side,
    pub(super) naming: Naming,
    /// Sessions that have a counterpart, in the order of the old side.
    pub pairs: Vec<Pair>,
    /// Sessions of the old side without counterpart, by their places.
    pub(super) missing: Vec<usize>,
    /// Sessions of the new side without counterpart, by their places.
    pub(super) added: Vec<usize>,
    /// Request types that are answered more slowly, the worst first.
    pub slower: Vec<(MessageType, Option<&'static Message>, Slower)>,
    /// All of it in numbers.
    pub summary: Summary,
}

/// Compares two sides.
#[must_use]
pub fn compare(old: OldSide, new: Collector) -> Comparison {
    let old = old.side;
    let (lexicon, new) = new.finish();
    let matched = sessions::matched(&old.sessions, &new.sessions);
    let mut alignments: Vec<Option<Alignment>> = Vec::new();
    for (o, n) in &matched {
        alignments.push(aligned(&lexicon, &old, &new, (*o, *n), None));
    }
    // Which thing is which shows when messages are aligned, and how to align them when it is known which thing is which.
    let mut naming =
        votes(&lexicon, &old, &new, &matched, &alignments).count(&old.things, &new.things);
    for _ in 0..ROUNDS {
        let mut any = false;
        for (pair, alignment) in matched.iter().zip(&mut alignments) {
            if !is_clean(&lexicon, &old, &new, *pair, alignment.as_ref(), &naming) {
                *alignment = aligned(&lexicon, &old, &new, *pair, Some(&naming));
                any = true;
            }
        }
        if !any {
            break;
        }
        naming = votes(&lexicon, &old, &new, &matched, &alignments).count(&old.things, &new.things);
    }
    let mut comparison = Comparison {
        missing: without(old.sessions.len(), matched.iter().map(|p| p.0)),
        added: without(new.sessions.len(), matched.iter().map(|p| p.1)),
        lexicon,
        old,
        new,
        naming,
        pairs: Vec::new(),
        slower: Vec::new(),
        summary: Summary::default(),
    };
    let pairs = matched.into_iter().zip(alignments);
    let pairs = pairs.filter_map(|(pair, alignment)| comparison.judged(pair, alignment?));
    comparison.pairs = pairs.collect();
    comparison.slower = summary::slower(&comparison);
    comparison.summary = summary::summary(&comparison);
    comparison
}

/// Times that alignment and naming improve each other.
const ROUNDS: usize = 2;

/// Places that are not among those given.
fn without(length: usize, given: impl Iterator<Item = usize>) -> Vec<usize> {
    let given: std::collections::BTreeSet<usize> = given.collect();
    (0..length).filter(|index| !given.contains(index)).collect()
}

fn aligned(
    lexicon: &Lexicon,
    old: &Side,
    new: &Side,
    (o, n): (usize, usize),
    naming: Option<&Naming>,
) -> Option<Alignment> {
    let both = Both {
        lexicon,
        old: old.sessions.get(o)?,
        new: new.sessions.get(n)?,
        naming,
    };
    Some(align::align(&both, limits::DIFF_WINDOW))
}

fn votes(
    lexicon: &Lexicon,
    old: &Side,
    new: &Side,
    matched: &[(usize, usize)],
    alignments: &[Option<Alignment>],
) -> Votes {
    let mut votes = Votes::default();
    for ((o, n), alignment) in matched.iter().zip(alignments) {
        let (Some(old), Some(new), Some(alignment)) =
            (old.sessions.get(*o), new.sessions.get(*n), alignment)
        else {
            continue;
        };
        for (o, n) in alignment.pairs.iter().chain(&alignment.moved) {
            let (Some(o), Some(n)) = (old.message(*o), new.message(*n)) else {
                continue;
            };
            if o.template == n.template {
                votes.add(old.things_of(lexicon, o), new.things_of(lexicon, n));
                continue;
            }
            // Changed messages still name things by the fields that both have.
            each_slot(lexicon, o.template, n.template, |old_slot, new_slot| {
                if let (Some((Content::Identity(a), o_at)), Some((Content::Identity(b), n_at))) = (
                    old_slot.map(|s| (s.0.content, s.1)),
                    new_slot.map(|s| (s.0.content, s.1)),
                ) && a == b
                    && let (Some(o), Some(n)) = (
                        old.things_of(lexicon, o).get(o_at),
                        new.things_of(lexicon, n).get(n_at),
                    )
                {
                    votes.add(&[*o], &[*n]);
                }
            });
        }
    }
    votes
}

/// Whether nothing differs between two sessions.
fn is_clean(
    lexicon: &Lexicon,
    old: &Side,
    new: &Side,
    (o, n): (usize, usize),
    alignment: Option<&Alignment>,
    naming: &Naming,
) -> bool {
    let (Some(old), Some(new), Some(alignment)) =
        (old.sessions.get(o), new.sessions.get(n), alignment)
    else {
        return true;
    };
    let all = alignment.pairs.len();
    let both = Both {
        lexicon,
        old,
        new,
        naming: Some(naming),
    };
    all == old.messages.len()
        && all == new.messages.len()
        && alignment.pairs.iter().all(|(o, n)| both.equal(*o, *n))
}

impl Comparison {
    pub(super) fn both(&self, old: usize, new: usize) -> Option<Both<'_>> {
        Some(Both {
            lexicon: &self.lexicon,
            old: self.old.sessions.get(old)?,
            new: self.new.sessions.get(new)?,
            naming: Some(&self.naming),
        })
    }

    /// Judges what an alignment left over.
    fn judged(&self, (old, new): (usize, usize), alignment: Alignment) -> Option<Pair> {
        let both = self.both(old, new)?;
        let (old_length, new_length) = both.lengths();
        let order = Order {
            lexicon: &self.lexicon,
            session: both.old,
        };
        let matters = order.relevant(&alignment.pairs, &alignment.moved);
        let mut reordered_freely = 0;
        let mut moved_old = std::collections::BTreeMap::new();
        let mut moved_new = std::collections::BTreeSet::new();
        for (pair, matters) in alignment.moved.iter().zip(matters) {
            let counts = matters || self.lexicon.rules.strict_order;
            moved_old.insert(pair.0, (pair.1, counts));
            moved_new.insert(pair.1);
            reordered_freely += u64::from(!counts);
        }
        let mut edits = Vec::new();
        let (mut o, mut n) = (0, 0);
        let ends = alignment.pairs.iter().copied();
        for (old_end, new_end) in ends.chain([(old_length, new_length)]) {
            while o < old_end {
                match moved_old.get(&o) {
                    None => edits.push(Edit::Missing(o)),
                    Some((to, true)) => edits.push(Edit::Moved(o, *to)),
                    Some((_, false)) => {}
                }
                o += 1;
            }
            while n < new_end {
                if !moved_new.contains(&n) {
                    edits.push(Edit::Added(n));
                }
                n += 1;
            }
            if o < old_length && !both.equal(o, n) && self.differs(&both, o, n) {
                edits.push(Edit::Changed(o, n));
            }
            (o, n) = (old_end.saturating_add(1), new_end.saturating_add(1));
        }
        let changes = match (&both.old.about, &both.new.about) {
            (Some(old), Some(new)) => sessions::changes(old, new),
            _ => Vec::new(),
        };
        Some(Pair {
            old,
            new,
            changes,
            edits,
            reordered_freely,
            alignment,
        })
    }

    /// Whether any field differs that is compared.
    fn differs(&self, both: &Both<'_>, old: u32, new: u32) -> bool {
        let (Some(o), Some(n)) = (both.old.message(old), both.new.message(new)) else {
            return false;
        };
        let mut differs = false;
        each_slot(
            &self.lexicon,
            o.template,
            n.template,
            |old_slot, new_slot| {
                differs |= match (old_slot, new_slot) {
                    (Some(old), Some(new)) => !both.same_slot(old, new, (o, n)),
                    _ => true,
                };
            },
        );
        differs
    }

    /// The session of each side at a place.
    pub(super) fn session_of(&self, index: usize, is_new: bool) -> Option<&KeptSession> {
        let side = if is_new { &self.new } else { &self.old };
        side.sessions.get(index)
    }

    /// Whether anything differs.
    #[must_use]
    pub fn is_different(&self) -> bool {
        self.summary.is_different()
    }
}

//! From two sides to what differs.

use super::OldSide;
use super::align::{self, Alignment, Matter};
use super::both::{Both, Common, each_slot};
use super::latency::Slower;
use super::lexicon::{Content, Lexicon};
use super::naming::{Naming, Votes};
use super::reorder::Order;
use super::sessions::{self, SessionChange};
use super::side::{Collector, KeptSession, Side};
use super::summary::{self, Summary};
use crate::limits;
use crate::protocol::{Message, MessageType, roles};
use crate::reassembly::End;

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
    /// What both can say, where they have different versions.
    pub(super) common: Option<Common>,
    /// What is not as it was about the session itself.
    pub changes: Vec<SessionChange>,
    /// Messages that are not as they were, in the order in which they are best told.
    pub edits: Vec<Edit>,
    /// Messages whose order is another, as the protocol allows.
    pub reordered_freely: u64,
    /// Heartbeats and answers to them that only the old and only the new side has: their number depends on how long a run lasts.
    pub heartbeats: (u64, u64),
    /// Of the messages that are missing and added: those behind the end of the new and of the old capture, which ends before the session.
    pub behind_end: (u64, u64),
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Whether the capture ends before the session.
fn is_cut(session: &KeptSession) -> bool {
    let about = session.about.as_ref();
    about.is_some_and(|about| about.end == Some(End::CaptureEnded))
}

/// What came of comparing two sides.
#[derive(Debug)]
pub struct Comparison {
    pub(super) lexicon: Lexicon,
    pub(super) old: Side,
    pub(super) new: Side,
    pub(super) naming: Naming,
    /// Sessions of both sides, before some were joined.
    pub(super) counted: (usize, usize),
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
    let mut old = old.side;
    let (lexicon, mut new) = new.finish();
    let sessions = (old.sessions.len(), new.sessions.len());
    let matched = sessions::joined(&mut old.sessions, &mut new.sessions);
    let matched: Vec<Matched> = matched
        .into_iter()
        .map(|(o, n)| Matched::new(&lexicon, &old, &new, (o, n)))
        .collect();
    let mut alignments: Vec<Option<Alignment>> = Vec::new();
    for pair in &matched {
        alignments.push(aligned(&lexicon, &old, &new, pair, None));
    }
    // Which thing is which shows when messages are aligned, and how to align them when it is known which thing is which.
    let mut naming =
        votes(&lexicon, &old, &new, &matched, &alignments).count(&old.things, &new.things);
    for _ in 0..ROUNDS {
        let mut any = false;
        for (pair, alignment) in matched.iter().zip(&mut alignments) {
            if !is_clean(&lexicon, &old, &new, pair, alignment.as_ref(), &naming) {
                *alignment = aligned(&lexicon, &old, &new, pair, Some(&naming));
                any = true;
            }
        }
        if !any {
            break;
        }
        let before = naming;
        naming = votes(&lexicon, &old, &new, &matched, &alignments).count(&old.things, &new.things);
        // The same names lead to the same alignments.
        if naming == before {
            break;
        }
    }
    let mut comparison = Comparison {
        missing: without(old.sessions.len(), matched.iter().map(|p| p.old)),
        added: without(new.sessions.len(), matched.iter().map(|p| p.new)),
        lexicon,
        old,
        new,
        naming,
        counted: sessions,
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

/// Sessions of both sides that do the same.
struct Matched {
    old: usize,
    new: usize,
    common: Option<Common>,
}

impl Matched {
    fn new(lexicon: &Lexicon, old: &Side, new: &Side, (o, n): (usize, usize)) -> Self {
        let sessions = old.sessions.get(o).zip(new.sessions.get(n));
        Self {
            old: o,
            new: n,
            common: sessions.and_then(|(old, new)| Common::of(lexicon, old, new)),
        }
    }
}

fn aligned(
    lexicon: &Lexicon,
    old: &Side,
    new: &Side,
    pair: &Matched,
    naming: Option<&Naming>,
) -> Option<Alignment> {
    let both = Both {
        lexicon,
        old: old.sessions.get(pair.old)?,
        new: new.sessions.get(pair.new)?,
        naming,
        common: pair.common.as_ref(),
    };
    Some(align::align(&both, limits::DIFF_WINDOW))
}

fn votes(
    lexicon: &Lexicon,
    old: &Side,
    new: &Side,
    matched: &[Matched],
    alignments: &[Option<Alignment>],
) -> Votes {
    let mut votes = Votes::default();
    for (pair, alignment) in matched.iter().zip(alignments) {
        let (Some(old), Some(new), Some(alignment)) = (
            old.sessions.get(pair.old),
            new.sessions.get(pair.new),
            alignment,
        ) else {
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
    pair: &Matched,
    alignment: Option<&Alignment>,
    naming: &Naming,
) -> bool {
    let (Some(old), Some(new), Some(alignment)) = (
        old.sessions.get(pair.old),
        new.sessions.get(pair.new),
        alignment,
    ) else {
        return true;
    };
    let all = alignment.pairs.len();
    let both = Both {
        lexicon,
        old,
        new,
        naming: Some(naming),
        common: pair.common.as_ref(),
    };
    all == old.messages.len()
        && all == new.messages.len()
        && alignment.pairs.iter().all(|(o, n)| both.equal(*o, *n))
}

impl Comparison {
    pub(super) fn both<'c>(&'c self, pair: &'c Pair) -> Option<Both<'c>> {
        self.side_by_side(pair.old, pair.new, pair.common.as_ref())
    }

    fn side_by_side<'c>(
        &'c self,
        old: usize,
        new: usize,
        common: Option<&'c Common>,
    ) -> Option<Both<'c>> {
        Some(Both {
            lexicon: &self.lexicon,
            old: self.old.sessions.get(old)?,
            new: self.new.sessions.get(new)?,
            naming: Some(&self.naming),
            common,
        })
    }

    /// Judges what an alignment left over.
    fn judged(&self, matched: Matched, alignment: Alignment) -> Option<Pair> {
        let Matched { old, new, common } = matched;
        let both = self.side_by_side(old, new, common.as_ref())?;
        let changes = sessions::changes(&self.lexicon.rules, both.old, both.new);
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
        let mut beats = (0, 0);
        let (mut o, mut n) = (0, 0);
        let ends = alignment.pairs.iter().copied();
        for (old_end, new_end) in ends.chain([(old_length, new_length)]) {
            while o < old_end {
                match moved_old.get(&o) {
                    None if self.is_heartbeat(both.old, o) => beats.0 += 1,
                    None => edits.push(Edit::Missing(o)),
                    Some((to, true)) => edits.push(Edit::Moved(o, *to)),
                    Some((_, false)) => {}
                }
                o += 1;
            }
            while n < new_end {
                if self.is_heartbeat(both.new, n) && !moved_new.contains(&n) {
                    beats.1 += 1;
                } else if !moved_new.contains(&n) {
                    edits.push(Edit::Added(n));
                }
                n += 1;
            }
            if o < old_length && !both.equal(o, n) && self.differs(&both, &changes, o, n) {
                edits.push(Edit::Changed(o, n));
            }
            (o, n) = (old_end.saturating_add(1), new_end.saturating_add(1));
        }
        // What comes behind the last message that both have, where a capture ends before its session.
        let last = alignment.pairs.last().copied();
        let is_behind = |edit: &&Edit| match (**edit, last) {
            (Edit::Missing(o), Some((last, _))) => o > last,
            (Edit::Added(n), Some((_, last))) => n > last,
            _ => false,
        };
        let behind = edits.iter().filter(is_behind);
        let missing = behind.clone().filter(|e| matches!(e, Edit::Missing(_)));
        let behind_end = (
            if is_cut(both.new) {
                count(missing.count())
            } else {
                0
            },
            if is_cut(both.old) {
                count(behind.filter(|e| matches!(e, Edit::Added(_))).count())
            } else {
                0
            },
        );
        Some(Pair {
            old,
            new,
            changes,
            edits,
            reordered_freely,
            heartbeats: beats,
            behind_end,
            alignment,
            common,
        })
    }

    fn is_heartbeat(&self, session: &KeptSession, index: u32) -> bool {
        let head = session
            .message(index)
            .and_then(|kept| self.lexicon.head(kept.template));
        head.is_some_and(|head| matches!(head.number, roles::HEARTBEAT_REQ | roles::HEARTBEAT_CONF))
    }

    /// Whether any field differs that is compared, beside those that are told as changes of the session.
    fn differs(&self, both: &Both<'_>, changes: &[SessionChange], old: u32, new: u32) -> bool {
        let (Some(o), Some(n)) = (both.old.message(old), both.new.message(new)) else {
            return false;
        };
        let name = self.lexicon.message(n.template).map_or("", |m| m.name);
        let told: Vec<&str> = sessions::aspects_by(name)
            .filter(|aspect| sessions::is_settled(&self.lexicon.rules, changes, aspect))
            .filter_map(|aspect| aspect.field.map(|(_, field)| field))
            .collect();
        let mut differs = false;
        both.each_difference((o, n), |old_slot, new_slot| {
            let field = old_slot.or(new_slot).map(|slot| slot.0.field);
            let field = field.and_then(|field| self.lexicon.about(field));
            differs |= !field.is_some_and(|field| told.contains(&&*field.name));
        });
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

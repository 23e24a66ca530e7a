//! From two sides to what differs.

use super::OldSide;
use super::align::{self, Alignment, Matter};
use super::latency::Slower;
use super::lexicon::{Content, Lexicon, Slot, Value, next};
use super::naming::{Naming, Votes};
use super::reorder::Order;
use super::rules::classes;
use super::sessions::{self, SessionChange};
use super::side::{Collector, Kept, KeptSession, Side};
use super::summary::{self, Summary};
use crate::limits;
use crate::protocol::{Message, MessageType, Scope};
use crate::record::Direction;
use smallvec::SmallVec;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

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

/// Two sessions side by side.
pub(super) struct Both<'a> {
    pub lexicon: &'a Lexicon,
    pub old: &'a KeptSession,
    pub new: &'a KeptSession,
    /// Which thing is which; `None` while that is not known, so that all of a class are the same.
    pub naming: Option<&'a Naming>,
}

/// Calls back with the slots of two templates: those that stand for the same field together, each with its place among the identities of
/// its template.
pub(super) fn each_slot<'l>(
    lexicon: &'l Lexicon,
    old: u32,
    new: u32,
    mut call: impl FnMut(Option<(&'l Slot, usize)>, Option<(&'l Slot, usize)>),
) {
    let (old, new) = (lexicon.slots(old), lexicon.slots(new));
    let (mut row, mut column) = (0, 0);
    let (mut old_things, mut new_things) = (0, 0);
    let step = |slot: &Slot, things: &mut usize| {
        let at = *things;
        *things += usize::from(matches!(slot.content, Content::Identity(_)));
        at
    };
    loop {
        let key = |slot: &Slot| (slot.entry, slot.field);
        let (o, n) = (old.get(row), new.get(column));
        let order = match (o, n) {
            (Some(o), Some(n)) => key(o).cmp(&key(n)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return,
        };
        let o = o.filter(|_| order.is_le());
        let n = n.filter(|_| order.is_ge());
        row += usize::from(o.is_some());
        column += usize::from(n.is_some());
        let o = o.map(|slot| (slot, step(slot, &mut old_things)));
        let n = n.map(|slot| (slot, step(slot, &mut new_things)));
        call(o, n);
    }
}

impl Both<'_> {
    fn old_at(&self, index: u32) -> Option<&Kept> {
        self.old.message(index)
    }

    fn new_at(&self, index: u32) -> Option<&Kept> {
        self.new.message(index)
    }

    /// Whether two messages say the same and name the same things.
    pub fn equal(&self, old: u32, new: u32) -> bool {
        let (Some(o), Some(n)) = (self.old_at(old), self.new_at(new)) else {
            return false;
        };
        if o.template != n.template {
            return false;
        }
        let things = self.old.things_of(self.lexicon, o).iter();
        let mut things = things.zip(self.new.things_of(self.lexicon, n));
        things.all(|(o, n)| self.naming.is_none_or(|naming| naming.same(*o, *n)))
    }

    /// Whether a field says the same in two messages.
    pub fn same_slot(
        &self,
        (old, old_thing): (&Slot, usize),
        (new, new_thing): (&Slot, usize),
        (o, n): (&Kept, &Kept),
    ) -> bool {
        match (old.content, new.content) {
            (Content::Value(a), Content::Value(b)) => {
                a == b || self.within_tolerance(old.field, a, b)
            }
            (Content::Identity(a), Content::Identity(b)) => {
                let Some(naming) = self.naming.filter(|_| a == b) else {
                    return a == b;
                };
                let old = self.old.things_of(self.lexicon, o).get(old_thing);
                let new = self.new.things_of(self.lexicon, n).get(new_thing);
                old.zip(new)
                    .is_some_and(|(old, new)| naming.same(*old, *new))
            }
            (old, new) => old == new,
        }
    }

    fn within_tolerance(&self, field: u32, old: u32, new: u32) -> bool {
        let Some(tolerance) = self.lexicon.about(field).and_then(|f| f.tolerance) else {
            return false;
        };
        match (self.lexicon.value_of(old), self.lexicon.value_of(new)) {
            (Value::Number { value: old, .. }, Value::Number { value: new, .. }) => {
                tolerance.allows(old, new)
            }
            (Value::Text(old), Value::Text(new)) => {
                let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse().ok();
                let numbers: Option<(i64, i64)> = number(old).zip(number(new));
                numbers.is_some_and(|(old, new)| tolerance.allows(old, new))
            }
            _ => false,
        }
    }

    /// What a message is about, roughly: the things that it names, but for its exchange, and some fields.
    fn subject(&self, session: &KeptSession, kept: &Kept, is_new: bool) -> u64 {
        // One hasher for all: both sides must agree.
        let mut hasher = foldhash::fast::FixedState::with_seed(1).build_hasher();
        let mut things = session.things_of(self.lexicon, kept).iter();
        for slot in self.lexicon.slots(kept.template) {
            match slot.content {
                Content::Identity(class) => {
                    let thing = things.next().copied().unwrap_or(u32::MAX);
                    let class = classes().get(usize::from(class));
                    if class.is_some_and(|class| class.scope == Scope::Exchange) {
                        continue;
                    }
                    if let Some(naming) = self.naming {
                        let thing = if is_new {
                            naming.old(thing).unwrap_or(u32::MAX)
                        } else {
                            thing
                        };
                        thing.hash(&mut hasher);
                    }
                }
                Content::Value(value) => {
                    let name = self.lexicon.about(slot.field).map(|f| &*f.name);
                    if matches!(
                        name,
                        Some(
                            "AgentID"
                                | "ICMAgentID"
                                | "ConnectionDeviceID"
                                | "SkillGroupNumber"
                                | "AgentState"
                        )
                    ) {
                        value.hash(&mut hasher);
                    }
                }
                Content::Varies | Content::Masked => {}
            }
        }
        hasher.finish()
    }

    fn rough(&self, session: &KeptSession, index: u32, level: u8, is_new: bool) -> Rough {
        let Some(kept) = session.message(index) else {
            return (0, false, 0);
        };
        let head = self.lexicon.head(kept.template);
        let subject = if level == 0 {
            self.subject(session, kept, is_new)
        } else {
            0
        };
        (
            head.map_or(0, |h| h.number.0),
            head.is_some_and(|h| h.direction == Direction::ClientToServer),
            subject,
        )
    }
}

/// Type, direction, and what it is about.
type Rough = (u32, bool, u64);

impl Matter for Both<'_> {
    type Exact = (u32, SmallVec<[u32; 4]>);
    type Rough = Rough;

    fn lengths(&self) -> (u32, u32) {
        (next(self.old.messages.len()), next(self.new.messages.len()))
    }

    fn exact_old(&self, index: u32) -> Self::Exact {
        let Some(kept) = self.old_at(index) else {
            return (u32::MAX, SmallVec::new());
        };
        let things = self.naming.map(|_| {
            let things = self.old.things_of(self.lexicon, kept);
            SmallVec::from_slice(things)
        });
        (kept.template, things.unwrap_or_default())
    }

    fn exact_new(&self, index: u32) -> Self::Exact {
        let Some(kept) = self.new_at(index) else {
            return (u32::MAX, SmallVec::new());
        };
        let things = self.naming.map(|naming| {
            let things = self.new.things_of(self.lexicon, kept).iter();
            things
                .map(|thing| naming.old(*thing).unwrap_or(u32::MAX))
                .collect()
        });
        (kept.template, things.unwrap_or_default())
    }

    fn rough_old(&self, index: u32, level: u8) -> Rough {
        self.rough(self.old, index, level, false)
    }

    fn rough_new(&self, index: u32, level: u8) -> Rough {
        self.rough(self.new, index, level, true)
    }

    fn likeness(&self, old: u32, new: u32) -> u32 {
        let (Some(o), Some(n)) = (self.old_at(old), self.new_at(new)) else {
            return 0;
        };
        if self.lexicon.head(o.template) != self.lexicon.head(n.template) {
            return 0;
        }
        if self.equal(old, new) {
            return align::SAME;
        }
        // The type is one thing that they have in common.
        let (mut same, mut all, mut strangers) = (1u32, 1u32, 0u32);
        each_slot(
            self.lexicon,
            o.template,
            n.template,
            |old_slot, new_slot| {
                all = all.saturating_add(1);
                if let (Some(old_slot), Some(new_slot)) = (old_slot, new_slot) {
                    if self.same_slot(old_slot, new_slot, (o, n)) {
                        same = same.saturating_add(1);
                    } else if matches!(old_slot.0.content, Content::Identity(_)) {
                        strangers += 1;
                    }
                }
            },
        );
        let likeness = u64::from(same) * 1_000 / u64::from(all);
        // A message that names something else is rather another message.
        let likeness = u32::try_from(likeness).unwrap_or(1_000);
        likeness.saturating_sub(strangers.min(4) * 50)
    }
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

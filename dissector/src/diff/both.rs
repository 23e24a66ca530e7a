//! Two sessions side by side: what makes their messages the same, and how much two that are not have in common.

use super::align::{self, Matter};
use super::lexicon::{Content, Head, Lexicon, Slot, Value, next};
use super::naming::Naming;
use super::rules::classes;
use super::side::{Kept, KeptSession};
use crate::protocol::{ProtocolVersion, Scope};
use crate::record::Direction;
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

/// Two sessions side by side.
pub(super) struct Both<'a> {
    pub lexicon: &'a Lexicon,
    pub old: &'a KeptSession,
    pub new: &'a KeptSession,
    /// Which thing is which; `None` while that is not known, so that all of a class are the same.
    pub naming: Option<&'a Naming>,
    /// What the messages say but for what only one of the two versions can; `None` for sessions of one version.
    pub common: Option<&'a Common>,
}

/// Templates without the fields that only one of two protocol versions has.
#[derive(Debug)]
pub(super) struct Common {
    pub versions: (u8, u8),
    /// By template: the number that it shares with all that say the same in both versions.
    numbers: HashMap<u32, u32, RandomState>,
}

impl Common {
    /// For two sessions; `None` where both have the same version.
    pub fn of(lexicon: &Lexicon, old: &KeptSession, new: &KeptSession) -> Option<Self> {
        let version =
            |session: &KeptSession| session.about.as_ref()?.version.map(ProtocolVersion::known);
        let versions = (version(old)?, version(new)?);
        if versions.0 == versions.1 {
            return None;
        }
        let mut numbers = HashMap::default();
        let mut known: HashMap<(Option<Head>, Vec<Slot>), u32, RandomState> = HashMap::default();
        for message in old.messages.iter().chain(&new.messages) {
            if numbers.contains_key(&message.template) {
                continue;
            }
            let slots = lexicon.slots(message.template).iter();
            let slots = slots.filter(|slot| !is_of_one(lexicon, slot, versions));
            let key = (lexicon.head(message.template), slots.copied().collect());
            let number = next(known.len());
            numbers.insert(message.template, *known.entry(key).or_insert(number));
        }
        Some(Self { versions, numbers })
    }
}

fn is_of_one(lexicon: &Lexicon, slot: &Slot, versions: (u8, u8)) -> bool {
    let field = lexicon.about(slot.field);
    field.is_some_and(|field| field.is_of_one(versions))
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
        if self.words(o) != self.words(n) {
            return false;
        }
        let Some(naming) = self.naming else {
            return true;
        };
        if self.common.is_none() {
            let things = self.old.things_of(self.lexicon, o).iter();
            let mut things = things.zip(self.new.things_of(self.lexicon, n));
            return things.all(|(o, n)| naming.same(*o, *n));
        }
        let things = self.things(self.old, o).into_iter();
        let mut things = things.zip(self.things(self.new, n));
        things.all(|(o, n)| naming.same(o, n))
    }

    /// What a message says, as a number.
    fn words(&self, kept: &Kept) -> u32 {
        let number = self
            .common
            .and_then(|common| common.numbers.get(&kept.template));
        number.copied().unwrap_or(kept.template)
    }

    /// The things that a message names, but for those of fields that only one version has.
    fn things(&self, session: &KeptSession, kept: &Kept) -> SmallVec<[u32; 4]> {
        let things = session.things_of(self.lexicon, kept);
        let Some(common) = self.common else {
            return SmallVec::from_slice(things);
        };
        let slots = self.lexicon.slots(kept.template).iter();
        let names = slots.filter(|slot| matches!(slot.content, Content::Identity(_)));
        names
            .zip(things)
            .filter(|(slot, _)| !is_of_one(self.lexicon, slot, common.versions))
            .map(|(_, thing)| *thing)
            .collect()
    }

    /// Whether a slot is left out, since only one version has the field.
    pub fn leaves_out(&self, slot: &Slot) -> bool {
        self.common
            .is_some_and(|common| is_of_one(self.lexicon, slot, common.versions))
    }

    /// Calls back with the fields that differ between two messages.
    pub fn each_difference<'l>(
        &'l self,
        (o, n): (&Kept, &Kept),
        mut call: impl FnMut(Option<(&'l Slot, usize)>, Option<(&'l Slot, usize)>),
    ) {
        each_slot(self.lexicon, o.template, n.template, |old, new| {
            let same = match (old, new) {
                (Some(old), Some(new)) => self.same_slot(old, new, (o, n)),
                (one, other) => one.or(other).is_some_and(|slot| self.leaves_out(slot.0)),
            };
            if !same {
                call(old, new);
            }
        });
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
                    let field = self.lexicon.about(slot.field);
                    if field.is_some_and(|field| field.is_subject) {
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
        let things = self.naming.map(|_| self.things(self.old, kept));
        (self.words(kept), things.unwrap_or_default())
    }

    fn exact_new(&self, index: u32) -> Self::Exact {
        let Some(kept) = self.new_at(index) else {
            return (u32::MAX, SmallVec::new());
        };
        let things = self.naming.map(|naming| {
            let mut things = self.things(self.new, kept);
            for thing in &mut things {
                *thing = naming.old(*thing).unwrap_or(u32::MAX);
            }
            things
        });
        (self.words(kept), things.unwrap_or_default())
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
                if old_slot
                    .or(new_slot)
                    .is_some_and(|slot| self.leaves_out(slot.0))
                {
                    return;
                }
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

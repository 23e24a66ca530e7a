//! What a comparison has to show: messages in a line, and fields that changed. Texts may hold whatever the captures do.

use super::compare::{Comparison, Edit, Pair};
use super::lexicon::{Content, Slot};
use super::rules::classes;
use super::side::{Kept, KeptSession};
use super::summary::type_name;
use super::things::class_name;
use crate::protocol::{self, Kind, MessageType, Scope};
use crate::record::Direction;
use crate::session::Session;
use crate::time::Timestamp;

/// Fields that the line of a message shows.
const MOST_SHOWN: usize = 8;

/// A message in a line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Number of its session in its capture.
    pub session: u32,
    /// Number of the message in its capture.
    pub no: u32,
    /// Number of its first packet, where known.
    pub packet: Option<u32>,
    /// When it came.
    pub time: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// Its name, or `type N`.
    pub name: String,
    /// Its part in the conversation.
    pub kind: Option<Kind>,
    /// It says that something failed.
    pub fails: bool,
    /// The fields that tell most.
    pub parts: Vec<Part>,
}

/// A field as a line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What stands before the equals sign.
    pub label: String,
    /// The value.
    pub value: Vec<u8>,
}

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// Number of its list entry, from 1.
    pub entry: Option<u16>,
    /// How it was; `None` where it was not there.
    pub old: Option<Vec<u8>>,
    /// How it is; `None` where it is not there.
    pub new: Option<Vec<u8>>,
}

/// What is shown of a pair of sessions, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Messages that are the same, around a difference: their places on both sides.
    Same(u32, u32),
    /// A difference.
    Differs(Edit),
    /// So many messages that are the same are left out here.
    Skipped(usize),
}

impl Comparison {
    /// The first differences between two sessions, with as many of the same messages around each as `context` says.
    #[must_use]
    pub fn places(&self, pair: &Pair, context: usize, most: usize) -> Vec<Place> {
        let pairs = self.aligned(pair);
        let mut places = Vec::new();
        let same = |places: &mut Vec<Place>, from: usize, to: usize| {
            let pairs = pairs.get(from..to.min(pairs.len())).unwrap_or_default();
            places.extend(pairs.iter().map(|(old, new)| Place::Same(*old, *new)));
        };
        let skip = |places: &mut Vec<Place>, count: usize| {
            if count > 0 {
                places.push(Place::Skipped(count));
            }
        };
        // Pairs up to here are told.
        let mut done: Option<usize> = None;
        for edit in pair.edits.iter().take(most) {
            // Pairs before this edit.
            let before = match (edit.old_place(), edit.new_place()) {
                (Some(old), _) => pairs.partition_point(|pair| pair.0 < old),
                (None, new) => pairs.partition_point(|pair| Some(pair.1) < new),
            };
            let from = match done {
                Some(done) if before <= done.saturating_add(2 * context) => done,
                Some(done) => {
                    same(&mut places, done, done.saturating_add(context));
                    let from = before.saturating_sub(context);
                    skip(&mut places, from - done.saturating_add(context));
                    from
                }
                None => {
                    let from = before.saturating_sub(context);
                    skip(&mut places, from);
                    from
                }
            };
            same(&mut places, from, before);
            places.push(Place::Differs(*edit));
            let changed = matches!(edit, Edit::Changed(..));
            done = Some(before.max(from) + usize::from(changed));
        }
        if let Some(done) = done {
            let end = done.saturating_add(context).min(pairs.len());
            same(&mut places, done, end);
            if pair.edits.len() <= most {
                skip(&mut places, pairs.len() - end);
            }
        }
        places
    }

    /// A message of the old side.
    #[must_use]
    pub fn old_line(&self, pair: &Pair, index: u32) -> Option<Line> {
        let session = self.session_of(pair.old, false)?;
        self.line(session, index, false)
    }

    /// A message of the new side.
    #[must_use]
    pub fn new_line(&self, pair: &Pair, index: u32) -> Option<Line> {
        let session = self.session_of(pair.new, true)?;
        self.line(session, index, true)
    }

    fn line(&self, session: &KeptSession, index: u32, is_new: bool) -> Option<Line> {
        let kept = session.message(index)?;
        let head = self.lexicon.head(kept.template)?;
        let message = self.lexicon.message(kept.template);
        Some(Line {
            session: session.number_at(index),
            no: kept.no,
            packet: (kept.packet > 0).then_some(kept.packet),
            time: kept.time,
            direction: head.direction,
            name: type_name(head.number, message),
            kind: message.map(|m| m.kind),
            fails: message.is_some_and(|m| m.failure.is_some()),
            parts: self.parts(session, kept, is_new),
        })
    }

    /// The fields that the timeline shows of such a message.
    fn parts(&self, session: &KeptSession, kept: &Kept, is_new: bool) -> Vec<Part> {
        let slots = self.slots(session, kept);
        let Some(layout) = self
            .lexicon
            .message(kept.template)
            .and_then(|m| m.layouts.last().map(|layout| (m, layout)))
        else {
            return Vec::new();
        };
        let (message, layout) = layout;
        let mut parts = Vec::new();
        for shown in layout.timeline {
            let name = match shown.place {
                protocol::Place::Fixed(index) => layout.fixed.get(index).map(|f| f.name),
                protocol::Place::Floating(tag) => message.floating(tag).map(|f| f.name),
            };
            let found = slots.iter().find(|(slot, _)| {
                let field = self.lexicon.about(slot.field);
                field.is_some_and(|field| Some(&*field.name) == name)
            });
            let Some((slot, thing)) = found else { continue };
            let special = self.lexicon.about(slot.field).and_then(|f| f.special);
            if let (Content::Value(value), Some(special)) = (slot.content, special)
                && let super::lexicon::Value::Number { bits, .. } = self.lexicon.value_of(value)
                && bits == special.value
            {
                continue;
            }
            let value = self.show(slot, *thing, is_new);
            if !value.is_empty() && slot.content != Content::Varies {
                parts.push(Part {
                    label: shown.label.to_owned(),
                    value,
                });
            }
            if parts.len() >= MOST_SHOWN {
                break;
            }
        }
        parts
    }

    fn slots<'s>(&'s self, session: &'s KeptSession, kept: &Kept) -> Vec<(&'s Slot, Option<u32>)> {
        let mut things = session.things_of(&self.lexicon, kept).iter().copied();
        let slots = self.lexicon.slots(kept.template).iter();
        slots
            .map(|slot| {
                let names = matches!(slot.content, Content::Identity(_));
                (slot, if names { things.next() } else { None })
            })
            .collect()
    }

    /// What is compared of a field, as people read it: things by their class and number, the number that the old side gives them.
    fn show(&self, slot: &Slot, thing: Option<u32>, is_new: bool) -> Vec<u8> {
        let field = self.lexicon.about(slot.field);
        match slot.content {
            Content::Value(value) => {
                let (table, special) = field.map_or((None, None), |f| (f.table, f.special));
                self.lexicon.value_of(value).show(table, special)
            }
            Content::Identity(class) => self.thing(class, thing, is_new).into_bytes(),
            Content::Varies => b"(varies)".to_vec(),
            Content::Masked => b"(masked)".to_vec(),
        }
    }

    fn thing(&self, class: u8, thing: Option<u32>, is_new: bool) -> String {
        let side = if is_new { &self.new } else { &self.old };
        let about = |side: &super::side::Side, thing: u32| {
            side.things.list.get(super::lexicon::at(thing)).copied()
        };
        let Some((thing, own)) = thing.and_then(|t| Some((t, about(side, t)?))) else {
            return class_name(class).to_owned();
        };
        let raw = self.lexicon.value_of(own.value).show(None, None);
        let raw = String::from_utf8_lossy(&raw).into_owned();
        let known = if is_new {
            self.naming.old(thing).and_then(|old| about(&self.old, old))
        } else {
            Some(own)
        };
        // A request's own number tells more than a count of requests, and is in the captures.
        let is_exchange = classes()
            .get(usize::from(class))
            .is_some_and(|class| class.scope == Scope::Exchange);
        match known {
            Some(known) if !is_exchange => format!("{}#{}", class_name(class), known.ordinal),
            _ => raw,
        }
    }

    /// What changed in a message.
    #[must_use]
    pub fn field_changes(&self, pair: &Pair, old: u32, new: u32) -> Vec<FieldChange> {
        let mut changes = Vec::new();
        let Some(both) = self.both(pair) else {
            return changes;
        };
        let (Some(o), Some(n)) = (both.old.message(old), both.new.message(new)) else {
            return changes;
        };
        let old_things = both.old.things_of(&self.lexicon, o);
        let new_things = both.new.things_of(&self.lexicon, n);
        both.each_difference((o, n), |old_slot, new_slot| {
            let Some(slot) = old_slot.or(new_slot).map(|s| s.0) else {
                return;
            };
            let name = self.lexicon.about(slot.field).map(|f| f.name.to_string());
            let show = |slot: Option<(&Slot, usize)>, things: &[u32], is_new: bool| {
                slot.map(|(slot, at)| self.full(slot, things.get(at).copied(), is_new))
            };
            changes.push(FieldChange {
                field: name.unwrap_or_default(),
                entry: (slot.entry > 0).then_some(slot.entry),
                old: show(old_slot, old_things, false),
                new: show(new_slot, new_things, true),
            });
        });
        changes
    }

    /// As [`show`](Self::show), with the name that the run gave a thing.
    fn full(&self, slot: &Slot, thing: Option<u32>, is_new: bool) -> Vec<u8> {
        let shown = self.show(slot, thing, is_new);
        let Content::Identity(_) = slot.content else {
            return shown;
        };
        let side = if is_new { &self.new } else { &self.old };
        let about = thing.and_then(|t| side.things.list.get(super::lexicon::at(t)));
        let raw = about.map(|own| self.lexicon.value_of(own.value).show(None, None));
        match raw {
            Some(raw) if raw != shown => {
                let mut both = raw;
                both.extend_from_slice(b" (");
                both.extend_from_slice(&shown);
                both.push(b')');
                both
            }
            _ => shown,
        }
    }

    /// Patterns of the rules that name nothing: mistyped, as likely as not.
    #[must_use]
    pub fn unknown_patterns(&self) -> Vec<super::UnknownPattern<'_>> {
        super::unknown::patterns(&self.lexicon)
    }

    /// Sessions of a pair.
    #[must_use]
    pub fn sessions(&self, pair: &Pair) -> (SessionView<'_>, SessionView<'_>) {
        (
            SessionView::of(self.session_of(pair.old, false)),
            SessionView::of(self.session_of(pair.new, true)),
        )
    }

    /// Sessions of the old side without counterpart.
    pub fn missing_sessions(&self) -> impl Iterator<Item = SessionView<'_>> {
        let places = self.missing.iter();
        places.map(|place| SessionView::of(self.session_of(*place, false)))
    }

    /// Sessions of the new side without counterpart.
    pub fn added_sessions(&self) -> impl Iterator<Item = SessionView<'_>> {
        let places = self.added.iter();
        places.map(|place| SessionView::of(self.session_of(*place, true)))
    }

    /// Pairs of messages of two sessions that are the same or changed, in order; places as in [`Edit`](super::Edit).
    #[must_use]
    pub fn aligned<'p>(&self, pair: &'p Pair) -> &'p [(u32, u32)] {
        &pair.alignment.pairs
    }

    /// The name of a request type.
    #[must_use]
    pub fn type_name(
        number: MessageType,
        message: Option<&'static crate::protocol::Message>,
    ) -> String {
        type_name(number, message)
    }
}

/// A session in brief.
#[derive(Debug, Clone, Copy)]
pub struct SessionView<'a> {
    /// Its number in its capture.
    pub number: u32,
    /// The number of the last session that was joined to it, if any was.
    pub joined: Option<u32>,
    /// What is known of it.
    pub about: Option<&'a Session>,
    /// How many of its messages are compared.
    pub messages: u64,
}

impl<'a> SessionView<'a> {
    fn of(session: Option<&'a KeptSession>) -> Self {
        Self {
            number: session.map_or(0, |s| s.number),
            joined: session
                .and_then(|s| s.joined.last())
                .map(|(_, number)| *number),
            about: session.and_then(|s| s.about.as_deref()),
            messages: session.map_or(0, |s| u64::try_from(s.messages.len()).unwrap_or(u64::MAX)),
        }
    }
}

//! Counts what differs by message type, by field and by call. What is counted goes by numbers; words come at the end, since there may be a
//! million differences of the same few kinds.

use super::both::Both;
use super::compare::{Comparison, Edit};
use super::lexicon::Content;
use super::rules::call_class;
use super::side::{Kept, KeptSession};
use super::summary::{Amounts, FieldCount, LoneCalls, Summary, type_name};
use crate::protocol::{Message, MessageType};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

/// What a field was and is: what is compared of it, on the sides that have it.
type Contents = (Option<Content>, Option<Content>);

/// Calls that only one side has, and messages about them.
#[derive(Default)]
struct Calls {
    things: HashSet<u32, RandomState>,
    messages: u64,
}

/// The counts.
pub(super) struct Tally<'c> {
    comparison: &'c Comparison,
    types: HashMap<MessageType, (Option<&'static Message>, Amounts), RandomState>,
    /// By field: the message that has it, how often it changed, and how, while that is always the same.
    fields: HashMap<u32, (MessageType, u64, Option<Contents>), RandomState>,
    calls: (Calls, Calls),
}

impl<'c> Tally<'c> {
    pub fn new(comparison: &'c Comparison) -> Self {
        Self {
            comparison,
            types: HashMap::default(),
            fields: HashMap::default(),
            calls: Default::default(),
        }
    }

    /// The next difference between two sessions.
    pub fn edit(&mut self, both: &Both<'_>, edit: Edit) {
        let old = edit.old_place().and_then(|place| both.old.message(place));
        let new = edit.new_place().and_then(|place| both.new.message(place));
        let Some(kept) = new.or(old) else { return };
        let lexicon = &self.comparison.lexicon;
        let Some(head) = lexicon.head(kept.template) else {
            return;
        };
        let of_type = self.types.entry(head.number).or_default();
        of_type.0 = of_type.0.or(lexicon.message(kept.template));
        of_type.1.add(edit);
        match (edit, old, new) {
            (Edit::Changed(..), Some(old), Some(new)) => self.fields(both, head.number, old, new),
            (Edit::Missing(_), Some(old), _) => self.lone(both.old, old, false),
            (Edit::Added(_), _, Some(new)) => self.lone(both.new, new, true),
            _ => {}
        }
    }

    fn fields(&mut self, both: &Both<'_>, number: MessageType, old: &Kept, new: &Kept) {
        let fields = &mut self.fields;
        both.each_difference((old, new), |old, new| {
            let contents = (old.map(|s| s.0.content), new.map(|s| s.0.content));
            let Some(field) = old.or(new).map(|s| s.0.field) else {
                return;
            };
            let counted = fields.entry(field).or_insert((number, 0, Some(contents)));
            counted.1 += 1;
            counted.2 = counted.2.filter(|known| *known == contents);
        });
    }

    /// A message that only one side has: perhaps about a call that only this side has.
    fn lone(&mut self, session: &KeptSession, kept: &Kept, is_new: bool) {
        let comparison = self.comparison;
        let slots = comparison.lexicon.slots(kept.template).iter();
        let names = slots.filter_map(|slot| match slot.content {
            Content::Identity(class) => Some(class),
            _ => None,
        });
        let things = names.zip(session.things_of(&comparison.lexicon, kept));
        let calls = if is_new {
            &mut self.calls.1
        } else {
            &mut self.calls.0
        };
        let mut any = false;
        for (_, thing) in things.filter(|(class, _)| Some(*class) == call_class()) {
            let counterpart = if is_new {
                comparison.naming.old(*thing)
            } else {
                comparison.naming.in_new(*thing)
            };
            if counterpart.is_none() {
                any = true;
                calls.things.insert(*thing);
            }
        }
        calls.messages += u64::from(any);
    }

    /// Writes the counts into the summary.
    pub fn finish(self, summary: &mut Summary) {
        let lexicon = &self.comparison.lexicon;
        let name = |number: MessageType| {
            let message = self.types.get(&number).and_then(|of_type| of_type.0);
            type_name(number, message)
        };
        for (number, (_, amounts)) in &self.types {
            summary.by_type.insert(name(*number), *amounts);
        }
        for (field, (number, count, contents)) in &self.fields {
            let Some(about) = lexicon.about(*field) else {
                continue;
            };
            let show = |content: Option<Content>| match content {
                None => Some(None),
                Some(Content::Value(value)) => Some(Some(
                    lexicon.value_of(value).show(about.table, about.special),
                )),
                Some(_) => None,
            };
            let values = contents.and_then(|(old, new)| show(old).zip(show(new)));
            let key = (name(*number), about.name.to_string());
            let count = FieldCount {
                count: *count,
                values,
            };
            summary.fields.insert(key, count);
        }
        let lone = |calls: &Calls| LoneCalls {
            calls: u64::try_from(calls.things.len()).unwrap_or(u64::MAX),
            messages: calls.messages,
        };
        summary.lone_calls = (lone(&self.calls.0), lone(&self.calls.1));
    }
}

//! A message as analyses see it, with its fields by name.

use crate::decode::{FieldValue, FloatingView, MessageView};
use crate::protocol::MessageType;
use crate::record::{MessageInfo, Record};
use std::borrow::Cow;

/// A message, decoded, and whether the user asked for it. Fields are found by their names in the protocol tables; those that are not in the
/// message, hold their NULL value or are masked are `None`, so that an analysis cannot take them for content.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Its place in the conversation.
    pub info: &'a MessageInfo,
    /// Its fields.
    pub view: &'a MessageView<'a>,
    /// It passed the selection.
    pub selected: bool,
}

impl<'a> Seen<'a> {
    /// Whether it is the message of this type.
    #[must_use]
    pub fn is(&self, number: MessageType) -> bool {
        self.info
            .message
            .is_some_and(|message| message.number == number)
    }

    /// Its name; empty for messages that no table knows.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.info.message.map_or("", |message| message.name)
    }

    /// A number by the name of its field, fixed or floating (the first one with that name), unless it is NULL.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        if let Some(field) = self.view.fixed_named(name) {
            return field.special().is_none().then_some(field.number().bits);
        }
        self.floating(name).find_map(|field| match field.value() {
            FieldValue::Number(number) if field.special(number).is_none() => Some(number.bits),
            _ => None,
        })
    }

    /// A number by the name of its fixed field, NULL or not.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<u32> {
        self.view.fixed_named(name).map(|field| field.number().bits)
    }

    /// A text by the name of its field (the first one with that name), unless it is empty or masked. Bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.texts(name).next()
    }

    /// The agent that it names: AgentID, else AgentIDLong, cut where it is longer than any may be.
    #[must_use]
    pub fn agent(&self) -> Option<String> {
        /// The protocol has at most 64.
        const LONGEST: usize = 128;
        let id = self.text("AgentID").or_else(|| self.text("AgentIDLong"))?;
        let mut end = id.len().min(LONGEST);
        while !id.is_char_boundary(end) {
            end -= 1;
        }
        id.get(..end).map(ToOwned::to_owned)
    }

    /// All texts with this name, likewise.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        self.floating(name).filter_map(|field| match field.value() {
            FieldValue::Text(text) if !text.is_empty() && !self.view.hides(&field) => {
                Some(String::from_utf8_lossy(text))
            }
            _ => None,
        })
    }

    /// The floating fields with this name, in order.
    pub fn floating(&self, name: &str) -> impl Iterator<Item = FloatingView<'a>> {
        self.view
            .floating()
            .filter(move |field| field.name() == Some(name))
    }

    /// The short name of the value of a fixed field, by its table; `None` for NULL and for values that the table lacks.
    #[must_use]
    pub fn value_name(&self, name: &str) -> Option<&'static str> {
        let field = self.view.fixed_named(name)?;
        if field.special().is_some() {
            return None;
        }
        let value = field.field().table?.get(field.number().bits)?;
        Some(value.short)
    }
}

/// Something that looks at all records of a capture, in order, to tell at the end (or on the way) what only several of them show.
pub trait Analysis {
    /// The next message.
    fn message(&mut self, seen: &Seen<'_>);

    /// The next record of any other kind. Exchanges come when their outcome is known, behind both messages.
    fn record(&mut self, record: &Record<'_>) {
        let _ = record;
    }

    /// The same, and whether the user asked for it: an exchange when one of its messages is selected.
    fn judged(&mut self, record: &Record<'_>, selected: bool) {
        let _ = selected;
        self.record(record);
    }

    /// The next TCP segment of the capture, CTI or not. It comes before the messages that it completes, and much before those that are held
    /// back.
    fn segment(&mut self, segment: &crate::capture::Segment<'_>) {
        let _ = segment;
    }
}

impl<A: Analysis + ?Sized> Analysis for Box<A> {
    fn message(&mut self, seen: &Seen<'_>) {
        (**self).message(seen);
    }

    fn record(&mut self, record: &Record<'_>) {
        (**self).record(record);
    }

    fn judged(&mut self, record: &Record<'_>, selected: bool) {
        (**self).judged(record, selected);
    }

    fn segment(&mut self, segment: &crate::capture::Segment<'_>) {
        (**self).segment(segment);
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        /// Several analyses in one reading.
        impl<$($name: Analysis),*> Analysis for ($($name,)*) {
            fn message(&mut self, seen: &Seen<'_>) {
                $(self.$index.message(seen);)*
            }

            fn record(&mut self, record: &Record<'_>) {
                $(self.$index.record(record);)*
            }

            fn judged(&mut self, record: &Record<'_>, selected: bool) {
                $(self.$index.judged(record, selected);)*
            }

            fn segment(&mut self, segment: &crate::capture::Segment<'_>) {
                $(self.$index.segment(segment);)*
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);

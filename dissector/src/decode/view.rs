//! A decoded message, as a view on its bytes.

use super::parse::Item;
use super::value::{self, FieldValue};
use super::wire::{self, HEADER_LEN, Header, Number};
use crate::finding::Finding;
use crate::protocol::{
    FixedField, FloatingField, FloatingUse, Layout, Message, MessageType, ProtocolVersion, Special,
    ValueTable, Variant,
};
use std::ops::Range;

/// By which layout a message was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// The message's layout at the session's version.
    Usual,
    /// Another known layout, because the usual one does not fit.
    Variant(&'static Variant),
    /// The layout of another protocol version, because the usual one does not fit.
    OtherVersion(u8),
    /// The layout is not published; the floating part was found at this offset, by search.
    Searched(usize),
    /// Nothing is known of the message's layout.
    Unknown,
}

/// A message and what its bytes say. Borrows the bytes and the decoder's scratch space.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) header: Header,
    pub(super) version: ProtocolVersion,
    pub(super) message: Option<&'static Message>,
    pub(super) layout: Option<&'static Layout>,
    pub(super) reading: Reading,
    pub(super) items: &'a [Item],
    pub(super) unread: usize,
    pub(super) findings: &'a [Finding],
}

impl<'a> MessageView<'a> {
    /// The whole message, header included.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// MessageLength of the header: bytes behind the header.
    #[must_use]
    pub const fn length(&self) -> u32 {
        self.header.length
    }

    /// Bytes that the header promises and that are not there: the capture lacks them.
    #[must_use]
    pub fn missing(&self) -> usize {
        let promised = usize::try_from(self.header.length)
            .unwrap_or(usize::MAX)
            .saturating_add(HEADER_LEN);
        promised.saturating_sub(self.bytes.len())
    }

    /// MessageType of the header.
    #[must_use]
    pub const fn number(&self) -> MessageType {
        self.header.number
    }

    /// The version by whose rules it was read.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// What the message is; `None` for a type that no table knows.
    #[must_use]
    pub const fn message(&self) -> Option<&'static Message> {
        self.message
    }

    /// The layout it was read by.
    #[must_use]
    pub const fn layout(&self) -> Option<&'static Layout> {
        self.layout
    }

    /// How that layout was chosen.
    #[must_use]
    pub const fn reading(&self) -> Reading {
        self.reading
    }

    /// What is worth telling about it.
    #[must_use]
    pub const fn findings(&self) -> &'a [Finding] {
        self.findings
    }

    /// The fixed part in wire order, as far as the message has it.
    pub fn fixed(&self) -> impl Iterator<Item = FixedView<'a>> + use<'a> {
        let bytes = self.bytes;
        let fields: &'static [FixedField] = self.layout.map_or(&[], |l| l.fixed);
        fields
            .iter()
            .map_while(move |field| fixed_view(bytes, field))
    }

    /// One field of the fixed part by its place in the layout.
    #[must_use]
    pub fn fixed_at(&self, index: usize) -> Option<FixedView<'a>> {
        fixed_view(self.bytes, self.layout?.fixed.get(index)?)
    }

    /// One field of the fixed part by name.
    #[must_use]
    pub fn fixed_named(&self, name: &str) -> Option<FixedView<'a>> {
        let field = self.layout?.fixed.iter().find(|f| f.name == name)?;
        fixed_view(self.bytes, field)
    }

    /// The floating part in wire order.
    pub fn floating(&self) -> impl Iterator<Item = FloatingView<'a>> + use<'a> {
        let bytes = self.bytes;
        self.items
            .iter()
            .map(move |item| FloatingView { bytes, item })
    }

    /// The first floating field with a tag.
    #[must_use]
    pub fn floating_tag(&self, tag: u16) -> Option<FloatingView<'a>> {
        self.floating().find(|f| f.tag() == tag)
    }

    /// Bytes that could not be decoded: offset from the beginning of the message, and the bytes. They reach to its end.
    #[must_use]
    pub fn unread(&self) -> Option<(usize, &'a [u8])> {
        let at = self.bytes.len().saturating_sub(self.unread);
        self.bytes
            .get(at..)
            .filter(|rest| !rest.is_empty())
            .map(|rest| (at, rest))
    }

    /// Bytes of the unpublished fixed part, where a search found the floating part behind it: offset and bytes.
    #[must_use]
    pub fn opaque(&self) -> Option<(usize, &'a [u8])> {
        let Reading::Searched(end) = self.reading else {
            return None;
        };
        let start = HEADER_LEN + usize::from(self.layout.map_or(0, |l| l.size));
        self.bytes
            .get(start..end)
            .filter(|b| !b.is_empty())
            .map(|b| (start, b))
    }

    /// Whether the message may carry a secret that decoding missed, as when it was read by rules that are not its own. Then bytes that no
    /// field of the message explains (see [`unread`](Self::unread) and [`opaque`](Self::opaque)) must not be shown unless asked for.
    #[must_use]
    pub fn may_hide_secret(&self) -> bool {
        self.message.is_some_and(|m| m.secret)
    }

    /// Whether the data of a field must not be shown unless asked for: it is a secret, or may be a part of one because the message has no
    /// such field or not of that size.
    #[must_use]
    pub fn hides(&self, field: &FloatingView<'_>) -> bool {
        let is_odd = || field.usage().is_none() || matches!(field.value(), FieldValue::Raw(_));
        field.is_secret() || (self.may_hide_secret() && is_odd())
    }
}

fn fixed_view<'a>(bytes: &'a [u8], field: &'static FixedField) -> Option<FixedView<'a>> {
    let start = HEADER_LEN + usize::from(field.offset);
    let end = start + usize::from(field.wire.size()?);
    let raw = bytes.get(start..end)?;
    let number = wire::number(field.wire, raw)?;
    Some(FixedView { field, number, raw })
}

/// A field of the fixed part.
#[derive(Debug, Clone, Copy)]
pub struct FixedView<'a> {
    field: &'static FixedField,
    number: Number,
    raw: &'a [u8],
}

impl<'a> FixedView<'a> {
    /// Its definition.
    #[must_use]
    pub const fn field(&self) -> &'static FixedField {
        self.field
    }

    /// Its number; every fixed field is one.
    #[must_use]
    pub const fn number(&self) -> Number {
        self.number
    }

    /// Its value by its type.
    #[must_use]
    pub const fn value(&self) -> FieldValue<'a> {
        value::numeric_value(self.field.wire, self.number)
    }

    /// Its NULL value, if it has that value.
    #[must_use]
    pub fn special(&self) -> Option<&'static Special> {
        self.field.special.filter(|s| s.value == self.number.bits)
    }

    /// Bytes from the beginning of the message.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let start = HEADER_LEN + usize::from(self.field.offset);
        start..start + self.raw.len()
    }
}

/// A field of the floating part.
#[derive(Debug, Clone, Copy)]
pub struct FloatingView<'a> {
    bytes: &'a [u8],
    item: &'a Item,
}

impl<'a> FloatingView<'a> {
    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> u16 {
        self.item.tag
    }

    /// Its name as this message calls it; `None` for a tag that no table knows.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.item
            .usage
            .map(|u| u.name)
            .or_else(|| self.item.field.map(|f| f.name))
    }

    /// Its definition.
    #[must_use]
    pub const fn field(&self) -> Option<&'static FloatingField> {
        self.item.field
    }

    /// How this message uses it; `None` when no table gives it to this message.
    #[must_use]
    pub const fn usage(&self) -> Option<&'static FloatingUse> {
        self.item.usage
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> FieldValue<'a> {
        value::floating_value(self.item.field, self.raw())
    }

    /// Its data.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.bytes.get(self.item.data.clone()).unwrap_or(&[])
    }

    /// Names of its values or bits.
    #[must_use]
    pub fn table(&self) -> Option<&'static ValueTable> {
        self.item.field.and_then(|f| f.table)
    }

    /// Whether it is a secret by its tag. What must not be shown is more than that: see [`MessageView::hides`].
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.item.field.is_some_and(|f| f.secret)
    }

    /// The NULL value that `number` is for this field.
    #[must_use]
    pub fn special(&self, number: Number) -> Option<&'static Special> {
        let special = self
            .item
            .usage
            .and_then(|u| u.special)
            .or_else(|| self.item.field.and_then(|f| f.special));
        special.filter(|s| s.value == number.bits)
    }

    /// Number of its list entry within the message, from 1; fields of one entry share it.
    #[must_use]
    pub const fn group(&self) -> Option<usize> {
        if self.item.group == 0 {
            None
        } else {
            Some(self.item.group)
        }
    }

    /// Tag, length and data: bytes from the beginning of the message.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.item.at..self.item.data.end
    }

    /// The data alone: bytes from the beginning of the message.
    #[must_use]
    pub fn data_range(&self) -> Range<usize> {
        self.item.data.clone()
    }
}

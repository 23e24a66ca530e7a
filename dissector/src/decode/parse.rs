//! Reads a body by one given layout and says how well it fits.

use super::wire::{self, HEADER_LEN};
use crate::protocol::{
    self, FloatingField, FloatingHeader, FloatingUse, Layout, Message, WireType,
};
use std::ops::Range;

/// A floating field found in a message: where it stands and what the tables say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its tag.
    pub tag: u16,
    /// Offset of the tag from the beginning of the message.
    pub at: usize,
    /// Range of the data from the beginning of the message.
    pub data: Range<usize>,
    /// How the message uses it, where the tables say.
    pub usage: Option<&'static FloatingUse>,
    /// Its definition, where the tables have one.
    pub field: Option<&'static FloatingField>,
    /// Number of its list entry within the message, from 1; 0 for a field that is in no list.
    pub group: usize,
}

/// How well a body fits a layout. All zero: it ends where it should, and every floating field belongs to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fit {
    /// Bytes that the fixed part lacks.
    pub missing: usize,
    /// Bytes behind the last floating field that could be read.
    pub unread: usize,
    /// Fields whose tag no table knows.
    pub unknown: usize,
    /// Fields that no table gives to this message.
    pub foreign: usize,
    /// Fields whose length does not suit their type.
    pub misfits: usize,
}

impl Fit {
    /// The body is read to its last byte and nothing in it is out of place.
    pub const fn is_exact(self) -> bool {
        self.missing == 0
            && self.unread == 0
            && self.unknown == 0
            && self.foreign == 0
            && self.misfits == 0
    }
}

/// Reads the floating part behind `layout`'s fixed part into `items` (which is cleared first).
pub(crate) fn parse(
    bytes: &[u8],
    message: &'static Message,
    layout: &'static Layout,
    header: FloatingHeader,
    items: &mut Vec<Item>,
) -> Fit {
    items.clear();
    let start = HEADER_LEN + usize::from(layout.size);
    let Some(mut rest) = bytes.get(start..) else {
        return Fit {
            missing: start - bytes.len(),
            ..Fit::default()
        };
    };
    let mut fit = Fit::default();
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let Ok((after, raw)) = wire::floating_field(header, rest) else {
            fit.unread = rest.len();
            break;
        };
        let usage = message.floating(raw.tag);
        let field = usage
            .map(|u| u.field)
            .or_else(|| protocol::floating(raw.tag));
        match field {
            None => fit.unknown += 1,
            Some(field) => {
                if usage.is_none() && !field.listed_for.contains(&message.name) {
                    fit.foreign += 1;
                }
                if !length_suits(field, raw.data.len()) {
                    fit.misfits += 1;
                }
            }
        }
        let end = bytes.len() - after.len();
        items.push(Item {
            tag: raw.tag,
            at,
            data: end - raw.data.len()..end,
            usage,
            field,
            group: 0,
        });
        rest = after;
    }
    if message.floating.is_empty() && fit.unknown > 0 {
        // A message without a floating part and bytes that are no fields: better raw than misread.
        items.clear();
        fit = Fit {
            unread: bytes.len() - start,
            ..Fit::default()
        };
    }
    fit
}

/// Whether data of this length can be of the field's type.
pub(crate) fn length_suits(field: &FloatingField, length: usize) -> bool {
    match field.wire {
        None => true,
        Some(WireType::String | WireType::Unspec) => true,
        Some(WireType::NamedVariable) => length >= 2,
        Some(WireType::NamedArray) => length >= 3,
        Some(wire) => {
            let size = usize::from(wire.size().unwrap_or(0));
            if field.array {
                length.is_multiple_of(size)
            } else {
                length == size
            }
        }
    }
}

/// Finds the floating part of a message whose fixed part is not published: the earliest offset from which known fields,
/// each with plausible data, lead to exactly the end.
pub(crate) fn search_floating(
    bytes: &[u8],
    from: usize,
    header: FloatingHeader,
    items: &mut Vec<Item>,
) -> Option<usize> {
    items.clear();
    // leads[i]: a chain of plausible fields leads from offset i to the end. Filled from the end backwards, so that the
    // cost is linear whatever the bytes.
    let mut leads = vec![false; bytes.len() + 1];
    *leads.last_mut()? = true;
    let mut start = None;
    for at in (from..bytes.len()).rev() {
        let rest = bytes.get(at..)?;
        let Ok((after, raw)) = wire::floating_field(header, rest) else {
            continue;
        };
        let end = bytes.len() - after.len();
        let fits = leads.get(end).copied().unwrap_or(false)
            && protocol::floating(raw.tag).is_some_and(|field| plausible(field, raw.data));
        if fits && let Some(slot) = leads.get_mut(at) {
            *slot = true;
            start = Some(at);
        }
    }
    let start = start?;
    let mut rest = bytes.get(start..)?;
    while let Ok((after, raw)) = wire::floating_field(header, rest) {
        let (at, end) = (bytes.len() - rest.len(), bytes.len() - after.len());
        let field = protocol::floating(raw.tag);
        items.push(Item {
            tag: raw.tag,
            at,
            data: end - raw.data.len()..end,
            usage: None,
            field,
            group: 0,
        });
        rest = after;
    }
    Some(start)
}

/// Stricter than [`length_suits`]: used where nothing but the data speaks for a field.
fn plausible(field: &FloatingField, data: &[u8]) -> bool {
    if !length_suits(field, data.len())
        || field.max.is_some_and(|max| data.len() > usize::from(max))
    {
        return false;
    }
    match field.wire {
        Some(WireType::String) => match data.split_last() {
            Some((0, text)) => text.iter().all(|b| (0x20..0x7F).contains(b)),
            _ => false,
        },
        Some(WireType::NamedVariable) => wire::named_variable(data).is_ok(),
        Some(WireType::NamedArray) => wire::named_array(data).is_ok(),
        Some(_) => true,
        None => data.len() <= 255,
    }
}

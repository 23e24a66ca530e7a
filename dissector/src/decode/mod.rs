//! From the bytes of one message to its fields. Knows nothing of TCP, time or other messages.
//!
//! Decoding never fails: a message yields what could be read, the unread rest, and findings.

mod checks;
mod lists;
mod parse;
mod value;
mod view;
mod weigh;
pub mod wire;

pub use value::{FieldValue, Numbers};
pub use view::{FixedView, FloatingView, MessageView, Reading};
pub(crate) use weigh::{VERSIONS, is_whole};
pub use wire::{HEADER_LEN, Header, Number};

use crate::finding::{Code, Finding};
use crate::protocol::{self, FloatingHeader, Layout, Message, ProtocolVersion, Variant};
use lists::ListCount;
use parse::{Fit, Item};

/// Largest message of the protocol in bytes, header included (version 24 guide).
pub const MAX_MESSAGE: usize = 12_500;

/// Decodes messages one after the other, reusing its scratch space: no allocation per field.
#[derive(Debug, Default)]
pub struct Decoder {
    items: Vec<Item>,
    trial: Vec<Item>,
    counts: Vec<ListCount>,
    findings: Vec<Finding>,
    /// How many messages were decoded.
    #[cfg(test)]
    pub(crate) decoded: u64,
}

impl Decoder {
    /// A decoder with empty scratch space.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a message, header included, as the message that its type means in the usual numbering.
    pub fn decode<'a>(&'a mut self, bytes: &'a [u8], version: ProtocolVersion) -> MessageView<'a> {
        let message = wire::header(bytes)
            .ok()
            .and_then(|(_, h)| protocol::message(h.number));
        self.decode_as(bytes, version, message)
    }

    /// Decodes a message, header included, as a given one: servers number some messages differently.
    pub fn decode_as<'a>(
        &'a mut self,
        bytes: &'a [u8],
        version: ProtocolVersion,
        message: Option<&'static Message>,
    ) -> MessageView<'a> {
        #[cfg(test)]
        {
            self.decoded += 1;
        }
        self.findings.clear();
        self.items.clear();
        self.counts.clear();
        let Ok((_, header)) = wire::header(bytes) else {
            return self.without_header(bytes, version);
        };
        let mut view = MessageView {
            bytes,
            header,
            version,
            message,
            layout: None,
            reading: Reading::Unknown,
            items: &[],
            unread: bytes.len().saturating_sub(HEADER_LEN),
            findings: &[],
        };
        if let Some(message) = message {
            let (layout, reading, fit) = self.read(bytes, version, message);
            view.layout = layout;
            view.reading = reading;
            view.unread = match fit.missing {
                0 => fit.unread,
                // The fixed part is cut: what is left of the field that the cut goes through.
                _ => layout.map_or(0, |l| left_of_cut_field(bytes, l)),
            };
            lists::group(message, bytes, &mut self.items, &mut self.counts);
            checks::check(&view, fit, &self.items, &self.counts, &mut self.findings);
        } else {
            checks::unknown_type(&view, &mut self.findings);
        }
        view.items = &self.items;
        view.findings = &self.findings;
        view
    }

    /// Fewer bytes than a header has: nothing can be said about them.
    fn without_header<'a>(
        &'a mut self,
        bytes: &'a [u8],
        version: ProtocolVersion,
    ) -> MessageView<'a> {
        let there = bytes.len();
        let text = format!("{there} of {HEADER_LEN} bytes of the header captured");
        self.findings
            .push(Finding::at(Code::CutMessage, there, text));
        MessageView {
            bytes,
            header: Header {
                length: 0,
                number: protocol::MessageType(0),
            },
            version,
            message: None,
            layout: None,
            reading: Reading::Unknown,
            items: &[],
            unread: there,
            findings: &self.findings,
        }
    }

    /// Whether some known layout at this version (or, with the same floating header, of a neighbouring one) reads the message
    /// to its last byte, with nothing out of place.
    pub(crate) fn is_exact(
        &mut self,
        bytes: &[u8],
        version: ProtocolVersion,
        message: &'static Message,
    ) -> bool {
        let (layout, reading, fit) = self.read(bytes, version, message);
        layout.is_some() && fit.is_exact() && reading != Reading::Unknown
    }

    /// Reads the body by the usual layout or, where that does not fit and another does, by that one.
    fn read(
        &mut self,
        bytes: &[u8],
        version: ProtocolVersion,
        message: &'static Message,
    ) -> (Option<&'static Layout>, Reading, Fit) {
        let (known, header) = (version.known(), version.floating_header());
        let Some(usual) = message.layout(known) else {
            return (None, Reading::Unknown, Fit::default());
        };
        let promised = wire::header(bytes).map_or(0, |(_, h)| h.length);
        if usize::try_from(promised).is_ok_and(|p| p.saturating_add(HEADER_LEN) > bytes.len()) {
            // Part of the message was not captured: no layout can fit, so none can be told by fitting.
            let fit = parse::parse(bytes, message, usual, header, &mut self.items);
            return (Some(usual), Reading::Usual, fit);
        }
        if !message.published {
            let start = HEADER_LEN + usize::from(usual.size);
            return match parse::search_floating(bytes, start, header, &mut self.items) {
                Some(at) => (Some(usual), Reading::Searched(at), Fit::default()),
                None if bytes.len() < start => (
                    Some(usual),
                    Reading::Unknown,
                    Fit {
                        missing: start - bytes.len(),
                        ..Fit::default()
                    },
                ),
                None => (
                    Some(usual),
                    Reading::Unknown,
                    Fit {
                        unread: bytes.len() - start,
                        ..Fit::default()
                    },
                ),
            };
        }
        let applies =
            |v: &&Variant| v.since.is_none_or(|s| s <= known) && v.until.is_none_or(|u| known <= u);
        let body = bytes.len().saturating_sub(HEADER_LEN);
        for variant in message.variants.iter().filter(applies) {
            if variant.body.map(usize::from) == Some(body)
                && let Some(layout) = variant.layout(known)
                && self.try_layout(bytes, message, layout, header)
            {
                return (Some(layout), Reading::Variant(variant), Fit::default());
            }
        }
        let fit = parse::parse(bytes, message, usual, header, &mut self.items);
        if fit.is_exact() {
            for variant in message
                .variants
                .iter()
                .filter(applies)
                .filter(|v| v.by_values)
            {
                if let Some(layout) = variant.layout(known)
                    && checks::unknown_fixed_values(bytes, usual)
                    && !checks::unknown_fixed_values(bytes, layout)
                    && self.try_layout(bytes, message, layout, header)
                {
                    return (Some(layout), Reading::Variant(variant), Fit::default());
                }
            }
            return (Some(usual), Reading::Usual, fit);
        }
        for variant in message
            .variants
            .iter()
            .filter(applies)
            .filter(|v| !v.by_values)
        {
            if let Some(layout) = variant.layout(known)
                && self.try_layout(bytes, message, layout, header)
            {
                return (Some(layout), Reading::Variant(variant), Fit::default());
            }
        }
        let mut others: Vec<(u8, &Layout)> = message
            .layouts
            .iter()
            .filter(|l| !std::ptr::eq(*l, usual))
            .map(|l| (known.clamp(l.since, l.until), l))
            .collect();
        others.sort_by_key(|(nearest, _)| nearest.abs_diff(known));
        for (nearest, layout) in others {
            if self.try_layout(bytes, message, layout, header) {
                return (Some(layout), Reading::OtherVersion(nearest), Fit::default());
            }
        }
        (Some(usual), Reading::Usual, fit)
    }

    /// Whether the body fits a layout to the last byte; then the items are those of this layout.
    fn try_layout(
        &mut self,
        bytes: &[u8],
        message: &'static Message,
        layout: &'static Layout,
        header: FloatingHeader,
    ) -> bool {
        let exact = parse::parse(bytes, message, layout, header, &mut self.trial).is_exact();
        if exact {
            std::mem::swap(&mut self.items, &mut self.trial);
        }
        exact
    }
}

/// Whether decoding may find one of some tags in a message to which no table gives them; the message must be a published one. Tells it
/// without decoding: such a field makes a message fit no layout, and then it is read by the usual one.
pub(crate) fn has_foreign_tag(
    bytes: &[u8],
    version: ProtocolVersion,
    message: &'static Message,
    tags: &[u16],
) -> bool {
    let Some(layout) = message.layout(version.known()) else {
        return false;
    };
    let header = version.floating_header();
    let mut rest = bytes
        .get(HEADER_LEN + usize::from(layout.size)..)
        .unwrap_or(&[]);
    while let Ok((after, field)) = wire::floating_field(header, rest) {
        if tags.contains(&field.tag) {
            return true;
        }
        rest = after;
    }
    false
}

/// Bytes of a fixed part that ends inside a field: those behind the last whole field.
fn left_of_cut_field(bytes: &[u8], layout: &'static Layout) -> usize {
    let body = bytes.len().saturating_sub(HEADER_LEN);
    let whole = layout
        .fixed
        .iter()
        .map(|f| usize::from(f.offset) + usize::from(f.wire.size().unwrap_or(0)))
        .take_while(|end| *end <= body)
        .last()
        .unwrap_or(0);
    body - whole
}

#[cfg(test)]
mod tests;

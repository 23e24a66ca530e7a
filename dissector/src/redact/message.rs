//! Redacts the bytes of one message. It begins with blanks and copies only what is known to tell nothing, or its pseudonym.

use super::policy::{Policy, UNKNOWN};
use super::pseudonym::{Pseudonyms, is_control};
use super::report::Report;
use crate::decode::{
    Decoder, FieldValue, FixedView, FloatingView, HEADER_LEN, MessageView, Reading,
};
use crate::finding::Code;
use crate::protocol::privacy::Treatment;
use crate::protocol::{Message, ProtocolVersion, WireType};
use crate::record::MessageInfo;
use crate::session::VersionSource;
use std::net::IpAddr;
use std::ops::Range;

/// Redacts messages.
pub(super) struct Messages {
    policy: Policy,
    pseudonyms: Pseudonyms,
    pub report: Report,
    decoder: Decoder,
    again: Decoder,
}

/// What blanks are made of. Zeros might be read as fields without data where the original could not be read at all; the other
/// one is a length that no message has.
const BLANKS: [u8; 2] = [0, 0xff];

impl Messages {
    pub(super) fn new(policy: Policy, pseudonyms: Pseudonyms) -> Self {
        Self {
            policy,
            pseudonyms,
            report: Report::default(),
            decoder: Decoder::new(),
            again: Decoder::new(),
        }
    }

    /// The message that stands for another one: as long, and with the same fields.
    pub(super) fn redact(&mut self, info: &MessageInfo, bytes: &[u8]) -> Vec<u8> {
        self.report.messages += 1;
        let mut decoder = std::mem::take(&mut self.decoder);
        let view = decoder.decode_as(bytes, info.version, info.message);
        let mut cover = Cover {
            out: Vec::with_capacity(bytes.len()),
            known: vec![false; bytes.len()],
            view: &view,
            // Of what was cut off, a version that was only inferred is not confirmed by the end.
            odd: is_odd(&view) || view.missing() > 0 && !is_certain(info.version_source),
            misread: is_misread(&view),
        };
        self.fill(&mut cover);
        let Cover { mut out, known, .. } = cover;
        let blanked = known.iter().filter(|known| !**known).count();
        self.report.blanked += u64::try_from(blanked).unwrap_or(0);
        if blanked > 0 {
            let shape = Shape::of(&view);
            let fits = BLANKS.iter().any(|blank| {
                for (byte, known) in out.iter_mut().zip(&known) {
                    if !known {
                        *byte = *blank;
                    }
                }
                shape == shape_of(&mut self.again, &out, info.version, info.message)
            });
            self.report.reshaped += u64::from(!fits);
        }
        self.decoder = decoder;
        out
    }

    /// The address that stands for another one.
    pub(super) fn address(&mut self, address: IpAddr) -> IpAddr {
        match self.policy.class("address") {
            Treatment::Keep => address,
            _ => self.pseudonyms.address(address),
        }
    }

    /// Replaces a hardware address.
    pub(super) fn hardware(&mut self, address: &mut [u8]) {
        if self.policy.class("address") != Treatment::Keep {
            self.pseudonyms.hardware(address);
        }
    }

    fn fill(&mut self, cover: &mut Cover<'_>) {
        let bytes = cover.view.bytes();
        cover.out.resize(bytes.len(), 0);
        cover.copy(0..HEADER_LEN.min(bytes.len()));
        for field in cover.view.fixed() {
            self.fixed(cover, &field);
        }
        for field in cover.view.floating() {
            self.floating(cover, &field);
        }
    }

    fn fixed(&mut self, cover: &mut Cover<'_>, field: &FixedView<'_>) {
        let definition = field.field();
        let range = field.range();
        let known_value = definition
            .table
            .is_some_and(|t| t.get(field.number().bits).is_some());
        let is_certain = known_value || field.special().is_some() || is_small(cover.slice(&range));
        if !is_certain && (cover.misread || cover.odd && may_be_text(cover.slice(&range))) {
            // The message was read by a layout that does not fit it: these may be letters.
            return;
        }
        cover.copy(range.clone());
        let (treatment, class) = self.policy.fixed(definition.name);
        if treatment == Treatment::Keep || field.special().is_some() {
            return;
        }
        self.number(cover, definition.wire, &range, class);
        self.report.count(class, definition.name);
    }

    /// Replaces a number that was copied.
    fn number(&mut self, cover: &mut Cover<'_>, wire: WireType, range: &Range<usize>, class: &str) {
        let most = match wire {
            WireType::UInt => u32::MAX,
            WireType::Int => i32::MAX.cast_unsigned(),
            _ => return,
        };
        let Some(place) = cover.out.get_mut(range.clone()) else {
            return;
        };
        for word in place.as_chunks_mut::<4>().0 {
            let number = u32::from_be_bytes(*word);
            if number == u32::MAX {
                continue;
            }
            // Numbers below zero are replaced as they are without their sign.
            let is_negative = number > most;
            let amount = if is_negative {
                number.wrapping_neg()
            } else {
                number
            };
            let fake = if class == "phone" {
                self.pseudonyms.phone(amount, most)
            } else {
                self.pseudonyms.number(amount, most)
            };
            let fake = if is_negative {
                fake.wrapping_neg()
            } else {
                fake
            };
            *word = fake.to_be_bytes();
        }
    }

    fn floating(&mut self, cover: &mut Cover<'_>, field: &FloatingView<'_>) {
        let whole = field.range();
        let range = field.data_range();
        cover.copy(whole.start..range.start);
        if range.is_empty() {
            return;
        }
        let value = field.value();
        let (Some(definition), false) = (field.field(), matches!(value, FieldValue::Raw(_))) else {
            let name = field.field().map_or("unknown tags", |f| f.name);
            self.report.count(UNKNOWN, name);
            return;
        };
        let (treatment, class) = self.policy.floating(definition.tag);
        // Of a message that was read by a layout that does not fit it, a field that it should not have may be anything.
        let doubtful = cover.odd && field.usage().is_none();
        let is_number = !matches!(
            value,
            FieldValue::Text(_)
                | FieldValue::Bytes(_)
                | FieldValue::NamedVariable { .. }
                | FieldValue::NamedArray { .. }
        );
        if is_number {
            let slice = cover.slice(&range);
            if cover.misread && !is_small(slice) || doubtful && may_be_text(slice) {
                self.report.count(UNKNOWN, definition.name);
                return;
            }
            cover.copy(range.clone());
            if treatment == Treatment::Keep {
                return;
            }
            if let Some(wire) = definition.wire {
                self.number(cover, wire, &range, class);
            }
            self.report.count(class, definition.name);
            return;
        }
        let longest = definition.max_at(cover.view.version().known());
        let too_long = longest.is_some_and(|longest| range.len() > usize::from(longest));
        if treatment == Treatment::Keep && (doubtful || too_long) {
            self.report.count(UNKNOWN, definition.name);
            return;
        }
        let name = match value {
            _ if doubtful => range.start..range.start,
            // A name without a value, or one that is too long, may be the value.
            FieldValue::NamedVariable { name, value }
            | FieldValue::NamedArray { name, value, .. }
                if name.len() > LONGEST_NAME
                    || value.is_empty() && name.len() + 1 >= range.len() =>
            {
                range.start..range.start
            }
            FieldValue::NamedVariable { name, .. } => range.start..range.start + name.len(),
            FieldValue::NamedArray { name, .. } => range.start + 1..range.start + 1 + name.len(),
            _ => range.start..range.start,
        };
        cover.copy(range.clone());
        let parts = [
            (name.clone(), self.policy.class("variable_name")),
            (name.end..range.end, treatment),
        ];
        for (part, treatment) in parts {
            if let Some(data) = cover.out.get_mut(part) {
                self.treat(
                    treatment,
                    class,
                    data,
                    matches!(value, FieldValue::Bytes(_)),
                );
            }
        }
        if treatment != Treatment::Keep {
            self.report.count(class, definition.name);
        }
    }

    fn treat(&mut self, treatment: Treatment, class: &str, data: &mut [u8], opaque: bool) {
        match treatment {
            Treatment::Keep => {}
            Treatment::Pseudonym if class == "address" => self.pseudonyms.address_text(data),
            // One key at a time, a list of fakes would spell the same word for everybody who knows one.
            Treatment::Pseudonym if class == "digits" && length(data) == 1 => {
                data.iter_mut().for_each(|byte| *byte = mask(*byte));
            }
            Treatment::Pseudonym if opaque => self.pseudonyms.bytes(data),
            Treatment::Pseudonym => self.pseudonyms.text(data),
            // A text that is a number may be a phone; it stays apart from others.
            Treatment::Mask if length(data) >= LEAST_NUMBER && is_number(data) => {
                self.pseudonyms.text(data);
            }
            Treatment::Mask => data.iter_mut().for_each(|byte| *byte = mask(*byte)),
            Treatment::Secret => {
                for byte in data.iter_mut().filter(|byte| **byte != 0) {
                    *byte = b'x';
                }
            }
        }
    }
}

/// A message that is put together.
struct Cover<'v> {
    out: Vec<u8>,
    /// Bytes that are no blanks.
    known: Vec<bool>,
    view: &'v MessageView<'v>,
    /// The message does not fit the layout that it was read by.
    odd: bool,
    /// It was hardly read at all: its numbers may be anything.
    misread: bool,
}

impl Cover<'_> {
    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.view.bytes().get(range.clone()).unwrap_or_default()
    }

    /// Takes bytes over as they are.
    fn copy(&mut self, range: Range<usize>) {
        let from = self.view.bytes().get(range.clone());
        if let (Some(to), Some(from)) = (self.out.get_mut(range.clone()), from) {
            to.copy_from_slice(from);
        }
        if let Some(known) = self.known.get_mut(range) {
            known.fill(true);
        }
    }
}

/// Whether a version is known otherwise than by the messages.
const fn is_certain(version: VersionSource) -> bool {
    matches!(version, VersionSource::Stated | VersionSource::Forced)
}

/// Whether a message was read by rules that may not be its own. That the capture cut it off says nothing about it.
fn is_odd(view: &MessageView<'_>) -> bool {
    let is_cut = view.missing() > 0;
    tells(view, &[Code::FixedPartShort, Code::OtherVersionLayout])
        || is_cut && tells(view, &[Code::UnknownValue])
        || !is_cut && view.unread().is_some()
        || matches!(view.reading(), Reading::Unknown | Reading::Searched(_))
        || view
            .floating()
            .any(|f| f.usage().is_none() || !is_cut && matches!(f.value(), FieldValue::Raw(_)))
}

/// Whether a message was hardly read: bytes are left over or make no sense, or its layout is a guess. What the capture cut off is another
/// matter.
fn is_misread(view: &MessageView<'_>) -> bool {
    if view.missing() > 0 {
        return matches!(view.reading(), Reading::Unknown);
    }
    view.unread().is_some()
        || tells(view, &[Code::FixedPartShort])
        || matches!(view.reading(), Reading::Unknown | Reading::Searched(_))
        || view
            .floating()
            .any(|f| f.field().is_some() && matches!(f.value(), FieldValue::Raw(_)))
}

/// Whether decoding found one of these.
fn tells(view: &MessageView<'_>, codes: &[Code]) -> bool {
    view.findings().iter().any(|f| codes.contains(&f.code))
}

/// Names of ECC variables end in a zero byte within 33 bytes.
const LONGEST_NAME: usize = 32;
/// Digits from which on a number in a free text may be a phone.
const LEAST_NUMBER: usize = 3;

/// Bytes before the zero at the end.
fn length(data: &[u8]) -> usize {
    data.iter().take_while(|byte| **byte != 0).count()
}

/// Whether bytes are a number that is too small to be a character, of four bytes at least.
fn is_small(bytes: &[u8]) -> bool {
    bytes.len() >= 4
        && bytes
            .split_last()
            .is_some_and(|(last, rest)| *last < b' ' && rest.iter().all(|byte| *byte == 0))
}

fn is_number(data: &[u8]) -> bool {
    data.iter()
        .take_while(|byte| **byte != 0)
        .all(u8::is_ascii_digit)
}

/// Whether bytes hold two letters or digits side by side, of whatever alphabet.
fn may_be_text(bytes: &[u8]) -> bool {
    bytes
        .windows(2)
        .any(|pair| pair.iter().all(|b| matches!(b, 0x20..=0x7e | 0x80..=0xfe)))
}

const fn mask(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0',
        b'A'..=b'Z' => b'X',
        b'a'..=b'z' | 0x80.. => b'x',
        other if is_control(other) => b'x',
        other => other,
    }
}

/// What must be the same of a message and of the one that stands for it.
#[derive(PartialEq, Eq)]
struct Shape {
    reading: Reading,
    floating: Vec<(u16, Range<usize>)>,
    unread: usize,
}

impl Shape {
    fn of(view: &MessageView<'_>) -> Self {
        Self {
            reading: view.reading(),
            floating: view.floating().map(|f| (f.tag(), f.range())).collect(),
            unread: view.unread().map_or(0, |(_, rest)| rest.len()),
        }
    }
}

fn shape_of(
    decoder: &mut Decoder,
    bytes: &[u8],
    version: ProtocolVersion,
    message: Option<&'static Message>,
) -> Shape {
    Shape::of(&decoder.decode_as(bytes, version, message))
}

//! Whether bytes are a message: the one place where a boundary is believed or not.

use crate::decode::wire::{self, Header};
use crate::decode::{Decoder, HEADER_LEN, MAX_MESSAGE, Reading};
use crate::finding::Code;
use crate::protocol::{self, FloatingHeader, Message, ProtocolVersion, Sender, WireType, roles};

/// What must speak for a boundary where CTI is expected.
pub const ENOUGH: u32 = 3;
/// What must speak for a boundary whose place is known from the header before a gap.
pub const COMPUTED: u32 = 1;
/// What must speak for a connection being CTI at all, on a port that says nothing.
pub const FOREIGN_PORT: u32 = 6;

/// The highest message type that is taken for a type unknown to us. Higher numbers are no header.
const MAX_UNKNOWN_TYPE: u32 = 1023;

/// What is known of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Enough speaks for it.
    Confirmed,
    /// Enough speaks for it, but what follows was not captured, so that nothing could speak against it.
    Unopposed,
    /// More bytes are needed.
    NotYet,
    /// It is no boundary.
    Refuted,
}

/// How much a message speaks for its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    /// The more, the more of it could have been wrong.
    pub points: u32,
    /// Well-formed floating fields.
    fields: usize,
}

impl Worth {
    /// Whether it may be the first of a chain where no segment begins: numbers alone can be anything.
    pub(super) const fn stands_alone(self) -> bool {
        self.points >= ENOUGH || self.fields > 0
    }
}

/// Which floating headers a chain of messages can be read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Widths {
    narrow: bool,
    wide: bool,
}

impl Widths {
    /// Nothing is known yet.
    pub(super) const fn both() -> Self {
        Self {
            narrow: true,
            wide: true,
        }
    }
}

/// Judges headers and messages of one direction.
pub struct Judge<'a> {
    /// Decodes on trial.
    pub decoder: &'a mut Decoder,
    /// The session's version, once known.
    pub version: Option<ProtocolVersion>,
    /// Who sends in this direction, once known.
    pub sender: Option<Sender>,
}

impl Judge<'_> {
    /// Whether a header may stand where one is due. Wrong lengths and unknown types are for decoding to tell.
    pub(super) fn plausible(&self, header: Header) -> bool {
        let number = header.number;
        if let Some(message) = protocol::message(number) {
            return may_have_length(message, header);
        }
        if is_known(number) {
            return true;
        }
        let total = usize::try_from(header.length)
            .unwrap_or(usize::MAX)
            .saturating_add(HEADER_LEN);
        (1..=MAX_UNKNOWN_TYPE).contains(&number.0) && total <= MAX_MESSAGE
    }

    /// Whether the beginning of a header, or a whole one, may stand where one is due.
    pub(super) fn may_begin(&self, bytes: &[u8]) -> bool {
        if let Ok((_, header)) = wire::header(bytes) {
            return self.plausible(header);
        }
        // Neither lengths nor types are large.
        let zeros = [0, 4, 5];
        let is_zero = |at: &usize| bytes.get(*at).is_none_or(|byte| *byte == 0);
        zeros.iter().all(is_zero) && bytes.get(1).is_none_or(|byte| *byte <= 1)
    }

    /// Whether a header may stand where none is due: only what a message of a known type from this sender can have.
    pub(super) fn strict(&self, header: Header) -> Option<&'static Message> {
        let length = usize::try_from(header.length).ok()?;
        if length + HEADER_LEN > MAX_MESSAGE {
            return None;
        }
        let message = protocol::message(header.number)
            .or_else(|| protocol::alternatives(header.number).map(|(m, _)| m).next())?;
        let ambiguous = protocol::alternatives(header.number).next().is_some();
        let sender_fits = ambiguous
            || match (self.sender, message.sender) {
                (None | Some(Sender::Either), _) | (_, Sender::Either) => true,
                (Some(from), by) => from == by,
            };
        let smallest = message.layouts.iter().map(|l| l.size).min().unwrap_or(0);
        // Variants drop a field or two.
        let long_enough = length + 8 >= usize::from(smallest);
        let fits =
            ambiguous || !message.published || (long_enough && may_have_length(message, header));
        (sender_fits && fits).then_some(message)
    }

    /// How often [`Judge::worth`] may read a message, at most.
    pub(super) fn cost(&self, message: &'static Message) -> u64 {
        let layouts = u64::try_from(message.layouts.len()).unwrap_or(u64::MAX);
        // As the version has it, by all layouts there, and as the best has it; where no version is known, by both widths.
        let widths = if self.version.is_some() { 1 } else { 2 };
        layouts.saturating_add(2).saturating_mul(widths)
    }

    /// How much a whole message speaks for its place; `None` when it speaks against it.
    pub(super) fn worth(
        &mut self,
        bytes: &[u8],
        message: &'static Message,
        widths: &mut Widths,
    ) -> Option<Worth> {
        let mut weights = None;
        let mut best = None;
        let mut still = Widths::default();
        for header in [FloatingHeader::Narrow, FloatingHeader::Wide] {
            let usual = match (self.version, header) {
                (Some(version), _) => version,
                (None, FloatingHeader::Narrow) => ProtocolVersion(15),
                (None, FloatingHeader::Wide) => ProtocolVersion(25),
            };
            if !widths.allows(header) || usual.floating_header() != header {
                continue;
            }
            let decoder = &mut *self.decoder;
            let worth = worth_at(decoder, bytes, usual, message).or_else(|| {
                // Another layout may read it where this one finds something wrong.
                let weights = weights.get_or_insert_with(|| decoder.weigh(bytes, message));
                worth_at(decoder, bytes, weights.best(header)?, message)
            });
            if worth.is_some() {
                best = best.max(worth);
                still.add(header);
            }
        }
        *widths = still;
        best
    }
}

impl Widths {
    const fn allows(self, header: FloatingHeader) -> bool {
        match header {
            FloatingHeader::Narrow => self.narrow,
            FloatingHeader::Wide => self.wide,
        }
    }

    const fn add(&mut self, header: FloatingHeader) {
        match header {
            FloatingHeader::Narrow => self.narrow = true,
            FloatingHeader::Wide => self.wide = true,
        }
    }
}

/// Messages without a floating part have a fixed length, give or take a stray field.
fn may_have_length(message: &Message, header: Header) -> bool {
    const STRAY: u32 = 300;
    let largest = message.layouts.iter().map(|l| l.size).max().unwrap_or(0);
    !message.published
        || !message.floating.is_empty()
        || protocol::alternatives(header.number).next().is_some()
        || header.length <= u32::from(largest) + STRAY
}

fn is_known(number: protocol::MessageType) -> bool {
    protocol::message(number).is_some() || protocol::alternatives(number).next().is_some()
}

fn worth_at(
    decoder: &mut Decoder,
    bytes: &[u8],
    version: ProtocolVersion,
    usual: &'static Message,
) -> Option<Worth> {
    let number = usual.number;
    let others = protocol::alternatives(number).map(|(m, _)| m);
    std::iter::once(usual).chain(others).find_map(|message| {
        if !message.published {
            // Name and length are all that can be checked: it speaks neither for nor against.
            return Some(Worth {
                points: 0,
                fields: 0,
            });
        }
        if !decoder.is_exact(bytes, version, message) {
            return None;
        }
        let view = decoder.decode_as(bytes, version, Some(message));
        // A field without data could be any two bytes.
        let fields = view.floating().filter(|f| !f.raw().is_empty()).count();
        let length = usize::from(view.layout().map_or(0, |l| l.size));
        let enums = view.fixed().filter(|f| f.field().table.is_some()).count();
        let told = |code| view.findings().iter().any(|f| f.code == code);
        if told(Code::CountMismatch) {
            // Any numbers can be a fixed part; counters that contradict the rest give them away.
            return None;
        }
        let odd_values = told(Code::UnknownValue);
        let usual_reading = view.reading() == Reading::Usual;
        let points = match (fields, length) {
            _ if number == roles::OPEN_REQ && fields > 0 => 6,
            (2.., _) | (0, 200..) => 3,
            (1, _) | (0, 40..) => 2,
            (0, 12..) if enums > 0 && !odd_values && usual_reading => 2,
            (0, 1..) => 1,
            _ => 0,
        };
        Some(Worth { points, fields })
    })
}

/// How far the content of a floating field would reach whose header ends where `before` ends: by a narrow header, by a wide
/// one; 0 where there is none. A field that fits a message exactly is better evidence than the message.
pub(super) fn enclosed(before: &[u8]) -> [usize; 2] {
    let length = |tag: u16, length: u16| {
        let opaque = protocol::floating(tag).is_some_and(|field| {
            matches!(field.wire, Some(WireType::String | WireType::Unspec))
                && field.max.is_some_and(|max| length <= max)
        });
        if opaque { usize::from(length) } else { 0 }
    };
    let narrow = match before {
        [.., tag, size] => length(u16::from(*tag), u16::from(*size)),
        _ => 0,
    };
    let wide = match before {
        [.., t, ag, si, ze] => length(
            u16::from_be_bytes([*t, *ag]),
            u16::from_be_bytes([*si, *ze]),
        ),
        _ => 0,
    };
    [narrow, wide].map(|length| if length < HEADER_LEN { 0 } else { length })
}

/// The next place in a buffer where a header could stand, from `from` on: known headers begin with two zero bytes, and so
/// does the type. Places too close to the end to be judged count.
pub(super) fn next_header(buffer: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(rest) = buffer.get(at..)
        && rest.len() >= HEADER_LEN
    {
        if matches!(rest, [0, 0, _, _, 0, 0, ..]) {
            return at;
        }
        at += 1;
    }
    at
}

//! Writes pieces of text into a buffer: numbers, padding, colours, and text from captures made harmless.

use super::escape;
use crate::finding::{Code, Severity};
use crate::render::plain::plain_length;

/// The role of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Paint {
    Dim,
    Request,
    Answer,
    Event,
    Bad,
    Doubtful,
    Label,
}

impl Paint {
    /// How something so severe is painted.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Dim,
            Severity::Warn => Self::Doubtful,
            Severity::Error => Self::Bad,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Dim => "\x1b[2m",
            Self::Request => "\x1b[36m",
            Self::Answer => "\x1b[32m",
            Self::Event => "\x1b[34m",
            Self::Bad => "\x1b[1;31m",
            Self::Doubtful => "\x1b[33m",
            Self::Label => "\x1b[1m",
        }
    }
}

/// Signs that have a replacement where only ASCII is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::render) enum Sign {
    ToServer,
    ToClient,
    Answers,
    Outcome,
    Aside,
    Ellipsis,
    Range,
    Micro,
}

impl Sign {
    const fn text(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::ToServer, false) => "→",
            (Self::ToServer, true) => "->",
            (Self::ToClient, false) => "←",
            (Self::ToClient, true) => "<-",
            (Self::Answers, false) => "↩",
            (Self::Answers, true) => "<=",
            (Self::Outcome, false) => "⇒",
            (Self::Outcome, true) => "=>",
            (Self::Aside, false) => "··",
            (Self::Aside, true) => "..",
            (Self::Ellipsis, false) => "…",
            (Self::Ellipsis, true) => "...",
            (Self::Range, false) => "–",
            (Self::Range, true) => "-",
            (Self::Micro, false) => "µ",
            (Self::Micro, true) => "u",
        }
    }
}

/// A buffer and how to write into it.
#[derive(Debug)]
pub(in crate::render) struct Pen<'a> {
    pub out: &'a mut Vec<u8>,
    pub colour: bool,
    pub ascii: bool,
}

impl Pen<'_> {
    /// Text of our own or of the protocol tables.
    pub fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub fn sign(&mut self, sign: Sign) {
        self.put(sign.text(self.ascii));
    }

    pub fn spaces(&mut self, count: usize) {
        self.out.resize(self.out.len().saturating_add(count), b' ');
    }

    /// Text of one column per byte, filled up with spaces.
    pub fn padded(&mut self, text: &str, width: usize) {
        self.put(text);
        self.spaces(width.saturating_sub(text.len()));
    }

    pub fn on(&mut self, paint: Paint) {
        if self.colour {
            self.put(paint.code());
        }
    }

    pub fn off(&mut self) {
        if self.colour {
            self.put("\x1b[0m");
        }
    }

    pub fn painted(&mut self, paint: Paint, text: &str) {
        self.on(paint);
        self.put(text);
        self.off();
    }

    /// A finding: how severe it is, its code and its text.
    pub fn finding(&mut self, code: Code, text: &str) {
        let severity = code.severity();
        self.painted(Paint::of(severity), severity.name());
        self.put(" ");
        self.put(code.name());
        self.put(": ");
        self.escaped(text.as_bytes());
    }

    /// Ends a line; spaces at its end are dropped.
    pub fn end_line(&mut self) {
        while self.out.last() == Some(&b' ') {
            self.out.pop();
        }
        self.out.push(b'\n');
    }

    pub fn number(&mut self, number: u64) {
        let mut buffer = itoa::Buffer::new();
        self.put(buffer.format(number));
    }

    /// A number of exactly so many digits, the lowest ones.
    pub fn digits(&mut self, number: u64, count: usize) {
        let start = self.out.len();
        self.out.resize(start.saturating_add(count), b'0');
        let mut rest = number;
        for digit in self.out.iter_mut().skip(start).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }

    pub fn signed(&mut self, number: i64) {
        if number < 0 {
            self.out.push(b'-');
        }
        self.number(number.unsigned_abs());
    }

    /// A count, aligned to the right.
    pub fn right(&mut self, number: u64, width: usize) {
        let digits = number
            .checked_ilog10()
            .map_or(1, |l| usize::try_from(l).unwrap_or(0) + 1);
        self.spaces(width.saturating_sub(digits));
        self.number(number);
    }

    pub fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Two hexadecimal digits.
    pub fn hex(&mut self, byte: u8) {
        for nibble in [byte >> 4, byte & 0x0F] {
            self.out.push(match nibble {
                0..=9 => b'0' + nibble,
                _ => b'a' - 10 + nibble,
            });
        }
    }

    /// `0x` and as many digits as the number needs, at least `least`.
    pub fn hex_number(&mut self, number: u32, least: usize) {
        self.put("0x");
        let digits = hex_digits(number).max(least).min(8);
        for place in (0..digits).rev() {
            self.nibble(number, place);
        }
    }

    /// One hexadecimal digit of a number, counted from the lowest.
    fn nibble(&mut self, number: u32, place: usize) {
        let shift = u32::try_from(place * 4).unwrap_or(0);
        let nibble = u8::try_from((number >> shift) & 0x0F).unwrap_or(0);
        self.out.push(match nibble {
            0..=9 => b'0' + nibble,
            _ => b'a' - 10 + nibble,
        });
    }

    /// Text of unknown origin: whatever could disturb a terminal is escaped.
    pub fn escaped(&mut self, text: &[u8]) {
        self.escape(text, false);
    }

    /// Text from a message, in quotes.
    pub fn quoted(&mut self, text: &[u8]) {
        self.out.push(b'"');
        self.escape(text, true);
        self.out.push(b'"');
    }

    /// Text from a message, in quotes where its end would not be plain without, and cut to a reasonable length.
    pub fn word(&mut self, text: &[u8], longest: usize) {
        let (shown, cut) = cut(text, longest);
        if plain_length(shown) == shown.len() && !shown.contains(&b' ') {
            self.out.extend_from_slice(shown);
        } else if shown.iter().any(|b| matches!(b, b' ' | b'"')) {
            self.quoted(shown);
        } else {
            self.escape(shown, false);
        }
        if cut {
            self.sign(Sign::Ellipsis);
        }
    }

    fn escape(&mut self, text: &[u8], in_quotes: bool) {
        let is_plain = |b: &u8| escape::is_plain(*b) && !(in_quotes && *b == b'"');
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.iter().position(|b| !is_plain(b)).unwrap_or(rest.len());
            let (run, odd) = rest.split_at(plain);
            self.out.extend_from_slice(run);
            let end = odd.iter().position(is_plain).unwrap_or(odd.len());
            let (odd, next) = odd.split_at(end);
            for chunk in odd.utf8_chunks() {
                for c in chunk.valid().chars() {
                    self.escape_char(c);
                }
                for byte in chunk.invalid() {
                    self.put("\\x");
                    self.hex(*byte);
                }
            }
            rest = next;
        }
    }

    fn escape_char(&mut self, c: char) {
        let mut buffer = [0; 4];
        match c {
            '\\' => self.put("\\\\"),
            '"' => self.put("\\\""),
            '\n' => self.put("\\n"),
            '\r' => self.put("\\r"),
            '\t' => self.put("\\t"),
            c if c.is_ascii() => {
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    self.put("\\x");
                    self.hex(byte);
                }
            }
            c if !self.ascii && escape::is_harmless(c) => self.put(c.encode_utf8(&mut buffer)),
            c => {
                self.put("\\u{");
                self.code_point(u32::from(c));
                self.put("}");
            }
        }
    }

    fn code_point(&mut self, number: u32) {
        for place in (0..hex_digits(number).max(4)).rev() {
            self.nibble(number, place);
        }
    }
}

/// Hexadecimal digits that a number needs.
pub(super) fn hex_digits(number: u32) -> usize {
    8 - usize::try_from(number.leading_zeros() / 4)
        .unwrap_or(0)
        .min(7)
}

/// The beginning of a text, cut where no UTF-8 character is cut in two.
fn cut(text: &[u8], longest: usize) -> (&[u8], bool) {
    if text.len() <= longest {
        return (text, false);
    }
    let mut end = longest;
    while end > 0 && text.get(end).is_some_and(|b| b & 0xC0 == 0x80) {
        end -= 1;
    }
    // Bytes that are no UTF-8 at all are cut anywhere.
    let end = if longest - end > 3 { longest } else { end };
    (text.get(..end).unwrap_or(text), true)
}

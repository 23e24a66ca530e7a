//! JSON pieces written straight into a byte buffer.

use crate::render::plain::plain_length;
use crate::time::{NANOS_PER_SECOND, Timestamp};
use std::fmt::Write;

/// Appends an integer.
pub(super) fn integer<N: itoa::Integer>(out: &mut Vec<u8>, number: N) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a string, quoted and escaped.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0xC2 => {
                if let Some((second, after)) = after.split_first() {
                    if *second < 0xA0 {
                        out.extend_from_slice(b"\\u00");
                        hex_byte(out, *second);
                    } else {
                        out.extend_from_slice(&[0xC2, *second]);
                    }
                    rest = after;
                    continue;
                }
            }
            0..=0x1F | 0x7F => {
                out.extend_from_slice(b"\\u00");
                hex_byte(out, *byte);
            }
            byte => out.push(*byte),
        }
        rest = after;
    }
    out.push(b'"');
}

/// Appends bytes that should be text: a string when they are UTF-8, else an object with their hex form and what is readable.
pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    if plain_length(bytes) == bytes.len() {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    match std::str::from_utf8(bytes) {
        Ok(valid) => string(out, valid),
        Err(_) => {
            out.extend_from_slice(b"{\"hex\":");
            hex(out, bytes);
            out.extend_from_slice(b",\"text\":");
            string(out, &String::from_utf8_lossy(bytes));
            out.push(b'}');
        }
    }
}

/// Appends bytes as an object with their hex form, and as text when they are printable.
pub(super) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"hex\":");
    hex(out, bytes);
    let trimmed = crate::decode::wire::trim_zeros(bytes);
    if !trimmed.is_empty()
        && let Ok(valid) = std::str::from_utf8(trimmed)
        && !valid.chars().any(char::is_control)
    {
        out.extend_from_slice(b",\"text\":");
        string(out, valid);
    }
    out.push(b'}');
}

/// Appends bytes as a quoted string of hex digits.
pub(super) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        hex_byte(out, *byte);
    }
    out.push(b'"');
}

fn hex_byte(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for nibble in [byte >> 4, byte & 0xF] {
        out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    }
}

/// Appends milliseconds with three decimals, or six where the capture is that precise.
pub(super) fn milliseconds(out: &mut Vec<u8>, nanos: i64) {
    if nanos < 0 {
        out.push(b'-');
    }
    let nanos = nanos.unsigned_abs();
    integer(out, nanos / 1_000_000);
    out.push(b'.');
    let rest = nanos % 1_000_000;
    if rest.is_multiple_of(1000) {
        digits(out, rest / 1000, 3)
    } else {
        digits(out, rest, 6)
    }
}

/// Appends the lowest digits of a number, nine at most.
fn digits(out: &mut Vec<u8>, number: u64, count: u8) {
    let mut text = [b'0'; 9];
    let mut rest = number;
    let count = usize::from(count).min(text.len());
    for digit in text.iter_mut().take(count).rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    out.extend_from_slice(text.get(..count).unwrap_or_default());
}

/// Writes times as RFC 3339 in UTC; the date and time of day of the last second are kept.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<i64>,
    /// `"2026-11-23T10:15:09`
    prefix: String,
}

impl Clock {
    /// Appends a time with six decimals, or nine where the capture is that precise.
    pub(super) fn time(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let nanos = time.nanos();
        self.prefix(out, nanos.div_euclid(NANOS_PER_SECOND));
        let rest = nanos.rem_euclid(NANOS_PER_SECOND).unsigned_abs();
        out.push(b'.');
        if rest.is_multiple_of(1000) {
            digits(out, rest / 1000, 6)
        } else {
            digits(out, rest, 9)
        }
        out.extend_from_slice(b"Z\"");
    }

    /// Appends a time of whole seconds.
    pub(super) fn seconds(&mut self, out: &mut Vec<u8>, seconds: i64) {
        self.prefix(out, seconds);
        out.extend_from_slice(b"Z\"");
    }

    fn prefix(&mut self, out: &mut Vec<u8>, second: i64) {
        if self.second != Some(second) {
            self.prefix.clear();
            self.second = Some(second);
            let moment = jiff::Timestamp::from_second(second).unwrap_or_default();
            let civil = jiff::tz::Offset::UTC.to_datetime(moment);
            // Writing to a String cannot fail.
            let _ = write!(self.prefix, "\"{civil}");
        }
        out.extend_from_slice(self.prefix.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_escaped_as_serde_json_reads_them() {
        for text in [
            "",
            "plain",
            "a\"b\\c",
            "\u{0}\u{1f}\u{7f}\n\r\t",
            "münchen \u{202e}rtl \u{2028}",
            "\u{80}\u{85}\u{9b}31m\u{9f}\u{a0}\u{bf}£\u{c2}",
        ] {
            let json = written(|out| string(out, text));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert!(!json.chars().any(char::is_control), "{json}");
        }
    }

    #[test]
    fn c1_controls_reached_the_terminal() {
        assert_eq!(
            written(|out| string(out, "\u{9b}31m\u{a0}\u{80}")),
            "\"\\u009b31m\u{a0}\\u0080\""
        );
    }

    #[test]
    fn bytes_that_are_no_text_keep_their_hex_form() {
        assert_eq!(
            written(|out| text(out, b"M\xFCller")),
            "{\"hex\":\"4dfc6c6c6572\",\"text\":\"M\u{fffd}ller\"}"
        );
        assert_eq!(
            written(|out| bytes(out, b"ab\0")),
            "{\"hex\":\"616200\",\"text\":\"ab\"}"
        );
        assert_eq!(written(|out| bytes(out, &[1, 2])), "{\"hex\":\"0102\"}");
    }

    #[test]
    fn times_keep_the_precision_of_the_capture() {
        let mut clock = Clock::default();
        let mut at = |nanos| written(|out| clock.time(out, Timestamp::from_nanos(nanos)));
        assert_eq!(
            at(1_795_428_909_034_102_000),
            "\"2026-11-23T10:15:09.034102Z\""
        );
        assert_eq!(
            at(1_795_428_909_034_102_001),
            "\"2026-11-23T10:15:09.034102001Z\""
        );
        assert_eq!(at(0), "\"1970-01-01T00:00:00.000000Z\"");
        assert_eq!(at(-1), "\"1969-12-31T23:59:59.999999999Z\"");
        assert_eq!(
            written(|out| Clock::default().seconds(out, 4_294_967_295)),
            "\"2106-02-07T06:28:15Z\""
        );
    }

    #[test]
    fn latencies_are_milliseconds() {
        assert_eq!(written(|out| milliseconds(out, 34_085_000)), "34.085");
        assert_eq!(written(|out| milliseconds(out, 1)), "0.000001");
        assert_eq!(written(|out| milliseconds(out, -1_500_000)), "-1.500");
    }
}

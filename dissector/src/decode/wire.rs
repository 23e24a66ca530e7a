//! The wire's primitives: header, numbers, floating field headers. Complete input only: the caller knows the length.

use crate::protocol::{FloatingHeader, MessageType, WireType};
use nom::bytes::complete::take;
use nom::combinator::{map, verify};
use nom::error::{ErrorKind, ParseError};
use nom::number::complete::{be_i8, be_i16, be_i32, be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

/// Bytes of the message header.
pub const HEADER_LEN: usize = 8;

/// Where a parser gave up. The reason is always the same: the input ended, or a length points beyond its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// Bytes that were left.
    pub remaining: usize,
}

impl ParseError<&[u8]> for Short {
    fn from_error_kind(input: &[u8], _: ErrorKind) -> Self {
        Self {
            remaining: input.len(),
        }
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Short>;

/// The message header (MHDR).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes after the header.
    pub length: u32,
    /// What the message is.
    pub number: MessageType,
}

/// Reads a message header.
///
/// # Errors
/// When fewer than 8 bytes are there.
pub fn header(input: &[u8]) -> Parsed<'_, Header> {
    let (input, length) = be_u32.parse(input)?;
    let (input, number) = be_u32.parse(input)?;
    Ok((
        input,
        Header {
            length,
            number: MessageType(number),
        },
    ))
}

/// A floating field as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawField<'a> {
    /// Its tag.
    pub tag: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// Reads one floating field: tag, length, data.
///
/// # Errors
/// When the input ends before the data does.
pub fn floating_field(header: FloatingHeader, input: &[u8]) -> Parsed<'_, RawField<'_>> {
    let (input, (tag, length)) = match header {
        FloatingHeader::Narrow => (map(be_u8, u16::from), map(be_u8, u16::from)).parse(input)?,
        FloatingHeader::Wide => (be_u16, be_u16).parse(input)?,
    };
    let (input, data) = take(length).parse(input)?;
    Ok((input, RawField { tag, data }))
}

/// A number of the protocol, wide enough for every numeric type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The value with its sign.
    pub value: i64,
    /// The field's bits, as an unsigned number; value tables and NULL values compare these.
    pub bits: u32,
}

/// Reads a number of a type with fixed size; the input must be exactly as long as the type.
#[must_use]
#[inline]
pub fn number(wire: WireType, input: &[u8]) -> Option<Number> {
    let unsigned = |bits: u32| Number {
        value: i64::from(bits),
        bits,
    };
    let parsed: Parsed<'_, Number> = match wire {
        WireType::Char => map(be_i8, |v| Number {
            value: v.into(),
            bits: u8::from_be_bytes(v.to_be_bytes()).into(),
        })
        .parse(input),
        WireType::UChar => map(be_u8, |v| unsigned(v.into())).parse(input),
        WireType::Short => map(be_i16, |v| Number {
            value: v.into(),
            bits: v.cast_unsigned().into(),
        })
        .parse(input),
        WireType::UShort | WireType::Bool => map(be_u16, |v| unsigned(v.into())).parse(input),
        WireType::Int => map(be_i32, |v| Number {
            value: v.into(),
            bits: v.cast_unsigned(),
        })
        .parse(input),
        WireType::UInt | WireType::Time => map(be_u32, unsigned).parse(input),
        _ => return None,
    };
    match parsed {
        Ok(([], number)) => Some(number),
        _ => None,
    }
}

/// Name and value of a named variable; both are zero-terminated, the last terminator may be missing.
///
/// # Errors
/// When no zero byte ends the name.
pub fn named_variable(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let end = memchr::memchr(0, input).unwrap_or(input.len());
    let (rest, name) = take(end).parse(input)?;
    let (value, _) = verify(be_u8, |b| *b == 0).parse(rest)?;
    Ok((&[], (name, trim_zeros(value))))
}

/// Index, name and value of a named array element.
///
/// # Errors
/// When the input is empty or no zero byte ends the name.
pub fn named_array(input: &[u8]) -> Parsed<'_, (u8, &[u8], &[u8])> {
    let (input, index) = be_u8.parse(input)?;
    let (input, (name, value)) = named_variable(input)?;
    Ok((input, (index, name, value)))
}

/// TaskGroupHigh, TaskGroupLow and SequenceNumber.
///
/// # Errors
/// When fewer than 12 bytes are there.
pub fn task_id(input: &[u8]) -> Parsed<'_, (i32, i32, i32)> {
    (be_i32, be_i32, be_i32).parse(input)
}

/// Text without its terminating zero bytes.
#[must_use]
pub const fn trim_zeros(mut data: &[u8]) -> &[u8] {
    while let [rest @ .., 0] = data {
        data = rest;
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_reads_length_and_type() {
        let bytes = [0, 0, 0, 4, 0, 0, 0, 5, 9];
        let (rest, header) = header(&bytes).unwrap();
        assert_eq!((header.length, header.number.0, rest), (4, 5, &[9][..]));
        for n in 0..8 {
            assert!(super::header(&bytes[..n]).is_err());
        }
    }

    #[test]
    fn floating_fields_have_narrow_or_wide_headers() {
        let (rest, field) = floating_field(FloatingHeader::Narrow, &[5, 2, b'1', 0, 7]).unwrap();
        assert_eq!((field.tag, field.data, rest), (5, &b"1\0"[..], &[7][..]));
        let wide = [1, 2, 0, 1, 0xAA];
        let (rest, field) = floating_field(FloatingHeader::Wide, &wide).unwrap();
        assert_eq!((field.tag, field.data, rest), (258, &[0xAA][..], &[][..]));
        for n in 0..wide.len() {
            assert!(floating_field(FloatingHeader::Wide, &wide[..n]).is_err());
        }
        assert!(floating_field(FloatingHeader::Narrow, &[5, 3, 1, 2]).is_err());
    }

    #[test]
    fn numbers_keep_sign_and_bits() {
        let n = number(WireType::Int, &[0xFF; 4]).unwrap();
        assert_eq!((n.value, n.bits), (-1, u32::MAX));
        let n = number(WireType::Short, &[0xFF, 0xFE]).unwrap();
        assert_eq!((n.value, n.bits), (-2, 0xFFFE));
        let n = number(WireType::Char, &[0x80]).unwrap();
        assert_eq!((n.value, n.bits), (-128, 0x80));
        assert_eq!(
            number(WireType::UInt, &[0xFF; 4]).unwrap().value,
            4_294_967_295
        );
        assert_eq!(number(WireType::UInt, &[0; 3]), None);
        assert_eq!(number(WireType::UInt, &[0; 5]), None);
        assert_eq!(number(WireType::UShort, &[]), None);
    }

    #[test]
    fn named_variables_split_at_the_first_zero() {
        let (_, (name, value)) = named_variable(b"user.x\0value\0").unwrap();
        assert_eq!((name, value), (&b"user.x"[..], &b"value"[..]));
        let (_, (name, value)) = named_variable(b"user.x\0no end").unwrap();
        assert_eq!((name, value), (&b"user.x"[..], &b"no end"[..]));
        assert!(named_variable(b"user.x").is_err());
        let (_, (index, name, value)) = named_array(b"\x03a\0\0").unwrap();
        assert_eq!((index, name, value), (3, &b"a"[..], &b""[..]));
        assert!(named_array(b"").is_err());
    }

    #[test]
    fn trailing_zeros_are_no_text() {
        assert_eq!(trim_zeros(b"1001\0"), b"1001");
        assert_eq!(trim_zeros(b"1001\0\0"), b"1001");
        assert_eq!(trim_zeros(b"a\0b"), b"a\0b");
        assert_eq!(trim_zeros(b"\0"), b"");
    }
}

//! What is asked of values: the leaves of a compiled expression. Nothing here knows where a value comes from.

use super::ast::Comparison;
use crate::correlate::{FailureCode, OutcomeKind};
use crate::decode::Number;
use crate::protocol::ValueTable;
use crate::time::Timestamp;
use memchr::memmem::Finder;
use regex::bytes::Regex;
use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};

/// A number as it is found: with its sign, as bits, and with the table of its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operand {
    pub value: i64,
    pub bits: u32,
    pub table: Option<&'static ValueTable>,
}

impl Operand {
    /// A number of the protocol.
    pub const fn of(number: Number, table: Option<&'static ValueTable>) -> Self {
        let Number { value, bits } = number;
        Self { value, bits, table }
    }

    /// A number that is no field.
    pub const fn plain(value: i64) -> Self {
        Self {
            value,
            bits: 0,
            table: None,
        }
    }
}

/// A number as an expression means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// By its value, with its sign.
    Value(i64),
    /// By the field's bits: hexadecimal numbers and NULL values.
    Bits(u32),
    /// By a name, which may stand for different numbers in different tables.
    Named(Vec<(&'static ValueTable, u32)>),
}

impl Meant {
    /// How a number compares with it; `None` when the name means nothing for it.
    fn order(&self, number: Operand) -> Option<Ordering> {
        match self {
            Self::Value(value) => Some(number.value.cmp(value)),
            Self::Bits(bits) => Some(number.bits.cmp(bits)),
            Self::Named(meanings) => {
                let table = number.table?;
                let (_, bits) = meanings.iter().find(|(t, _)| std::ptr::eq(*t, table))?;
                Some(number.bits.cmp(bits))
            }
        }
    }
}

/// What a number must be. Unequal is not among it: that is for all values of a field together.
#[derive(Debug, Clone)]
pub(super) enum NumberTest {
    Compare(Comparison, Meant),
    In {
        /// Ranges of values, sorted and apart.
        values: Vec<(i64, i64)>,
        /// What is not meant by value: first and last.
        others: Vec<(Meant, Meant)>,
    },
    /// The bits in `mask` alone are compared.
    Masked {
        mask: u32,
        test: Box<NumberTest>,
    },
    /// Any of these bits is set.
    AnyOf(u32),
}

impl NumberTest {
    pub fn accepts(&self, number: Operand) -> bool {
        match self {
            Self::Compare(comparison, meant) => {
                meant.order(number).is_some_and(|o| comparison.holds(o))
            }
            Self::In { values, others } => {
                let behind = values.partition_point(|(first, _)| *first <= number.value);
                let found = behind.checked_sub(1).and_then(|i| values.get(i));
                found.is_some_and(|(_, last)| number.value <= *last)
                    || others.iter().any(|(first, last)| {
                        first.order(number).is_some_and(Ordering::is_ge)
                            && last.order(number).is_some_and(Ordering::is_le)
                    })
            }
            Self::Masked { mask, test } => {
                let bits = number.bits & mask;
                test.accepts(Operand {
                    value: bits.into(),
                    bits,
                    table: number.table,
                })
            }
            Self::AnyOf(mask) => number.bits & mask != 0,
        }
    }
}

/// Ranges sorted and joined, so that one can be found quickly.
pub(super) fn joined(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// What a text must be, byte by byte.
#[derive(Debug, Clone)]
pub(super) enum TextTest {
    Compare(Comparison, Vec<u8>),
    In {
        /// Sorted.
        values: Vec<Vec<u8>>,
        ranges: Vec<(Vec<u8>, Vec<u8>)>,
    },
    Contains(Box<Finder<'static>>),
    Matches(Regex),
}

impl TextTest {
    pub fn accepts(&self, text: &[u8]) -> bool {
        match self {
            Self::Compare(comparison, value) => comparison.holds(text.cmp(value.as_slice())),
            Self::In { values, ranges } => {
                values.binary_search_by(|v| v.as_slice().cmp(text)).is_ok()
                    || ranges
                        .iter()
                        .any(|(first, last)| first.as_slice() <= text && text <= last.as_slice())
            }
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

/// A point in time as an expression means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    At(Timestamp),
    /// On the day on which the capture starts, which is filled in when it is known.
    OfDay(jiff::civil::Time, Timestamp),
}

impl Moment {
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::At(time) | Self::OfDay(_, time) => *time,
        }
    }
}

/// What a time must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeTest {
    Compare(Comparison, Moment),
    In(Vec<(Moment, Moment)>),
}

impl TimeTest {
    pub fn accepts(&self, time: Timestamp) -> bool {
        match self {
            Self::Compare(comparison, moment) => comparison.holds(time.cmp(&moment.time())),
            Self::In(ranges) => ranges
                .iter()
                .any(|(first, last)| first.time() <= time && time <= last.time()),
        }
    }

    /// All moments in it.
    pub fn moments(&mut self) -> Vec<&mut Moment> {
        match self {
            Self::Compare(_, moment) => vec![moment],
            Self::In(ranges) => ranges.iter_mut().flat_map(|(a, b)| [a, b]).collect(),
        }
    }
}

/// What an end of a connection must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PeerTest {
    Address(IpAddr),
    Socket(SocketAddr),
    /// An address and how many of its bits count.
    Network(IpAddr, u8),
    Ports(u16, u16),
}

impl PeerTest {
    pub fn accepts(&self, peer: SocketAddr) -> bool {
        match self {
            Self::Address(address) => peer.ip() == *address,
            Self::Socket(socket) => peer.ip() == socket.ip() && peer.port() == socket.port(),
            Self::Network(network, length) => in_network(peer.ip(), *network, *length),
            Self::Ports(first, last) => (*first..=*last).contains(&peer.port()),
        }
    }
}

fn in_network(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let shift = 32_u32.saturating_sub(length.into());
            u32::from(a).checked_shr(shift) == u32::from(n).checked_shr(shift)
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let shift = 128_u32.saturating_sub(length.into());
            u128::from(a).checked_shr(shift) == u128::from(n).checked_shr(shift)
        }
        _ => false,
    }
}

/// What became of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StatusTest {
    Outcome(OutcomeKind),
    /// A failure says this, by one of these tables.
    Failure(Vec<(&'static ValueTable, u32)>),
}

impl StatusTest {
    pub fn accepts(&self, kind: OutcomeKind, failure: Option<FailureCode>) -> bool {
        match self {
            Self::Outcome(wanted) => kind == *wanted,
            Self::Failure(meanings) => failure.is_some_and(|failure| {
                let says = |table| failure.table.is_some_and(|t| std::ptr::eq(t, table));
                meanings
                    .iter()
                    .any(|(table, code)| failure.code == *code && says(*table))
            }),
        }
    }
}

//! Check sums of what was written anew: right where they were right, and as wrong as they were where they were not. A sum
//! over bytes that are not there, or a wrong one, would tell about the bytes it was made of, so none is taken over.

use super::super::length;
use super::Disguise;
use etherparse::IpNumber;
use etherparse::checksum::Sum16BitWords;
use std::net::IpAddr;
use std::ops::Range;

/// What a check sum says of the bytes that it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// It is not used, left to the hardware, or covers bytes that were not captured.
    Unknown,
}

impl Verdict {
    /// Of a check sum that stands within the bytes, behind what stands in front of them in the sum.
    pub(super) fn of(head: &[u8], bytes: &[u8], found: u16, whole: bool) -> Self {
        if !whole {
            Self::Unknown
        } else if sum(head, bytes) == 0 {
            Self::Right
        } else if found == 0 || is_begun(head, found) {
            Self::Unknown
        } else {
            Self::Wrong
        }
    }
}

/// What a system puts there for its hardware to finish.
fn is_begun(head: &[u8], found: u16) -> bool {
    !head.is_empty() && found == !sum(head, &[])
}

/// Two lookalikes: bytes as they were, and as they are now with a check sum of zero.
pub(super) struct Pair<'a> {
    pub old: &'a [u8],
    pub new: &'a [u8],
    /// What stands in front of them in the sum.
    pub old_head: &'a [u8],
    pub new_head: &'a [u8],
    /// All bytes are there that the sum is made of.
    pub whole: bool,
}

impl Pair<'_> {
    /// The check sum for the new bytes, where `old` is that of the old ones.
    pub(super) fn sum(&self, old: u16) -> u16 {
        let right = sum(self.new_head, self.new);
        if old == 0 {
            // Not used, or left to the hardware.
            return 0;
        }
        match Verdict::of(self.old_head, self.old, old, self.whole) {
            Verdict::Unknown if self.whole && is_begun(self.old_head, old) => {
                !sum(self.new_head, &[])
            }
            Verdict::Right | Verdict::Unknown => right,
            Verdict::Wrong => right ^ 0x0101,
        }
    }
}

/// The check sum over two stretches, the first of an even length.
pub(super) fn sum(head: &[u8], bytes: &[u8]) -> u16 {
    let words = Sum16BitWords::new().add_slice(head).add_slice(bytes);
    words.ones_complement().to_be()
}

/// What TCP and UDP sum up in front of their header.
pub(super) fn head(source: IpAddr, destination: IpAddr, protocol: u8, len: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(40);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            head.extend(source.octets());
            head.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            head.extend(source.octets());
            head.extend(destination.octets());
        }
        // Nothing sends that.
        _ => {}
    }
    head.extend([0, protocol]);
    head.extend(len.to_be_bytes());
    head
}

#[expect(clippy::too_many_arguments, reason = "one header, seen from all sides")]
pub(super) fn transport_sum(
    out: &mut [u8],
    data: &[u8],
    range: Range<usize>,
    at: usize,
    protocol: IpNumber,
    missing: u32,
    (source, destination): (IpAddr, IpAddr),
    disguise: &mut impl Disguise,
) {
    let len = length(range.len()).saturating_add(missing);
    let old_head = head(source, destination, protocol.0, len);
    let new_head = head(
        disguise.address(source),
        disguise.address(destination),
        protocol.0,
        len,
    );
    let (Some(old), Some(new)) = (data.get(range.clone()), out.get(range.clone())) else {
        return;
    };
    let pair = Pair {
        old,
        new,
        old_head: &old_head,
        new_head: &new_head,
        whole: missing == 0,
    };
    let sum = match pair.sum(word(old, at)) {
        0 if protocol == IpNumber::UDP && word(old, at) != 0 => u16::MAX,
        sum => sum,
    };
    put(out, range.start.saturating_add(at), sum);
}

pub(super) fn has_gre_sum(data: &[u8], start: usize) -> bool {
    data.get(start).is_some_and(|flags| flags & 0x80 != 0)
}

pub(super) fn gre_sum(out: &mut [u8], data: &[u8], range: Range<usize>, missing: u32) {
    const GRE_SUM: usize = 4;
    if !has_gre_sum(data, range.start) {
        return;
    }
    simple_sum(out, data, range, GRE_SUM, missing == 0);
}

/// The check sum of an IPv4 header; IPv6 has none.
pub(super) fn header_sum(out: &mut [u8], data: &[u8], header: &Range<usize>) {
    const HEADER_SUM: usize = 10;
    let first = data.get(header.start).copied().unwrap_or(0);
    if first >> 4 == 4 {
        let end = header.start.saturating_add(usize::from(first & 15) * 4);
        simple_sum(out, data, header.start..end, HEADER_SUM, true);
    }
}

pub(super) fn simple_sum(out: &mut [u8], data: &[u8], range: Range<usize>, at: usize, whole: bool) {
    let (Some(old), Some(new)) = (data.get(range.clone()), out.get(range.clone())) else {
        return;
    };
    let pair = Pair {
        old,
        new,
        old_head: &[],
        new_head: &[],
        whole,
    };
    let sum = pair.sum(word(old, at));
    put(out, range.start.saturating_add(at), sum);
}

pub(super) fn word(data: &[u8], at: usize) -> u16 {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk::<2>);
    bytes.map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

pub(super) fn put(out: &mut [u8], at: usize, word: u16) {
    if let Some(place) = out.get_mut(at..at.saturating_add(2)) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}

//! Check sums of what was written anew: right where they were right, and as wrong as they were where they were not. A sum
//! over bytes that are not there, or a wrong one, would tell about the bytes it was made of, so none is taken over.

use etherparse::checksum::Sum16BitWords;
use std::net::IpAddr;

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

//! Recognises packets that were captured more than once: on two interfaces or VLANs, before and after a router or tunnel, by
//! a mirror port that copies what comes in and what goes out.
//!
//! **What makes a copy.** Compared is what nothing on the way changes: addresses, ports, sequence and acknowledgment number,
//! flags, window, length, TCP options (not those of SYN, where routers lower the segment size), payload (of IPv4 packets with
//! an identification its ends only), and the IPv4 identification. Link addresses, VLAN tags, hops left, IP check sum, class of service and encapsulation may differ. Behind
//! address translation, or a firewall that renumbers, copies are not recognised.
//!
//! **What makes none.** A retransmission, a keep-alive or a repeated acknowledgement is another packet with the same content,
//! and must not pass for a copy:
//!
//! - Senders number their IPv4 packets. The same number within [`limits::DUPLICATE_AGE`] is a copy, another number never is.
//! - IPv6 has no such number, and some systems send 0 where fragmenting is forbidden. Then places are told apart (input,
//!   interface, link header, hops left, encapsulation): every packet passes a place once, so the second sighting at one
//!   place is another packet, while the n-th sighting at one place is a copy of the n-th at another.
//! - Within a place, and without a number, a copy is only believed at once ([`SAME_PLACE_AGE`]: no sender repeats itself so
//!   fast), and not of a bare acknowledgement, which receivers do repeat at once.
//!
//! A copy is dropped only if nothing is lost: one of which more was captured than of the first passes. One of which less
//! was captured must agree in its TCP check sum, as its payload cannot be compared.
//!
//! **Cost.** A packet costs a hash over some header fields, without identification over its payload too, and a look at [`WAYS`] slots, where the oldest
//! makes room. Memory is fixed: [`limits::DUPLICATE_MEMORY`] segments.

use super::{Packet, Segment, length, link};
use crate::limits;
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::time::Duration;

/// Capture time within which a segment without identification that comes again at the same place is a copy.
const SAME_PLACE_AGE: Duration = Duration::from_micros(200);

/// Segments that share a place in the table.
const WAYS: usize = 4;
/// Places in the table.
const SLOTS: usize = limits::DUPLICATE_MEMORY / WAYS;

/// Places at which the same segment is counted; at further ones it passes.
const PLACES: usize = 4;

/// What a segment does not show of the headers around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks<'a> {
    /// IPv4 identification, or 0.
    pub id: u16,
    /// Hops left.
    pub ttl: u8,
    /// The TCP header's flags, all of them.
    pub flags: u8,
    /// The TCP check sum; what a machine captures of its own packets may have none yet.
    pub checksum: u16,
    /// TCP options.
    pub options: &'a [u8],
    /// The packet's outermost link header.
    pub link: &'a [u8],
    /// The packet's encapsulation, as a number.
    pub nest: u64,
}

/// A segment that was seen, and where.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Hash of everything but the payload.
    header: u64,
    /// Hash of the captured payload, or of its ends.
    payload: u64,
    time: Timestamp,
    /// Captured payload (bytes).
    captured: u32,
    checksum: u16,
}

/// Where a segment was seen, and how often; only used without identification.
type Places = [(u32, u16); PLACES];

/// Before all times: a slot that holds nothing.
const NOTHING: Seen = Seen {
    header: 0,
    payload: 0,
    time: Timestamp::from_nanos(i64::MIN),
    captured: 0,
    checksum: 0,
};

/// The segments seen lately.
pub(super) struct Duplicates {
    /// Seeded anew in each run: no capture can be made so that different segments look the same.
    hash: RandomState,
    /// Made of the seed.
    keys: [u64; 4],
    /// Empty until the first segment.
    slots: Box<[[Seen; WAYS]]>,
    /// The places of each segment in a slot; kept apart, as most segments need none. Empty until the first one that does.
    places: Box<[[Places; WAYS]]>,
}

impl Default for Duplicates {
    fn default() -> Self {
        let hash = RandomState::default();
        let keys = [1_u64, 2, 3, 4].map(|number| hash.hash_one(number));
        Self {
            hash,
            keys,
            slots: Box::default(),
            places: Box::default(),
        }
    }
}

impl Duplicates {
    /// Whether the segment is a copy of one that was asked about before.
    pub(super) fn is_copy(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        marks: &Marks<'_>,
    ) -> bool {
        if self.slots.is_empty() {
            self.slots = vec![[NOTHING; WAYS]; SLOTS].into_boxed_slice();
        }
        let new = Seen {
            header: self.header(segment, marks),
            payload: self.payload(segment.payload, marks),
            captured: length(segment.payload.len()),
            checksum: marks.checksum,
            time: segment.time,
        };
        let Some(index) = slot(segment) else {
            return false;
        };
        let Some(ways) = self.slots.get_mut(index) else {
            return false;
        };
        let known = ways.iter().position(|seen| seen.is_about(&new));
        let oldest = || (0..).zip(ways.iter()).min_by_key(|(_, seen)| seen.time);
        let Some(way) = known.or_else(|| oldest().map(|(way, _)| way)) else {
            return false;
        };
        let Some(seen) = ways.get_mut(way) else {
            return false;
        };
        let is_covered = known.is_some() && seen.covers(&new);
        if marks.id != 0 {
            if !is_covered {
                *seen = new;
            }
            return is_covered;
        }
        if self.places.is_empty() {
            self.places = vec![[Places::default(); WAYS]; SLOTS].into_boxed_slice();
        }
        let Some(places) = self.places.get_mut(index).and_then(|w| w.get_mut(way)) else {
            return false;
        };
        let place = place(&self.hash, packet, marks);
        if is_covered {
            let bare = new.captured == 0 && segment.missing == 0 && marks.is_bare();
            return seen.is_copy_at(places, place, segment.time, bare);
        }
        *seen = new;
        *places = Places::default();
        sight(places, place);
        false
    }

    /// Four words and what the options make are mixed by multiplications: a hasher that takes any number of words costs twice
    /// as much, for every packet.
    fn header(&self, segment: &Segment<'_>, marks: &Marks<'_>) -> u64 {
        let [a, b, c, d] = self.keys;
        let addresses = match (segment.source.ip(), segment.destination.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                u64::from(from.to_bits()) << 32 | u64::from(to.to_bits())
            }
            (from, to) => self.hash.hash_one((from, to)),
        };
        let (from, to) = (segment.source.port(), segment.destination.port());
        let ports = u64::from(from) << 16 | u64::from(to);
        let place = ports << 32 | u64::from(segment.sequence);
        let window = u64::from(segment.window) << 16 | u64::from(marks.id);
        let numbers = u64::from(segment.acknowledgment) << 32 | window;
        let len = length(segment.payload.len()).saturating_add(segment.missing);
        let flags = u64::from(marks.flags) << 32 | u64::from(len);
        let options = if segment.flags.syn {
            0
        } else {
            self.options(marks.options)
        };
        let whence = fold(addresses ^ a, place ^ b);
        let what = fold(numbers ^ c, flags ^ d);
        fold(whence ^ options ^ c, what ^ a)
    }

    fn options(&self, options: &[u8]) -> u64 {
        let ends = (options.first_chunk::<8>(), options.last_chunk::<8>());
        match ends {
            // A time stamp, mostly.
            (Some(first), Some(last)) if options.len() <= 16 => {
                let [a, b, ..] = self.keys;
                fold(
                    u64::from_le_bytes(*first) ^ b,
                    u64::from_le_bytes(*last) ^ a,
                )
            }
            _ if options.is_empty() => 0,
            _ => self.hash.hash_one(options),
        }
    }

    /// With an identification, the payload is hardly in question: its ends and length stand for it.
    fn payload(&self, payload: &[u8], marks: &Marks<'_>) -> u64 {
        let ends = (payload.first_chunk(), payload.last_chunk());
        if marks.id != 0
            && let (Some(first), Some(last)) = ends
        {
            return u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32);
        }
        if payload.is_empty() {
            return 0;
        }
        let mut hasher = self.hash.build_hasher();
        hasher.write(payload);
        hasher.finish()
    }
}

impl Marks<'_> {
    /// Neither opens nor ends anything: no SYN, FIN or RST.
    const fn is_bare(&self) -> bool {
        self.flags & 0x07 == 0
    }
}

impl Seen {
    /// Whether `other` may be the same segment: the same headers, and not too long ago.
    fn is_about(&self, other: &Self) -> bool {
        self.header == other.header
            && self.time <= other.time.after(limits::DUPLICATE_AGE)
            && other.time <= self.time.after(limits::DUPLICATE_AGE)
    }

    /// Whether this has all the payload that was captured of `other`.
    const fn covers(&self, other: &Self) -> bool {
        if other.captured == self.captured {
            other.payload == self.payload
        } else {
            other.captured < self.captured && other.checksum == self.checksum
        }
    }

    /// Whether a sighting at a place is of a packet that was seen elsewhere. `bare` segments may come again at once.
    fn is_copy_at(&mut self, places: &mut Places, place: u32, time: Timestamp, bare: bool) -> bool {
        let most = places.iter().map(|(_, count)| *count).max();
        let here = places
            .iter()
            .find(|(known, count)| *known == place && *count > 0);
        let at_once =
            time <= self.time.after(SAME_PLACE_AGE) && self.time <= time.after(SAME_PLACE_AGE);
        if here.is_some_and(|(_, count)| Some(*count) >= most) && at_once && !bare {
            return true;
        }
        let copy = sight(places, place).is_some_and(|count| Some(count) <= most);
        if !copy {
            self.time = time;
        }
        copy
    }
}

/// Both halves of the product.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    let half = |part: u128| u64::try_from(part).unwrap_or_default();
    half(product & u128::from(u64::MAX)) ^ half(product >> 64)
}

/// Counts a sighting, and says which one at its place it is; `None` where there is no room for another place.
fn sight(places: &mut Places, place: u32) -> Option<u16> {
    let (_, count) = places
        .iter_mut()
        .find(|(known, count)| *known == place || *count == 0)
        .map(|(known, count)| {
            *known = place;
            (known, count)
        })?;
    *count = count.saturating_add(1);
    Some(*count)
}

/// Where to look for a segment: numbers that differ from one to the next, mixed by a multiplication. Not the seeded hash, so
/// that what is forgotten is the same in each run.
fn slot(segment: &Segment<'_>) -> Option<usize> {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let ports = u64::from(segment.source.port()) << 16 | u64::from(segment.destination.port());
    let numbers = u64::from(segment.sequence) << 32 | u64::from(segment.acknowledgment);
    let mixed = (numbers ^ ports.rotate_left(16)).wrapping_mul(SPREAD) >> 32;
    usize::try_from(mixed).ok()?.checked_rem(SLOTS)
}

/// Where a packet was captured, as a number: which interface, from whom to whom on the link, how far on its way.
fn place(hash: &RandomState, packet: &Packet<'_>, marks: &Marks<'_>) -> u32 {
    let mut hasher = hash.build_hasher();
    hasher.write_u64(u64::from(packet.id.input) << 32 | u64::from(packet.interface));
    hasher.write_u64(marks.nest.rotate_left(8) ^ u64::from(marks.ttl));
    hasher.write(link::place(packet.link_type, marks.link));
    u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;

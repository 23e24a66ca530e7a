//! Takes packets down to TCP segments: link layer, tunnels, IP, fragments, and copies told.

use super::bytes::Bytes;
use super::duplicates::{Duplicates, Marks};
use super::exported::{self, Exported};
use super::fragments::{Fragments, Joined};
use super::ip::{self, Datagram, Stop};
use super::link::{self, Carrier, Network};
pub(super) use super::tcp::{in_datagram, of_exported};
use super::tunnel::{self, Nest, Opened};
use super::{Packet, PacketId, Segment, Tunnel, length};
use crate::limits;
use etherparse::{IpNumber, TcpHeader};
use std::collections::BTreeMap;

/// What a packet turned out to carry. Of a tunnel, what is inside counts.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Peeled<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A TCP segment that was captured before, elsewhere on its way: the same packet once more, not a retransmission.
    Duplicate,
    /// A part of an IP datagram that is held until the rest comes (or a duplicate of such a part).
    Fragment,
    /// IP, but not TCP.
    NotTcp,
    /// Not IP: ARP, spanning tree and the like.
    NotIp,
    /// The capture cut the packet within its headers.
    Cut,
    /// Headers that contradict themselves.
    Malformed,
    /// More tunnels inside each other than are followed ([`limits::MAX_TUNNELS`]).
    TooDeep,
    /// An upper layer that Wireshark exported without what is needed to follow a connection.
    ForeignPdu,
    /// A link type that cannot be read.
    UnknownLink(u32),
}

/// How many packets carried what. All kinds but `fragments_given_up` and `tunnels` add up to `packets`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LayerCounts {
    /// Packets looked at.
    pub packets: u64,
    /// Packets that gave a TCP segment.
    pub tcp: u64,
    /// Packets with a TCP segment that was captured before; only the first one counts as `tcp`.
    pub duplicates: u64,
    /// IP packets that carry something else.
    pub other_ip: u64,
    /// Packets without IP.
    pub not_ip: u64,
    /// Fragments held; the last one of a datagram gives a segment and counts there.
    pub fragments: u64,
    /// Held fragments of datagrams that never became whole.
    pub fragments_given_up: u64,
    /// Packets cut within their headers, and fragments cut at all.
    pub cut: u64,
    /// Packets with headers that contradict themselves.
    pub malformed: u64,
    /// Packets with more tunnels inside each other than are followed.
    pub too_deep: u64,
    /// Exported packets of upper layers, which cannot be followed.
    pub foreign_pdus: u64,
    /// Packets of unknown link types.
    pub unknown_link: u64,
    /// The unknown link types, each with its packets; only the first [`limits::UNKNOWN_LINK_TYPES`] different ones.
    pub unknown_link_types: BTreeMap<u32, u64>,
    /// Headers of each kind of tunnel that were taken off, whatever was inside.
    pub tunnels: BTreeMap<Tunnel, u64>,
}

/// How many buffers for joined fragments there are: one for each tunnel, and one for the innermost datagram.
pub(super) const JOINED_BUFFERS: usize = limits::MAX_TUNNELS + 1;

/// Peels packets down to TCP, holds the fragments of IP datagrams that are not whole yet, and knows the latest segments to
/// tell copies of them.
#[derive(Default)]
pub struct Layers {
    fragments: Fragments,
    /// The payloads of the datagrams that were joined for the last packet, from outside in.
    joined: [Vec<u8>; JOINED_BUFFERS],
    duplicates: Duplicates,
    counts: LayerCounts,
    /// The packets that brought what the last one carried.
    carriers: Vec<PacketId>,
}

impl Layers {
    /// Nothing held, nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the packet carries. A segment's payload is borrowed from the packet, or from here if fragments were joined.
    pub fn segment<'a>(&'a mut self, packet: &Packet<'a>) -> Peeled<'a> {
        let Self {
            fragments,
            joined,
            duplicates,
            counts,
            carriers,
        } = self;
        carriers.clear();
        carriers.push(packet.id);
        let mut around = Around {
            tunnels: &mut counts.tunnels,
            carriers,
        };
        let peeled = match peel(fragments, joined, duplicates, &mut around, packet) {
            Ok(segment) => Peeled::Tcp(segment),
            Err(stop) => stop.into(),
        };
        counts.count(&peeled);
        counts.fragments_given_up = fragments.given_up();
        peeled
    }

    /// The packets that brought what the last packet carried: itself, and if it made an IP datagram whole all those with
    /// fragments of that, in order.
    #[must_use]
    pub fn carriers(&self) -> &[PacketId] {
        &self.carriers
    }

    /// Call after the last packet: what is still held counts as given up from then on.
    pub fn finish(&mut self) {
        self.fragments.finish();
        self.counts.fragments_given_up = self.fragments.given_up();
    }

    /// Bytes of unfinished IP datagrams that are held; at most [`limits::FRAGMENT_BYTES`].
    #[must_use]
    pub const fn held(&self) -> usize {
        self.fragments.held()
    }

    /// What was seen so far.
    #[must_use]
    pub fn counts(&self) -> &LayerCounts {
        &self.counts
    }
}

impl LayerCounts {
    fn count(&mut self, peeled: &Peeled<'_>) {
        let count = match *peeled {
            Peeled::Tcp(_) => &mut self.tcp,
            Peeled::Duplicate => &mut self.duplicates,
            Peeled::Fragment => &mut self.fragments,
            Peeled::NotTcp => &mut self.other_ip,
            Peeled::NotIp => &mut self.not_ip,
            Peeled::Cut => &mut self.cut,
            Peeled::Malformed => &mut self.malformed,
            Peeled::TooDeep => &mut self.too_deep,
            Peeled::ForeignPdu => &mut self.foreign_pdus,
            Peeled::UnknownLink(link_type) => {
                let types = &mut self.unknown_link_types;
                if types.len() < limits::UNKNOWN_LINK_TYPES || types.contains_key(&link_type) {
                    let packets = types.entry(link_type).or_default();
                    *packets = packets.saturating_add(1);
                }
                &mut self.unknown_link
            }
        };
        *count = count.saturating_add(1);
        self.packets = self.packets.saturating_add(1);
    }
}

impl From<Stop> for Peeled<'_> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cut => Self::Cut,
            Stop::Malformed => Self::Malformed,
            Stop::NotIp => Self::NotIp,
            Stop::NotTcp => Self::NotTcp,
            Stop::Duplicate => Self::Duplicate,
            Stop::Fragment => Self::Fragment,
            Stop::TooDeep => Self::TooDeep,
            Stop::ForeignPdu => Self::ForeignPdu,
            Stop::UnknownLink(link_type) => Self::UnknownLink(link_type),
        }
    }
}

/// What is noted about a packet on the way in.
struct Around<'n> {
    tunnels: &'n mut BTreeMap<Tunnel, u64>,
    carriers: &'n mut Vec<PacketId>,
}

fn peel<'a>(
    fragments: &mut Fragments,
    joined: &'a mut [Vec<u8>],
    duplicates: &mut Duplicates,
    around: &mut Around<'_>,
    packet: &Packet<'a>,
) -> Result<Segment<'a>, Stop> {
    let whole = Bytes {
        data: packet.data,
        missing: packet
            .original_len
            .saturating_sub(length(packet.data.len())),
    };
    let mut network = link::network(packet.link_type, whole);
    let mut nest = Nest::default();
    let mut cut = whole.missing > 0;
    let mut buffers = joined.iter_mut();
    let link = link_header(packet.data, &network);
    loop {
        let opened = match network {
            Network::Ip(bytes) => {
                let mut datagram = ip::datagram(bytes)?;
                if datagram.fragment.is_some() {
                    let buffer = buffers.next().ok_or(Stop::TooDeep)?;
                    datagram = join(fragments, packet, &datagram, nest, around.carriers, buffer)?;
                }
                if datagram.protocol == IpNumber::TCP {
                    return segment(duplicates, packet, &datagram, link, nest);
                }
                cut |= datagram.missing > 0;
                tunnel::in_ip(&datagram)?
            }
            Network::Carrier(Carrier::Exported, bytes) => match exported::read(bytes)? {
                Exported::Inside(inside) => Opened {
                    kind: Tunnel::ExportedPdu,
                    id: 0,
                    inside,
                },
                Exported::Tcp(payload) => {
                    add_one(around.tunnels, Tunnel::ExportedPdu);
                    return exported_segment(duplicates, packet, &payload);
                }
            },
            Network::Carrier(carrier, bytes) => tunnel::in_carrier(carrier, bytes)?,
            Network::Other => return Err(Stop::NotIp),
            Network::Cut if cut => return Err(Stop::Cut),
            Network::Cut => return Err(Stop::Malformed),
            Network::Unknown => return Err(Stop::UnknownLink(packet.link_type)),
        };
        nest = nest.enter(&opened).ok_or(Stop::TooDeep)?;
        add_one(around.tunnels, opened.kind);
        network = opened.inside;
    }
}

fn add_one(tunnels: &mut BTreeMap<Tunnel, u64>, kind: Tunnel) {
    let count = tunnels.entry(kind).or_default();
    *count = count.saturating_add(1);
}

/// What stands before the first IP datagram or tunnel.
fn link_header<'a>(data: &'a [u8], network: &Network<'_>) -> &'a [u8] {
    match network {
        Network::Ip(bytes) | Network::Carrier(_, bytes) => {
            let len = data.len().saturating_sub(bytes.data.len());
            data.get(..len).unwrap_or_default()
        }
        _ => &[],
    }
}

/// The datagram that a fragment makes whole.
pub(super) fn join<'a>(
    fragments: &mut Fragments,
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
    nest: Nest,
    carriers: &mut Vec<PacketId>,
    buffer: &'a mut Vec<u8>,
) -> Result<Datagram<'a>, Stop> {
    if !datagram.may_carry_tcp() {
        return Err(Stop::NotTcp);
    }
    if datagram.missing > 0 {
        return Err(Stop::Cut);
    }
    match fragments.add(datagram, nest.key, packet.time, carriers, buffer) {
        Joined::Kept => Err(Stop::Fragment),
        Joined::Malformed => Err(Stop::Malformed),
        Joined::Refused => Err(Stop::NotTcp),
        Joined::Whole(protocol) => {
            let mut whole = Datagram {
                protocol,
                payload: buffer,
                missing: 0,
                fragment: None,
                ..*datagram
            };
            whole.take_extensions_off()?;
            match whole.fragment {
                None => Ok(whole),
                Some(_) => Err(Stop::Malformed),
            }
        }
    }
}

fn segment<'a>(
    duplicates: &mut Duplicates,
    packet: &Packet<'a>,
    datagram: &Datagram<'a>,
    link: &[u8],
    nest: Nest,
) -> Result<Segment<'a>, Stop> {
    let (segment, checksum, header_len) = in_datagram(packet, datagram)?;
    let options_at = TcpHeader::MIN_LEN..header_len;
    let marks = Marks {
        id: datagram.id,
        ttl: datagram.ttl,
        flags: datagram.payload.get(13).copied().unwrap_or_default(),
        checksum,
        options: datagram.payload.get(options_at).unwrap_or_default(),
        link,
        nest: nest.key,
    };
    if duplicates.is_copy(packet, &segment, &marks) {
        return Err(Stop::Duplicate);
    }
    Ok(segment)
}

/// The segment that TCP payload was taken from, as far as Wireshark tells.
fn exported_segment<'a>(
    duplicates: &mut Duplicates,
    packet: &Packet<'a>,
    payload: &exported::Payload<'a>,
) -> Result<Segment<'a>, Stop> {
    let segment = of_exported(packet, payload);
    if duplicates.is_copy(packet, &segment, &Marks::default()) {
        return Err(Stop::Duplicate);
    }
    Ok(segment)
}

#[cfg(test)]
mod tests;

//! Takes packets down to TCP segments: link layer, IP, fragments, TCP header.

use super::fragments::{Fragments, Joined};
use super::ip::{self, Datagram, Stop};
use super::link::{self, Network};
use super::{Flags, Packet, Segment, length};
use crate::limits;
use etherparse::err::tcp::HeaderSliceError;
use etherparse::{IpNumber, TcpHeaderSlice};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What a packet turned out to carry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Peeled<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
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
    /// A link type that cannot be read.
    UnknownLink(u32),
}

/// How many packets carried what. All kinds but `fragments_given_up` add up to `packets`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LayerCounts {
    /// Packets looked at.
    pub packets: u64,
    /// Packets that gave a TCP segment.
    pub tcp: u64,
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
    /// Packets of unknown link types.
    pub unknown_link: u64,
    /// The unknown link types, each with its packets; only the first [`limits::UNKNOWN_LINK_TYPES`] different ones.
    pub unknown_link_types: BTreeMap<u32, u64>,
}

/// Peels packets down to TCP, and holds the fragments of IP datagrams that are not whole yet.
#[derive(Default)]
pub struct Layers {
    fragments: Fragments,
    /// The payload of the last datagram that was joined.
    joined: Vec<u8>,
    counts: LayerCounts,
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
            counts,
        } = self;
        let peeled = peel(fragments, joined, packet);
        counts.count(&peeled);
        counts.fragments_given_up = fragments.given_up();
        peeled
    }

    /// Call after the last packet: what is still held counts as given up from then on.
    pub fn finish(&mut self) {
        self.fragments.finish();
        self.counts.fragments_given_up = self.fragments.given_up();
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
            Peeled::Fragment => &mut self.fragments,
            Peeled::NotTcp => &mut self.other_ip,
            Peeled::NotIp => &mut self.not_ip,
            Peeled::Cut => &mut self.cut,
            Peeled::Malformed => &mut self.malformed,
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
        }
    }
}

fn peel<'a>(fragments: &mut Fragments, joined: &'a mut Vec<u8>, packet: &Packet<'a>) -> Peeled<'a> {
    let data = match link::network(packet.link_type, packet.data) {
        Network::Ip(data) => data,
        Network::Other => return Peeled::NotIp,
        Network::Cut if length(packet.data.len()) < packet.original_len => return Peeled::Cut,
        Network::Cut => return Peeled::Malformed,
        Network::Unknown => return Peeled::UnknownLink(packet.link_type),
    };
    let link_header = packet.data.len().saturating_sub(data.len());
    let datagram = match ip::datagram(
        data,
        packet.original_len.saturating_sub(length(link_header)),
    ) {
        Ok(datagram) => datagram,
        Err(stop) => return stop.into(),
    };
    let Some(fragment) = datagram.fragment else {
        return segment(packet, &datagram);
    };
    if !datagram.may_be_tcp() {
        return Peeled::NotTcp;
    }
    if datagram.missing > 0 {
        return Peeled::Cut;
    }
    match fragments.add(&datagram, fragment, packet.time, joined) {
        Joined::Kept => Peeled::Fragment,
        Joined::Malformed => Peeled::Malformed,
        Joined::Whole(protocol) => {
            let mut whole = Datagram {
                protocol,
                payload: joined,
                missing: 0,
                fragment: None,
                ..datagram
            };
            match whole.take_extensions_off() {
                Ok(()) if whole.fragment.is_none() => segment(packet, &whole),
                Ok(()) => Peeled::Malformed,
                Err(stop) => stop.into(),
            }
        }
    }
}

fn segment<'a>(packet: &Packet<'a>, datagram: &Datagram<'a>) -> Peeled<'a> {
    /// The longest TCP header (bytes).
    const LONGEST: usize = 60;
    if datagram.protocol != IpNumber::TCP {
        return Peeled::NotTcp;
    }
    match TcpHeaderSlice::from_slice(datagram.payload) {
        Ok(header) => tcp(packet, datagram, &header),
        Err(HeaderSliceError::Content(_)) => Peeled::Malformed,
        Err(HeaderSliceError::Len(_)) if datagram.missing == 0 => Peeled::Malformed,
        Err(HeaderSliceError::Len(_))
            if datagram.payload.len() < etherparse::TcpHeader::MIN_LEN =>
        {
            Peeled::Cut
        }
        Err(HeaderSliceError::Len(_)) => {
            // Cut within the options, which nobody asks for: the fixed part is all there.
            let mut filled = [0; LONGEST];
            for (to, from) in filled.iter_mut().zip(datagram.payload) {
                *to = *from;
            }
            match TcpHeaderSlice::from_slice(&filled) {
                Ok(header) => tcp(packet, datagram, &header),
                Err(_) => Peeled::Malformed,
            }
        }
    }
}

fn tcp<'a>(
    packet: &Packet<'a>,
    datagram: &Datagram<'a>,
    header: &TcpHeaderSlice<'_>,
) -> Peeled<'a> {
    let header_len = header.slice().len();
    let cut_off_header = header_len.saturating_sub(datagram.payload.len());
    let Some(missing) = datagram.missing.checked_sub(length(cut_off_header)) else {
        return Peeled::Malformed;
    };
    Peeled::Tcp(Segment {
        packet: packet.id,
        time: packet.time,
        source: SocketAddr::new(datagram.source, header.source_port()),
        destination: SocketAddr::new(datagram.destination, header.destination_port()),
        sequence: header.sequence_number(),
        acknowledgment: header.acknowledgment_number(),
        flags: Flags {
            syn: header.syn(),
            fin: header.fin(),
            rst: header.rst(),
            ack: header.ack(),
        },
        window: header.window_size(),
        payload: datagram.payload.get(header_len..).unwrap_or_default(),
        missing,
    })
}

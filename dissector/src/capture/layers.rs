//! Takes packets down to TCP segments: link layer, tunnels, IP, fragments, TCP header.

use super::bytes::Bytes;
use super::duplicates::{Duplicates, Marks};
use super::exported::{self, Exported};
use super::fragments::{Fragments, Joined};
use super::ip::{self, Datagram, Stop};
use super::link::{self, Carrier, Network};
use super::tunnel::{self, Nest, Opened};
use super::{Flags, Packet, PacketId, Segment, Tunnel, length};
use crate::limits;
use etherparse::err::tcp::HeaderSliceError;
use etherparse::{IpNumber, TcpHeaderSlice};
use std::collections::BTreeMap;
use std::net::SocketAddr;

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
    let options_at = etherparse::TcpHeader::MIN_LEN..header_len;
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

/// The segment in a datagram, its check sum, and the length of its header.
pub(super) fn in_datagram<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
) -> Result<(Segment<'a>, u16, usize), Stop> {
    match TcpHeaderSlice::from_slice(datagram.payload) {
        Ok(header) => Ok((
            tcp(packet, datagram, &header)?,
            header.checksum(),
            header.slice().len(),
        )),
        Err(HeaderSliceError::Content(_)) => Err(Stop::Malformed),
        Err(HeaderSliceError::Len(_)) => cut_in_options(packet, datagram),
    }
}

/// The segment of a header that is cut within its options, which only tell copies apart: the fixed part may be all there.
/// Also its check sum, and a header length without options.
#[cold]
fn cut_in_options<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
) -> Result<(Segment<'a>, u16, usize), Stop> {
    /// The longest TCP header (bytes).
    const LONGEST: usize = 60;
    if datagram.missing == 0 {
        return Err(Stop::Malformed);
    }
    if datagram.payload.len() < etherparse::TcpHeader::MIN_LEN {
        return Err(Stop::Cut);
    }
    let mut filled = [0; LONGEST];
    for (to, from) in filled.iter_mut().zip(datagram.payload) {
        *to = *from;
    }
    let header = TcpHeaderSlice::from_slice(&filled).map_err(|_| Stop::Malformed)?;
    let segment = tcp(packet, datagram, &header)?;
    Ok((segment, header.checksum(), etherparse::TcpHeader::MIN_LEN))
}

fn tcp<'a>(
    packet: &Packet<'_>,
    datagram: &Datagram<'a>,
    header: &TcpHeaderSlice<'_>,
) -> Result<Segment<'a>, Stop> {
    let header_len = header.slice().len();
    let cut_off_header = header_len.saturating_sub(datagram.payload.len());
    let Some(missing) = datagram.missing.checked_sub(length(cut_off_header)) else {
        return Err(Stop::Malformed);
    };
    Ok(Segment {
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

/// The segment that exported payload was in.
pub(super) const fn of_exported<'a>(
    packet: &Packet<'_>,
    payload: &exported::Payload<'a>,
) -> Segment<'a> {
    Segment {
        packet: packet.id,
        time: packet.time,
        source: payload.source,
        destination: payload.destination,
        sequence: payload.sequence,
        acknowledgment: payload.acknowledgment,
        flags: payload.flags,
        window: 0,
        payload: payload.bytes.data,
        missing: payload.bytes.missing,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::super::PacketId;
    use super::*;
    use crate::time::Timestamp;
    use etherparse::{
        IpFragOffset, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, TcpHeader,
    };
    use proptest::prelude::*;
    use std::time::Duration;

    const ETHERNET: u32 = 1;
    const RAW: u32 = 101;

    fn packet(link_type: u32, data: &[u8]) -> Packet<'_> {
        Packet {
            id: PacketId {
                input: 0,
                number: 1,
            },
            time: Timestamp::from_seconds(1_700_000_000),
            interface: 0,
            link_type,
            data,
            original_len: length(data.len()),
        }
    }

    /// A TCP segment without its IP header; three words of options make the header 32 bytes long.
    fn tcp_bytes(payload: &[u8]) -> Vec<u8> {
        let mut header = TcpHeader::new(42_027, 50_000, 7, 8_192);
        (header.ack, header.acknowledgment_number, header.fin) = (true, 9, true);
        header.set_options_raw(&[1; 12]).unwrap();
        [&header.to_bytes()[..], payload].concat()
    }

    fn ipv4(protocol: IpNumber, payload: &[u8]) -> Ipv4Header {
        let len = u16::try_from(payload.len()).unwrap();
        Ipv4Header::new(len, 64, protocol, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap()
    }

    fn ipv4_bytes(payload: &[u8]) -> Vec<u8> {
        [&ipv4(IpNumber::TCP, payload).to_bytes()[..], payload].concat()
    }

    fn ipv6_bytes(next_header: IpNumber, payload: &[u8]) -> Vec<u8> {
        let header = Ipv6Header {
            payload_length: u16::try_from(payload.len()).unwrap(),
            next_header,
            hop_limit: 64,
            source: [0xfd; 16],
            destination: [0xfe; 16],
            ..Ipv6Header::default()
        };
        [&header.to_bytes()[..], payload].concat()
    }

    fn ethernet(ether_type: &[u8], data: &[u8]) -> Vec<u8> {
        [&[0; 12][..], ether_type, data].concat()
    }

    fn expect_payload(layers: &mut Layers, packet: &Packet<'_>, payload: &[u8]) {
        match layers.segment(packet) {
            Peeled::Tcp(segment) => assert_eq!((segment.payload, segment.missing), (payload, 0)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_link_type_leads_to_the_segment() {
        let four = ipv4_bytes(&tcp_bytes(b"hello"));
        let six = ipv6_bytes(IpNumber::TCP, &tcp_bytes(b"hello"));
        let with = |header: &[u8], data: &[u8]| [header, data].concat();
        let cooked = |protocol: [u8; 2]| [&[0; 14][..], &protocol].concat();
        let cooked_2 = |protocol: [u8; 2]| [&protocol[..], &[0; 18]].concat();
        let cases = [
            (1, ethernet(&[0x08, 0x00], &four)),
            (1, ethernet(&[0x86, 0xdd], &six)),
            (1, ethernet(&[0x81, 0x00, 0, 5, 0x08, 0x00], &four)),
            (
                1,
                ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 0x86, 0xdd], &six),
            ),
            (
                1,
                ethernet(&[0x91, 0x00, 0, 5, 0x81, 0x00, 0, 6, 0x08, 0x00], &four),
            ),
            (
                1,
                ethernet(&[0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], &four),
            ),
            (113, with(&cooked([0x08, 0x00]), &four)),
            (113, with(&cooked([0x86, 0xdd]), &six)),
            (
                113,
                with(
                    &[&cooked([0x81, 0x00])[..], &[0, 5, 0x08, 0x00]].concat(),
                    &four,
                ),
            ),
            (276, with(&cooked_2([0x08, 0x00]), &four)),
            (276, with(&cooked_2([0x86, 0xdd]), &six)),
            (0, with(&[2, 0, 0, 0], &four)),
            (0, with(&[0, 0, 0, 2], &four)),
            (0, with(&[30, 0, 0, 0], &six)),
            (108, with(&[0, 0, 0, 2], &four)),
            (108, with(&[0, 0, 0, 24], &six)),
            (108, with(&[28, 0, 0, 0], &six)),
            (12, four.clone()),
            (14, six.clone()),
            (101, four.clone()),
            (101, six.clone()),
            (228, four),
            (229, six),
        ];
        let mut layers = Layers::new();
        for (number, (link_type, data)) in (0..).zip(&cases) {
            // So far apart that they are no copies of each other.
            let time = Timestamp::from_seconds(number * 2);
            let packet = Packet {
                time,
                ..packet(*link_type, data)
            };
            expect_payload(&mut layers, &packet, b"hello");
        }
        let cases = cases.len() as u64;
        assert_eq!(
            layers.counts(),
            &LayerCounts {
                packets: cases,
                tcp: cases,
                ..LayerCounts::default()
            }
        );
    }

    #[test]
    fn a_segment_has_all_fields_of_its_headers() {
        let data = ethernet(&[0x08, 0x00], &ipv4_bytes(&tcp_bytes(b"hello")));
        let mut layers = Layers::new();
        let packet = packet(ETHERNET, &data);
        let Peeled::Tcp(segment) = layers.segment(&packet) else {
            panic!()
        };
        assert_eq!((segment.packet, segment.time), (packet.id, packet.time));
        assert_eq!(segment.source, "10.0.0.1:42027".parse().unwrap());
        assert_eq!(segment.destination, "10.0.0.2:50000".parse().unwrap());
        assert_eq!(
            (segment.sequence, segment.acknowledgment, segment.window),
            (7, 9, 8_192)
        );
        assert_eq!(
            segment.flags,
            Flags {
                syn: false,
                fin: true,
                rst: false,
                ack: true
            }
        );
    }

    #[test]
    fn ethernet_padding_is_no_payload() {
        let mut data = ethernet(&[0x08, 0x00], &ipv4_bytes(&tcp_bytes(b"")));
        data.extend([0; 6]);
        expect_payload(&mut Layers::new(), &packet(ETHERNET, &data), b"");
    }

    #[test]
    fn without_an_ip_length_the_packet_ends_the_datagram() {
        let mut four = ipv4_bytes(&tcp_bytes(b"offloaded"));
        four[2..4].fill(0);
        let mut six = ipv6_bytes(IpNumber::TCP, &tcp_bytes(b"offloaded"));
        six[4..6].fill(0);
        for data in [
            ethernet(&[0x08, 0x00], &four),
            ethernet(&[0x86, 0xdd], &six),
        ] {
            expect_payload(&mut Layers::new(), &packet(ETHERNET, &data), b"offloaded");
            let cut = Packet {
                data: &data[..data.len() - 4],
                ..packet(ETHERNET, &data)
            };
            match Layers::new().segment(&cut) {
                Peeled::Tcp(segment) => {
                    assert_eq!((segment.payload, segment.missing), (&b"offlo"[..], 4))
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn cut_anywhere_the_segment_says_what_is_missing_or_the_headers_are_cut() {
        let four = ethernet(&[0x08, 0x00], &ipv4_bytes(&tcp_bytes(b"hello")));
        let options = Ipv6RawExtHeader::new_raw(IpNumber::TCP, &[0; 6])
            .unwrap()
            .to_bytes();
        let six = [&options[..], &tcp_bytes(b"hello")].concat();
        let six = ethernet(
            &[0x86, 0xdd],
            &ipv6_bytes(IpNumber::IPV6_HEADER_HOP_BY_HOP, &six),
        );
        for data in [four, six] {
            let fixed_part = data.len() - b"hello".len() - 12;
            for len in 0..data.len() {
                let cut = Packet {
                    data: &data[..len],
                    ..packet(ETHERNET, &data)
                };
                let mut layers = Layers::new();
                match layers.segment(&cut) {
                    Peeled::Tcp(segment) => {
                        let captured = len.saturating_sub(data.len() - b"hello".len());
                        assert_eq!(segment.payload, &b"hello"[..captured]);
                        assert_eq!(segment.missing, 5 - captured as u32);
                        assert!(len >= fixed_part);
                    }
                    Peeled::Cut => assert!(len < fixed_part, "{len}"),
                    other => panic!("{len}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn options_and_extension_headers_are_stepped_over() {
        let tcp = tcp_bytes(b"hello");
        let mut header = ipv4(IpNumber::TCP, &tcp);
        header.options = [1; 8].into();
        header.total_len += 8;
        let four = [&header.to_bytes()[..], &tcp].concat();
        expect_payload(&mut Layers::new(), &packet(RAW, &four), b"hello");

        // Authentication header: next, length in words - 2, reserved, index, sequence, value.
        let authentication = [
            6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        ];
        let payload = [&authentication[..], &tcp].concat();
        let header = ipv4(IpNumber::AUTHENTICATION_HEADER, &payload);
        let four = [&header.to_bytes()[..], &payload].concat();
        expect_payload(&mut Layers::new(), &packet(RAW, &four), b"hello");

        let extension = |next: IpNumber| {
            Ipv6RawExtHeader::new_raw(next, &[0; 14])
                .unwrap()
                .to_bytes()
        };
        let atomic = Ipv6FragmentHeader::new(
            IpNumber::AUTHENTICATION_HEADER,
            IpFragOffset::default(),
            false,
            1,
        );
        let payload = [
            &extension(IpNumber::IPV6_ROUTE_HEADER)[..],
            &extension(IpNumber::IPV6_DESTINATION_OPTIONS),
            &extension(IpNumber::IPV6_FRAGMENTATION_HEADER),
            &atomic.to_bytes(),
            &authentication,
            &tcp,
        ]
        .concat();
        let six = ipv6_bytes(IpNumber::IPV6_HEADER_HOP_BY_HOP, &payload);
        expect_payload(&mut Layers::new(), &packet(RAW, &six), b"hello");
    }

    #[test]
    fn what_is_no_tcp_is_told_apart() {
        let udp = [&ipv4(IpNumber::UDP, &[0; 8]).to_bytes()[..], &[0; 8]].concat();
        let mut short_header = ipv4_bytes(&tcp_bytes(b""));
        short_header[20 + 12] = 0x40;
        let mut short_total = ipv4_bytes(&tcp_bytes(b""));
        short_total[3] = 19;
        let mut layers = Layers::new();
        assert!(matches!(layers.segment(&packet(RAW, &udp)), Peeled::NotTcp));
        assert!(matches!(
            layers.segment(&packet(ETHERNET, &ethernet(&[0x08, 0x06], &[0; 28]))),
            Peeled::NotIp
        ));
        assert!(matches!(
            layers.segment(&packet(
                ETHERNET,
                &ethernet(&[0, 38, 0x42, 0x42, 3], &[0; 35])
            )),
            Peeled::NotIp
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &[0xff; 40])),
            Peeled::NotIp
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &short_header)),
            Peeled::Malformed
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &short_total)),
            Peeled::Malformed
        ));
        assert!(matches!(
            layers.segment(&packet(147, &udp)),
            Peeled::UnknownLink(147)
        ));
        assert!(matches!(
            layers.segment(&packet(147, &udp)),
            Peeled::UnknownLink(147)
        ));
        let expected = LayerCounts {
            packets: 8,
            other_ip: 1,
            not_ip: 3,
            malformed: 2,
            unknown_link: 2,
            unknown_link_types: [(147, 2)].into(),
            ..LayerCounts::default()
        };
        assert_eq!(layers.counts(), &expected);
    }

    const TEXT: &[u8] =
        b"This text is long enough to be cut into a few fragments of eight bytes each.";

    /// Raw IP packets with fragments of 24 bytes.
    fn fragments(version: u8, id: u16) -> Vec<Vec<u8>> {
        // In IPv6 an extension header belongs to the part that is fragmented.
        let options = Ipv6RawExtHeader::new_raw(IpNumber::TCP, &[0; 6])
            .unwrap()
            .to_bytes();
        let six = [&options[..], &tcp_bytes(TEXT)].concat();
        let whole = if version == 4 { tcp_bytes(TEXT) } else { six };
        let count = whole.chunks(24).count();
        let parts = whole.chunks(24).enumerate();
        parts
            .map(|(index, part)| {
                let offset = IpFragOffset::try_new(u16::try_from(index * 3).unwrap()).unwrap();
                let more = index + 1 < count;
                if version == 4 {
                    let mut header = ipv4(IpNumber::TCP, part);
                    (header.identification, header.dont_fragment) = (id, false);
                    (header.fragment_offset, header.more_fragments) = (offset, more);
                    [&header.to_bytes()[..], part].concat()
                } else {
                    let next = IpNumber::IPV6_DESTINATION_OPTIONS;
                    let header = Ipv6FragmentHeader::new(next, offset, more, id.into());
                    let part = [&header.to_bytes()[..], part].concat();
                    ipv6_bytes(IpNumber::IPV6_FRAGMENTATION_HEADER, &part)
                }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn fragments_in_any_order_give_the_segment(
            version in prop_oneof![Just(4), Just(6)],
            order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            // Two datagrams mixed, and each fragment comes twice.
            let (first, second) = (fragments(version, 1), fragments(version, 2));
            let count = first.len();
            let parts: Vec<_> = first.into_iter().chain(second).collect();
            let mut layers = Layers::new();
            let (mut whole, mut clock) = (0, 0);
            for index in order.into_iter().filter(|index| *index < 2 * count) {
                for _ in 0..2 {
                    // Otherwise the second segment is a copy of the first.
                    clock += 1;
                    let time = packet(RAW, &[]).time.after(Duration::from_millis(clock));
                    let part = Packet { time, ..packet(RAW, &parts[index]) };
                    match layers.segment(&part) {
                        Peeled::Fragment => {}
                        Peeled::Tcp(segment) => {
                            prop_assert_eq!(segment.payload, TEXT);
                            whole += 1;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            prop_assert_eq!(whole, 2);
            layers.finish();
            prop_assert_eq!(layers.counts().fragments_given_up, 0);
            prop_assert_eq!(layers.counts().fragments, 4 * count as u64 - 2);
        }

        #[test]
        fn random_bytes_never_panic(
            link_type in prop_oneof![0..2_u32, 101..115_u32, Just(276)],
            packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 1..20),
            extra in 0..100_u32,
        ) {
            let mut layers = Layers::new();
            for data in &packets {
                let packet = Packet { original_len: length(data.len()) + extra, ..packet(link_type, data) };
                layers.segment(&packet);
            }
            prop_assert_eq!(layers.counts().packets, packets.len() as u64);
        }

        #[test]
        fn changed_bytes_never_panic(
            version in prop_oneof![Just(4), Just(6)],
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut parts = fragments(version, 1);
            for (part, at, value) in changes {
                let part = part.index(parts.len());
                let at = at.index(parts[part].len());
                parts[part][at] = value;
            }
            let mut layers = Layers::new();
            for part in &parts {
                layers.segment(&packet(RAW, part));
            }
        }
    }

    #[test]
    fn fragments_that_stay_alone_are_given_up_and_counted() {
        let parts = fragments(4, 1);
        let mut layers = Layers::new();
        assert!(matches!(
            layers.segment(&packet(RAW, &parts[0])),
            Peeled::Fragment
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &parts[1])),
            Peeled::Fragment
        ));
        let late = fragments(4, 2);
        let time = packet(RAW, &[])
            .time
            .after(limits::FRAGMENT_AGE)
            .after(std::time::Duration::from_nanos(1));
        assert!(matches!(
            layers.segment(&Packet {
                time,
                ..packet(RAW, &late[0])
            }),
            Peeled::Fragment
        ));
        assert_eq!(layers.counts().fragments_given_up, 2);
        layers.finish();
        assert_eq!(
            (
                layers.counts().fragments,
                layers.counts().fragments_given_up
            ),
            (3, 3)
        );
    }

    #[test]
    fn held_fragments_are_bounded() {
        let mut layers = Layers::new();
        let packets = limits::FRAGMENT_DATAGRAMS + 10;
        for id in 0..packets {
            layers.segment(&packet(RAW, &fragments(4, id as u16)[1]));
        }
        assert_eq!(layers.counts().fragments_given_up, 10);
        // One small fragment at the end of a datagram makes it 64 KiB long.
        let mut layers = Layers::new();
        let mut far = fragments(4, 0)[1].clone();
        far[6..8].copy_from_slice(&(0x2000_u16 | 8_188).to_be_bytes());
        let packets = limits::FRAGMENT_BYTES / 65_528 + 10;
        for id in 0..packets {
            far[4..6].copy_from_slice(&(id as u16).to_be_bytes());
            layers.segment(&packet(RAW, &far));
        }
        assert!(
            (9..=10).contains(&layers.counts().fragments_given_up),
            "{:?}",
            layers.counts()
        );
    }

    #[test]
    fn an_identification_used_again_later_is_a_new_datagram() {
        let mut layers = Layers::new();
        let parts = fragments(4, 1);
        for time in [0, 2, 4] {
            let whole = parts
                .iter()
                .filter(|part| {
                    let packet = Packet {
                        time: Timestamp::from_seconds(time),
                        ..packet(RAW, part)
                    };
                    matches!(layers.segment(&packet), Peeled::Tcp(_))
                })
                .count();
            assert_eq!(whole, 1);
        }
    }

    #[test]
    fn fragments_of_other_protocols_are_not_held_and_cut_ones_counted_as_cut() {
        let mut part = fragments(4, 1)[0].clone();
        let cut = Packet {
            data: &part[..part.len() - 1],
            ..packet(RAW, &part)
        };
        let mut layers = Layers::new();
        assert!(matches!(layers.segment(&cut), Peeled::Cut));
        part[9] = 17;
        assert!(matches!(
            layers.segment(&packet(RAW, &part)),
            Peeled::NotTcp
        ));
        layers.finish();
        assert_eq!(layers.counts().fragments_given_up, 0);
    }

    #[test]
    fn fragments_that_contradict_each_other_give_their_datagram_up() {
        let parts = fragments(4, 1);
        let mut layers = Layers::new();
        let mut last = parts[1].clone();
        // "More fragments" taken away: the datagram would end before parts that are there already.
        last[6] &= 0xdf;
        assert!(matches!(
            layers.segment(&packet(RAW, &parts[0])),
            Peeled::Fragment
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &last)),
            Peeled::Tcp(_)
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &parts[2])),
            Peeled::Fragment
        ));
        let mut layers = Layers::new();
        assert!(matches!(
            layers.segment(&packet(RAW, &last)),
            Peeled::Fragment
        ));
        assert!(matches!(
            layers.segment(&packet(RAW, &parts[2])),
            Peeled::Malformed
        ));
        assert_eq!(
            (
                layers.counts().fragments_given_up,
                layers.counts().malformed
            ),
            (1, 1)
        );
    }
}

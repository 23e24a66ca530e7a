#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions
)]

mod payload;

use super::super::tunnel::tests::{PAYLOAD, samples};
use super::super::{Layers, PacketId, Peeled, Tunnel};
use super::*;
use crate::time::Timestamp;
use etherparse::{
    IpNumber, Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6Header, PacketBuilder, TcpHeader,
    TcpOptionElement,
};
use std::net::{IpAddr, Ipv4Addr};

/// Turns all bits of addresses round, and writes x.
struct Bits;

impl Disguise for Bits {
    fn address(&mut self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(four) => (!four).into(),
            IpAddr::V6(six) => (!six).into(),
        }
    }

    fn hardware(&mut self, address: &mut [u8]) {
        address.iter_mut().for_each(|byte| *byte = !*byte);
    }

    fn payload(&mut self, segment: &Segment<'_>, payload: &mut [u8]) -> io::Result<bool> {
        assert_eq!(segment.payload.len(), payload.len());
        payload.fill(b'x');
        Ok(true)
    }
}

fn packet(link_type: u32, data: &[u8], missing: u32) -> Packet<'_> {
    Packet {
        id: PacketId {
            input: 0,
            number: 1,
        },
        time: Timestamp::from_seconds(1_700_000_000),
        interface: 0,
        link_type,
        data,
        original_len: length(data.len()) + missing,
    }
}

fn disguised(link_type: u32, data: &[u8]) -> Vec<u8> {
    let mut disguiser = Disguiser::new();
    let packet = packet(link_type, data, 0);
    let out = disguiser.packet(&packet, &mut Bits).unwrap().unwrap();
    assert_eq!(out.original_len, length(out.data.len()));
    out.data.to_vec()
}

fn contains(place: &[u8], what: &[u8]) -> bool {
    place.windows(what.len()).any(|window| window == what)
}

#[test]
fn every_tunnel_stays_and_tells_of_other_ends() {
    for (kind, link_type, data) in samples() {
        let out = disguised(link_type, &data);
        // An exported packet is put into a frame.
        let is_exported = kind == Tunnel::ExportedPdu;
        assert!(is_exported || out.len() == data.len(), "{kind:?}");
        let mut layers = Layers::new();
        let before = packet(link_type, &data, 0);
        let Peeled::Tcp(before) = layers.segment(&before) else {
            panic!("{kind:?}")
        };
        let (source, destination) = (before.source, before.destination);
        let tunnels = layers.counts().tunnels.clone();
        let mut layers = Layers::new();
        let after = packet(if is_exported { 1 } else { link_type }, &out, 0);
        let Peeled::Tcp(after) = layers.segment(&after) else {
            panic!("{kind:?}: {out:02x?}")
        };
        assert_eq!(after.payload, vec![b'x'; PAYLOAD.len()], "{kind:?}");
        assert_eq!(after.source.ip(), Bits.address(source.ip()));
        assert_eq!(after.destination.ip(), Bits.address(destination.ip()));
        assert_eq!(
            (after.source.port(), after.destination.port()),
            (source.port(), destination.port())
        );
        if !is_exported {
            assert_eq!(layers.counts().tunnels, tunnels, "{kind:?}");
        }
        // Addresses of all layers, and of the frames inside.
        for gone in [
            PAYLOAD,
            &[10, 0, 0, 1],
            &[10, 0, 0, 2],
            &[0xfd; 16],
            &[0xfe; 16],
            &[0x46, 0, 1, 2, 3, 4],
            &[2, 0, 1, 2, 3, 5],
        ] {
            assert!(!contains(&out, gone), "{kind:?}: {gone:02x?} in {out:02x?}");
        }
    }
}

/// An Ethernet frame with a segment in VXLAN, all check sums right.
fn vxlan() -> Vec<u8> {
    let mut inner = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 60)
        .tcp(50_000, 42_027, 1, 9)
        .write(&mut inner, b"secret payload!")
        .unwrap();
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &inner].concat();
    let mut whole = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 3], [2, 0, 0, 0, 0, 4])
        .ipv4([192, 168, 0, 1], [192, 168, 0, 2], 60)
        .udp(49_152, 4789)
        .write(&mut whole, &vxlan)
        .unwrap();
    whole
}

const OUTER_SUM: usize = 14 + 10;
const UDP_SUM: usize = 14 + 20 + 6;
const INNER_IP: usize = 14 + 20 + 8 + 8 + 14;
const INNER_SUM: usize = INNER_IP + 10;
const TCP_SUM: usize = INNER_IP + 20 + 16;

/// Which check sums are right: the outer and inner IP header's, UDP's, TCP's.
fn right(data: &[u8]) -> [bool; 4] {
    let zero = |header: &[u8]| sums::sum(&[], header) == 0;
    let ends = |at: usize| {
        let four = |at: usize| {
            let octets: [u8; 4] = data[at..at + 4].try_into().unwrap();
            IpAddr::V4(Ipv4Addr::from(octets))
        };
        (four(at + 12), four(at + 16))
    };
    let transport = |start: usize, ip: usize, protocol: IpNumber| {
        let (source, destination) = ends(ip);
        let head = sums::head(source, destination, protocol.0, length(data.len() - start));
        sums::sum(&head, &data[start..]) == 0
    };
    [
        zero(&data[14..34]),
        zero(&data[INNER_IP..INNER_IP + 20]),
        transport(34, 14, IpNumber::UDP),
        transport(INNER_IP + 20, INNER_IP, IpNumber::TCP),
    ]
}

#[test]
fn check_sums_are_right_where_they_were() {
    let data = vxlan();
    assert_eq!(right(&data), [true; 4]);
    assert_eq!(right(&disguised(1, &data)), [true; 4]);
    for (at, expected) in [
        (OUTER_SUM, [false, true, true, true]),
        (UDP_SUM, [true, true, false, true]),
        (INNER_SUM, [true, false, false, true]),
        (TCP_SUM, [true, true, false, false]),
    ] {
        let mut wrong = data.clone();
        wrong[at] ^= 0x55;
        assert_eq!(right(&wrong), expected);
        let out = disguised(1, &wrong);
        assert_eq!(right(&out), expected, "{at}");
        // A wrong sum tells nothing about the bytes that it was once made of.
        let mut other = wrong.clone();
        let last = other.len() - 1;
        other[last] ^= 0x0f;
        if matches!(at, OUTER_SUM | INNER_SUM) {
            // Nothing says any more where its headers end.
            let packet = packet(1, &other, 0);
            let mut disguiser = Disguiser::new();
            assert!(disguiser.packet(&packet, &mut Bits).unwrap().is_none());
            continue;
        }
        assert_eq!(
            disguised(1, &other)[TCP_SUM..TCP_SUM + 2] == out[TCP_SUM..TCP_SUM + 2],
            at == TCP_SUM
        );
    }
    // Not used, and begun for the hardware to finish.
    let mut unused = data.clone();
    unused[UDP_SUM..UDP_SUM + 2].fill(0);
    assert_eq!(disguised(1, &unused)[UDP_SUM..UDP_SUM + 2], [0, 0]);
    let mut begun = data;
    let len = length(begun.len() - INNER_IP - 20);
    let partial = |source: [u8; 4], destination: [u8; 4]| {
        !sums::sum(&sums::head(source.into(), destination.into(), 6, len), &[])
    };
    let sum = partial([10, 0, 0, 1], [10, 0, 0, 2]).to_be_bytes();
    begun[TCP_SUM..TCP_SUM + 2].copy_from_slice(&sum);
    let sum = partial(
        !Ipv4Addr::new(10, 0, 0, 1).octets_of(),
        !Ipv4Addr::new(10, 0, 0, 2).octets_of(),
    );
    let out = disguised(1, &begun);
    assert_eq!(out[TCP_SUM..TCP_SUM + 2], sum.to_be_bytes());
}

/// `!` on octets.
trait Octets {
    fn octets_of(self) -> Turned;
}

struct Turned([u8; 4]);

impl Octets for Ipv4Addr {
    fn octets_of(self) -> Turned {
        Turned(self.octets())
    }
}

impl std::ops::Not for Turned {
    type Output = [u8; 4];

    fn not(self) -> [u8; 4] {
        self.0.map(|octet| !octet)
    }
}

#[test]
fn what_was_cut_off_is_not_told_by_a_check_sum() {
    let mut sums = Vec::new();
    for secret in [b"one secret payload!", b"another secret pay!"] {
        let mut data = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 60)
            .tcp(50_000, 42_027, 1, 9)
            .write(&mut data, secret)
            .unwrap();
        let cut = &data[..data.len() - 10];
        let mut disguiser = Disguiser::new();
        let out = disguiser
            .packet(&packet(1, cut, 10), &mut Bits)
            .unwrap()
            .unwrap();
        assert_eq!(out.original_len, length(data.len()));
        sums.push(out.data.to_vec());
    }
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn options_and_padding_tell_nothing() {
    let mut tcp = TcpHeader::new(50_000, 42_027, 1, 9);
    let raw = [
        2, 4, 5, 0xb4, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 6, b'h', b'o', b's', b't',
    ];
    tcp.set_options_raw(&raw).unwrap();
    let mut ip = Ipv4Header::new(0, 60, IpNumber::TCP, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
    // A recorded route.
    ip.options = Ipv4Options::try_from(&[7, 7, 4, 172, 16, 9, 9, 0][..]).unwrap();
    let payload = b"hello";
    let whole = tcp.header_len() + payload.len();
    ip.set_payload_len(whole).unwrap();
    ip.header_checksum = ip.calc_header_checksum();
    tcp.checksum = tcp.calc_checksum_ipv4(&ip, payload).unwrap();
    let data = [
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7, 8, 0][..],
        &ip.to_bytes(),
        &tcp.to_bytes(),
        payload,
        b"padding that holds old memory",
    ]
    .concat();
    let out = disguised(1, &data);
    for gone in [&b"host"[..], &[172, 16, 9, 9], b"memory", payload] {
        assert!(!contains(&out, gone), "{gone:02x?}");
    }
    // The tag of the VLAN stays, and so do segment size and time stamps.
    assert_eq!(out[12..18], data[12..18]);
    let (ip, rest) = Ipv4Header::from_slice(&out[18..]).unwrap();
    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
    let (tcp, rest) = TcpHeader::from_slice(rest).unwrap();
    assert_eq!(
        tcp.checksum,
        tcp.calc_checksum_ipv4(&ip, &rest[..5]).unwrap()
    );
    let options: Vec<_> = tcp.options_iterator().map(Result::unwrap).collect();
    assert_eq!(options[0], TcpOptionElement::MaximumSegmentSize(0x5b4));
    assert_eq!(options[1], TcpOptionElement::Timestamp(1, 2));
    assert!(options[2..].iter().all(|o| *o == TcpOptionElement::Noop));
}

#[test]
fn addresses_of_a_route_are_left_out() {
    let mut tcp = TcpHeader::new(50_000, 42_027, 1, 9).to_bytes().to_vec();
    tcp.extend(b"hello");
    // Next header, length, type, segments left, reserved, one address.
    let mut route = vec![6, 2, 0, 0, 0, 0, 0, 0];
    route.extend([0x42; 16]);
    let ip = Ipv6Header {
        payload_length: u16::try_from(route.len() + tcp.len()).unwrap(),
        next_header: IpNumber::IPV6_ROUTE_HEADER,
        hop_limit: 9,
        source: [1; 16],
        destination: [2; 16],
        flow_label: Ipv6FlowLabel::ZERO,
        ..Ipv6Header::default()
    };
    let data = [&ip.to_bytes()[..], &route, &tcp].concat();
    let out = disguised(101, &data);
    assert!(!contains(&out, &[0x42; 2]));
    let mut layers = Layers::new();
    let packet = packet(101, &out, 0);
    let Peeled::Tcp(segment) = layers.segment(&packet) else {
        panic!("{out:02x?}")
    };
    assert_eq!(segment.payload, b"xxxxx");
    assert_eq!(segment.source.ip(), IpAddr::from([!1_u8; 16]));
}

#[test]
fn fragments_become_one_frame() {
    let mut tcp = TcpHeader::new(50_000, 42_027, 77, 9).to_bytes().to_vec();
    tcp.extend([b'a'; 100]);
    let part = |range: std::ops::Range<usize>, more: bool| {
        let payload = &tcp[range.clone()];
        let len = u16::try_from(payload.len()).unwrap();
        let mut ip = Ipv4Header::new(len, 60, IpNumber::TCP, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
        ip.identification = 5;
        ip.dont_fragment = false;
        ip.more_fragments = more;
        ip.fragment_offset = u16::try_from(range.start / 8).unwrap().try_into().unwrap();
        [&ip.to_bytes()[..], payload].concat()
    };
    let (first, second) = (part(0..64, true), part(64..120, false));
    let mut disguiser = Disguiser::new();
    assert!(
        disguiser
            .packet(&packet(101, &first, 0), &mut Bits)
            .unwrap()
            .is_none()
    );
    let out = disguiser
        .packet(&packet(101, &second, 0), &mut Bits)
        .unwrap()
        .unwrap();
    assert_eq!(out.link_type, 1);
    let mut layers = Layers::new();
    let Peeled::Tcp(segment) = layers.segment(&out) else {
        panic!("{out:?}")
    };
    assert_eq!((segment.sequence, segment.payload), (77, &[b'x'; 100][..]));
    let (ip, rest) = Ipv4Header::from_slice(&out.data[14..]).unwrap();
    let (tcp, rest) = TcpHeader::from_slice(rest).unwrap();
    assert_eq!(tcp.checksum, tcp.calc_checksum_ipv4(&ip, rest).unwrap());
}

#[test]
fn parts_of_datagrams_that_never_become_whole_were_left_out() {
    let part = |id: u16, protocol: IpNumber, at: u16, more: bool, payload: &[u8]| {
        let len = u16::try_from(payload.len()).unwrap();
        let mut ip = Ipv4Header::new(len, 60, protocol, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
        ip.identification = id;
        ip.dont_fragment = false;
        ip.more_fragments = more;
        ip.fragment_offset = at.try_into().unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        [&ip.to_bytes()[..], payload].concat()
    };
    let vxlan = [
        &[0xc0, 0, 0x12, 0xb5, 1, 0, 0, 0][..],
        b"secret text of a tunnel.",
    ]
    .concat();
    let packets = [
        part(
            1,
            IpNumber::TCP,
            4,
            true,
            b"secret text in the middle of it.",
        ),
        part(2, IpNumber::UDP, 0, true, &vxlan),
        // These two belong together.
        part(
            3,
            IpNumber::TCP,
            0,
            true,
            &TcpHeader::new(1, 2, 3, 4).to_bytes()[..16],
        ),
        part(3, IpNumber::TCP, 2, false, &[0; 4]),
        // A part of a datagram that is no tunnel's.
        part(4, IpNumber::UDP, 0, true, b"DNS answers"),
    ];
    let given_up = |packets: &[Vec<u8>]| {
        let mut layers = Layers::new();
        let id = |at: usize| PacketId {
            input: 0,
            number: at as u64 + 1,
        };
        for (at, data) in packets.iter().enumerate() {
            layers.segment(&Packet {
                id: id(at),
                ..packet(101, data, 0)
            });
        }
        layers.finish();
        layers.counts().fragments_given_up
    };
    assert_eq!(given_up(&packets), 2);
    let mut disguiser = Disguiser::new();
    let numbered = |at: usize| Packet {
        id: PacketId {
            input: 0,
            number: at as u64 + 1,
        },
        ..packet(101, &packets[at], 0)
    };
    (0..packets.len()).for_each(|at| disguiser.look(&numbered(at)));
    disguiser.looked();
    let mut written = Vec::new();
    for at in 0..packets.len() {
        let out = disguiser.packet(&numbered(at), &mut Bits).unwrap();
        let out = out.map(|out| (out.link_type, out.data.to_vec()));
        assert_eq!(out.is_some(), [true, true, false, true, false][at], "{at}");
        written.extend(out.filter(|(link, _)| *link == 101).map(|(_, data)| data));
    }
    for (out, original) in written.iter().zip(&packets) {
        assert_eq!(out.len(), original.len());
        assert!(!contains(out, b"secret") && !contains(out, &[10, 0, 0]));
        let (ip, _) = Ipv4Header::from_slice(out).unwrap();
        assert_eq!(ip.header_checksum, ip.calc_header_checksum());
    }
    assert_eq!(given_up(&written), 2);
}

#[test]
fn what_is_no_segment_is_left_out() {
    let mut disguiser = Disguiser::new();
    let mut udp = Vec::new();
    PacketBuilder::ethernet2([1; 6], [2; 6])
        .ipv4([10; 4], [11; 4], 9)
        .udp(53, 53)
        .write(&mut udp, b"name")
        .unwrap();
    for data in [&udp[..], &[0; 60], b"", &vxlan()[..50]] {
        let packet = packet(1, data, 0);
        assert!(disguiser.packet(&packet, &mut Bits).unwrap().is_none());
    }
}

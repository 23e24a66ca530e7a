//! Packets of every link type, whole, cut and broken, down to their segments.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fragments;

use super::super::Flags;
use super::super::samples::packet;
use super::*;
use crate::time::Timestamp;
use etherparse::{
    IpFragOffset, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, TcpHeader,
};
use proptest::prelude::*;
use std::time::Duration;

const ETHERNET: u32 = 1;
const RAW: u32 = 101;

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

proptest! {
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
}

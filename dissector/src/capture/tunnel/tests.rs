//! Packets in tunnels of every kind, whole, cut, nested and changed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fragments;
mod samples;

use super::super::samples::packet;
use super::super::{Layers, Packet, Peeled, length};
use crate::limits;
use proptest::prelude::*;
use samples::*;
pub use samples::{PAYLOAD, samples};

/// The payload, and that of a cut packet as far as it goes, or a word why there is none.
fn expect_prefix(layers: &mut Layers, packet: &Packet<'_>) -> bool {
    match layers.segment(packet) {
        Peeled::Tcp(segment) => {
            assert_eq!(segment.source.port(), 42_027);
            assert_eq!(segment.sequence, 7);
            assert_eq!(segment.payload, &PAYLOAD[..segment.payload.len()]);
            assert_eq!(
                segment.payload.len() + segment.missing as usize,
                PAYLOAD.len()
            );
            true
        }
        Peeled::Cut => false,
        other => panic!("{other:?} of {:02x?}", packet.data),
    }
}

#[test]
fn every_tunnel_leads_to_the_segment_and_is_counted() {
    for (kind, link_type, data) in samples() {
        let mut layers = Layers::new();
        assert!(
            expect_prefix(&mut layers, &packet(link_type, &data)),
            "{kind:?}"
        );
        let counts = layers.counts();
        assert_eq!((counts.tcp, counts.packets), (1, 1));
        assert_eq!(counts.tunnels.get(&kind), Some(&1), "{kind:?}");
    }
}

#[test]
fn cut_anywhere_a_tunnel_gives_the_rest_of_the_payload_or_is_cut() {
    for (kind, link_type, data) in samples() {
        let mut whole = None;
        for len in 0..data.len() {
            let cut = Packet {
                data: &data[..len],
                ..packet(link_type, &data)
            };
            let found = expect_prefix(&mut Layers::new(), &cut);
            // From some length on all headers are there.
            assert!(found || whole.is_none(), "{kind:?} {len}");
            whole = whole.or(found.then_some(len));
            // A packet that ends there on the wire makes no sense, but must not be misread either.
            let short = packet(link_type, &data[..len]);
            if let Peeled::Tcp(segment) = Layers::new().segment(&short) {
                assert!(PAYLOAD.starts_with(segment.payload), "{kind:?} {len}");
            }
        }
        assert!(
            whole.is_some_and(|len| len + PAYLOAD.len() <= data.len()),
            "{kind:?}"
        );
    }
}

#[test]
fn tags_of_switches_are_stepped_over() {
    for tags in [
        // Port of a fabric extender; the same by the standard.
        &[0x89, 0x26, 0x80, 0x01, 0x00, 0x02][..],
        &[0x89, 0x3f, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00],
        // Security group.
        &[0x89, 0x09, 0x01, 0x01, 0x00, 0x01, 0x00, 0x0f],
        // Four VLANs.
        &[
            0x88, 0xa8, 0, 1, 0x91, 0x00, 0, 2, 0x81, 0x00, 0, 3, 0x81, 0x00, 0, 4,
        ],
    ] {
        let data = join(&[&[0; 12], tags, &[0x08, 0x00], &plain()]);
        assert!(expect_prefix(&mut Layers::new(), &packet(ETHERNET, &data)));
        for len in 0..data.len() {
            let cut = Packet {
                data: &data[..len],
                ..packet(ETHERNET, &data)
            };
            expect_prefix(&mut Layers::new(), &cut);
        }
    }
}

#[test]
fn headers_of_logs_and_systems_are_stepped_over() {
    let plain = plain();
    let len = u16::try_from(plain.len() + 4).unwrap();
    // Family, version, resource; an attribute of 5 bytes, filled up to 8; the packet.
    let little = join(&[
        &[2, 0, 0, 5, 5, 0, 10, 0, 0xff, 0, 0, 0],
        &len.to_le_bytes(),
        &[9, 0],
        &plain,
    ]);
    let big = join(&[
        &[2, 0, 0, 5, 0, 5, 0, 10, 0xff, 0, 0, 0],
        &len.to_be_bytes(),
        &[0, 9],
        &plain,
    ]);
    let frame = ethernet(0x0800, &plain);
    let pktap = join(&[&[16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9, 9, 9], &frame]);
    let hdlc = header(&[0x0f, 0, 0x08, 0], &plain);
    for (link_type, data) in [
        (239, little),
        (239, big),
        (258, pktap),
        (104, hdlc.clone()),
        (50, hdlc),
    ] {
        assert!(expect_prefix(&mut Layers::new(), &packet(link_type, &data)));
        for len in 0..data.len() {
            let cut = Packet {
                data: &data[..len],
                ..packet(link_type, &data)
            };
            expect_prefix(&mut Layers::new(), &cut);
        }
    }
}

#[test]
fn other_traffic_on_the_ports_of_tunnels_is_not_misread() {
    let frame = ethernet(0x0800, &plain());
    let head = |first: [u8; 4], last: u8| join(&[&first, &[0, 0, 1, last], &frame]);
    let cases = [
        // Another port; no network number; bits that must be zero.
        (4788, head([8, 0, 0, 0], 0)),
        (4789, head([0, 0, 0, 0], 0)),
        (4789, head([9, 0, 0, 0], 0)),
        (4789, head([8, 0, 1, 0], 0)),
        (8472, head([8, 0, 0, 0], 1)),
        (4790, head([0x3c, 0, 0, 3], 0)),
        (4790, head([0x04, 0, 0, 3], 0)),
        // Another version; more options than there are bytes.
        (6081, head([0x40, 0, 0x65, 0x58], 0)),
        (6081, head([0x3f, 0, 0x65, 0x58], 0)),
        (6081, b"short".to_vec()),
    ];
    for (port, data) in cases {
        let data = ethernet(0x0800, &ipv4(17, &udp(port, &data)));
        let mut layers = Layers::new();
        let peeled = format!("{:?}", layers.segment(&packet(ETHERNET, &data)));
        assert_eq!(peeled, "NotTcp", "{port}");
        assert!(layers.counts().tunnels.is_empty());
    }
}

#[test]
fn what_is_not_followed_is_told_apart() {
    let kinds = [
        // Source routes in GRE; a keep-alive of GRE; an unknown version.
        (ipv4(47, &header(&[0x40, 0, 8, 0], &plain())), "NotTcp"),
        (ipv4(47, &[0, 0, 0, 0]), "NotIp"),
        (ipv4(47, &header(&[0, 2, 8, 0], &plain())), "NotTcp"),
        // A version of ERSPAN that there is not.
        (
            ipv4(
                47,
                &header(
                    &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x30, 0, 0, 0, 0, 0, 0, 0],
                    &[0; 60],
                ),
            ),
            "Malformed",
        ),
        // A label stack that never ends, and one with signalling below.
        (ipv4(137, &[0; 40]), "Malformed"),
        (
            ipv4(
                137,
                &mpls(&[13], &[0x10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ),
            "NotIp",
        ),
        // ARP in a tunnel.
        (
            ipv4(
                47,
                &header(&[0, 0, 0x65, 0x58], &ethernet(0x0806, &[0; 28])),
            ),
            "NotIp",
        ),
        // Encrypted.
        (ipv4(50, &[0; 40]), "NotTcp"),
    ];
    for (data, expected) in kinds {
        let peeled = format!("{:?}", Layers::new().segment(&packet(RAW, &data)));
        assert_eq!(peeled, expected, "{data:02x?}");
    }
    // Control packets of PPPoE and PPP.
    for data in [
        &[0x11, 0x65, 2, 1, 0, 0][..],
        &[0x11, 0, 2, 1, 0, 6, 0xc0, 0x21, 9, 1, 0, 4],
    ] {
        let data = ethernet(0x8864, data);
        assert!(matches!(
            Layers::new().segment(&packet(ETHERNET, &data)),
            Peeled::NotIp
        ));
    }
}

#[test]
fn a_mirror_that_truncates_frames_leaves_payload_missing() {
    let frame = ethernet(0x0800, &plain());
    let head = [
        0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x04, 0x64, 0, 0, 0, 9,
    ];
    for keep in 0..frame.len() {
        // The outer headers fit the truncated frame: the capture itself lacks nothing.
        let data = ipv4(47, &header(&head, &frame[..keep]));
        match Layers::new().segment(&packet(RAW, &data)) {
            Peeled::Tcp(segment) => {
                assert_eq!(segment.payload, &PAYLOAD[..segment.payload.len()]);
                assert_eq!(
                    segment.payload.len() + segment.missing as usize,
                    PAYLOAD.len()
                );
            }
            Peeled::Cut | Peeled::Malformed => assert!(keep < frame.len() - PAYLOAD.len()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn tunnels_beyond_the_limit_are_told() {
    let mut data = plain();
    for depth in 0..limits::MAX_TUNNELS + 1 {
        let mut layers = Layers::new();
        let peeled = layers.segment(&packet(RAW, &data));
        assert!(matches!(peeled, Peeled::Tcp(_)), "{depth}");
        data = ipv4(4, &data);
    }
    let mut layers = Layers::new();
    assert!(matches!(
        layers.segment(&packet(RAW, &data)),
        Peeled::TooDeep
    ));
    assert_eq!((layers.counts().too_deep, layers.counts().packets), (1, 1));
}

#[test]
fn exported_tcp_payload_is_a_segment_where_its_place_is_told() {
    let exported = |reassembled: u8, next: u32, payload: &[u8]| {
        join(&[
            &[0, 12, 0, 4, b'd', b'a', b't', b'a'],
            &[0, 20, 0, 4, 10, 0, 0, 1, 0, 21, 0, 4, 10, 0, 0, 2],
            &[0, 24, 0, 4, 0, 0, 0, 2],
            &[0, 25, 0, 4, 0, 0, 0xa4, 0x2b, 0, 26, 0, 4, 0, 0, 0xc3, 0x50],
            &[0, 34, 0, 19, 0, 1, 0, 0, 0, 7],
            &next.to_be_bytes(),
            &[0, 0, 0, 9, reassembled, 0, 0x18, 0, 0, 0, 0, 0, 0],
            payload,
        ])
    };
    let len = u32::try_from(PAYLOAD.len()).unwrap();
    let data = exported(0, 7 + len, PAYLOAD);
    assert!(expect_prefix(&mut Layers::new(), &packet(252, &data)));
    for at in 0..data.len() {
        let cut = Packet {
            data: &data[..at],
            ..packet(252, &data)
        };
        expect_prefix(&mut Layers::new(), &cut);
    }
    // Reassembled: it ends with this segment, and begins before.
    let data = exported(1, 7 + len, &[b"before, ", PAYLOAD].concat());
    match Layers::new().segment(&packet(252, &data)) {
        Peeled::Tcp(segment) => assert_eq!(segment.sequence, 7_u32.wrapping_sub(8)),
        other => panic!("{other:?}"),
    }
    // A part of the segment, who knows which.
    let data = exported(0, 8 + len, PAYLOAD);
    let mut layers = Layers::new();
    assert!(matches!(
        layers.segment(&packet(252, &data)),
        Peeled::ForeignPdu
    ));
    let above = header(&[0, 12, 0, 4, b'h', b't', b't', b'p', 0, 0, 0, 0], PAYLOAD);
    assert!(matches!(
        layers.segment(&packet(252, &above)),
        Peeled::ForeignPdu
    ));
    assert_eq!(layers.counts().foreign_pdus, 2);
}

/// One more layer around an IP datagram, or a frame around what the layer before made.
fn wrap(kind: u8, id: u8, inside: &[u8]) -> Vec<u8> {
    let frame = || ethernet(0x0800, inside);
    let vni = [0, 0, id, 0];
    match kind {
        0 => ipv4(4, inside),
        1 => ipv4(47, &header(&[0x20, 0, 8, 0, 0, 0, 0, id], inside)),
        2 => ipv4(
            47,
            &header(
                &[0x10, 0, 0x88, 0xbe, 0, 0, 0, id, 0x10, 0, 0, id, 0, 0, 0, 0],
                &frame(),
            ),
        ),
        3 => ipv4(17, &udp(4789, &join(&[&[8, 0, 0, 0], &vni, &frame()]))),
        4 => ipv4(17, &udp(4790, &join(&[&[12, 0, 0, 1], &vni, inside]))),
        5 => ipv4(
            17,
            &udp(6081, &join(&[&[0, 0, 0x65, 0x58], &vni, &frame()])),
        ),
        6 => ipv4(137, &mpls(&[id.into(), 3], inside)),
        7 => ipv4(97, &header(&[0x30, 0], &frame())),
        _ => ipv4(
            47,
            &header(
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, id, 0x20, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
                    0, 0, 0, 0, 0, 0,
                ],
                &frame(),
            ),
        ),
    }
}

proptest! {
    #[test]
    fn any_nesting_cut_anywhere_gives_the_segment_or_is_cut(
        // MPLS in IP counts once, as all others do.
        layers in proptest::collection::vec((0..9_u8, any::<u8>()), 0..8),
        at in any::<prop::sample::Index>(),
    ) {
        let data = layers.iter().fold(plain(), |inside, (kind, id)| wrap(*kind, *id, &inside));
        let found = expect_prefix(&mut Layers::new(), &packet(RAW, &data));
        prop_assert!(found);
        let cut = Packet { data: &data[..at.index(data.len())], ..packet(RAW, &data) };
        expect_prefix(&mut Layers::new(), &cut);
    }

    #[test]
    fn changed_bytes_in_tunnels_never_panic_and_all_packets_count(
        sample in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        extra in 0..60_u32,
    ) {
        let samples = samples();
        let (_, link_type, mut data) = samples[sample.index(samples.len())].clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        let mut layers = Layers::new();
        let packet = Packet { original_len: length(data.len()) + extra, ..packet(link_type, &data) };
        layers.segment(&packet);
        prop_assert_eq!(layers.counts().packets, 1);
    }
}

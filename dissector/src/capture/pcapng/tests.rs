//! Blocks of pcapng: clocks, interfaces, sections, packets of each kind.

#![allow(clippy::indexing_slicing)]

use super::super::samples::{Ng, read};
use super::super::{NoteKind, PacketId};
use super::*;

const SECOND: i64 = NANOS_PER_SECOND;

#[test]
fn each_interface_has_its_own_clock_and_link_type() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        // Microseconds by default; nanoseconds, 1/2^20 seconds and tenths, each with an offset.
        ng.interface(1, 0, None, None)
            .interface(101, 0, Some(9), Some(1_700_000_000))
            .interface(113, 0, Some(0x80 | 20), Some(-5))
            .interface(276, 0, Some(1), None)
            .interface(0, 0, Some(12), None);
        ng.enhanced(0, 1_700_000_000_000_001, b"a", 1)
            .enhanced(1, 7, b"b", 1)
            .enhanced(2, (10 << 20) + (1 << 19), b"c", 1)
            .enhanced(3, 15, b"d", 1)
            .enhanced(4, 2_000_000_000_000_999, b"e", 1);
        let read = read(&ng.bytes);
        assert_eq!(
            read.nanos(),
            [
                1_700_000_000 * SECOND + 1_000,
                1_700_000_000 * SECOND + 7,
                5 * SECOND + SECOND / 2,
                SECOND + SECOND / 2,
                2_000 * SECOND,
            ]
        );
        let links: Vec<_> = read
            .packets
            .iter()
            .map(|packet| (packet.interface, packet.link_type))
            .collect();
        assert_eq!(links, [(0, 1), (1, 101), (2, 113), (3, 276), (4, 0)]);
        assert_eq!(
            read.packets[4].id,
            PacketId {
                input: 0,
                number: 5
            }
        );
    }
}

#[test]
fn times_out_of_range_saturate() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, Some(0), None)
        .interface(1, 0, Some(9), Some(i64::MIN))
        .interface(1, 0, Some(0xff), None)
        .interface(1, 0, Some(0x7f), None);
    for interface in 0..4 {
        ng.enhanced(interface, u64::MAX, b"x", 1);
    }
    assert_eq!(read(&ng.bytes).nanos(), [i64::MAX, i64::MIN, 0, 0]);
}

#[test]
fn simple_and_obsolete_packets_and_unknown_blocks() {
    for big_endian in [false, true] {
        let mut ng = Ng::new(big_endian);
        ng.interface(1, 6, None, None)
            .block(0x0000_0bad, b"a custom block")
            .block(5, &[0; 12])
            .obsolete(0, 3_000_001, b"obsolete", 99)
            .block(0x7777_7777, b"")
            .simple(b"simple", 60)
            .simple(b"tiny", 4)
            .enhanced(0, 4_000_000, b"padded!", 7);
        let read = read(&ng.bytes);
        assert_eq!(
            read.data(),
            [&b"obsolete"[..], b"simple", b"tiny", b"padded!"]
        );
        assert_eq!(
            read.nanos(),
            [3_000_001_000, 3_000_001_000, 3_000_001_000, 4_000_000_000]
        );
        let lengths: Vec<_> = read
            .packets
            .iter()
            .map(|packet| packet.original_len)
            .collect();
        assert_eq!(lengths, [99, 60, 4, 7]);
        assert_eq!(read.kinds(), [NoteKind::PacketsCut { packets: 2 }]);
    }
}

#[test]
fn sections_bring_their_own_byte_order_and_interfaces() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, None, None)
        .interface(1, 0, None, None)
        .enhanced(1, 1, b"little", 6);
    ng.section(true)
        .interface(101, 0, Some(9), None)
        .enhanced(0, 2_000, b"big", 3);
    ng.section(false)
        .interface(113, 0, None, None)
        .enhanced(0, 3, b"little again", 12);
    let read = read(&ng.bytes);
    let packets: Vec<_> = read
        .packets
        .iter()
        .map(|packet| (packet.nanos, packet.link_type, &packet.data[..]))
        .collect();
    assert_eq!(
        packets,
        [
            (1_000, 1, &b"little"[..]),
            (2_000, 101, b"big"),
            (3_000, 113, b"little again")
        ]
    );
    assert!(read.notes.is_empty());
}

#[test]
fn an_interface_of_an_earlier_section_is_unknown_in_the_next() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, None, None)
        .section(false)
        .enhanced(0, 1, b"lost", 4);
    let read = read(&ng.bytes);
    assert!(read.packets.is_empty());
    assert!(matches!(
        read.kinds()[..],
        [NoteKind::DamageSkipped {
            places: 1,
            bytes: 36,
            ..
        }]
    ));
}

#[test]
fn long_blocks_without_packets_are_stepped_over() {
    let mut ng = Ng::new(false);
    ng.interface(1, 0, None, None)
        .block(10, &vec![7; 3 * 1024 * 1024])
        .enhanced(0, 1, b"behind", 6);
    let read = read(&ng.bytes);
    assert_eq!(read.data(), [b"behind"]);
    assert!(read.notes.is_empty());
}

//! Data in order, out of order, again and with other bytes.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, Side};
use super::data;
use crate::limits::{MAX_STREAM_BUFFER, PIECE_OVERHEAD};
use Side::{First, Second};

#[test]
fn in_order_data_of_both_sides() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"ab").ack(5001));
    bench.feed(server_at(5001).payload(b"xyz").ack(1003));
    bench.feed(at(1003).payload(b"cd").ack(5004)).finish();
    let expected = [
        Event::Opened(1),
        data(First, b"ab"),
        data(Second, b"xyz"),
        data(First, b"cd"),
        Event::Ended(1, End::CaptureEnded),
    ];
    assert_eq!(bench.heard.events, expected);
    assert_eq!(bench.heard.initiators, [Some(First)]);
    let [first, second] = bench.heard.stats[0];
    assert_eq!((first.segments, first.bytes), (4, 4));
    assert_eq!((second.segments, second.bytes), (2, 3));
}

#[test]
fn out_of_order_data_waits_for_the_hole_to_fill() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).payload(b"def").millis(1));
    assert_eq!(bench.heard.events, [Event::Opened(1)]);
    bench.feed(at(1001).payload(b"abc").millis(2));
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(
        bench.heard.runs,
        [(First, 2, 5, true), (First, 2, 4, true)],
        "time of the packet that filled the hole"
    );
    bench.finish();
    assert_eq!(bench.heard.stats[0][0].out_of_order, 1);
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn retransmission_is_dropped_and_its_new_part_delivered() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1002).payload(b"bcdef")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.runs[1], (First, 0, 6, false));
    assert_eq!(bench.heard.stats[0][0].retransmitted, 2);
}

#[test]
fn equal_overlap_of_held_data() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"cd"));
    bench.feed(at(1006).payload(b"fg"));
    bench.feed(at(1002).payload(b"bcdefgh"));
    bench.feed(at(1001).payload(b"ab")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdefgh");
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 0);
    assert_eq!(bench.heard.stats[0][0].retransmitted, 2);
}

#[test]
fn conflicting_overlap_keeps_the_bytes_that_came_first() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"cd"));
    bench.feed(at(1002).payload(b"BCDE"));
    bench.feed(at(1001).payload(b"aXX")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"aBcdE");
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 4);
}

#[test]
fn filler_that_conflicts_with_held_data_yields_to_it() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"cd"));
    bench.feed(at(1001).payload(b"abXYef")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 2);
    assert_eq!(bench.heard.stats[0][0].retransmitted, 1);
}

#[test]
fn bytes_delivered_already_came_again_with_another_value_unnoticed() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1004).payload(b"def"));
    bench.feed(server_at(5001).payload(b"XYZ").ack(1007));
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1002).payload(b"bcdEF"));
    bench.feed(at(1001).payload(b"Abcdefgh")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdefgh");
    let [first, second] = bench.heard.stats[0];
    assert_eq!((first.conflicting_bytes, first.retransmitted), (3, 3));
    assert_eq!(first.first_conflict.map(|packet| packet.number), Some(8));
    assert_eq!((second.conflicting_bytes, second.first_conflict), (0, None));
}

#[test]
fn bytes_delivered_to_make_room_are_compared_with_the_segment_that_needed_it() {
    let mut bench = Bench::connected();
    let fit = MAX_STREAM_BUFFER - PIECE_OVERHEAD;
    bench.feed(at(1101).payload(&vec![7; fit]));
    let last = 1101 + u32::try_from(fit).unwrap() - 2;
    bench.feed(at(last).payload(b"xyz")).finish();
    let bytes = bench.heard.bytes(1, First);
    assert_eq!(bytes.len(), fit + 1);
    assert_eq!(bytes[fit - 2..], [7, 7, b'z']);
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 2);
}

#[test]
fn a_garbage_byte_that_keeps_alive_is_no_conflict_but_a_window_probe_has_data() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1003).payload(b"\0"));
    bench.feed(at(1004).payload(b"d"));
    bench.feed(at(1004).payload(b"def")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 0);
    assert_eq!(bench.heard.stats[0][0].keep_alives, 1);
}

#[test]
fn sequence_numbers_wrap_within_a_held_segment() {
    let mut bench = Bench::new();
    bench.feed(at(0xFFFF_FFFC).syn());
    bench.feed(at(0x0000_0001).payload(b"ef"));
    bench.feed(at(0xFFFF_FFFE).payload(b"bcd"));
    bench.feed(at(0xFFFF_FFFD).payload(b"ab"));
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    bench.finish();
    assert_eq!(bench.heard.stats[0][0].conflicting_bytes, 0);
}

#[test]
fn keep_alives_of_no_byte_and_of_one_byte() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1003).ack(5001));
    bench.feed(at(1003).payload(b"\0").ack(5001));
    bench.feed(server_at(5001).ack(1004));
    bench.feed(at(1004).payload(b"d")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcd");
    let stats = bench.heard.stats[0][0];
    assert_eq!((stats.keep_alives, stats.retransmitted), (2, 0));
    assert_eq!(stats.conflicting_bytes, 0);
}

#[test]
fn zero_windows_are_counted() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).ack(5001).window(0));
    bench.feed(at(1001).ack(5001).window(0)).finish();
    assert_eq!(bench.heard.stats[0][0].zero_windows, 2);
}

#[test]
fn times_never_go_back_when_the_clock_does() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"ab").millis(50));
    bench.feed(at(1003).payload(b"cd").millis(40)).finish();
    assert_eq!(bench.heard.runs[1].1, 50);
    assert_eq!(bench.heard.end_times, [50]);
}

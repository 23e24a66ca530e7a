//! When a hole is given up as a gap, and when a jump is a loss.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, GapCause, Side};
use super::data;
use Side::{First, Second};

#[test]
fn acknowledged_hole_becomes_a_gap_after_the_grace_in_time() {
    let mut bench = Bench::connected();
    bench.feed(at(1006).payload(b"fgh").millis(10));
    bench.feed(server_at(5001).ack(1009).millis(20));
    bench.feed(at(9).syn().client_port(9).millis(519));
    assert_eq!(bench.heard.gaps(), [], "grace");
    bench.feed(at(9).syn().client_port(9).millis(520));
    assert_eq!(bench.heard.gaps(), [(5, GapCause::NotCaptured)]);
    assert_eq!(bench.heard.gap_times, [520]);
    assert_eq!(bench.heard.runs, [(First, 10, 4, true)], "own time");
    bench.finish();
    let stats = bench.heard.stats[0][0];
    assert_eq!((stats.gaps, stats.gap_bytes, stats.out_of_order), (1, 5, 0));
}

#[test]
fn acknowledged_hole_becomes_a_gap_after_the_grace_in_segments() {
    let mut bench = Bench::connected();
    bench.feed(at(1006).payload(b"fgh"));
    bench.feed(server_at(5001).ack(1009));
    for _ in 0..63 {
        bench.feed(server_at(5001).ack(1009));
    }
    assert_eq!(bench.heard.gaps(), []);
    bench.feed(server_at(5001).ack(1009));
    assert_eq!(bench.heard.gaps(), [(5, GapCause::NotCaptured)]);
}

#[test]
fn several_acknowledged_holes_become_gaps_together() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"c"));
    bench.feed(at(1005).payload(b"e"));
    bench.feed(at(1007).payload(b"g"));
    bench.feed(server_at(5001).ack(1008));
    bench.feed(server_at(5001).ack(1008).millis(500));
    assert_eq!(bench.heard.bytes(1, First), b"ceg");
    assert_eq!(
        bench.heard.gaps(),
        [
            (2, GapCause::NotCaptured),
            (1, GapCause::NotCaptured),
            (1, GapCause::NotCaptured)
        ]
    );
}

#[test]
fn hole_within_the_grace_still_fills_after_its_acknowledgement() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).payload(b"def"));
    bench.feed(server_at(5001).ack(1007));
    bench.feed(at(1001).payload(b"abc").millis(100)).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn one_sided_capture_gives_a_hole_up_after_longer() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).payload(b"def"));
    bench.feed(at(1007).payload(b"ghi").millis(4_999));
    assert_eq!(bench.heard.gaps(), []);
    bench.feed(at(9).syn().client_port(9).millis(5_000));
    assert_eq!(bench.heard.gaps(), [(3, GapCause::NotCaptured)]);
    assert_eq!(bench.heard.bytes(1, First), b"defghi");
}

#[test]
fn acknowledged_tail_is_a_gap_at_the_end() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(server_at(5001).ack(1010)).finish();
    assert_eq!(bench.heard.gaps(), [(6, GapCause::NotCaptured)]);
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
}

#[test]
fn acknowledgements_of_syn_and_fin_and_wild_ones_are_no_gap() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(server_at(5001).ack(1004 + 0x0200_0000));
    bench.feed(server_at(5001).ack(1005)).finish();
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn bytes_cut_by_the_snap_length_are_a_gap_at_once() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc").missing(7));
    bench.feed(at(1011).payload(b"kl"));
    bench.feed(at(1001).payload(b"abc").missing(7)).finish();
    let expected = [
        Event::Opened(1),
        data(First, b"abc"),
        Event::Gap(1, First, 7, GapCause::CutBySnapLength),
        data(First, b"kl"),
        Event::Ended(1, End::CaptureEnded),
    ];
    assert_eq!(bench.heard.events, expected);
    assert_eq!(bench.heard.stats[0][0].retransmitted, 1);
}

#[test]
fn held_segment_cut_by_the_snap_length() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"c").missing(2));
    bench.feed(at(1006).payload(b"f"));
    bench.feed(at(1001).payload(b"ab")).finish();
    let expected = [
        Event::Opened(1),
        data(First, b"ab"),
        data(First, b"c"),
        Event::Gap(1, First, 2, GapCause::CutBySnapLength),
        data(First, b"f"),
        Event::Ended(1, End::CaptureEnded),
    ];
    assert_eq!(bench.heard.events, expected);
}

#[test]
fn lone_implausible_jump_is_dropped_and_counted() {
    let mut bench = Bench::connected();
    for jump in [0x0100_0000, 0x4000_0000, 0x8000_0000, 0xC000_0000_u32] {
        bench.feed(at(1001_u32.wrapping_add(jump)).payload(b"junk"));
        bench.feed(at(1001_u32.wrapping_add(jump)).payload(b"junk"));
    }
    bench.feed(at(1001).payload(b"abc")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abc");
    assert_eq!(bench.heard.gaps(), []);
    assert_eq!(bench.heard.stats[0][0].implausible, 8);
}

#[test]
fn confirmed_jump_of_one_direction_is_a_long_loss() {
    let mut bench = Bench::connected();
    let far = 1001 + 100_000_000;
    bench.feed(at(1001).payload(b"abc").ack(5001));
    bench.feed(at(far).payload(b"x").ack(5001));
    bench.feed(at(far + 1).payload(b"y").ack(5001)).finish();
    assert_eq!(bench.heard.gaps(), [(99_999_997, GapCause::NotCaptured)]);
    assert_eq!(bench.heard.bytes(1, First), b"abcxy");
    assert_eq!(bench.heard.stats[0][0].implausible, 0);
}

#[test]
fn confirmed_jump_of_both_directions_is_a_new_connection_and_loses_nothing() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc").ack(5001));
    bench.feed(server_at(0x7000_0000).payload(b"A").ack(0x6000_0000));
    bench.feed(at(0x6000_0000).payload(b"b").ack(0x7000_0001));
    bench.feed(server_at(0x7000_0001).payload(b"C").ack(0x6000_0001));
    bench.finish();
    assert_eq!(
        bench.heard.ends(),
        [(1, End::Replaced), (2, End::CaptureEnded)]
    );
    assert_eq!(bench.heard.bytes(2, First), b"AC");
    assert_eq!(bench.heard.bytes(2, Second), b"b");
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn jumping_segments_alone_never_stop_the_old_stream() {
    let mut bench = Bench::connected();
    let far = 0x5000_0000;
    bench.feed(at(far).payload(b"x"));
    bench.feed(at(1001).payload(b"a"));
    bench.feed(at(far + 1).payload(b"y"));
    bench.feed(at(1002).payload(b"b")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"ab");
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
}

#[test]
fn each_hole_is_waited_for_from_its_own_beginning() {
    for filled in [true, false] {
        let mut bench = Bench::connected();
        bench.feed(at(1003).payload(b"c"));
        bench.feed(at(1005).payload(b"e").millis(4_000));
        if filled {
            bench.feed(at(1001).payload(b"ab").millis(4_500));
        }
        let first = usize::from(!filled);
        bench.feed(at(9).syn().client_port(9).millis(8_999));
        assert_eq!(bench.heard.gaps().len(), first, "filled: {filled}");
        bench.feed(at(9).syn().client_port(9).millis(9_000));
        assert_eq!(bench.heard.gaps().len(), first + 1, "filled: {filled}");
    }
}

//! One test for each case, named after it.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, GapCause, Side};
use crate::limits::{MAX_STREAM_BUFFER, PIECE_OVERHEAD};
use Side::{First, Second};

fn data(from: Side, bytes: &[u8]) -> Event {
    Event::Data(1, from, bytes.to_vec())
}

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
fn mid_stream_start_at_the_first_data_seen() {
    let mut bench = Bench::new();
    bench.feed(at(7000).ack(5001));
    assert_eq!(bench.heard.events, [], "an ACK alone opens nothing");
    bench.feed(server_at(5001).payload(b"xyz").ack(7000));
    bench.feed(at(7000).payload(b"ab").ack(5004)).finish();
    assert_eq!(bench.heard.bytes(1, First), b"xyz");
    assert_eq!(bench.heard.bytes(1, Second), b"ab");
    assert_eq!(bench.heard.initiators, [None]);
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn a_syn_captured_after_the_end_of_its_connection_opened_another() {
    let mut bench = Bench::new();
    bench.feed(server_at(5001).payload(b"xyz").fin().ack(1001));
    bench.feed(at(1000).syn());
    bench.feed(at(1001).fin().ack(5005));
    bench.feed(server_at(5000).syn().ack(1001));
    assert_eq!(bench.heard.ends(), [(1, End::Finished(First))]);
    bench
        .feed(server_at(5000).syn().ack(1001).millis(600))
        .finish();
    assert_eq!(bench.heard.ends().len(), 2, "much later it is another");
}

#[test]
fn data_captured_just_after_its_fin_in_mid_stream_was_dropped() {
    let mut bench = Bench::new();
    bench.feed(server_at(5001).payload(b"xyz").ack(7000));
    bench.feed(at(7003).fin().ack(5004));
    bench.feed(at(7000).payload(b"abc").ack(5004)).finish();
    assert_eq!(bench.heard.bytes(1, Second), b"abc");
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn a_fin_alone_starts_a_stream_where_the_other_side_says_or_else_at_itself() {
    let mut bench = Bench::new();
    bench.feed(server_at(5001).payload(b"xyz").ack(7000));
    bench.feed(at(7003).fin().ack(5004)).finish();
    assert_eq!(bench.heard.gaps(), [(3, GapCause::Ended)]);
    let mut bench = Bench::new();
    bench.feed(server_at(5001).payload(b"xyz"));
    bench.feed(at(7003).fin().ack(5004)).finish();
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn data_from_before_a_mid_stream_start_is_counted_not_delivered() {
    let mut bench = Bench::new();
    bench.feed(at(7003).payload(b"def"));
    bench.feed(at(7000).payload(b"abcdefgh")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"defgh");
    assert_eq!(bench.heard.stats[0][0].bytes_before_start, 3);
    assert_eq!(bench.heard.stats[0][0].retransmitted, 1);
}

#[test]
fn syn_captured_just_after_its_first_data_is_not_a_new_connection() {
    let mut bench = Bench::new();
    bench.feed(at(1001).payload(b"ab").ack(5001));
    bench.feed(at(1003).payload(b"cd").ack(5001));
    bench.feed(at(1000).syn());
    bench.feed(server_at(5000).syn().ack(1001)).finish();
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
    assert_eq!(bench.heard.initiators, [Some(First)]);
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
fn both_fins_end_the_connection() {
    let mut bench = Bench::connected();
    bench.feed(server_at(5001).payload(b"bye").fin().ack(1001));
    bench.feed(at(1001).ack(5005));
    bench.feed(at(1001).payload(b"half").ack(5005));
    assert_eq!(bench.heard.ends(), [], "half closed");
    bench.feed(at(1005).fin().ack(5005));
    assert_eq!(bench.heard.ends(), [(1, End::Finished(Second))]);
    bench.feed(server_at(5005).ack(1006)).finish();
    assert_eq!(bench.heard.bytes(1, First), b"half");
    assert_eq!(bench.heard.bytes(1, Second), b"bye");
    assert_eq!(bench.heard.gaps(), []);
    assert_eq!(bench.heard.ends().len(), 1);
}

#[test]
fn fin_out_of_order_and_again() {
    let mut bench = Bench::connected();
    bench.feed(server_at(5001).fin().ack(1001));
    bench.feed(at(1004).payload(b"def").fin().ack(5002));
    bench.feed(at(1004).payload(b"def").fin().ack(5002));
    assert_eq!(bench.heard.ends(), []);
    bench.feed(at(1001).payload(b"abc").ack(5002));
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.ends(), [(1, End::Finished(Second))]);
}

#[test]
fn lone_fin_beyond_a_hole_ends_after_the_grace() {
    let mut bench = Bench::connected();
    bench.feed(server_at(5001).fin().ack(1001));
    bench.feed(at(1011).fin().ack(5002));
    bench.feed(server_at(5002).ack(1012).millis(1));
    bench.feed(at(9).syn().client_port(9).millis(600));
    assert_eq!(bench.heard.gaps(), [(10, GapCause::NotCaptured)]);
    assert_eq!(bench.heard.ends(), [(1, End::Finished(Second))]);
}

#[test]
fn fin_that_data_contradicts_is_ignored_and_data_beyond_a_fin_dropped() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1002).fin());
    bench.feed(at(1004).payload(b"def").fin());
    bench.feed(at(1007).payload(b"beyond"));
    bench.feed(at(1020).payload(b"beyond")).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.gaps(), []);
}

#[test]
fn rst_ends_at_once_and_is_no_gap() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc").ack(5001));
    bench.feed(at(1004).rst().ack(5001).window(0).millis(3));
    assert_eq!(bench.heard.ends(), [(1, End::Reset(First))]);
    assert_eq!(bench.heard.end_times, [3]);
    assert_eq!(bench.heard.gaps(), []);
    assert_eq!(bench.heard.stats[0][0].zero_windows, 0);
}

#[test]
fn rst_flushes_held_data_after_the_grace() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).payload(b"def"));
    bench.feed(server_at(5001).rst());
    assert_eq!(bench.heard.ends(), []);
    bench.feed(at(9).syn().client_port(9).millis(600));
    assert_eq!(bench.heard.bytes(1, First), b"def");
    assert_eq!(bench.heard.gaps(), [(3, GapCause::Ended)]);
    assert_eq!(bench.heard.ends(), [(1, End::Reset(Second))]);
}

#[test]
fn rst_captured_before_the_data_it_follows() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).rst());
    bench.feed(at(1001).payload(b"abc"));
    assert_eq!(bench.heard.bytes(1, First), b"abc");
    assert_eq!(bench.heard.ends(), [(1, End::Reset(First))]);
}

#[test]
fn rst_out_of_window_does_not_end() {
    let mut bench = Bench::connected();
    for distance in [0x0100_0000, 0x4000_0000, 0x8000_0000, 0xC000_0000_u32] {
        bench.feed(at(1001_u32.wrapping_add(distance)).rst());
    }
    bench.feed(at(1001).payload(b"abc")).finish();
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
    assert_eq!(bench.heard.bytes(1, First), b"abc");
}

#[test]
fn refused_connection() {
    let mut bench = Bench::new();
    bench.feed(at(1000).syn());
    bench.feed(server_at(0).rst().ack(1001));
    assert_eq!(bench.heard.ends(), [(1, End::Reset(Second))]);
}

#[test]
fn retransmitted_syn_is_not_a_new_connection() {
    let mut bench = Bench::new();
    bench.feed(at(1000).syn());
    bench.feed(at(1000).syn());
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(at(1001).payload(b"abc"));
    bench.feed(at(1000).syn()).finish();
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
}

#[test]
fn syn_with_another_number_replaces_an_open_connection() {
    let mut bench = Bench::connected();
    bench.feed(at(1003).payload(b"cd"));
    bench.feed(at(900_000).syn());
    bench.feed(server_at(70_000).syn().ack(900_001));
    bench.feed(at(900_001).payload(b"new")).finish();
    let expected = [
        Event::Opened(1),
        Event::Gap(1, First, 2, GapCause::Ended),
        data(First, b"cd"),
        Event::Ended(1, End::Replaced),
        Event::Opened(2),
        Event::Data(2, First, b"new".to_vec()),
        Event::Ended(2, End::CaptureEnded),
    ];
    assert_eq!(bench.heard.events, expected);
}

#[test]
fn syn_ack_with_another_number_replaces_when_its_syn_was_lost() {
    let mut bench = Bench::connected();
    bench.feed(server_at(0x7000_0000).syn().ack(0x6000_0000));
    bench.feed(at(0x6000_0000).payload(b"new")).finish();
    assert_eq!(
        bench.heard.ends(),
        [(1, End::Replaced), (2, End::CaptureEnded)]
    );
    assert_eq!(bench.heard.bytes(2, Second), b"new");
    assert_eq!(bench.heard.initiators[1], Some(Second));
}

#[test]
fn syn_ack_captured_before_its_syn() {
    let mut bench = Bench::new();
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(at(1000).syn());
    bench.feed(at(1003).payload(b"cd").ack(5001));
    assert_eq!(bench.heard.bytes(1, Second), b"", "the start is known");
    bench.feed(at(1001).payload(b"ab").ack(5001)).finish();
    assert_eq!(bench.heard.bytes(1, Second), b"abcd");
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
    assert_eq!(bench.heard.initiators, [Some(Second)]);
}

fn finished() -> Bench {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc").fin().ack(5001));
    bench.feed(server_at(5001).fin().ack(1005));
    assert_eq!(bench.heard.ends(), [(1, End::Finished(First))]);
    bench
}

#[test]
fn late_segments_after_the_end_open_nothing() {
    let mut bench = finished();
    bench.feed(at(1005).ack(5002));
    bench.feed(at(1001).payload(b"abc").fin().ack(5001));
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(at(1000).syn());
    bench.feed(server_at(5001).fin().ack(1005));
    bench.feed(at(1005).rst()).finish();
    assert_eq!(bench.heard.ends().len(), 1);
    let late = bench.reassembler.late();
    assert_eq!((late.segments, late.bytes), (1, 3));
}

#[test]
fn time_wait_reuse_by_syn() {
    let mut bench = finished();
    bench.feed(at(1500).syn());
    bench.feed(server_at(9000).syn().ack(1501));
    bench.feed(at(1501).payload(b"new")).finish();
    assert_eq!(bench.heard.bytes(2, First), b"new");
}

#[test]
fn mid_stream_reuse_after_rst_by_unrelated_data() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).rst());
    bench.feed(at(0x5000_0000).payload(b"new").ack(7));
    bench.feed(server_at(7).payload(b"yes").ack(0x5000_0003));
    bench.finish();
    assert_eq!(bench.heard.bytes(2, First), b"new");
    assert_eq!(bench.heard.bytes(2, Second), b"yes");
}

#[test]
fn late_data_long_after_the_end_is_a_new_connection() {
    let mut bench = finished();
    bench.feed(at(1001).payload(b"new").millis(31_000)).finish();
    assert_eq!(bench.heard.bytes(2, First), b"new");
}

#[test]
fn simultaneous_open() {
    let mut bench = Bench::new();
    bench.feed(at(1000).syn());
    bench.feed(server_at(5000).syn());
    bench.feed(at(1000).syn().ack(5001));
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(at(1001).payload(b"ab"));
    bench.feed(server_at(5001).payload(b"cd")).finish();
    assert_eq!(bench.heard.ends(), [(1, End::CaptureEnded)]);
    assert_eq!(bench.heard.bytes(1, First), b"ab");
    assert_eq!(bench.heard.bytes(1, Second), b"cd");
}

#[test]
fn fast_open_data_on_syn_sent_again_after_the_handshake() {
    let mut bench = Bench::new();
    bench.feed(at(1000).syn().payload(b"abc"));
    bench.feed(server_at(5000).syn().ack(1001));
    bench.feed(at(1001).payload(b"abc").ack(5001));
    bench.feed(at(1004).payload(b"def").ack(5001)).finish();
    assert_eq!(bench.heard.bytes(1, First), b"abcdef");
    assert_eq!(bench.heard.stats[0][0].retransmitted, 1);
}

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
fn ignored_connection_reports_only_its_end() {
    let mut bench = Bench::connected();
    bench.heard.ignore_at = Some(b'!');
    bench.feed(server_at(5005).payload(b"held"));
    bench.feed(at(1004).payload(b"held"));
    bench.feed(at(1001).payload(b"ab!"));
    assert_eq!(bench.reassembler.held(), 0);
    bench.feed(at(1008).payload(b"more").ack(5001));
    bench.feed(at(9_001_012).payload(b"lost before").ack(5001));
    bench.feed(server_at(5001).fin());
    bench.feed(at(9_001_023).fin()).finish();
    let expected = [
        Event::Opened(1),
        data(First, b"ab!"),
        Event::Ended(1, End::Finished(Second)),
    ];
    assert_eq!(bench.heard.events, expected);
}

#[test]
fn a_fin_behind_cut_data_that_nobody_wants_was_waited_for_for_ever() {
    let mut bench = Bench::connected();
    bench.heard.ignore_at = Some(b'!');
    // The snap length cut the end of the segment: a hole before its FIN.
    bench.feed(at(1001).payload(b"!").missing(100).fin());
    bench.feed(server_at(5001).ack(1103).millis(20_000));
    bench.feed(at(1103).rst().millis(21_000)).finish();
    let expected = [
        Event::Opened(1),
        data(First, b"!"),
        Event::Ended(1, End::Reset(First)),
    ];
    assert_eq!(bench.heard.events, expected);
}

#[test]
fn ignored_connection_is_replaced_by_a_syn() {
    let mut bench = Bench::connected();
    bench.heard.ignore_at = Some(b'!');
    bench.feed(at(1001).payload(b"!"));
    bench.feed(at(77_000).syn());
    bench.feed(at(77_001).payload(b"new")).finish();
    assert_eq!(bench.heard.bytes(2, First), b"new");
    assert_eq!(bench.heard.ends()[0], (1, End::Replaced));
}

#[test]
fn interest_lost_while_held_data_is_delivered() {
    let mut bench = Bench::connected();
    bench.heard.ignore_at = Some(b'!');
    bench.feed(at(1004).payload(b"d!f").missing(4));
    bench.feed(at(1011).payload(b"k"));
    bench.feed(at(1001).payload(b"abc"));
    assert_eq!(bench.heard.bytes(1, First), b"abcd!f");
    assert_eq!((bench.reassembler.held(), bench.heard.gaps()), (0, vec![]));
    bench.feed(at(1012).rst()).finish();
    assert_eq!(bench.heard.ends(), [(1, End::Reset(First))]);
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

#[test]
fn connections_end_in_order_of_their_numbers() {
    let mut bench = Bench::new();
    for port in (100..200).rev() {
        bench.feed(at(1).syn().client_port(port));
    }
    bench.finish();
    let ids: Vec<u32> = bench.heard.ends().iter().map(|end| end.0).collect();
    assert_eq!(ids, (1..=100).collect::<Vec<u32>>());
}

#[test]
fn fin_then_rst_of_one_side_ends_at_once() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc").fin().ack(5001));
    bench.feed(server_at(5001).payload(b"late").ack(1005));
    bench.feed(at(1005).rst());
    assert_eq!(bench.heard.ends(), [(1, End::Reset(First))]);
}

#[test]
fn held_rst_is_the_end_even_if_the_capture_ends_first() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).rst().millis(7));
    bench.feed(at(9).syn().client_port(9).millis(300)).finish();
    assert_eq!(bench.heard.ends()[0], (1, End::Reset(First)));
    assert_eq!(bench.heard.end_times[0], 7, "the time of the RST");
}

#[test]
fn held_rst_is_the_end_even_if_a_syn_comes_first() {
    let mut bench = Bench::connected();
    bench.feed(at(1004).rst());
    bench.feed(at(80_000).syn());
    bench.feed(at(80_001).payload(b"new")).finish();
    assert_eq!(bench.heard.ends()[0], (1, End::Reset(First)));
    assert_eq!(bench.heard.bytes(2, First), b"new");
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

#[test]
fn syn_with_a_number_within_mid_stream_data_is_a_new_connection() {
    let mut bench = Bench::new();
    bench.feed(at(1001).payload(b"abcd").ack(5001));
    bench.feed(at(1002).syn()).finish();
    assert_eq!(bench.heard.ends()[0], (1, End::Replaced));
}

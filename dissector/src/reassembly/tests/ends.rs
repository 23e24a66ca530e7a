//! How connections end, and what comes after their end.

use super::super::testing::{Bench, at, server_at};
use super::super::{End, GapCause, Side};
use Side::{First, Second};

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

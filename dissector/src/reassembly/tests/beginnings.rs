//! How connections begin: by handshake, in mid-stream, or anew in the place of another one.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, GapCause, Side};
use super::data;
use Side::{First, Second};

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
fn syn_with_a_number_within_mid_stream_data_is_a_new_connection() {
    let mut bench = Bench::new();
    bench.feed(at(1001).payload(b"abcd").ack(5001));
    bench.feed(at(1002).syn()).finish();
    assert_eq!(bench.heard.ends()[0], (1, End::Replaced));
}

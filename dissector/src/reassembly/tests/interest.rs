//! Connections that nobody wants to hear any more of.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, Side};
use super::data;
use Side::{First, Second};

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

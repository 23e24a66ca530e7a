//! One test for each case, named after it.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, GapCause, Side};
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

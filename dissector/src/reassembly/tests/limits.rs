//! Limits hold, and reaching them is told.

use super::super::testing::{Bench, Event, at, server_at};
use super::super::{End, GapCause, Side};
use crate::limits::{
    MAX_CONNECTIONS, MAX_HALF_OPEN, MAX_STREAM_BUFFER, MAX_TOTAL_BUFFER, PIECE_OVERHEAD,
};

#[test]
fn an_entry_is_small() {
    let size = size_of::<super::super::connection::Entry>();
    assert!(size <= 528, "{size}");
}

#[test]
fn full_stream_buffer_turns_the_hole_into_a_gap() {
    let mut bench = Bench::connected();
    let chunk = vec![7; 1000];
    let fit = MAX_STREAM_BUFFER / (1000 + PIECE_OVERHEAD);
    for index in 0..fit {
        let sequence = 1101 + 1000 * u32::try_from(index).unwrap();
        bench.feed(at(sequence).payload(&chunk));
    }
    assert_eq!(bench.heard.gaps(), []);
    let sequence = 1101 + 1000 * u32::try_from(fit).unwrap();
    bench.feed(at(sequence).payload(&chunk));
    assert_eq!(bench.heard.gaps(), [(100, GapCause::BufferFull)]);
    assert_eq!(bench.heard.bytes(1, Side::First).len(), 1000 * (fit + 1));
    assert_eq!(bench.reassembler.held(), 0);
}

#[test]
fn segment_larger_than_the_buffer_beyond_a_hole_is_delivered_after_a_gap() {
    let mut bench = Bench::connected();
    bench.feed(at(1011).payload(&vec![7; MAX_STREAM_BUFFER + 1]));
    assert_eq!(bench.heard.gaps(), [(10, GapCause::BufferFull)]);
    assert_eq!(bench.heard.runs.len(), 1);
}

#[test]
fn full_buffer_with_a_segment_inside_the_first_hole() {
    let mut bench = Bench::connected();
    let mut sequence = 2001;
    while bench.heard.gaps().is_empty() && bench.reassembler.held() < MAX_STREAM_BUFFER - 3000 {
        bench.feed(at(sequence).payload(&[7; 2000]));
        sequence += 2000;
    }
    bench.feed(at(1101).payload(&[1; 900]));
    bench.feed(at(sequence).payload(&[7; 3000]));
    assert_eq!(bench.heard.gaps(), [(100, GapCause::BufferFull)]);
    assert_eq!(bench.reassembler.held(), 0);
}

#[test]
fn full_total_buffer_gives_up_the_oldest_holes() {
    let mut bench = Bench::new();
    let chunk = vec![7; 60_000];
    let per_stream = 4 * (60_000 + PIECE_OVERHEAD);
    let count = u16::try_from(MAX_TOTAL_BUFFER / per_stream).unwrap() + 1;
    for port in 1..=count {
        let millis = i64::from(port);
        bench.feed(at(1).syn().client_port(port).millis(millis));
        for index in 0..4 {
            let sequence = 100 + 60_000 * index;
            bench.feed(
                at(sequence)
                    .payload(&chunk)
                    .client_port(port)
                    .millis(millis),
            );
        }
    }
    assert!(bench.reassembler.held() <= MAX_TOTAL_BUFFER);
    let gap = Event::Gap(1, Side::First, 98, GapCause::BufferFull);
    assert!(bench.heard.events.contains(&gap), "the oldest went first");
    assert_eq!(bench.heard.gaps().len(), 1);
}

#[test]
fn endless_syns_evict_each_other_but_no_session() {
    let mut bench = Bench::connected();
    bench.feed(at(1001).payload(b"abc"));
    let count = u32::try_from(MAX_HALF_OPEN).unwrap() + 5000;
    for number in 0..count {
        let mut syn = at(number).syn();
        syn.source = std::net::SocketAddr::new(
            [10, 9, (number >> 8) as u8, number as u8].into(),
            1 + (number >> 16) as u16,
        );
        bench.feed(syn);
    }
    let ends = bench.heard.ends();
    assert_eq!(ends.len(), 5000);
    assert_eq!(ends[0], (2, End::Evicted));
    assert_eq!(ends[4999], (5001, End::Evicted));
    bench.feed(at(1004).payload(b"def"));
    assert_eq!(bench.heard.bytes(1, Side::First), b"abcdef");
}

#[test]
fn too_many_connections_evict_the_longest_idle() {
    let mut bench = Bench::new();
    let count = u32::try_from(MAX_CONNECTIONS).unwrap();
    let open = |bench: &mut Bench, number: u32| {
        let mut data = at(1000).payload(b"x");
        data.source =
            std::net::SocketAddr::new([10, 9, (number >> 8) as u8, number as u8].into(), 1);
        bench.feed(data);
    };
    for number in 0..count {
        open(&mut bench, number);
    }
    open(&mut bench, 0);
    assert_eq!(bench.heard.ends(), []);
    open(&mut bench, 0xFFFF);
    assert_eq!(bench.heard.ends(), [(2, End::Evicted)], "1 spoke again");
}

#[test]
fn tiny_pieces_are_bounded_too() {
    let mut bench = Bench::connected();
    for index in 0..20_000 {
        bench.feed(at(1003 + 2 * index).payload(b"x"));
    }
    assert!(bench.heard.gaps().len() > 17_000);
    bench.finish();
    assert_eq!(bench.heard.bytes(1, Side::First).len(), 20_000);
}

#[test]
fn cost_of_tiny_pieces_in_reverse_order_is_linear() {
    let mut bench = Bench::connected();
    for index in (0..900).rev() {
        bench.feed(at(1003 + 2 * index).payload(b"x"));
    }
    for _ in 0..200 {
        bench.feed(at(1002).payload(&[b'x'; 1800]));
    }
    let sent = 900 + 200 * 1800;
    let visited = super::super::ahead::VISITED.get();
    assert!(visited > sent / 2 && visited <= sent + 1100, "{visited}");
    assert_eq!(bench.heard.gaps(), []);
    bench.feed(at(1001).payload(b"y"));
    assert_eq!(bench.heard.bytes(1, Side::First).len(), 1801);
}

#[test]
fn full_buffer_of_tiny_pieces_is_emptied_by_halves_not_one_by_one() {
    let mut bench = Bench::connected();
    for index in 0..30_000 {
        bench.feed(at(1003 + 2 * index).payload(b"x"));
    }
    let visited = super::super::ahead::VISITED.get();
    assert!(visited <= 2 * 30_000, "{visited}");
}

#[test]
fn shedding_ends_connections_with_a_held_rst() {
    let mut bench = Bench::connected();
    bench.feed(server_at(5001).ack(1101));
    bench.feed(at(1051).rst());
    let chunk = vec![7; 60_000];
    for port in 1..=80 {
        bench.feed(at(1).syn().client_port(port).millis(1));
        for index in 0..4 {
            let sequence = 100 + 60_000 * index;
            bench.feed(at(sequence).payload(&chunk).client_port(port).millis(1));
        }
    }
    assert_eq!(bench.heard.ends(), [(1, End::Reset(Side::First))]);
    assert!(bench.reassembler.held() <= MAX_TOTAL_BUFFER);
}

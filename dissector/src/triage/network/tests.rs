#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::Thresholds;
use super::{Event, EventKind, Wire};
use crate::capture::{Flags, PacketId, Segment};
use crate::limits;
use crate::time::Timestamp;
use std::net::SocketAddr;

const NONE: Flags = Flags {
    syn: false,
    fin: false,
    rst: false,
    ack: false,
};
const ACK: Flags = Flags { ack: true, ..NONE };
const SYN: Flags = Flags { syn: true, ..NONE };
const RST: Flags = Flags { rst: true, ..NONE };

/// A connection between a client and a server.
struct Line {
    wire: Wire,
    client: SocketAddr,
    server: SocketAddr,
}

impl Line {
    fn to(server: &str) -> Self {
        Self {
            wire: Wire::new(&Thresholds::default()),
            client: "10.0.1.10:50412".parse().unwrap(),
            server: server.parse().unwrap(),
        }
    }

    /// A segment after so many milliseconds: sequence number, acknowledgment, payload bytes, window.
    fn send(
        &mut self,
        millis: i64,
        from_client: bool,
        flags: Flags,
        numbers: (u32, u32),
        bytes: usize,
        window: u16,
    ) {
        let payload = vec![b'x'; bytes];
        let (source, destination) = if from_client {
            (self.client, self.server)
        } else {
            (self.server, self.client)
        };
        self.wire.segment(&Segment {
            packet: PacketId {
                input: 0,
                number: 1,
            },
            time: Timestamp::from_nanos(millis * 1_000_000),
            source,
            destination,
            sequence: numbers.0,
            acknowledgment: numbers.1,
            flags,
            window,
            payload: &payload,
            missing: 0,
        });
    }

    fn client(&mut self, millis: i64, numbers: (u32, u32), bytes: usize) {
        self.send(millis, true, ACK, numbers, bytes, 1000);
    }

    fn server(&mut self, millis: i64, numbers: (u32, u32), bytes: usize) {
        self.send(millis, false, ACK, numbers, bytes, 1000);
    }

    fn events(mut self) -> Vec<EventKind> {
        self.wire.finish();
        let events: Vec<Event> = self.wire.take_events();
        events.into_iter().map(|event| event.kind).collect()
    }

    /// Segments of the client that were sent, and sent again.
    fn sent(self) -> Vec<(u32, u32)> {
        let client = self.client;
        let events = self.events().into_iter();
        events
            .filter_map(|kind| match kind {
                EventKind::Loss {
                    from, sent, again, ..
                } if from == client => Some((sent, again)),
                _ => None,
            })
            .collect()
    }
}

fn line() -> Line {
    Line::to("10.0.0.5:42027")
}

#[test]
fn what_comes_again_counts_and_what_comes_late_does_not() {
    let mut again = line();
    again.client(0, (100, 1), 50);
    again.client(250, (100, 1), 50);
    assert_eq!(again.sent(), [(2, 1)]);
    // A hole that fills at once is disorder; filled later, the first sending was lost on its way here.
    for (millis, repeated) in [(5, 0), (300, 1)] {
        let mut hole = line();
        hole.client(0, (100, 1), 50);
        hole.client(1, (200, 1), 50);
        hole.client(millis, (150, 1), 50);
        assert_eq!(hole.sent(), [(2 + repeated, repeated)]);
    }
    let mut kept_alive = line();
    kept_alive.client(0, (100, 1), 50);
    kept_alive.client(60_000, (149, 1), 1);
    assert_eq!(kept_alive.sent(), [(1, 0)]);
}

#[test]
fn bytes_that_arrived_without_being_captured_are_the_captures_fault() {
    let mut lossy = line();
    lossy.client(0, (100, 1), 50);
    lossy.client(250, (100, 1), 50);
    lossy.server(300, (1, 200), 0);
    let (client, server) = (lossy.client, lossy.server);
    let at = |millis: i64| Timestamp::from_nanos(millis * 1_000_000);
    assert!(lossy.wire.is_lacking(client, server, at(0), at(300)));
    assert!(!lossy.wire.is_lacking(client, server, at(0), at(299)));
    // They turn up late, as captures of several interfaces have it.
    lossy.client(310, (150, 1), 50);
    lossy.client(320, (200, 1), 50);
    assert_eq!(lossy.sent(), [(1, 0)]);
}

#[test]
fn time_outs_in_a_row_are_told_once() {
    let mut dead = line();
    dead.server(0, (1, 100), 10);
    dead.client(10, (100, 11), 50);
    for millis in [310, 910, 2_110, 4_510] {
        dead.client(millis, (100, 11), 50);
    }
    let told = dead.events();
    let timeouts: Vec<u32> = told
        .iter()
        .filter_map(|kind| match kind {
            EventKind::TimeOuts { again, .. } => Some(*again),
            _ => None,
        })
        .collect();
    assert_eq!(timeouts, [3]);
}

#[test]
fn a_window_that_was_never_open_is_not_known() {
    let closed = |first: u16| {
        let mut line = line();
        line.send(0, true, ACK, (100, 1), 0, first);
        line.send(10, true, ACK, (100, 1), 0, 0);
        line.send(6_000, true, ACK, (100, 1), 0, 500);
        line.events()
            .iter()
            .filter(|kind| matches!(kind, EventKind::WindowClosed { .. }))
            .count()
    };
    assert_eq!((closed(1000), closed(0)), (1, 0));
}

#[test]
fn whoever_sends_small_segments_at_once_has_no_nagle() {
    let held = |eager: bool| {
        let mut line = line();
        line.client(0, (100, 1), 20);
        if eager {
            line.client(1, (120, 1), 20);
            line.server(2, (1, 140), 0);
        } else {
            line.server(2, (1, 120), 0);
        }
        line.client(1_000, (140, 1), 20);
        line.server(1_040, (1, 160), 0);
        line.client(1_040, (160, 1), 20);
        let events = line.events();
        events
            .iter()
            .filter(|kind| matches!(kind, EventKind::Nagle { .. }))
            .count()
    };
    assert_eq!((held(false), held(true)), (1, 0));
}

#[test]
fn only_connections_for_cti_are_followed_and_not_too_many() {
    let mut web = Line::to("10.0.0.5:443");
    web.client(0, (100, 1), 50);
    web.client(250, (100, 1), 50);
    assert!(web.wire.tracked() == 0);
    web.wire.follow(web.server);
    web.client(500, (100, 1), 50);
    assert!(web.wire.tracked() == 1);
    let mut flood = line();
    for n in 0..20_000_u32 {
        let [_, _, high, low] = n.to_be_bytes();
        flood.client = SocketAddr::from(([10, 9, high, low], 50_000));
        flood.send(i64::from(n), true, SYN, (100, 0), 0, 1000);
        assert!(flood.wire.tracked() <= limits::MAX_TRACKED);
    }
}

#[test]
fn ports_that_are_used_again_are_another_connection() {
    let mut line = line();
    line.client(0, (100, 1), 50);
    line.send(10, false, RST, (1, 150), 0, 0);
    // Late segments of the old one are not looked at; long after it, there must be a new one.
    line.client(250, (100, 1), 50);
    line.client(60_000, (9_000, 1), 50);
    assert_eq!(line.sent(), [(1, 0), (1, 0)]);
}

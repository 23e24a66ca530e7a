//! One connection, and what a segment does to it.

use super::super::Thresholds;
use super::event::{Event, EventKind};
use super::flow::{Flow, Sending, distance, since};
use super::tls::{self, Records, TlsEnd};
use crate::capture::{PacketId, Segment};
use crate::ports::{PortKind, Ports};
use crate::time::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

/// A sender that repeats a segment so often has met time-outs in a row.
const TIMEOUTS: u32 = 3;
/// The same after a long silence.
const TRIES_AFTER_SILENCE: u32 = 2;
/// Payload of a segment that a smaller path MTU may stop.
const LARGE: u32 = 1000;
/// MessageType of OPEN_REQ.
const OPEN_REQ: u32 = 3;
/// An answer to OPEN_REQ "at once".
const AT_ONCE: Duration = Duration::from_secs(1);

/// One connection.
#[derive(Debug)]
pub(super) struct Track {
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Sequence number of its SYN, how often that came, and when first.
    pub syn: Option<(u32, u32, Timestamp)>,
    pub packet: PacketId,
    pub accepted: bool,
    pub over: bool,
    /// Client to server, server to client.
    pub flows: [Flow; 2],
    pub last: Timestamp,
    /// The client began with ClientHello.
    secured: bool,
    /// The client began with OPEN_REQ, then.
    opened: Option<Timestamp>,
    judged: bool,
    /// A packet was cut by the snap length.
    cut: bool,
    /// The first FIN, or RST.
    pub end: Option<PacketId>,
}

impl Track {
    pub fn new(client: SocketAddr, server: SocketAddr, time: Timestamp, packet: PacketId) -> Self {
        Self {
            client,
            server,
            syn: None,
            packet,
            accepted: false,
            over: false,
            flows: [Flow::default(), Flow::default()],
            last: time,
            secured: false,
            opened: None,
            judged: false,
            cut: false,
            end: None,
        }
    }

    pub fn event(&self, time: Timestamp, packet: PacketId, kind: EventKind) -> Event {
        Event {
            time,
            packet,
            client: self.client,
            server: self.server,
            kind,
        }
    }

    /// The flow of a sender, and the one of the other end.
    pub const fn split(&mut self, from_client: bool) -> (&mut Flow, &mut Flow) {
        let [client, server] = &mut self.flows;
        if from_client {
            (client, server)
        } else {
            (server, client)
        }
    }

    /// What the beginning of TLS, or of something else, came to; told once.
    fn judge(&mut self, by_client: bool, aborted: bool, time: Timestamp) -> Option<EventKind> {
        if self.judged {
            return None;
        }
        self.judged = true;
        let [client, server] = &self.flows;
        let kind = Ports::default().kind(self.server.port());
        if let Some(at) = self.opened {
            let at_once = time <= at.after(AT_ONCE);
            let mixed = kind == PortKind::Secured
                && aborted
                && !by_client
                && at_once
                && !server.first_payload;
            return mixed.then_some(EventKind::TlsMixup {
                client_secured: false,
            });
        }
        if !self.secured {
            return None;
        }
        let (Some(asked), Some(answered)) = (&client.records, &server.records) else {
            // The server answered with something that is no TLS.
            return server.first_payload.then_some(EventKind::TlsMixup {
                client_secured: true,
            });
        };
        if asked.lost || answered.lost || (asked.data > 0 && answered.data > 0) {
            return None;
        }
        if !server.first_payload && !by_client && kind == PortKind::Plain {
            return Some(EventKind::TlsMixup {
                client_secured: true,
            });
        }
        let alert = asked.alert.map(|alert| (alert, true));
        Some(EventKind::TlsFailed(TlsEnd {
            alert: alert.or(answered.alert.map(|alert| (alert, false))),
            answered: server.first_payload,
            by_client,
        }))
    }
}

/// What a segment does to its connection.
pub(super) fn step(
    track: &mut Track,
    segment: &Segment<'_>,
    thresholds: &Thresholds,
    events: &mut Vec<Event>,
) {
    let (time, packet, flags) = (segment.time, segment.packet, segment.flags);
    let from = segment.source;
    let from_client = from == track.client;
    let idle = since(time, track.last);
    let (own, _) = track.split(from_client);
    own.heard = true;
    if flags.syn {
        own.next = Some(segment.sequence.wrapping_add(1));
        if flags.ack {
            if !track.accepted && track.syn.is_some() {
                events.push(track.event(time, packet, EventKind::Accepted));
            }
            track.accepted = true;
        } else {
            let (_, tries, _) = track.syn.get_or_insert((segment.sequence, 0, time));
            *tries += 1;
            for flow in &mut track.flows {
                flow.records = Some(Records::default());
            }
        }
        return;
    }
    if flags.rst {
        reset(track, segment, thresholds, events);
        return;
    }
    // A server that speaks was there, whatever became of its SYN.
    track.accepted |= !from_client;
    if segment.missing > 0 && !std::mem::replace(&mut track.cut, true) {
        events.push(track.event(time, packet, EventKind::Cut));
    }
    if flags.ack {
        let pure = segment.payload.is_empty() && segment.missing == 0 && !flags.fin;
        let (_, other) = track.split(from_client);
        other.acknowledged(segment.acknowledgment, time, pure);
    }
    window(track, segment, from_client, events);
    let captured = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
    let bytes = captured.saturating_add(segment.missing);
    let (own, _) = track.split(from_client);
    let keeps_alive = bytes <= 1
        && own
            .next
            .is_some_and(|next| distance(segment.sequence, next) == -1);
    if bytes > 0 && !keeps_alive && !track.over {
        data(track, segment, bytes, idle, events);
        let (own, _) = track.split(from_client);
        let again_packet = own.again_packet.unwrap_or(packet);
        if let Some((since, sent, again)) = own.stretch_over(time, thresholds) {
            let kind = EventKind::Loss {
                from,
                since,
                sent,
                again,
            };
            events.push(track.event(time, again_packet, kind));
        }
        sending_stalled(track, from, segment, thresholds, events);
    }
    if flags.fin {
        let (own, _) = track.split(from_client);
        own.fin = true;
        track.end.get_or_insert(packet);
        if let Some(kind) = track.judge(from_client, true, time) {
            events.push(track.event(time, packet, kind));
        }
    }
}

/// A segment with payload.
fn data(
    track: &mut Track,
    segment: &Segment<'_>,
    bytes: u32,
    idle: Duration,
    events: &mut Vec<Event>,
) {
    let (time, packet) = (segment.time, segment.packet);
    let from_client = segment.source == track.client;
    let (own, _) = track.split(from_client);
    let in_order = own.next == Some(segment.sequence);
    let sending = own.send(segment.sequence, bytes, time, packet, idle);
    if let Sending::Held(held) = sending {
        let kind = EventKind::Nagle {
            from: segment.source,
            held,
        };
        events.push(track.event(time, packet, kind));
    }
    if !matches!(sending, Sending::New | Sending::Held(_)) {
        return;
    }
    let (own, _) = track.split(from_client);
    let first = !std::mem::replace(&mut own.first_payload, true);
    if let Some(records) = &mut own.records {
        records.lost |= !in_order || segment.missing > 0;
    }
    if first && in_order && track.syn.is_some() {
        begins(track, segment, from_client, events);
    }
    let (own, _) = track.split(from_client);
    if let Some(records) = &mut own.records {
        records.feed(segment.payload);
    }
}

/// The first bytes of a direction.
fn begins(track: &mut Track, segment: &Segment<'_>, from_client: bool, events: &mut Vec<Event>) {
    let payload = segment.payload;
    let secured = tls::is_handshake(payload);
    if from_client {
        track.secured = secured;
        if let [0, 0, _, _, a, b, c, d, ..] = payload
            && u32::from_be_bytes([*a, *b, *c, *d]) == OPEN_REQ
        {
            track.opened = Some(segment.time);
        }
    } else if track.opened.is_some() && tls::is_alert(payload) {
        track.judged = true;
        let kind = EventKind::TlsMixup {
            client_secured: false,
        };
        events.push(track.event(segment.time, segment.packet, kind));
    }
    if !secured && !tls::is_alert(payload) {
        let (own, _) = track.split(from_client);
        own.records = None;
    }
}

/// The receive window that the sender announces.
fn window(track: &mut Track, segment: &Segment<'_>, from_client: bool, events: &mut Vec<Event>) {
    let (own, _) = track.split(from_client);
    if segment.window > 0 {
        own.window_known = true;
        if let Some((since, packet)) = own.closed_since.take() {
            own.opened_again = Some(segment.time);
            let kind = EventKind::WindowClosed {
                reader: segment.source,
                since,
            };
            events.push(track.event(segment.time, packet, kind));
        }
    } else if own.window_known && own.closed_since.is_none() {
        own.closed_since = Some((segment.time, segment.packet));
    }
}

/// The sender repeated itself: is that a time-out too many?
fn sending_stalled(
    track: &mut Track,
    from: SocketAddr,
    segment: &Segment<'_>,
    thresholds: &Thresholds,
    events: &mut Vec<Event>,
) {
    let (own, other) = track.split(from == track.client);
    let Some(sent) = own
        .unacked
        .iter()
        .find(|sent| sent.start == segment.sequence)
    else {
        return;
    };
    if sent.latest != segment.time || sent.first == segment.time || !other.heard {
        return;
    }
    // A closed window is no loss: the sender only asks whether it is open again.
    if other.closed_since.is_some() {
        return;
    }
    let bytes = sent.end.wrapping_sub(sent.start);
    let silent = sent.idle >= thresholds.silence;
    let kind = match sent.timeouts {
        TRIES_AFTER_SILENCE if silent => EventKind::Dropped {
            from,
            idle: sent.idle,
            reset: false,
        },
        TIMEOUTS if !silent => EventKind::TimeOuts {
            from,
            since: sent.first,
            again: TIMEOUTS,
            bytes,
            largest: bytes >= LARGE && own.largest_acked > 0 && own.largest_acked < bytes,
            heard: sent.heard,
        },
        _ => return,
    };
    events.push(track.event(segment.time, segment.packet, kind));
}

/// The connection is aborted, or never came to be.
fn reset(
    track: &mut Track,
    segment: &Segment<'_>,
    thresholds: &Thresholds,
    events: &mut Vec<Event>,
) {
    let (time, packet) = (segment.time, segment.packet);
    let from_client = segment.source == track.client;
    if track.over {
        return;
    }
    track.over = true;
    track.end.get_or_insert(packet);
    if !track.accepted && !from_client && track.syn.is_some() {
        events.push(track.event(time, packet, EventKind::Refused));
        return;
    }
    if let Some(kind) = track.judge(from_client, true, time) {
        events.push(track.event(time, packet, kind));
    }
    let (_, other) = track.split(from_client);
    let stale = other
        .unacked
        .iter()
        .find(|sent| sent.idle >= thresholds.silence && sent.timeouts < TRIES_AFTER_SILENCE)
        .map(|sent| sent.idle);
    let slow = other.closed_since.is_some()
        || other
            .opened_again
            .is_some_and(|at| time <= at.after(thresholds.reset_of_slow));
    if let Some(idle) = stale {
        let kind = EventKind::Dropped {
            from: segment.destination,
            idle,
            reset: true,
        };
        events.push(track.event(time, packet, kind));
    }
    let kind = EventKind::Reset {
        from: segment.source,
        reader_was_slow: slow,
    };
    events.push(track.event(time, packet, kind));
}

//! Follows the TCP of connections on CTI ports, and of those known to carry CTI. All others cost a look at two ports.

use super::super::Thresholds;
use super::event::{Event, EventKind};
use super::flow::{Flow, Sending, distance, since};
use super::tls::{self, Records, TlsEnd};
use crate::capture::{PacketId, Segment};
use crate::limits;
use crate::ports::{PortKind, Ports};
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

type Ends = (SocketAddr, SocketAddr);

/// SYNs without an answer that tell that none comes.
const TRIES: u32 = 3;
/// A sender that repeats a segment so often has met time-outs in a row.
const TIMEOUTS: u32 = 3;
/// The same after a long silence.
const TRIES_AFTER_SILENCE: u32 = 2;
/// Payload of a segment that a smaller path MTU may stop.
const LARGE: u32 = 1000;
/// Largest header and length of an OPEN_REQ that is believed.
const OPEN_REQ: u32 = 3;
/// An answer to OPEN_REQ "at once".
const AT_ONCE: Duration = Duration::from_secs(1);

/// One connection.
#[derive(Debug)]
struct Track {
    client: SocketAddr,
    server: SocketAddr,
    /// Sequence number of its SYN, how often that came, and when first.
    syn: Option<(u32, u32, Timestamp)>,
    packet: PacketId,
    accepted: bool,
    over: bool,
    /// Client to server, server to client.
    flows: [Flow; 2],
    last: Timestamp,
    /// The client began with ClientHello.
    secured: bool,
    /// The client began with OPEN_REQ, then.
    opened: Option<Timestamp>,
    judged: bool,
    /// A packet was cut by the snap length.
    cut: bool,
    /// The first FIN, or RST.
    end: Option<PacketId>,
}

impl Track {
    fn new(client: SocketAddr, server: SocketAddr, time: Timestamp, packet: PacketId) -> Self {
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

    fn event(&self, time: Timestamp, packet: PacketId, kind: EventKind) -> Event {
        Event {
            time,
            packet,
            client: self.client,
            server: self.server,
            kind,
        }
    }

    /// The flow of a sender, and the one of the other end.
    const fn split(&mut self, from_client: bool) -> (&mut Flow, &mut Flow) {
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

/// What TCP did on the connections that matter.
#[derive(Debug)]
pub struct Wire {
    thresholds: Thresholds,
    tracks: HashMap<Ends, Track, RandomState>,
    /// Servers of sessions on other ports.
    servers: BTreeSet<SocketAddr>,
    events: Vec<Event>,
    now: Timestamp,
}

impl Wire {
    pub(in super::super) fn new(thresholds: &Thresholds) -> Self {
        Self {
            thresholds: *thresholds,
            tracks: HashMap::default(),
            servers: BTreeSet::new(),
            events: Vec::new(),
            now: Timestamp::default(),
        }
    }

    /// A server of CTI, whatever its port.
    pub(in super::super) fn follow(&mut self, server: SocketAddr) {
        if Ports::default().kind(server.port()) == PortKind::Other
            && self.servers.len() < limits::MAX_SERVERS
        {
            self.servers.insert(server);
        }
    }

    /// What happened since the last call.
    pub(in super::super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether segments from one end to another were captured, of the latest connection between them.
    #[must_use]
    pub fn heard(&self, from: SocketAddr, to: SocketAddr) -> bool {
        self.flow(from, to).is_some_and(|flow| flow.heard)
    }

    /// Whether something was sent again between two times.
    #[must_use]
    pub fn sent_again(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        since: Timestamp,
        until: Timestamp,
    ) -> bool {
        self.flow(from, to)
            .is_some_and(|flow| flow.sent_again(since, until))
    }

    /// Whether the capture lacks bytes that arrived between two times.
    #[must_use]
    pub fn is_lacking(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        since: Timestamp,
        until: Timestamp,
    ) -> bool {
        self.flow(from, to)
            .is_some_and(|flow| flow.is_lacking(since, until))
    }

    /// How often the oldest bytes that are not acknowledged were sent again. 0 when all is acknowledged.
    #[must_use]
    pub fn timeouts(&self, from: SocketAddr, to: SocketAddr) -> u32 {
        let flow = self.flow(from, to);
        let sent = flow.and_then(|flow| flow.unacked.front());
        sent.map_or(0, |sent| sent.timeouts)
    }

    /// The packet that ended the latest connection between two ends.
    #[must_use]
    pub fn end_packet(&self, one: SocketAddr, other: SocketAddr) -> Option<PacketId> {
        self.tracks.get(&(one.min(other), one.max(other)))?.end
    }

    /// Whether bytes that were sent by then are still not acknowledged.
    #[must_use]
    pub fn is_waiting(&self, from: SocketAddr, to: SocketAddr, sent_by: Timestamp) -> bool {
        self.flow(from, to)
            .is_some_and(|flow| flow.unacked.iter().any(|sent| sent.first <= sent_by))
    }

    fn flow(&self, from: SocketAddr, to: SocketAddr) -> Option<&Flow> {
        let track = self.tracks.get(&(from.min(to), from.max(to)))?;
        let [client, server] = &track.flows;
        Some(if track.client == from { client } else { server })
    }

    /// Client and server of a segment between ends that matter.
    fn roles(&self, segment: &Segment<'_>) -> Option<Ends> {
        let ports = Ports::default();
        let is_server = |end: SocketAddr| {
            ports.kind(end.port()) != PortKind::Other
                || (!self.servers.is_empty() && self.servers.contains(&end))
        };
        let (from, to) = (segment.source, segment.destination);
        match (is_server(from), is_server(to)) {
            (false, false) => None,
            (true, false) => Some((to, from)),
            (false, true) => Some((from, to)),
            // Ports for CTI at both ends: whoever connects is the client.
            (true, true) if segment.flags.syn && segment.flags.ack => Some((to, from)),
            (true, true) => Some((from, to)),
        }
    }

    /// The next segment of the capture.
    pub(in super::super) fn segment(&mut self, segment: &Segment<'_>) {
        let Some((client, server)) = self.roles(segment) else {
            return;
        };
        let time = segment.time;
        self.now = self.now.max(time);
        let ends = (client.min(server), client.max(server));
        let flags = segment.flags;
        let opens = flags.syn && !flags.ack;
        if let Some(track) = self.tracks.get(&ends)
            && opens
            && (track.over
                || track
                    .syn
                    .is_none_or(|(number, ..)| number != segment.sequence))
            && let Some(track) = self.tracks.remove(&ends)
        {
            self.leave(track);
        }
        // Long after its end the same ports are another connection, whose SYN was not captured.
        if self.tracks.get(&ends).is_some_and(|track| {
            track.over && !flags.rst && time > track.last.after(limits::ENDED_MEMORY)
        }) && let Some(track) = self.tracks.remove(&ends)
        {
            self.leave(track);
        }
        if !self.tracks.contains_key(&ends) {
            // What is left of a connection says nothing of a new one.
            if flags.rst || (flags.fin && segment.payload.is_empty()) {
                return;
            }
            self.make_room();
            self.tracks
                .insert(ends, Track::new(client, server, time, segment.packet));
        }
        let Some(track) = self.tracks.get_mut(&ends) else {
            return;
        };
        step(track, segment, &self.thresholds, &mut self.events);
        track.last = track.last.max(time);
    }

    /// Drops the quarter that was idle longest when there are too many.
    fn make_room(&mut self) {
        if self.tracks.len() < limits::MAX_TRACKED {
            return;
        }
        let mut times: Vec<Timestamp> = self.tracks.values().map(|track| track.last).collect();
        let quarter = times.len() / 4;
        let (_, limit, _) = times.select_nth_unstable(quarter);
        let limit = *limit;
        let mut old: Vec<Ends> = self
            .tracks
            .iter()
            .filter(|(_, track)| track.last <= limit)
            .map(|(ends, _)| *ends)
            .collect();
        old.sort_unstable();
        for ends in old {
            if let Some(track) = self.tracks.remove(&ends) {
                self.leave(track);
            }
        }
    }

    /// A connection is followed no more: what waited for its end is told.
    fn leave(&mut self, mut track: Track) {
        let (time, packet) = (track.last, track.packet);
        if let Some((_, tries, _)) = track.syn
            && !track.accepted
            && !track.over
            && tries >= TRIES
            && self.now > time.after(AT_ONCE)
        {
            let event = track.event(time, packet, EventKind::NoAnswer { tries });
            self.events.push(event);
        }
        for from_client in [true, false] {
            let (client, server) = (track.client, track.server);
            let (from, _) = if from_client {
                (client, server)
            } else {
                (server, client)
            };
            let (flow, _) = track.split(from_client);
            let loss = flow.stretch.take();
            let again_packet = flow.again_packet.unwrap_or(packet);
            let closed = flow.closed_since.take();
            if let Some((since, sent, again)) = loss {
                let kind = EventKind::Loss {
                    from,
                    since,
                    sent,
                    again,
                };
                let event = track.event(time, again_packet, kind);
                self.events.push(event);
            }
            if let Some((since, packet)) = closed {
                let kind = EventKind::WindowClosed {
                    reader: from,
                    since,
                };
                let event = track.event(time, packet, kind);
                self.events.push(event);
            }
        }
    }

    /// The capture is over.
    pub(in super::super) fn finish(&mut self) {
        let mut all: Vec<(Ends, Track)> = self.tracks.drain().collect();
        all.sort_unstable_by_key(|(ends, _)| *ends);
        for (_, track) in all {
            self.leave(track);
        }
    }
}

/// What a segment does to its connection.
fn step(
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

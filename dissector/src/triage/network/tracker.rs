//! Follows the TCP of connections on CTI ports, and of those known to carry CTI. All others cost a look at two ports.

use super::super::Thresholds;
use super::event::{Event, EventKind};
use super::flow::Flow;
use super::track::{Track, step};
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
/// How long the last one may still be answered.
const ANSWER: Duration = Duration::from_secs(1);

/// What TCP did on the connections that matter.
#[derive(Debug)]
pub struct Wire {
    thresholds: Thresholds,
    /// Ports on which CTI is expected.
    pub(in super::super) ports: Ports,
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
            ports: Ports::default(),
            tracks: HashMap::default(),
            servers: BTreeSet::new(),
            events: Vec::new(),
            now: Timestamp::default(),
        }
    }

    /// A server of CTI, whatever its port.
    pub(in super::super) fn follow(&mut self, server: SocketAddr) {
        if self.ports.kind(server.port()) == PortKind::Other
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

    /// How many connections are followed.
    #[cfg(test)]
    pub fn tracked(&self) -> usize {
        self.tracks.len()
    }

    fn flow(&self, from: SocketAddr, to: SocketAddr) -> Option<&Flow> {
        let track = self.tracks.get(&(from.min(to), from.max(to)))?;
        let [client, server] = &track.flows;
        Some(if track.client == from { client } else { server })
    }

    /// Client and server of a segment between ends that matter.
    fn roles(&self, segment: &Segment<'_>) -> Option<Ends> {
        let is_server = |end: SocketAddr| {
            self.ports.kind(end.port()) != PortKind::Other
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
            && self.now > time.after(ANSWER)
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

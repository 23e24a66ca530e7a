//! Test helpers: segments built by what differs, and a handler that writes down what it hears.

use super::{
    Connection, DataRun, DirectionStats, End, Gap, GapCause, Handler, Interest, Reassembler, Side,
};
use crate::Timestamp;
use crate::capture::{Flags, PacketId, Segment};
use std::net::SocketAddr;

/// A segment to be: owns its payload. From client to server unless said otherwise, with ACK only where said.
#[derive(Debug, Clone)]
pub(super) struct Build {
    pub(super) millis: i64,
    pub(super) number: u64,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: Flags,
    pub(super) window: u16,
    pub(super) payload: Vec<u8>,
    pub(super) missing: u32,
}

pub(super) fn client() -> SocketAddr {
    "10.0.0.1:50000".parse().unwrap()
}

pub(super) fn server() -> SocketAddr {
    "10.0.0.2:42027".parse().unwrap()
}

/// A client segment with this sequence number.
pub(super) fn at(sequence: u32) -> Build {
    Build {
        millis: 0,
        number: 0,
        source: client(),
        destination: server(),
        sequence,
        acknowledgment: 0,
        flags: Flags::default(),
        window: 1000,
        payload: Vec::new(),
        missing: 0,
    }
}

/// A server segment with this sequence number.
pub(super) fn server_at(sequence: u32) -> Build {
    Build {
        source: server(),
        destination: client(),
        ..at(sequence)
    }
}

impl Build {
    pub(super) fn payload(mut self, bytes: &[u8]) -> Self {
        self.payload = bytes.to_vec();
        self
    }
    pub(super) fn missing(mut self, missing: u32) -> Self {
        self.missing = missing;
        self
    }
    pub(super) fn syn(mut self) -> Self {
        self.flags.syn = true;
        self
    }
    pub(super) fn fin(mut self) -> Self {
        self.flags.fin = true;
        self
    }
    pub(super) fn rst(mut self) -> Self {
        self.flags.rst = true;
        self
    }
    pub(super) fn ack(mut self, acknowledgment: u32) -> Self {
        self.flags.ack = true;
        self.acknowledgment = acknowledgment;
        self
    }
    pub(super) fn window(mut self, window: u16) -> Self {
        self.window = window;
        self
    }
    pub(super) fn millis(mut self, millis: i64) -> Self {
        self.millis = millis;
        self
    }
    pub(super) fn client_port(mut self, port: u16) -> Self {
        if self.source.port() == server().port() {
            self.destination.set_port(port);
        } else {
            self.source.set_port(port);
        }
        self
    }
    pub(super) fn segment(&self) -> Segment<'_> {
        Segment {
            packet: PacketId {
                input: 0,
                number: self.number,
            },
            time: Timestamp::from_nanos(self.millis.saturating_mul(1_000_000)),
            source: self.source,
            destination: self.destination,
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            payload: &self.payload,
            missing: self.missing,
        }
    }
}

/// One event, in a form that reads well in assertions. Connections by number, times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Opened(u32),
    Data(u32, Side, Vec<u8>),
    Gap(u32, Side, u64, GapCause),
    Ended(u32, End),
}

/// Writes down all events.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) events: Vec<Event>,
    /// Per run: sender, time in milliseconds, packet number, begins its segment.
    pub(super) runs: Vec<(Side, i64, u64, bool)>,
    pub(super) gap_times: Vec<i64>,
    pub(super) stats: Vec<[DirectionStats; 2]>,
    pub(super) end_times: Vec<i64>,
    pub(super) initiators: Vec<Option<Side>>,
    /// Loses interest at a run that holds this byte.
    pub(super) ignore_at: Option<u8>,
}

fn millis(time: Timestamp) -> i64 {
    time.nanos() / 1_000_000
}

impl Handler for Recorder {
    fn opened(&mut self, connection: &Connection) {
        self.events.push(Event::Opened(connection.id.0));
    }
    fn data(&mut self, connection: &Connection, run: DataRun<'_>) -> Interest {
        assert!(!run.bytes.is_empty());
        self.events
            .push(Event::Data(connection.id.0, run.from, run.bytes.to_vec()));
        self.runs.push((
            run.from,
            millis(run.time),
            run.packet.number,
            run.segment_start,
        ));
        match self.ignore_at {
            Some(byte) if run.bytes.contains(&byte) => Interest::Ignore,
            _ => Interest::Keep,
        }
    }
    fn gap(&mut self, connection: &Connection, gap: Gap) {
        assert!(gap.bytes > 0);
        self.events
            .push(Event::Gap(connection.id.0, gap.from, gap.bytes, gap.cause));
        self.gap_times.push(millis(gap.time));
    }
    fn ended(
        &mut self,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    ) {
        self.events.push(Event::Ended(connection.id.0, end));
        self.end_times.push(millis(time));
        self.initiators.push(connection.initiator);
        self.stats.push(stats);
    }
}

impl Recorder {
    /// All bytes of one side of one connection.
    pub(super) fn bytes(&self, id: u32, side: Side) -> Vec<u8> {
        let mut all = Vec::new();
        for event in &self.events {
            if let Event::Data(of, from, bytes) = event
                && (*of, *from) == (id, side)
            {
                all.extend_from_slice(bytes);
            }
        }
        all
    }
    pub(super) fn gaps(&self) -> Vec<(u64, GapCause)> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Gap(_, _, bytes, cause) => Some((*bytes, *cause)),
                _ => None,
            })
            .collect()
    }
    pub(super) fn ends(&self) -> Vec<(u32, End)> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Ended(id, end) => Some((*id, *end)),
                _ => None,
            })
            .collect()
    }
}

/// A reassembler with its recorder. Packets are numbered from 1 as they come.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) reassembler: Reassembler,
    pub(super) heard: Recorder,
    number: u64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::default()
    }
    /// A connection after its handshake: client data begins at 1001, server data at 5001.
    pub(super) fn connected() -> Self {
        let mut bench = Self::new();
        bench.feed(at(1000).syn());
        bench.feed(server_at(5000).syn().ack(1001));
        bench.feed(at(1001).ack(5001));
        bench
    }
    pub(super) fn feed(&mut self, mut build: Build) -> &mut Self {
        self.number += 1;
        build.number = self.number;
        self.reassembler.segment(&build.segment(), &mut self.heard);
        self.reassembler.check();
        self
    }
    pub(super) fn finish(&mut self) -> &mut Self {
        self.reassembler.finish(&mut self.heard);
        self
    }
}

//! Traffic on the wire: its captured segments, where each message lies in its stream, and what a capture may lose.

use super::Talk;
use crate::generate::Random;
use cti_dissector::Timestamp;
use cti_dissector::capture::{Capture, Flags, Input, Layers, PacketId, Peeled, Segment};
use ctishark_fixtures::{Accidents, Action, Event, Payload, Scenario, Sent, Side};
use std::io::{self, Cursor, Read};
use std::net::SocketAddr;

/// A segment that owns its bytes.
#[derive(Debug, Clone)]
pub struct Piece {
    pub packet: u64,
    pub time: Timestamp,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: Flags,
    pub window: u16,
    pub payload: Vec<u8>,
    pub missing: u32,
}

impl Piece {
    pub fn segment(&self) -> Segment<'_> {
        Segment {
            packet: PacketId {
                input: 0,
                number: self.packet,
            },
            time: self.time,
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

/// One direction of a connection as it was on the wire.
#[derive(Debug)]
pub struct Stream {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    /// Sequence number of its first byte.
    pub base: u32,
    pub length: usize,
    /// Index of each message in what was said, and where it lies.
    pub spans: Vec<(usize, std::ops::Range<usize>)>,
    /// Its segments were captured in order: no message had to wait for bytes before it.
    pub in_order: bool,
}

/// What was on the wire.
#[derive(Debug)]
pub struct Wire {
    pub pieces: Vec<Piece>,
    pub streams: Vec<Stream>,
}

/// A capture in memory.
pub struct Memory(pub Vec<u8>);

impl Input for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }

    fn reopenable(&self) -> bool {
        true
    }
}

/// Puts traffic on the wire and captures it, `snaplen` bytes of each packet.
pub fn capture(talk: &Talk, snaplen: usize) -> Wire {
    let scenario = scenario(talk, snaplen);
    let mut streams = streams(talk, &scenario);
    let mut capture = Capture::new(vec![Box::new(Memory(file(&scenario)))]);
    let mut layers = Layers::new();
    let mut pieces = Vec::new();
    while let Some(packet) = capture.next_packet().unwrap() {
        let Peeled::Tcp(segment) = layers.segment(&packet) else {
            panic!("no segment");
        };
        pieces.push(Piece {
            packet: segment.packet.number,
            time: segment.time,
            source: segment.source,
            destination: segment.destination,
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
            flags: segment.flags,
            window: segment.window,
            payload: segment.payload.to_vec(),
            missing: segment.missing,
        });
    }
    for stream in &mut streams {
        let own = pieces.iter().filter(|p| {
            (p.source, p.destination) == (stream.source, stream.destination) && !p.flags.syn
        });
        let places = own.map(|p| p.sequence.wrapping_sub(stream.base));
        stream.in_order = places.is_sorted();
    }
    Wire { pieces, streams }
}

/// Traffic as a scenario whose packets are captured up to `snaplen` bytes.
pub fn scenario(talk: &Talk, snaplen: usize) -> Scenario {
    let mut head =
        format!("capture pcap nanos snaplen={snaplen}\nhost s 10.0.0.5\nhost c 10.0.1.10\n");
    let midstream = if talk.opened { "" } else { " midstream" };
    for number in 0..talk.connections {
        // Sequence numbers wrap on some connections.
        let sequence = 4_294_940_000_u64 - u64::try_from(number).unwrap() * 123_456_789;
        let line = format!(
            "connection C{number} c:{} -> s:42027 seq={sequence},{}{midstream}\n",
            50_000 + number,
            sequence / 3
        );
        head.push_str(&line);
    }
    let mut scenario = Scenario::from_text("traffic", &head).unwrap();
    scenario.events = events(talk);
    scenario
}

/// The capture file of a scenario.
pub fn file(scenario: &Scenario) -> Vec<u8> {
    let mut bytes = Vec::new();
    scenario.capture_files().unwrap()[0]
        .write_to(&mut bytes)
        .unwrap();
    bytes
}

fn events(talk: &Talk) -> Vec<Event> {
    let event = |said: &super::Said| Event {
        time: said.time,
        action: Action::Send(Box::new(Sent {
            time: said.time,
            connection: said.connection,
            side: said.side,
            payload: Payload {
                bytes: said.bytes.clone(),
                message: None,
            },
            accidents: Accidents {
                join: said.joined,
                ..Accidents::default()
            },
        })),
    };
    talk.said.iter().map(event).collect()
}

fn streams(talk: &Talk, scenario: &Scenario) -> Vec<Stream> {
    let mut streams = Vec::new();
    for (number, connection) in scenario.connections.iter().enumerate() {
        for side in [Side::Client, Side::Server] {
            let (source, destination, first) = match side {
                Side::Client => (connection.client, connection.server, connection.sequence.0),
                Side::Server => (connection.server, connection.client, connection.sequence.1),
            };
            let mut spans = Vec::new();
            let mut length = 0;
            for (index, said) in talk.said.iter().enumerate() {
                if (said.connection, said.side) == (number, side) {
                    spans.push((index, length..length + said.bytes.len()));
                    length += said.bytes.len();
                }
            }
            streams.push(Stream {
                source,
                destination,
                base: first.wrapping_add(u32::from(!connection.midstream)),
                length,
                spans,
                in_order: true,
            });
        }
    }
    streams
}

/// Probabilities are given in units of this.
pub const MILLION: usize = 1_000_000;

/// Loses packets one by one, each with the same probability (in millionths).
pub fn lose<T: Clone>(pieces: &[T], probability: usize, random: &mut Random) -> Vec<T> {
    let kept = pieces
        .iter()
        .filter(|_| random.below(MILLION) >= probability);
    kept.cloned().collect()
}

/// Loses packets in bursts of 2 to 40, so that about the same share is lost.
pub fn lose_bursts<T: Clone>(pieces: &[T], probability: usize, random: &mut Random) -> Vec<T> {
    let mut kept = Vec::new();
    let mut burst = 0;
    for piece in pieces {
        if burst == 0 && random.below(MILLION) < probability / 20 {
            burst = 2 + random.below(39);
        }
        match burst {
            0 => kept.push(piece.clone()),
            _ => burst -= 1,
        }
    }
    kept
}

/// Captures some packets twice and some a little late.
pub fn disorder(pieces: &[Piece], random: &mut Random) -> Vec<Piece> {
    let mut order: Vec<(Timestamp, Piece)> = Vec::new();
    for piece in pieces {
        let late = |random: &mut Random| {
            let micros = u64::try_from(random.below(3000)).unwrap();
            piece.time.after(std::time::Duration::from_micros(micros))
        };
        let time = match random.once_in(10) {
            true => late(random),
            false => piece.time,
        };
        order.push((time, piece.clone()));
        if random.once_in(10) {
            order.push((late(random), piece.clone()));
        }
    }
    order.sort_by_key(|(time, _)| *time);
    let renumber = |(number, (time, piece)): (u64, (Timestamp, Piece))| Piece {
        packet: number,
        time,
        ..piece
    };
    (1..).zip(order).map(renumber).collect()
}

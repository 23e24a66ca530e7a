//! Reassembly: segments of a few connections in any order, with any numbers and flags.

use crate::input::Bytes;
use cti_dissector::Timestamp;
use cti_dissector::capture::{Flags, PacketId, Segment};
use cti_dissector::limits;
use cti_dissector::reassembly::{
    Connection, DataRun, DirectionStats, End, Gap, Handler, Interest, Reassembler, Side,
};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Every byte of a payload follows from its sequence number, so that what is delivered can be compared.
pub(crate) const TRUE: u8 = 1;
/// The receiver loses interest in connections now and then.
pub(crate) const IGNORE: u8 = 2;

/// The first byte holds `TRUE` and `IGNORE`. Then come segments of 12 bytes: connection and side, flags, sequence number,
/// acknowledgement (relative to what the other side has sent), payload length, time.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mode = bytes.u8();
    let mut reassembler = Reassembler::new();
    let mut watch = Watch {
        truth: mode & TRUE != 0,
        ignore: mode & IGNORE != 0,
        ..Watch::default()
    };
    let mut payload = Vec::new();
    let mut millis = 1_000_000_i64;
    let mut number = 0;
    while !bytes.is_empty() {
        number += 1;
        let mut segment = decode(&mut bytes, &mut millis, number);
        watch.payload(&mut segment, &mut payload);
        watch.keep(&segment, &payload);
        let segment = Segment {
            payload: &payload,
            ..segment
        };
        reassembler.segment(&segment, &mut watch);
        assert!(reassembler.held() <= limits::MAX_TOTAL_BUFFER);
        assert!(reassembler.connections() <= limits::MAX_CONNECTIONS);
        assert_eq!(reassembler.connections(), watch.open());
        assert!(reassembler.held() > 0 || reassembler.earliest_held().is_none());
    }
    reassembler.finish(&mut watch);
    assert_eq!(watch.open(), 0, "all connections end");
    assert_eq!(reassembler.held(), 0);
}

/// A segment whose payload is not filled in yet: `window` holds its length.
fn decode(bytes: &mut Bytes<'_>, millis: &mut i64, number: u64) -> Segment<'static> {
    let who = bytes.u8();
    let flags = bytes.u8();
    let sequence = bytes.u32();
    let acknowledgment = bytes.u32();
    let (len, step) = (bytes.u8(), bytes.u8());
    // Mostly short, sometimes longer than any window.
    let len = match len {
        0..240 => u16::from(len),
        _ => u16::from(len & 15) * 4096,
    };
    *millis += match step {
        0..200 => i64::from(step),
        200..250 => i64::from(step - 199) * 1000,
        _ => -i64::from(step - 249),
    };
    let client = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 50_000 + u16::from(who >> 1 & 3)));
    let server = SocketAddr::from((Ipv4Addr::new(10, 0, 0, 2), 42_027));
    let (source, destination) = if who & 1 == 0 {
        (client, server)
    } else {
        (server, client)
    };
    Segment {
        packet: PacketId { input: 0, number },
        time: Timestamp::from_nanos(*millis * 1_000_000),
        source,
        destination,
        sequence,
        acknowledgment,
        flags: Flags {
            syn: flags & 0xC0 == 0x40,
            fin: flags & 0x30 == 0x10,
            rst: flags & 0x0C == 0x04,
            ack: flags & 1 == 0,
        },
        window: len,
        payload: &[],
        missing: if flags & 2 == 0 {
            0
        } else {
            u32::from(who >> 3)
        },
    }
}

/// A segment as [`decode`] reads it, without its payload's bytes.
pub(crate) fn encode(segment: &Segment<'_>) -> Vec<u8> {
    let flags = segment.flags;
    let bit = |is: bool, bits: u8| if is { bits } else { 0 };
    let from_server = segment.source.port() < segment.destination.port();
    let mut bytes = vec![
        u8::from(from_server),
        bit(flags.syn, 0x40)
            | bit(flags.fin, 0x10)
            | bit(flags.rst, 0x04)
            | bit(segment.missing > 0, 2)
            | bit(!flags.ack, 1),
    ];
    bytes.extend(segment.sequence.to_be_bytes());
    bytes.extend(segment.acknowledgment.to_be_bytes());
    bytes.extend([segment.payload.len().min(239) as u8, 1]);
    bytes
}

/// The byte that a side sends at a sequence number.
fn truth(sender: SocketAddr, sequence: u32) -> u8 {
    let mixed = sequence.wrapping_mul(0x9E37_79B1).rotate_left(13) ^ u32::from(sender.port());
    (mixed.wrapping_mul(0x85EB_CA6B) >> 24) as u8
}

/// What one direction of a connection has delivered.
#[derive(Default)]
struct Stream {
    bytes: u64,
    gap_bytes: u64,
    gaps: u64,
    time: Option<Timestamp>,
    /// Where in the numbers it may be: several numbers may give the same bytes.
    places: Option<Vec<u32>>,
}

#[derive(Default)]
struct Watch {
    truth: bool,
    ignore: bool,
    opened: u32,
    streams: HashMap<u32, [Stream; 2]>,
    /// Sequence number of the payload, and the payload, of every packet.
    packets: Vec<(u32, Vec<u8>)>,
}

impl Watch {
    fn open(&self) -> usize {
        self.streams.len()
    }

    fn payload(&self, segment: &mut Segment<'static>, payload: &mut Vec<u8>) {
        payload.clear();
        let first = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        payload.extend((0..u32::from(segment.window)).map(|at| {
            if self.truth {
                truth(segment.source, first.wrapping_add(at))
            } else {
                (segment.packet.number + u64::from(at >> 3)) as u8
            }
        }));
    }

    fn keep(&mut self, segment: &Segment<'_>, payload: &[u8]) {
        let first = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        self.packets.push((first, payload.to_vec()));
    }

    fn stream(&mut self, connection: &Connection, side: Side) -> &mut Stream {
        let streams = self.streams.get_mut(&connection.id.0);
        let streams = streams.expect("nothing is told of a connection that is not open");
        &mut streams[usize::from(side == Side::Second)]
    }
}

impl Handler for Watch {
    fn opened(&mut self, connection: &Connection) {
        self.opened += 1;
        assert_eq!(connection.id.0, self.opened, "connections are counted");
        self.streams.insert(connection.id.0, Default::default());
    }

    fn data(&mut self, connection: &Connection, run: DataRun<'_>) -> Interest {
        assert!(!run.bytes.is_empty());
        let sender = connection.endpoint(run.from);
        let (first, payload) = &self.packets[usize::try_from(run.packet.number).unwrap() - 1];
        let (first, payload) = (*first, payload.len());
        assert!(run.bytes.len() <= payload, "a run is part of its packet");
        let is_true = self.truth;
        let stream = self.stream(connection, run.from);
        assert!(stream.time.is_none_or(|before| before <= run.time));
        stream.time = Some(run.time);
        stream.bytes += run.bytes.len() as u64;
        if is_true {
            let places = stream.places.get_or_insert_with(|| {
                let last = (payload - run.bytes.len()) as u32;
                (0..=last)
                    .map(|offset| first.wrapping_add(offset))
                    .collect()
            });
            places.retain(|place| {
                let mut bytes = run.bytes.iter().zip(0..);
                bytes.all(|(byte, at)| *byte == truth(sender, place.wrapping_add(at)))
            });
            assert!(!places.is_empty(), "bytes are delivered in their order");
            for place in places {
                *place = place.wrapping_add(run.bytes.len() as u32);
            }
        }
        if self.ignore && run.bytes.first() == Some(&7) {
            Interest::Ignore
        } else {
            Interest::Keep
        }
    }

    fn gap(&mut self, connection: &Connection, gap: Gap) {
        assert!(gap.bytes > 0);
        let stream = self.stream(connection, gap.from);
        stream.gap_bytes += gap.bytes;
        stream.gaps += 1;
        for place in stream.places.iter_mut().flatten() {
            *place = place.wrapping_add(gap.bytes as u32);
        }
    }

    fn ended(&mut self, connection: &Connection, _: Timestamp, _: End, stats: [DirectionStats; 2]) {
        let streams = self.streams.remove(&connection.id.0);
        let streams = streams.expect("a connection ends once");
        for (stream, stats) in streams.iter().zip(stats) {
            assert_eq!(stats.bytes, stream.bytes);
            assert_eq!(
                (stats.gaps, stats.gap_bytes),
                (stream.gaps, stream.gap_bytes)
            );
        }
    }
}

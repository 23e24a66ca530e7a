//! The shapes: traffic and damage that would be expensive if something looked at too much.

use crate::wire::{ACK, FIN, RST, SYN, Tcp, Wire, data, message, named, reply, tcp, with_tail};
use cti_dissector::conversation::Totals;

pub struct Shape {
    pub name: &'static str,
    /// The smaller of the two sizes.
    pub size: usize,
    pub build: fn(usize) -> Vec<u8>,
    /// Requests wait for their outcome.
    pub hold: bool,
    /// Whether the capture did what it is meant to: by what was counted, and the bytes of all packets read.
    pub reached: fn(&Totals, usize) -> bool,
}

const fn shape(name: &'static str, size: usize, build: fn(usize) -> Vec<u8>) -> Shape {
    Shape {
        name,
        size,
        build,
        hold: false,
        reached: |totals, _| totals.messages > 0,
    }
}

/// A shape of which no message comes out.
const fn mute(name: &'static str, size: usize, build: fn(usize) -> Vec<u8>) -> Shape {
    Shape {
        reached: |totals, _| totals.connections > 0,
        ..shape(name, size, build)
    }
}

pub fn all() -> Vec<Shape> {
    let held = |shape: Shape| Shape {
        hold: true,
        ..shape
    };
    vec![
        shape("segments in reverse", 500, reversed),
        shape(
            "segments that overlap by half, every other first",
            500,
            overlapping,
        ),
        shape("holes between all segments, never filled", 700, holes),
        shape("tiny segments that claim what others hold", 2_000, claims),
        shape("one byte a segment", 3_000, one_byte_segments),
        shape("everything sent again and again", 2_000, retransmissions),
        shape("a message lost after every message", 500, losses),
        mute(
            "fragments of eight bytes, every other first",
            8_000,
            fragments,
        ),
        mute("fragments that overlap", 8_000, overlapping_fragments),
        mute(
            "datagrams of which one fragment is missing",
            3_000,
            unfinished_datagrams,
        ),
        mute("headers that nearly confirm", 4_000, nearly_confirmed),
        mute("a header at every byte", 30_000, headers_everywhere),
        shape("a message and nonsense, again and again", 1_000, islands),
        mute(
            "chains of messages that end in nonsense",
            1,
            chains_that_break,
        ),
        shape("long messages that fit no layout", 1, misfits),
        shape(
            "equal InvokeIDs, answered by another message",
            600,
            equal_invoke_ids,
        ),
        shape(
            "equal InvokeIDs, a clock that goes back and forth",
            1_000,
            expired_invoke_ids,
        ),
        held(shape("open requests", 500, open_requests)),
        held(shape(
            "open requests, timeline that waits",
            500,
            open_requests,
        )),
        shape("connections that stay open", 250, open_connections),
        mute("SYN flood", 2_000, syn_flood),
        shape("ports used again and again", 400, port_reuse),
        shape("one connection waits, the other talks", 1_000, one_waits),
        shape("agents", 300, agents),
        shape("a message of empty fields", 400, empty_fields),
        shape("a message of unknown tags", 400, unknown_tags),
        shape("a message of the same field", 400, same_field),
        shape("list entries without their partners", 400, lone_entries),
        shape(
            "an unpublished message of plausible fields",
            400,
            unpublished,
        ),
        shape("long texts", 2, long_texts),
        shape(
            "a pcap damaged in every other record",
            1_500,
            damaged_records,
        ),
        Shape {
            reached: |totals, _| totals.connections == 0,
            ..shape("a pcap of nonsense", 200_000, nonsense)
        },
        shape("a pcapng of interfaces", 1_500, interfaces),
        shape("a pcapng of sections", 1_000, sections),
        shape("a pcapng block of options", 3_000, options),
        shape("a pcapng of damaged blocks", 1_500, damaged_blocks),
    ]
}

const HEARTBEAT: [u8; 12] = [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 7];

/// Bytes of `n` messages.
fn heartbeats(n: usize) -> Vec<u8> {
    HEARTBEAT.repeat(n)
}

/// A connection and its first message.
fn opened() -> Wire {
    let mut wire = Wire::new();
    wire.open(0, 42_027);
    wire
}

/// One that begins in the middle.
fn midstream(stream: &[u8], piece: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    for (index, bytes) in stream.chunks(piece).enumerate() {
        wire.tcp(data((index * piece) as u32, bytes));
    }
    wire.bytes
}

/// Messages of one connection, each in a segment of its own.
fn talk(messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut wire = opened();
    let mut sequence = 1;
    for message in messages {
        for bytes in message.chunks(1400) {
            wire.tcp(data(sequence, bytes));
            sequence += bytes.len() as u32;
        }
    }
    wire.bytes
}

fn reversed(n: usize) -> Vec<u8> {
    let mut wire = opened();
    // As many as the buffer takes at a time, so that all wait for the first one.
    for block in 0..n.div_ceil(1_000) {
        let last = (n - block * 1_000).min(1_000);
        for index in (0..last).rev() {
            let sequence = 1 + (block * 1_000 + index) * HEARTBEAT.len();
            wire.tcp(data(sequence as u32, &HEARTBEAT));
        }
    }
    wire.bytes
}

fn overlapping(n: usize) -> Vec<u8> {
    let stream = heartbeats(n + 1);
    let mut wire = opened();
    for block in (0..n).step_by(500) {
        let indices = block..n.min(block + 500);
        let odd_first = indices.clone().skip(1).step_by(2).chain(indices.step_by(2));
        for index in odd_first {
            let at = index * 12;
            wire.tcp(data(1 + at as u32, &stream[at..at + 18]));
        }
    }
    wire.bytes
}

fn holes(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for index in 0..n {
        wire.tcp(data(1 + index as u32 * 24, &HEARTBEAT));
    }
    wire.bytes
}

fn claims(n: usize) -> Vec<u8> {
    let mut wire = opened();
    wire.tcp(data(1, &HEARTBEAT));
    for index in 0..1_500 {
        wire.tcp(data(100 + index * 24, &HEARTBEAT));
    }
    for _ in 0..n {
        wire.tcp(Tcp {
            missing: 40_000,
            ..data(100, b"x")
        });
    }
    wire.bytes
}

fn one_byte_segments(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for (at, byte) in heartbeats(n / 12).iter().enumerate() {
        wire.tcp(data(1 + at as u32, &[*byte]));
    }
    wire.bytes
}

fn retransmissions(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let stream = heartbeats(100);
    for index in 0..n {
        let at = index % 50 * 24;
        wire.tcp(data(1 + at as u32, &stream[at..at + 24]));
    }
    wire.bytes
}

fn losses(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let event = named("QUERY_AGENT_STATE_REQ", 24, 1);
    for index in 0..n as u32 {
        wire.tcp(data(1 + index * 1_000, &event));
        wire.tcp(Tcp {
            acknowledgment: 1 + index * 1_000 + 500,
            ..reply(1, &[])
        });
    }
    wire.bytes
}

/// Sends a datagram of up to 64 KiB in pieces of eight bytes, in an order of its own.
fn pieces(n: usize, order: impl Fn(usize) -> Vec<usize>) -> Vec<u8> {
    let mut wire = Wire::new();
    let mut left = n;
    let mut id = 0;
    while left > 0 {
        let count = left.min(8_000);
        left -= count;
        id += 1;
        let datagram = [tcp(&data(1, &[])), vec![0; count * 8 - 20]].concat();
        for index in order(count) {
            let at = index * 8;
            wire.fragment(id, at, index + 1 < count, &datagram[at..at + 8]);
        }
    }
    wire.bytes
}

fn fragments(n: usize) -> Vec<u8> {
    pieces(n, |count| {
        let odd = (1..count).step_by(2);
        odd.chain((0..count).step_by(2)).collect()
    })
}

fn overlapping_fragments(n: usize) -> Vec<u8> {
    // All but the last one, over and over; then the last one.
    pieces(n, |count| {
        let again = (0..count - 1).map(|index| index / 2 * 2 % (count - 1));
        let all = 0..count;
        again.chain(all).collect()
    })
}

fn unfinished_datagrams(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    wire.tcp(data(1, &HEARTBEAT));
    for id in 0..n {
        wire.fragment(id as u16, 1_000, true, &[0; 64]);
    }
    wire.bytes
}

fn nearly_confirmed(n: usize) -> Vec<u8> {
    // A message whose last field does not end with it.
    let nearly = with_tail("AGENT_STATE_EVENT", 24, &[0, 5, 0, 200, b'1']);
    midstream(&nearly.repeat(n / 10), 1_400)
}

fn headers_everywhere(n: usize) -> Vec<u8> {
    let stream: Vec<u8> = [0, 0, 0, 30, 0, 0, 0, 30].repeat(n / 8);
    midstream(&stream, 1_400)
}

fn islands(n: usize) -> Vec<u8> {
    let open = named("OPEN_REQ", 24, 1);
    let pieces = [[&open[..], &open].concat(), vec![0xFF; 12]];
    let mut wire = Wire::new();
    let mut sequence = 0;
    for piece in pieces.iter().cycle().take(n) {
        wire.tcp(data(sequence, piece));
        sequence += piece.len() as u32;
    }
    wire.bytes
}

fn chains_that_break(n: usize) -> Vec<u8> {
    // Every message of a long segment begins a chain that leads to the nonsense at its end.
    let segment = [&heartbeats(4_990)[..], &[0xFF; 12]].concat();
    midstream(&segment.repeat(n), segment.len())
}

fn misfits(n: usize) -> Vec<u8> {
    // Sessions whose version nothing tells, of messages that fit no layout.
    let tail = [0xEE, 0].repeat(6_000);
    let event = with_tail("CALL_DELIVERED_EVENT", 15, &tail);
    let stream = event.repeat(n);
    let mut wire = opened();
    for (index, bytes) in stream.chunks(1_400).enumerate() {
        wire.tcp(reply(1 + (index * 1_400) as u32, bytes));
    }
    wire.bytes
}

fn equal_invoke_ids(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let request = named("QUERY_AGENT_STATE_REQ", 24, 7);
    let answer = named("HEARTBEAT_CONF", 24, 7);
    for index in 0..n {
        wire.tcp(data(1 + (index * request.len()) as u32, &request));
    }
    for index in 0..n {
        wire.tcp(reply(1 + (index * answer.len()) as u32, &answer));
    }
    wire.bytes
}

fn expired_invoke_ids(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let start = wire.micros;
    for index in 0..n {
        wire.micros = start + index as u64;
        wire.tcp(data(1 + (index * 12) as u32, &HEARTBEAT));
        wire.micros = start + 31_000_000;
        wire.tcp(reply(1, &[]));
    }
    wire.bytes
}

fn open_requests(n: usize) -> Vec<u8> {
    talk((0..n as u32).map(|id| named("QUERY_AGENT_STATE_REQ", 24, id)))
}

fn open_connections(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    let open = named("OPEN_REQ", 24, 1);
    for client in 0..n as u32 {
        wire.open(client, 42_027);
        wire.tcp(Tcp {
            client,
            ..data(1, &open)
        });
    }
    wire.bytes
}

fn syn_flood(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    for client in 0..n as u32 {
        wire.tcp(Tcp {
            client,
            flags: SYN,
            ..data(0, &[])
        });
    }
    wire.bytes
}

fn port_reuse(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    let open = named("OPEN_REQ", 24, 1);
    for round in 0..n as u32 {
        let sequence = round.wrapping_mul(0x1000_0001);
        let segment = Tcp {
            client: round % 10,
            ..data(sequence, &[])
        };
        let next = sequence.wrapping_add(1);
        wire.tcp(Tcp {
            flags: SYN,
            ..segment
        });
        wire.tcp(Tcp {
            sequence: next,
            payload: &open,
            ..segment
        });
        wire.tcp(Tcp {
            sequence: next.wrapping_add(open.len() as u32),
            flags: [RST, FIN | ACK][round as usize % 2],
            ..segment
        });
    }
    wire.bytes
}

fn one_waits(n: usize) -> Vec<u8> {
    let mut wire = opened();
    wire.open(1, 42_027);
    // Behind a hole.
    wire.tcp(data(100, &HEARTBEAT));
    for index in 0..n {
        wire.tcp(Tcp {
            client: 1,
            ..data(1 + (index * 12) as u32, &HEARTBEAT)
        });
    }
    wire.bytes
}

fn agents(n: usize) -> Vec<u8> {
    let mut wire = opened();
    let mut sequence = 1;
    for agent in 0..n {
        let id = format!("{agent:05}\0");
        let tail = [&[0, 5, 0, 6], id.as_bytes()].concat();
        let event = with_tail("AGENT_STATE_EVENT", 24, &tail);
        wire.tcp(reply(sequence, &event));
        sequence += event.len() as u32;
    }
    wire.bytes
}

/// A message of this many fields, after one that states the version.
fn fields(name: &str, fields: Vec<u8>) -> Vec<u8> {
    talk([named("OPEN_REQ", 15, 1), with_tail(name, 15, &fields)])
}

fn empty_fields(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [5, 0].repeat(n))
}

fn unknown_tags(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [0xEE, 1, 7].repeat(n))
}

fn same_field(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [9, 3, b'1', b'2', 0].repeat(n))
}

fn lone_entries(n: usize) -> Vec<u8> {
    // ConnectedPartyCallID, then ConnectedPartyDeviceIDType and ConnectedPartyDeviceID the wrong way round.
    let entry = [41, 2, b'a', 0, 40, 2, 0, 0, 39, 4, 0, 0, 0, 1];
    fields("CONFERENCE_CALL_CONF", entry.repeat(n / 3))
}

fn unpublished(n: usize) -> Vec<u8> {
    let number = cti_dissector::protocol::messages()
        .iter()
        .find(|m| !m.published)
        .map(|m| m.number.0)
        .unwrap();
    let body = [5, 3, b'1', b'2', 0].repeat(n);
    talk([named("OPEN_REQ", 15, 1), message(number, &body)])
}

fn long_texts(n: usize) -> Vec<u8> {
    let text = [&[0, 9, 0x20, 0][..], &[0xC3; 0x1FFF], &[0]].concat();
    let event = with_tail("CALL_DELIVERED_EVENT", 24, &text);
    talk(std::iter::once(named("OPEN_REQ", 24, 1)).chain(std::iter::repeat_n(event, n)))
}

fn damaged_records(n: usize) -> Vec<u8> {
    let mut wire = opened();
    for index in 0..n {
        let at = wire.bytes.len();
        wire.tcp(data(1 + (index * 12) as u32, &HEARTBEAT));
        if index % 2 == 1 {
            wire.bytes[at + 8] = 0xFF;
            wire.bytes[at + 11] = 0xFF;
        }
    }
    wire.bytes
}

fn nonsense(n: usize) -> Vec<u8> {
    let mut wire = Wire::new();
    // What could be the header of a long record at every fourth byte, but for what follows that record.
    let word = 0x0003_FFFF_u32.to_le_bytes();
    wire.bytes.extend(word.repeat(n / 4));
    wire.bytes
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, body, &len].concat()
}

fn section() -> Vec<u8> {
    let body = [
        &0x1A2B_3C4D_u32.to_le_bytes()[..],
        &[1, 0, 0, 0],
        &[0xFF; 8],
    ];
    block(0x0A0D_0D0A, &body.concat())
}

fn interface(options: &[u8]) -> Vec<u8> {
    block(1, &[&[101, 0, 0, 0, 0, 0, 4, 0][..], options].concat())
}

/// The packets of a pcap as blocks of a pcapng, all of one interface.
fn packets(pcap: &[u8], interface: u32) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut rest = &pcap[24..];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let len = word(8) as usize;
        let micros = u64::from(word(0)) * 1_000_000 + u64::from(word(4));
        let words = [
            interface,
            (micros >> 32) as u32,
            micros as u32,
            word(8),
            word(12),
        ];
        let mut body = words.map(u32::to_le_bytes).concat();
        body.extend(&rest[16..16 + len]);
        body.resize(body.len().next_multiple_of(4), 0);
        blocks.push(block(6, &body));
        rest = &rest[16 + len..];
    }
    blocks
}

fn conversation(n: usize) -> Vec<u8> {
    talk(std::iter::repeat_n(HEARTBEAT.to_vec(), n))
}

fn interfaces(n: usize) -> Vec<u8> {
    let mut file = section();
    for _ in 0..n {
        file.extend(interface(&[]));
    }
    file.extend(packets(&conversation(n), n as u32 - 1).concat());
    file
}

fn sections(n: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for packet in packets(&conversation(n), 0) {
        file.extend([section(), interface(&[]), packet].concat());
    }
    file
}

fn options(n: usize) -> Vec<u8> {
    let options = [0xCC, 0, 0, 0].repeat(n);
    let mut file = [section(), interface(&options)].concat();
    file.extend(packets(&conversation(n / 100), 0).concat());
    file
}

fn damaged_blocks(n: usize) -> Vec<u8> {
    let mut file = [section(), interface(&[])].concat();
    for (index, mut packet) in packets(&conversation(n), 0).into_iter().enumerate() {
        if index % 2 == 1 {
            packet[4] = 0xFF;
            packet[7] = 0xFF;
        }
        file.extend(packet);
    }
    file
}

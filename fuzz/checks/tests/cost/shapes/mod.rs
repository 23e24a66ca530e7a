//! The shapes: traffic and damage that would be expensive if something looked at too much.

mod files;
mod messages;
mod segments;

use crate::wire::{Wire, data};
use cti_dissector::conversation::Totals;
use files::{damaged_blocks, damaged_records, interfaces, nonsense, options, sections};
use messages::{
    agents, chains_that_break, empty_fields, equal_invoke_ids, expired_invoke_ids,
    headers_everywhere, islands, lone_entries, long_texts, misfits, nearly_confirmed,
    open_requests, same_field, unknown_tags, unpublished,
};
use segments::{
    claims, fragments, holes, losses, one_byte_segments, one_waits, open_connections, overlapping,
    overlapping_fragments, port_reuse, retransmissions, reversed, syn_flood, unfinished_datagrams,
};

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

//! Streams, sessions and the fields of messages.

use super::{HEARTBEAT, heartbeats, midstream, opened, talk};
use crate::wire::{Wire, data, message, named, reply, with_tail};

pub(super) fn nearly_confirmed(n: usize) -> Vec<u8> {
    // A message whose last field does not end with it.
    let nearly = with_tail("AGENT_STATE_EVENT", 24, &[0, 5, 0, 200, b'1']);
    midstream(&nearly.repeat(n / 10), 1_400)
}

pub(super) fn headers_everywhere(n: usize) -> Vec<u8> {
    let stream: Vec<u8> = [0, 0, 0, 30, 0, 0, 0, 30].repeat(n / 8);
    midstream(&stream, 1_400)
}

pub(super) fn islands(n: usize) -> Vec<u8> {
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

pub(super) fn chains_that_break(n: usize) -> Vec<u8> {
    // Every message of a long segment begins a chain that leads to the nonsense at its end.
    let segment = [&heartbeats(4_990)[..], &[0xFF; 12]].concat();
    midstream(&segment.repeat(n), segment.len())
}

pub(super) fn misfits(n: usize) -> Vec<u8> {
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

pub(super) fn equal_invoke_ids(n: usize) -> Vec<u8> {
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

pub(super) fn expired_invoke_ids(n: usize) -> Vec<u8> {
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

pub(super) fn open_requests(n: usize) -> Vec<u8> {
    talk((0..n as u32).map(|id| named("QUERY_AGENT_STATE_REQ", 24, id)))
}

pub(super) fn agents(n: usize) -> Vec<u8> {
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

pub(super) fn empty_fields(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [5, 0].repeat(n))
}

pub(super) fn unknown_tags(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [0xEE, 1, 7].repeat(n))
}

pub(super) fn same_field(n: usize) -> Vec<u8> {
    fields("CALL_DELIVERED_EVENT", [9, 3, b'1', b'2', 0].repeat(n))
}

pub(super) fn lone_entries(n: usize) -> Vec<u8> {
    // ConnectedPartyCallID, then ConnectedPartyDeviceIDType and ConnectedPartyDeviceID the wrong way round.
    let entry = [41, 2, b'a', 0, 40, 2, 0, 0, 39, 4, 0, 0, 0, 1];
    fields("CONFERENCE_CALL_CONF", entry.repeat(n / 3))
}

pub(super) fn unpublished(n: usize) -> Vec<u8> {
    let number = cti_dissector::protocol::messages()
        .iter()
        .find(|m| !m.published)
        .map(|m| m.number.0)
        .unwrap();
    let body = [5, 3, b'1', b'2', 0].repeat(n);
    talk([named("OPEN_REQ", 15, 1), message(number, &body)])
}

pub(super) fn long_texts(n: usize) -> Vec<u8> {
    let text = [&[0, 9, 0x20, 0][..], &[0xC3; 0x1FFF], &[0]].concat();
    let event = with_tail("CALL_DELIVERED_EVENT", 24, &text);
    talk(std::iter::once(named("OPEN_REQ", 24, 1)).chain(std::iter::repeat_n(event, n)))
}

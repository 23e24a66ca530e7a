//! Shared by the tests of the text timeline: records made by hand.

mod detail;
mod hostile;
mod lines;

use super::*;
use crate::capture::PacketId;
use crate::correlate::{FailureCode, Part};
use crate::protocol::{self, Message, MessageType, ProtocolVersion};
use crate::record::{Direction, MessageInfo, Peers};
use crate::session::VersionSource;

/// 2026-11-23 10:15:01.203417 UTC.
const START: i64 = 1_795_428_901_203_417_000;

fn peers() -> Peers {
    Peers {
        session: 1,
        client: "10.0.1.10:50412".parse().unwrap(),
        server: "10.0.0.5:42027".parse().unwrap(),
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(START + millis * 1_000_000)
}

/// A message by its type and body.
fn message(number: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn body(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// A floating field with a wide header.
fn field(tag: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_be_bytes().to_vec();
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

/// The fixed part of a message in version 24: zero but for the fields given.
fn fixed_part(name: &str, values: &[(&str, u32)]) -> Vec<u8> {
    let layout = protocol::message_by_name(name)
        .and_then(|m| m.layout(24))
        .unwrap();
    let mut body = vec![0; usize::from(layout.size)];
    for (name, value) in values {
        let field = layout.fixed.iter().find(|f| f.name == *name).unwrap();
        let start = usize::from(field.offset);
        let size = usize::from(field.wire.size().unwrap());
        body[start..start + size].copy_from_slice(&value.to_be_bytes()[4 - size..]);
    }
    body
}

fn info(no: u64, bytes: &[u8]) -> MessageInfo {
    let number = MessageType(u32::from_be_bytes(bytes[4..8].try_into().unwrap()));
    let message = protocol::message(number);
    let direction = match message.map(|m| m.sender) {
        Some(protocol::Sender::Client) => Direction::ClientToServer,
        _ => Direction::ServerToClient,
    };
    MessageInfo {
        no,
        time: at(i64::try_from(no).unwrap() * 10),
        peers: peers(),
        direction,
        packets: [
            PacketId {
                input: 0,
                number: 41,
            },
            PacketId {
                input: 1,
                number: 42,
            },
        ][..]
            .into(),
        ..MessageInfo::sample(number)
    }
}

fn part(no: u64, name: &str) -> Part {
    let message: &'static Message = protocol::message_by_name(name).unwrap();
    Part {
        no,
        number: message.number,
        message: Some(message),
        time: at(0),
    }
}

fn render_with(options: TextOptions, record: Record<'_>, hints: Hints) -> String {
    let mut out = Vec::new();
    TextRenderer::new(options).record(record, hints, &mut Scratch::new(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The line of a record, without a date line before it.
fn line(record: Record<'_>) -> String {
    let hints = Hints {
        previous: Some(at(0)),
        change: None,
    };
    render_with(TextOptions::default(), record, hints)
}

fn open_req() -> Vec<u8> {
    let mut body = body(&[1, 24, 240, u32::MAX, 0x10 | 0x08, 0, 0, 0, 0, 0, 0]);
    body.extend(field(1, b"Finesse\0"));
    body.extend(field(2, b"s3cret!\0"));
    message(3, &body)
}

fn failure_code() -> FailureCode {
    FailureCode {
        code: 7,
        table: protocol::value_table("ControlFailureCode"),
        peripheral_error: Some(13),
    }
}

/// The messages of an independent codec: version and bytes.
fn vectors() -> Vec<(u32, Vec<u8>)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/vectors/messages.ndjson"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let hex = record["hex"].as_str().unwrap();
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
                .collect();
            let version = record["version"].as_u64().unwrap();
            (version.try_into().unwrap(), bytes)
        })
        .collect()
}

fn modes() -> Vec<TextOptions> {
    let mut modes = Vec::new();
    for (detail, hex) in [(false, false), (true, false), (false, true), (true, true)] {
        for ascii in [false, true] {
            modes.push(TextOptions {
                ascii,
                detail,
                hex,
                ..TextOptions::default()
            });
        }
    }
    modes
}

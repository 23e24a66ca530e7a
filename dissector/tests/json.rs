//! Every generated message, whole and cut, becomes one well-formed JSON object with all its values.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;

use cti_dissector::Timestamp;
use cti_dissector::capture::PacketId;
use cti_dissector::protocol::MessageType;
use cti_dissector::record::{Direction, MessageInfo, Peers, Record};
use cti_dissector::render::json::{Options, Renderer};
use cti_dissector::session::VersionSource;
use generate::{Generated, Plain, Random, Wish, published, versions};
use serde_json::{Value, json};

/// A renderer and what it needs besides the bytes.
struct Writer {
    renderer: Renderer,
    info: MessageInfo,
}

impl Writer {
    fn new() -> Self {
        let peers = Peers {
            session: 1,
            client: "10.0.1.10:50412".parse().unwrap(),
            server: "10.0.0.5:42027".parse().unwrap(),
        };
        Self {
            renderer: Renderer::new(Options {
                show_secrets: true,
                ..Options::default()
            }),
            info: MessageInfo {
                no: 1,
                time: Timestamp::from_seconds(1_795_428_901),
                peers,
                direction: Direction::ClientToServer,
                packets: [PacketId {
                    input: 0,
                    number: 4,
                }][..]
                    .into(),
                version: cti_dissector::protocol::ProtocolVersion(25),
                version_source: VersionSource::Stated,
                number: MessageType(0),
                message: None,
                answers: None,
                outcome: None,
                findings: Vec::new(),
                first_of_session: false,
            },
        }
    }

    fn json(&mut self, made: &Generated, end: usize) -> Value {
        self.info.version = made.version;
        self.info.number = made.message.number;
        self.info.message = Some(made.message);
        let mut out = Vec::new();
        let record = Record::Message(&self.info, &made.bytes[..end]);
        self.renderer.record(&mut out, &record);
        assert!(
            !out.iter().any(|b| *b < 0x20 || *b == 0x7F),
            "{}",
            made.label()
        );
        serde_json::from_slice(&out).unwrap_or_else(|e| {
            panic!(
                "{e} in {} of {}",
                String::from_utf8_lossy(&out),
                made.label()
            )
        })
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value["value"].as_i64())
}

/// Text, or an object with the hex form where it is not UTF-8.
fn is_text(shown: &Value, text: &[u8]) -> bool {
    match std::str::from_utf8(text) {
        Ok(text) => *shown == json!(text),
        Err(_) => shown["hex"] == hex(text),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn is_value(shown: &Value, value: &Plain) -> bool {
    match value {
        Plain::Number(n) => number(shown) == Some(*n),
        Plain::Text(text) => is_text(shown, text),
        Plain::Bytes(bytes) => shown["hex"] == hex(bytes),
        Plain::Variable(name, value) => {
            is_text(&shown["name"], name) && is_text(&shown["value"], value)
        }
        Plain::Element(index, name, value) => {
            shown["index"] == *index
                && is_text(&shown["name"], name)
                && is_text(&shown["value"], value)
        }
        Plain::Task(high, low, sequence) => {
            *shown == json!({"group_high": high, "group_low": low, "sequence": sequence})
        }
        Plain::Numbers(list) => {
            let shown: Vec<Option<i64>> = shown.as_array().unwrap().iter().map(number).collect();
            shown == list.iter().copied().map(Some).collect::<Vec<_>>()
        }
    }
}

#[test]
fn every_value_of_every_message_is_in_its_json() {
    let mut writer = Writer::new();
    for message in published() {
        for version in versions(message) {
            let seed = u64::from(message.number.0 * 100 + version.0);
            let made = generate::message(message, version, &mut Random(seed), Wish::default());
            let json = writer.json(&made, made.bytes.len());
            assert_eq!(json["name"], message.name);
            assert_eq!(json["length"], made.bytes.len() - 8);
            assert!(json.get("unread").is_none(), "{json}");
            let fixed = json["fields"].as_object().unwrap();
            assert_eq!(fixed.len(), made.fixed.len(), "{json}");
            for (name, value) in &made.fixed {
                assert_eq!(number(&fixed[*name]), Some(*value), "{name} of {json}");
            }
            let floating = json["floating"].as_array().unwrap();
            assert_eq!(floating.len(), made.floating.len(), "{json}");
            for (shown, field) in floating.iter().zip(&made.floating) {
                assert_eq!(shown["tag"], field.tag, "{json}");
                assert_eq!(shown["name"], field.name, "{json}");
                assert_eq!(
                    shown.get("group").map(|g| g.as_u64().unwrap()),
                    field.group.map(|g| u64::try_from(g).unwrap())
                );
                assert!(
                    is_value(&shown["value"], &field.value),
                    "{field:?} is {shown}"
                );
            }
        }
    }
}

#[test]
fn messages_cut_anywhere_are_well_formed_json() {
    let mut writer = Writer::new();
    for message in published() {
        for version in versions(message).step_by(7) {
            let seed = u64::from(message.number.0 * 1000 + version.0);
            let made = generate::message(message, version, &mut Random(seed), Wish::default());
            for end in (8..made.bytes.len()).filter(|end| *end < 80 || end % 11 == 0) {
                let json = writer.json(&made, end);
                assert_eq!(json["kind"], "message");
            }
        }
    }
}

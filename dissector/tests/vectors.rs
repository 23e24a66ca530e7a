//! Messages encoded by an independent codec (fixtures/vectors) decode to the values they were made from.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod again;

use again::again;
use cti_dissector::decode::{Decoder, FieldValue, HEADER_LEN, Reading};
use cti_dissector::protocol::ProtocolVersion;
use serde_json::{Value, json};

/// One line of the vector file.
struct Vector {
    record: Value,
    bytes: Vec<u8>,
}

impl Vector {
    fn label(&self) -> String {
        format!("{} v{}", self.record["name"], self.record["version"])
    }

    fn version(&self) -> ProtocolVersion {
        ProtocolVersion(self.record["version"].as_u64().unwrap().try_into().unwrap())
    }
}

fn vectors() -> Vec<Vector> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/vectors/messages.ndjson"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            let hex = record["hex"].as_str().unwrap();
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
                .collect();
            Vector { record, bytes }
        })
        .collect()
}

fn text(bytes: &[u8]) -> Value {
    json!(std::str::from_utf8(bytes).unwrap())
}

fn hex(bytes: &[u8]) -> Value {
    json!({"hex": bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()})
}

/// A value in the notation of the vector file.
fn plain(value: FieldValue<'_>) -> Value {
    match value {
        FieldValue::Number(n) | FieldValue::Bool(n) => json!(n.value),
        FieldValue::Time(seconds) => json!(seconds),
        FieldValue::Text(bytes) => text(bytes),
        FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => hex(bytes),
        FieldValue::NamedVariable { name, value } => {
            json!({"name": text(name), "value": text(value)})
        }
        FieldValue::NamedArray { index, name, value } => {
            json!({"index": index, "name": text(name), "value": text(value)})
        }
        FieldValue::Numbers(numbers) => json!(numbers.iter().map(|n| n.value).collect::<Vec<_>>()),
        other => panic!("{other:?} is not in the vectors"),
    }
}

#[test]
fn all_vectors_decode_to_their_values() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 577);
    let mut decoder = Decoder::new();
    for vector in &vectors {
        let label = vector.label();
        let view = decoder.decode(&vector.bytes, vector.version());
        assert_eq!(view.reading(), Reading::Usual, "{label}");
        assert_eq!(
            view.message().unwrap().name,
            vector.record["name"],
            "{label}"
        );
        let fixed: Vec<(String, Value)> = view
            .fixed()
            .map(|f| (f.field().name.to_owned(), plain(f.value())))
            .collect();
        let expected: Vec<(String, Value)> = vector.record["fields"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let sorted = |mut v: Vec<(String, Value)>| {
            v.sort_by(|a, b| a.0.cmp(&b.0));
            v
        };
        assert_eq!(sorted(fixed), sorted(expected), "{label}");
        let floating: Vec<Value> = view
            .floating()
            .map(|f| json!({"tag": f.tag(), "name": f.name().unwrap(), "value": plain(f.value())}))
            .collect();
        assert_eq!(json!(floating), vector.record["floating"], "{label}");
        assert_eq!(view.unread(), None, "{label}");
    }
}

#[test]
fn all_vectors_are_encoded_to_the_same_bytes_again() {
    let mut decoder = Decoder::new();
    for vector in vectors() {
        let view = decoder.decode(&vector.bytes, vector.version());
        assert_eq!(again(&view), vector.bytes, "{}", vector.label());
    }
}

/// Every byte of a message is in exactly one field, or in the unread rest.
#[test]
fn every_prefix_accounts_for_every_byte() {
    let mut decoder = Decoder::new();
    for vector in vectors() {
        for end in HEADER_LEN..=vector.bytes.len() {
            let prefix = &vector.bytes[..end];
            let view = decoder.decode(prefix, vector.version());
            let mut at = HEADER_LEN;
            for field in view.fixed() {
                assert_eq!(field.range().start, at, "{}", vector.label());
                at = field.range().end;
            }
            for field in view.floating() {
                assert_eq!(field.range().start, at, "{}", vector.label());
                at = field.range().end;
            }
            if let Some((start, rest)) = view.unread() {
                assert_eq!(start, at, "{} cut to {end}", vector.label());
                at += rest.len();
                assert!(!view.findings().is_empty());
            }
            assert_eq!(at, end, "{} cut to {end}", vector.label());
        }
    }
}

//! Compares what the program shows with what was sent.

use cti_dissector::encode::{Draft, Value as Given};
use ctishark_fixtures::{Content, Sent, Side};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// JSON records of a run, one a line.
pub fn records(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

/// The records of one kind.
pub fn of_kind<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|r| r["kind"] == kind).collect()
}

/// A message that was sent, and between whom.
pub struct Truth {
    pub sent: Sent,
    pub from: SocketAddr,
    pub to: SocketAddr,
}

impl Truth {
    fn content(&self) -> Option<&Content> {
        self.sent.payload.message.as_ref()
    }

    /// Whether its length and fields are what its name says; such a message must be shown field by field.
    pub fn is_regular(&self) -> bool {
        let Some(content) = self.content() else {
            return false;
        };
        let Ok(mut draft) = Draft::new(&content.name, content.version) else {
            return false;
        };
        for (field, value) in &content.fields {
            if draft.set(field, value).is_err() {
                return false;
            }
        }
        let number = draft.message().number.0.to_be_bytes();
        let bytes = &self.sent.payload.bytes;
        // Some scenarios send a message under another number.
        draft.encode().is_ok_and(|own| {
            own[..4] == bytes[..4] && own[8..] == bytes[8..] && own[4..8] == number
        })
    }

    /// Whether a shown message is this one, by addresses, type and length.
    fn looks_like(&self, shown: &Value) -> bool {
        let bytes = &self.sent.payload.bytes;
        let word = |at: usize| {
            bytes
                .get(at..at + 4)
                .map(|b| u32::from_be_bytes(b.try_into().unwrap()))
        };
        shown["src"] == self.from.to_string()
            && shown["dst"] == self.to.to_string()
            && word(4) == shown["type"].as_u64().and_then(|n| n.try_into().ok())
            && word(0) == shown["length"].as_u64().and_then(|n| n.try_into().ok())
    }

    /// What differs between this message and the shown one; empty when all is right.
    fn differences(&self, shown: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let content = self.content().unwrap();
        if shown["name"] != content.name {
            found.push(format!("name {}", shown["name"]));
        }
        let direction = match self.sent.side {
            Side::Client => "client-to-server",
            Side::Server => "server-to-client",
        };
        if shown["direction"] != direction {
            found.push(format!("direction {}", shown["direction"]));
        }
        if shown["version"] != content.version.0 && shown["version_source"].is_null() {
            found.push(format!("version {}", shown["version"]));
        }
        let mut floating: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for field in shown["floating"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap_or("?");
            floating.entry(name).or_default().push(&field["value"]);
        }
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, given) in &content.fields {
            let value = match shown["fields"].get(name) {
                Some(value) => Some(value),
                None => {
                    let nth = taken.entry(name).or_default();
                    *nth += 1;
                    floating
                        .get(name.as_str())
                        .and_then(|v| v.get(*nth - 1).copied())
                }
            };
            match value {
                Some(value) if is_value(value, given) => {}
                Some(value) => found.push(format!("{name}: sent {given:?}, shown {value}")),
                None => found.push(format!("{name} is not shown")),
            }
        }
        let given: usize = taken.values().sum();
        let count = shown["floating"].as_array().unwrap().len();
        if given != count {
            found.push(format!("{count} floating fields shown, {given} sent"));
        }
        found
    }
}

/// Whether a shown value is the given one.
fn is_value(shown: &Value, given: &Given) -> bool {
    let number = match shown {
        Value::Number(number) => number.as_i64(),
        other => other["value"].as_i64(),
    };
    match given {
        Given::Number(given) => {
            number.map(u32_bits) == Some(u32_bits(*given))
                || shown.as_str() == Some(given.to_string().as_str())
        }
        // Opaque bytes given as text.
        Given::Text(text) if shown.get("hex").is_some() => shown["hex"] == hex(text.as_bytes()),
        Given::Text(text) => shown == text || is_word(shown, number, text),
        Given::Bytes(bytes) => {
            let hex = hex(bytes);
            let text = String::from_utf8_lossy(bytes);
            shown["hex"] == hex
                || shown["hex"] == hex.trim_end_matches("00")
                || *shown == text.trim_end_matches('\0')
        }
        Given::NamedVariable { name, value } => {
            shown["name"] == *name && shown["value"] == *value && shown.get("index").is_none()
        }
        Given::NamedArray { index, name, value } => {
            shown["name"] == *name && shown["value"] == *value && shown["index"] == *index
        }
        Given::Array(numbers) => match (shown.as_array(), numbers.as_slice()) {
            (Some(list), numbers) => {
                list.len() == numbers.len()
                    && list
                        .iter()
                        .zip(numbers)
                        .all(|(shown, given)| is_value(shown, &Given::Number(*given)))
            }
            (None, [one]) => is_value(shown, &Given::Number(*one)),
            _ => false,
        },
        Given::TaskId {
            high,
            low,
            sequence,
        } => {
            shown["group_high"] == *high
                && shown["group_low"] == *low
                && shown["sequence"] == *sequence
        }
        other => panic!("{other:?} is new"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn u32_bits(number: i64) -> i64 {
    number & 0xFFFF_FFFF
}

/// Whether a number is shown that was given as a word: a symbol or its end, several for a mask, or digits.
fn is_word(shown: &Value, number: Option<i64>, word: &str) -> bool {
    let Some(number) = number else { return false };
    let digits = match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    };
    if let Some(digits) = digits {
        return u32_bits(digits) == u32_bits(number);
    }
    let is = |name: &Value, word: &str| {
        let name = name.as_str().unwrap_or("");
        name == word || name.ends_with(&format!("_{word}")) || name.replace(' ', "_") == word
    };
    match shown["names"].as_array() {
        Some(names) => {
            let mut words = word.split('|');
            names.len() == word.split('|').count()
                && words.all(|word| names.iter().any(|name| is(name, word)))
        }
        None => {
            is(&shown["name"], word) || shown["null"].is_string() || is_quiet_null(word, number)
        }
    }
}

/// NULL values that are everyday have no word in JSON.
fn is_quiet_null(word: &str, number: i64) -> bool {
    word == "NULL" && [0, 0xFFFF, 0xFFFF_FFFF, -1].contains(&number)
}

/// Pairs shown messages with sent ones, in order, for each direction of each connection. `must` says which sent messages
/// must be there; no other may be there than were sent.
pub fn assert_true(label: &str, shown: &[&Value], truth: &[Truth], must: impl Fn(&Truth) -> bool) {
    let mut directions: BTreeMap<(String, String), Vec<&Truth>> = BTreeMap::new();
    for message in truth {
        let ends = (message.from.to_string(), message.to.to_string());
        directions.entry(ends).or_default().push(message);
    }
    let mut places: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for message in shown {
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        let ends = (text("src"), text("dst"));
        let (ends, sent) = directions
            .get_key_value(&ends)
            .unwrap_or_else(|| panic!("{label}: nobody sent {message}"));
        let place = places.entry(ends).or_default();
        loop {
            let Some(candidate) = sent.get(*place) else {
                panic!("{label}: was not sent, or not there: {message}")
            };
            *place += 1;
            if candidate.looks_like(message) {
                if candidate.is_regular() && !is_cut(message) {
                    let differences = candidate.differences(message);
                    assert!(
                        differences.is_empty(),
                        "{label}: {differences:?} in {message}"
                    );
                }
                break;
            }
            assert!(
                !must(candidate),
                "{label}: {:?} is missing before {message}",
                candidate.sent
            );
        }
    }
    for (ends, sent) in &directions {
        let place = places.get(ends).copied().unwrap_or(0);
        let missing = sent[place..].iter().find(|t| must(t));
        assert!(
            missing.is_none(),
            "{label}: {:?} is missing",
            missing.map(|t| &t.sent)
        );
    }
}

/// Whether a message is shown in part only.
pub fn is_cut(shown: &Value) -> bool {
    let findings = shown["findings"].as_array();
    findings.is_some_and(|list| list.iter().any(|f| f["code"] == "cut_message"))
}

fn is_answer(shown: &Value) -> bool {
    matches!(shown["role"].as_str(), Some("confirmation" | "response"))
        || matches!(
            shown["name"].as_str(),
            Some("FAILURE_CONF" | "CONTROL_FAILURE_CONF")
        )
}

/// Nanoseconds since the beginning of the day of an RFC 3339 time.
pub fn nanos(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    i64::try_from(time.as_nanosecond()).unwrap()
}

/// Asserts that each answer names the request that it answers, with the time between them, and that no answer is left
/// without its request where that is there.
pub fn assert_paired(label: &str, shown: &[&Value]) -> usize {
    let mut open: BTreeMap<(u64, String, u64), Vec<&Value>> = BTreeMap::new();
    let mut paired = 0;
    for message in shown {
        let Some(invoke) = message["fields"]["InvokeID"].as_u64() else {
            continue;
        };
        let session = message["session"].as_u64().unwrap();
        if message["role"] == "request" {
            let asker = message["src"].as_str().unwrap().to_owned();
            open.entry((session, asker, invoke))
                .or_default()
                .push(message);
        } else if is_answer(message) {
            let asker = message["dst"].as_str().unwrap().to_owned();
            let requests = open.entry((session, asker, invoke)).or_default();
            let answered = requests.iter().position(|r| r["no"] == message["answers"]);
            let Some(place) = answered else {
                assert!(requests.is_empty(), "{label}: unpaired {message}");
                assert!(message["answers"].is_null(), "{label}: {message}");
                continue;
            };
            let request = requests[place];
            let more = &message["fields"]["More"]["value"];
            if more.as_i64().is_none_or(|more| more == 0) {
                requests.remove(place);
            }
            let latency = nanos(&message["time"]) - nanos(&request["time"]);
            let shown = message["latency_ms"].as_f64().unwrap();
            let expected = f64::from(i32::try_from(latency / 1000).unwrap()) / 1000.0;
            assert!((shown - expected).abs() < 0.001, "{label}: {message}");
            paired += 1;
        }
    }
    paired
}

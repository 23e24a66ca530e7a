//! Filters on messages made from the tables.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod decoding;
mod errors;
mod operators;
mod outcomes;
mod printing;
mod secrets;

use super::{Filter, Options};
use crate::Timestamp;
use crate::decode::Decoder;
use crate::encode::{Draft, Value};
use crate::protocol::{MessageType, ProtocolVersion, message_by_name};
use crate::record::MessageInfo;

/// A message with what the conversation says of it.
pub(super) struct Sample {
    pub info: MessageInfo,
    pub bytes: Vec<u8>,
}

impl Sample {
    /// From its bytes, as a server's message of version 24 in session 3.
    pub fn of(bytes: Vec<u8>) -> Self {
        let number = crate::decode::wire::header(&bytes).unwrap().1.number;
        let mut info = MessageInfo {
            no: 7,
            time: Timestamp::from_seconds(1_795_428_900),
            ..MessageInfo::sample(number)
        };
        info.peers.session = 3;
        Self { info, bytes }
    }

    /// A message with some fields, the other fixed ones being 0.
    pub fn new(name: &str, fields: &[(&str, Value)]) -> Self {
        Self::of(draft(name, fields).encode().unwrap())
    }

    /// A message of a type that no table knows.
    pub fn unknown() -> Self {
        let sample = Self::of(vec![0, 0, 0, 4, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0]);
        assert_eq!(sample.info.number, MessageType(0xFFFF));
        sample
    }

    pub fn passes(&self, text: &str) -> bool {
        let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        filter.matches(&self.info, &self.bytes, &mut Decoder::new())
    }

    #[track_caller]
    pub fn assert(&self, passing: &[&str], failing: &[&str]) {
        for text in passing {
            assert!(self.passes(text), "{text} should pass");
        }
        for text in failing {
            assert!(!self.passes(text), "{text} should not pass");
        }
    }
}

pub(super) fn draft(name: &str, fields: &[(&str, Value)]) -> Draft {
    let version = ProtocolVersion(24);
    let mut draft = Draft::new(name, version).unwrap();
    let layout = message_by_name(name).unwrap().layout(version.known());
    for field in layout.unwrap().fixed {
        if !fields.iter().any(|(name, _)| *name == field.name) {
            draft.set(field.name, &Value::Number(0)).unwrap();
        }
    }
    for (field, value) in fields {
        draft.set(field, value).unwrap();
    }
    draft
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// AGENT_STATE_EVENT of agent 1001, who is TALKING.
pub(super) fn agent_state() -> Sample {
    Sample::new(
        "AGENT_STATE_EVENT",
        &[
            ("AgentID", text("1001")),
            ("AgentExtension", text("20101")),
            ("AgentState", Value::Number(4)),
            ("SkillGroupNumber", Value::Number(0xFFFF_FFFF)),
            ("StateDuration", Value::Number(12)),
        ],
    )
}

/// CALL_DATA_UPDATE_EVENT with two variables of a name and an array.
pub(super) fn call_data() -> Sample {
    let variable = |name: &str, value: &str| Value::NamedVariable {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let element = |index, value: &str| Value::NamedArray {
        index,
        name: "user.list".to_owned(),
        value: value.to_owned(),
    };
    Sample::new(
        "CALL_DATA_UPDATE_EVENT",
        &[
            ("ConnectionCallID", Value::Number(16_777_301)),
            ("CallVariable1", text("gold, \"VIP\"")),
            ("NamedVariable", variable("user.x", "one")),
            ("NamedVariable", variable("user.x", "two")),
            ("NamedVariable", variable("user.empty", "")),
            ("NamedArray", element(1, "first")),
            ("NamedArray", element(3, "third")),
        ],
    )
}

#[test]
fn options_are_masked_and_in_utc_unless_told() {
    let options = Options::default();
    assert!(!options.show_secrets);
    assert_eq!(options.zone, jiff::tz::TimeZone::UTC);
}

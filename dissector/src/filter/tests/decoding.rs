//! Messages are decoded only where nothing else decides.

use super::{Sample, agent_state, call_data, draft, text};
use crate::decode::Decoder;
use crate::encode::Value;
use crate::filter::Filter;

/// How many of some messages pass, and how many were decoded for it.
fn count(text: &str, messages: &[Sample]) -> (usize, u64) {
    let filter = Filter::parse(text).unwrap();
    let mut decoder = Decoder::new();
    let passing = messages
        .iter()
        .filter(|m| filter.matches(&m.info, &m.bytes, &mut decoder))
        .count();
    (passing, decoder.decoded)
}

fn traffic() -> Vec<Sample> {
    let other_agent = Sample::new("AGENT_STATE_EVENT", &[("AgentID", text("1002"))]);
    let call = Sample::new(
        "CALL_CLEARED_EVENT",
        &[("ConnectionCallID", Value::Number(5))],
    );
    let heartbeat = Sample::new("HEARTBEAT_REQ", &[("InvokeID", Value::Number(1001))]);
    vec![
        agent_state(),
        call_data(),
        other_agent,
        call,
        heartbeat,
        Sample::unknown(),
    ]
}

#[test]
fn type_and_header_are_asked_first_whatever_the_order() {
    let messages = traffic();
    assert_eq!(count("name == AGENT_STATE_EVENT", &messages), (2, 0));
    assert_eq!(
        count("type != 30 && session == 3 && length > 0", &messages),
        (4, 0)
    );
    for text in [
        r#"name == AGENT_STATE_EVENT && AgentID == "1001""#,
        r#"AgentID == "1001" && name == AGENT_STATE_EVENT"#,
        r#"AgentID == "1001" && type == 30"#,
        r#"!(!(AgentID == "1001") || name != AGENT_STATE_EVENT)"#,
    ] {
        let (passing, decoded) = count(text, &messages);
        assert_eq!(passing, 1, "{text}");
        assert!(decoded <= 2, "{text}: {decoded}");
    }
    assert_eq!(
        count(r#"session == 9 && AgentID == "1001""#, &messages),
        (0, 0)
    );
    assert_eq!(
        count(r#"session == 3 || AgentID == "1001""#, &messages),
        (6, 0)
    );
}

#[test]
fn messages_that_cannot_have_a_field_are_not_decoded() {
    let messages = traffic();
    assert_eq!(count("StateDuration", &messages), (2, 2));
    assert_eq!(count("EventCause > 3", &messages), (0, 1));
    assert_eq!(count("!EventCause", &messages).0, 5);
    // Most messages may have this one.
    assert_eq!(count("AgentID", &messages).0, 2);
}

#[test]
fn messages_without_the_bytes_of_a_value_are_not_decoded() {
    let messages = traffic();
    assert_eq!(count(r#"AgentID == "1001""#, &messages), (1, 1));
    assert_eq!(count(r#"AgentID contains "100""#, &messages), (2, 2));
    assert_eq!(count(r#"AgentID in {"1001", "1003"}"#, &messages), (1, 1));
    assert_eq!(count("ConnectionCallID == 16777301", &messages), (1, 1));
    assert_eq!(count("ConnectionCallID in {5..5, 9}", &messages), (1, 1));
    assert_eq!(
        count(r#"NamedVariable["user.x"] != "one""#, &messages),
        (0, 1)
    );
}

#[test]
fn a_message_is_decoded_once_however_many_fields_are_asked_for() {
    let messages = [agent_state()];
    let text = r#"AgentID != "1" && AgentExtension != "1" && AgentState != 1 && !findings"#;
    assert_eq!(count(text, &messages), (1, 1));
}

#[test]
fn a_known_field_in_a_message_that_should_not_have_it_is_found() {
    let mut draft = draft("HEARTBEAT_CONF", &[]);
    draft.raw_floating(5, *b"1001\0");
    let foreign = Sample::of(draft.encode().unwrap());
    assert!(foreign.passes("findings == foreign_tag"));
    foreign.assert(
        &[r#"AgentID == "1001""#, "AgentID"],
        &["AgentExtension", r#"AgentID != "1001""#],
    );
    let messages = [foreign];
    assert_eq!(count("AgentExtension", &messages), (0, 0));
    assert_eq!(count("AgentID", &messages), (1, 1));
}

//! What each operator means for each type.

use super::{Sample, agent_state, call_data, text};
use crate::Timestamp;
use crate::decode::Decoder;
use crate::encode::Value;
use crate::filter::{Filter, Options};

#[test]
fn numbers_compare_by_value_and_hexadecimal_ones_by_bits() {
    call_data().assert(
        &[
            "ConnectionCallID == 16777301",
            "ConnectionCallID == 0x1000055",
            "ConnectionCallID != 1",
            "ConnectionCallID > 16777300",
            "ConnectionCallID >= 16777301 && ConnectionCallID <= 16777301",
            "ConnectionCallID lt 16777302",
            "ConnectionCallID in {1, 16777301}",
            "ConnectionCallID in {5..9, 16777300..16777310}",
        ],
        &[
            "ConnectionCallID == 1",
            "ConnectionCallID != 16777301",
            "ConnectionCallID < 16777301",
            "ConnectionCallID in {1..5, 9}",
        ],
    );
    // A fixed field without a sign; SkillGroupNumber has one where it floats.
    agent_state().assert(
        &[
            "SkillGroupNumber == 0xffffffff",
            "SkillGroupNumber == NULL_SKILL_GROUP",
            "SkillGroupNumber == 4294967295",
            "SkillGroupNumber in {0xfffffff0..0xffffffff}",
        ],
        &["SkillGroupNumber == 1", "SkillGroupNumber == -1"],
    );
    let floating = Sample::new(
        "QUERY_AGENT_STATE_CONF",
        &[("SkillGroupNumber", Value::Number(-1))],
    );
    floating.assert(
        &[
            "SkillGroupNumber == -1",
            "SkillGroupNumber == NULL_SKILL_GROUP",
            "SkillGroupNumber == 0xffffffff",
            "SkillGroupNumber in {-5..0}",
            "SkillGroupNumber < 0",
            "SkillGroupNumber != 4294967295",
        ],
        &["SkillGroupNumber == 4294967295", "SkillGroupNumber > 0"],
    );
}

#[test]
fn names_of_values_with_and_without_prefix_and_in_any_case() {
    agent_state().assert(
        &[
            "AgentState == AGENT_STATE_TALKING",
            "AgentState == TALKING",
            "AgentState == talking",
            "AgentState == \"TALKING\"",
            "AgentState == 4",
            "AgentState in {NOT_READY, TALKING}",
            "AgentState != LOGOUT",
            "AgentState >= LOGIN",
        ],
        &["AgentState == LOGOUT", "AgentState in {LOGIN, NOT_READY}"],
    );
    let transferred = Sample::new(
        "CALL_TRANSFERRED_EVENT",
        &[("EventCause", Value::Number(32))],
    );
    transferred.assert(
        &["EventCause == CEC_TRANSFER", "EventCause == cec_transfer"],
        &["EventCause == CEC_NEW_CALL"],
    );
}

#[test]
fn a_name_stands_for_a_number_by_the_table_of_the_field_it_is_compared_with() {
    // Direction is a fixed field of one message and a floating one of another, each with its own names.
    let rtp = Sample::new("RTP_STARTED_EVENT", &[("Direction", Value::Number(1))]);
    rtp.assert(
        &["Direction == Output", "Direction != In"],
        &["Direction == In", "Direction == Input"],
    );
}

#[test]
fn masks_ask_for_any_of_their_bits_or_compare_what_is_left() {
    let open = Sample::new(
        "OPEN_REQ",
        &[
            ("ServicesRequested", Value::Number(0x16)),
            ("ClientID", text("x")),
        ],
    );
    open.assert(
        &[
            "ServicesRequested & CTI_SERVICE_ALL_EVENTS",
            "ServicesRequested & ALL_EVENTS",
            "ServicesRequested & 0xff",
            "ServicesRequested & 0x12 == 0x12",
            "ServicesRequested & 0x13 != 0x13",
            "ServicesRequested == 0x16",
            "ServicesRequested & 0x06 in {6, 7}",
        ],
        &[
            "ServicesRequested & CTI_SERVICE_SUPERVISOR",
            "ServicesRequested & 0x13 == 0x13",
            "ServicesRequested == ALL_EVENTS",
        ],
    );
}

#[test]
fn texts_compare_byte_by_byte() {
    call_data().assert(
        &[
            r#"CallVariable1 == "gold, \"VIP\"""#,
            r#"CallVariable1 contains "VIP""#,
            r#"CallVariable1 contains """#,
            r#"CallVariable1 matches "^gold""#,
            r#"CallVariable1 matches r"\bVIP\b""#,
            r#"CallVariable1 matches "(?i)vip""#,
            r#"CallVariable1 < "h""#,
            r#"CallVariable1 in {"silver", "gold, \x22VIP\x22"}"#,
            r#"CallVariable1 in {"a".."z"}"#,
            r#"CallVariable1 != "gold""#,
            r#"CallVariable1"#,
        ],
        &[
            r#"CallVariable1 == "gold""#,
            r#"CallVariable1 contains "vip""#,
            r#"CallVariable1 matches "^VIP""#,
            r#"CallVariable1 in {"h".."z"}"#,
            r#"CallVariable1 in {"silver", "gold"}"#,
        ],
    );
}

#[test]
fn parts_of_named_variables_and_arrays() {
    call_data().assert(
        &[
            r#"NamedVariable["user.x"]"#,
            r#"NamedVariable["user.empty"] == """#,
            r#"NamedVariable["user.x"] == "two""#,
            r#"NamedVariable == "one""#,
            r#"NamedArray["user.list"]"#,
            r#"NamedArray["user.list"] == "third""#,
            r#"NamedArray["user.list"][3] == "third""#,
            r#"NamedArray["user.list"][3] matches "^t""#,
        ],
        &[
            r#"NamedVariable["user.y"]"#,
            r#"NamedVariable["user.list"]"#,
            r#"NamedArray["user.list"][1] == "third""#,
            r#"NamedArray["user.list"][2]"#,
            r#"NamedArray["user.x"]"#,
        ],
    );
}

#[test]
fn a_field_with_several_values_passes_when_one_does_and_is_unequal_when_none_is_equal() {
    call_data().assert(
        &[
            r#"NamedVariable["user.x"] == "one" && NamedVariable["user.x"] == "two""#,
            r#"NamedVariable["user.x"] != "three""#,
            r#"!(NamedVariable["user.x"] == "three")"#,
        ],
        &[
            r#"NamedVariable["user.x"] != "one""#,
            r#"!(NamedVariable["user.x"] == "one")"#,
        ],
    );
}

#[test]
fn a_field_that_is_not_there_makes_every_comparison_false() {
    let message = agent_state();
    for test in [
        "CallVariable1",
        r#"CallVariable1 == "x""#,
        r#"CallVariable1 != "x""#,
        r#"CallVariable1 < "x""#,
        r#"CallVariable1 contains """#,
        r#"CallVariable1 matches "x*""#,
        "ConnectionCallID != 0",
        "ConnectionCallID in {0..0xffffffff}",
        "latency_ms != 3",
        "status != failed",
        "findings != unknown_tag",
        "severity != info",
        "answered == false",
    ] {
        message.assert(&[&format!("!({test})")], &[test]);
    }
}

#[test]
fn what_surrounds_a_message() {
    agent_state().assert(
        &[
            "name == AGENT_STATE_EVENT",
            "name == agent_state_event",
            "name != OPEN_REQ",
            "name in {OPEN_REQ, AGENT_STATE_EVENT}",
            "name contains \"STATE\"",
            "name matches \"^AGENT_.*_EVENT$\"",
            "type == 30",
            "type == AGENT_STATE_EVENT",
            "type in {30..33}",
            "session == 3",
            "session in {1..3}",
            "version == 24 && version >= 0x10",
            "direction == server-to-client",
            "direction in {server-to-client}",
            "src == 10.0.0.5",
            "src == 10.0.0.5:42027",
            "src == 10.0.0.0/24",
            "src == 42027",
            "src in {10.9.9.9, 42027..43990}",
            "dst == 10.0.1.10 && dst == 50412",
            "dst != 10.0.0.5",
            "src == 0.0.0.0/0",
            "length > 8",
        ],
        &[
            "name != AGENT_STATE_EVENT",
            "name matches \"STATE$\"",
            "type == 31",
            "session != 3",
            "direction == client-to-server",
            "src == 10.0.0.6",
            "src == 10.0.0.5:1",
            "src == 10.0.0.0/30",
            "src == ::/0",
            "dst == \"[::1]:50412\"",
            "length == 0",
        ],
    );
    Sample::unknown().assert(
        &["!name", "type == 65535", "!(name == OPEN_REQ)"],
        &["name", "name != OPEN_REQ", "AgentID", "type == OPEN_REQ"],
    );
}

#[test]
fn times_of_day_are_on_the_day_on_which_the_capture_starts() {
    // 2026-11-23T10:15:00Z
    let at = |zone: &str, start: i64, text: &str| {
        let options = Options {
            zone: jiff::tz::TimeZone::posix(zone).unwrap(),
            ..Options::default()
        };
        let mut filter = Filter::with_options(text, &options).unwrap();
        let mut message = agent_state();
        message.info.time = Timestamp::from_seconds(1_795_428_900);
        filter.starts_at(Timestamp::from_seconds(1_795_428_900 + start));
        filter.matches(&message.info, &message.bytes, &mut Decoder::new())
    };
    assert!(at("UTC0", -600, "time >= 10:15"));
    assert!(at("UTC0", -600, "time == 10:15:00"));
    assert!(at("UTC0", -600, "time in {10:14:59.9..10:15:00.5}"));
    assert!(!at("UTC0", -600, "time > 10:15"));
    assert!(at("CET-1", -600, "time == 11:15"));
    assert!(at("CET-1", -600, "time == \"2026-11-23 11:15\""));
    assert!(at("CET-1", -600, "time == 2026-11-23T10:15:00Z"));
    assert!(at("UTC0", -600, "time != 2026-11-23T12:15:00+01:00"));
    // The capture started the day before.
    assert!(at("UTC0", -86_400, "time > 23:59"));
}

#[test]
fn not_binds_closest_then_and_then_or() {
    agent_state().assert(
        &[
            "session == 3 || session == 4 && session == 5",
            "!session == 4 && session == 3",
            "not (session == 4 or session == 5) and AgentID",
            "!!AgentID",
        ],
        &["(session == 3 || session == 4) && session == 5"],
    );
}

#[test]
fn values_that_do_not_suit_their_type_are_compared_as_bytes() {
    // StateDuration has 2 bytes only.
    let mut bytes = agent_state().bytes;
    bytes.extend([0, 150, 0, 2, b'o', b'k']);
    let length = u32::try_from(bytes.len() - 8).unwrap();
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    let message = Sample::of(bytes);
    assert!(
        message.passes("findings in {field_length, foreign_tag}"),
        "the message is as meant"
    );
    message.assert(
        &["AgentID == \"1001\"", "severity >= info"],
        &["findings == unknown_tag"],
    );
}

use super::{Draft, EncodeError, Value};
use crate::protocol::{self, ProtocolVersion};

fn draft(name: &str, version: u32, fields: &[(&str, Value)]) -> Result<Vec<u8>, EncodeError> {
    let mut draft = Draft::new(name, ProtocolVersion(version))?;
    for (field, value) in fields {
        draft.set(field, value)?;
    }
    draft.encode()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

#[test]
fn widths_follow_the_version() {
    let fields = [("InvokeID", Value::Number(1)), ("AgentID", text("1001"))];
    let narrow = draft("QUERY_AGENT_STATE_REQ", 8, &fields).unwrap();
    #[rustfmt::skip]
    assert_eq!(narrow, [
        0, 0, 0, 15, 0, 0, 0, 36,
        0, 0, 0, 1, // InvokeID
        0xff, 0xff, 0xff, 0xff, // PeripheralID: none
        5, 5, b'1', b'0', b'0', b'1', 0,
    ]);
    let wide = draft("QUERY_AGENT_STATE_REQ", 20, &fields).unwrap();
    #[rustfmt::skip]
    assert_eq!(&wide[16..], [
        0, 0, 0, 0, // MRDID
        0, 0, 0, 0, // ICMAgentID
        0, 5, 0, 5, b'1', b'0', b'0', b'1', 0,
    ]);
}

#[test]
fn symbols_stand_for_numbers() {
    let state = |word: &str| {
        let fields = [("InvokeID", 7.into()), ("AgentState", text(word))];
        draft("SET_AGENT_STATE_REQ", 15, &fields).map(|bytes| bytes[17])
    };
    assert_eq!(state("AGENT_STATE_NOT_READY"), Ok(2));
    assert_eq!(state("NOT_READY"), Ok(2));
    assert_eq!(state("0x02"), Ok(2));
    assert!(matches!(
        state("SLEEPING"),
        Err(EncodeError::UnknownValue { .. })
    ));
    let services = text("ALL_EVENTS|CTI_SERVICE_CLIENT_CONTROL|0x02000000");
    let fields = [("InvokeID", 7.into()), ("ServicesRequested", services)];
    let open = draft("OPEN_REQ", 24, &fields).unwrap();
    assert_eq!(open[24..28], [2, 0, 0, 0x14]);
}

#[test]
fn null_means_the_null_value_unless_the_table_has_a_value_of_this_name() {
    let fields = [
        ("ConnectionCallID", text("NULL")),
        ("LocalConnectionState", text("NULL")), // LCS_NULL, not LCS_NONE
    ];
    let held = draft("CALL_HELD_EVENT", 20, &fields).unwrap();
    #[rustfmt::skip]
    assert_eq!(held[20..], [
        0xff, 0xff, 0xff, 0xff, // ConnectionCallID
        0, 0, // HoldingDeviceType
        0, 0, // LocalConnectionState
        0xff, 0xff, // EventCause: not given
    ]);
}

#[test]
fn counters_are_filled_in_unless_given() {
    let variable = Value::NamedVariable {
        name: "user.x".into(),
        value: "1".into(),
    };
    let mut fields = vec![
        ("InvokeID", 1.into()),
        ("NamedVariable", variable.clone()),
        ("NamedVariable", variable),
    ];
    let counted = draft("SET_CALL_DATA_REQ", 9, &fields).unwrap();
    assert_eq!(counted[22..26], [0, 2, 0, 0]);
    fields.push(("NumNamedVariables", 5.into()));
    let wrong = draft("SET_CALL_DATA_REQ", 9, &fields).unwrap();
    assert_eq!(wrong[22..26], [0, 5, 0, 0]);
}

#[test]
fn errors_name_message_and_field() {
    let error = |name, version, fields: &[(&str, Value)]| {
        draft(name, version, fields).unwrap_err().to_string()
    };
    let invoke = ("InvokeID", Value::Number(1));
    assert_eq!(error("NO_REQ", 9, &[]), "unknown message NO_REQ");
    assert_eq!(
        error("HEARTBEAT_REQ", 9, &[]),
        "HEARTBEAT_REQ: field InvokeID must be given"
    );
    assert_eq!(
        error("HEARTBEAT_REQ", 9, &[("Hello", 1.into())]),
        "HEARTBEAT_REQ has no field Hello"
    );
    assert_eq!(
        error("OPEN_CONF", 23, &[("SessionType", 1.into())]),
        "OPEN_CONF has no field SessionType in protocol version 23"
    );
    assert_eq!(
        error("STANDBY_ACTIVE_EVENT_MSG", 20, &[]),
        "STANDBY_ACTIVE_EVENT_MSG does not exist in protocol version 20; it came with version 24"
    );
    assert_eq!(
        error("SYSTEM_EVENT", 9, &[("PGStatus", (1 << 40).into())]),
        "SYSTEM_EVENT: 1099511627776 does not fit into field PGStatus of type UINT"
    );
    assert_eq!(
        error("OPEN_REQ", 9, &[("AgentID", text("1234567890123"))]),
        "OPEN_REQ: field AgentID would take 14 bytes, 12 are allowed"
    );
    assert_eq!(
        error("OPEN_REQ", 9, &[invoke.clone(), invoke]),
        "OPEN_REQ: field InvokeID given twice"
    );
    let mut raw = Draft::new("CLOSE_CONF", ProtocolVersion(9)).unwrap();
    raw.set("InvokeID", &1.into()).unwrap();
    assert!(raw.clone().raw_floating(200, [0; 256]).encode().is_err());
    assert!(raw.raw_floating(300, [0; 2]).encode().is_err());
}

#[test]
fn wrong_messages_can_be_built() {
    let mut draft = Draft::new("HEARTBEAT_CONF", ProtocolVersion(24)).unwrap();
    draft.set("InvokeID", &1.into()).unwrap();
    draft.raw_floating(999, *b"x");
    draft.header_length(9999).trailing([0xee]);
    #[rustfmt::skip]
    assert_eq!(draft.encode().unwrap(), [
        0, 0, 0x27, 0x0f, 0, 0, 0, 6,
        0, 0, 0, 1,
        3, 0xe7, 0, 1, b'x',
        0xee,
    ]);
    draft.number(protocol::MessageType(77)).body([1, 2]);
    assert_eq!(draft.encode().unwrap()[7..], [77, 1, 2, 0xee]);
}

#[test]
fn no_name_means_both_a_fixed_and_a_floating_field() {
    for message in protocol::messages() {
        let fixed = message.layouts.iter().flat_map(|l| l.fixed);
        for field in fixed {
            assert!(
                message.floating.iter().all(|u| u.name != field.name),
                "{} has {} twice",
                message.name,
                field.name
            );
        }
    }
}

/// Bytes of vectors made by another codec.
#[test]
fn vectors_encode_to_the_same_bytes() {
    let lines = include_str!("../../../fixtures/vectors/messages.ndjson");
    let mut count = 0;
    for line in lines.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = vector["name"].as_str().unwrap();
        let version = u32::try_from(vector["version"].as_u64().unwrap()).unwrap();
        let mut draft = Draft::new(name, ProtocolVersion(version)).unwrap();
        for (field, value) in vector["fields"].as_object().unwrap() {
            draft.set(field, &from_json(value)).unwrap();
        }
        for field in vector["floating"].as_array().unwrap() {
            let value = from_json(&field["value"]);
            draft.set(field["name"].as_str().unwrap(), &value).unwrap();
        }
        let hex: String = draft
            .encode()
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, vector["hex"], "{name} in version {version}");
        count += 1;
    }
    assert_eq!(count, 577);
}

fn from_json(value: &serde_json::Value) -> Value {
    let string = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    if let Some(number) = value.as_i64() {
        return Value::Number(number);
    }
    if let Some(items) = value.as_array() {
        return Value::Array(items.iter().map(|i| i.as_i64().unwrap()).collect());
    }
    let Some(object) = value.as_object() else {
        return Value::Text(string(value));
    };
    if let Some(hex) = object.get("hex") {
        let digits = string(hex);
        let bytes = (0..digits.len() / 2)
            .map(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap());
        return Value::Bytes(bytes.collect());
    }
    let (name, value) = (string(&object["name"]), string(&object["value"]));
    match object.get("index").and_then(serde_json::Value::as_u64) {
        Some(index) => Value::NamedArray {
            index: index.try_into().unwrap(),
            name,
            value,
        },
        None => Value::NamedVariable { name, value },
    }
}

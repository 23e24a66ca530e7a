use super::*;
use crate::encode::{Draft, Value as Given};
use crate::protocol::ProtocolVersion;
use crate::time::Timestamp;
use serde_json::{Value, json};

fn info(bytes: &[u8], version: u32) -> MessageInfo {
    let number = MessageType(u32::from_be_bytes(bytes[4..8].try_into().unwrap()));
    let peers = Peers {
        session: 3,
        client: "10.0.1.10:50412".parse().unwrap(),
        server: "[2001:db8::5]:42027".parse().unwrap(),
    };
    MessageInfo {
        no: 17,
        time: Timestamp::from_nanos(1_795_428_901_203_417_000),
        peers,
        packets: [
            PacketId {
                input: 1,
                number: 41,
            },
            PacketId {
                input: 2,
                number: 1,
            },
        ][..]
            .into(),
        version: ProtocolVersion(version),
        ..MessageInfo::sample(number)
    }
}

fn shown_with(options: Options, draft: &Draft, version: u32) -> Value {
    let bytes = draft.encode().unwrap();
    let info = info(&bytes, version);
    let mut out = Vec::new();
    Renderer::new(options).record(&mut out, &Record::Message(&info, &bytes));
    serde_json::from_slice(&out).unwrap()
}

fn shown(draft: &Draft) -> Value {
    shown_with(Options::default(), draft, 24)
}

fn draft(name: &str, fields: &[(&str, Given)]) -> Draft {
    let mut draft = Draft::new(name, ProtocolVersion(24)).unwrap();
    for (field, value) in fields {
        draft.set(field, value).unwrap();
    }
    draft
}

#[test]
fn the_frame_of_a_message() {
    let heartbeat = draft("HEARTBEAT_CONF", &[("InvokeID", 7.into())]);
    let expected = json!({
        "kind": "message", "no": 17, "time": "2026-11-23T10:15:01.203417Z", "session": 3,
        "direction": "server-to-client", "src": "[2001:db8::5]:42027", "dst": "10.0.1.10:50412",
        "packets": [41, 1], "version": 24, "type": 6, "name": "HEARTBEAT_CONF", "role": "confirmation",
        "length": 4, "fields": {"InvokeID": 7}, "floating": [],
    });
    assert_eq!(shown(&heartbeat), expected);
    let several = Options {
        several_inputs: true,
        ..Options::default()
    };
    assert_eq!(shown_with(several, &heartbeat, 24)["files"], json!([2, 3]));
}

#[test]
fn passwords_are_masked_unless_asked_for() {
    let fields = [
        ("InvokeID", 1.into()),
        ("AgentInstrument", "20101".into()),
        ("AgentPassword", "s3cret".into()),
    ];
    let login = draft("SET_AGENT_STATE_REQ", &fields);
    let hidden = shown(&login);
    assert!(!hidden.to_string().contains("s3cret"));
    let password = hidden["floating"].as_array().unwrap().last().unwrap();
    assert_eq!(password["name"], "AgentPassword");
    assert_eq!(
        (&password["value"], &password["masked"]),
        (&Value::Null, &json!(true))
    );
    let open = Options {
        show_secrets: true,
        ..Options::default()
    };
    assert!(shown_with(open, &login, 24).to_string().contains("s3cret"));
}

#[test]
fn a_password_is_masked_where_its_field_cannot_be_read_as_usual() {
    // The same tag in a message that should not have it.
    let tag = crate::protocol::floating_fields()
        .iter()
        .find(|f| f.secret && f.name == "AgentPassword")
        .unwrap()
        .tag;
    let mut odd = draft("HEARTBEAT_REQ", &[("InvokeID", 1.into())]);
    odd.raw_floating(tag, *b"s3cret\0");
    let text = shown(&odd).to_string();
    assert!(!text.contains("s3cret"), "{text}");
    assert!(!text.contains("733363726574"), "{text}");
}

/// The password turned up as the data of a tag that the message does not have.
#[test]
fn a_password_read_by_the_wrong_version_leaked_under_another_tag() {
    let password = "apqwzxjkvbQWZXJKVBPQ0918273645pqwzxjkvbQWZXJ";
    for (client_id, first) in [("CTIOSServer", 'a'), ("a", 'A'), ("", '%')] {
        let password = password.replacen('a', &first.to_string(), 1);
        let fields = [
            ("InvokeID", 1.into()),
            ("ClientID", client_id.into()),
            ("ClientPassword", password.as_str().into()),
            ("ClientSignature", "finesse".into()),
        ];
        let bytes = draft("OPEN_REQ", &fields).encode().unwrap();
        for version in [9, 15, 24] {
            let info = info(&bytes, version);
            let mut out = Vec::new();
            Renderer::new(Options::default()).record(&mut out, &Record::Message(&info, &bytes));
            let text = String::from_utf8(out).unwrap();
            for part in password.as_bytes().windows(4) {
                let hex: String = part.iter().map(|b| format!("{b:02x}")).collect();
                let plain = std::str::from_utf8(part).unwrap();
                assert!(!text.contains(plain), "{version} {plain}: {text}");
                assert!(!text.contains(&hex), "{version} {plain}: {text}");
            }
        }
    }
}

#[test]
fn numbers_bring_their_names() {
    let fields = [
        ("InvokeID", 1.into()),
        ("PeripheralID", Given::from("NULL")),
        ("ServicesRequested", Given::Number(0x4000_0010)),
    ];
    let open = shown(&draft("OPEN_REQ", &fields));
    let services = &open["fields"]["ServicesRequested"];
    assert_eq!(services["value"], 0x4000_0010_u32);
    assert_eq!(services["names"], json!(["CTI_SERVICE_ALL_EVENTS"]));
    assert_eq!(services["unknown_bits"], 0x4000_0000_u32);
    let peripheral = &open["fields"]["PeripheralID"];
    assert_eq!(peripheral["value"], 0xFFFF_FFFF_u32);
    assert!(peripheral["null"].is_string());
    let state = shown(&draft("AGENT_STATE_EVENT", &[("AgentState", 77.into())]));
    assert_eq!(
        state["fields"]["AgentState"],
        json!({"value": 77, "name": null})
    );
    assert_eq!(state["findings"][0]["code"], "unknown_value");
}

#[test]
fn text_that_is_no_text_keeps_its_bytes() {
    let mut held = draft("CALL_HELD_EVENT", &[]);
    held.raw_floating(25, *b"M\xFCller\0");
    held.raw_floating(25, *b"\x1b[31m\x7f\0");
    let floating = &shown(&held)["floating"];
    assert_eq!(floating[0]["value"]["hex"], "4dfc6c6c6572");
    assert_eq!(floating[1]["value"], "\u{1b}[31m\u{7f}");
}

#[test]
fn what_is_not_decoded_is_there_with_its_place() {
    let mut heartbeat = draft("HEARTBEAT_REQ", &[("InvokeID", 1.into())]);
    heartbeat.trailing([0xDE, 0xAD]);
    let json = shown(&heartbeat);
    assert_eq!(json["unread"], json!({"offset": 12, "hex": "dead"}));
    assert_eq!(json["findings"][0]["offset"], 12);
    heartbeat.number(MessageType(900));
    let json = shown(&heartbeat);
    assert_eq!(json["name"], Value::Null);
    assert_eq!(json["layout"], Value::Null);
    assert_eq!(json["unread"], json!({"offset": 8, "hex": "00000001dead"}));
}

//! Bodies that follow another layout than the session's version has are read by that layout, and the reading says so.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;

use cti_dissector::decode::{Decoder, FieldValue, HEADER_LEN, MessageView, Reading};
use cti_dissector::encode::{Draft, Value};
use cti_dissector::finding::Code;
use cti_dissector::protocol::{self, Layout, Message, MessageType, ProtocolVersion, Variant};
use generate::{Plain, Random, Wish, assert_tiles, fixed_of, published, versions};

fn codes(view: &MessageView<'_>) -> Vec<Code> {
    view.findings().iter().map(|f| f.code).collect()
}

/// A message of a type with this body.
fn framed(number: MessageType, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [&length.to_be_bytes(), &number.0.to_be_bytes(), body].concat()
}

fn body(name: &str, version: u32, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut draft = Draft::new(name, ProtocolVersion(version)).unwrap();
    for (field, value) in fields {
        draft.set(field, value).unwrap();
    }
    draft.encode().unwrap()[HEADER_LEN..].to_vec()
}

fn number(name: &str) -> MessageType {
    protocol::message_by_name(name).unwrap().number
}

/// The fixed part by a layout: values by name, 0 for fields without one.
fn fixed_part(
    layout: &Layout,
    values: &[(&'static str, i64)],
) -> (Vec<u8>, Vec<(&'static str, i64)>) {
    let mut bytes = Vec::new();
    let mut written = Vec::new();
    for field in layout.fixed {
        let value = values
            .iter()
            .find(|(name, _)| *name == field.name)
            .map_or(0, |(_, v)| *v);
        let size = usize::from(field.wire.size().unwrap());
        bytes.extend(&value.to_be_bytes()[8 - size..]);
        written.push((field.name, value));
    }
    (bytes, written)
}

/// Seeds tried for one message. A short field may be just as long as a fixed field that one layout has and the other lacks;
/// such a body fits both, and the first seeds that decide are taken.
const SEEDS: std::ops::Range<u64> = 0..8;

fn variant_wish() -> Wish<'static> {
    Wish {
        usual: true,
        fixed: &[
            ("ConnectionCallID", 16_777_301),
            ("PauseDuration", 100),
            ("ConnectionDeviceIDType", 0),
        ],
        ..Wish::default()
    }
}

/// Whether a generated message, put into a variant's layout, is read by it; then all of it must be right.
fn variant_is_read(
    message: &'static Message,
    variant: &'static Variant,
    version: ProtocolVersion,
    seed: u64,
) -> bool {
    let made = generate::message(message, version, &mut Random(seed), variant_wish());
    let usual = message.layout(version.known()).unwrap();
    let layout = variant.layout(version.known()).unwrap();
    let (mut body, written) = fixed_part(layout, &made.fixed);
    let with_floating = variant.body.is_none();
    if with_floating {
        body.extend(&made.bytes[HEADER_LEN + usize::from(usual.size)..]);
    }
    let bytes = framed(message.number, &body);
    let label = format!("{} {} v{version}", message.name, variant.name);
    let mut decoder = Decoder::new();
    let view = decoder.decode(&bytes, version);
    assert_tiles(&view, &label);
    if view.reading() != Reading::Variant(variant) {
        return false;
    }
    assert_eq!(fixed_of(&view), written, "{label}");
    if with_floating {
        let values: Vec<Plain> = view.floating().map(|f| f.value().into()).collect();
        let expected: Vec<Plain> = made.floating.iter().map(|f| f.value.clone()).collect();
        assert_eq!(values, expected, "{label}");
    }
    assert!(codes(&view).contains(&Code::OtherLayout), "{label}");
    true
}

#[test]
fn every_variant_is_recognised_in_every_version() {
    let (mut all, mut read) = (0, 0);
    for message in published() {
        for variant in message.variants {
            let from = variant.since.unwrap_or(0);
            let to = variant.until.unwrap_or(u8::MAX);
            for version in versions(message).filter(|v| (from..=to).contains(&v.known())) {
                let right = SEEDS
                    .filter(|seed| variant_is_read(message, variant, version, *seed))
                    .count();
                assert!(right > 0, "{} {} v{version}", message.name, variant.name);
                all += SEEDS.count();
                read += right;
            }
        }
    }
    assert!(all > 640, "{all}");
    assert!(read * 10 > all * 9, "{read} of {all}");
}

/// Whether a message of one version is read as such in a session of another; then all of it must be right.
fn version_is_read(
    message: &'static Message,
    written: ProtocolVersion,
    version: ProtocolVersion,
    seed: u64,
) -> bool {
    let wish = Wish {
        usual: true,
        ..Wish::default()
    };
    let made = generate::message(message, written, &mut Random(seed), wish);
    let mut decoder = Decoder::new();
    let view = decoder.decode(&made.bytes, version);
    let label = format!("as v{version}: {}", made.label());
    assert_tiles(&view, &label);
    let Reading::OtherVersion(read) = view.reading() else {
        return false;
    };
    assert!(codes(&view).contains(&Code::OtherVersionLayout), "{label}");
    let layout = message.layout(read).unwrap();
    if !std::ptr::eq(layout, message.layout(written.known()).unwrap()) {
        return false;
    }
    made.assert_equals(&view);
    true
}

#[test]
fn a_body_of_another_version_with_the_same_floating_header_is_recognised() {
    let (mut all, mut read) = (0, 0);
    for message in published().filter(|m| m.variants.is_empty()) {
        for written in versions(message) {
            let size = message.layout(written.known()).unwrap().size;
            let others = versions(message)
                .filter(|v| v.floating_header() == written.floating_header())
                .filter(|v| message.layout(v.known()).unwrap().size != size);
            for version in others {
                let right = SEEDS
                    .filter(|seed| version_is_read(message, written, version, *seed))
                    .count();
                assert!(right > 0, "{} v{written} as v{version}", message.name);
                all += SEEDS.count();
                read += right;
            }
        }
    }
    assert!(all > 2400, "{all}");
    assert!(read * 10 > all * 9, "{read} of {all}");
}

#[test]
fn failure_conf_of_ten_bytes_is_read_as_control_failure() {
    #[rustfmt::skip]
    let bytes = [
        0, 0, 0, 10, 0, 0, 0, 1,
        0, 0, 0, 7, // InvokeID
        0, 34, // FailureCode
        0, 0, 0x32, 0xE5, // PeripheralErrorCode
    ];
    let mut decoder = Decoder::new();
    for version in 5..=25 {
        let view = decoder.decode(&bytes, ProtocolVersion(version));
        assert!(matches!(view.reading(), Reading::Variant(_)));
        assert_eq!(
            fixed_of(&view),
            [
                ("InvokeID", 7),
                ("FailureCode", 34),
                ("PeripheralErrorCode", 13029)
            ]
        );
        assert_eq!(codes(&view), [Code::OtherLayout]);
        assert_eq!(view.unread(), None);
    }
}

#[test]
fn emergency_call_event_may_begin_with_an_invoke_id() {
    for version in [9, 15, 17, 20, 25] {
        let fields = [
            ("PeripheralID", 5000.into()),
            ("ConnectionCallID", 16_777_301.into()),
            ("SessionID", 3.into()),
            ("ConnectionDeviceID", "20101".into()),
            ("ClientID", "Desktop".into()),
            ("AgentID", "1001".into()),
        ];
        let usual = body("EMERGENCY_CALL_EVENT", version, &fields);
        let bytes = framed(
            number("EMERGENCY_CALL_EVENT"),
            &[&[0, 0, 0, 77], usual.as_slice()].concat(),
        );
        let mut decoder = Decoder::new();
        let view = decoder.decode(&bytes, ProtocolVersion(version));
        assert!(matches!(view.reading(), Reading::Variant(_)), "v{version}");
        assert_eq!(view.fixed_named("InvokeID").unwrap().number().bits, 77);
        assert_eq!(
            view.fixed_named("PeripheralID").unwrap().number().bits,
            5000
        );
        assert_eq!(
            view.floating_tag(5).unwrap().value(),
            FieldValue::Text(b"1001")
        );
        assert_eq!(view.unread(), None);
    }
}

#[test]
fn config_request_event_with_and_without_config_msg_mask() {
    let mut decoder = Decoder::new();
    for (written, read) in [(24, 25), (25, 24), (25, 20)] {
        for customer in [false, true] {
            let mut fields = vec![
                ("ConfigInformation", 3.into()),
                ("PeripheralID", 5000.into()),
            ];
            if customer {
                fields.push(("CustomerID", 1.into()));
            }
            let bytes = framed(
                number("CONFIG_REQUEST_EVENT"),
                &body("CONFIG_REQUEST_EVENT", written, &fields),
            );
            let view = decoder.decode(&bytes, ProtocolVersion(read));
            let label = format!("v{written} as v{read}, customer: {customer}");
            assert!(
                matches!(view.reading(), Reading::OtherVersion(_)),
                "{label}"
            );
            assert_eq!(
                view.fixed_named("PeripheralID").unwrap().number().bits,
                5000
            );
            assert_eq!(
                view.fixed_named("ConfigMsgMask").is_some(),
                written == 25,
                "{label}"
            );
            assert_eq!(view.floating_tag(131).is_some(), customer, "{label}");
            assert_eq!(codes(&view), [Code::OtherVersionLayout], "{label}");
        }
    }
}

#[test]
fn agent_state_event_without_department_in_version_20() {
    // As Unified CCX sends it: the fixed part ends with NumFltSkillGroups whatever the version.
    let fixed = body(
        "AGENT_STATE_EVENT",
        18,
        &[
            ("PeripheralID", 1.into()),
            ("AgentState", 3.into()),
            ("SkillGroupState", 3.into()),
            ("ICMAgentID", 5101.into()),
        ],
    );
    #[rustfmt::skip]
    let floating = [
        0, 5, 0, 5, b'1', b'0', b'0', b'1', 0, // AgentID
        0, 4, 0, 6, b'2', b'0', b'1', b'0', b'1', 0, // AgentExtension
    ];
    let bytes = framed(
        number("AGENT_STATE_EVENT"),
        &[fixed.as_slice(), &floating].concat(),
    );
    let mut decoder = Decoder::new();
    for version in 20..=25 {
        let view = decoder.decode(&bytes, ProtocolVersion(version));
        assert_eq!(view.reading(), Reading::OtherVersion(18), "v{version}");
        assert!(view.fixed_named("DepartmentID").is_none());
        assert_eq!(view.fixed_named("ICMAgentID").unwrap().number().bits, 5101);
        assert_eq!(
            view.floating_tag(5).unwrap().value(),
            FieldValue::Text(b"1001")
        );
        assert_eq!(
            view.floating_tag(4).unwrap().value(),
            FieldValue::Text(b"20101")
        );
        assert_eq!(codes(&view), [Code::OtherVersionLayout]);
        assert_eq!(view.unread(), None);
    }
}

#[test]
fn floating_fields_of_unpublished_messages_are_searched() {
    // MEDIA_LOGIN_REQ: InvokeID, then a fixed part that is in no document.
    let mut decoder = Decoder::new();
    let opaque = [0, 0, 0x13, 0x88, 0, 1, 0xFF, 0xFF];
    for (version, floating) in [
        (15, &b"\x05\x051001\0\x04\x0620101\0"[..]),
        (24, &b"\0\x05\0\x051001\0\0\x04\0\x0620101\0"[..]),
    ] {
        let bytes = framed(
            MessageType(151),
            &[&[0, 0, 0, 9], opaque.as_slice(), floating].concat(),
        );
        let view = decoder.decode(&bytes, ProtocolVersion(version));
        assert_eq!(view.reading(), Reading::Searched(20), "v{version}");
        assert_eq!(view.fixed_named("InvokeID").unwrap().number().bits, 9);
        assert_eq!(view.opaque(), Some((12, &opaque[..])));
        let fields: Vec<(Option<&str>, FieldValue<'_>)> =
            view.floating().map(|f| (f.name(), f.value())).collect();
        assert_eq!(
            fields,
            [
                (Some("AgentID"), FieldValue::Text(b"1001")),
                (Some("AgentExtension"), FieldValue::Text(b"20101"))
            ]
        );
        assert_eq!(view.findings(), []);
        assert_tiles(&view, "unpublished");
    }
}

#[test]
fn unpublished_and_unknown_messages_lose_no_byte() {
    let mut decoder = Decoder::new();
    let mut random = Random(1);
    let types = protocol::messages().iter().filter(|m| !m.published);
    let types: Vec<u32> = types.map(|m| m.number.0).chain([0, 999, 70_000]).collect();
    for kind in types {
        for length in 0..60 {
            let body: Vec<u8> = (0..length)
                .map(|_| u8::try_from(random.below(256)).unwrap())
                .collect();
            let bytes = framed(MessageType(kind), &body);
            for version in [5, 19, 20, 25] {
                let view = decoder.decode(&bytes, ProtocolVersion(version));
                assert_tiles(&view, &format!("type {kind}, {bytes:02x?}"));
                if view.message().is_none() {
                    assert_eq!(codes(&view)[0], Code::UnknownType);
                    assert_eq!(view.unread().map_or(0, |(_, rest)| rest.len()), length);
                }
            }
        }
    }
}

#[test]
fn oddities_are_told_and_the_rest_is_decoded() {
    // QUERY_AGENT_STATE_REQ in version 24 with one oddity each.
    let start = |version| {
        let mut draft = Draft::new("QUERY_AGENT_STATE_REQ", ProtocolVersion(version)).unwrap();
        draft.set("InvokeID", &1.into()).unwrap();
        draft.set("AgentID", &"1001".into()).unwrap();
        draft
    };
    let mut decoder = Decoder::new();
    let mut told = |draft: &Draft, version| {
        let bytes = draft.encode().unwrap();
        let view = decoder.decode(&bytes, ProtocolVersion(version));
        assert_tiles(&view, &format!("{bytes:02x?}"));
        assert_eq!(
            view.floating_tag(5).unwrap().value(),
            FieldValue::Text(b"1001")
        );
        let finding = view.findings().first().map(|f| (f.code, f.offset));
        assert!(view.findings().len() < 2, "{:?}", view.findings());
        finding
    };
    // Offsets: header 8, fixed part 16, AgentID 4 + 5.
    let cases: [(u16, &[u8], Code); 6] = [
        (999, b"x", Code::UnknownTag),
        (12, b"x\0", Code::ForeignTag),
        (5, b"1002\0", Code::DuplicateField),
        (4, &[b'1'; 65], Code::FieldTooLong),
        (6, &[b'1'; 65], Code::FieldTooLong),
        (303, b"x\0", Code::ForeignTag),
    ];
    for (tag, data, code) in cases {
        let mut draft = start(24);
        draft.raw_floating(tag, data);
        assert_eq!(told(&draft, 24), Some((code, Some(33))), "tag {tag}");
    }
    let mut trailing = start(24);
    trailing.trailing([0, 5, 0]);
    assert_eq!(told(&trailing, 24), Some((Code::UnreadBytes, Some(33))));
    assert_eq!(told(&start(24), 24), None);
}

//! Messages written byte by byte, as the specification lays them out.

use super::*;
use crate::finding::Code;

fn codes(view: &MessageView<'_>) -> Vec<Code> {
    view.findings().iter().map(|f| f.code).collect()
}

/// Header and body.
fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], &[0, 0, 0, number], body].concat()
}

/// Tags and groups of the floating part.
fn groups(view: &MessageView<'_>) -> Vec<(u16, Option<usize>)> {
    view.floating().map(|f| (f.tag(), f.group())).collect()
}

const V15: ProtocolVersion = ProtocolVersion(15);

#[rustfmt::skip]
const CONFERENCE_CALL_CONF: &[u8] = &[
    0, 0, 0, 48, 0, 0, 0, 49,
    0, 0, 0, 1, // InvokeID
    1, 0, 0, 0x55, // NewConnectionCallID
    0, 0, // NewConnectionDeviceIDType
    0, 2, // NumParties
    0, 0, // LineHandle
    0, 0, // LineType
    39, 4, 1, 0, 0, 0x55, // ConnectedPartyCallID
    40, 2, 0, 0, // ConnectedPartyDeviceIDType
    41, 2, b'a', 0, // ConnectedPartyDeviceID
    39, 4, 1, 0, 0, 0x55, // the second party has no ID
    40, 2, 0, 0,
    47, 6, b'2', b'0', b'1', b'0', b'1', 0, // NewConnectionDeviceID
];

#[test]
fn any_bytes_at_any_length_are_accounted_for() {
    let mut decoder = Decoder::new();
    for version in [5, 9, 15, 20, 25] {
        for end in 0..=CONFERENCE_CALL_CONF.len() {
            let view = decoder.decode(&CONFERENCE_CALL_CONF[..end], ProtocolVersion(version));
            let read = view.fixed().map(|f| f.range().len()).sum::<usize>()
                + view.floating().map(|f| f.range().len()).sum::<usize>();
            let unread = view.unread().map_or(0, |(_, rest)| rest.len());
            let header = if end < HEADER_LEN { 0 } else { HEADER_LEN };
            assert_eq!(read + unread + header, end, "v{version} at {end}");
        }
    }
}

#[test]
fn the_first_bytes_of_a_header_were_told_as_a_type_beyond_their_end() {
    let mut decoder = Decoder::new();
    for end in 0..HEADER_LEN {
        let view = decoder.decode(&CONFERENCE_CALL_CONF[..end], V15);
        assert_eq!(codes(&view), [Code::CutMessage]);
        assert_eq!(view.findings()[0].offset, Some(end));
        let unread = view.unread().map_or(&[][..], |(_, rest)| rest);
        assert_eq!(unread, &CONFERENCE_CALL_CONF[..end]);
    }
}

#[test]
fn parties_of_a_conference_are_grouped_by_adjacency() {
    let mut decoder = Decoder::new();
    let view = decoder.decode(CONFERENCE_CALL_CONF, V15);
    assert_eq!(view.message().unwrap().name, "CONFERENCE_CALL_CONF");
    assert_eq!(view.reading(), Reading::Usual, "{:?}", view.layout());
    assert_eq!(
        groups(&view),
        [
            (39, Some(1)),
            (40, Some(1)),
            (41, Some(1)),
            (39, Some(2)),
            (40, Some(2)),
            (47, None)
        ]
    );
    assert_eq!(codes(&view), []);
}

#[test]
fn counters_that_disagree_are_told_with_their_place() {
    let mut bytes = CONFERENCE_CALL_CONF.to_vec();
    bytes[19] = 9;
    let mut decoder = Decoder::new();
    let view = decoder.decode(&bytes, V15);
    let [finding] = view.findings() else {
        panic!("{:?}", view.findings())
    };
    assert_eq!(
        (finding.code, finding.offset),
        (Code::CountMismatch, Some(18))
    );
    bytes[19] = 2;
    assert_eq!(codes(&decoder.decode(&bytes, V15)), []);
}

#[test]
fn a_fixed_part_that_ends_within_a_field_keeps_the_rest_raw() {
    // AGENT_STATE_EVENT cut in SessionID.
    let bytes = framed(30, &[0, 0, 0, 1, 0, 0, 0x13, 0x88, 0, 0, 7]);
    let mut decoder = Decoder::new();
    let view = decoder.decode(&bytes, V15);
    let names: Vec<&str> = view.fixed().map(|f| f.field().name).collect();
    assert_eq!(names, ["MonitorID", "PeripheralID"]);
    assert_eq!(view.unread(), Some((16, &[0, 0, 7][..])));
    assert!(codes(&view).contains(&Code::FixedPartShort));
}

#[test]
fn a_length_that_does_not_suit_its_type_is_raw_and_its_value_not_judged() {
    let mut body = crate::encode::Draft::new("CALL_HELD_EVENT", V15).unwrap();
    body.set("ConnectionDeviceID", &"20101".into()).unwrap();
    let good = body.encode().unwrap();
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&good, V15).reading(), Reading::Usual);
    // A USHORT of 3 bytes.
    let bytes = framed(11, &[&good[8..], &[40, 3, 1, 2, 3]].concat());
    let view = decoder.decode(&bytes, V15);
    let odd = view.floating_tag(40).unwrap();
    assert_eq!(odd.value(), FieldValue::Raw(&[1, 2, 3]));
    assert_eq!(
        codes(&view),
        [Code::ForeignTag, Code::FieldLength],
        "{:?}",
        view.findings()
    );
}

#[test]
fn texts_keep_what_is_in_them() {
    let mut draft = crate::encode::Draft::new("CALL_HELD_EVENT", V15).unwrap();
    draft.raw_floating(25, *b"2\x1b0\xFC1\0\0");
    let bytes = draft.encode().unwrap();
    let mut decoder = Decoder::new();
    let view = decoder.decode(&bytes, V15);
    let field = view.floating_tag(25).unwrap();
    assert_eq!(field.value(), FieldValue::Text(b"2\x1b0\xFC1"));
    assert_eq!(field.raw(), b"2\x1b0\xFC1\0\0");
}

#[test]
fn too_little_for_a_header_is_no_message() {
    let mut decoder = Decoder::new();
    for end in 0..8 {
        let view = decoder.decode(&CONFERENCE_CALL_CONF[..end], V15);
        assert!(view.message().is_none());
        assert_eq!(view.fixed().count() + view.floating().count(), 0);
    }
}

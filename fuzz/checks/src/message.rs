//! What must hold of one decoded message.

use cti_dissector::decode::{Decoder, FieldValue, HEADER_LEN, MessageView};
use cti_dissector::protocol::ProtocolVersion;

/// Decodes a message and checks that its parts are its bytes, each once, and nothing else.
pub(crate) fn check(decoder: &mut Decoder, bytes: &[u8], version: ProtocolVersion) {
    let view = decoder.decode(bytes, version);
    assert_eq!(view.bytes(), bytes);
    check_parts(&view);
    for field in view.fixed() {
        let size = field.field().wire.size().unwrap();
        assert_eq!(field.range().len(), usize::from(size));
        let _ = (field.value(), field.special());
    }
    for field in view.floating() {
        let _ = (field.name(), field.group(), field.table());
        check_value(field.raw(), &field.value());
    }
    for finding in view.findings() {
        assert!(finding.offset.is_none_or(|at| at <= bytes.len()));
        assert!(!finding.text.contains(char::is_control));
    }
    // No field has more to be said about than this for each of its bytes, and the message a few things more.
    assert!(view.findings().len() <= 32 + bytes.len());
}

/// Fixed fields, what is opaque, floating fields and the unread rest follow one another without a hole, from the header to
/// the end.
fn check_parts(view: &MessageView<'_>) {
    let mut at = match view.bytes().len() {
        0..HEADER_LEN => 0,
        _ => HEADER_LEN,
    };
    for field in view.fixed() {
        assert_eq!(field.range().start, at, "{}", field.field().name);
        at = field.range().end;
    }
    if let Some((start, bytes)) = view.opaque() {
        assert_eq!(start, at);
        at += bytes.len();
    }
    for field in view.floating() {
        let (range, data) = (field.range(), field.data_range());
        assert_eq!(range.start, at, "tag {}", field.tag());
        assert!(range.start < data.start && data.end == range.end);
        assert_eq!(field.raw(), &view.bytes()[data]);
        at = range.end;
    }
    if let Some((start, bytes)) = view.unread() {
        assert_eq!(start, at);
        at += bytes.len();
    }
    assert_eq!(at, view.bytes().len(), "{:?}", view.reading());
}

/// A value says no more than its data has.
fn check_value(raw: &[u8], value: &FieldValue<'_>) {
    match value {
        FieldValue::Text(bytes) | FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => {
            assert!(bytes.len() <= raw.len());
        }
        FieldValue::NamedVariable { name, value } | FieldValue::NamedArray { name, value, .. } => {
            assert!(name.len() + value.len() <= raw.len());
        }
        FieldValue::Numbers(numbers) => assert!(numbers.iter().count() <= raw.len()),
        _ => {}
    }
}

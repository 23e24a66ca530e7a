//! What a message must decode to.

use cti_dissector::decode::{FieldValue, MessageView};
use cti_dissector::protocol::{Message, ProtocolVersion};

/// A decoded value, to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    Number(i64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    Variable(Vec<u8>, Vec<u8>),
    Element(u8, Vec<u8>, Vec<u8>),
    Task(i32, i32, i32),
    Numbers(Vec<i64>),
}

impl From<FieldValue<'_>> for Plain {
    fn from(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Number(n) | FieldValue::Bool(n) => Self::Number(n.value),
            FieldValue::Time(seconds) => Self::Number(seconds.into()),
            FieldValue::Text(text) => Self::Text(text.to_vec()),
            FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => Self::Bytes(bytes.to_vec()),
            FieldValue::NamedVariable { name, value } => {
                Self::Variable(name.to_vec(), value.to_vec())
            }
            FieldValue::NamedArray { index, name, value } => {
                Self::Element(index, name.to_vec(), value.to_vec())
            }
            FieldValue::TaskId {
                group_high,
                group_low,
                sequence,
            } => Self::Task(group_high, group_low, sequence),
            FieldValue::Numbers(numbers) => {
                Self::Numbers(numbers.iter().map(|n| n.value).collect())
            }
            other => panic!("{other:?} is new"),
        }
    }
}

/// A floating field of a generated message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub tag: u16,
    pub name: &'static str,
    pub value: Plain,
    pub group: Option<usize>,
}

/// A generated message and what it must decode to.
#[derive(Debug, Clone)]
pub struct Generated {
    pub message: &'static Message,
    pub version: ProtocolVersion,
    pub bytes: Vec<u8>,
    pub fixed: Vec<(&'static str, i64)>,
    pub floating: Vec<Field>,
}

impl Generated {
    pub fn label(&self) -> String {
        format!(
            "{} v{}: {:02x?}",
            self.message.name, self.version, self.bytes
        )
    }

    /// Asserts that a decoded message has these very fields.
    pub fn assert_equals(&self, view: &MessageView<'_>) {
        assert_eq!(
            view.message().map(|m| m.name),
            Some(self.message.name),
            "{}",
            self.label()
        );
        assert_eq!(fixed_of(view), self.fixed, "{}", self.label());
        let floating: Vec<Field> = view
            .floating()
            .map(|f| Field {
                tag: f.tag(),
                name: f.name().unwrap_or("?"),
                value: f.value().into(),
                group: f.group(),
            })
            .collect();
        assert_eq!(floating, self.floating, "{}", self.label());
    }
}

pub fn fixed_of(view: &MessageView<'_>) -> Vec<(&'static str, i64)> {
    view.fixed()
        .map(|f| (f.field().name, f.number().value))
        .collect()
}

/// Asserts that every byte of a message is in exactly one field, or in the opaque or unread part.
pub fn assert_tiles(view: &MessageView<'_>, label: &str) {
    let bytes = view.bytes();
    // Fewer bytes than a header has are not read at all.
    let mut at = if bytes.len() < 8 { 0 } else { 8 };
    for field in view.fixed() {
        assert_eq!(field.range().start, at, "{label}");
        at = field.range().end;
    }
    if let Some((start, opaque)) = view.opaque() {
        assert_eq!(start, at, "{label}");
        at += opaque.len();
    }
    for field in view.floating() {
        assert_eq!(field.range().start, at, "{label}");
        assert_eq!(field.range().end, field.data_range().end, "{label}");
        at = field.range().end;
    }
    if let Some((start, rest)) = view.unread() {
        assert_eq!(start, at, "{label}");
        at += rest.len();
    }
    assert_eq!(at, bytes.len(), "{label}");
}

//! Message records: their shape, and the bytes that they stand for.

use super::values;
use crate::protocol::{
    self, FloatingHeader, Layout, Message, MessageType, ProtocolVersion, WireType,
};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// A message record, as far as anything depends on it.
#[derive(Deserialize)]
pub(super) struct MessageRecord<'a> {
    pub no: u64,
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    pub session: u32,
    #[serde(borrow)]
    pub direction: Cow<'a, str>,
    #[serde(borrow)]
    pub src: Cow<'a, str>,
    #[serde(borrow)]
    pub dst: Cow<'a, str>,
    pub packets: Vec<u64>,
    pub files: Option<Vec<u64>>,
    pub version: u32,
    #[serde(borrow)]
    pub version_source: Option<Cow<'a, str>>,
    #[serde(rename = "type")]
    pub number: u32,
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// Missing for the usual layout, null where nothing is known of it.
    #[serde(default, deserialize_with = "present")]
    pub layout: Option<Option<LayoutRecord>>,
    #[serde(borrow)]
    pub fields: Fields<'a>,
    #[serde(borrow)]
    pub floating: Vec<FloatingRecord<'a>>,
    pub opaque: Option<Part>,
    pub unread: Option<Part>,
    pub answers: Option<u64>,
    #[serde(default, borrow)]
    pub findings: Vec<FindingRecord<'a>>,
}

/// How a message was read.
#[derive(Deserialize)]
pub(super) struct LayoutRecord {
    variant: Option<String>,
    version: Option<u8>,
}

/// A floating field.
#[derive(Deserialize)]
pub(super) struct FloatingRecord<'a> {
    tag: u16,
    value: Value,
    #[serde(default)]
    masked: bool,
    #[serde(borrow, rename = "name")]
    _name: Option<Cow<'a, str>>,
}

/// Bytes without fields.
#[derive(Deserialize)]
pub(super) struct Part {
    hex: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct FindingRecord<'a> {
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    #[serde(default, borrow)]
    pub text: Cow<'a, str>,
}

/// A key that is there, whatever its value.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<LayoutRecord>>, D::Error> {
    Option::<LayoutRecord>::deserialize(deserializer).map(Some)
}

/// The fixed part, in wire order.
#[derive(Default)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, Value)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(Cow<'de, str>, Value)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The message that a record names.
pub(super) fn definition(record: &MessageRecord<'_>) -> Result<Option<&'static Message>, String> {
    let Some(name) = &record.name else {
        return Ok(None);
    };
    let usual = protocol::message(MessageType(record.number));
    usual
        .filter(|message| message.name == name)
        .or_else(|| protocol::message_by_name(name))
        .map(Some)
        .ok_or_else(|| format!("no message is called {}", name.escape_debug()))
}

/// Writes the bytes that a record stands for.
pub(super) fn bytes(
    out: &mut Vec<u8>,
    record: &MessageRecord<'_>,
    message: Option<&'static Message>,
) -> Result<(), String> {
    let version = ProtocolVersion(record.version);
    out.clear();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&record.number.to_be_bytes());
    if let Some(message) = message {
        fixed(out, record, message, version)?;
    }
    part(out, record.opaque.as_ref())?;
    for field in &record.floating {
        floating(out, field, version.floating_header())?;
    }
    part(out, record.unread.as_ref())?;
    let cut = record.findings.iter().any(|f| f.code == "cut_message");
    let body = out.len().saturating_sub(8) + usize::from(cut);
    let length = u32::try_from(body).map_err(|_| "too long".to_owned())?;
    if let Some(place) = out.first_chunk_mut::<4>() {
        *place = length.to_be_bytes();
    }
    Ok(())
}

/// The layout by which a message was read.
fn layout(
    record: &MessageRecord<'_>,
    message: &'static Message,
    version: ProtocolVersion,
) -> Option<&'static Layout> {
    let known = version.known();
    let Some(Some(layout)) = &record.layout else {
        return message.layout(known);
    };
    if let Some(name) = &layout.variant {
        let variant = message.variants.iter().find(|v| v.name == name)?;
        return variant.layout(known);
    }
    message.layout(layout.version.unwrap_or(known))
}

fn fixed(
    out: &mut Vec<u8>,
    record: &MessageRecord<'_>,
    message: &'static Message,
    version: ProtocolVersion,
) -> Result<(), String> {
    if record.fields.0.is_empty() {
        return Ok(());
    }
    let layout = layout(record, message, version)
        .ok_or_else(|| format!("unknown layout of {}", message.name))?;
    let mut fields = layout.fixed.iter();
    for (name, value) in &record.fields.0 {
        let field = fields.next().filter(|field| field.name == name);
        let written = field.is_some_and(|field| values::number(out, field.wire, value));
        if !written {
            let name = name.escape_debug();
            return Err(format!("{} has no field {name} there", message.name));
        }
    }
    Ok(())
}

fn part(out: &mut Vec<u8>, part: Option<&Part>) -> Result<(), String> {
    let Some(part) = part else { return Ok(()) };
    match &part.hex {
        None => out.extend_from_slice(values::MASKED),
        Some(digits) => out.extend(values::hex(digits).ok_or("not hexadecimal")?),
    }
    Ok(())
}

fn floating(
    out: &mut Vec<u8>,
    field: &FloatingRecord<'_>,
    header: FloatingHeader,
) -> Result<(), String> {
    let wire: Option<WireType> = protocol::floating(field.tag).and_then(|f| f.wire);
    let most = match header {
        FloatingHeader::Narrow => usize::from(u8::MAX),
        FloatingHeader::Wide => usize::from(u16::MAX),
    };
    let data = if field.masked {
        values::MASKED.to_vec()
    } else {
        let data = values::floating(wire, &field.value, most);
        data.ok_or_else(|| format!("no value of a field with tag {}", field.tag))?
    };
    let too_long = |_| format!("too much for a field with tag {}", field.tag);
    let length = u16::try_from(data.len()).map_err(too_long)?;
    match header {
        FloatingHeader::Narrow => {
            out.push(u8::try_from(field.tag).map_err(too_long)?);
            out.push(u8::try_from(length).map_err(too_long)?);
        }
        FloatingHeader::Wide => {
            out.extend_from_slice(&field.tag.to_be_bytes());
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&data);
    Ok(())
}

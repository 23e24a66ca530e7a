//! From names and values to the bytes of a message, by the same tables that decode it. Made for test captures and test
//! peers; it can build wrong messages too, where that is asked for.
//!
//! ```
//! use cti_dissector::encode::{Draft, Value};
//! use cti_dissector::protocol::ProtocolVersion;
//!
//! let mut draft = Draft::new("SET_AGENT_STATE_REQ", ProtocolVersion(20))?;
//! draft.set("InvokeID", &Value::Number(7))?;
//! draft.set("AgentState", &"NOT_READY".into())?;
//! draft.set("AgentInstrument", &"20101".into())?;
//! let bytes = draft.encode()?;
//! assert_eq!(bytes.len(), 8 + 21 + 4 + 6);
//! # Ok::<(), cti_dissector::encode::EncodeError>(())
//! ```

mod error;
mod value;

pub use error::EncodeError;
pub use value::Value;

use crate::protocol::{
    self, FixedField, FloatingHeader, FloatingUse, Layout, Message, MessageType, ProtocolVersion,
};
use value::Target;

/// Bytes of a message header.
const HEADER: usize = 8;

/// A message being put together.
///
/// Fixed fields stand at their place whatever the order in which they are given. One that is not given holds its NULL value,
/// where it has one that is worth telling, and else 0; InvokeID must be given. Counters of lists are filled in from the
/// floating fields. Floating fields follow in the order given.
#[derive(Debug, Clone)]
pub struct Draft {
    message: &'static Message,
    version: ProtocolVersion,
    layout: &'static Layout,
    /// One slot for each field of the layout.
    fixed: Vec<Option<Vec<u8>>>,
    floating: Vec<(u16, Vec<u8>)>,
    number: MessageType,
    header_length: Option<u32>,
    body: Option<Vec<u8>>,
    trailing: Vec<u8>,
}

impl Draft {
    /// An empty message by name, as the given protocol version has it.
    ///
    /// # Errors
    /// When no table knows the name, or the version does not have the message.
    pub fn new(name: &str, version: ProtocolVersion) -> Result<Self, EncodeError> {
        let message = protocol::message_by_name(name)
            .ok_or_else(|| EncodeError::UnknownMessage(name.to_owned()))?;
        Self::of(message, version)
    }

    /// An empty message, as the given protocol version has it.
    ///
    /// # Errors
    /// When the version does not have the message.
    pub fn of(message: &'static Message, version: ProtocolVersion) -> Result<Self, EncodeError> {
        let missing = |since| EncodeError::MessageNotInVersion {
            message: message.name,
            version: version.0,
            since,
        };
        if let Some(since) = message.since.filter(|s| version.known() < *s) {
            return Err(missing(since));
        }
        let layout = message
            .layout(version.known())
            .ok_or_else(|| missing(protocol::NEWEST))?;
        Ok(Self {
            message,
            version,
            layout,
            fixed: vec![None; layout.fixed.len()],
            floating: Vec::new(),
            number: message.number,
            header_length: None,
            body: None,
            trailing: Vec::new(),
        })
    }

    /// Which message this is.
    #[must_use]
    pub const fn message(&self) -> &'static Message {
        self.message
    }

    /// Gives a field its value: a fixed field where the message has one of this name, else one more floating field.
    ///
    /// A floating field goes by its name in this message, its usual name or another name that the tables list.
    ///
    /// # Errors
    /// When the message has no such field in this version, or the value does not fit.
    pub fn set(&mut self, field: &str, value: &Value) -> Result<&mut Self, EncodeError> {
        if let Some(index) = self.layout.fixed.iter().position(|f| f.name == field) {
            return self.set_fixed(index, value);
        }
        match self.find_floating(field) {
            Some(usage) => self.push_floating(usage, value),
            None => Err(self.no_field(field)),
        }
    }

    /// Adds a floating field by tag and data, known or not, allowed or not. Only the widths of tag and length bind.
    pub fn raw_floating(&mut self, tag: u16, data: impl Into<Vec<u8>>) -> &mut Self {
        self.floating.push((tag, data.into()));
        self
    }

    /// Sends the message under another number than its own.
    pub const fn number(&mut self, number: MessageType) -> &mut Self {
        self.number = number;
        self
    }

    /// Writes this into the header as MessageLength, whatever the true length.
    pub const fn header_length(&mut self, length: u32) -> &mut Self {
        self.header_length = Some(length);
        self
    }

    /// Takes these bytes for the whole body; fields are then ignored.
    pub fn body(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.body = Some(bytes.into());
        self
    }

    /// Adds bytes behind the last field; MessageLength counts them.
    pub fn trailing(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.trailing = bytes.into();
        self
    }

    /// The whole message, header included.
    ///
    /// # Errors
    /// When InvokeID was not given, or a floating field is too large for the widths of this version.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut body = match &self.body {
            Some(body) => body.clone(),
            None => {
                let mut body = self.fixed_part()?;
                self.floating_part(&mut body)?;
                body
            }
        };
        body.extend(&self.trailing);
        let length = match self.header_length {
            Some(length) => length,
            None => u32::try_from(body.len()).map_err(|_| EncodeError::TooLong {
                message: self.message.name,
                field: "MessageLength".to_owned(),
                length: body.len(),
                limit: usize::MAX,
            })?,
        };
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(length.to_be_bytes());
        bytes.extend(self.number.0.to_be_bytes());
        bytes.extend(body);
        Ok(bytes)
    }

    fn set_fixed(&mut self, index: usize, value: &Value) -> Result<&mut Self, EncodeError> {
        let Some((field, slot)) = self.layout.fixed.get(index).zip(self.fixed.get_mut(index))
        else {
            return Ok(self);
        };
        if slot.is_some() {
            return Err(EncodeError::GivenTwice {
                message: self.message.name,
                field: field.name,
            });
        }
        let target = fixed_target(self.message, field);
        let bytes = target.bytes(value)?;
        let size = field.wire.size().map_or(bytes.len(), usize::from);
        if bytes.len() != size {
            return Err(self.too_long(field.name, bytes.len(), size));
        }
        *slot = Some(bytes);
        Ok(self)
    }

    fn push_floating(
        &mut self,
        usage: &'static FloatingUse,
        value: &Value,
    ) -> Result<&mut Self, EncodeError> {
        let field = usage.field;
        let wrong_version = EncodeError::FieldNotInVersion {
            message: self.message.name,
            field: usage.name,
            version: self.version.0,
        };
        let Some(wire) = field.wire.filter(|_| usage.exists_at(self.version.known())) else {
            return Err(wrong_version);
        };
        let target = Target {
            message: self.message.name,
            field: usage.name,
            wire,
            table: field.table,
            special: usage.special.or(field.special),
            array: field.array,
        };
        let data = target.bytes(value)?;
        let limit = field.max_at(self.version.known()).map(usize::from);
        if let Some(limit) = limit.filter(|l| data.len() > *l) {
            return Err(self.too_long(usage.name, data.len(), limit));
        }
        self.floating.push((field.tag, data));
        Ok(self)
    }

    fn find_floating(&self, name: &str) -> Option<&'static FloatingUse> {
        let uses = self.message.floating;
        let by = |same: &dyn Fn(&FloatingUse) -> bool| uses.iter().find(|u| same(u));
        by(&|u| u.name == name)
            .or_else(|| by(&|u| u.field.name == name))
            .or_else(|| by(&|u| u.field.also.contains(&name)))
    }

    fn no_field(&self, name: &str) -> EncodeError {
        let mut layouts = self.message.layouts.iter().flat_map(|l| l.fixed);
        match layouts.find(|f| f.name == name) {
            Some(field) => EncodeError::FieldNotInVersion {
                message: self.message.name,
                field: field.name,
                version: self.version.0,
            },
            None => EncodeError::UnknownField {
                message: self.message.name,
                field: name.to_owned(),
            },
        }
    }

    fn fixed_part(&self) -> Result<Vec<u8>, EncodeError> {
        let mut body = Vec::with_capacity(usize::from(self.layout.size));
        for (index, (field, given)) in self.layout.fixed.iter().zip(&self.fixed).enumerate() {
            if let Some(bytes) = given {
                body.extend(bytes);
                continue;
            }
            if index == 0 && self.layout.invoke_id {
                return Err(EncodeError::Missing {
                    message: self.message.name,
                    field: field.name,
                });
            }
            let null = field.special.filter(|s| !s.quiet).map(|s| s.value);
            let bits = self.count_for(index).or(null).unwrap_or(0);
            body.extend(fixed_target(self.message, field).bits(bits));
        }
        Ok(body)
    }

    /// The number of list entries that the fixed field at `index` counts; `None` when it counts none of the lists.
    fn count_for(&self, index: usize) -> Option<u32> {
        let lists = self.message.lists.iter().zip(self.layout.counters);
        let (list, _) = lists
            .into_iter()
            .find(|(_, counter)| **counter == Some(index))?;
        let entries = self.floating.iter().filter(|(tag, _)| *tag == list.lead);
        u32::try_from(entries.count()).ok()
    }

    fn floating_part(&self, body: &mut Vec<u8>) -> Result<(), EncodeError> {
        for (tag, data) in &self.floating {
            let name = || match self.message.floating(*tag) {
                Some(usage) => usage.name.to_owned(),
                None => format!("with tag {tag}"),
            };
            let too_long = |limit| EncodeError::TooLong {
                message: self.message.name,
                field: name(),
                length: data.len(),
                limit,
            };
            match self.version.floating_header() {
                FloatingHeader::Narrow => {
                    let tag = u8::try_from(*tag).map_err(|_| EncodeError::TagTooLarge {
                        message: self.message.name,
                        tag: *tag,
                        version: self.version.0,
                    })?;
                    let length =
                        u8::try_from(data.len()).map_err(|_| too_long(usize::from(u8::MAX)))?;
                    body.extend([tag, length]);
                }
                FloatingHeader::Wide => {
                    let length =
                        u16::try_from(data.len()).map_err(|_| too_long(usize::from(u16::MAX)))?;
                    body.extend(tag.to_be_bytes());
                    body.extend(length.to_be_bytes());
                }
            }
            body.extend(data);
        }
        Ok(())
    }

    fn too_long(&self, field: &str, length: usize, limit: usize) -> EncodeError {
        EncodeError::TooLong {
            message: self.message.name,
            field: field.to_owned(),
            length,
            limit,
        }
    }
}

const fn fixed_target(message: &'static Message, field: &'static FixedField) -> Target {
    Target {
        message: message.name,
        field: field.name,
        wire: field.wire,
        table: field.table,
        special: field.special,
        array: false,
    }
}

#[cfg(test)]
mod tests;

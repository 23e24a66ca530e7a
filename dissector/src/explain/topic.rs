//! What can be explained. A topic holds references into the tables and what had to be gathered from several of them.

use crate::protocol::{
    self, FixedField, FloatingField, FloatingUse, Layout, Message, NEWEST, Special, Value,
    ValueTable, VersionInfo, WireType,
};

use super::index;

/// One thing explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// A message.
    Message(MessageTopic),
    /// A floating field.
    Floating(FloatingTopic),
    /// A fixed field by its name.
    Fixed(FixedTopic),
    /// A table of values or bits.
    Table(TableTopic),
    /// One value, or the bits that a number has in a mask.
    Value(ValueTopic),
    /// Everything with one number.
    Number(NumberTopic),
    /// A value with a meaning of its own.
    Special(SpecialTopic),
    /// A data type.
    Type(TypeTopic),
    /// A protocol version.
    Version(VersionTopic),
    /// The messages of a service.
    Service(ServiceTopic),
    /// All that can be asked for.
    Overview(Overview),
}

/// A message at one protocol version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTopic {
    /// The message.
    pub message: &'static Message,
    /// The version whose layout is meant.
    pub version: u8,
    /// Nobody asked for a version: the newest layout, with what older ones had besides.
    pub all_versions: bool,
    /// The fixed part; `None` when it is not published.
    pub layout: Option<&'static Layout>,
    /// Fixed fields of older versions only; empty when a version was asked for.
    pub former: Vec<&'static FixedField>,
    /// Floating fields in the order of the specification: of the version, or of all.
    pub floating: Vec<&'static FloatingUse>,
}

impl MessageTopic {
    /// Looks at a message at a version, or at all.
    #[must_use]
    pub fn new(message: &'static Message, version: Option<u8>) -> Self {
        let layout = message
            .published
            .then(|| message.layout(version.unwrap_or(NEWEST)))
            .flatten();
        let mut former: Vec<&'static FixedField> = Vec::new();
        if version.is_none() {
            let now = layout.map_or(&[][..], |l| l.fixed);
            for field in message.layouts.iter().flat_map(|l| l.fixed) {
                if !now
                    .iter()
                    .chain(former.iter().copied())
                    .any(|f| f.name == field.name)
                {
                    former.push(field);
                }
            }
        }
        let floating = message
            .floating_order
            .iter()
            .filter_map(|tag| message.floating(*tag))
            .filter(|f| version.is_none_or(|v| f.exists_at(v)))
            .collect();
        Self {
            message,
            version: version.unwrap_or(NEWEST),
            all_versions: version.is_none(),
            layout,
            former,
            floating,
        }
    }

    /// Whether the message exists at the version asked for, as far as is known.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.all_versions || self.message.since.is_none_or(|since| since <= self.version)
    }
}

/// A floating field and the messages that may carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloatingTopic {
    /// The field.
    pub field: &'static FloatingField,
    /// The messages, by number, each with its use of the field.
    pub messages: Vec<(&'static Message, &'static FloatingUse)>,
    /// The version asked for.
    pub version: Option<u8>,
}

/// All fixed fields with one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedTopic {
    /// The name.
    pub name: &'static str,
    /// The messages that have it, by number.
    pub uses: Vec<FixedUse>,
    /// The version asked for.
    pub version: Option<u8>,
}

/// A fixed field in one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedUse {
    /// The message.
    pub message: &'static Message,
    /// The field, with its offset in the version asked for, else in the newest that has it.
    pub field: &'static FixedField,
}

/// A table of values and the fields that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTopic {
    /// The table.
    pub table: &'static ValueTable,
    /// The fields.
    pub uses: Vec<TableUse>,
}

/// A field that takes its values from a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// Name of the field.
    pub field: &'static str,
    /// Its tag, for a floating field.
    pub tag: Option<u16>,
    /// The messages with it.
    pub messages: Vec<&'static str>,
}

/// A value in its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueTopic {
    /// The table.
    pub table: &'static ValueTable,
    /// The number.
    pub number: u32,
    /// The entry; for a mask all bits that the number has.
    pub values: Vec<&'static Value>,
    /// Bits that the mask does not name.
    pub unknown_bits: u32,
    /// The fields that use the table.
    pub uses: Vec<TableUse>,
}

/// Everything with one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberTopic {
    /// The number.
    pub number: u32,
    /// Its meanings.
    pub hits: Vec<NumberHit>,
}

/// One meaning of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberHit {
    /// `message`, `tag`, `version`, `special`, `value`, `reason` or `peripheral_error`.
    pub kind: &'static str,
    /// The table, for a value; the field, for a reason or an error.
    pub table: Option<&'static str>,
    /// Name of what has the number.
    pub name: &'static str,
    /// What it means.
    pub label: Option<&'static str>,
}

/// A value with a meaning of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialTopic {
    /// The value.
    pub special: &'static Special,
    /// Names of the fields with it.
    pub fields: Vec<&'static str>,
}

/// A data type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTopic {
    /// The type.
    pub wire: WireType,
    /// What it is.
    pub summary: &'static str,
    /// Floating fields of this type, by tag.
    pub floating: Vec<&'static FloatingField>,
}

/// A protocol version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionTopic {
    /// What is known of it.
    pub info: &'static VersionInfo,
}

/// The messages of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTopic {
    /// Name of the service.
    pub service: &'static str,
    /// Its messages by number.
    pub messages: Vec<&'static Message>,
}

/// All that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// All services with their messages; the messages without a published layout last.
    pub services: Vec<ServiceTopic>,
    /// All named value tables.
    pub tables: Vec<&'static ValueTable>,
    /// All values with a meaning of their own that have a symbol.
    pub specials: Vec<&'static Special>,
    /// All data types.
    pub types: Vec<TypeTopic>,
    /// All protocol versions.
    pub versions: &'static [VersionInfo],
}

impl ValueTopic {
    /// What the value points to in practice, for codes of failures.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.table.name {
            "StatusCode" => protocol::hint_for_status(self.number),
            "ControlFailureCode" => protocol::hint_for_control_failure(self.number),
            _ => None,
        }
    }
}

impl TableTopic {
    /// Gathers the fields that use a table.
    #[must_use]
    pub fn new(table: &'static ValueTable) -> Self {
        Self {
            table,
            uses: index::table_uses(table),
        }
    }
}

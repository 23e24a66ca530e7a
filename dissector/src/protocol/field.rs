//! The shapes of fields: data types, fixed and floating fields, and how a message uses a floating one.

use super::value::{Special, ValueTable};

/// Data types of the protocol. All numbers are big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireType {
    /// Signed, 1 byte.
    Char,
    /// Unsigned, 1 byte.
    UChar,
    /// Signed, 2 bytes.
    Short,
    /// Unsigned, 2 bytes.
    UShort,
    /// Signed, 4 bytes.
    Int,
    /// Unsigned, 4 bytes.
    UInt,
    /// 2 bytes, 0 is false, 1 is true.
    Bool,
    /// Seconds since 1970-01-01 00:00 UTC, 4 bytes unsigned.
    Time,
    /// ASCII text, its terminating zero counted.
    String,
    /// Opaque bytes.
    Unspec,
    /// Name and value, both zero-terminated text.
    NamedVariable,
    /// 1-byte index, then name and value as in a named variable.
    NamedArray,
    /// TaskGroupHigh, TaskGroupLow and SequenceNumber, each INT: 12 bytes.
    TaskId,
}

impl WireType {
    /// Bytes of a value; `None` for types whose length varies.
    #[must_use]
    pub const fn size(self) -> Option<u16> {
        match self {
            Self::Char | Self::UChar => Some(1),
            Self::Short | Self::UShort | Self::Bool => Some(2),
            Self::Int | Self::UInt | Self::Time => Some(4),
            Self::TaskId => Some(12),
            Self::String | Self::Unspec | Self::NamedVariable | Self::NamedArray => None,
        }
    }

    /// The specification's name of the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Char => "CHAR",
            Self::UChar => "UCHAR",
            Self::Short => "SHORT",
            Self::UShort => "USHORT",
            Self::Int => "INT",
            Self::UInt => "UINT",
            Self::Bool => "BOOL",
            Self::Time => "TIME",
            Self::String => "STRING",
            Self::Unspec => "UNSPEC",
            Self::NamedVariable => "NAMEDVAR",
            Self::NamedArray => "NAMEDARRAY",
            Self::TaskId => "TASKID",
        }
    }
}

/// A field of the fixed part in one layout.
#[derive(Debug, PartialEq, Eq)]
pub struct FixedField {
    /// Name by the specification.
    pub name: &'static str,
    /// `,"name":`, as JSON has it before the value; the first field of an object goes without the comma.
    pub json: &'static str,
    /// Type; always one with a fixed size.
    pub wire: WireType,
    /// Bytes from the end of the header.
    pub offset: u16,
    /// Names of its values or bits.
    pub table: Option<&'static ValueTable>,
    /// Its NULL value.
    pub special: Option<&'static Special>,
    /// First protocol version with it.
    pub since: Option<u8>,
    /// Last protocol version with it.
    pub until: Option<u8>,
    /// `since` was deduced from editions; no text states it.
    pub inferred: bool,
    /// A condition under which the value counts.
    pub when: Option<&'static str>,
}

/// A floating field by its tag; one definition serves every message.
#[derive(Debug, PartialEq, Eq)]
pub struct FloatingField {
    /// Tag number.
    pub tag: u16,
    /// Name of the tag in the specification's table.
    pub constant: &'static str,
    /// Usual name; a message may call it otherwise.
    pub name: &'static str,
    /// How its JSON object begins, a comma before it included: tag and usual name.
    pub json: &'static str,
    /// Other names in messages.
    pub also: &'static [&'static str],
    /// Type; `None` for tags of unpublished messages only.
    pub wire: Option<WireType>,
    /// Largest length of the data in bytes, terminating zero included.
    pub max: Option<u16>,
    /// Smaller maxima of older versions: (last version, maximum), oldest first.
    pub sizes: &'static [(u8, u16)],
    /// A length that is a multiple of the type's size holds several elements.
    pub array: bool,
    /// Masked in output unless asked for.
    pub secret: bool,
    /// Names of its values or bits.
    pub table: Option<&'static ValueTable>,
    /// Its NULL value.
    pub special: Option<&'static Special>,
    /// First protocol version with it.
    pub since: Option<u8>,
    /// Last protocol version with it.
    pub until: Option<u8>,
    /// Messages that the tag table names though no layout shows them.
    pub listed_for: &'static [&'static str],
    /// Remarks.
    pub notes: Option<&'static str>,
}

impl FloatingField {
    /// The largest length of the data at one protocol version.
    #[must_use]
    pub fn max_at(&self, version: u8) -> Option<u16> {
        self.sizes
            .iter()
            .find(|(until, _)| version <= *until)
            .map(|(_, max)| *max)
            .or(self.max)
    }
}

/// A floating field as one message uses it.
#[derive(Debug, PartialEq, Eq)]
pub struct FloatingUse {
    /// Its definition.
    pub field: &'static FloatingField,
    /// Name in this message.
    pub name: &'static str,
    /// How its JSON object begins, a comma before it included: tag and name in this message.
    pub json: &'static str,
    /// Its NULL value under this name.
    pub special: Option<&'static Special>,
    /// May be left out.
    pub optional: bool,
    /// First protocol version with it in this message.
    pub since: Option<u8>,
    /// Last protocol version with it in this message.
    pub until: Option<u8>,
    /// `since` was deduced from editions; no text states it.
    pub inferred: bool,
    /// A condition, for people.
    pub when: Option<&'static str>,
    /// Only the tag table says that this message may carry it.
    pub listed_only: bool,
    /// Counter of the list of which it is part.
    pub repeat: Option<&'static str>,
    /// Counter of its elements, for an array.
    pub count: Option<&'static str>,
    /// Index into the message's lists.
    pub list: Option<usize>,
    /// May repeat within one entry of its list.
    pub nested: bool,
    /// Added by the server when it passes the message on.
    pub server_only: bool,
    /// Least and largest length (bytes) of which nothing can be said: the field is in this message in every version, has no
    /// table, and data of such a length suits it. `None` where every field has to be looked at.
    pub plain: Option<(u16, u16)>,
}

impl FloatingUse {
    /// Whether data of this length is all right by its length alone, in any version.
    #[must_use]
    pub fn is_plain(&self, length: usize) -> bool {
        self.plain
            .is_some_and(|(least, most)| (usize::from(least)..=usize::from(most)).contains(&length))
    }

    /// Whether this message has the field at a protocol version.
    #[must_use]
    pub fn exists_at(&self, version: u8) -> bool {
        self.since.is_none_or(|s| s <= version) && self.until.is_none_or(|u| version <= u)
    }
}

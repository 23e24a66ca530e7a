//! Values given for fields, and how each becomes bytes.

use super::EncodeError;
use crate::protocol::{Special, TableKind, ValueTable, WireType};

/// A value for a field, by what it is rather than by how it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A number; for STRING its decimal digits.
    Number(i64),
    /// Text; for a number field a number (decimal or 0x) or a name of the field's table, `A|B` for masks,
    /// `NULL` for its NULL value.
    Text(String),
    /// Bytes as they shall stand on the wire, whatever the field's type: no terminating zero is added.
    Bytes(Vec<u8>),
    /// Name and value of an expanded call variable.
    NamedVariable {
        /// Name, such as `user.account`.
        name: String,
        /// Its value.
        value: String,
    },
    /// One element of an expanded call variable array.
    NamedArray {
        /// Index of the element.
        index: u8,
        /// Name of the array.
        name: String,
        /// Value of the element.
        value: String,
    },
    /// Several numbers in one field.
    Array(Vec<i64>),
    /// Names one task.
    TaskId {
        /// Upper half of the task group.
        high: i32,
        /// Lower half of the task group.
        low: i32,
        /// Number within the group.
        sequence: i32,
    },
}

impl Value {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::NamedVariable { .. } => "a named variable",
            Self::NamedArray { .. } => "an element of a named array",
            Self::Array(_) => "an array",
            Self::TaskId { .. } => "a task ID",
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The field for which a value is meant.
pub(super) struct Target {
    pub message: &'static str,
    pub field: &'static str,
    pub wire: WireType,
    pub table: Option<&'static ValueTable>,
    pub special: Option<&'static Special>,
    pub array: bool,
}

impl Target {
    /// The bytes of `value` in this field, without tag and length.
    pub fn bytes(&self, value: &Value) -> Result<Vec<u8>, EncodeError> {
        if let Value::Bytes(bytes) = value {
            return Ok(bytes.clone());
        }
        match (self.wire, value) {
            (WireType::String, Value::Text(text)) => self.terminated(text),
            (WireType::String, Value::Number(number)) => self.terminated(&number.to_string()),
            (WireType::Unspec, Value::Text(text)) => Ok(text.as_bytes().to_vec()),
            (WireType::NamedVariable, Value::NamedVariable { name, value }) => {
                Ok([self.terminated(name)?, self.terminated(value)?].concat())
            }
            (WireType::NamedArray, Value::NamedArray { index, name, value }) => Ok([
                vec![*index],
                self.terminated(name)?,
                self.terminated(value)?,
            ]
            .concat()),
            (
                WireType::TaskId,
                Value::TaskId {
                    high,
                    low,
                    sequence,
                },
            ) => Ok([high, low, sequence]
                .iter()
                .flat_map(|part| part.to_be_bytes())
                .collect()),
            (_, Value::Number(number)) => self.number(*number),
            (_, Value::Text(word)) if self.wire.size().is_some() => {
                self.number(self.resolve(word)?)
            }
            (_, Value::Array(numbers)) if self.array => {
                let mut bytes = Vec::new();
                for number in numbers {
                    bytes.extend(self.number(*number)?);
                }
                Ok(bytes)
            }
            _ => Err(EncodeError::WrongKind {
                message: self.message,
                field: self.field,
                wire: self.wire.name(),
                value: value.kind(),
            }),
        }
    }

    /// The lowest bytes of `bits`, as many as the type takes.
    pub fn bits(&self, bits: u32) -> Vec<u8> {
        let size = self.wire.size().map_or(4, usize::from).min(4);
        let bytes = bits.to_be_bytes();
        bytes.iter().skip(4 - size).copied().collect()
    }

    fn number(&self, number: i64) -> Result<Vec<u8>, EncodeError> {
        let fits = |fits: bool| {
            fits.then_some(()).ok_or(EncodeError::OutOfRange {
                message: self.message,
                field: self.field,
                wire: self.wire.name(),
                number,
            })
        };
        let (low, high) = match self.wire {
            // A signed field also takes its bit pattern read unsigned, as NULL values are written so.
            WireType::Char => (i64::from(i8::MIN), i64::from(u8::MAX)),
            WireType::UChar => (0, i64::from(u8::MAX)),
            WireType::Short => (i64::from(i16::MIN), i64::from(u16::MAX)),
            WireType::UShort | WireType::Bool => (0, i64::from(u16::MAX)),
            WireType::Int => (i64::from(i32::MIN), i64::from(u32::MAX)),
            WireType::UInt | WireType::Time => (0, i64::from(u32::MAX)),
            WireType::String
            | WireType::Unspec
            | WireType::NamedVariable
            | WireType::NamedArray
            | WireType::TaskId => {
                return Err(EncodeError::WrongKind {
                    message: self.message,
                    field: self.field,
                    wire: self.wire.name(),
                    value: "a number",
                });
            }
        };
        fits((low..=high).contains(&number))?;
        let [_, _, _, _, bits @ ..] = number.to_be_bytes();
        Ok(self.bits(u32::from_be_bytes(bits)))
    }

    fn terminated(&self, text: &str) -> Result<Vec<u8>, EncodeError> {
        if text.contains('\0') {
            return Err(EncodeError::ZeroInText {
                message: self.message,
                field: self.field,
            });
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        Ok(bytes)
    }

    fn resolve(&self, word: &str) -> Result<i64, EncodeError> {
        let unknown = || EncodeError::UnknownValue {
            message: self.message,
            field: self.field,
            word: word.to_owned(),
        };
        if let Some(number) = self.lookup(word.trim()) {
            return Ok(number);
        }
        if self.table.is_none_or(|t| t.kind != TableKind::Mask) {
            return Err(unknown());
        }
        word.split('|').try_fold(0, |sum, part| {
            let bit = self.lookup(part.trim()).ok_or_else(unknown)?;
            Ok(sum | bit)
        })
    }

    fn lookup(&self, word: &str) -> Option<i64> {
        if let Some(hex) = word.strip_prefix("0x").or(word.strip_prefix("0X")) {
            return u32::from_str_radix(hex, 16).ok().map(i64::from);
        }
        if let Ok(number) = word.parse() {
            return Some(number);
        }
        match (self.wire, word) {
            (WireType::Bool, "true") => return Some(1),
            (WireType::Bool, "false") => return Some(0),
            _ => {}
        }
        let known = self.table.and_then(|table| {
            let mut values = table.values.iter();
            values.find(|v| v.symbol == Some(word) || v.text == word || v.short == word)
        });
        let special = self
            .special
            .filter(|s| word == "NULL" || s.name == Some(word));
        known
            .map(|v| v.number)
            .or(special.map(|s| s.value))
            .map(i64::from)
    }
}

//! What a field's bytes say.

use super::wire::{self, Number};
use crate::protocol::{FloatingField, WireType};

/// The value of a field. Text and bytes are borrowed from the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValue<'a> {
    /// A number, enumerated or not (CHAR to UINT).
    Number(Number),
    /// BOOL: 0 is false, 1 is true; other numbers turn up and are kept.
    Bool(Number),
    /// Seconds since 1970-01-01 00:00 UTC.
    Time(u32),
    /// Text without its terminating zero; ASCII by the specification, but any byte may turn up.
    Text(&'a [u8]),
    /// Opaque bytes.
    Bytes(&'a [u8]),
    /// Name and value of a call variable.
    NamedVariable {
        /// Name without its terminating zero.
        name: &'a [u8],
        /// Value without its terminating zero.
        value: &'a [u8],
    },
    /// One element of a call variable that is an array.
    NamedArray {
        /// Which element.
        index: u8,
        /// Name without its terminating zero.
        name: &'a [u8],
        /// Value without its terminating zero.
        value: &'a [u8],
    },
    /// A task of a customer interaction.
    TaskId {
        /// Upper half of the 64-bit group ID.
        group_high: i32,
        /// Lower half of the 64-bit group ID.
        group_low: i32,
        /// Number of the termination record within the group.
        sequence: i32,
    },
    /// Several numbers of the same type, back to back.
    Numbers(Numbers<'a>),
    /// Bytes whose type is not known or that do not suit their type.
    Raw(&'a [u8]),
}

/// The elements of an array field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers<'a> {
    wire: WireType,
    data: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// The elements in wire order.
    pub fn iter(self) -> impl Iterator<Item = Number> + 'a {
        let size = usize::from(self.wire.size().unwrap_or(1));
        self.data
            .chunks_exact(size)
            .filter_map(move |chunk| wire::number(self.wire, chunk))
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.data.len() / usize::from(self.wire.size().unwrap_or(1))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.data.is_empty()
    }
}

/// The value of a floating field.
pub(crate) fn floating_value<'a>(field: Option<&FloatingField>, data: &'a [u8]) -> FieldValue<'a> {
    let Some(wire_type) = field.and_then(|f| f.wire) else {
        return FieldValue::Raw(data);
    };
    match wire_type {
        WireType::String => FieldValue::Text(wire::trim_zeros(data)),
        WireType::Unspec => FieldValue::Bytes(data),
        WireType::NamedVariable => match wire::named_variable(data) {
            Ok((_, (name, value))) => FieldValue::NamedVariable { name, value },
            Err(_) => FieldValue::Raw(data),
        },
        WireType::NamedArray => match wire::named_array(data) {
            Ok((_, (index, name, value))) => FieldValue::NamedArray { index, name, value },
            Err(_) => FieldValue::Raw(data),
        },
        WireType::TaskId => match wire::task_id(data) {
            Ok(([], (group_high, group_low, sequence))) => FieldValue::TaskId {
                group_high,
                group_low,
                sequence,
            },
            _ => FieldValue::Raw(data),
        },
        numeric => match wire::number(numeric, data) {
            Some(number) => numeric_value(numeric, number),
            _ if field.is_some_and(|f| super::parse::length_suits(f, data.len())) => {
                FieldValue::Numbers(Numbers {
                    wire: numeric,
                    data,
                })
            }
            _ => FieldValue::Raw(data),
        },
    }
}

/// The value of a number by its type.
pub(crate) const fn numeric_value<'a>(wire: WireType, number: Number) -> FieldValue<'a> {
    match wire {
        WireType::Time => FieldValue::Time(number.bits),
        WireType::Bool => FieldValue::Bool(number),
        _ => FieldValue::Number(number),
    }
}

//! Values in full, with what they mean: the right-hand side of the detail.

use super::clock;
use super::pen::{Paint, Pen, hex_digits};
use crate::decode::{FieldValue, Number, wire};
use crate::protocol::{Special, TableKind, Value, ValueTable};

/// Columns before the offset.
pub(super) const INDENT: usize = 6;
/// Columns of the offset.
pub(super) const OFFSET: usize = 5;
/// Columns of a field's name.
pub(super) const NAME: usize = 32;
/// Columns before a value.
const VALUE: usize = INDENT + OFFSET + 2 + NAME + 2;
/// Bytes or characters in one row of a long value.
const ROW: usize = 24;

/// A value with its meaning, its line's end included.
pub(super) fn value(
    pen: &mut Pen<'_>,
    value: FieldValue<'_>,
    table: Option<&'static ValueTable>,
    special: Option<&'static Special>,
) {
    match value {
        FieldValue::Number(number) => self::number(pen, number, table, special),
        FieldValue::Bool(number) => {
            pen.signed(number.value);
            pen.put(match number.bits {
                0 => "  false",
                1 => "  true",
                _ => "  neither true nor false",
            });
            pen.end_line();
        }
        FieldValue::Time(seconds) => {
            clock::rfc_3339(pen, seconds.into(), None);
            pen.spaces(2);
            pen.number(seconds.into());
            if let Some(special) = special {
                meaning(pen, special.name, Some(special.label));
            }
            pen.end_line();
        }
        FieldValue::Text(text) => {
            pen.quoted(text);
            pen.end_line();
        }
        FieldValue::NamedVariable { name, value } => {
            pen.escaped(name);
            pen.put(" = ");
            pen.quoted(value);
            pen.end_line();
        }
        FieldValue::NamedArray { index, name, value } => {
            pen.escaped(name);
            pen.put("[");
            pen.number(index.into());
            pen.put("] = ");
            pen.quoted(value);
            pen.end_line();
        }
        FieldValue::TaskId {
            group_high,
            group_low,
            sequence,
        } => {
            pen.put("group ");
            pen.signed(group_high.into());
            pen.put(":");
            pen.signed(group_low.into());
            pen.put(", sequence ");
            pen.signed(sequence.into());
            pen.end_line();
        }
        FieldValue::Numbers(numbers) => {
            for (index, number) in numbers.iter().enumerate() {
                if index > 0 {
                    pen.spaces(VALUE);
                }
                self::number(pen, number, table, None);
            }
            if numbers.is_empty() {
                pen.put("none");
                pen.end_line();
            }
        }
        FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => hex(pen, bytes),
    }
}

fn number(
    pen: &mut Pen<'_>,
    number: Number,
    table: Option<&'static ValueTable>,
    special: Option<&'static Special>,
) {
    if let Some(special) = special {
        pen.signed(number.value);
        meaning(pen, special.name, Some(special.label));
        pen.end_line();
        return;
    }
    match table {
        Some(table) if table.kind == TableKind::Mask => {
            mask(pen, number.bits, table);
            return;
        }
        Some(table) => {
            pen.signed(number.value);
            match table.get(number.bits) {
                Some(value) => entry(pen, value),
                None => pen.painted(Paint::Doubtful, "  not in the table"),
            }
        }
        None => pen.signed(number.value),
    }
    pen.end_line();
}

fn entry(pen: &mut Pen<'_>, value: &Value) {
    meaning(pen, value.symbol, value.label);
}

/// A symbol and what it means, as far as they are known and differ.
fn meaning(pen: &mut Pen<'_>, symbol: Option<&str>, label: Option<&str>) {
    if let Some(symbol) = symbol {
        pen.spaces(2);
        pen.put(symbol);
    }
    if let Some(label) = label.filter(|l| Some(*l) != symbol) {
        pen.spaces(2);
        pen.painted(Paint::Dim, label);
    }
}

/// A mask: its number, then each bit on a line of its own.
fn mask(pen: &mut Pen<'_>, bits: u32, table: &'static ValueTable) {
    pen.hex_number(bits, 1);
    if let Some(none) = table.get(0).filter(|_| bits == 0) {
        entry(pen, none);
    }
    pen.end_line();
    for value in table.bits(bits) {
        bit(pen, value.number, bits);
        entry(pen, value);
        pen.end_line();
    }
    let rest = table.unknown_bits(bits);
    if rest != 0 {
        bit(pen, rest, bits);
        pen.painted(Paint::Doubtful, "  not in the table");
        pen.end_line();
    }
}

/// A bit below the name of its mask, where there is room for its meaning.
fn bit(pen: &mut Pen<'_>, bit: u32, mask: u32) {
    pen.spaces(INDENT + OFFSET + 4);
    pen.on(Paint::Dim);
    pen.hex_number(bit, hex_digits(mask));
    pen.off();
}

/// Bytes in rows, and as text if they are that.
pub(super) fn hex(pen: &mut Pen<'_>, bytes: &[u8]) {
    for (index, row) in bytes.chunks(ROW).enumerate() {
        if index > 0 {
            pen.spaces(VALUE);
        }
        for (column, byte) in row.iter().enumerate() {
            if column > 0 && column % 4 == 0 {
                pen.spaces(1);
            }
            pen.hex(*byte);
        }
        pen.end_line();
    }
    let text = wire::trim_zeros(bytes);
    if bytes.is_empty() {
        pen.put("empty");
        pen.end_line();
    } else if !text.is_empty() && text.iter().all(|b| matches!(b, 0x20..=0x7E)) {
        pen.spaces(VALUE);
        pen.quoted(text);
        pen.end_line();
    }
}

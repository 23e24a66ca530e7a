//! The fields of a message as JSON.

use super::write::{self, Clock};
use crate::decode::{FieldValue, FixedView, FloatingView, MessageView, Number};
use crate::protocol::{Special, TableKind, ValueTable};

/// Appends the fixed part as an object in wire order.
pub(super) fn fixed(out: &mut Vec<u8>, view: &MessageView<'_>, clock: &mut Clock) {
    out.push(b'{');
    for (index, field) in view.fixed().enumerate() {
        separated(out, index, field.field().json);
        fixed_value(out, &field, clock);
    }
    out.push(b'}');
}

/// Appends a piece that begins with a comma, which the first of a row goes without.
fn separated(out: &mut Vec<u8>, index: usize, piece: &str) {
    let piece = piece.as_bytes();
    out.extend_from_slice(piece.get(usize::from(index == 0)..).unwrap_or(piece));
}

fn fixed_value(out: &mut Vec<u8>, field: &FixedView<'_>, clock: &mut Clock) {
    match field.value() {
        FieldValue::Time(seconds) => time(out, seconds, clock),
        _ => number(out, field.number(), field.field().table, field.special()),
    }
}

/// Appends the floating part as an array in wire order.
pub(super) fn floating(
    out: &mut Vec<u8>,
    view: &MessageView<'_>,
    clock: &mut Clock,
    show_secrets: bool,
) {
    out.push(b'[');
    for (index, field) in view.floating().enumerate() {
        let begins = field.usage().map(|u| u.json);
        match begins.or_else(|| field.field().map(|f| f.json)) {
            Some(begins) => separated(out, index, begins),
            None => {
                separated(out, index, ",{\"tag\":");
                write::integer(out, field.tag());
                out.extend_from_slice(b",\"name\":null");
            }
        }
        if let Some(group) = field.group() {
            out.extend_from_slice(b",\"group\":");
            write::integer(out, group);
        }
        if view.hides(&field) && !show_secrets && !field.raw().is_empty() {
            out.extend_from_slice(b",\"value\":null,\"masked\":true}");
            continue;
        }
        out.extend_from_slice(b",\"value\":");
        floating_value(out, &field, clock);
        out.push(b'}');
    }
    out.push(b']');
}

fn floating_value(out: &mut Vec<u8>, field: &FloatingView<'_>, clock: &mut Clock) {
    match field.value() {
        FieldValue::Number(n) | FieldValue::Bool(n) => {
            number(out, n, field.table(), field.special(n))
        }
        FieldValue::Time(seconds) => time(out, seconds, clock),
        FieldValue::Text(text) => write::text(out, text),
        FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => write::bytes(out, bytes),
        FieldValue::NamedVariable { name, value } => {
            out.extend_from_slice(b"{\"name\":");
            write::text(out, name);
            out.extend_from_slice(b",\"value\":");
            write::text(out, value);
            out.push(b'}');
        }
        FieldValue::NamedArray { index, name, value } => {
            out.extend_from_slice(b"{\"name\":");
            write::text(out, name);
            out.extend_from_slice(b",\"index\":");
            write::integer(out, index);
            out.extend_from_slice(b",\"value\":");
            write::text(out, value);
            out.push(b'}');
        }
        FieldValue::TaskId {
            group_high,
            group_low,
            sequence,
        } => {
            for (key, part) in [
                ("{\"group_high\":", group_high),
                (",\"group_low\":", group_low),
                (",\"sequence\":", sequence),
            ] {
                out.extend_from_slice(key.as_bytes());
                write::integer(out, part);
            }
            out.push(b'}');
        }
        FieldValue::Numbers(numbers) => {
            out.push(b'[');
            for (index, n) in numbers.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                number(out, n, field.table(), field.special(n));
            }
            out.push(b']');
        }
    }
}

fn time(out: &mut Vec<u8>, seconds: u32, clock: &mut Clock) {
    out.extend_from_slice(b"{\"value\":");
    write::integer(out, seconds);
    out.extend_from_slice(b",\"time\":");
    clock.seconds(out, seconds.into());
    out.push(b'}');
}

/// Appends a number: bare, or as an object with what its tables say of it.
pub(super) fn number(
    out: &mut Vec<u8>,
    number: Number,
    table: Option<&'static ValueTable>,
    special: Option<&'static Special>,
) {
    let special = special.filter(|s| !s.quiet);
    if table.is_none() && special.is_none() {
        write::integer(out, number.value);
        return;
    }
    let value = table
        .filter(|t| t.kind == TableKind::Enum)
        .and_then(|t| t.get(number.bits));
    match value {
        // The object gives the number without a sign.
        Some(value) if number.value == i64::from(number.bits) => {
            out.extend_from_slice(value.json_object.as_bytes());
        }
        _ => {
            out.extend_from_slice(b"{\"value\":");
            write::integer(out, number.value);
            if let Some(table) = table {
                names(out, number, table);
            }
        }
    }
    if let Some(special) = special {
        out.extend_from_slice(b",\"null\":");
        write::string(out, special.text());
    }
    out.push(b'}');
}

/// Appends what a table says of a number that is no plain value of it.
fn names(out: &mut Vec<u8>, number: Number, table: &'static ValueTable) {
    match table.kind {
        TableKind::Enum => {
            out.extend_from_slice(b",\"name\":");
            out.extend_from_slice(table.get(number.bits).map_or("null", |v| v.json).as_bytes());
        }
        TableKind::Mask => {
            out.extend_from_slice(b",\"names\":[");
            for (index, bit) in table.bits(number.bits).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(bit.json.as_bytes());
            }
            out.push(b']');
            let unknown = table.unknown_bits(number.bits);
            if unknown != 0 {
                out.extend_from_slice(b",\"unknown_bits\":");
                write::integer(out, unknown);
            }
        }
    }
}

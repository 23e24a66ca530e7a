//! All fields of a message, one per line, below its line in the timeline.

use super::TextOptions;
use super::clock;
use super::pen::{Paint, Pen};
use super::values::{INDENT, NAME, OFFSET, hex, value};
use crate::decode::{FieldValue, FloatingView, HEADER_LEN, MessageView, Reading};
use crate::finding::Finding;
use crate::record::MessageInfo;

/// Writes the tree.
pub(super) fn tree(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    info: &MessageInfo,
    view: &MessageView<'_>,
) {
    facts(pen, options, info, view);
    header(pen, view);
    fixed(pen, view);
    if let Some((at, bytes)) = view.opaque() {
        heading(pen, "Fixed part, not published", None);
        raw(pen, options, view, at, bytes);
    }
    floating(pen, options, view);
    if let Some((at, bytes)) = view.unread() {
        heading(pen, "Not decoded", Some(bytes.len()));
        raw(pen, options, view, at, bytes);
    }
    findings(pen, info, view);
}

/// Bytes that no field explains.
fn raw(pen: &mut Pen<'_>, options: &TextOptions, view: &MessageView<'_>, at: usize, bytes: &[u8]) {
    name(pen, at, "bytes", 0);
    if view.may_hide_secret() && !options.show_secrets {
        pen.put("********  may hold a password; --show-secrets shows it");
        pen.end_line();
    } else {
        hex(pen, bytes);
    }
}

/// What is known of the message as a whole.
fn facts(pen: &mut Pen<'_>, options: &TextOptions, info: &MessageInfo, view: &MessageView<'_>) {
    pen.spaces(INDENT);
    pen.on(Paint::Dim);
    clock::full(pen, info.time);
    pen.put(if info.packets.len() == 1 {
        ", packet "
    } else {
        ", packets "
    });
    for (index, packet) in info.packets.iter().enumerate() {
        if index > 0 {
            pen.put(" ");
        }
        if options.several_inputs {
            pen.number(u64::from(packet.input).saturating_add(1));
            pen.put(":");
        }
        pen.number(packet.number);
    }
    pen.put(", version ");
    pen.number(info.version.0.into());
    pen.put(" (");
    pen.put(info.version_source.name());
    pen.put(")");
    pen.end_line();
    if let Some(message) = view.message() {
        pen.spaces(INDENT);
        pen.put(message.kind.name());
        pen.put(" from the ");
        pen.put(info.direction.sender());
        pen.put(": ");
        pen.put(message.summary);
        pen.end_line();
    }
    let reading: &[&str] = match view.reading() {
        Reading::Variant(variant) => &["read by another layout: ", variant.name],
        Reading::Searched(_) => &["layout not published; the floating part was found by search"],
        Reading::Unknown => &["layout not known"],
        Reading::OtherVersion(_) | Reading::Usual => &[],
    };
    if !reading.is_empty() {
        pen.spaces(INDENT);
        for part in reading {
            pen.put(part);
        }
        pen.end_line();
    }
    if let Reading::OtherVersion(version) = view.reading() {
        pen.spaces(INDENT);
        pen.put("read by the layout of version ");
        pen.number(version.into());
        pen.end_line();
    }
    pen.off();
}

fn heading(pen: &mut Pen<'_>, title: &str, bytes: Option<usize>) {
    pen.spaces(INDENT);
    pen.painted(Paint::Label, title);
    if let Some(bytes) = bytes {
        pen.put(", ");
        pen.count(bytes);
        pen.put(if bytes == 1 { " byte" } else { " bytes" });
    }
    pen.end_line();
}

/// Offset and name of a field; the value follows.
fn name(pen: &mut Pen<'_>, at: usize, name: &str, indent: usize) {
    pen.spaces(INDENT);
    pen.on(Paint::Dim);
    pen.right(u64::try_from(at).unwrap_or(u64::MAX), OFFSET);
    pen.off();
    pen.spaces(2 + indent);
    pen.padded(name, NAME.saturating_sub(indent));
    pen.spaces(2);
}

fn header(pen: &mut Pen<'_>, view: &MessageView<'_>) {
    heading(pen, "Header", None);
    name(pen, 0, "MessageLength", 0);
    pen.number(view.length().into());
    pen.end_line();
    name(pen, 4, "MessageType", 0);
    pen.number(view.number().0.into());
    if let Some(message) = view.message() {
        pen.spaces(2);
        pen.put(message.name);
    }
    pen.end_line();
}

fn fixed(pen: &mut Pen<'_>, view: &MessageView<'_>) {
    let end = view.fixed().last().map_or(HEADER_LEN, |f| f.range().end);
    if end == HEADER_LEN {
        return;
    }
    heading(pen, "Fixed part", Some(end - HEADER_LEN));
    for field in view.fixed() {
        name(pen, field.range().start, field.field().name, 0);
        value(pen, field.value(), field.field().table, field.special());
    }
}

fn floating(pen: &mut Pen<'_>, options: &TextOptions, view: &MessageView<'_>) {
    let bytes: usize = view.floating().map(|f| f.range().len()).sum();
    if bytes == 0 {
        return;
    }
    heading(pen, "Floating part", Some(bytes));
    let mut group = None;
    for field in view.floating() {
        if field.group() != group {
            group = field.group();
            if let Some(number) = group {
                pen.spaces(INDENT + OFFSET + 2);
                pen.on(Paint::Dim);
                pen.put("entry ");
                pen.count(number);
                pen.off();
                pen.end_line();
            }
        }
        floating_name(pen, &field);
        if view.hides(&field) && !options.show_secrets {
            pen.put("********");
            pen.end_line();
            continue;
        }
        let decoded = field.value();
        let special = match decoded {
            FieldValue::Number(n) | FieldValue::Bool(n) => field.special(n),
            _ => None,
        };
        value(pen, decoded, field.table(), special);
    }
}

/// Offset, name and tag of a floating field.
fn floating_name(pen: &mut Pen<'_>, field: &FloatingView<'_>) {
    pen.spaces(INDENT);
    pen.on(Paint::Dim);
    let at = u64::try_from(field.range().start).unwrap_or(u64::MAX);
    pen.right(at, OFFSET);
    pen.off();
    pen.spaces(if field.group().is_some() { 4 } else { 2 });
    let start = pen.out.len();
    pen.put(field.name().unwrap_or("unknown field"));
    let named = pen.out.len() - start;
    pen.on(Paint::Dim);
    let coded = pen.out.len();
    pen.put(" (tag ");
    pen.number(field.tag().into());
    pen.put(")");
    let tagged = pen.out.len() - coded;
    pen.off();
    let indent = if field.group().is_some() { 2 } else { 0 };
    pen.spaces(NAME.saturating_sub(named + tagged + indent));
    pen.spaces(2);
}

fn findings(pen: &mut Pen<'_>, info: &MessageInfo, view: &MessageView<'_>) {
    if info.findings.is_empty() && view.findings().is_empty() {
        return;
    }
    heading(pen, "Findings", None);
    for finding in info.findings.iter().chain(view.findings()) {
        self::finding(pen, finding);
    }
}

fn finding(pen: &mut Pen<'_>, finding: &Finding) {
    pen.spaces(INDENT);
    pen.on(Paint::Dim);
    match finding.offset {
        Some(at) => pen.right(u64::try_from(at).unwrap_or(u64::MAX), OFFSET),
        None => pen.spaces(OFFSET),
    }
    pen.off();
    pen.spaces(2);
    pen.finding(finding.code, &finding.text);
    pen.end_line();
    pen.spaces(INDENT + OFFSET + 2);
    pen.on(Paint::Dim);
    pen.put(finding.code.advice());
    pen.off();
    pen.end_line();
}

//! Writes the checked data as Rust statics. The types are those of `src/protocol/definition.rs`.

use crate::check::number;
use crate::emit_messages::{published, unpublished};
use crate::emit_versions::versions;
use crate::{Data, advice, privacy, schema};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

pub fn emit(data: &Data) -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    privacy::emit(&mut out, data)?;
    for (name, table) in &data.enums {
        value_table(&mut out, &table_ident(name), name, table)?;
    }
    for (index, special) in data.specials.iter().enumerate() {
        writeln!(
            out,
            "static SPECIAL_{index}: Special = Special {{ name: {:?}, value: {}, label: {:?}, quiet: {} }};",
            special.name, special.value, special.label, special.quiet
        )?;
    }
    for field in &data.floating {
        floating(&mut out, data, field)?;
    }
    list(
        &mut out,
        "FLOATING",
        "FloatingField",
        data.floating.iter().map(|f| format!("&TAG_{}", f.tag)),
    )?;
    let numbers: BTreeMap<&str, u32> = data
        .messages
        .iter()
        .map(|(_, m)| (m.name.as_str(), m.number))
        .chain(data.unpublished.iter().map(|u| (u.name.as_str(), u.number)))
        .collect();
    for (_, message) in &data.messages {
        published(&mut out, data, message, &numbers)?;
    }
    for row in &data.unpublished {
        unpublished(&mut out, row, &data.unpublished, &numbers)?;
    }
    let mut all: Vec<u32> = numbers.values().copied().collect();
    all.sort_unstable();
    list(
        &mut out,
        "MESSAGES",
        "Message",
        all.iter().map(|n| format!("&MESSAGE_{n}")),
    )?;
    let renumbered = data
        .messages
        .iter()
        .filter(|(_, m)| m.alternative_type.is_some())
        .map(|(_, m)| m.number);
    let unpublished_too = data
        .unpublished
        .iter()
        .filter(|u| u.alternative_type.is_some())
        .map(|u| u.number);
    list(
        &mut out,
        "RENUMBERED",
        "Message",
        renumbered
            .chain(unpublished_too)
            .map(|n| format!("&MESSAGE_{n}")),
    )?;
    list(
        &mut out,
        "TABLES",
        "ValueTable",
        data.enums.keys().map(|n| format!("&{}", table_ident(n))),
    )?;
    list(
        &mut out,
        "SPECIALS",
        "Special",
        (0..data.specials.len()).map(|i| format!("&SPECIAL_{i}")),
    )?;
    index(&mut out, "MESSAGE_BY_NUMBER", "Message", "MESSAGE", &all)?;
    let mut tags: Vec<u32> = data.floating.iter().map(|f| f.tag.into()).collect();
    tags.sort_unstable();
    index(&mut out, "FLOATING_BY_TAG", "FloatingField", "TAG", &tags)?;
    versions(&mut out, data)?;
    types(&mut out, data)?;
    advice::emit(&mut out, data)?;
    crate::emit_comparison::emit(&mut out, data)?;
    Ok(out)
}

/// A constant for the number of each published message, by its name.
fn types(out: &mut String, data: &Data) -> std::fmt::Result {
    writeln!(
        out,
        "/// MessageType of every published message.\npub mod types {{ use super::MessageType;"
    )?;
    for (_, message) in &data.messages {
        let (name, number) = (&message.name, message.number);
        writeln!(
            out,
            "/// MessageType of {name}.\npub const {name}: MessageType = MessageType({number});"
        )?;
    }
    writeln!(out, "}}")
}

fn list(
    out: &mut String,
    name: &str,
    of: &str,
    items: impl Iterator<Item = String>,
) -> std::fmt::Result {
    let items: Vec<String> = items.collect();
    writeln!(
        out,
        "pub(super) static {name}: &[&{of}] = &[{}];",
        items.join(", ")
    )
}

/// A table from number to row, as dense as the numbers are.
fn index(
    out: &mut String,
    name: &str,
    of: &str,
    prefix: &str,
    numbers: &[u32],
) -> std::fmt::Result {
    let last = numbers.last().copied().unwrap_or(0);
    let cells: Vec<String> = (0..=last)
        .map(|n| match numbers.binary_search(&n) {
            Ok(_) => format!("Some(&{prefix}_{n})"),
            Err(_) => "None".to_owned(),
        })
        .collect();
    writeln!(
        out,
        "pub(super) static {name}: &[Option<&{of}>] = &[{}];",
        cells.join(", ")
    )
}

fn table_ident(name: &str) -> String {
    format!("TABLE_{}", name.to_uppercase())
}

/// The JSON string for `text`, quotes included.
pub fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' {
            json.push('\\');
        }
        json.push(c);
    }
    json.push('"');
    json
}

/// How the JSON object of a floating field begins, the comma behind the field before included.
pub fn json_floating(tag: u16, name: &str) -> String {
    format!(",{{\"tag\":{tag},\"name\":{}", json_string(name))
}

fn value_table(
    out: &mut String,
    ident: &str,
    name: &str,
    table: &schema::EnumTable,
) -> Result<(), Box<dyn Error>> {
    let mut values: Vec<(u32, &schema::EnumValue)> = table
        .values
        .iter()
        .filter_map(|(k, v)| Some((number(k)?, v)))
        .collect();
    values.sort_by_key(|(n, _)| *n);
    write!(
        out,
        "pub(super) static {ident}: ValueTable = ValueTable {{ name: {name:?}, kind: "
    )?;
    write!(
        out,
        "TableKind::{}, values: &[",
        if table.kind == "mask" { "Mask" } else { "Enum" }
    )?;
    for (n, value) in values {
        let text = value
            .name
            .as_ref()
            .or(value.label.as_ref())
            .map_or("", String::as_str);
        let prefix = table.prefix.as_deref().unwrap_or("");
        let short = text
            .strip_prefix(prefix)
            .filter(|s| !s.is_empty())
            .unwrap_or(text);
        let note = [&value.note, &value.doubt]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join("; ");
        let note = (!note.is_empty()).then_some(note);
        write!(
            out,
            "Value {{ number: {n}, symbol: {:?}, text: {text:?}, short: {short:?}, json: {:?}, json_object: {:?}, label: {:?}, since: {:?}, note: {note:?} }},",
            value.name,
            json_string(text),
            format!("{{\"value\":{n},\"name\":{}", json_string(text)),
            value.label,
            value.since
        )?;
    }
    writeln!(out, "] }};")?;
    Ok(())
}

/// The value table of a field: a named one, or one of its own (written out first).
pub fn table_of(
    out: &mut String,
    owner: &str,
    field: &str,
    (enumeration, mask): (Option<&String>, Option<&String>),
    values: Option<&BTreeMap<String, String>>,
) -> Result<String, Box<dyn Error>> {
    if let Some(name) = enumeration.or(mask) {
        return Ok(format!("Some(&{})", table_ident(name)));
    }
    let Some(values) = values else {
        return Ok("None".to_owned());
    };
    let ident = format!("TABLE_{}_{}", owner.to_uppercase(), field.to_uppercase());
    let table = schema::EnumTable {
        kind: "enum".to_owned(),
        prefix: None,
        values: values
            .iter()
            .map(|(k, label)| {
                let value = schema::EnumValue {
                    name: None,
                    label: Some(label.clone()),
                    since: None,
                    note: None,
                    doubt: None,
                };
                (k.clone(), value)
            })
            .collect(),
    };
    if !out.contains(&format!("static {ident}:")) {
        value_table(out, &ident, field, &table)?;
    }
    Ok(format!("Some(&{ident})"))
}

pub fn special_of(data: &Data, field: &str) -> String {
    match data
        .specials
        .iter()
        .position(|s| s.fields.iter().any(|f| f == field))
    {
        Some(index) => format!("Some(&SPECIAL_{index})"),
        None => "None".to_owned(),
    }
}

pub fn wire(name: &str) -> &'static str {
    match name {
        "CHAR" => "WireType::Char",
        "UCHAR" => "WireType::UChar",
        "SHORT" => "WireType::Short",
        "USHORT" => "WireType::UShort",
        "INT" => "WireType::Int",
        "UINT" => "WireType::UInt",
        "BOOL" => "WireType::Bool",
        "TIME" => "WireType::Time",
        "STRING" => "WireType::String",
        "NAMEDVAR" => "WireType::NamedVariable",
        "NAMEDARRAY" => "WireType::NamedArray",
        "TASKID" => "WireType::TaskId",
        _ => "WireType::Unspec",
    }
}

fn floating(out: &mut String, data: &Data, field: &schema::Floating) -> Result<(), Box<dyn Error>> {
    let tables = (field.enumeration.as_ref(), field.mask.as_ref());
    let table = table_of(out, "TAG", &field.name, tables, field.values.as_ref())?;
    let mut sizes: Vec<(u8, u16)> = field.sizes.iter().map(|s| (s.until, s.max)).collect();
    sizes.sort_unstable();
    writeln!(
        out,
        "pub(super) static TAG_{}: FloatingField = FloatingField {{ tag: {}, constant: {:?}, name: {:?}, json: {:?}, also: &{:?}, wire: {}, max: {:?}, sizes: &{:?}, array: {}, secret: {}, table: {table}, special: {}, since: {:?}, until: {:?}, listed_for: &{:?}, notes: {:?} }};",
        field.tag,
        field.tag,
        field.constant,
        field.name,
        json_floating(field.tag, &field.name),
        field.also,
        field
            .wire
            .as_deref()
            .map_or_else(|| "None".to_owned(), |w| format!("Some({})", wire(w))),
        field.max,
        sizes,
        field.array,
        field.secret,
        special_of(data, &field.name),
        field.since,
        field.until,
        field.also_listed_for,
        field.notes
    )?;
    Ok(())
}

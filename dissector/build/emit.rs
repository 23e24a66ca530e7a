//! Writes the checked data as Rust statics. The types are those of `src/protocol/definition.rs`.

use crate::check::number;
use crate::layout::{self, size_of};
use crate::schema::{Fixed, FloatingUse, Message};
use crate::{Data, schema};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

pub fn emit(data: &Data) -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
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
    Ok(out)
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

/// A string literal of the JSON string for `text`.
fn json_literal(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' {
            json.push('\\');
        }
        json.push(c);
    }
    json.push('"');
    format!("{json:?}")
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
            "Value {{ number: {n}, symbol: {:?}, text: {text:?}, short: {short:?}, json: {}, label: {:?}, since: {:?}, note: {note:?} }},",
            value.name,
            json_literal(text),
            value.label,
            value.since
        )?;
    }
    writeln!(out, "] }};")?;
    Ok(())
}

/// The value table of a field: a named one, or one of its own (written out first).
fn table_of(
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

fn special_of(data: &Data, field: &str) -> String {
    match data
        .specials
        .iter()
        .position(|s| s.fields.iter().any(|f| f == field))
    {
        Some(index) => format!("Some(&SPECIAL_{index})"),
        None => "None".to_owned(),
    }
}

fn wire(name: &str) -> &'static str {
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
        "pub(super) static TAG_{}: FloatingField = FloatingField {{ tag: {}, constant: {:?}, name: {:?}, also: &{:?}, wire: {}, max: {:?}, sizes: &{:?}, array: {}, secret: {}, table: {table}, special: {}, since: {:?}, until: {:?}, listed_for: &{:?}, notes: {:?} }};",
        field.tag,
        field.tag,
        field.constant,
        field.name,
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

/// The lists of a message: counter, leading tag, number of fields, whether an entry ends (not begins) with the leading field.
struct ListRow<'a> {
    counter: &'a str,
    members: Vec<&'a FloatingUse>,
}

fn lists(message: &Message) -> Vec<ListRow<'_>> {
    let mut lists: Vec<ListRow<'_>> = Vec::new();
    for field in message.floating.iter().filter(|f| f.tag.is_some()) {
        let Some(counter) = &field.repeat else {
            continue;
        };
        match lists.iter_mut().find(|l| l.counter == counter) {
            Some(list) => list.members.push(field),
            None => lists.push(ListRow {
                counter,
                members: vec![field],
            }),
        }
    }
    lists
}

fn published(
    out: &mut String,
    data: &Data,
    message: &Message,
    numbers: &BTreeMap<&str, u32>,
) -> Result<(), Box<dyn Error>> {
    let lists = lists(message);
    let layouts = layouts(out, data, message, &lists, &|v| {
        layout::fixed_at(message, v)
    })?;
    let mut variants = String::new();
    for variant in &message.variants {
        let rows = layouts_of_variant(out, data, message, &lists, variant)?;
        write!(
            variants,
            "Variant {{ name: {:?}, note: {:?}, body: {:?}, by_values: {}, since: {:?}, until: {:?}, layouts: {rows} }},",
            variant.name,
            variant.note,
            variant.body,
            variant.decide.is_some(),
            variant.since,
            variant.until
        )?;
    }
    let mut uses: Vec<(u16, String)> = Vec::new();
    for field in &message.floating {
        let Some(tag) = field.tag else { continue };
        uses.push((tag, floating_use(data, message, &lists, field, tag)));
    }
    uses.sort_by_key(|(tag, _)| *tag);
    let uses: Vec<String> = uses.into_iter().map(|(_, text)| text).collect();
    let list_rows: Vec<String> = lists.iter().map(|l| list_row(message, l)).collect();
    let untagged: Vec<&str> = message
        .floating
        .iter()
        .filter(|f| f.tag.is_none())
        .map(|f| f.name.as_str())
        .collect();
    let order: Vec<String> = message
        .floating
        .iter()
        .filter_map(|f| f.tag)
        .map(|t| t.to_string())
        .collect();
    writeln!(
        out,
        "pub(super) static MESSAGE_{n}: Message = Message {{ number: MessageType({n}), name: {:?}, kind: {}, sender: {}, service: {:?}, summary: {:?}, notes: {:?}, since: {:?}, reply: {}, answers: {}, failure: {}, record: {}, published: true, alternative: {}, max_size_v15: {:?}, layouts: {layouts}, floating: &[{}], floating_order: &[{}], lists: &[{}], variants: &[{variants}], untagged: &{untagged:?} }};",
        message.name,
        kind(&message.kind),
        sender(&message.direction),
        message.service,
        message.summary,
        message.notes,
        message.since,
        type_option(message.reply.as_deref().and_then(|r| numbers.get(r))),
        type_option(
            data.messages
                .iter()
                .find(|(_, m)| m.reply.as_ref() == Some(&message.name))
                .map(|(_, m)| &m.number)
        ),
        failure(message.failure.as_deref()),
        message.record,
        alternative(message.alternative_type, None),
        message.max_size_v15,
        uses.join(", "),
        order.join(", "),
        list_rows.join(", "),
        n = message.number,
    )?;
    Ok(())
}

fn list_row(message: &Message, list: &ListRow<'_>) -> String {
    let lead = list.members.first().and_then(|m| m.tag).unwrap_or(0);
    let counter_tag = message
        .floating
        .iter()
        .find(|f| f.name == list.counter)
        .and_then(|f| f.tag);
    let is_record = message.record && list.counter == "NumRecords";
    let ends = is_record && message.floating.last().is_some_and(|f| f.tag == Some(lead));
    format!(
        "List {{ counter: {:?}, counter_tag: {counter_tag:?}, lead: {lead}, fields: {}, record: {is_record}, lead_ends_entry: {ends} }}",
        list.counter,
        list.members.len()
    )
}

fn floating_use(
    data: &Data,
    message: &Message,
    lists: &[ListRow<'_>],
    field: &FloatingUse,
    tag: u16,
) -> String {
    let own = lists
        .iter()
        .position(|l| field.repeat.as_deref() == Some(l.counter));
    let record = lists
        .iter()
        .position(|l| message.record && l.counter == "NumRecords");
    // In a record message every field belongs to a record; a field with a counter of its own may repeat within it.
    let nested = message.record && own.is_some() && own != record;
    let list = record.or(own);
    format!(
        "FloatingUse {{ field: &TAG_{tag}, name: {:?}, special: {}, optional: {}, since: {:?}, until: {:?}, inferred: {}, when: {:?}, listed_only: {}, repeat: {:?}, count: {:?}, list: {list:?}, nested: {nested}, server_only: {} }}",
        field.name,
        special_of(data, &field.name),
        field.optional,
        field.since,
        field.until,
        field.inferred,
        field.when,
        field.listed_only,
        field.repeat,
        field.count,
        field.sender.is_some()
    )
}

fn layouts_of_variant(
    out: &mut String,
    data: &Data,
    message: &Message,
    lists: &[ListRow<'_>],
    variant: &schema::Variant,
) -> Result<String, Box<dyn Error>> {
    // check.rs has applied every variant to every version before.
    layouts(out, data, message, lists, &|v| {
        let fixed = layout::fixed_at(message, v);
        layout::apply(variant, &fixed).unwrap_or(fixed)
    })
}

fn layouts(
    out: &mut String,
    data: &Data,
    message: &Message,
    lists: &[ListRow<'_>],
    at: &dyn Fn(u8) -> Vec<Fixed>,
) -> Result<String, Box<dyn Error>> {
    let mut rows = String::from("&[");
    for (since, until, fixed) in layout::ranges(at) {
        let mut offset = 0;
        let mut fields = String::new();
        for field in &fixed {
            let size = size_of(&field.wire).unwrap_or(0);
            let tables = (field.enumeration.as_ref(), field.mask.as_ref());
            let table = table_of(
                out,
                &message.name,
                &field.name,
                tables,
                field.values.as_ref(),
            )?;
            write!(
                fields,
                "FixedField {{ name: {:?}, key: {}, wire: {}, offset: {offset}, table: {table}, special: {}, since: {:?}, until: {:?}, inferred: {}, when: {:?} }},",
                field.name,
                json_literal(&field.name),
                wire(&field.wire),
                special_of(data, &field.name),
                field.since,
                field.until,
                field.inferred,
                field.when
            )?;
            offset += size;
        }
        let position = |name: &str| fixed.iter().position(|f| f.name == name);
        let counters: Vec<String> = lists
            .iter()
            .map(|l| format!("{:?}", position(l.counter)))
            .collect();
        let mut shown = String::new();
        for entry in &message.timeline {
            let (label, name) = entry.split_once('=').unwrap_or((entry, entry));
            let tag = message
                .floating
                .iter()
                .find(|f| f.name == name)
                .and_then(|f| f.tag);
            let place = match (position(name), tag) {
                (Some(index), _) => format!("Place::Fixed({index})"),
                (None, Some(tag)) => format!("Place::Floating({tag})"),
                (None, None) => continue,
            };
            write!(shown, "Shown {{ label: {label:?}, place: {place} }},")?;
        }
        write!(
            rows,
            "Layout {{ since: {since}, until: {until}, size: {offset}, fixed: &[{fields}], counters: &[{}], timeline: &[{shown}], invoke_id: {}, more: {:?} }},",
            counters.join(", "),
            fixed.first().is_some_and(|f| f.name == "InvokeID"),
            message.more.as_deref().and_then(position),
        )?;
    }
    rows.push(']');
    Ok(rows)
}

fn unpublished(
    out: &mut String,
    row: &schema::Unpublished,
    all: &[schema::Unpublished],
    numbers: &BTreeMap<&str, u32>,
) -> Result<(), Box<dyn Error>> {
    // Requests and their answers begin with an InvokeID in every published layout; so it is assumed here.
    let invoke = ["request", "confirmation", "response"].contains(&row.kind.as_str());
    let fixed = if invoke {
        "FixedField { name: \"InvokeID\", key: \"\\\"InvokeID\\\"\", wire: WireType::UInt, offset: 0, table: None, special: None, since: None, until: None, inferred: true, when: None }"
    } else {
        ""
    };
    let shown = if invoke {
        "Shown { label: \"invoke\", place: Place::Fixed(0) }"
    } else {
        ""
    };
    let answers = all
        .iter()
        .find(|r| r.reply.as_ref() == Some(&row.name))
        .map(|r| &r.number);
    writeln!(
        out,
        "pub(super) static MESSAGE_{n}: Message = Message {{ number: MessageType({n}), name: {:?}, kind: {}, sender: Sender::Either, service: \"unpublished\", summary: \"Layout not published\", notes: None, since: None, reply: {}, answers: {}, failure: {}, record: false, published: false, alternative: {}, max_size_v15: None, layouts: &[Layout {{ since: {}, until: {}, size: {}, fixed: &[{fixed}], counters: &[], timeline: &[{shown}], invoke_id: {invoke}, more: None }}], floating: &[], floating_order: &[], lists: &[], variants: &[], untagged: &[] }};",
        row.name,
        kind(&row.kind),
        type_option(row.reply.as_deref().and_then(|r| numbers.get(r))),
        type_option(answers),
        failure(row.failure.as_deref()),
        alternative(row.alternative_type, row.alternative_until),
        layout::VERSIONS.start(),
        layout::VERSIONS.end(),
        if invoke { 4 } else { 0 },
        n = row.number,
    )?;
    Ok(())
}

fn type_option(number: Option<&u32>) -> String {
    number.map_or_else(|| "None".to_owned(), |n| format!("Some(MessageType({n}))"))
}

fn kind(name: &str) -> &'static str {
    match name {
        "request" => "Kind::Request",
        "confirmation" => "Kind::Confirmation",
        "indication" => "Kind::Indication",
        "response" => "Kind::Response",
        _ => "Kind::Event",
    }
}

fn sender(direction: &str) -> &'static str {
    match direction {
        "client-to-server" => "Sender::Client",
        "server-to-client" => "Sender::Server",
        _ => "Sender::Either",
    }
}

fn failure(value: Option<&str>) -> &'static str {
    match value {
        Some("request") => "Some(Failure::OfRequest)",
        Some(_) => "Some(Failure::Reported)",
        None => "None",
    }
}

fn alternative(number: Option<u32>, until: Option<u8>) -> String {
    match number {
        Some(n) => format!("Some(Alternative {{ number: MessageType({n}), until: {until:?} }})"),
        None => "None".to_owned(),
    }
}

fn versions(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
    write!(out, "pub(super) static VERSIONS: &[VersionInfo] = &[")?;
    for version in layout::VERSIONS {
        let rows: Vec<&schema::Version> = data
            .versions
            .iter()
            .filter(|(key, row)| {
                key.parse() == Ok(version)
                    || row.versions.as_ref().is_some_and(|v| v.contains(&version))
            })
            .map(|(_, row)| row)
            .collect();
        let release = rows.iter().find_map(|row| row.release.as_ref());
        let changes: Vec<String> = rows.iter().flat_map(|row| changes(row)).collect();
        let notes: Vec<&String> = rows.iter().flat_map(|row| &row.notes).collect();
        write!(
            out,
            "VersionInfo {{ number: {version}, release: {release:?}, changes: &{changes:?}, notes: &{notes:?} }},"
        )?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// What a version brought, a line each.
fn changes(row: &schema::Version) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(row.wire.iter().cloned());
    lines.extend(row.new_types.iter().map(|t| format!("new data type {t}")));
    lines.extend(row.new_services.iter().map(|s| format!("new service {s}")));
    lines.extend(
        row.removed_services
            .iter()
            .map(|s| format!("removed service {s}")),
    );
    lines.extend(row.new_messages.iter().map(|m| format!("new message {m}")));
    lines.extend(
        row.changed_messages
            .iter()
            .map(|m| format!("changed message {m}")),
    );
    lines.extend(
        row.new_fields
            .iter()
            .map(|f| format!("new field {}", version_field(f))),
    );
    lines.extend(
        row.removed_fields
            .iter()
            .map(|f| format!("removed field {}", version_field(f))),
    );
    lines.extend(row.retyped.iter().map(|f| {
        format!(
            "{}.{} changed from {} to {}",
            f.message, f.field, f.from, f.to
        )
    }));
    lines.extend(row.resized.iter().map(|f| {
        let where_ = f
            .messages
            .as_ref()
            .map(|m| format!(" ({m})"))
            .unwrap_or_default();
        let from = f.from.map(|n| format!(" from {n}")).unwrap_or_default();
        format!("{}{where_}: maximum{from} to {}", f.field, f.to)
    }));
    for (what, tags) in [
        ("new tag", &row.new_tags),
        ("removed tag", &row.removed_tags),
        ("tag used", &row.tag_uses),
    ] {
        lines.extend(tags.iter().map(|t| {
            let last = t.last.map(|l| format!(" to {l}")).unwrap_or_default();
            let message = t
                .message
                .as_ref()
                .map(|m| format!(" in {m}"))
                .unwrap_or_default();
            let number = t
                .number
                .map_or_else(|| " (number not known)".to_owned(), |n| format!(" {n}"));
            format!("{what} {}{number}{last}{message}", t.name)
        }));
    }
    lines.extend(row.new_values.iter().map(|v| {
        let number = match (v.value, v.first, v.last) {
            (Some(value), ..) => format!(" ({value})"),
            (None, Some(first), Some(last)) => format!(" ({first} to {last})"),
            _ => String::new(),
        };
        format!(
            "new value {}{}{number}",
            v.table,
            v.name.as_ref().map(|n| format!(".{n}")).unwrap_or_default()
        )
    }));
    lines.extend(
        row.limits
            .iter()
            .map(|l| format!("{}: at most {} (before: {})", l.name, l.to, l.from)),
    );
    if row.internal {
        lines.push("internal version".to_owned());
    }
    if row.unconfirmed {
        lines.push("list of changes not confirmed".to_owned());
    }
    lines.extend(row.source.iter().map(|s| format!("source: {s}")));
    lines
}

fn version_field(field: &schema::VersionField) -> String {
    let mut text = format!("{}.{}", field.message, field.field);
    if let Some(part) = &field.part {
        text.push_str(&format!(" ({part} part)"));
    }
    if field.optional {
        text.push_str(" (optional)");
    }
    if field.inferred {
        text.push_str(" (inferred)");
    }
    if let Some(by) = &field.replaced_by {
        text.push_str(&format!(", replaced by {by}"));
    }
    text
}

//! Writes the messages: layouts by version, variants, lists and floating fields.

use crate::emit::{json_floating, json_string, special_of, table_of, wire};
use crate::layout::{self, size_of};
use crate::schema::{Fixed, FloatingUse, Message};
use crate::{Data, schema};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

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

pub fn published(
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
    let by_tag = by_tag(&uses)?;
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
        "pub(super) static MESSAGE_{n}: Message = Message {{ number: MessageType({n}), name: {:?}, json: {:?}, kind: {}, sender: {}, service: {:?}, summary: {:?}, notes: {:?}, since: {:?}, reply: {}, answers: {}, failure: {}, record: {}, secret: {}, published: true, alternative: {}, max_size_v15: {:?}, layouts: {layouts}, floating: &[{}], by_tag: &{by_tag:?}, floating_order: &[{}], lists: &[{}], variants: &[{variants}], untagged: &{untagged:?} }};",
        message.name,
        json_message(&message.name, &message.kind),
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
        uses_secret(data, message),
        alternative(message.alternative_type, None),
        message.max_size_v15,
        uses.join(", "),
        order.join(", "),
        list_rows.join(", "),
        n = message.number,
    )?;
    Ok(())
}

/// The lengths of which decoding need not say anything, see `FloatingUse::plain`.
fn plain(data: &Data, usage: &FloatingUse, tag: u16) -> Option<(u16, u16)> {
    let field = data.floating.iter().find(|f| f.tag == tag)?;
    let tabled = field.enumeration.is_some() || field.mask.is_some() || field.values.is_some();
    if usage.since.is_some() || usage.until.is_some() || tabled {
        return None;
    }
    let most = field.sizes.iter().map(|s| s.max).chain(field.max).min();
    match (field.wire.as_deref()?, size_of(field.wire.as_deref()?)) {
        ("STRING" | "UNSPEC", _) => Some((0, most.unwrap_or(u16::MAX))),
        (_, Some(size)) => Some((size, size)).filter(|_| most.is_none_or(|most| size <= most)),
        _ => None,
    }
}

/// For each tag up to the largest of the message: 1 and its place among the sorted fields, or 0.
fn by_tag(uses: &[(u16, String)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut places = vec![0; uses.last().map_or(0, |(tag, _)| usize::from(*tag) + 1)];
    for (index, (tag, _)) in uses.iter().enumerate() {
        if let Some(place) = places.get_mut(usize::from(*tag)) {
            *place = u8::try_from(index + 1)?;
        }
    }
    Ok(places)
}

fn uses_secret(data: &Data, message: &Message) -> bool {
    let tags: Vec<u16> = message.floating.iter().filter_map(|f| f.tag).collect();
    let mut secrets = data.floating.iter().filter(|f| f.secret);
    secrets.any(|f| tags.contains(&f.tag))
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
        "FloatingUse {{ field: &TAG_{tag}, name: {:?}, json: {:?}, special: {}, optional: {}, since: {:?}, until: {:?}, inferred: {}, when: {:?}, listed_only: {}, repeat: {:?}, count: {:?}, list: {list:?}, nested: {nested}, server_only: {}, plain: {:?} }}",
        field.name,
        json_floating(tag, &field.name),
        special_of(data, &field.name),
        field.optional,
        field.since,
        field.until,
        field.inferred,
        field.when,
        field.listed_only,
        field.repeat,
        field.count,
        field.sender.is_some(),
        plain(data, field, tag)
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
                "FixedField {{ name: {:?}, json: {:?}, wire: {}, offset: {offset}, table: {table}, special: {}, since: {:?}, until: {:?}, inferred: {}, when: {:?} }},",
                field.name,
                format!(",{}:", json_string(&field.name)),
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

pub fn unpublished(
    out: &mut String,
    row: &schema::Unpublished,
    all: &[schema::Unpublished],
    numbers: &BTreeMap<&str, u32>,
) -> Result<(), Box<dyn Error>> {
    // Requests and their answers begin with an InvokeID in every published layout; so it is assumed here.
    let invoke = ["request", "confirmation", "response"].contains(&row.kind.as_str());
    let fixed = if invoke {
        "FixedField { name: \"InvokeID\", json: \",\\\"InvokeID\\\":\", wire: WireType::UInt, offset: 0, table: None, special: None, since: None, until: None, inferred: true, when: None }"
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
        "pub(super) static MESSAGE_{n}: Message = Message {{ number: MessageType({n}), name: {:?}, json: {:?}, kind: {}, sender: Sender::Either, service: \"unpublished\", summary: \"Layout not published\", notes: None, since: None, reply: {}, answers: {}, failure: {}, record: false, secret: false, published: false, alternative: {}, max_size_v15: None, layouts: &[Layout {{ since: {}, until: {}, size: {}, fixed: &[{fixed}], counters: &[], timeline: &[{shown}], invoke_id: {invoke}, more: None }}], floating: &[], by_tag: &[], floating_order: &[], lists: &[], variants: &[], untagged: &[] }};",
        row.name,
        json_message(&row.name, &row.kind),
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

/// What JSON says of a message behind its number.
fn json_message(name: &str, kind: &str) -> String {
    let (name, kind) = (json_string(name), json_string(kind));
    format!(",\"name\":{name},\"role\":{kind}")
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

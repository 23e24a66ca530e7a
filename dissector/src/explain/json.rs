//! Topics as JSON for programs. Wire names keep the specification's spelling, our own keys are snake_case.

use serde_json::{Value as Json, json as object};

use crate::protocol::{
    Failure, FixedField, FloatingField, FloatingUse, Message, MessageType, Sender, Special,
    TableKind, Value, ValueTable, WireType, message as message_by_number,
};

use super::index;
use super::topic::{
    FixedTopic, FloatingTopic, MessageTopic, NumberTopic, Overview, ServiceTopic, TableUse, Topic,
    TypeTopic, ValueTopic,
};

/// Topics as one document: `{"topics": [...]}`, each with its `kind`.
#[must_use]
pub fn json(topics: &[Topic]) -> Json {
    object!({ "topics": topics.iter().map(topic).collect::<Vec<_>>() })
}

fn topic(topic: &Topic) -> Json {
    match topic {
        Topic::Message(t) => message(t),
        Topic::Floating(t) => floating(t),
        Topic::Fixed(t) => fixed(t),
        Topic::Table(t) => {
            let mut json = table(t.table);
            set(&mut json, "kind", "table".into());
            set(&mut json, "fields", uses(&t.uses));
            json
        }
        Topic::Value(t) => value_topic(t),
        Topic::Number(t) => number(t),
        Topic::Special(t) => object!({
            "kind": "special", "name": t.special.name, "value": t.special.value, "label": t.special.label, "fields": t.fields,
        }),
        Topic::Type(t) => with_kind("type", data_type(t)),
        Topic::Version(t) => object!({
            "kind": "version", "version": t.info.number, "release": t.info.release, "changes": t.info.changes, "notes": t.info.notes,
        }),
        Topic::Service(t) => with_kind("service", service(t)),
        Topic::Overview(t) => overview(t),
    }
}

fn with_kind(kind: &str, mut json: Json) -> Json {
    set(&mut json, "kind", kind.into());
    json
}

fn set(json: &mut Json, key: &str, value: Json) {
    if let Some(map) = json.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn message(topic: &MessageTopic) -> Json {
    let m = topic.message;
    object!({
        "kind": "message",
        "type": m.number.0,
        "name": m.name,
        "message_kind": m.kind.name(),
        "sender": match m.sender {
            Sender::Client => Some("client"),
            Sender::Server => Some("server"),
            Sender::Either => None,
        },
        "service": m.published.then_some(m.service),
        "summary": m.summary,
        "since": m.since,
        "published": m.published,
        "reply": m.reply.map(reference),
        "answers": m.answers.map(reference),
        "failure": m.failure.map(|f| match f {
            Failure::OfRequest => "of_request",
            Failure::Reported => "reported",
        }),
        "alternative_type": m.alternative.as_ref().map(|a| a.number.0),
        "max_size_v15": m.max_size_v15,
        "version": topic.version,
        "exists": topic.exists(),
        "fixed_size": topic.layout.map(|l| l.size),
        "fixed": topic.layout.map_or(&[][..], |l| l.fixed).iter().map(fixed_field).collect::<Vec<_>>(),
        "former": topic.former.iter().map(|f| fixed_field(f)).collect::<Vec<_>>(),
        "floating": topic.floating.iter().map(|f| floating_use(f, topic.version)).collect::<Vec<_>>(),
        "untagged": m.untagged,
        "lists": m.lists.iter().map(|l| object!({
            "counter": l.counter, "lead_tag": l.lead, "fields": l.fields, "records": l.record, "lead_ends_entry": l.lead_ends_entry,
        })).collect::<Vec<_>>(),
        "variants": m.variants.iter().map(|v| object!({
            "name": v.name, "note": v.note, "body": v.body, "since": v.since, "until": v.until,
            "fixed": v.layout(topic.version).map_or(&[][..], |l| l.fixed).iter().map(fixed_field).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "notes": m.notes,
    })
}

fn reference(number: MessageType) -> Json {
    object!({ "type": number.0, "name": message_by_number(number).map(|m| m.name) })
}

fn brief(m: &Message) -> Json {
    object!({ "type": m.number.0, "name": m.name, "since": m.since, "summary": m.summary })
}

fn fixed_field(f: &FixedField) -> Json {
    object!({
        "name": f.name, "data_type": f.wire.name(), "offset": f.offset, "size": f.wire.size(), "table": f.table.map(table_reference),
        "special": f.special.map(special), "since": f.since, "until": f.until, "inferred": f.inferred, "when": f.when,
    })
}

fn floating_use(f: &FloatingUse, version: u8) -> Json {
    object!({
        "tag": f.field.tag, "name": f.name, "constant": f.field.constant, "data_type": f.field.wire.map(WireType::name),
        "max": f.field.max_at(version), "optional": f.optional, "since": f.since, "until": f.until, "inferred": f.inferred,
        "when": f.when, "list": f.repeat, "count": f.count, "listed_only": f.listed_only, "server_only": f.server_only,
        "secret": f.field.secret, "table": f.field.table.map(table_reference), "special": f.special.map(special),
    })
}

fn floating_brief(f: &FloatingField) -> Json {
    object!({ "tag": f.tag, "name": f.name, "constant": f.constant })
}

fn floating(topic: &FloatingTopic) -> Json {
    let f = topic.field;
    let max = topic.version.map_or(f.max, |v| f.max_at(v));
    object!({
        "kind": "floating", "tag": f.tag, "name": f.name, "constant": f.constant, "also": f.also,
        "data_type": f.wire.map(WireType::name), "max": max,
        "older_max": f.sizes.iter().map(|(until, max)| object!({ "until": until, "max": max })).collect::<Vec<_>>(),
        "array": f.array, "secret": f.secret, "table": f.table.map(table_reference), "special": f.special.map(special),
        "since": f.since, "until": f.until, "notes": f.notes, "listed_for": f.listed_for,
        "messages": topic.messages.iter().map(|(m, u)| object!({
            "type": m.number.0, "name": m.name, "as": u.name, "optional": u.optional, "since": u.since, "until": u.until,
            "inferred": u.inferred, "list": u.repeat, "when": u.when,
        })).collect::<Vec<_>>(),
    })
}

fn fixed(topic: &FixedTopic) -> Json {
    let messages: Vec<Json> = topic
        .uses
        .iter()
        .map(|u| {
            let mut field = fixed_field(u.field);
            set(&mut field, "message", reference(u.message.number));
            field
        })
        .collect();
    object!({ "kind": "fixed", "name": topic.name, "messages": messages })
}

/// A named table by its name, one that serves a single field in full.
fn table_reference(t: &'static ValueTable) -> Json {
    if index::is_named(t) {
        t.name.into()
    } else {
        table(t)
    }
}

fn table(t: &ValueTable) -> Json {
    object!({
        "name": t.name,
        "mask": t.kind == TableKind::Mask,
        "values": t.values.iter().map(value).collect::<Vec<_>>(),
    })
}

fn value(v: &Value) -> Json {
    object!({
        "value": v.number, "name": v.symbol, "short": v.short, "label": v.label.or(v.symbol.is_none().then_some(v.text)),
        "since": v.since, "note": v.note,
    })
}

fn value_topic(topic: &ValueTopic) -> Json {
    object!({
        "kind": "value", "table": topic.table.name, "mask": topic.table.kind == TableKind::Mask, "value": topic.number,
        "values": topic.values.iter().map(|v| value(v)).collect::<Vec<_>>(), "unknown_bits": topic.unknown_bits,
        "fields": uses(&topic.uses), "hint": topic.hint(),
    })
}

fn uses(uses: &[TableUse]) -> Json {
    let row = |u: &TableUse| object!({ "name": u.field, "tag": u.tag, "messages": u.messages });
    uses.iter().map(row).collect()
}

fn number(topic: &NumberTopic) -> Json {
    let hits: Vec<Json> = topic
        .hits
        .iter()
        .map(|h| object!({ "kind": h.kind, "table": h.table, "name": h.name, "label": h.label }))
        .collect();
    object!({ "kind": "number", "value": topic.number, "hits": hits })
}

fn special(s: &Special) -> Json {
    object!({ "name": s.name, "value": s.value, "label": s.label })
}

fn data_type(t: &TypeTopic) -> Json {
    object!({
        "name": t.wire.name(), "size": t.wire.size(), "summary": t.summary,
        "floating": t.floating.iter().map(|f| floating_brief(f)).collect::<Vec<_>>(),
    })
}

fn service(t: &ServiceTopic) -> Json {
    object!({ "name": t.service, "messages": t.messages.iter().map(|m| brief(m)).collect::<Vec<_>>() })
}

fn overview(t: &Overview) -> Json {
    object!({
        "kind": "overview",
        "services": t.services.iter().map(service).collect::<Vec<_>>(),
        "tables": t.tables.iter().map(|t| t.name).collect::<Vec<_>>(),
        "specials": t.specials.iter().map(|s| special(s)).collect::<Vec<_>>(),
        "types": t.types.iter().map(data_type).collect::<Vec<_>>(),
        "versions": t.versions.iter().map(|v| object!({ "version": v.number, "release": v.release })).collect::<Vec<_>>(),
    })
}

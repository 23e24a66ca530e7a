//! A message as text.

use crate::protocol::{
    Failure, FixedField, FloatingUse, Message, ProtocolVersion, Sender, messages,
};

use super::super::page::{Page, name, number, text as column};
use super::super::topic::MessageTopic;
use super::{remarks, span, special_text, table_name};

pub(super) fn message(page: &mut Page<'_>, topic: &MessageTopic) {
    let m = topic.message;
    page.title(
        m.name,
        &format!("message {} (0x{:X})", m.number.0, m.number.0),
    );
    if !m.summary.is_empty() {
        page.paragraph(m.summary);
    }
    let sender = match m.sender {
        Sender::Client => " from the client",
        Sender::Server => " from the server",
        Sender::Either => "",
    };
    let mut line = format!("{}{sender}", m.kind.name());
    if m.published {
        line += &format!(", service {}", m.service);
    }
    if let Some(since) = m.since {
        line += &format!(", since version {since}");
    }
    page.paragraph(&line);
    relations(page, m);
    if !topic.exists() {
        page.paragraph(&format!(
            "Version {} does not have this message.",
            topic.version
        ));
    }
    if topic.layout.is_some() {
        fixed_part(page, topic);
        floating_part(page, topic);
    } else {
        page.paragraph("The layout of this message is not published.");
    }
    variants(page, m);
    if let Some(notes) = m.notes {
        page.heading("Notes");
        page.paragraph(notes);
    }
}

fn relations(page: &mut Page<'_>, m: &Message) {
    let named = |number| {
        crate::protocol::message(number).map_or_else(
            || number.0.to_string(),
            |m| format!("{} ({})", m.name, m.number.0),
        )
    };
    if let Some(reply) = m.reply {
        let failures: Vec<&str> = messages()
            .iter()
            .filter(|f| {
                f.failure == Some(Failure::OfRequest)
                    && crate::protocol::message(reply).is_none_or(|r| r.kind == f.kind)
            })
            .map(|m| m.name)
            .collect();
        page.paragraph(&format!(
            "answered by {}; refused by {}",
            named(reply),
            failures.join(" or ")
        ));
    }
    if let Some(request) = m.answers {
        page.paragraph(&format!("answers {}", named(request)));
    }
    match m.failure {
        Some(Failure::OfRequest) => page.paragraph("the negative answer to a request"),
        Some(Failure::Reported) => page.paragraph("reports a failure that no request asked about"),
        None => {}
    }
    if let Some(other) = &m.alternative {
        let until = other
            .until
            .map(|v| format!(", up to version {v}"))
            .unwrap_or_default();
        page.paragraph(&format!(
            "some servers send it under number {}{until}",
            other.number.0
        ));
    }
    if let Some(size) = m.max_size_v15 {
        page.paragraph(&format!(
            "at most {size} bytes with its header, in version 15"
        ));
    }
}

fn fixed_part(page: &mut Page<'_>, topic: &MessageTopic) {
    let Some(layout) = topic.layout else { return };
    page.heading(&format!(
        "Fixed part in version {}: {} bytes after the 8-byte header",
        topic.version, layout.size
    ));
    let columns = [
        number("offset"),
        number("size"),
        column("type"),
        name("field"),
        column("versions"),
        column("values"),
    ];
    let row = |f: &FixedField, offset: String| {
        vec![
            offset,
            size(f),
            f.wire.name().to_owned(),
            f.name.to_owned(),
            span(f.since, f.until, f.inferred),
            remarks([
                f.table.map(table_name),
                f.special.map(special_text),
                f.when.map(str::to_owned),
            ]),
        ]
    };
    let mut rows: Vec<Vec<String>> = layout
        .fixed
        .iter()
        .map(|f| row(f, f.offset.to_string()))
        .collect();
    rows.extend(topic.former.iter().map(|f| row(f, String::from("-"))));
    page.table(&columns, &rows);
}

fn size(field: &FixedField) -> String {
    field
        .wire
        .size()
        .map_or_else(String::new, |s| s.to_string())
}

fn floating_part(page: &mut Page<'_>, topic: &MessageTopic) {
    let m = topic.message;
    if topic.floating.is_empty() && m.untagged.is_empty() {
        return;
    }
    let width = ProtocolVersion(topic.version.into())
        .floating_header()
        .size()
        / 2;
    let bytes = if width == 1 { "1 byte" } else { "2 bytes" };
    page.heading(&format!(
        "Floating part in version {}: tag and length of {bytes} each",
        topic.version
    ));
    let columns = [
        number("tag"),
        number("max"),
        column("type"),
        name("field"),
        column(""),
        column("versions"),
        column("list"),
        column("remarks"),
    ];
    let rows: Vec<Vec<String>> = topic
        .floating
        .iter()
        .map(|f| floating_row(f, topic.version))
        .collect();
    page.table(&columns, &rows);
    if !m.untagged.is_empty() {
        page.paragraph(&format!("named without a tag: {}", m.untagged.join(", ")));
    }
    let leads = |tag| topic.floating.iter().any(|f| f.field.tag == tag);
    for list in m.lists.iter().filter(|l| leads(l.lead)) {
        let what = if list.record { "records" } else { "entries" };
        let place = if list.lead_ends_entry {
            "ends"
        } else {
            "begins"
        };
        let lead = m.floating(list.lead).map_or("?", |f| f.name);
        page.paragraph(&format!(
            "{} counts {what}; {lead} (tag {}) {place} each",
            list.counter, list.lead
        ));
    }
}

fn floating_row(f: &FloatingUse, version: u8) -> Vec<String> {
    vec![
        f.field.tag.to_string(),
        f.field
            .max_at(version)
            .map_or_else(String::new, |m| m.to_string()),
        f.field.wire.map_or("", |w| w.name()).to_owned(),
        f.name.to_owned(),
        if f.optional { "optional" } else { "" }.to_owned(),
        span(f.since, f.until, f.inferred),
        f.repeat.unwrap_or_default().to_owned(),
        remarks([
            f.field.table.map(table_name),
            f.special.map(special_text),
            f.when.map(str::to_owned),
            f.count.map(|c| format!("{c} counts its elements")),
            f.listed_only
                .then(|| String::from("named by the tag table only")),
            f.server_only.then(|| String::from("added by the server")),
            f.field.secret.then(|| String::from("masked in output")),
        ]),
    ]
}

fn variants(page: &mut Page<'_>, m: &Message) {
    if m.variants.is_empty() {
        return;
    }
    page.heading("Other layouts, used where the body does not fit the one above");
    for variant in m.variants {
        let body = variant
            .body
            .map(|b| format!(", body of {b} bytes"))
            .unwrap_or_default();
        let span = span(variant.since, variant.until, false);
        let span = if span.is_empty() {
            span
        } else {
            format!(" [versions {span}]")
        };
        page.entry(variant.name, &format!("{}{body}{span}", variant.note));
    }
}

//! Topics as text for people. ASCII only.

mod message;

use crate::protocol::{self, TableKind, ValueTable};

use super::index;
use super::page::{Page, Style, name, number, text as column};
use super::topic::{
    FixedTopic, FloatingTopic, NumberTopic, Overview, ServiceTopic, SpecialTopic, TableUse, Topic,
    TypeTopic, ValueTopic, VersionTopic,
};

/// Topics as text, one below the other, in lines of `width` characters where words allow it.
#[must_use]
pub fn text(topics: &[Topic], width: usize, style: &dyn Style) -> String {
    let mut page = Page::new(width, style);
    for topic in topics {
        match topic {
            Topic::Message(t) => message::message(&mut page, t),
            Topic::Floating(t) => floating(&mut page, t),
            Topic::Fixed(t) => fixed(&mut page, t),
            Topic::Table(t) => table(&mut page, t.table, &t.uses),
            Topic::Value(t) => value(&mut page, t),
            Topic::Number(t) => by_number(&mut page, t),
            Topic::Special(t) => special(&mut page, t),
            Topic::Type(t) => data_type(&mut page, t),
            Topic::Version(t) => version(&mut page, t),
            Topic::Service(t) => service(&mut page, t),
            Topic::Overview(t) => overview(&mut page, t),
        }
    }
    page.finish()
}

fn floating(page: &mut Page<'_>, topic: &FloatingTopic) {
    let f = topic.field;
    page.title(
        f.name,
        &format!(
            "floating field, tag {} (0x{:X}), {}",
            f.tag, f.tag, f.constant
        ),
    );
    let max = match topic.version {
        Some(version) => f
            .max_at(version)
            .map(|m| format!("at most {m} bytes in version {version}")),
        None => f.max.map(|m| format!("at most {m} bytes")),
    };
    let mut facts: Vec<String> = f
        .wire
        .map(|w| w.name().to_owned())
        .into_iter()
        .chain(max)
        .collect();
    if topic.version.is_none() {
        facts.extend(
            f.sizes
                .iter()
                .map(|(until, max)| format!("{max} up to version {until}")),
        );
    }
    let versions = span(f.since, f.until, false);
    facts.extend((!versions.is_empty()).then(|| format!("versions {versions}")));
    facts.extend(f.array.then(|| String::from("may hold several elements")));
    facts.extend(f.secret.then(|| String::from("masked in output")));
    facts.extend(f.wire.is_none().then(|| String::from("type not published")));
    facts.extend(f.special.map(special_text));
    facts.extend(f.table.map(table_name));
    page.paragraph(&facts.join("; "));
    if !f.also.is_empty() {
        page.paragraph(&format!("also called {}", f.also.join(", ")));
    }
    if !topic.messages.is_empty() {
        page.heading("In messages");
        let rows: Vec<Vec<String>> = topic
            .messages
            .iter()
            .map(|(m, u)| {
                let alias = if u.name == f.name { "" } else { u.name };
                let versions = span(u.since, u.until, u.inferred);
                let list = u.repeat.map(|r| format!("in the list of {r}"));
                vec![
                    m.number.0.to_string(),
                    m.name.to_owned(),
                    alias.to_owned(),
                    versions,
                    remarks([list, u.when.map(str::to_owned)]),
                ]
            })
            .collect();
        page.table(
            &[
                number("type"),
                name("message"),
                column("as"),
                column("versions"),
                column("remarks"),
            ],
            &rows,
        );
    }
    if !f.listed_for.is_empty() {
        page.paragraph(&format!(
            "the tag table also names {}",
            f.listed_for.join(", ")
        ));
    }
    if let Some(notes) = f.notes {
        page.heading("Notes");
        page.paragraph(notes);
    }
}

fn fixed(page: &mut Page<'_>, topic: &FixedTopic) {
    page.title(topic.name, "fixed field");
    let rows: Vec<Vec<String>> = topic
        .uses
        .iter()
        .map(|u| {
            let f = u.field;
            vec![
                u.message.number.0.to_string(),
                u.message.name.to_owned(),
                f.offset.to_string(),
                f.wire.name().to_owned(),
                span(f.since, f.until, f.inferred),
                remarks([
                    f.table.map(table_name),
                    f.special.map(special_text),
                    f.when.map(str::to_owned),
                ]),
            ]
        })
        .collect();
    let columns = [
        number("type"),
        name("message"),
        number("offset"),
        column("data"),
        column("versions"),
        column("values"),
    ];
    page.table(&columns, &rows);
    match topic.name {
        "EventReasonCode" => reasons(page),
        "PeripheralErrorCode" => peripheral_errors(page),
        _ => {}
    }
}

/// The reason codes that the system sets.
fn reasons(page: &mut Page<'_>) {
    let states = protocol::value_table("AgentState");
    let rows: Vec<Vec<String>> = protocol::reasons()
        .iter()
        .map(|r| {
            let names = r.states.iter().filter_map(|s| states?.get(*s));
            let names: Vec<&str> = names.map(|v| v.short).collect();
            vec![
                r.code.to_string(),
                r.product.to_owned(),
                names.join(", "),
                remarks([
                    Some(r.meaning.to_owned()),
                    r.inferred.then(|| String::from("not confirmed")),
                ]),
            ]
        })
        .collect();
    page.heading("Set by the system; all others are the site's own");
    page.table(
        &[
            number("code"),
            column("on"),
            column("with"),
            column("meaning"),
        ],
        &rows,
    );
}

/// What is known of errors of peripherals.
fn peripheral_errors(page: &mut Page<'_>) {
    let rows: Vec<Vec<String>> = protocol::peripheral_errors()
        .iter()
        .map(|e| {
            let codes = if e.first == e.last {
                e.first.to_string()
            } else {
                format!("{}-{}", e.first, e.last)
            };
            vec![
                codes,
                e.meaning.to_owned(),
                e.hint.unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    page.heading("On Unified CCE (not complete)");
    page.table(
        &[number("code"), column("meaning"), column("look at")],
        &rows,
    );
}

fn table(page: &mut Page<'_>, table: &ValueTable, uses: &[TableUse]) {
    page.title(
        table.name,
        if table.kind == TableKind::Mask {
            "mask of bits"
        } else {
            "table of values"
        },
    );
    let rows: Vec<Vec<String>> = table.values.iter().map(|v| value_row(table, v)).collect();
    page.table(
        &[
            number("value"),
            name("symbol"),
            column("versions"),
            column("meaning"),
        ],
        &rows,
    );
    used_by(page, uses);
}

fn value_row(table: &ValueTable, v: &crate::protocol::Value) -> Vec<String> {
    let number = match table.kind {
        TableKind::Mask => format!("0x{:08X}", v.number),
        TableKind::Enum => v.number.to_string(),
    };
    vec![
        number,
        v.symbol.unwrap_or_default().to_owned(),
        span(v.since, None, false),
        remarks([
            v.label
                .or(v.symbol.is_none().then_some(v.text))
                .map(str::to_owned),
            v.note.map(str::to_owned),
        ]),
    ]
}

fn used_by(page: &mut Page<'_>, uses: &[TableUse]) {
    if uses.is_empty() {
        return;
    }
    page.heading("In fields");
    for u in uses {
        let field = u.tag.map_or_else(
            || u.field.to_owned(),
            |tag| format!("{} (tag {tag})", u.field),
        );
        page.entry(&field, &u.messages.join(", "));
    }
}

fn value(page: &mut Page<'_>, topic: &ValueTopic) {
    let number = match topic.table.kind {
        TableKind::Mask => format!("0x{:08X}", topic.number),
        TableKind::Enum => topic.number.to_string(),
    };
    match topic.values.as_slice() {
        [only] if topic.unknown_bits == 0 => {
            page.title(
                only.text,
                &format!("value {number} of {}", topic.table.name),
            );
        }
        _ => page.title(&number, &format!("bits of {}", topic.table.name)),
    }
    let rows: Vec<Vec<String>> = topic
        .values
        .iter()
        .map(|v| value_row(topic.table, v))
        .collect();
    page.table(&[number_column(), name(""), column(""), column("")], &rows);
    if let Some(hint) = topic.hint() {
        page.paragraph(&format!("In practice: {hint}"));
    }
    if topic.unknown_bits != 0 {
        page.paragraph(&format!("0x{:08X} has no name", topic.unknown_bits));
    }
    used_by(page, &topic.uses);
}

const fn number_column() -> super::page::Column {
    number("")
}

fn by_number(page: &mut Page<'_>, topic: &NumberTopic) {
    page.title(
        &topic.number.to_string(),
        &format!("0x{:X}, everything with this number", topic.number),
    );
    let rows: Vec<Vec<String>> = topic
        .hits
        .iter()
        .map(|h| {
            let kind = if h.kind == "version" {
                "protocol version"
            } else {
                h.kind
            };
            vec![
                h.table.unwrap_or(kind).to_owned(),
                h.name.to_owned(),
                h.label.unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    page.table(&[column("of"), name("name"), column("meaning")], &rows);
}

fn special(page: &mut Page<'_>, topic: &SpecialTopic) {
    let s = topic.special;
    page.title(s.text(), &format!("0x{:X}, {}", s.value, s.label));
    page.entry("in fields", &topic.fields.join(", "));
}

fn data_type(page: &mut Page<'_>, topic: &TypeTopic) {
    page.title(topic.wire.name(), "data type");
    page.paragraph(topic.summary);
    let floating: Vec<String> = topic
        .floating
        .iter()
        .map(|f| format!("{} ({})", f.name, f.tag))
        .collect();
    if !floating.is_empty() {
        page.entry("floating fields", &floating.join(", "));
    }
}

fn version(page: &mut Page<'_>, topic: &VersionTopic) {
    let info = topic.info;
    page.title(
        &format!("version {}", info.number),
        &format!(
            "protocol version, {}",
            info.release.unwrap_or("release not stated")
        ),
    );
    // Changes of one thing stand together: `new field MESSAGE: A, B`.
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for change in info.changes {
        let split = change.starts_with("new ") || change.starts_with("removed ");
        match change.split_once('.').filter(|_| split) {
            Some((what, part)) => match groups.iter_mut().find(|(w, _)| *w == what) {
                Some((_, parts)) => parts.push(part),
                None => groups.push((what, vec![part])),
            },
            None => groups.push((change, Vec::new())),
        }
    }
    for (what, parts) in groups {
        if parts.is_empty() {
            page.paragraph(what);
        } else {
            page.entry(&format!("{what}:"), &parts.join(", "));
        }
    }
    if !info.notes.is_empty() {
        page.heading("Notes");
        info.notes.iter().for_each(|n| page.paragraph(n));
    }
}

fn service(page: &mut Page<'_>, topic: &ServiceTopic) {
    page.title(topic.service, &format!("{} messages", topic.messages.len()));
    let rows: Vec<Vec<String>> = topic
        .messages
        .iter()
        .map(|m| {
            vec![
                m.number.0.to_string(),
                m.name.to_owned(),
                span(m.since, None, false),
                m.summary.to_owned(),
            ]
        })
        .collect();
    page.table(
        &[
            number("type"),
            name("message"),
            column("versions"),
            column("what for"),
        ],
        &rows,
    );
}

fn overview(page: &mut Page<'_>, topic: &Overview) {
    page.title("ctishark explain WHAT...", "looks up");
    let rows = [
        ("a message", "AGENT_STATE_EVENT, message 30"),
        ("a floating field", "tag 25, ANI_TAG, CallVariable1"),
        ("a fixed field", "PeripheralID"),
        (
            "a table, a value",
            "CTIServiceMask, StatusCode 36, E_CTI_INVALID_PASSWORD, NOT_READY",
        ),
        ("a number", "36, 0x24: everything that has it"),
        ("a version", "version 20, v20"),
        ("a type, a NULL value", "NAMEDVAR, NULL_CALL_ID"),
        ("a service", "client-control"),
    ];
    page.table(
        &[column(""), name("")],
        &rows.map(|(a, b)| vec![a.to_owned(), b.to_owned()]),
    );
    topic.services.iter().for_each(|s| service(page, s));
    let tables: Vec<&str> = topic.tables.iter().map(|t| t.name).collect();
    page.title(
        "Tables",
        &format!("{} tables of values and masks", tables.len()),
    );
    page.paragraph(&tables.join(", "));
    let specials: Vec<&str> = topic.specials.iter().map(|s| s.text()).collect();
    page.title("NULL values", "");
    page.paragraph(&specials.join(", "));
    page.title("Data types", "");
    let types = topic
        .types
        .iter()
        .map(|t| vec![t.wire.name().to_owned(), t.summary.to_owned()])
        .collect::<Vec<_>>();
    page.table(&[name(""), column("")], &types);
    page.title(
        "Versions",
        "of the protocol, and the release that brought them",
    );
    let versions: Vec<Vec<String>> = topic
        .versions
        .iter()
        .map(|v| {
            vec![
                v.number.to_string(),
                v.release.unwrap_or("not stated").to_owned(),
            ]
        })
        .collect();
    page.table(&[number(""), column("")], &versions);
}

/// `13+`, `14-18`, `up to 18`, or nothing; a question mark where it was deduced.
fn span(since: Option<u8>, until: Option<u8>, inferred: bool) -> String {
    let span = match (since, until) {
        (Some(since), Some(until)) => format!("{since}-{until}"),
        (Some(since), None) => format!("{since}+"),
        (None, Some(until)) => format!("up to {until}"),
        (None, None) => return String::new(),
    };
    if inferred {
        format!("{span} (inferred)")
    } else {
        span
    }
}

/// Name of a table; the entries of a table that serves one field only.
fn table_name(table: &'static ValueTable) -> String {
    if index::is_named(table) {
        return match table.kind {
            TableKind::Mask => format!("mask {}", table.name),
            TableKind::Enum => table.name.to_owned(),
        };
    }
    let values: Vec<String> = table
        .values
        .iter()
        .map(|v| format!("{} {}", v.number, v.text))
        .collect();
    values.join(", ")
}

fn special_text(special: &'static crate::protocol::Special) -> String {
    format!("0x{:X} {}", special.value, special.text())
}

fn remarks<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

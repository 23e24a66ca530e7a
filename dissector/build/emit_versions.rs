//! Writes the protocol versions and what each of them brought.

use crate::{Data, layout, schema};
use std::error::Error;
use std::fmt::Write;

pub fn versions(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
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

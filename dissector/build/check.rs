//! Soundness of the protocol data. Every fault names file, row and key.

use crate::layout::{self, size_of};
use crate::{Data, advice, privacy, schema};
use std::collections::{BTreeMap, BTreeSet};

const KINDS: [&str; 5] = ["request", "confirmation", "event", "indication", "response"];
const DIRECTIONS: [&str; 3] = ["client-to-server", "server-to-client", "both"];
const FLOATING_TYPES: [&str; 5] = ["STRING", "UNSPEC", "NAMEDVAR", "NAMEDARRAY", "TASKID"];

/// All faults found; empty when the data is sound.
pub fn check(data: &Data) -> Vec<String> {
    let mut faults = Vec::new();
    enums(data, &mut faults);
    floating(data, &mut faults);
    unpublished(data, &mut faults);
    let names: BTreeSet<&str> = data.messages.iter().map(|(_, m)| m.name.as_str()).collect();
    let mut numbers = BTreeMap::new();
    for (file, message) in &data.messages {
        let row = format!("{file}: {}", message.name);
        if let Some(other) = numbers.insert(message.number, &message.name) {
            faults.push(format!(
                "{row}: type {} is that of {other} too",
                message.number
            ));
        }
        if let Some(reply) = &message.reply
            && !names.contains(reply.as_str())
        {
            faults.push(format!("{row}: reply '{reply}' does not exist"));
        }
        one_message(data, &row, message, &mut faults);
    }
    for row in &data.unpublished {
        if let Some(other) = numbers.insert(row.number, &row.name) {
            faults.push(format!(
                "unpublished.toml: {}: number {} is that of {other} too",
                row.name, row.number
            ));
        }
    }
    specials(data, &mut faults);
    versions(data, &mut faults);
    advice::check(data, &mut faults);
    privacy::check(data, &mut faults);
    crate::comparison::check(data, &mut faults);
    faults
}

fn table_exists(
    data: &Data,
    row: &str,
    key: &str,
    name: Option<&String>,
    kind: &str,
    faults: &mut Vec<String>,
) {
    let Some(name) = name else { return };
    match data.enums.get(name) {
        None => faults.push(format!("{row}: {key} '{name}' does not exist")),
        Some(table) if table.kind != kind => {
            faults.push(format!("{row}: {key} '{name}' is of kind {}", table.kind));
        }
        Some(_) => {}
    }
}

fn one_message(data: &Data, row: &str, message: &schema::Message, faults: &mut Vec<String>) {
    if !KINDS.contains(&message.kind.as_str()) {
        faults.push(format!("{row}: unknown kind '{}'", message.kind));
    }
    if !DIRECTIONS.contains(&message.direction.as_str()) {
        faults.push(format!("{row}: unknown direction '{}'", message.direction));
    }
    if message
        .failure
        .as_deref()
        .is_some_and(|f| f != "request" && f != "event")
    {
        faults.push(format!("{row}: failure is 'request' or 'event'"));
    }
    let mut fixed_names = BTreeSet::new();
    for field in &message.fixed {
        let key = format!("{row}: fixed {}", field.name);
        if !fixed_names.insert(field.name.as_str()) {
            faults.push(format!("{key}: stands twice"));
        }
        if size_of(&field.wire).is_none() {
            faults.push(format!("{key}: unknown type '{}'", field.wire));
        }
        table_exists(
            data,
            &key,
            "enum",
            field.enumeration.as_ref(),
            "enum",
            faults,
        );
        table_exists(data, &key, "mask", field.mask.as_ref(), "mask", faults);
        value_keys(&key, field.values.as_ref(), faults);
        range(&key, field.since, field.until, faults);
    }
    if let Some(more) = &message.more
        && !fixed_names.contains(more.as_str())
    {
        faults.push(format!("{row}: more '{more}' is no fixed field"));
    }
    let floating_names: BTreeSet<&str> = message.floating.iter().map(|f| f.name.as_str()).collect();
    let mut tags = BTreeSet::new();
    for field in &message.floating {
        let key = format!("{row}: floating {}", field.name);
        range(&key, field.since, field.until, faults);
        if let Some(tag) = field.tag {
            if !tags.insert(tag) {
                faults.push(format!("{key}: tag {tag} stands twice"));
            }
            if !data.floating.iter().any(|f| f.tag == tag) {
                faults.push(format!("{key}: tag {tag} is not in floating.toml"));
            }
        }
        for (what, name) in [("repeat", &field.repeat), ("count", &field.count)] {
            if let Some(name) = name
                && !fixed_names.contains(name.as_str())
                && !floating_names.contains(name.as_str())
            {
                faults.push(format!(
                    "{key}: {what} '{name}' is no field of this message"
                ));
            }
        }
        if let Some(name) = &field.follows
            && !floating_names.contains(name.as_str())
        {
            faults.push(format!(
                "{key}: follows '{name}', which is no floating field of this message"
            ));
        }
        if field.sender.as_deref().is_some_and(|s| s != "server") {
            faults.push(format!("{key}: sender can only be 'server'"));
        }
    }
    for shown in &message.timeline {
        let name = shown.rsplit('=').next().unwrap_or(shown);
        if !fixed_names.contains(name) && !floating_names.contains(name) {
            faults.push(format!(
                "{row}: timeline '{name}' is no field of this message"
            ));
        }
    }
    for variant in &message.variants {
        for version in layout::VERSIONS {
            if variant.until.is_some_and(|u| version > u)
                || variant.since.is_some_and(|s| version < s)
            {
                continue;
            }
            match layout::apply(variant, &layout::fixed_at(message, version)) {
                Err(fault) => faults.push(format!("{row}: {fault}")),
                Ok(fields) if fields.iter().any(|f| size_of(&f.wire).is_none()) => {
                    faults.push(format!("{row}: variant '{}': unknown type", variant.name));
                }
                Ok(_) => continue,
            }
            break;
        }
        if variant.decide.as_deref().is_some_and(|d| d != "values") {
            faults.push(format!(
                "{row}: variant '{}': decide can only be 'values'",
                variant.name
            ));
        }
    }
}

fn range(row: &str, since: Option<u8>, until: Option<u8>, faults: &mut Vec<String>) {
    for version in [since, until].into_iter().flatten() {
        if !layout::VERSIONS.contains(&version) {
            faults.push(format!("{row}: version {version} is outside 5 to 25"));
        }
    }
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        faults.push(format!("{row}: since {since} lies after until {until}"));
    }
}

fn value_keys(row: &str, values: Option<&BTreeMap<String, String>>, faults: &mut Vec<String>) {
    for key in values.into_iter().flat_map(|v| v.keys()) {
        if number(key).is_none() {
            faults.push(format!("{row}: value '{key}' is not a number"));
        }
    }
}

/// A value's number, decimal or with 0x.
pub fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn enums(data: &Data, faults: &mut Vec<String>) {
    for (name, table) in &data.enums {
        let row = format!("enums.toml: {name}");
        if table.kind != "enum" && table.kind != "mask" {
            faults.push(format!("{row}: unknown kind '{}'", table.kind));
        }
        let mut seen = BTreeSet::new();
        for (key, value) in &table.values {
            match number(key) {
                None => faults.push(format!("{row}: '{key}' is not a number")),
                Some(n) if !seen.insert(n) => faults.push(format!("{row}: {key} stands twice")),
                Some(n) if table.kind == "mask" && n.count_ones() != 1 => {
                    faults.push(format!("{row}: {key} is not a single bit"));
                }
                Some(_) => {}
            }
            if value.name.is_none() && value.label.is_none() {
                faults.push(format!("{row}: {key} has neither name nor label"));
            }
        }
    }
}

fn floating(data: &Data, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for field in &data.floating {
        let row = format!("floating.toml: tag {} ({})", field.tag, field.name);
        if !seen.insert(field.tag) {
            faults.push(format!("{row}: tag stands twice"));
        }
        if let Some(wire) = &field.wire {
            match size_of(wire) {
                Some(size) if field.max.is_some_and(|max| max < size) => {
                    faults.push(format!("{row}: max is below the size of {wire}"));
                }
                None if !FLOATING_TYPES.contains(&wire.as_str()) => {
                    faults.push(format!("{row}: unknown type '{wire}'"));
                }
                None if field.array => faults.push(format!("{row}: {wire} cannot be an array")),
                _ => {}
            }
        }
        table_exists(
            data,
            &row,
            "enum",
            field.enumeration.as_ref(),
            "enum",
            faults,
        );
        table_exists(data, &row, "mask", field.mask.as_ref(), "mask", faults);
        value_keys(&row, field.values.as_ref(), faults);
        range(&row, field.since, field.until, faults);
        for size in &field.sizes {
            if field.max.is_none_or(|max| size.max >= max) {
                faults.push(format!("{row}: sizes: an older maximum must be below max"));
            }
        }
    }
}

fn unpublished(data: &Data, faults: &mut Vec<String>) {
    let names: BTreeSet<&str> = data.unpublished.iter().map(|u| u.name.as_str()).collect();
    for row in &data.unpublished {
        if !KINDS.contains(&row.kind.as_str()) {
            faults.push(format!(
                "unpublished.toml: {}: unknown kind '{}'",
                row.name, row.kind
            ));
        }
        if let Some(reply) = &row.reply
            && !names.contains(reply.as_str())
        {
            faults.push(format!(
                "unpublished.toml: {}: reply '{reply}' does not exist",
                row.name
            ));
        }
    }
}

fn specials(data: &Data, faults: &mut Vec<String>) {
    let fixed = data
        .messages
        .iter()
        .flat_map(|(_, m)| m.fixed.iter().map(|f| f.name.as_str()));
    let uses = data
        .messages
        .iter()
        .flat_map(|(_, m)| m.floating.iter().map(|f| f.name.as_str()));
    let tags = data.floating.iter().map(|f| f.name.as_str());
    let known: BTreeSet<&str> = fixed.chain(uses).chain(tags).collect();
    for special in &data.specials {
        for field in &special.fields {
            if !known.contains(field.as_str()) {
                faults.push(format!(
                    "special.toml: '{}': no field '{field}'",
                    special.label
                ));
            }
        }
    }
}

fn versions(data: &Data, faults: &mut Vec<String>) {
    for (key, version) in &data.versions {
        if version.versions.is_none() && key.parse::<u8>().is_err() {
            faults.push(format!(
                "versions.toml: '{key}': neither a number nor a row with versions"
            ));
        }
    }
    for version in layout::VERSIONS {
        if !data.versions.iter().any(|(key, row)| {
            key.parse() == Ok(version)
                || row.versions.as_ref().is_some_and(|v| v.contains(&version))
        }) {
            faults.push(format!("versions.toml: version {version} has no row"));
        }
    }
}

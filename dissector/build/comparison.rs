//! What a comparison of two runs goes by: patterns are resolved to names here, so that one that means nothing stops the build.

use crate::emit::wire;
use crate::{Data, schema};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;

const FILE: &str = "comparison.toml";

/// What is wrong with it.
pub fn check(data: &Data, faults: &mut Vec<String>) {
    let fields = field_names(data);
    let messages = message_names(data);
    let rows = &data.comparison;
    let mut known = |row: &str, patterns: &[String], names: &BTreeSet<&str>| {
        for pattern in patterns {
            if !names.iter().any(|name| matches(pattern, name)) {
                faults.push(format!("{FILE}: {row}: '{pattern}' does not exist"));
            }
        }
    };
    known("varies", &rows.varies.fields, &fields);
    for identity in &rows.identity {
        let row = format!("identity {}", identity.name);
        known(&row, &identity.fields, &fields);
        known(&row, &identity.except, &fields);
        for place in identity.begins.iter().chain(&identity.ends) {
            known(&row, std::slice::from_ref(&place.message), &messages);
            known(&row, std::slice::from_ref(&place.field), &fields);
        }
    }
    for line in &rows.line {
        let row = format!("line {}", line.name);
        known(&row, &line.messages, &messages);
        if let schema::About::Fields(about) = &line.about {
            known(&row, about, &fields);
        }
    }
    for identity in &rows.identity {
        if !["run", "session", "exchange"].contains(&identity.scope.as_str()) {
            faults.push(format!(
                "{FILE}: identity {}: scope is 'run', 'session' or 'exchange'",
                identity.name
            ));
        }
    }
    for line in &rows.line {
        if let schema::About::Word(word) = &line.about
            && word != "all"
            && !rows.identity.iter().any(|i| i.name == *word)
        {
            faults.push(format!(
                "{FILE}: line {}: about '{word}': no such identity",
                line.name
            ));
        }
    }
    let mut owners = BTreeSet::new();
    let rows = rows
        .identity
        .iter()
        .flat_map(|i| resolve(&i.fields, &i.except, &fields))
        .chain(resolve(&rows.varies.fields, &[], &fields));
    for field in rows {
        if !owners.insert(field) {
            faults.push(format!("{FILE}: field '{field}' stands in two rows"));
        }
    }
}

pub fn emit(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
    let fields = field_names(data);
    let messages = message_names(data);
    let rows = &data.comparison;
    let types: Vec<&str> = rows.varies.types.iter().map(|t| wire(t)).collect();
    write!(
        out,
        "pub(super) static COMPARISON: Comparison = Comparison {{ varying_types: &[{}], varying: &{:?}, identities: &[",
        types.join(", "),
        resolve(&rows.varies.fields, &[], &fields)
    )?;
    for identity in &rows.identity {
        let place = |place: &Option<schema::FieldOf>| {
            place.as_ref().map_or_else(
                || "None".to_owned(),
                |p| format!("Some((types::{}, {:?}))", p.message, p.field),
            )
        };
        let scope = match identity.scope.as_str() {
            "session" => "Session",
            "exchange" => "Exchange",
            _ => "Run",
        };
        write!(
            out,
            "IdentityClass {{ name: {:?}, scope: Scope::{scope}, fields: &{:?}, begins: {}, ends: {}, nothing: {:?} }},",
            identity.name,
            resolve(&identity.fields, &identity.except, &fields),
            place(&identity.begins),
            place(&identity.ends),
            identity.nothing
        )?;
    }
    write!(out, "], lines: &[")?;
    for line in &rows.line {
        let about = match &line.about {
            schema::About::Word(word) if word == "all" => "About::Everything".to_owned(),
            schema::About::Word(word) => format!("About::Identity({word:?})"),
            schema::About::Fields(names) => format!("About::Fields(&{names:?})"),
        };
        let numbers: Vec<String> = resolve(&line.messages, &[], &messages)
            .iter()
            .map(|name| format!("types::{name}"))
            .collect();
        write!(
            out,
            "OrderLine {{ name: {:?}, about: {about}, messages: &[{}] }},",
            line.name,
            numbers.join(", ")
        )?;
    }
    writeln!(out, "] }};")?;
    Ok(())
}

/// Names of all fields of all messages.
fn field_names(data: &Data) -> BTreeSet<&str> {
    let messages = data.messages.iter();
    let of_messages = messages.flat_map(|(_, m)| {
        let fixed = m.fixed.iter().map(|f| f.name.as_str());
        fixed.chain(m.floating.iter().map(|f| f.name.as_str()))
    });
    of_messages
        .chain(data.floating.iter().map(|f| f.name.as_str()))
        .collect()
}

fn message_names(data: &Data) -> BTreeSet<&str> {
    data.messages.iter().map(|(_, m)| m.name.as_str()).collect()
}

fn resolve<'d>(patterns: &[String], except: &[String], names: &BTreeSet<&'d str>) -> Vec<&'d str> {
    let any = |patterns: &[String], name: &str| patterns.iter().any(|p| matches(p, name));
    let wanted = |name: &&&str| any(patterns, name) && !any(except, name);
    names.iter().filter(wanted).copied().collect()
}

/// Whether a name is what a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter()
                .any(|at| name.get(at..).is_some_and(|name| matches(rest, name)))
        }),
    }
}

//! What a comparison of two runs goes by: its patterns are resolved to names here, and one that means nothing stops the build.

use crate::{Data, schema};
use std::collections::BTreeSet;

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
    known("agents", &rows.agents.fields, &fields);
    for identity in &rows.identity {
        let row = format!("identity {}", identity.name);
        known(&row, &identity.fields, &fields);
        known(&row, &identity.except, &fields);
        known(&row, identity.within.as_slice(), &fields);
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

/// Names of all fields of all messages.
pub fn field_names(data: &Data) -> BTreeSet<&str> {
    let messages = data.messages.iter();
    let of_messages = messages.flat_map(|(_, m)| {
        let fixed = m.fixed.iter().map(|f| f.name.as_str());
        fixed.chain(m.floating.iter().map(|f| f.name.as_str()))
    });
    of_messages
        .chain(data.floating.iter().map(|f| f.name.as_str()))
        .collect()
}

/// Names of all published messages.
pub fn message_names(data: &Data) -> BTreeSet<&str> {
    data.messages.iter().map(|(_, m)| m.name.as_str()).collect()
}

/// The names that patterns stand for, but for the exceptions.
pub fn resolve<'d>(
    patterns: &[String],
    except: &[String],
    names: &BTreeSet<&'d str>,
) -> Vec<&'d str> {
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

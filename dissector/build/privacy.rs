//! The classes of `privacy.toml`: read, checked, and written as statics. A text field that was forgotten stops the build.

use crate::Data;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyFile {
    pub class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
    pub summary: String,
    pub treatment: String,
    pub fields: Vec<String>,
}

/// What may hold anything.
const FREE: [&str; 4] = ["STRING", "UNSPEC", "NAMEDVAR", "NAMEDARRAY"];
/// Numbers that can be replaced by others.
const NUMBERS: [&str; 2] = ["INT", "UINT"];

pub fn check(data: &Data, faults: &mut Vec<String>) {
    let mut class_of = BTreeMap::new();
    let mut names = BTreeSet::new();
    for class in &data.privacy {
        let row = format!("privacy.toml: {}", class.name);
        if !names.insert(&class.name) {
            faults.push(format!("{row}: stands twice"));
        }
        if treatment(&class.treatment).is_none() {
            faults.push(format!("{row}: unknown treatment '{}'", class.treatment));
        }
        for field in &class.fields {
            if let Some(other) = class_of.insert(field.as_str(), &class.name) {
                faults.push(format!("{row}: field '{field}' is in class {other} too"));
            }
            let types: Vec<&str> = types(data, field).collect();
            if types.is_empty() {
                faults.push(format!("{row}: no field '{field}'"));
            }
            for wire in types {
                if !FREE.contains(&wire) && !NUMBERS.contains(&wire) {
                    faults.push(format!("{row}: field '{field}' is of type {wire}"));
                }
            }
        }
    }
    for field in &data.floating {
        let free = field.wire.as_deref().is_some_and(|w| FREE.contains(&w));
        if free && !class_of.contains_key(field.name.as_str()) {
            faults.push(format!(
                "privacy.toml: tag {} ({}) has no class",
                field.tag, field.name
            ));
        }
        let secret = class_of
            .get(field.name.as_str())
            .is_some_and(|c| *c == "secret");
        if field.secret && !secret {
            faults.push(format!(
                "privacy.toml: tag {} ({}) is a secret",
                field.tag, field.name
            ));
        }
    }
}

/// The types of all fields with a name, fixed and floating.
fn types<'a>(data: &'a Data, name: &'a str) -> impl Iterator<Item = &'a str> {
    let floating = data.floating.iter().filter(move |f| f.name == name);
    let fixed = data.messages.iter().flat_map(|(_, m)| &m.fixed);
    let fixed = fixed.filter(move |f| f.name == name);
    floating
        .filter_map(|f| f.wire.as_deref())
        .chain(fixed.map(|f| f.wire.as_str()))
}

fn treatment(name: &str) -> Option<&'static str> {
    Some(match name {
        "pseudonym" => "Treatment::Pseudonym",
        "mask" => "Treatment::Mask",
        "secret" => "Treatment::Secret",
        "keep" => "Treatment::Keep",
        _ => return None,
    })
}

pub fn emit(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
    writeln!(out, "pub(super) static PRIVACY: &[PrivacyClass] = &[")?;
    let mut tags = BTreeMap::new();
    for (index, class) in data.privacy.iter().enumerate() {
        writeln!(
            out,
            "PrivacyClass {{ name: {:?}, summary: {:?}, treatment: {}, fields: &{:?} }},",
            class.name,
            class.summary,
            treatment(&class.treatment).unwrap_or_default(),
            class.fields
        )?;
        for field in &data.floating {
            if class.fields.contains(&field.name) {
                tags.insert(field.tag, index);
            }
        }
    }
    writeln!(out, "];")?;
    let tags: Vec<(u16, usize)> = tags.into_iter().collect();
    writeln!(
        out,
        "pub(super) static PRIVACY_BY_TAG: &[(u16, usize)] = &{tags:?};"
    )?;
    Ok(())
}

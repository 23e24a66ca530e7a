//! Writes what a comparison of two runs goes by.

use crate::comparison::{field_names, message_names, resolve};
use crate::emit::wire;
use crate::{Data, schema};
use std::error::Error;
use std::fmt::Write;

pub fn emit(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
    let fields = field_names(data);
    let messages = message_names(data);
    let rows = &data.comparison;
    let types: Vec<&str> = rows.varies.types.iter().map(|t| wire(t)).collect();
    write!(
        out,
        "pub(super) static COMPARISON: Comparison = Comparison {{ varying_types: &[{}], varying: &{:?}, agents: &{:?}, identities: &[",
        types.join(", "),
        resolve(&rows.varies.fields, &[], &fields),
        resolve(&rows.agents.fields, &[], &fields)
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
            "IdentityClass {{ name: {:?}, scope: Scope::{scope}, fields: &{:?}, within: {:?}, begins: {}, ends: {}, nothing: {:?} }},",
            identity.name,
            resolve(&identity.fields, &identity.except, &fields),
            identity.within,
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

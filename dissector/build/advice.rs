//! What codes mean in practice: reason codes, errors of peripherals, hints. Its rows, their soundness, and the statics made of them.

use crate::Data;
use crate::check::number;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;

const PRODUCTS: [&str; 2] = ["Unified CCE", "Unified CCX"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonFile {
    pub reason: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub code: u16,
    pub product: String,
    pub states: Vec<String>,
    pub short: String,
    pub meaning: String,
    pub hint: Option<String>,
    #[serde(default)]
    pub inferred: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeripheralErrorFile {
    pub error: Vec<PeripheralError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeripheralError {
    pub codes: Vec<String>,
    pub meaning: String,
    pub hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintFile {
    pub status: Vec<Hint>,
    pub control_failure: Vec<Hint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    pub codes: Vec<u32>,
    pub hint: String,
}

/// All three files.
pub struct Advice {
    pub reasons: Vec<Reason>,
    pub errors: Vec<PeripheralError>,
    pub hints: HintFile,
}

/// Numbers of a table of enums.toml by their names.
fn values<'a>(data: &'a Data, table: &str) -> BTreeMap<&'a str, u32> {
    let rows = data.enums.get(table).into_iter().flat_map(|t| &t.values);
    rows.filter_map(|(key, value)| Some((value.name.as_deref()?, number(key)?)))
        .collect()
}

/// `13048-13055` or `13042`.
fn span(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

pub fn check(data: &Data, faults: &mut Vec<String>) {
    let states = values(data, "AgentState");
    let mut seen = BTreeSet::new();
    for reason in &data.advice.reasons {
        let row = format!("reasons.toml: {} of {}", reason.code, reason.product);
        if !PRODUCTS.contains(&reason.product.as_str()) {
            faults.push(format!("{row}: unknown product"));
        }
        if reason.states.is_empty() {
            faults.push(format!("{row}: no states"));
        }
        for state in &reason.states {
            if !states.contains_key(state.as_str()) {
                faults.push(format!("{row}: states '{state}' is not in AgentState"));
            }
            if !seen.insert((&reason.product, reason.code, state)) {
                faults.push(format!("{row}: stands twice"));
            }
        }
    }
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for error in &data.advice.errors {
        for codes in &error.codes {
            match span(codes) {
                None => faults.push(format!(
                    "peripheral_errors.toml: '{codes}' is neither a number nor a range"
                )),
                Some(span) => {
                    if spans.iter().any(|s| s.0 <= span.1 && span.0 <= s.1) {
                        faults.push(format!("peripheral_errors.toml: '{codes}' stands twice"));
                    }
                    spans.push(span);
                }
            }
        }
    }
    let hints = &data.advice.hints;
    for (key, table, rows) in [
        ("status", "StatusCode", &hints.status),
        (
            "control_failure",
            "ControlFailureCode",
            &hints.control_failure,
        ),
    ] {
        let known: BTreeSet<u32> = values(data, table).into_values().collect();
        let mut seen = BTreeSet::new();
        for code in rows.iter().flat_map(|r| &r.codes) {
            if !known.contains(code) {
                faults.push(format!("hints.toml: {key}: {code} is not in {table}"));
            }
            if !seen.insert(code) {
                faults.push(format!("hints.toml: {key}: {code} stands twice"));
            }
        }
    }
}

pub fn emit(out: &mut String, data: &Data) -> Result<(), Box<dyn Error>> {
    let states = values(data, "AgentState");
    let mut reasons: Vec<&Reason> = data.advice.reasons.iter().collect();
    reasons.sort_by_key(|r| (r.code, &r.product));
    writeln!(out, "pub(super) static REASONS: &[Reason] = &[")?;
    for r in reasons {
        let mut numbers: Vec<u32> = r
            .states
            .iter()
            .filter_map(|s| states.get(s.as_str()).copied())
            .collect();
        numbers.sort_unstable();
        writeln!(
            out,
            "Reason {{ code: {}, product: {:?}, states: &{numbers:?}, short: {:?}, meaning: {:?}, hint: {:?}, inferred: {} }},",
            r.code, r.product, r.short, r.meaning, r.hint, r.inferred
        )?;
    }
    writeln!(
        out,
        "];\npub(super) static PERIPHERAL_ERRORS: &[PeripheralError] = &["
    )?;
    let mut errors: Vec<(u32, u32, &PeripheralError)> = data
        .advice
        .errors
        .iter()
        .flat_map(|e| e.codes.iter().filter_map(move |c| Some((span(c)?, e))))
        .map(|((first, last), e)| (first, last, e))
        .collect();
    errors.sort_by_key(|(first, ..)| *first);
    for (first, last, e) in errors {
        writeln!(
            out,
            "PeripheralError {{ first: {first}, last: {last}, meaning: {:?}, hint: {:?} }},",
            e.meaning, e.hint
        )?;
    }
    writeln!(out, "];")?;
    let hints = &data.advice.hints;
    for (name, rows) in [
        ("STATUS_HINTS", &hints.status),
        ("CONTROL_FAILURE_HINTS", &hints.control_failure),
    ] {
        let pairs: BTreeMap<u32, &str> = rows
            .iter()
            .flat_map(|r| r.codes.iter().map(|c| (*c, r.hint.as_str())))
            .collect();
        let pairs: Vec<(u32, &str)> = pairs.into_iter().collect();
        writeln!(
            out,
            "pub(super) static {name}: &[(u32, &str)] = &{pairs:?};"
        )?;
    }
    Ok(())
}

//! The documentation lists what the code has.

#![allow(missing_docs, clippy::unwrap_used)]

use cti_dissector::finding::Code;
use cti_dissector::triage;
use std::path::Path;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Compares a document with what it is made from; with `UPDATE_DOCS=1` writes it.
fn made_from(name: &str, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../docs")
            .join(name);
        std::fs::write(path, text).unwrap();
    }
    assert!(
        document(name) == text,
        "docs/{name} is out of date: UPDATE_DOCS=1 cargo test -p cti-dissector --test docs"
    );
}

#[test]
fn the_reference_of_findings_is_made_from_the_code() {
    made_from("findings.md", &triage::reference());
}

#[test]
fn words_of_triage_end_as_sentences_and_names_are_those_of_codes() {
    let name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    for code in triage::Code::ALL {
        assert!(name(code.name()), "{code}");
        for text in [code.seen(), code.means(), code.check()] {
            assert!(text.ends_with('.'), "{code}: {text}");
        }
    }
}

#[test]
fn the_schema_lists_every_finding_of_triage() {
    let names: Vec<&str> = triage::Code::ALL.iter().map(|code| code.name()).collect();
    let listed = serde_json::to_string(&names).unwrap().replace(',', ", ");
    let schema = document("schema.json");
    let (head, rest) = schema
        .split_once("\"problem_code\": { \"description\": \"What a finding of triage is about; stable.\", \"enum\": ")
        .unwrap();
    let (_, tail) = rest.split_once(" }").unwrap();
    let marker = &schema[head.len()..schema.len() - rest.len()];
    made_from("schema.json", &format!("{head}{marker}{listed} }}{tail}"));
}

#[test]
fn the_schema_lists_every_finding() {
    let schema: serde_json::Value = serde_json::from_str(&document("schema.json")).unwrap();
    let listed = schema
        .pointer("/$defs/code/enum")
        .unwrap()
        .as_array()
        .unwrap();
    let listed: Vec<&str> = listed.iter().map(|code| code.as_str().unwrap()).collect();
    let all: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, all);
}

/// Asserts that the guide lists every limit of a source file.
fn assert_documented(limits: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(limits);
    let source = std::fs::read_to_string(source).unwrap();
    let guide = document("guide.md");
    let names = source.lines().filter_map(|l| l.strip_prefix("pub const "));
    for name in names.map(|l| l.split(':').next().unwrap()) {
        assert!(
            guide.contains(&format!("`{name}`")),
            "{name} is not in the guide"
        );
    }
}

#[test]
fn every_limit_is_documented() {
    assert_documented("src/limits.rs");
}

#[test]
fn every_limit_of_reports_is_documented() {
    assert_documented("../report/src/limits.rs");
}
